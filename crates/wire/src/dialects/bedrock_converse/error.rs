//! Errors as Amazon's SDKs expect them: they choose the exception by `__type`, or in a stream by the event's name.

use bytes::Bytes;
use signalbox_types::ErrorClass;

use crate::error::ErrorBody;
use crate::json::{Body, Path};
use crate::sse;
use crate::write::Writer;

/// What an exception within a stream says.
pub(super) fn of_event(kind: &str, data: &[u8]) -> ErrorBody {
    let message = Body::parse(data).ok().and_then(|body| {
        let root = body.root().object(Path::Root).ok()?;
        ["message", "Message"].iter().find_map(|name| root.str(name)).map(std::borrow::Cow::into_owned)
    });
    let message = message.unwrap_or_else(|| format!("the provider broke off with `{kind}`"));
    ErrorBody { code: Some(kind.to_owned()), ..ErrorBody::new(class_of(kind), message) }
}

fn class_of(kind: &str) -> ErrorClass {
    match kind {
        "throttlingException" => ErrorClass::RateLimited,
        "validationException" => ErrorClass::InvalidRequest,
        "serviceUnavailableException" | "modelNotReadyException" => ErrorClass::UpstreamOverloaded,
        "modelTimeoutException" => ErrorClass::UpstreamTimeout,
        "accessDeniedException" => ErrorClass::UpstreamAuth,
        "resourceNotFoundException" => ErrorClass::NotFound,
        _ => ErrorClass::UpstreamError,
    }
}

pub(super) fn encode(error: &ErrorBody) -> Vec<u8> {
    Writer::write(|w| {
        w.field("__type", kind(error.class));
        w.field("message", &error.message);
    })
}

pub(super) fn event(error: &ErrorBody) -> Bytes {
    let kind = match error.class {
        ErrorClass::RateLimited => "throttlingException",
        ErrorClass::UpstreamOverloaded | ErrorClass::Overloaded => "serviceUnavailableException",
        ErrorClass::InvalidRequest | ErrorClass::GuardrailBlocked | ErrorClass::RequestTooLarge => {
            "validationException"
        }
        ErrorClass::UpstreamError | ErrorClass::UpstreamUnreachable | ErrorClass::UpstreamTimeout => {
            "modelStreamErrorException"
        }
        _ => "internalServerException",
    };
    sse::write(Some(kind), &Writer::write(|w| w.field("message", &error.message)))
}

pub(super) fn kind(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::InvalidRequest
        | ErrorClass::GuardrailBlocked
        | ErrorClass::RequestTimeout
        | ErrorClass::RequestTooLarge => "ValidationException",
        ErrorClass::Unauthenticated | ErrorClass::PermissionDenied => "AccessDeniedException",
        ErrorClass::NotFound => "ResourceNotFoundException",
        ErrorClass::RateLimited => "ThrottlingException",
        ErrorClass::UpstreamTimeout => "ModelTimeoutException",
        ErrorClass::UpstreamOverloaded | ErrorClass::Overloaded => "ServiceUnavailableException",
        ErrorClass::UpstreamError | ErrorClass::UpstreamUnreachable => "ModelErrorException",
        ErrorClass::Cancelled | ErrorClass::UpstreamAuth | ErrorClass::Internal => "InternalServerException",
    }
}
