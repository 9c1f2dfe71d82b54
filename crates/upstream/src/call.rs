//! One call to a provider and its reply.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::UpstreamBody;

/// What is asked of a provider; each has its path in the provider's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A chat completion, or a message in Anthropic's words.
    Chat,
    /// Embeddings.
    Embeddings,
    /// Embeddings of many texts, where the dialect has a request of its own for that (Gemini).
    EmbeddingsBatch,
    /// How many tokens a request has.
    CountTokens,
}

impl Operation {
    /// The word for messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embeddings | Self::EmbeddingsBatch => "embeddings",
            Self::CountTokens => "count_tokens",
        }
    }
}

/// A request as it goes out, already in the provider's dialect and naming the provider's model.
#[derive(Debug, Clone)]
pub struct UpstreamCall {
    /// What is asked.
    pub operation: Operation,
    /// The JSON body.
    pub body: Bytes,
    /// The body asks for a stream; only says what we accept.
    pub stream: bool,
    /// Headers to pass on, already filtered (`anthropic-beta`, `traceparent`, …). Credentials, host and content type
    /// are set here and win over these.
    pub headers: HeaderMap,
    /// The caller's query string, to be passed on (`beta=true`, `api-version=…`). What the base URL says itself wins.
    pub query: Option<String>,
}

/// What a provider answered: the head, and a body that is still arriving.
#[derive(Debug)]
pub struct UpstreamReply {
    /// Any status, also 4xx and 5xx: a provider that answers has not failed to be reached.
    pub status: StatusCode,
    /// The provider's headers without the hop-by-hop ones.
    pub headers: HeaderMap,
    /// The body. Read it to its end and the connection is used again; drop it and the call is cancelled.
    pub body: UpstreamBody,
}
