//! `/healthz`, `/readyz`, `/metrics`: for orchestrators and Prometheus, without a key.

mod exposition;
#[cfg(test)]
mod tests;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
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
    /// The disk is full or failed: calls and queries are served, new spans are not kept.
    read_only: bool,
    /// Why it is not as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl Health {
    fn new(app: &App, stopping: bool) -> Self {
        let read_only = app.store.stats().read_only;
        let reason = if stopping {
            Some("the process is stopping")
        } else {
            read_only.then_some("the disk is full or failed: calls and queries are served, new spans are not kept")
        };
        Self { status: if stopping { "stopping" } else { "ok" }, read_only, reason }
    }
}

/// Is the process alive?
#[utoipa::path(get, path = "/healthz", tag = "House", security(()), responses((status = 200, description = "It is.", body = Health)))]
pub(crate) async fn healthz(State(app): State<App>) -> Json<Health> {
    Json(Health::new(&app, false))
}

/// Are calls and queries served?
///
/// A disk that takes no more does not make it unready: taking the gateway away from its callers would make a loss of
/// records a loss of service. Watch `signalbox_store_read_only` for that.
#[utoipa::path(get, path = "/readyz", tag = "House", security(()), responses(
    (status = 200, description = "They are. With `read_only`, new spans are not kept.", body = Health),
    (status = 503, description = "Not any more: the process is stopping.", body = Health),
))]
pub(crate) async fn readyz(State(app): State<App>) -> Response {
    let stopping = *app.stopping.borrow() || app.stopping.has_changed().is_err();
    let status = if stopping { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, Json(Health::new(&app, stopping))).into_response()
}

/// Numbers for Prometheus.
///
/// In its text format, or in OpenMetrics for those whose `Accept` asks for it.
#[utoipa::path(get, path = "/metrics", tag = "House", security(()), responses(
    (status = 200, description = "The exposition format of Prometheus (0.0.4) or OpenMetrics.", body = String, content_type = "text/plain"),
))]
pub(crate) async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    let openmetrics = (app.metrics_text)();
    let (content_type, text) = if exposition::wants_openmetrics(&headers) {
        (exposition::OPENMETRICS, openmetrics)
    } else {
        (exposition::PROMETHEUS, exposition::prometheus(&openmetrics))
    };
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    ([kind, (header::VARY, HeaderValue::from_static("accept"))], text).into_response()
}
