//! Errors as OpenAI's SDKs expect them. The SDKs choose the exception by HTTP status
//! ([`ErrorClass::status`]) and show `message`; programs look at `code`.

use signalbox_types::ErrorClass;

use crate::error::ErrorBody;
use crate::write::Writer;

pub(crate) fn encode(error: &ErrorBody) -> Vec<u8> {
    Writer::write(|w| {
        w.object_field("error", |w| encode_fields(w, error, &["message", "type", "param", "code"]));
    })
}

/// These fields of an error, in this order.
pub(crate) fn encode_fields(w: &mut Writer, error: &ErrorBody, names: &[&str]) {
    let (kind, word) = words(error);
    // The provider's `invalid_api_key` is about our credential; the caller's own key is fine.
    let code = error.code.as_deref().filter(|_| error.class != ErrorClass::UpstreamAuth).or(word);
    for name in names {
        match *name {
            "message" => w.field(name, &error.message),
            "type" => w.field(name, kind),
            "param" => w.field(name, &error.param),
            _ => w.field("code", &code),
        }
    }
}

fn words(error: &ErrorBody) -> (&'static str, Option<&'static str>) {
    match error.class {
        ErrorClass::InvalidRequest => ("invalid_request_error", None),
        // That a key is wrong is an `invalid_request_error` here too; the code tells.
        ErrorClass::Unauthenticated => ("invalid_request_error", Some("invalid_api_key")),
        ErrorClass::PermissionDenied => ("invalid_request_error", Some("permission_denied")),
        ErrorClass::NotFound if error.param.as_deref() == Some("model") => {
            ("invalid_request_error", Some("model_not_found"))
        }
        ErrorClass::NotFound => ("invalid_request_error", Some("not_found")),
        ErrorClass::RequestTooLarge => ("invalid_request_error", Some("request_too_large")),
        ErrorClass::RequestTimeout => ("invalid_request_error", Some("request_timeout")),
        ErrorClass::GuardrailBlocked => ("invalid_request_error", Some("guardrail_blocked")),
        ErrorClass::RateLimited => ("rate_limit_error", Some("rate_limit_exceeded")),
        ErrorClass::Cancelled => ("server_error", Some("cancelled")),
        ErrorClass::UpstreamAuth => ("server_error", Some("upstream_auth")),
        ErrorClass::UpstreamTimeout => ("server_error", Some("upstream_timeout")),
        ErrorClass::UpstreamUnreachable => ("server_error", Some("upstream_unreachable")),
        ErrorClass::UpstreamError => ("server_error", Some("upstream_error")),
        ErrorClass::UpstreamOverloaded | ErrorClass::Overloaded => ("server_error", Some("overloaded")),
        ErrorClass::Internal => ("server_error", Some("internal_error")),
    }
}
