//! Queries that run now.

#[cfg(test)]
mod tests;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;
use crate::running::RunningQuery;

/// The queries of this project that run now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RunningQueries {
    /// Oldest first.
    queries: Vec<RunningQuery>,
}

/// List running queries.
///
/// What `POST /api/v1/query` and `POST /api/v1/sql` are working on for this project.
#[utoipa::path(get, path = "/api/v1/queries", operation_id = "list_running_queries", tag = "Queries", responses((status = 200, description = "What runs now.", body = RunningQueries)))]
pub(crate) async fn list(Caller(caller): Caller, State(app): State<App>) -> Json<RunningQueries> {
    Json(RunningQueries { queries: app.running().list(&caller.project) })
}

/// Cancel a query.
///
/// It stops at its next batch of rows; who waits for it gets status 499 and `cancelled`. Hanging up does
/// the same for one's own.
#[utoipa::path(delete, path = "/api/v1/queries/{id}", operation_id = "cancel_query", tag = "Queries",
    params(("id" = String, Path, description = "Its name: what the header `x-signalbox-query-id` said.")),
    responses(
        (status = 204, description = "Cancelled."),
        (status = 404, description = "No query of that name runs in this project.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn cancel(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    if app.running().cancel(&caller.project, &id) {
        return Ok(StatusCode::NO_CONTENT);
    }
    let error = ApiError::not_found(format!("no query `{id}` runs in this project"));
    Err(error.hint("it may be done already; `GET /api/v1/queries` lists those that run"))
}
