//! OpenAI's Chat Completions API, and what imitates it.
//!
//! Beyond the published fields it speaks those that the imitators agree on: `reasoning_content`
//! (also read as `reasoning`) for the text of the thinking, and `thinking_blocks` for thinking that
//! must be sent back as it came. It writes them in answers; in requests only if the caller spoke this
//! dialect too, since strict servers refuse fields that they don't know.

pub(crate) mod citations;
mod error;
mod google;
mod parts;
mod request;
mod response;
mod stream;
mod stream_encode;
mod texts;

#[cfg(test)]
mod tests;

pub(crate) use error::{encode as encode_error, encode_fields as encode_error_fields};
pub(crate) use parts::input_audio;
pub(crate) use request::{harmless_anthropic_field, stop};
pub(crate) use response::{Told, encode_usage, reason_of, word_of};
pub(crate) use texts::{ask_for_usage, user};

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
pub(crate) struct OpenaiChat;

const DIALECT: Dialect = Dialect::OpenaiChat;

impl Codec for OpenaiChat {
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

    fn ask_for_usage(&self, body: &Bytes) -> Option<Bytes> {
        texts::ask_for_usage(body)
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

    fn encode_error(&self, error: &ErrorBody) -> Bytes {
        error::encode(error).into()
    }

    fn encode_stream_error(&self, error: &ErrorBody) -> Bytes {
        crate::sse::write(None, &error::encode(error))
    }
}
