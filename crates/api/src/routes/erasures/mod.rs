//! Erasure of everything of a user, a session or a trace, and the list of what was erased.

#[cfg(test)]
mod tests;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use signalbox_types::query::{Function, MAX_LIMIT, Measure};
use signalbox_types::seam::{Erase, Erased};
use signalbox_types::{Filter, KeyId, ProjectId, Query, TimeRange, Timestamp};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;
use crate::rows;

/// In the history of the catalogue.
const RESOURCE: &str = "erasure";
/// Erasures that are listed.
const LISTED: u32 = 1_000;

/// What is to be erased: one of the three.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Everything of this end user.
    #[schema(example = "user-4711")]
    user_id: Option<String>,
    /// Everything of this session.
    session_id: Option<String>,
    /// Everything of this trace.
    trace_id: Option<String>,
}

/// An erasure that was done.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Erasure {
    /// When.
    time: Timestamp,
    /// The key that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<KeyId>,
    /// By what: `user_id`, `session_id` or `trace_id`. Of whom is not kept.
    by: String,
    /// What was erased.
    #[schema(value_type = Erased)]
    erased: serde_json::Value,
}

/// Erasures.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Erasures {
    /// Newest first.
    erasures: Vec<Erasure>,
}

impl Wanted {
    fn one(self) -> Result<Erase, ApiError> {
        const EXPECTED: &str = "expected exactly one of `user_id`, `session_id` and `trace_id`";
        let Self { user_id, session_id, trace_id } = self;
        let what = match (user_id, session_id, trace_id) {
            (Some(user), None, None) => Erase::UserId(user),
            (None, Some(session), None) => Erase::SessionId(session),
            (None, None, Some(trace)) => Erase::TraceId(trace.to_lowercase()),
            _ => return Err(ApiError::invalid("user_id", EXPECTED)),
        };
        let (by, value) = name(&what);
        if value.is_empty() { Err(ApiError::invalid(by, "it is empty")) } else { Ok(what) }
    }
}

fn name(what: &Erase) -> (&'static str, &str) {
    match what {
        Erase::UserId(value) => ("user_id", value),
        Erase::SessionId(value) => ("session_id", value),
        Erase::TraceId(value) => ("trace_id", value),
    }
}

/// Erase a user, a session or a trace.
///
/// Everything of it that this project has stored so far is gone from queries when this is answered,
/// and its bytes from the disk if `complete` is true. Items of datasets that were made from it lose their fields, in every
/// version. Backups are not touched. Takes seconds to minutes.
#[utoipa::path(post, path = "/api/v1/erasures", operation_id = "erase", tag = "Erasures", request_body = Wanted, responses((status = 200, description = "What was erased.", body = Erased)))]
pub(crate) async fn erase(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(wanted): Json<Wanted>,
) -> Result<Json<Erased>, ApiError> {
    let what = wanted.one()?;
    // A caller who hangs up must not leave half of it done, or the history without it.
    let task = tokio::spawn(async move {
        // Before it is forgotten which traces they are.
        let traces = traces_of(&app, &caller.project, &what).await?;
        let mut erased = app.store.erase(&caller.project, &what).await?;
        erased.other_rows += app.catalog.erase_dataset_items(&caller.project, &what, traces).await?;
        let after = serde_json::to_value(erased).map_err(|error| ApiError::internal(&error))?;
        // The history must not keep what was to be forgotten.
        app.catalog.note(&caller, RESOURCE, name(&what).0, "erase", after).await?;
        Ok(Json(erased))
    });
    task.await.unwrap_or_else(|error| Err(ApiError::internal(&error)))
}

/// The traces of a user or session, so that what was made from them is found, whatever it says of its source.
async fn traces_of(app: &App, project: &ProjectId, what: &Erase) -> Result<Vec<String>, ApiError> {
    let (column, value) = match what {
        Erase::TraceId(_) => return Ok(Vec::new()),
        what => name(what),
    };
    let query = Query {
        time: TimeRange::all(),
        filter: Some(Filter::equals(column, value)),
        group_by: vec!["trace_id".to_owned()],
        measures: vec![Measure::of(Function::Count, None)],
        limit: Some(MAX_LIMIT),
        ..Query::default()
    };
    let rows: Vec<TraceRow> = rows::read(&app.store.query(project, &query).await?)?;
    Ok(rows.into_iter().map(|row| row.trace_id).collect())
}

/// A trace of whom is erased.
#[derive(Deserialize)]
struct TraceRow {
    trace_id: String,
}

/// List erasures.
#[utoipa::path(get, path = "/api/v1/erasures", operation_id = "list_erasures", tag = "Erasures", responses((status = 200, description = "What was erased from this project.", body = Erasures)))]
pub(crate) async fn list(Caller(caller): Caller, State(app): State<App>) -> Result<Json<Erasures>, ApiError> {
    let history = app.catalog.history(&caller.project, LISTED).await?;
    let erasures = history.into_iter().filter(|change| change.resource == RESOURCE).map(|change| Erasure {
        time: change.time,
        actor: change.actor,
        by: change.resource_id,
        erased: change.after.unwrap_or_default(),
    });
    Ok(Json(Erasures { erasures: erasures.collect() }))
}
