//! What Google's OpenAI-compatible API adds to a call of a tool.

use crate::canonical::signature;
use crate::json::{Object, Path};
use crate::write::Writer;

/// Gemini's proof of the thinking before a call, where Google's own OpenAI-compatible API puts it.
pub(super) fn thought_signature(call: &Object<'_>) -> Option<String> {
    let google = call.child("extra_content", Path::Root).ok()??.child("google", Path::Root).ok()??;
    let signature = google.str("thought_signature").filter(|signature| !signature.is_empty())?;
    Some(signature::of_gemini(signature::Place::Call, &signature))
}

pub(super) fn encode_thought_signature(w: &mut Writer, signature: &str) {
    w.object_field("extra_content", |w| {
        w.object_field("google", |w| w.field("thought_signature", signature));
    });
}
