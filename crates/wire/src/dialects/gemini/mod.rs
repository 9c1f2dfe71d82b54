//! Google's Gemini API: `generateContent` and `streamGenerateContent`.
//!
//! The model, and whether a stream is wanted, stand in the path and not in the body: `peek` and `decode_request` leave
//! them empty, for whoever knows the path to fill in. Names may be in camelCase or in snake_case, as in all JSON that
//! stands for protobuf messages; camelCase is written.

mod config;
pub(crate) mod embeddings;
mod error;
mod fields;
mod notes;
mod parts;
mod request;
mod response;
mod schema;
mod stream;
mod stream_encode;
mod texts;
mod turns;

#[cfg(test)]
mod tests;

pub(crate) use config::harmless_field;

use bytes::Bytes;

use crate::canonical::{ChatRequest, ChatResponse};
use crate::codec::{Codec, Peek, StreamDecoder, StreamEncoder, StreamStart, TextSlot};
use crate::error::{ErrorBody, WireError};
use crate::registry::Dialect;
use crate::rewrite::{Channel, Deltas};
use crate::search;
use crate::sse::SseEvent;

/// The codec.
#[derive(Debug)]
pub(crate) struct Gemini;

const DIALECT: Dialect = Dialect::Gemini;

impl Codec for Gemini {
    fn dialect(&self) -> Dialect {
        DIALECT
    }

    fn peek(&self, body: &[u8]) -> Result<Peek, WireError> {
        texts::peek(body)
    }

    fn texts<'a>(&self, body: &'a [u8]) -> Result<Vec<TextSlot<'a>>, WireError> {
        texts::request_texts(body)
    }

    fn response_texts<'a>(&self, body: &'a [u8]) -> Result<Vec<TextSlot<'a>>, WireError> {
        texts::response_texts(body)
    }

    fn decode_request(&self, body: &[u8]) -> Result<ChatRequest, WireError> {
        request::decode(body)
    }

    fn encode_request(&self, request: &ChatRequest) -> Result<Bytes, WireError> {
        request::encode(&search::in_request(request, DIALECT))
    }

    fn decode_response(&self, body: &[u8]) -> Result<ChatResponse, WireError> {
        response::decode(body)
    }

    fn encode_response(&self, response: &ChatResponse) -> Result<Bytes, WireError> {
        response::encode(&search::in_response(response, DIALECT))
    }

    fn decode_stream(&self) -> Box<dyn StreamDecoder> {
        Box::<stream::Decoder>::default()
    }

    fn encode_stream(&self, start: &StreamStart) -> Box<dyn StreamEncoder> {
        Box::new(search::Encoder::over(DIALECT, stream_encode::Encoder::new(start)))
    }

    fn deltas<'a>(&self, event: &'a SseEvent) -> Deltas<'a> {
        texts::deltas(event).unwrap_or_default()
    }

    fn text_event(&self, like: &SseEvent, channel: Channel, text: &str) -> Bytes {
        texts::text_event(like, channel, text)
    }

    fn with_model(&self, body: &Bytes, model: &str) -> Result<Bytes, WireError> {
        texts::with_model(body, model)
    }

    fn decode_error(&self, status: u16, body: &[u8]) -> ErrorBody {
        error::decode(status, body)
    }

    fn encode_error(&self, error: &ErrorBody) -> Bytes {
        error::encode(error).into()
    }

    fn encode_stream_error(&self, error: &ErrorBody) -> Bytes {
        crate::sse::write(None, &error::encode(error))
    }
}
