//! The one question.

#[cfg(test)]
mod tests;

use axum::extract::State;
use axum::response::IntoResponse;
use signalbox_types::{Answer, Query};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;
use crate::running::{QueryId, QueryKind};

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
        ("Heaviest users" = (summary = "Cost of the five users who cost most, and of all others, by hour", value = json!({
            "time": {"from": "now-1d"},
            "measures": [{"fn": "sum", "column": "cost"}, {"fn": "rate"}, {"fn": "quantile", "q": 0.999, "column": "duration_ms"}],
            "group_by": ["user_id"],
            "top": 5,
            "bucket": "1h",
            "limit": 1000
        }))),
    )),
    params(("x-signalbox-query-id" = Option<String>, Header, description = "A name for `DELETE /api/v1/queries/{id}`: 1 to 64 letters, digits, `-`, `_` or `.`.")),
    responses(
        (status = 200, description = "The answer.", body = Answer),
        (status = 499, description = "It was cancelled.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn ask(
    Caller(caller): Caller,
    State(app): State<App>,
    id: QueryId,
    Json(query): Json<Query>,
) -> Result<impl IntoResponse, ApiError> {
    let work = async { Ok(app.store.query(&caller.project, &query).await?) };
    let text = serde_json::to_string(&query).unwrap_or_default();
    let running = (&id, QueryKind::Query, app.clock.now());
    let answer = app.running().until_cancelled(&caller.project, running, &text, work).await?;
    Ok((id.header(), Json(answer)))
}
