//! The browsable page: our own, a few kilobytes, so that it works without the internet. It reads the
//! OpenAPI document like anybody else.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use utoipa::openapi::OpenApi;

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// Only what this house serves; no inline script, so that nothing in the document can run.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) fn routes<S: Clone + Send + Sync + 'static>(document: &OpenApi) -> Router<S> {
    let document = Bytes::from(document.to_json().unwrap_or_default());
    Router::new()
        .route("/api/docs", get(|| async { asset("text/html; charset=utf-8", PAGE) }))
        .route("/api/docs/page.js", get(|| async { asset("text/javascript; charset=utf-8", SCRIPT) }))
        .route("/api/docs/page.css", get(|| async { asset("text/css; charset=utf-8", STYLE) }))
        .route("/api/v1/openapi.json", get(move || std::future::ready(asset("application/json", document.clone()))))
}

/// `/api` and `/api/docs/` are what people try.
pub(crate) async fn redirect() -> Redirect {
    Redirect::temporary("/api/docs")
}

fn asset(content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, body.into()).into_response()
}
