//! Spans as they arrive, as server-sent events.

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use signalbox_text::{Matcher, TextQuery, json};
use signalbox_types::query::{Filter, InvalidQuery};
use signalbox_types::table::{Cell, ColumnType, Record, SPANS, Table};
use signalbox_types::{ErrorClass, Query, Span, TraceId};

use crate::auth::{self, Caller};
use crate::envelope::Params;
use crate::error::ApiError;
use crate::parts::{App, MAX_LIVE_STREAMS};
use crate::routes::traces::{SpanSummary, filter_param, first_chars};

/// Proxies cut a connection on which nothing happens, often after a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const PREVIEW_CHARS: usize = 80;

/// A span that was stored just now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct LiveSpan {
    /// The trace it belongs to.
    trace_id: TraceId,
    #[serde(flatten)]
    span: SpanSummary,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    /// The start of the last thing said to the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    input_preview: Option<String>,
    /// The start of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    output_preview: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens: Option<u64>,
}

/// Which spans.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LiveParams {
    /// A `Filter` as JSON, which a span must meet.
    filter: Option<String>,
    /// Words that must occur in the searchable columns, as in the `search` of a query.
    q: Option<String>,
}

/// Watch spans arrive.
///
/// A stream of server-sent events named `span`, each a `LiveSpan` as JSON. A reader that is too slow
/// misses some rather than hold anybody up; a comment every 15 s keeps the connection. The stream ends
/// when Signalbox stops; browsers reconnect by themselves.
#[utoipa::path(get, path = "/api/v1/live", operation_id = "watch_spans", tag = "Traces", params(LiveParams), responses(
    (status = 200, description = "Events named `span`.", body = LiveSpan, content_type = "text/event-stream"),
    (status = 503, description = "Too many live streams are open.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn watch(
    Caller(caller): Caller,
    State(app): State<App>,
    headers: HeaderMap,
    Params(params): Params<LiveParams>,
) -> Result<impl IntoResponse, ApiError> {
    let filter = filter_param(params.filter.as_deref())?;
    let search = params.q.filter(|text| !text.trim().is_empty()).map(|text| TextQuery::parse(&text)).transpose();
    let search = search.map_err(|error| InvalidQuery::new("q", error.to_string()))?;
    let question = Query { table: SPANS.name.to_owned(), filter, ..Query::default() };
    question.check()?;
    if question.filter.as_ref().is_some_and(Filter::asks_for_scores) {
        return Err(ApiError::invalid("filter", "a span that arrives has no scores yet; leave `score` out"));
    }
    let Ok(permit) = Arc::clone(app.live_streams()).try_acquire_owned() else {
        let message = format!("{MAX_LIVE_STREAMS} live streams are open, which is the limit; close some");
        return Err(ApiError { retry_after_s: Some(5), ..ApiError::new(ErrorClass::Overloaded, message) });
    };
    let mut stopping = app.stopping.clone();
    let spans = app.store.watch(&caller.project);
    // The key may be revoked and the session closed while the stream is open.
    let still_in = move || auth::principal(&headers, &app).is_ok();
    let still_in_later = still_in.clone();
    let stopped = async move {
        loop {
            // A sender that is gone means the same.
            let stops = tokio::time::timeout(KEEP_ALIVE, stopping.wait_for(|stopping| *stopping)).await.is_ok();
            if stops || !still_in_later() {
                break;
            }
        }
    };
    let spans = spans.take_while(move |_| std::future::ready(still_in()));
    let events = spans.filter_map(move |span| {
        let event = event(&span, question.filter.as_ref(), search.as_ref());
        std::future::ready(event.map(Ok))
    });
    let events = until(events, stopped, permit);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("still here")))
}

/// The stream until `end`; it holds its permit as long as it lives.
fn until<P: Send + 'static>(
    events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static,
    end: impl Future<Output = ()> + Send + 'static,
    permit: P,
) -> impl Stream<Item = Result<Event, Infallible>> + Send + 'static {
    events.take_until(end).map(move |event| {
        let _held = &permit;
        event
    })
}

fn event(span: &Span, filter: Option<&Filter>, search: Option<&TextQuery>) -> Option<Event> {
    let mut cells = Vec::with_capacity(SPANS.columns.len());
    span.cells(&mut cells);
    let wanted = filter.is_none_or(|filter| filter.matches(&SPANS, &cells));
    if !wanted || search.is_some_and(|search| !answers(&SPANS, &cells, search)) {
        return None;
    }
    Event::default().event("span").json_data(LiveSpan::of(span, &cells)).ok()
}

/// Whether the texts of the searchable columns answer a search.
fn answers(table: &Table, cells: &[Cell<'_>], search: &TextQuery) -> bool {
    let mut matcher = Matcher::new(search);
    for (column, cell) in table.columns.iter().zip(cells).filter(|(column, _)| column.searchable) {
        match cell {
            Cell::Text(text) if column.ty == ColumnType::Json => {
                json::each_text(text, &mut |text| matcher.read(text));
            }
            Cell::Text(text) => matcher.read(text),
            _ => {}
        }
    }
    matcher.matches()
}

impl LiveSpan {
    fn of(span: &Span, cells: &[Cell<'_>]) -> Self {
        let text = |name: &str| match SPANS.position(name).and_then(|position| cells.get(position)) {
            Some(Cell::Text(text)) => Some(text.clone().into_owned()),
            _ => None,
        };
        let (input_preview, output_preview) = (text("input_preview"), text("output_preview"));
        let preview =
            output_preview.as_deref().or(input_preview.as_deref()).map(|text| first_chars(text, PREVIEW_CHARS));
        Self {
            trace_id: span.trace_id,
            span: SpanSummary {
                span_id: span.span_id,
                parent_span_id: span.parent_span_id,
                name: span.name.clone(),
                kind: span.kind,
                source: span.source,
                start_time: span.start_time,
                duration_ms: span.duration_ms(),
                ttft_ms: span.ttft_ms,
                status: span.status,
                error_type: span.error_type.clone(),
                model: span.model().map(str::to_owned),
                total_tokens: span.usage.total(),
                cost: span.cost.map(|cost| cost.total),
                verdict: span.verdict,
                tool_name: span.tool_name.clone(),
                agent_name: span.agent_name.clone(),
                preview,
            },
            session_id: span.session_id.clone(),
            user_id: span.user_id.clone(),
            input_preview,
            output_preview,
            input_tokens: span.usage.input_tokens,
            output_tokens: span.usage.output_tokens,
        }
    }
}
