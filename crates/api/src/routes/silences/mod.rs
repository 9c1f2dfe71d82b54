//! Silences: of what nobody is to be told for a while.

#[cfg(test)]
mod tests;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use signalbox_types::Timestamp;
use signalbox_watch::{Matcher, NewSilence, Silence};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

/// Silences.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Silences {
    /// Those that hold, or will.
    silences: Vec<Silence>,
}

/// A silence to make.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "matchers": [{"label": "monitor", "is": "error-*"}, {"label": "model", "is": "gpt-4o"}],
    "until": "2026-11-24T10:00:00Z", "reason": "The provider is being moved."
}))]
pub(crate) struct WantedSilence {
    /// What it matches: all of them. None matches everything.
    #[serde(default)]
    matchers: Vec<Matcher>,
    /// When it begins; now if absent.
    #[serde(default)]
    from: Option<Timestamp>,
    /// When it ends.
    until: Timestamp,
    /// Why.
    reason: String,
}

/// List silences.
#[utoipa::path(get, path = "/api/v1/silences", operation_id = "list_silences", tag = "Watching",
    responses((status = 200, description = "Those that hold, or will.", body = Silences)))]
pub(crate) async fn list(Caller(caller): Caller, State(app): State<App>) -> Json<Silences> {
    Json(Silences { silences: app.watch.silences(&caller.project) })
}

/// Make a silence.
///
/// Incidents that it matches are opened and shown, and nobody is told of them until it ends.
#[utoipa::path(post, path = "/api/v1/silences", operation_id = "create_silence", tag = "Watching", request_body = WantedSilence,
    responses((status = 201, description = "It holds.", body = Silence)))]
pub(crate) async fn create(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(wanted): Json<WantedSilence>,
) -> Result<(StatusCode, Json<Silence>), ApiError> {
    let WantedSilence { matchers, from, until, reason } = wanted;
    let new = NewSilence { matchers, from, until, reason };
    let made = app.watch.silence(&caller.project, new, &caller.key_name).await?;
    let after = serde_json::to_value(&made).unwrap_or_default();
    app.catalog.note(&caller, "silence", &made.id, "create", after).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// End a silence.
#[utoipa::path(delete, path = "/api/v1/silences/{id}", operation_id = "end_silence", tag = "Watching",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 204, description = "It is over."),
        (status = 404, description = "There is none of that id.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn end(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.watch.end_silence(&caller.project, &id).await?;
    app.catalog.note(&caller, "silence", &id, "end", Value::Null).await?;
    Ok(StatusCode::NO_CONTENT)
}
