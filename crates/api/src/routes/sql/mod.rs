//! Read-only SQL over the event tables.

#[cfg(test)]
mod tests;

use axum::extract::State;
use serde::Deserialize;
use signalbox_types::Answer;

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

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
#[utoipa::path(post, path = "/api/v1/sql", operation_id = "sql", tag = "Queries", request_body = Sql, responses((status = 200, description = "The answer.", body = Answer)))]
pub(crate) async fn ask(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(statement): Json<Sql>,
) -> Result<Json<Answer>, ApiError> {
    Ok(Json(app.store.sql(&caller.project, &statement.sql).await?))
}
