use crate::canonical::*;
use crate::codec::*;
use crate::error::*;
use crate::registry::Dialect;
use crate::rewrite::*;
use crate::sse::SseEvent;
use bytes::Bytes;
#[derive(Debug)]
pub(crate) struct OpenaiChat;
impl Codec for OpenaiChat {
    fn dialect(&self) -> Dialect {
        Dialect::OpenaiChat
    }
    fn peek(&self, _body: &[u8]) -> Result<Peek, WireError> {
        todo!()
    }
    fn texts<'a>(&self, _body: &'a [u8]) -> Result<Vec<TextSlot<'a>>, WireError> {
        todo!()
    }
    fn response_texts<'a>(&self, _body: &'a [u8]) -> Result<Vec<TextSlot<'a>>, WireError> {
        todo!()
    }
    fn ask_for_usage(&self, _body: &Bytes) -> Option<Bytes> {
        todo!()
    }
    fn decode_request(&self, _body: &[u8]) -> Result<ChatRequest, WireError> {
        todo!()
    }
    fn encode_request(&self, _request: &ChatRequest) -> Result<Bytes, WireError> {
        todo!()
    }
    fn decode_response(&self, _body: &[u8]) -> Result<ChatResponse, WireError> {
        todo!()
    }
    fn encode_response(&self, _response: &ChatResponse) -> Result<Bytes, WireError> {
        todo!()
    }
    fn decode_stream(&self) -> Box<dyn StreamDecoder> {
        todo!()
    }
    fn encode_stream(&self, _start: &StreamStart) -> Box<dyn StreamEncoder> {
        todo!()
    }
    fn deltas<'a>(&self, _event: &'a SseEvent) -> Deltas<'a> {
        todo!()
    }
    fn text_event(&self, _before: &SseEvent, _channel: Channel, _text: &str) -> Bytes {
        todo!()
    }
    fn decode_error(&self, _status: u16, _body: &[u8]) -> ErrorBody {
        todo!()
    }
    fn encode_error(&self, _error: &ErrorBody) -> Bytes {
        todo!()
    }
    fn encode_stream_error(&self, _error: &ErrorBody) -> Bytes {
        todo!()
    }
}
