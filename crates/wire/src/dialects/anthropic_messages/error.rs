//! Errors as Anthropic's SDKs expect them. The SDKs choose the exception by HTTP status
//! ([`ErrorClass::status`]); within a stream only `type` tells.

use signalbox_types::ErrorClass;

use crate::error::ErrorBody;
use crate::write::Writer;

pub(super) fn encode(error: &ErrorBody) -> Vec<u8> {
    Writer::write(|w| {
        w.field("type", "error");
        w.object_field("error", |w| {
            w.field("type", word(error.class));
            w.field("message", &error.message);
        });
    })
}

fn word(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::InvalidRequest | ErrorClass::GuardrailBlocked | ErrorClass::RequestTimeout => {
            "invalid_request_error"
        }
        ErrorClass::Unauthenticated => "authentication_error",
        ErrorClass::PermissionDenied => "permission_error",
        ErrorClass::NotFound => "not_found_error",
        ErrorClass::RequestTooLarge => "request_too_large",
        ErrorClass::RateLimited => "rate_limit_error",
        ErrorClass::UpstreamTimeout => "timeout_error",
        ErrorClass::UpstreamOverloaded | ErrorClass::Overloaded => "overloaded_error",
        ErrorClass::Cancelled
        | ErrorClass::UpstreamAuth
        | ErrorClass::UpstreamUnreachable
        | ErrorClass::UpstreamError
        | ErrorClass::Internal => "api_error",
    }
}
