//! OpenTelemetry's GenAI conventions, from the first names (`gen_ai.system`, `prompt_tokens`) to
//! today's, and of MCP.

mod content;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};
use signalbox_types::{Cost, CostSource, Money, Span, SpanKind};

use crate::{Attributes, Confidence, Dialect, RawSpan};

/// `gen_ai.…`, `mcp.…`
#[derive(Debug)]
pub(crate) struct OtelGenAi;

/// More events that tell of the one operation are kept as events only.
const MAX_DETAILS: usize = 16;
/// Where newer emitters put what older ones put on the span.
const DETAILS: &str = "gen_ai.client.inference.operation.details";

impl Dialect for OtelGenAi {
    fn name(&self) -> &'static str {
        "otel_genai"
    }

    fn recognise(&self, raw: &RawSpan) -> Confidence {
        let has = |key| raw.attributes.get(key).is_some();
        if has("gen_ai.operation.name") {
            Confidence::Certain
        } else if raw.attributes.has_under("gen_ai.") || has("mcp.method.name") {
            Confidence::Likely
        } else if raw.events.iter().any(|event| event.name.starts_with("gen_ai.")) {
            Confidence::Possible
        } else {
            Confidence::No
        }
    }

    fn to_span(&self, raw: &RawSpan, span: &mut Span) {
        read(&raw.attributes, span);
        for details in raw.events.iter().filter(|event| event.name == DETAILS).take(MAX_DETAILS) {
            read(&details.attributes, span);
        }
        content::events(&raw.events, span);
    }
}

fn read(from: &Attributes, span: &mut Span) {
    what_it_is(from, span);
    model(from, span);
    usage(from, span);
    who(from, span);
    content::attributes(from, span);
    step(from, span);
}

fn what_it_is(from: &Attributes, span: &mut Span) {
    or_set(&mut span.operation, || from.text(&["gen_ai.operation.name"]));
    if span.kind == SpanKind::Span
        && let Some(kind) = kind(from)
    {
        span.kind = kind;
    }
}

fn kind(from: &Attributes) -> Option<SpanKind> {
    let operation = from.text(&["gen_ai.operation.name"]);
    let kind = match operation.as_deref() {
        Some("chat" | "text_completion" | "generate_content" | "fetch_response") => SpanKind::Llm,
        Some("embeddings") => SpanKind::Embedding,
        Some("retrieval") => SpanKind::Retriever,
        Some("execute_tool") => SpanKind::Tool,
        Some("create_agent" | "invoke_agent" | "agent_step") => SpanKind::Agent,
        Some("invoke_workflow") => SpanKind::Workflow,
        Some("plan") => SpanKind::Plan,
        Some(memory) if memory.ends_with("_memory") || memory.ends_with("_memory_store") => SpanKind::Memory,
        _ if from.get("mcp.method.name").is_some() => SpanKind::Mcp,
        _ if from.get("gen_ai.evaluation.name").is_some() => SpanKind::Evaluator,
        // Pydantic AI leaves the operation out.
        _ if from.text(&["gen_ai.tool.name", "gen_ai.tool.call.id"]).is_some() => SpanKind::Tool,
        _ if from.text(&["gen_ai.request.model", "gen_ai.response.model"]).is_some() => SpanKind::Llm,
        _ => return None,
    };
    Some(kind)
}

fn model(from: &Attributes, span: &mut Span) {
    or_set(&mut span.provider, || from.text(&["gen_ai.provider.name", "gen_ai.system"]));
    or_set(&mut span.model_requested, || from.text(&["gen_ai.request.model"]));
    or_set(&mut span.model_used, || from.text(&["gen_ai.response.model"]));
    or_set(&mut span.response_id, || from.text(&["gen_ai.response.id"]));
    if span.finish_reasons.is_empty() {
        span.finish_reasons = from.texts(&["gen_ai.response.finish_reasons", "gen_ai.response.finish_reason"]);
    }
    let seconds = from.number(&[
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai.server.time_to_first_token",
    ]);
    or_set(&mut span.ttft_ms, || seconds.filter(|seconds| *seconds >= 0.0).map(|seconds| seconds * 1_000.0));
    span.streaming |= seconds.is_some() || from.flag(&["gen_ai.request.stream", "gen_ai.is_streaming"]);
    for (name, value) in from.under("gen_ai.request.") {
        if !matches!(name, "model" | "stream") && !span.model_parameters.contains_key(name) {
            span.model_parameters.insert(name.to_owned(), parameter(value));
        }
    }
}

