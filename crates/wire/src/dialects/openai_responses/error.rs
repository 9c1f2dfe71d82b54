//! An error as an event. As an answer it has the shape of all of OpenAI's errors.

use bytes::Bytes;

use crate::dialects::openai_chat;
use crate::error::ErrorBody;
use crate::sse;
use crate::write::Writer;

/// The reference documents code and message at the top; the SDKs raise an exception only for an object `error`, which
/// the API sends too. Both stand here.
pub(super) fn encode_event(error: &ErrorBody, sequence: u64) -> Bytes {
    let data = Writer::write(|w| {
        w.field("type", "error");
        w.field("sequence_number", &sequence);
        openai_chat::encode_error_fields(w, error, &["code", "message", "param"]);
        w.object_field("error", |w| {
            openai_chat::encode_error_fields(w, error, &["message", "type", "param", "code"]);
        });
    });
    sse::write(Some("error"), &data)
}
