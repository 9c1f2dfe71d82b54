//! Markers: moments at which something was changed.

#[cfg(test)]
mod tests;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use signalbox_types::Timestamp;
use signalbox_types::time::{TimeBound, TimeRange};
use signalbox_watch::{Marker, NewMarker};

use crate::auth::Caller;
use crate::envelope::{Json, Params};
use crate::error::ApiError;
use crate::parts::App;

const MOST: usize = 1_000;

/// Which markers.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MarkerParams {
    /// From when on: a time, or e.g. `now-1d`. By default `now-1d`.
    #[param(example = "now-1d")]
    from: Option<String>,
    /// Until when. By default `now`.
    #[param(example = "now")]
    to: Option<String>,
}

/// Markers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Markers {
    /// Oldest first; the latest thousand, if there are more.
    markers: Vec<Marker>,
}

fn range(params: MarkerParams, now: Timestamp) -> Result<(Timestamp, Timestamp), ApiError> {
    let bound = |field: &str, text: Option<String>, usual: &str| {
        let text = text.unwrap_or_else(|| usual.to_owned());
        text.parse::<TimeBound>().map_err(|error| ApiError::invalid(field, error))
    };
    let time = TimeRange { from: bound("from", params.from, "now-1d")?, to: bound("to", params.to, "now")? };
    Ok(time.resolve(now))
}

/// List markers.
///
/// What was changed when: deploys, prompts, models, the configuration. Incidents show those of the hour before them.
#[utoipa::path(get, path = "/api/v1/markers", operation_id = "list_markers", tag = "Watching", params(MarkerParams),
    responses((status = 200, description = "Oldest first.", body = Markers)))]
pub(crate) async fn list(
    Caller(caller): Caller,
    State(app): State<App>,
    Params(params): Params<MarkerParams>,
) -> Result<Json<Markers>, ApiError> {
    let (from, to) = range(params, app.clock.now())?;
    Ok(Json(Markers { markers: app.watch.markers(&caller.project, from, to, MOST) }))
}

/// Mark a change.
///
/// For a step of your deployment: what was changed, and when if it wasn't just now. Kept for 90 days.
#[utoipa::path(post, path = "/api/v1/markers", operation_id = "create_marker", tag = "Watching", request_body = NewMarker,
    responses((status = 201, description = "It is marked.", body = Marker)))]
pub(crate) async fn create(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(new): Json<NewMarker>,
) -> Result<(StatusCode, Json<Marker>), ApiError> {
    Ok((StatusCode::CREATED, Json(app.watch.mark(&caller.project, new, Some(&caller.key_name)).await?)))
}
