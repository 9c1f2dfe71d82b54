//! Every dialect. Sorted by name; the order is the order in the docs.

use serde::{Deserialize, Serialize};

use crate::codec::Codec;
use crate::dialects::{
    anthropic_messages::AnthropicMessages, bedrock_converse::BedrockConverse, cohere_v2::CohereV2, gemini::Gemini,
    openai_chat::OpenaiChat, openai_completions::OpenaiCompletions, openai_responses::OpenaiResponses,
};

/// Every codec.
pub static ALL: &[&dyn Codec] =
    &[&AnthropicMessages, &BedrockConverse, &CohereV2, &Gemini, &OpenaiChat, &OpenaiCompletions, &OpenaiResponses];

/// A wire format for chat calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Anthropic's Messages API (`POST /v1/messages`).
    AnthropicMessages,
    /// Amazon Bedrock's Converse API (`POST /model/{model}/converse`).
    BedrockConverse,
    /// Cohere's Chat API, version 2 (`POST /v2/chat`).
    CohereV2,
    /// Google's Gemini API (`POST /v1beta/models/{model}:generateContent`).
    Gemini,
    /// OpenAI's Chat Completions API (`POST /v1/chat/completions`) and what imitates it.
    OpenaiChat,
    /// OpenAI's Completions API, the oldest (`POST /v1/completions`).
    OpenaiCompletions,
    /// OpenAI's Responses API (`POST /v1/responses`).
    OpenaiResponses,
}

impl Dialect {
    /// The name in configuration and documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AnthropicMessages => "anthropic_messages",
            Self::BedrockConverse => "bedrock_converse",
            Self::CohereV2 => "cohere_v2",
            Self::Gemini => "gemini",
            Self::OpenaiChat => "openai_chat",
            Self::OpenaiCompletions => "openai_completions",
            Self::OpenaiResponses => "openai_responses",
        }
    }

    /// The dialect of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        ALL.iter().map(|codec| codec.dialect()).find(|dialect| dialect.as_str() == name)
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The codec of a dialect.
#[must_use]
pub fn codec(dialect: Dialect) -> &'static dyn Codec {
    match dialect {
        Dialect::AnthropicMessages => &AnthropicMessages,
        Dialect::BedrockConverse => &BedrockConverse,
        Dialect::CohereV2 => &CohereV2,
        Dialect::Gemini => &Gemini,
        Dialect::OpenaiChat => &OpenaiChat,
        Dialect::OpenaiCompletions => &OpenaiCompletions,
        Dialect::OpenaiResponses => &OpenaiResponses,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_complete_and_found_by_name() {
        assert!(ALL.iter().map(|codec| codec.dialect().as_str()).is_sorted());
        for one in ALL {
            assert_eq!(codec(one.dialect()).dialect(), one.dialect());
            assert_eq!(Dialect::find(one.dialect().as_str()), Some(one.dialect()));
        }
        assert_eq!(Dialect::find("gopher"), None);
    }
}
