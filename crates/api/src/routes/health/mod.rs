//! `/healthz`, `/readyz`, `/metrics`: for orchestrators and Prometheus, without a key.

#[cfg(test)]
mod tests;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::envelope::Json;
use crate::parts::App;

/// Whether it serves.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    /// `ok`, or `stopping`.
    #[schema(example = "ok")]
    status: &'static str,
    /// The disk failed: calls and queries are served, new spans are not kept.
    read_only: bool,
}

/// Is the process alive?
#[utoipa::path(get, path = "/healthz", tag = "House", security(()), responses((status = 200, description = "It is.", body = Health)))]
pub(crate) async fn healthz(State(app): State<App>) -> Json<Health> {
    Json(Health { status: "ok", read_only: app.store.stats().read_only })
}

/// Are calls and queries served?
#[utoipa::path(get, path = "/readyz", tag = "House", security(()), responses(
    (status = 200, description = "They are.", body = Health),
    (status = 503, description = "Not any more: the process is stopping.", body = Health),
))]
pub(crate) async fn readyz(State(app): State<App>) -> Response {
    let read_only = app.store.stats().read_only;
    let stopping = *app.stopping.borrow() || app.stopping.has_changed().is_err();
    if stopping {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status: "stopping", read_only })).into_response();
    }
    Json(Health { status: "ok", read_only }).into_response()
}

/// Numbers for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "House", security(()), responses(
    (status = 200, description = "The exposition format of Prometheus or OpenMetrics.", body = String, content_type = "text/plain"),
))]
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let text = (app.metrics_text)();
    // OpenMetrics ends with a mark, and Prometheus only accepts it under its own content type.
    let content_type = if text.trim_end().ends_with("# EOF") {
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    } else {
        "text/plain; version=0.0.4; charset=utf-8"
    };
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}
