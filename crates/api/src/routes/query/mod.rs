//! The one question.

#[cfg(test)]
mod tests;

use axum::extract::State;
use signalbox_types::{Answer, Query};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

/// Ask a question.
///
/// Rows (`select`), or numbers (`measures`, by `group_by` and `bucket`), of one table, in a range of
/// time. Every number that the web UI shows is the answer to such a query.
#[utoipa::path(post, path = "/api/v1/query", operation_id = "query", tag = "Queries",
    request_body(content = Query, examples(
        ("Calls by model" = (summary = "Calls, cost and latency by model over the last day", value = json!({
            "time": {"from": "now-1d", "to": "now"},
            "filter": {"field": "kind", "op": "=", "value": "llm"},
            "measures": [{"fn": "count"}, {"fn": "sum", "column": "cost"}, {"fn": "p95", "column": "duration_ms"}],
            "group_by": ["model"]
        }))),
        ("Errors over time" = (summary = "Failed calls by minute", value = json!({
            "filter": {"field": "status", "op": "=", "value": "error"},
            "measures": [{"fn": "count"}],
            "bucket": "1m"
        }))),
        ("Slow calls" = (summary = "The newest calls that took more than five seconds", value = json!({
            "filter": {"field": "duration_ms", "op": ">", "value": 5000},
            "select": ["start_time", "trace_id", "name", "model", "duration_ms"],
            "limit": 20
        }))),
    )),
    responses((status = 200, description = "The answer.", body = Answer)))]
pub(crate) async fn ask(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(query): Json<Query>,
) -> Result<Json<Answer>, ApiError> {
    Ok(Json(app.store.query(&caller.project, &query).await?))
}
