//! Amazon Bedrock's Converse API: `converse` and `converse-stream`.
//!
//! The model, and whether a stream is wanted, stand in the path and not in the body: `peek` and `decode_request` leave
//! them empty, for whoever knows the path to fill in. Streams come in binary frames ([`crate::event_stream`]); here an
//! event is named by its frame's type, and its data is the frame's payload.

mod additional;
mod citations;
mod content;
mod error;
mod media;
mod request;
mod response;
mod stream;
mod stream_encode;
mod texts;
mod tools;
mod turns;

#[cfg(test)]
mod tests;

pub(crate) use additional::harmless_field;

use bytes::Bytes;

use crate::canonical::{ChatRequest, ChatResponse};
use crate::codec::{Codec, Peek, StreamDecoder, StreamEncoder, StreamStart, TextSlot};
use crate::error::{ErrorBody, WireError};
use crate::event_stream::Framing;
use crate::registry::Dialect;
use crate::rewrite::{Channel, Deltas};
use crate::search;
use crate::sse::SseEvent;

/// The codec.
#[derive(Debug)]
pub(crate) struct BedrockConverse;

const DIALECT: Dialect = Dialect::BedrockConverse;

impl Codec for BedrockConverse {
    fn dialect(&self) -> Dialect {
        DIALECT
    }

    fn framing(&self) -> Framing {
        Framing::AmazonEventStream
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

    fn encode_stream(&self, _: &StreamStart) -> Box<dyn StreamEncoder> {
        Box::new(search::Encoder::over(DIALECT, stream_encode::Encoder::default()))
    }

    fn deltas<'a>(&self, event: &'a SseEvent) -> Deltas<'a> {
        texts::deltas(event).unwrap_or_default()
    }

    fn text_event(&self, _: &SseEvent, channel: Channel, text: &str) -> Bytes {
        texts::text_event(channel, text)
    }

    fn with_model(&self, body: &Bytes, _: &str) -> Result<Bytes, WireError> {
        // The path names it.
        Ok(body.clone())
    }

    fn encode_error(&self, error: &ErrorBody) -> Bytes {
        error::encode(error).into()
    }

    fn error_header(&self, error: &ErrorBody) -> Option<(&'static str, &'static str)> {
        Some(("x-amzn-errortype", error::kind(error.class)))
    }

    fn encode_stream_error(&self, error: &ErrorBody) -> Bytes {
        error::event(error)
    }
}
