//! `generationConfig` ⇄ canonical, and which of this dialect's fields others may leave out.

use serde_json::{Map, Value};

use super::DIALECT;
use super::fields::{Fields, camel};
use super::schema::to_json_schema;
use crate::canonical::{ChatRequest, Effort, Reasoning, ResponseFormat};
use crate::dialects::is_empty;
use crate::error::WireError;
use crate::json::{Node, Path};
use crate::schema_rules::fits_openai;
use crate::write::Writer;

/// Before the names of its fields in `extras`.
pub(super) const PREFIX: &str = "generationConfig.";
/// More than the smaller models take as a thinking budget.
const MOST_BUDGET: u64 = 24_576;

const KNOWN: &[&str] = &[
    "maxOutputTokens",
    "temperature",
    "topP",
    "topK",
    "seed",
    "presencePenalty",
    "frequencyPenalty",
    "candidateCount",
    "stopSequences",
    "responseLogprobs",
    "logprobs",
];

pub(super) fn decode(config: &Fields<'_>, path: Path<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    request.max_tokens = config.count("maxOutputTokens", path)?;
    request.temperature = config.number("temperature", path)?;
    request.top_p = config.number("topP", path)?;
    request.top_k = config.count("topK", path)?;
    request.seed = config.number("seed", path)?;
    request.presence_penalty = config.number("presencePenalty", path)?;
    request.frequency_penalty = config.number("frequencyPenalty", path)?;
    request.answers = config.count("candidateCount", path)?;
    let top = config.count("logprobs", path)?.unwrap_or(0);
    request.logprobs = (config.flag("responseLogprobs", path)? == Some(true)).then_some(top);
    let stops = path.key("stopSequences");
    for (index, node) in config.children("stopSequences", path)?.into_iter().enumerate() {
        request.stop.push(node.text(stops.index(index))?.into_owned());
    }
    decode_format(config, path, request)?;
    if let Some(thinking) = config.child("thinkingConfig", path)? {
        request.reasoning = reasoning(&thinking, path.key("thinkingConfig"))?;
    }
    for (name, node) in config.iter().filter(|(_, node)| !node.is_null()) {
        let name = camel(name);
        if !KNOWN.contains(&name.as_ref()) {
            request.extras.fields.insert(format!("{PREFIX}{name}"), node.value(path.key(&name))?);
        }
    }
    Ok(())
}

/// The fields stay in `extras` too: for this dialect they go back as they came.
fn decode_format(config: &Fields<'_>, path: Path<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    if config.text("responseMimeType", path)?.as_deref() != Some("application/json") {
        return Ok(());
    }
    let schema = match (config.get("responseJsonSchema", path)?, config.get("responseSchema", path)?) {
        (Some(node), _) => Some(node.value(path.key("responseJsonSchema"))?),
        (None, Some(node)) => Some(to_json_schema(node.value(path.key("responseSchema"))?)),
        (None, None) => None,
    };
    request.response_format = Some(match schema {
        Some(schema) => {
            let strict = fits_openai(&schema).then_some(true);
            ResponseFormat::JsonSchema { name: None, description: None, schema, strict }
        }
        None => ResponseFormat::JsonObject,
    });
    Ok(())
}

fn reasoning(thinking: &Fields<'_>, path: Path<'_>) -> Result<Option<Reasoning>, WireError> {
    if let Some(level) = thinking.text("thinkingLevel", path)? {
        let effort = match level.to_lowercase().as_str() {
            "minimal" => Some(Effort::Minimal),
            "low" => Some(Effort::Low),
            "medium" => Some(Effort::Medium),
            "high" => Some(Effort::High),
            _ => None,
        };
        return Ok(effort.map(Reasoning::Effort));
    }
    const EXPECTED: &str = "a number of tokens, 0 for none, -1 for as many as the model likes";
    let Some(node) = thinking.get("thinkingBudget", path)? else {
        return Ok(thinking.flag("includeThoughts", path)?.filter(|shown| *shown).map(|_| Reasoning::Adaptive(None)));
    };
    match node.read::<i64>() {
        Some(0) => Ok(Some(Reasoning::Off)),
        Some(budget) if budget > 0 => Ok(Some(Reasoning::Budget(budget.unsigned_abs()))),
        Some(-1) => Ok(Some(Reasoning::Adaptive(None))),
        _ => Err(path.key("thinkingBudget").invalid(EXPECTED, node.kind())),
    }
}

