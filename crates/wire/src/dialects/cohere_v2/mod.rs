//! Cohere's Chat API, version 2.

mod citations;
mod error;
mod messages;
mod request;
mod response;
mod stream;
mod stream_encode;
mod texts;

#[cfg(test)]
mod tests;

pub(crate) use request::harmless_field;

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
pub(crate) struct CohereV2;

const DIALECT: Dialect = Dialect::CohereV2;

impl Codec for CohereV2 {
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

    fn decode_error(&self, status: u16, body: &[u8]) -> ErrorBody {
        error::decode(status, body)
    }

    fn encode_error(&self, error: &ErrorBody) -> Bytes {
        error::encode(error).into()
    }

    fn encode_stream_error(&self, error: &ErrorBody) -> Bytes {
        error::event(error)
    }
}