/// Numbers arrive as texts; only a JSON number is kept as one.
fn parameter(value: &Value) -> Value {
    let number = value.as_str().and_then(|text| text.parse::<serde_json::Number>().ok());
    number.map_or_else(|| value.clone(), Value::Number)
}

fn usage(from: &Attributes, span: &mut Span) {
    let usage = &mut span.usage;
    or_set(&mut usage.input_tokens, || from.count(&["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"]));
    or_set(&mut usage.output_tokens, || from.count(&["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"]));
    or_set(&mut usage.cache_read_tokens, || {
        from.count(&[
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "gen_ai.usage.cache_read_tokens",
        ])
    });
    or_set(&mut usage.cache_write_tokens, || {
        from.count(&[
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
            "gen_ai.usage.cache_write_tokens",
        ])
    });
    or_set(&mut usage.reasoning_tokens, || {
        from.count(&["gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"])
    });
    or_set(&mut span.cost, || reported_cost(from));
}

/// What the sender says that it cost; zero counts.
fn reported_cost(from: &Attributes) -> Option<Cost> {
    let dollars = |keys: &[&str]| from.number(keys).filter(|dollars| *dollars >= 0.0).and_then(Money::from_dollars);
    let input = dollars(&["gen_ai.cost.input", "gen_ai.usage.input_cost"]);
    let output = dollars(&["gen_ai.cost.output", "gen_ai.usage.output_cost"]);
    let cache_write = dollars(&["gen_ai.cost.cache_write"]);
    let parts = [input, output, cache_write];
    let total = dollars(&["gen_ai.cost.total", "gen_ai.usage.cost"])
        .or_else(|| parts.iter().any(Option::is_some).then(|| parts.into_iter().flatten().sum()))?;
    Some(Cost {
        input: input.unwrap_or_default(),
        cache_read: Money::ZERO,
        cache_write: cache_write.unwrap_or_default(),
        output: output.unwrap_or_default(),
        total,
        source: CostSource::Reported,
    })
}

fn who(from: &Attributes, span: &mut Span) {
    or_set(&mut span.session_id, || from.text(&["gen_ai.conversation.id"]));
    or_set(&mut span.user_id, || from.text(&["gen_ai.user"]));
    or_set(&mut span.prompt_name, || from.text(&["gen_ai.prompt.name"]));
    or_set(&mut span.prompt_version, || from.text(&["gen_ai.prompt.version"]));
    or_set(&mut span.agent_name, || from.text(&["gen_ai.agent.name"]));
    or_set(&mut span.tool_name, || from.text(&["gen_ai.tool.name"]));
    or_set(&mut span.tool_call_id, || from.text(&["gen_ai.tool.call.id"]));
}

/// What goes in and out of steps that are no conversation.
fn step(from: &Attributes, span: &mut Span) {
    or_set(&mut span.input, || {
        from.json(&[
            "gen_ai.tool.call.arguments",
            "gen_ai.retrieval.query.text",
            "gen_ai.memory.query.text",
            "mcp.request.argument",
            "mcp.resource.uri",
        ])
    });
    or_set(&mut span.output, || {
        from.json(&["gen_ai.tool.call.result", "gen_ai.retrieval.documents", "mcp.response.value"])
            .or_else(|| evaluation(from))
    });
}

fn evaluation(from: &Attributes) -> Option<Value> {
    let name = from.text(&["gen_ai.evaluation.name"])?;
    Some(json!({
        "name": name,
        "score": from.number(&["gen_ai.evaluation.score.value"]),
        "label": from.text(&["gen_ai.evaluation.score.label"]),
        "explanation": from.text(&["gen_ai.evaluation.explanation"]),
    }))
}

/// Sets what is still unknown.
fn or_set<T>(field: &mut Option<T>, value: impl FnOnce() -> Option<T>) {
    if field.is_none() {
        *field = value();
    }
}
