//! Errors as Google's APIs tell them: `{"error": {code, message, status, details}}`.

use signalbox_types::ErrorClass;

use crate::error::ErrorBody;
use crate::json::{Body, Path};
use crate::write::Writer;

pub(super) fn decode(status: u16, body: &[u8]) -> ErrorBody {
    let mut told = crate::error::read(status, body);
    let Some((word, reason)) = words(body) else { return told };
    // A wrong key is a 400 here, with the reason in the details. It is ours, and no fault of the caller's request.
    if matches!(reason.as_deref(), Some("API_KEY_INVALID" | "API_KEY_SERVICE_BLOCKED" | "API_KEY_EXPIRED"))
        && told.class != ErrorClass::UpstreamAuth
    {
        told.class = ErrorClass::UpstreamAuth;
        told.message = format!("the provider refused the gateway's credential: {}", told.message);
    }
    // Within a stream HTTP's status says nothing.
    if status < 300 {
        told.class = class_of(&word).unwrap_or(told.class);
    }
    told.code = Some(word);
    told
}

/// The status word, and the reason in the details if there is one.
fn words(body: &[u8]) -> Option<(String, Option<String>)> {
    let root = Body::parse(body).ok()?.root();
    let root = if root.is_list() { root.list(Path::Root).ok()?.first().copied()? } else { root };
    let error = root.object(Path::Root).ok()?.child("error", Path::Root).ok()??;
    let word = error.str("status")?.into_owned();
    let details = error.children("details", Path::Root).unwrap_or_default();
    let reason = details.into_iter().find_map(|detail| detail.object(Path::Root).ok()?.str("reason"));
    Some((word, reason.map(std::borrow::Cow::into_owned)))
}

fn class_of(word: &str) -> Option<ErrorClass> {
    Some(match word {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => ErrorClass::InvalidRequest,
        "UNAUTHENTICATED" | "PERMISSION_DENIED" => ErrorClass::UpstreamAuth,
        "NOT_FOUND" => ErrorClass::NotFound,
        "RESOURCE_EXHAUSTED" => ErrorClass::RateLimited,
        "UNAVAILABLE" => ErrorClass::UpstreamOverloaded,
        "DEADLINE_EXCEEDED" => ErrorClass::UpstreamTimeout,
        _ => return None,
    })
}

pub(super) fn encode(error: &ErrorBody) -> Vec<u8> {
    Writer::write(|w| {
        w.object_field("error", |w| {
            w.field("code", &error.class.status());
            w.field("message", &error.message);
            w.field("status", word_of(error.class));
            if let Some(field) = &error.param {
                w.list_field("details", |w| {
                    w.object(|w| {
                        w.field("@type", "type.googleapis.com/google.rpc.BadRequest");
                        w.list_field("fieldViolations", |w| {
                            w.object(|w| {
                                w.field("field", field);
                                w.field("description", &error.message);
                            });
                        });
                    });
                });
            }
        });
    })
}

/// The word of <https://cloud.google.com/apis/design/errors> for the HTTP status.
fn word_of(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::InvalidRequest | ErrorClass::GuardrailBlocked | ErrorClass::RequestTooLarge => "INVALID_ARGUMENT",
        ErrorClass::Unauthenticated => "UNAUTHENTICATED",
        ErrorClass::PermissionDenied => "PERMISSION_DENIED",
        ErrorClass::NotFound => "NOT_FOUND",
        ErrorClass::RequestTimeout | ErrorClass::UpstreamTimeout => "DEADLINE_EXCEEDED",
        ErrorClass::RateLimited => "RESOURCE_EXHAUSTED",
        ErrorClass::Cancelled => "CANCELLED",
        ErrorClass::UpstreamOverloaded | ErrorClass::Overloaded => "UNAVAILABLE",
        ErrorClass::UpstreamAuth
        | ErrorClass::UpstreamError
        | ErrorClass::UpstreamUnreachable
        | ErrorClass::Internal => "INTERNAL",
    }
}
