//! What the API has no field for, but a model may: `additionalModelRequestFields`. And the fields that only this
//! dialect knows.

use serde_json::{Map, Value, json};

use super::DIALECT;
use crate::canonical::{ChatRequest, Effort, Reasoning};
use crate::dialects::anthropic_messages::{adaptive, effort as thinking_effort};
use crate::dialects::{harmless_field as harmless_elsewhere, is_empty};
use crate::error::WireError;
use crate::registry::Dialect;
use crate::write::Writer;

const ADDITIONAL: &str = "additionalModelRequestFields";

/// Fields of the API that callers of other dialects may send too, in their SDKs' `extra_body`.
const OURS: &[&str] = &[
    ADDITIONAL,
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "performanceConfig",
    "promptVariables",
    "serviceTier",
];

/// The least that Claude takes as a thinking budget.
const LEAST_BUDGET: u64 = 1_024;

/// Whose model it is, for what only their models know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vendor {
    Anthropic,
    Amazon,
    Openai,
    Other,
}

/// Ids look like `anthropic.claude-…`, `eu.anthropic.claude-…`, or an ARN that ends so.
pub(super) fn vendor(model: &str) -> Vendor {
    let of = |name: &str| model.split(['.', '/', ':']).any(|piece| piece == name);
    match () {
        () if of("anthropic") => Vendor::Anthropic,
        () if of("amazon") => Vendor::Amazon,
        () if of("openai") => Vendor::Openai,
        () => Vendor::Other,
    }
}

/// What other dialects have words for. The object itself stays in `extras`.
pub(super) fn decode(request: &mut ChatRequest) {
    let Some(Value::Object(fields)) = request.extras.fields.get(ADDITIONAL) else { return };
    request.top_k = fields.get("top_k").and_then(Value::as_u64);
    let word = fields.get("reasoning_effort").and_then(Value::as_str);
    let thinking = fields.get("thinking").or_else(|| fields.get("reasoning_config"));
    let kind = thinking.and_then(|thinking| thinking.get("type")).and_then(Value::as_str);
    let budget = thinking.and_then(|thinking| thinking.get("budget_tokens")).and_then(Value::as_u64);
    request.reasoning = match (kind, budget) {
        (Some("enabled"), Some(budget)) => Some(Reasoning::Budget(budget)),
        (Some("adaptive"), _) => Some(Reasoning::Adaptive(None)),
        (Some("disabled"), _) => Some(Reasoning::Off),
        _ => word.and_then(Reasoning::of_openai_word),
    };
}

pub(super) fn encode(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    let mut additional = match request.extras.fields.get(ADDITIONAL) {
        None => Map::new(),
        Some(Value::Object(fields)) => fields.clone(),
        Some(_) => return Err(DIALECT.lacks(ADDITIONAL, "write an object")),
    };
    let claude = vendor(&request.model) == Vendor::Anthropic;
    for (name, value) in &request.extras.fields {
        if name == ADDITIONAL {
            continue;
        }
        if request.extras.dialect == DIALECT || OURS.contains(&name.as_str()) {
            w.field(name, value);
            continue;
        }
        if let Err(hint) = harmless_elsewhere(request.extras.dialect, name, value) {
            // Claude has the same fields here as at home.
            if !claude || request.extras.dialect != Dialect::AnthropicMessages {
                return Err(DIALECT.lacks(name, hint));
            }
            additional.entry(name.as_str()).or_insert_with(|| value.clone());
        }
    }
    // Its own caller has said all of it already.
    if request.extras.dialect != DIALECT {
        add_thinking(request, &mut additional)?;
        if let Some(top_k) = request.top_k {
            match vendor(&request.model) {
                Vendor::Amazon => additional.entry("inferenceConfig").or_insert(json!({ "topK": top_k })),
                _ => additional.entry("top_k").or_insert(json!(top_k)),
            };
        }
    }
    if !additional.is_empty() {
        w.field(ADDITIONAL, &additional);
    }
    Ok(())
}

