//! Errors as Cohere's SDKs expect them: the exception is chosen by the status, the body is `{id?, message}`. A stream
//! ends with `message-end` and a `delta.error`.

use bytes::Bytes;
use signalbox_types::ErrorClass;

use crate::error::ErrorBody;
use crate::sse;
use crate::write::Writer;

pub(super) fn decode(status: u16, body: &[u8]) -> ErrorBody {
    let mut told = crate::error::read(status, body);
    // Cohere's own: an invalid token (as it calls a key), and a request that it has closed.
    if status == 498 {
        told.class = ErrorClass::InvalidRequest;
    }
    told
}

pub(super) fn encode(error: &ErrorBody) -> Vec<u8> {
    Writer::write(|w| w.field("message", &error.message))
}

pub(super) fn event(error: &ErrorBody) -> Bytes {
    let data = Writer::write(|w| {
        w.field("type", "message-end");
        w.object_field("delta", |w| {
            w.field("error", &error.message);
            w.field("finish_reason", "ERROR");
        });
    });
    sse::write(Some("message-end"), &data)
}
