//! One folder per dialect, same rooms in each.

pub(crate) mod anthropic_messages;
pub(crate) mod bedrock_converse;
pub(crate) mod cohere_v2;
pub(crate) mod gemini;
pub(crate) mod openai_chat;
pub(crate) mod openai_completions;
pub(crate) mod openai_responses;

use serde_json::Value;

use crate::registry::Dialect;

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
