//! Answers in the encoding of the request, as the OTLP specification wants them.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use prost::Message;
use serde_json::json;

use crate::error::Refusal;
use crate::otlp::Format;
use crate::otlp::proto::{ExportResponse, PartialSuccess, RpcStatus};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// How a message is written, if that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Protobuf,
    Json,
    Unknown,
}

impl Encoding {
    /// By `content-type`, which every exporter sends.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            PROTOBUF | "application/protobuf" | "application/vnd.google.protobuf" => Self::Protobuf,
            JSON => Self::Json,
            _ => Self::Unknown,
        }
    }

    pub(super) fn format(self) -> Result<Format, Refusal> {
        match self {
            Self::Protobuf => Ok(Format::Protobuf),
            Self::Json => Ok(Format::Json),
            Self::Unknown => Err(Refusal::Unsupported(format!("expected `content-type: {PROTOBUF}` or `{JSON}`"))),
        }
    }

    fn answer(self, status: StatusCode, protobuf: &impl Message, json: &serde_json::Value) -> Response<Full<Bytes>> {
        let (media_type, body) = match self {
            Self::Protobuf => (PROTOBUF, protobuf.encode_to_vec()),
            Self::Json | Self::Unknown => (JSON, json.to_string().into_bytes()),
        };
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        response
    }
}

/// `Export…ServiceResponse`; with a partial success if something was not stored.
///
/// `field` is what the signal calls the number of rejected items in JSON.
pub(super) fn taken(encoding: Encoding, field: &str, rejected: usize, message: String) -> Response<Full<Bytes>> {
    if rejected == 0 {
        return encoding.answer(StatusCode::OK, &ExportResponse::default(), &json!({}));
    }
    // Protobuf's JSON writes 64-bit numbers as texts.
    let json = json!({"partialSuccess": {field: rejected.to_string(), "errorMessage": message}});
    let rejected = i64::try_from(rejected).unwrap_or(i64::MAX);
    let protobuf = ExportResponse { partial_success: Some(PartialSuccess { rejected, error_message: message }) };
    encoding.answer(StatusCode::OK, &protobuf, &json)
}

/// `google.rpc.Status`
pub(super) fn refused(encoding: Encoding, refusal: &Refusal) -> Response<Full<Bytes>> {
    let (code, message) = (i32::from(refusal.code()), refusal.to_string());
    let json = json!({"code": code, "message": message});
    let protobuf = RpcStatus { code, message, details: Vec::new() };
    let mut response = encoding.answer(refusal.status(), &protobuf, &json);
    let headers = response.headers_mut();
    if let Some(seconds) = refusal.retry_after_s() {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    match refusal {
        Refusal::Unauthenticated(_) => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Refusal::Method => {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        _ => {}
    }
    response
}
