//! The seam between a dialect and the rest of the house.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use serde_json::{Map, Value};
use signalbox_types::Role;

use crate::canonical::{ChatRequest, ChatResponse, StreamEvent};
use crate::error::{ErrorBody, WireError};
use crate::event_stream::Framing;
use crate::registry::Dialect;
use crate::rewrite::{Channel, Deltas};
use crate::splice::splice;
use crate::sse::SseEvent;

/// The few facts of a request that stages need, read without building a tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Peek {
    /// The model as the caller wrote it.
    pub model: String,
    /// Where its JSON string literal stands, quotes included, so that it can be replaced in place.
    pub model_range: Range<usize>,
    /// The answer shall come as a stream.
    pub stream: bool,
    /// The caller wants usage in the stream (OpenAI `stream_options.include_usage`; Anthropic always sends it).
    pub wants_stream_usage: bool,
    /// The caller's user (`user`, `safety_identifier` or `metadata.user_id`).
    pub user: Option<String>,
    /// The caller's `metadata` object.
    pub metadata: Map<String, Value>,
    /// The limit of output tokens.
    pub max_tokens: Option<u64>,
}

/// One text that a scanner may look at, with the place of its JSON string literal in the body
/// (quotes included), so that it can be replaced in place with [`TextSlot::edit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSlot<'a> {
    /// Who says it.
    pub role: Role,
    /// The text, escapes resolved.
    pub text: Cow<'a, str>,
    /// The literal's bytes in the body.
    pub range: Range<usize>,
    /// It is thinking under the provider's signature: with any other text the provider refuses it.
    pub signed: bool,
    /// It is a participant's `name`: providers refuse anything but letters, digits, `_` and `-` in it.
    pub is_name: bool,
    /// It stands there as it is, and not as a JSON string.
    pub is_bare: bool,
}

impl TextSlot<'_> {
    /// The edit for [`splice`] that puts `text` in this place; in a name what can't stand there becomes `_`.
    #[must_use]
    pub fn edit(&self, text: &str) -> (Range<usize>, Vec<u8>) {
        let literal = if self.is_bare {
            text.to_owned()
        } else if self.is_name {
            let allowed = |char: char| if char.is_ascii_alphanumeric() || char == '-' { char } else { '_' };
            crate::json::literal(text.chars().map(allowed).collect::<String>().trim_matches('_'))
        } else {
            crate::json::literal(text)
        };
        (self.range.clone(), literal.into_bytes())
    }
}

/// What must be known of a call to write its answer: for a stream before the first event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamStart {
    /// The id to give the answer where the provider gave none.
    pub id: String,
    /// The model to name where the provider named none.
    pub model: String,
    /// When the answer began, in Unix seconds.
    pub created: i64,
    /// The caller asked for usage in the stream.
    pub include_usage: bool,
}

/// Reads one provider stream. Fed with every event in order.
pub trait StreamDecoder: Send {
    /// What this event says.
    ///
    /// # Errors
    /// The event is not of the dialect.
    fn event(&mut self, event: &SseEvent) -> Result<Vec<StreamEvent>, WireError>;

    /// To be called after the last byte.
    ///
    /// # Errors
    /// [`WireError::Truncated`] if the stream's proper end was never seen.
    fn finish(&mut self) -> Result<Vec<StreamEvent>, WireError>;
}

/// Writes one stream to a caller. Fed with what a decoder gave, in order.
pub trait StreamEncoder: Send {
    /// Appends the SSE bytes that say this; perhaps none yet.
    fn event(&mut self, event: &StreamEvent, out: &mut BytesMut);

    /// How many milliseconds the call took, for dialects that tell it: to be said before the end.
    fn took(&mut self, _: u64) {}

    /// Closes the stream properly. Does nothing if it is closed, or ended with an error. Not to be
    /// called for a stream that broke off: write [`Codec::encode_stream_error`] then.
    fn finish(&mut self, out: &mut BytesMut);
}

impl fmt::Debug for dyn StreamDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamDecoder")
    }
}

impl fmt::Debug for dyn StreamEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamEncoder")
    }
}

/// A dialect's pair of codecs. Decoders never panic, whatever the bytes; what the target can't
/// express is an error, never dropped in silence (README.md lists the hints that may be).
pub trait Codec: Send + Sync {
    /// Which dialect this speaks.
    fn dialect(&self) -> Dialect;

    /// How its streams are cut into events.
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    /// The facts that stages need. Looks at top-level fields only.
    ///
    /// # Errors
    /// No JSON object, a missing model, a field of a wrong type: named, with what was expected.
    fn peek(&self, body: &[u8]) -> Result<Peek, WireError>;

