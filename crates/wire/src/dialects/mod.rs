//! One folder per dialect, same rooms in each.

pub(crate) mod anthropic_messages;
pub(crate) mod bedrock_converse;
pub(crate) mod cohere_v2;
pub(crate) mod gemini;
pub(crate) mod openai_chat;
pub(crate) mod openai_completions;
pub(crate) mod openai_responses;

use serde_json::Value;

use crate::canonical::{ChatRequest, Extras};
use crate::error::WireError;
use crate::registry::Dialect;
use crate::search;
use crate::write::Writer;

/// Whether a field of one dialect can be left out by another without changing what the caller gets; `Err` is a hint.
pub(crate) fn harmless_field(of: Dialect, name: &str, value: &Value) -> Result<(), &'static str> {
    match of {
        Dialect::AnthropicMessages => openai_chat::harmless_anthropic_field(name, value),
        Dialect::BedrockConverse => bedrock_converse::harmless_field(name, value),
        Dialect::CohereV2 => cohere_v2::harmless_field(name, value),
        Dialect::Gemini => gemini::harmless_field(name, value),
        Dialect::OpenaiChat => anthropic_messages::harmless_openai_field(name, value),
        Dialect::OpenaiCompletions => openai_completions::harmless_field(name, value),
        Dialect::OpenaiResponses => openai_responses::harmless_field(name, value),
    }
}

/// Writes the fields that only one dialect knows, if it is that of `target`; but for those in `written`, which stand in
/// the body already. Of another one they must be such as can be left out.
pub(crate) fn encode_extras(
    w: &mut Writer,
    request: &ChatRequest,
    target: Dialect,
    written: &[&str],
) -> Result<(), WireError> {
    let Extras { dialect, fields } = &request.extras;
    for (name, value) in fields {
        if search::is_said_by_tool(*dialect, target, name) {
            continue;
        }
        if *dialect != target {
            harmless_field(*dialect, name, value).map_err(|hint| target.lacks(name, hint))?;
        } else if !written.contains(&name.as_str()) {
            w.field(name, value);
        }
    }
    Ok(())
}

/// A list or an object that holds nothing.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}
