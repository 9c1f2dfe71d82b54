//! How this Signalbox is.

#[cfg(test)]
mod tests;

use axum::extract::State;
use serde::Serialize;
use signalbox_types::Timestamp;
use signalbox_types::seam::StoreStats;
use signalbox_watch::Leadership;

use crate::auth::Caller;
use crate::envelope::Json;
use crate::parts::{App, Status};

/// How this Signalbox is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct StatusAnswer {
    /// The process.
    #[serde(flatten)]
    status: Status,
    /// What time it is here.
    now: Timestamp,
    /// The event store.
    store: StoreStats,
    /// Whether it evaluates monitors and tells people.
    watch: Leadership,
}

/// Show version, queue and store.
#[utoipa::path(get, path = "/api/v1/status", operation_id = "show_status", tag = "House", responses((status = 200, description = "Numbers of now.", body = StatusAnswer)))]
pub(crate) async fn show(_: Caller, State(app): State<App>) -> Json<StatusAnswer> {
    Json(StatusAnswer {
        status: (app.status)(),
        now: app.clock.now(),
        store: app.store.stats(),
        watch: app.watch.leadership(),
    })
}
