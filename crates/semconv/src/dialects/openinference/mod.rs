//! OpenInference: Arize's conventions, spoken by the Phoenix instrumentations and many others.

mod conversation;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};
use signalbox_types::{Cost, CostSource, Money, Span, SpanKind, Timestamp};

use crate::attributes::{kept_text, unpacked};
use crate::flatten::unflatten;
use crate::{Attributes, Confidence, Dialect, RawSpan};

/// `openinference.span.kind`, `llm.…`, `input.value`
#[derive(Debug)]
pub(crate) struct OpenInference;

/// Attributes that nobody else has.
const OWN: &[&str] = &[
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.token_count.",
    "llm.model_name",
    "llm.invocation_parameters",
    "retrieval.documents.",
    "embedding.embeddings.",
    "reranker.",
];

/// What `llm.invocation_parameters` says that is no parameter of the model.
const NO_PARAMETERS: &[&str] = &["model", "stream", "stream_options", "messages", "input", "tools", "system"];

impl Dialect for OpenInference {
    fn name(&self) -> &'static str {
        "openinference"
    }

    fn recognise(&self, raw: &RawSpan) -> Confidence {
        if raw.attributes.get("openinference.span.kind").is_some() {
            Confidence::Certain
        } else if OWN.iter().any(|prefix| raw.attributes.has_under(prefix)) {
            Confidence::Likely
        } else if ["input.value", "output.value", "tag.tags"].iter().any(|key| raw.attributes.get(key).is_some()) {
            Confidence::Possible
        } else {
            Confidence::No
        }
    }

    fn to_span(&self, raw: &RawSpan, span: &mut Span) {
        let from = &raw.attributes;
        if span.kind == SpanKind::Span {
            span.kind = kind(from);
        }
        model(raw, span);
        usage(from, span);
        conversation::read(from, span);
        who(from, span);
        or_set(&mut span.operation, || operation(span.kind, from));
        step(from, span);
        metadata(from, span);
    }
}

fn kind(from: &Attributes) -> SpanKind {
    let kind = from.text(&["openinference.span.kind"]).unwrap_or_default();
    match kind.to_ascii_uppercase().as_str() {
        "LLM" => SpanKind::Llm,
        "EMBEDDING" => SpanKind::Embedding,
        "CHAIN" => SpanKind::Chain,
        "RETRIEVER" => SpanKind::Retriever,
        "RERANKER" => SpanKind::Reranker,
        "TOOL" => SpanKind::Tool,
        "AGENT" => SpanKind::Agent,
        "GUARDRAIL" => SpanKind::Guardrail,
        "EVALUATOR" => SpanKind::Evaluator,
        "PROMPT" => SpanKind::Prompt,
        _ => SpanKind::Span,
    }
}

/// The conventions' word for the kind: people filter by it.
fn operation(kind: SpanKind, from: &Attributes) -> Option<String> {
    let operation = match kind {
        SpanKind::Llm if from.has_under("llm.prompts.") => "text_completion",
        SpanKind::Llm => "chat",
        SpanKind::Embedding => "embeddings",
        SpanKind::Retriever => "retrieval",
        SpanKind::Tool => "execute_tool",
        SpanKind::Agent => "invoke_agent",
        _ => return None,
    };
    Some(operation.to_owned())
}

fn model(raw: &RawSpan, span: &mut Span) {
    let from = &raw.attributes;
    or_set(&mut span.provider, || from.text(&["llm.provider", "llm.system"]));
    let mut asked_for = None;
    if let Some(Value::Object(parameters)) =
        from.json(&["llm.invocation_parameters", "embedding.invocation_parameters"])
    {
        asked_for = parameters.get("model").and_then(Value::as_str).map(str::to_owned);
        span.streaming |= parameters.get("stream") == Some(&Value::Bool(true));
        if span.model_parameters.is_empty() {
            span.model_parameters =
                parameters.into_iter().filter(|(name, _)| !NO_PARAMETERS.contains(&name.as_str())).collect();
        }
    }
    // `llm.model_name` is the model that was asked for until there is an answer, then the one that
    // answered.
    let named = from.text(&["llm.model_name", "embedding.model_name", "reranker.model_name"]);
    or_set(&mut span.model_requested, || {
        from.text(&["llm.request.model_name"]).or(asked_for).or_else(|| named.clone())
    });
    or_set(&mut span.model_used, || {
        let another = named.filter(|named| Some(named) != span.model_requested.as_ref());
        from.text(&["llm.response.model_name"]).or(another)
    });
    span.streaming |= from.flag(&["llm.is_streaming"]);
    if let Some(first) = raw.events.iter().find(|event| event.name == "First Token Stream Event") {
        span.streaming = true;
        let waited = Timestamp::from_nanos(first.time_ns).since(span.start_time);
        or_set(&mut span.ttft_ms, || Some(waited.as_micros() as f64 / 1_000.0));
    }
}

