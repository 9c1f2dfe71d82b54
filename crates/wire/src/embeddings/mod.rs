//! Embeddings in the forms that providers have for them: the little that stages need to read of a request, and its
//! translation.

mod cohere;
mod openai;
mod own;
mod purpose;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};
use signalbox_types::Usage;

pub use openai::{answer_model, peek, texts};
pub use own::{answered, ask};
pub use purpose::Purpose;

use crate::codec::{Peek, TextSlot};
use crate::dialects::gemini;
use crate::error::WireError;
use crate::registry::Dialect;

/// How a provider has embeddings, which its dialect of chats doesn't always tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `POST /v2/embed`.
    Cohere,
    /// `embedContent` and `batchEmbedContents`.
    Gemini,
    /// OpenAI's, with words of its own for what a vector is for and how it is written.
    Jina,
    /// `POST /v1/embeddings`.
    Openai,
    /// OpenAI's, with words of its own, as Jina's.
    Voyage,
}

impl Form {
    /// The dialect that this belongs to, for messages.
    fn dialect(self) -> Dialect {
        match self {
            Self::Cohere => Dialect::CohereV2,
            Self::Gemini => Dialect::Gemini,
            Self::Jina | Self::Openai | Self::Voyage => Dialect::OpenaiChat,
        }
    }
}

/// A request in no particular form.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EmbeddingsRequest {
    /// The model as the caller wrote it; empty where it stands in the path.
    pub model: String,
    /// The texts.
    pub inputs: Vec<String>,
    /// How long the vectors shall be.
    pub dimensions: Option<u64>,
    /// What the vectors are for.
    pub purpose: Option<Purpose>,
    /// Where the caller says so.
    pub(crate) purpose_field: String,
    /// The caller's API insists on a purpose, so that where there is no word for it it may be left out.
    pub(crate) purpose_is_duty: bool,
    /// The caller sent a list and expects one.
    pub batch: bool,
    /// The caller wants each vector as Base64 of single floats (OpenAI `encoding_format`).
    pub base64: bool,
    /// The caller wants them as numbers, too (Cohere `embedding_types`).
    pub floats: bool,
    /// Fields beyond OpenAI's, which those that imitate it may know.
    pub extras: Map<String, Value>,
    /// The first field that only the caller's form knows, and what to do about it.
    unsaid: Option<(String, &'static str)>,
}

/// An answer in no particular form.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Embeddings {
    /// The provider's id of it.
    pub id: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
    /// One for each text, in order.
    pub vectors: Vec<Vec<f64>>,
    /// What was used.
    pub usage: Usage,
}

impl EmbeddingsRequest {
    /// Notes a field that no other form knows.
    pub(crate) fn refuse(&mut self, field: String, hint: &'static str) {
        self.unsaid.get_or_insert((field, hint));
    }

    /// Nothing else was said of what the vectors are for: here every text may say it.
    pub(crate) fn says(&self, purpose: Purpose) -> bool {
        self.purpose.is_none_or(|said| said == purpose)
    }

    /// Fields beyond OpenAI's mean nothing, or something else, to who doesn't imitate it.
    fn refuse_extras(&self, target: Form) -> Result<(), WireError> {
        match self.extras.keys().next() {
            None => Ok(()),
            Some(field) => Err(unsupported(target, field, "it has no counterpart there; leave it out")),
        }
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

/// Reads a request.
///
/// # Errors
/// The body is not a request of the form.
pub fn decode_request(form: Form, body: &[u8]) -> Result<EmbeddingsRequest, WireError> {
    match form {
        Form::Cohere => cohere::decode_request(body),
        Form::Gemini => gemini::embeddings::decode_request(body),
        Form::Jina | Form::Openai | Form::Voyage => openai::decode_request(body),
    }
}

/// Writes a request; Gemini's is always the one for many texts.
///
/// # Errors
/// [`WireError::Unsupported`] if the form can't say it.
pub fn encode_request(form: Form, request: &EmbeddingsRequest) -> Result<Bytes, WireError> {
    if let Some((field, hint)) = &request.unsaid {
        return Err(unsupported(form, field, hint));
    }
    let word = request.purpose.and_then(|purpose| purpose.word(form));
    if request.purpose.is_some() && word.is_none() && !request.purpose_is_duty {
        let hint = "it has no word for what the vectors are for; leave it out";
        return Err(unsupported(form, &request.purpose_field, hint));
    }
    match form {
        Form::Cohere => cohere::encode_request(request, word),
        Form::Gemini => {
            request.refuse_extras(form)?;
            Ok(gemini::embeddings::encode_request(request, word))
        }
        Form::Jina | Form::Openai | Form::Voyage => Ok(openai::encode_request(request, form, word)),
    }
}

/// Reads an answer.
///
/// # Errors
/// The body is not an answer of the form.
pub fn decode(form: Form, body: &[u8]) -> Result<Embeddings, WireError> {
    match form {
        Form::Cohere => cohere::decode(body),
        Form::Gemini => gemini::embeddings::decode(body),
        Form::Jina | Form::Openai | Form::Voyage => openai::decode(body),
    }
}

/// What an answer says was used; unknown if it says nothing.
#[must_use]
pub fn usage_of(form: Form, body: &[u8]) -> Usage {
    match form {
        Form::Gemini => gemini::embeddings::usage(body),
        Form::Cohere | Form::Jina | Form::Openai | Form::Voyage => crate::along::usage(body),
    }
}

/// Writes an answer as it was asked for.
#[must_use]
pub fn encode(form: Form, answer: &Embeddings, asked: &EmbeddingsRequest) -> Bytes {
    match form {
        Form::Cohere => cohere::encode(answer, asked),
        Form::Gemini => gemini::embeddings::encode(answer, asked),
        Form::Jina | Form::Openai | Form::Voyage => openai::encode(answer, asked),
    }
}

/// A vector as Base64 of single floats.
fn base64_of(vector: &[f64]) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "the format is one of single floats")]
    let bytes: Vec<u8> = vector.iter().flat_map(|one| (*one as f32).to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

/// The vector that stands in Base64 of single floats.
fn of_base64(text: &str) -> Option<Vec<f64>> {
    let bytes = STANDARD.decode(text).ok()?;
    let (floats, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then(|| floats.iter().map(|one| f64::from(f32::from_le_bytes(*one))).collect())
}

fn unsupported(form: Form, field: &str, hint: &str) -> WireError {
    form.dialect().lacks(field, hint)
}
