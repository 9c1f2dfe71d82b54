//! Read-only SQL over the event tables.

#[cfg(test)]
mod tests;

use axum::extract::State;
use axum::response::IntoResponse;
use serde::Deserialize;
use signalbox_types::Answer;

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;
use crate::running::{QueryId, QueryKind};

/// A statement.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sql {
    /// One `SELECT` (or `WITH … SELECT`). The tables hold this project's rows only.
    #[schema(
        example = "SELECT model, count(*) AS calls, sum(cost) AS cost FROM spans WHERE kind = 'llm' GROUP BY model ORDER BY calls DESC"
    )]
    sql: String,
}

/// Ask in SQL.
///
/// At most 30 s, 256 MB of memory and 10 000 rows, unless the configuration says otherwise. It runs on threads of its
/// own, so that a slow function in it holds nobody else up.
#[utoipa::path(post, path = "/api/v1/sql", operation_id = "sql", tag = "Queries", request_body = Sql,
    params(("x-signalbox-query-id" = Option<String>, Header, description = "A name for `DELETE /api/v1/queries/{id}`: 1 to 64 letters, digits, `-`, `_` or `.`.")),
    responses(
        (status = 200, description = "The answer.", body = Answer),
        (status = 499, description = "It was cancelled.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn ask(
    Caller(caller): Caller,
    State(app): State<App>,
    id: QueryId,
    Json(statement): Json<Sql>,
) -> Result<impl IntoResponse, ApiError> {
    let work = async { Ok(app.store.sql(&caller.project, &statement.sql).await?) };
    let query = (&id, QueryKind::Sql, app.clock.now());
    let answer = app.running().until_cancelled(&caller.project, query, &statement.sql, work).await?;
    Ok((id.header(), Json(answer)))
}