fn add_thinking(request: &ChatRequest, fields: &mut Map<String, Value>) -> Result<(), WireError> {
    let Some(reasoning) = request.reasoning else { return Ok(()) };
    let mut add = |name: &str, value: Value| {
        fields.entry(name).or_insert(value);
    };
    // What Anthropic's callers say stands as it is.
    let decides = adaptive(&request.model).filter(|_| request.extras.dialect != Dialect::AnthropicMessages);
    match (vendor(&request.model), reasoning) {
        (Vendor::Anthropic, Reasoning::Off) if decides.is_some_and(|model| model.thinks_unasked) => {
            add("thinking", json!({ "type": "disabled" }));
        }
        // Off is how all of them begin; and some models decide by themselves anyway.
        (_, Reasoning::Off) | (Vendor::Openai | Vendor::Amazon | Vendor::Other, Reasoning::Adaptive(None)) => {}
        (Vendor::Anthropic, reasoning) if decides.is_some() => {
            add("thinking", json!({ "type": "adaptive", "display": "summarized" }));
            if let Some(effort) = thinking_effort(reasoning) {
                add("output_config", json!({ "effort": word(effort, "max") }));
            }
        }
        (Vendor::Anthropic, Reasoning::Adaptive(effort)) => {
            add("thinking", json!({ "type": "adaptive" }));
            if let Some(effort) = effort {
                add("output_config", json!({ "effort": word(effort, "max") }));
            }
        }
        (Vendor::Anthropic, Reasoning::Budget(tokens)) => add("thinking", enabled(tokens)),
        (Vendor::Anthropic, Reasoning::Effort(effort)) => match request.max_tokens {
            None => add("thinking", enabled(effort.budget())),
            // The answer must fit into the limit too.
            Some(limit) if limit > LEAST_BUDGET => {
                add("thinking", enabled(effort.budget().min((limit / 2).max(LEAST_BUDGET))));
            }
            Some(_) => {
                let hint = "thinking takes at least 1024 tokens of the limit of output tokens; raise it";
                return Err(DIALECT.lacks(request.reasoning_name(), hint));
            }
        },
        (Vendor::Openai, reasoning) => add("reasoning_effort", json!(word(effort_of(reasoning), "high"))),
        (Vendor::Amazon, reasoning) => {
            let effort = word(effort_of(reasoning), "high");
            add("reasoningConfig", json!({ "type": "enabled", "maxReasoningEffort": effort }));
        }
        (Vendor::Other, _) => {
            let hint = "how this model is told to think isn't known; say it in `additionalModelRequestFields`, or \
                        leave it out";
            return Err(DIALECT.lacks(request.reasoning_name(), hint));
        }
    }
    Ok(())
}

fn enabled(budget: u64) -> Value {
    json!({ "type": "enabled", "budget_tokens": budget })
}

fn effort_of(reasoning: Reasoning) -> Effort {
    match reasoning {
        Reasoning::Effort(effort) | Reasoning::Adaptive(Some(effort)) => effort,
        Reasoning::Budget(tokens) => Effort::of_budget(tokens),
        Reasoning::Off | Reasoning::Adaptive(None) => Effort::Low,
    }
}

fn word(effort: Effort, most: &'static str) -> &'static str {
    match effort {
        Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::Max => most,
    }
}

/// Whether another dialect can leave a field of this one out without changing what the caller gets.
pub(crate) fn harmless_field(name: &str, value: &Value) -> Result<(), &'static str> {
    // Said by the canonical request already.
    const SAID: &[&str] = &["thinking", "reasoning_config", "reasoningConfig", "reasoning_effort", "top_k"];
    let harmless = match name {
        // How it is served unless told otherwise.
        "performanceConfig" => value.get("latency").is_none_or(|latency| latency == "standard"),
        "serviceTier" => value.get("type").is_none_or(|tier| tier == "default"),
        ADDITIONAL => value.as_object().is_some_and(|fields| fields.keys().all(|name| SAID.contains(&name.as_str()))),
        _ => is_empty(value),
    };
    if harmless {
        return Ok(());
    }
    Err(match name {
        ADDITIONAL => "what only one vendor's models know can't be said there; leave it out",
        "guardrailConfig" => "only Bedrock has these guardrails; leave it out, or use a policy of the gateway",
        "performanceConfig" | "serviceTier" => "how an answer is served is a provider's own; leave it out",
        "promptVariables" => "a prompt that one provider keeps is unknown to another; send its text in `messages`",
        _ => "it has no counterpart there; leave it out, or call a model whose provider speaks bedrock_converse",
    })
}
