//! How requests are read and answers are written: JSON, with one shape for every refusal.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query as UriQuery, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use signalbox_types::ErrorClass;

use crate::error::ApiError;

/// The largest request body, in bytes. Queries are small; spans come in elsewhere.
pub(crate) const MAX_BODY_BYTES: usize = 1024 * 1024;
/// The largest body that carries data, in bytes.
const MAX_LARGE_BYTES: usize = 16 * 1024 * 1024;

/// Every refusal has this shape.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ErrorAnswer {
    /// What went wrong.
    pub(crate) error: ErrorDetail,
}

/// What went wrong, for programs and for people.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "type": "invalid_request",
    "message": "`measures[0].column`: `spans` has no column `modle`; columns: …",
    "field": "measures[0].column"
}))]
pub(crate) struct ErrorDetail {
    /// The class of the failure.
    #[serde(rename = "type")]
    pub(crate) class: ErrorClass,
    /// What is wrong and what was expected.
    pub(crate) message: String,
    /// The field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    /// What would help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

/// A JSON body, in or out. Reading one wants `Content-Type: application/json`: a page of another
/// site can't send that without asking the browser's permission first.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => {
                tracing::error!(error.message = %error, "an answer can't be written as JSON: {error}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        parse(&read(request, state).await?).map(Self)
    }
}

/// A JSON body that may be a list.
#[derive(Debug)]
pub(crate) struct JsonOrList<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonOrList<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        parse_any(&read(request, state).await?).map(Self)
    }
}

/// A JSON body that may be larger than others: it carries data.
#[derive(Debug)]
pub(crate) struct LargeJson<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for LargeJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        check_type(&request)?;
        let body = axum::body::to_bytes(request.into_body(), MAX_LARGE_BYTES).await.map_err(|_| {
            let problem = format!("the body is larger than {} MiB, or broke off", MAX_LARGE_BYTES / 1024 / 1024);
            ApiError::new(ErrorClass::RequestTooLarge, problem)
        })?;
        parse(&body).map(Self)
    }
}

fn check_type(request: &Request) -> Result<(), ApiError> {
    if is_json(request.headers()) {
        return Ok(());
    }
    let error =
        ApiError::new(ErrorClass::InvalidRequest, "the body must be JSON; send `Content-Type: application/json`");
    Err(error.status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    check_type(&request)?;
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::new(ErrorClass::RequestTooLarge, format!("the body is larger than {} KiB", MAX_BODY_BYTES / 1024))
        }
        _ => ApiError::new(ErrorClass::InvalidRequest, format!("the body can't be read: {}", rejection.body_text())),
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Reads JSON; an error names the field and what was expected there.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // Derived code takes a list for an object, by the order of its fields: nobody means that.
    if body.trim_ascii_start().starts_with(b"[") {
        let message = "not the JSON that was expected: this is a list; expected an object, written {…}";
        return Err(ApiError::new(ErrorClass::InvalidRequest, message));
    }
    parse_any(body)
}

fn parse_any<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let problem = error.into_inner();
        if path == "." || problem.is_syntax() || problem.is_eof() {
            let message = if body.is_empty() {
                "the body is empty; expected JSON".to_owned()
            } else {
                format!("not the JSON that was expected: {problem}")
            };
            return ApiError::new(ErrorClass::InvalidRequest, message);
        }
        ApiError::invalid(path, problem)
    })?;
    deserializer.end().map_err(|error| ApiError::new(ErrorClass::InvalidRequest, format!("not JSON: {error}")))?;
    Ok(value)
}

/// The parameters after `?`.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match UriQuery::<T>::from_request_parts(parts, state).await {
            Ok(UriQuery(params)) => Ok(Self(params)),
            Err(rejection) => {
                let text = rejection.body_text();
                let problem = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                Err(ApiError::new(ErrorClass::InvalidRequest, format!("the parameters after `?` are wrong: {problem}")))
            }
        }
    }
}
