//! Whether releases wait: what continuous integration and canaries ask before they go on.

#[cfg(test)]
mod tests;

use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use signalbox_types::Timestamp;
use signalbox_watch::{NewFreeze, ReleaseFreeze};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

/// A freeze to make or to lift.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"frozen": true, "reason": "The provider is being moved.", "until": "2026-12-01T08:00:00Z"}))]
pub(crate) struct WantedFreeze {
    /// `true`: releases wait. `false`: what a person has frozen is lifted; what budgets freeze stays.
    frozen: bool,
    /// Why; needed to freeze.
    #[serde(default)]
    #[schema(max_length = 1_000)]
    reason: String,
    /// Until when; until it is lifted if absent.
    #[serde(default)]
    until: Option<Timestamp>,
    /// Who says so; the name of the key if absent.
    #[serde(default)]
    #[schema(max_length = 200)]
    by: Option<String>,
}

/// Ask whether releases wait.
///
/// They do if an objective has less of its budget left than its `freeze_below`, or if somebody has frozen them.
#[utoipa::path(get, path = "/api/v1/release_freeze", operation_id = "show_release_freeze", tag = "Watching",
    responses((status = 200, description = "Whether they do, and why, as of the last minute.", body = ReleaseFreeze)))]
pub(crate) async fn show(Caller(caller): Caller, State(app): State<App>) -> Json<ReleaseFreeze> {
    Json(app.watch.release_freeze(&caller.project).await)
}

/// Freeze releases, or lift it.
#[utoipa::path(put, path = "/api/v1/release_freeze", operation_id = "set_release_freeze", tag = "Watching",
    request_body = WantedFreeze,
    responses((status = 200, description = "Whether releases wait now, and why.", body = ReleaseFreeze)))]
pub(crate) async fn set(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(wanted): Json<WantedFreeze>,
) -> Result<Json<ReleaseFreeze>, ApiError> {
    let WantedFreeze { frozen, reason, until, by } = wanted;
    if frozen {
        let by = by.unwrap_or_else(|| caller.key_name.clone());
        let freeze = app.watch.freeze(&caller.project, NewFreeze { reason, by, until }).await?;
        let after = serde_json::to_value(&freeze).unwrap_or_default();
        app.catalog.note(&caller, "release_freeze", "releases", "freeze", after).await?;
    } else {
        app.watch.unfreeze(&caller.project).await?;
        app.catalog.note(&caller, "release_freeze", "releases", "lift", Value::Null).await?;
    }
    Ok(show(Caller(caller), State(app)).await)
}
