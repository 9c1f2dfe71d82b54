//! One call to a provider and its reply.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::{Upload, UpstreamBody};

/// What is asked of a provider; each has its path in the provider's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A chat completion, or a message in Anthropic's words.
    Chat,
    /// A response, where a provider has OpenAI's newer API beside its dialect; and what it keeps of them.
    Responses,
    /// A completion of a text: OpenAI's oldest API.
    Completions,
    /// Embeddings.
    Embeddings,
    /// Embeddings of many texts, where the dialect has a request of its own for that (Gemini).
    EmbeddingsBatch,
    /// How many tokens a request has.
    CountTokens,
    /// Whether a text is harmful.
    Moderations,
    /// Pictures of a text.
    Images,
    /// Speech of a text.
    Speech,
    /// The text of a speech.
    Transcriptions,
    /// What is given to a provider to keep: files.
    Files,
    /// Many requests at once, to be answered later.
    Batches,
    /// Which of several texts answer a question best, as Cohere has it.
    Rerank,
    /// Embeddings as Cohere has them.
    CohereEmbed,
    /// Whatever the provider has at a path: see [`UpstreamCall::below`].
    Through,
}

impl Operation {
    /// The word for messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat | Self::Responses => "chat",
            Self::Completions => "text_completion",
            Self::Embeddings | Self::EmbeddingsBatch | Self::CohereEmbed => "embeddings",
            Self::CountTokens => "count_tokens",
            Self::Moderations => "moderation",
            Self::Images => "image_generation",
            Self::Speech => "speech",
            Self::Transcriptions => "transcription",
            Self::Rerank => "rerank",
            Self::Files => "files",
            Self::Batches => "batches",
            Self::Through => "pass_through",
        }
    }
}

/// A request as it goes out, already in the provider's dialect and naming the provider's model.
#[derive(Debug)]
pub struct UpstreamCall {
    /// What is asked.
    pub operation: Operation,
    /// How.
    pub method: Method,
    /// What stands in the path behind the operation's own, beginning with `/` and escaped: one of its things.
    pub below: Option<String>,
    /// The body.
    pub body: Bytes,
    /// The body in its place, if it is still arriving.
    pub upload: Option<Upload>,
    /// What the body is, if it isn't JSON; then the answer needn't be either.
    pub content_type: Option<HeaderValue>,
    /// The body asks for a stream; only says what we accept.
    pub stream: bool,
    /// Headers to pass on, already filtered (`anthropic-beta`, `traceparent`, …). Credentials, host and content type
    /// are set here and win over these.
    pub headers: HeaderMap,
    /// The caller's query string, to be passed on (`beta=true`, `api-version=…`). What the base URL says itself wins.
    pub query: Option<String>,
}

impl UpstreamCall {
    /// A whole answer to a JSON body is wanted.
    #[must_use]
    pub fn new(operation: Operation, body: Bytes) -> Self {
        Self {
            operation,
            method: Method::POST,
            below: None,
            body,
            upload: None,
            content_type: None,
            stream: false,
            headers: HeaderMap::new(),
            query: None,
        }
    }
}

/// What a provider answered: the head, and a body that is still arriving.
#[derive(Debug)]
pub struct UpstreamReply {
    /// Any status, also 4xx and 5xx: a provider that answers has not failed to be reached.
    pub status: StatusCode,
    /// The provider's headers without the hop-by-hop ones.
    pub headers: HeaderMap,
    /// Which of the provider's credentials it was, where it has several.
    pub credential: Option<Arc<str>>,
    /// The body. Read it to its end and the connection is used again; drop it and the call is cancelled.
    pub body: UpstreamBody,
}