pub(super) fn encode(w: &mut Writer, request: &ChatRequest) {
    let ours = request.extras.dialect == DIALECT;
    let config = Writer::write(|w| {
        w.field_if("maxOutputTokens", request.max_tokens);
        w.field_if("temperature", request.temperature.as_ref());
        w.field_if("topP", request.top_p.as_ref());
        w.field_if("topK", request.top_k);
        w.field_if("seed", request.seed.as_ref());
        // Models that know no penalties refuse a zero too.
        let counts = |penalty: &&serde_json::Number| ours || penalty.as_f64() != Some(0.0);
        w.field_if("presencePenalty", request.presence_penalty.as_ref().filter(counts));
        w.field_if("frequencyPenalty", request.frequency_penalty.as_ref().filter(counts));
        w.field_if("candidateCount", request.answers.filter(|answers| ours || *answers != 1));
        if let Some(top) = request.logprobs {
            w.field("responseLogprobs", &true);
            w.field_if("logprobs", (top > 0).then_some(top));
        }
        if !request.stop.is_empty() {
            w.field("stopSequences", &request.stop);
        }
        if ours {
            let fields = request.extras.fields.iter();
            fields.filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, value))).for_each(|(name, value)| {
                w.field(name, value);
            });
        } else {
            encode_format(w, request.response_format.as_ref());
            encode_thinking(w, request);
        }
    });
    if config != b"{}" {
        w.raw_field("generationConfig", &config);
    }
}

fn encode_format(w: &mut Writer, format: Option<&ResponseFormat>) {
    let Some(format) = format else { return };
    w.field("responseMimeType", "application/json");
    if let ResponseFormat::JsonSchema { schema, .. } = format
        && !schema.is_null()
    {
        w.field("responseJsonSchema", schema);
    }
}

fn encode_thinking(w: &mut Writer, request: &ChatRequest) {
    let budget = match request.reasoning {
        None => return,
        Some(Reasoning::Off) => return w.object_field("thinkingConfig", |w| w.field("thinkingBudget", &0)),
        Some(Reasoning::Budget(tokens)) => Some(tokens),
        // The budget and not the level, which only newer models know.
        Some(Reasoning::Effort(effort) | Reasoning::Adaptive(Some(effort))) => {
            let most = request.max_tokens.map_or(MOST_BUDGET, |limit| (limit / 2).min(MOST_BUDGET));
            Some(effort.budget().min(most))
        }
        Some(Reasoning::Adaptive(None)) => None,
    };
    w.object_field("thinkingConfig", |w| {
        w.field_if("thinkingBudget", budget);
        w.field("includeThoughts", &true);
    });
}

/// Whether another dialect can leave a field of this one out without changing what the caller gets.
pub(crate) fn harmless_field(name: &str, value: &Value) -> Result<(), &'static str> {
    let harmless = match name.strip_prefix(PREFIX).unwrap_or(name) {
        // Said by the canonical request already, or by nothing that others need.
        "thinkingConfig" | "responseSchema" | "responseJsonSchema" | "store" => true,
        "responseMimeType" => value == "application/json" || value == "text/plain",
        "responseModalities" => {
            value.as_array().is_some_and(|all| all.iter().all(|one| one == "TEXT" || one == "text"))
        }
        "safetySettings" => value.as_array().is_some_and(|all| all.iter().all(threshold_is_off)),
        "serviceTier" => value == "standard" || value == "unspecified",
        _ => is_empty(value) || *value == false,
    };
    if harmless {
        return Ok(());
    }
    Err(match name {
        "cachedContent" => "what one provider has cached is unknown to another; send the contents themselves",
        "safetySettings" => "only Gemini has these filters; switch them off with `BLOCK_NONE`, or leave them out",
        "toolConfig" => {
            "of `toolConfig`, only the modes AUTO, NONE and ANY with at most one allowed name can be said there"
        }
        "generationConfig.responseMimeType" => "only `text/plain` and `application/json` can be said there",
        "generationConfig.responseModalities" | "generationConfig.speechConfig" | "generationConfig.imageConfig" => {
            "it answers with text only"
        }
        _ => "it has no counterpart there; leave it out, or call a model whose provider speaks gemini",
    })
}

fn threshold_is_off(setting: &Value) -> bool {
    let threshold = setting.get("threshold").and_then(Value::as_str).unwrap_or_default();
    matches!(threshold, "" | "BLOCK_NONE" | "OFF" | "HARM_BLOCK_THRESHOLD_UNSPECIFIED")
}

/// What stands in `extras` beside the generation's own.
pub(super) fn others(fields: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    fields.iter().filter(|(name, _)| !name.starts_with(PREFIX))
}

/// The node as it came, under its name in camelCase.
pub(super) fn keep(request: &mut ChatRequest, name: &str, node: Node<'_>) -> Result<(), WireError> {
    request.extras.fields.insert(name.to_owned(), node.value(Path::Root.key(name))?);
    Ok(())
}
