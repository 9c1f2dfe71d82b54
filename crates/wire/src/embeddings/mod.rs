//! Embeddings in the dialects that have them: the little that stages need to read of a request, and its translation.

mod openai;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use signalbox_types::Usage;

pub use openai::{answer_model, peek, texts, usage};

use crate::codec::{Peek, TextSlot};
use crate::dialects::gemini;
use crate::error::WireError;
use crate::registry::Dialect;

/// A request in no particular dialect.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EmbeddingsRequest {
    /// The model as the caller wrote it; empty where it stands in the path.
    pub model: String,
    /// The texts.
    pub inputs: Vec<String>,
    /// How long the vectors shall be.
    pub dimensions: Option<u64>,
    /// The caller sent a list and expects one.
    pub batch: bool,
    /// The caller wants each vector as Base64 of single floats (OpenAI `encoding_format`).
    pub base64: bool,
    /// The first field that only the caller's dialect knows, and what to do about it.
    unsaid: Option<(String, &'static str)>,
}

/// An answer in no particular dialect.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Embeddings {
    /// The model that answered.
    pub model: Option<String>,
    /// One for each text, in order.
    pub vectors: Vec<Vec<f64>>,
    /// What was used.
    pub usage: Usage,
}

impl EmbeddingsRequest {
    /// Notes a field that no other dialect knows.
    pub(crate) fn refuse(&mut self, field: String, hint: &'static str) {
        self.unsaid.get_or_insert((field, hint));
    }
}

/// The facts that stages need of a Gemini request; the model stands in the path.
///
/// # Errors
/// As [`crate::Codec::peek`].
pub fn gemini_peek(body: &[u8]) -> Result<Peek, WireError> {
    gemini::embeddings::peek(body)
}

/// The texts of a Gemini request.
///
/// # Errors
/// As [`crate::Codec::texts`].
pub fn gemini_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    gemini::embeddings::texts(body)
}

/// Whether a dialect has embeddings.
#[must_use]
pub fn has(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::OpenaiChat | Dialect::Gemini)
}

/// Reads a request.
///
/// # Errors
/// The body is not a request of the dialect, or the dialect has none.
pub fn decode_request(dialect: Dialect, body: &[u8]) -> Result<EmbeddingsRequest, WireError> {
    match dialect {
        Dialect::Gemini => gemini::embeddings::decode_request(body),
        Dialect::OpenaiChat => openai::decode_request(body),
        Dialect::AnthropicMessages
        | Dialect::BedrockConverse
        | Dialect::CohereV2
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiResponses => Err(none(dialect)),
    }
}

/// Writes a request; Gemini's is always the one for many texts.
///
/// # Errors
/// [`WireError::Unsupported`] if the dialect can't say it.
pub fn encode_request(dialect: Dialect, request: &EmbeddingsRequest) -> Result<Bytes, WireError> {
    if let Some((field, hint)) = &request.unsaid {
        return Err(unsupported(dialect, field, hint));
    }
    match dialect {
        Dialect::Gemini => Ok(gemini::embeddings::encode_request(request)),
        Dialect::OpenaiChat => Ok(openai::encode_request(request)),
        Dialect::AnthropicMessages
        | Dialect::BedrockConverse
        | Dialect::CohereV2
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiResponses => Err(none(dialect)),
    }
}

/// Reads an answer.
///
/// # Errors
/// The body is not an answer of the dialect, or the dialect has none.
pub fn decode(dialect: Dialect, body: &[u8]) -> Result<Embeddings, WireError> {
    match dialect {
        Dialect::Gemini => gemini::embeddings::decode(body),
        Dialect::OpenaiChat => openai::decode(body),
        Dialect::AnthropicMessages
        | Dialect::BedrockConverse
        | Dialect::CohereV2
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiResponses => Err(none(dialect)),
    }
}

/// What an answer says was used; unknown if it says nothing.
#[must_use]
pub fn usage_of(dialect: Dialect, body: &[u8]) -> Usage {
    match dialect {
        Dialect::Gemini => gemini::embeddings::usage(body),
        Dialect::OpenaiChat => usage(body),
        Dialect::AnthropicMessages
        | Dialect::BedrockConverse
        | Dialect::CohereV2
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiResponses => Usage::default(),
    }
}

/// Writes an answer as it was asked for.
///
/// # Errors
/// The dialect has none.
pub fn encode(dialect: Dialect, answer: &Embeddings, asked: &EmbeddingsRequest) -> Result<Bytes, WireError> {
    match dialect {
        Dialect::Gemini => Ok(gemini::embeddings::encode(answer, asked)),
        Dialect::OpenaiChat => Ok(openai::encode(answer, asked)),
        Dialect::AnthropicMessages
        | Dialect::BedrockConverse
        | Dialect::CohereV2
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiResponses => Err(none(dialect)),
    }
}

fn none(dialect: Dialect) -> WireError {
    unsupported(dialect, "input", "it has no embeddings; choose a model of another provider")
}

fn unsupported(dialect: Dialect, field: &str, hint: &str) -> WireError {
    WireError::Unsupported { field: field.to_owned(), dialect, hint: hint.to_owned() }
}
