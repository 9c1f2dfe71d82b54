//! Anthropic's Messages API.

mod citations;
mod cloud;
mod error;
mod parts;
mod request;
mod response;
mod stream;
mod stream_encode;
mod texts;
mod thinking;

#[cfg(test)]
mod tests;

pub use cloud::anthropic_in_cloud;
pub(crate) use parts::{INVALID_ARGUMENTS, media_part, named, tool_id};
pub(crate) use request::harmless_openai_field;
pub(crate) use thinking::{adaptive, decides_sampling, effort};

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
pub(crate) struct AnthropicMessages;

const DIALECT: Dialect = Dialect::AnthropicMessages;

impl Codec for AnthropicMessages {
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

    fn text_event(&self, _: &SseEvent, channel: Channel, text: &str) -> Bytes {
        texts::text_event(channel, text)
    }

    fn encode_error(&self, error: &ErrorBody) -> Bytes {
        error::encode(error).into()
    }

    fn encode_stream_error(&self, error: &ErrorBody) -> Bytes {
        crate::sse::write(Some("error"), &error::encode(error))
    }
}