    /// Every text of a request: system, messages and their names, tool results, tool-call arguments, what definitions of
    /// tools and of their arguments say, the caller's user and metadata; in the order of the body.
    ///
    /// # Errors
    /// As [`Codec::peek`], for everything on the way to the texts. Unknown fields and kinds of parts are fine.
    fn texts<'a>(&self, body: &'a [u8]) -> Result<Vec<TextSlot<'a>>, WireError>;

    /// Every text of an answer: content, refusals, reasoning, tool-call arguments.
    ///
    /// # Errors
    /// As [`Codec::texts`].
    fn response_texts<'a>(&self, body: &'a [u8]) -> Result<Vec<TextSlot<'a>>, WireError>;

    /// The streaming request with usage asked for, or `None` if nothing needs to be changed: in most dialects every
    /// stream tells its usage.
    fn ask_for_usage(&self, _: &Bytes) -> Option<Bytes> {
        None
    }

    /// Reads a request.
    ///
    /// # Errors
    /// The body is not a request of the dialect.
    fn decode_request(&self, body: &[u8]) -> Result<ChatRequest, WireError>;

    /// Writes a request.
    ///
    /// # Errors
    /// [`WireError::Unsupported`] if the dialect can't say it.
    fn encode_request(&self, request: &ChatRequest) -> Result<Bytes, WireError>;

    /// Reads an answer.
    ///
    /// # Errors
    /// The body is not an answer of the dialect.
    fn decode_response(&self, body: &[u8]) -> Result<ChatResponse, WireError>;

    /// Writes an answer.
    ///
    /// # Errors
    /// [`WireError::Unsupported`] if the dialect can't say it.
    fn encode_response(&self, response: &ChatResponse) -> Result<Bytes, WireError>;

    /// Writes the answer to a call: what the provider didn't say of id, model and time as `start` has it. The answer
    /// itself stays as the provider gave it.
    ///
    /// # Errors
    /// As [`Codec::encode_response`].
    fn encode_answer(&self, response: &mut ChatResponse, start: &StreamStart) -> Result<Bytes, WireError> {
        let said = (response.id.clone(), response.model.clone());
        response.id.get_or_insert_with(|| start.id.clone());
        response.model.get_or_insert_with(|| start.model.clone());
        response.created.get_or_insert(start.created);
        let encoded = self.encode_response(response);
        (response.id, response.model) = said;
        encoded
    }

    /// A decoder for one stream.
    fn decode_stream(&self) -> Box<dyn StreamDecoder>;

    /// An encoder for one stream.
    fn encode_stream(&self, start: &StreamStart) -> Box<dyn StreamEncoder>;

    /// The running texts in one event of a stream, with their places, and which of them end with it.
    /// Events that hold none, or are not understood, give nothing.
    fn deltas<'a>(&self, event: &'a SseEvent) -> Deltas<'a>;

    /// An event (SSE bytes) that adds `text` to a running text of the stream that `like` is of.
    fn text_event(&self, like: &SseEvent, channel: Channel, text: &str) -> Bytes;

    /// The same event with its answer text (not reasoning, not tool arguments) replaced; all else verbatim.
    /// [`crate::StreamRewriter`] does a whole stream.
    ///
    /// # Errors
    /// The event holds no answer text.
    fn rewrite_text(&self, event: &SseEvent, text: &str) -> Result<Bytes, WireError> {
        crate::rewrite::rewrite_text(&self.deltas(event), event, text)
    }

    /// The same request for another model; all else verbatim.
    ///
    /// # Errors
    /// As [`Codec::peek`].
    fn with_model(&self, body: &Bytes, model: &str) -> Result<Bytes, WireError> {
        let peek = self.peek(body)?;
        Ok(splice(body, &[(peek.model_range, crate::json::literal(model).into_bytes())]))
    }

    /// What a provider's error says. Never fails: garbage gives a short excerpt.
    fn decode_error(&self, status: u16, body: &[u8]) -> ErrorBody {
        crate::error::read(status, body)
    }

    /// An error as the dialect's SDKs expect it.
    fn encode_error(&self, error: &ErrorBody) -> Bytes;

    /// A header that tells an error's kind, where SDKs look for one.
    fn error_header(&self, _: &ErrorBody) -> Option<(&'static str, &'static str)> {
        None
    }

    /// An error within a stream, as SSE bytes.
    fn encode_stream_error(&self, error: &ErrorBody) -> Bytes;
}

impl fmt::Debug for dyn Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.dialect().as_str())
    }
}