fn usage(from: &Attributes, span: &mut Span) {
    let usage = &mut span.usage;
    or_set(&mut usage.input_tokens, || from.count(&["llm.token_count.prompt"]));
    or_set(&mut usage.output_tokens, || from.count(&["llm.token_count.completion"]));
    or_set(&mut usage.cache_read_tokens, || from.count(&["llm.token_count.prompt_details.cache_read"]));
    or_set(&mut usage.cache_write_tokens, || from.count(&["llm.token_count.prompt_details.cache_write"]));
    or_set(&mut usage.reasoning_tokens, || from.count(&["llm.token_count.completion_details.reasoning"]));
    // Embeddings often say only how many there were in all.
    if usage.input_tokens.is_none() && usage.output_tokens.is_none() {
        usage.input_tokens = from.count(&["llm.token_count.total"]);
    }
    or_set(&mut span.cost, || reported_cost(from));
}

/// What the sender says that it cost; zero counts.
fn reported_cost(from: &Attributes) -> Option<Cost> {
    let dollars = |key: &str| from.number(&[key]).filter(|dollars| *dollars >= 0.0).and_then(Money::from_dollars);
    let (prompt, output) = (dollars("llm.cost.prompt"), dollars("llm.cost.completion"));
    let cache_read = dollars("llm.cost.prompt_details.cache_read").unwrap_or_default();
    let cache_write = dollars("llm.cost.prompt_details.cache_write").unwrap_or_default();
    let total = dollars("llm.cost.total").or_else(|| match (prompt, output) {
        (None, None) => None,
        _ => Some(prompt.unwrap_or_default() + output.unwrap_or_default()),
    })?;
    // The prompt's cost includes its details.
    let uncached = prompt.unwrap_or_default().as_picos() - cache_read.as_picos() - cache_write.as_picos();
    Some(Cost {
        input: Money::from_picos(uncached.max(0)),
        cache_read,
        cache_write,
        output: output.unwrap_or_default(),
        total,
        source: CostSource::Reported,
    })
}

fn who(from: &Attributes, span: &mut Span) {
    if span.tags.is_empty() {
        span.tags = from.texts(&["tag.tags"]);
    }
    or_set(&mut span.prompt_name, || from.text(&["prompt.id"]));
    or_set(&mut span.prompt_version, || from.text(&["llm.prompt_template.version"]));
    or_set(&mut span.agent_name, || from.text(&["agent.name"]));
    or_set(&mut span.tool_name, || from.text(&["tool.name"]));
    or_set(&mut span.tool_call_id, || from.text(&["tool.id", "tool_call.id"]));
}

/// What goes in and out where it is no conversation.
fn step(from: &Attributes, span: &mut Span) {
    if span.input_messages.is_empty() {
        or_set(&mut span.input, || query(from).or_else(|| value(from, "input")));
    }
    // Nobody reads vectors; they stay in the attributes.
    if span.output_messages.is_empty() && span.kind != SpanKind::Embedding {
        or_set(&mut span.output, || documents(from).or_else(|| value(from, "output")));
    }
}

/// `input.value` by its `input.mime_type`.
fn value(from: &Attributes, side: &str) -> Option<Value> {
    let value = from.get(&format!("{side}.value"))?;
    match from.text(&[&format!("{side}.mime_type")]).as_deref() {
        Some(mime_type) if mime_type.contains("json") => Some(unpacked(value)),
        // Many leave the type out.
        None => Some(unpacked(value)),
        Some(_) => Some(value.clone()),
    }
}

fn query(from: &Attributes) -> Option<Value> {
    if let Some(query) = from.get("reranker.query") {
        return Some(query.clone());
    }
    let embedded = unflatten(from, "embedding.embeddings.")?;
    let texts: Vec<Value> = embedded
        .as_array()?
        .iter()
        .filter_map(|item| item.get("embedding").unwrap_or(item).get("text").cloned())
        .collect();
    (!texts.is_empty()).then_some(Value::Array(texts))
}

/// The documents found, or in their new order: `[{id?, content?, score?, metadata?}]`.
fn documents(from: &Attributes) -> Option<Value> {
    let listed =
        ["retrieval.documents.", "reranker.output_documents."].iter().find_map(|prefix| unflatten(from, prefix))?;
    let documents = listed.as_array()?.iter().map(|item| {
        let document = item.get("document").unwrap_or(item);
        let mut shown = Map::new();
        for name in ["id", "content", "score"] {
            if let Some(value) = document.get(name) {
                shown.insert(name.to_owned(), value.clone());
            }
        }
        if let Some(metadata) = document.get("metadata") {
            shown.insert("metadata".to_owned(), unpacked(metadata));
        }
        if shown.is_empty() { document.clone() } else { json!(shown) }
    });
    Some(documents.collect())
}

/// Each entry of the metadata as an attribute of its own, so that it can be filtered by.
fn metadata(from: &Attributes, span: &mut Span) {
    if let Some(Value::Object(entries)) = from.json(&["metadata"]) {
        for (name, value) in entries {
            span.attributes.insert(format!("metadata.{name}"), kept_text(value));
        }
    }
}

/// Sets what is still unknown.
fn or_set<T>(field: &mut Option<T>, value: impl FnOnce() -> Option<T>) {
    if field.is_none() {
        *field = value();
    }
}
