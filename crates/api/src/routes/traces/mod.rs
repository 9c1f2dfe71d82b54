//! Traces: the list, one of them, one of its spans.

mod detail;
mod page;
mod shape;
mod step;
#[cfg(test)]
mod tests;
mod totals;

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use signalbox_text::TextQuery;
use signalbox_types::query::InvalidQuery;
use signalbox_types::time::TimeBound;
use signalbox_types::{
    Filter, Money, ScoreSource, SpanId, SpanKind, SpanSource, SpanStatus, TimeRange, Timestamp, TraceId, Verdict,
};

use crate::auth::Caller;
use crate::envelope::{Json, Params, parse};
use crate::error::ApiError;
use crate::parts::App;

pub(crate) use shape::SpanDetail;
pub(crate) use step::first_chars;

/// A trace in a list. Sums count a call once, even where the gateway and an SDK both tell of it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub(crate) struct TraceSummary {
    /// The trace.
    pub(crate) trace_id: TraceId,
    /// Name of its root span.
    pub(crate) name: String,
    /// Kind of its root span.
    pub(crate) kind: SpanKind,
    /// How its root span came here.
    pub(crate) source: SpanSource,
    /// When its first span began.
    pub(crate) start_time: Timestamp,
    /// From the start of its first span to the end of its last.
    pub(crate) duration_ms: f64,
    /// How its root span ended.
    pub(crate) status: SpanStatus,
    /// `error.type` of the root span, or else of the first span that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_type: Option<String>,
    /// Spans.
    pub(crate) span_count: u64,
    /// Spans that failed.
    pub(crate) error_count: u64,
    /// Models that were called, in the order of their first call.
    pub(crate) models: Vec<String>,
    /// Input tokens of all calls; absent if no call said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input_tokens: Option<u64>,
    /// Output tokens of all calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_tokens: Option<u64>,
    /// Input and output tokens of all calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total_tokens: Option<u64>,
    /// Cost of all calls whose cost is known; absent if none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost: Option<Money>,
    /// Time to the first token of the root span, or else of the first call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttft_ms: Option<f64>,
    /// Session of the root span, or else of the first span that has one. Likewise the next three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<String>,
    /// Labels of all its spans, sorted.
    pub(crate) tags: Vec<String>,
    /// The strongest guardrail verdict; absent if no guardrail looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verdict: Option<Verdict>,
    /// The start of what went in: of the root span, or else of the first call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input_preview: Option<String>,
    /// The start of what came out: of the root span, or else of the last call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_preview: Option<String>,
    /// In a search: where one of its spans answers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) search_highlight: Option<Highlight>,
}

/// A piece of text that answers a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Highlight {
    /// The column that the text is in.
    pub(crate) column: String,
    /// The piece; `…` at its ends where the text goes on.
    pub(crate) snippet: String,
    /// Where the hits stand in it: first character and the one after the last, counted in characters.
    #[schema(value_type = Vec<Vec<u32>>)]
    pub(crate) ranges: Vec<[u32; 2]>,
}

/// A page of traces.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TracePage {
    /// Newest first.
    pub(crate) traces: Vec<TraceSummary>,
    /// Where the next page starts, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

/// A span in the tree of its trace: everything but what was said.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub(crate) struct SpanSummary {
    pub(crate) span_id: SpanId,
    /// The span that caused it; absent on roots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent_span_id: Option<SpanId>,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) source: SpanSource,
    pub(crate) start_time: Timestamp,
    pub(crate) duration_ms: f64,
    /// Time to the first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttft_ms: Option<f64>,
    pub(crate) status: SpanStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_type: Option<String>,
    /// The model that answered, or else the one asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verdict: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agent_name: Option<String>,
    /// The first characters of what came out, or else of what went in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) preview: Option<String>,
}

/// A judgement of a trace or of one of its spans.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct TraceScore {
    pub(crate) id: String,
    /// The span it judges; absent if it judges the whole trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) span_id: Option<SpanId>,
    pub(crate) time: Timestamp,
    /// What was judged.
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    /// Good enough?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) passed: Option<bool>,
    /// Who judged.
    pub(crate) source: ScoreSource,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
}

/// A trace with its tree.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TraceDetail {
    #[serde(flatten)]
    pub(crate) summary: TraceSummary,
    /// Its spans in the order they began.
    pub(crate) spans: Vec<SpanSummary>,
    /// Judgements of it and its spans, oldest first; the 1000 oldest if there are more.
    pub(crate) scores: Vec<TraceScore>,
    /// It has more spans than are answered; `POST /api/v1/query` reads the others.
    pub(crate) truncated: bool,
}

/// Which traces.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TraceParams {
    /// The first moment: RFC 3339, or relative like `now-15m`. By default `now-1h`.
    #[param(example = "now-1h")]
    from: Option<String>,
    /// The first moment after. By default `now`.
    #[param(example = "now")]
    to: Option<String>,
    /// Words that must occur in one of the spans, as in the `search` of a query: all of them, `"a phrase"`,
    /// `pre*`, `-without`, `this OR that`.
    q: Option<String>,
    /// A `Filter` as JSON, which one of the spans must meet: `{"field":"status","op":"=","value":"error"}`.
    filter: Option<String>,
    /// Traces at most: 1 to 200, by default 50.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, example = 50)]
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List traces.
///
/// A trace is on the list if one of its spans in the range meets the filter and the text; the numbers
/// are about the whole trace. Ordered by the first such span, newest first, so that a page stays what
/// it is while new spans arrive.
#[utoipa::path(get, path = "/api/v1/traces", operation_id = "list_traces", tag = "Traces", params(TraceParams), responses((status = 200, description = "A page of traces.", body = TracePage)))]
pub(crate) async fn list(
    Caller(caller): Caller,
    State(app): State<App>,
    Params(params): Params<TraceParams>,
) -> Result<Json<TracePage>, ApiError> {
    let wanted = params.check()?;
    Ok(Json(page::read(app.store.as_ref(), &caller.project, app.clock.now(), &wanted).await?))
}

/// Show a trace.
///
/// The tree of its spans without what was said; `GET …/spans/{span_id}` reads that.
#[utoipa::path(get, path = "/api/v1/traces/{trace_id}", operation_id = "show_trace", tag = "Traces",
    params(("trace_id" = String, Path, description = "32 hexadecimal digits.")),
    responses(
        (status = 200, description = "The trace.", body = TraceDetail),
        (status = 404, description = "There is no such trace in this project.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn show(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(trace_id): Path<String>,
) -> Result<Json<TraceDetail>, ApiError> {
    let trace_id: TraceId = trace_id.parse().map_err(|error| ApiError::invalid("trace_id", error))?;
    Ok(Json(detail::trace(app.store.as_ref(), &caller.project, trace_id).await?))
}

/// Show a span.
///
/// Every column of the table `spans`, with messages, tools and attributes.
#[utoipa::path(get, path = "/api/v1/traces/{trace_id}/spans/{span_id}", operation_id = "show_span", tag = "Traces",
    params(
        ("trace_id" = String, Path, description = "32 hexadecimal digits."),
        ("span_id" = String, Path, description = "16 hexadecimal digits."),
    ),
    responses(
        (status = 200, description = "The span.", body = SpanDetail),
        (status = 404, description = "There is no such span in this project.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn span(
    Caller(caller): Caller,
    State(app): State<App>,
    Path((trace_id, span_id)): Path<(String, String)>,
) -> Result<Json<SpanDetail>, ApiError> {
    let trace_id: TraceId = trace_id.parse().map_err(|error| ApiError::invalid("trace_id", error))?;
    let span_id: SpanId = span_id.parse().map_err(|error| ApiError::invalid("span_id", error))?;
    Ok(Json(detail::span(app.store.as_ref(), &caller.project, trace_id, span_id).await?))
}

impl TraceParams {
    fn check(self) -> Result<page::Wanted, ApiError> {
        let bound = |name: &str, text: Option<String>, default: TimeBound| match text.filter(|text| !text.is_empty()) {
            Some(text) => text.parse::<TimeBound>().map_err(|error| ApiError::invalid(name, error)),
            None => Ok(default),
        };
        let default = TimeRange::default();
        let time = TimeRange { from: bound("from", self.from, default.from)?, to: bound("to", self.to, default.to)? };
        let limit = match self.limit.as_deref() {
            None | Some("") => page::DEFAULT_LIMIT,
            Some(text) => text.parse().ok().filter(|limit| (1..=page::MAX_LIMIT).contains(limit)).ok_or_else(|| {
                ApiError::invalid(
                    "limit",
                    format!("`{}` is out of range; expected 1 to {}", first_chars(text, 20), page::MAX_LIMIT),
                )
            })?,
        };
        let cursor = self.cursor.filter(|text| !text.is_empty()).map(|text| text.parse()).transpose()?;
        let search = self.q.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        if let Some(text) = &search {
            TextQuery::parse(text).map_err(|error| InvalidQuery::new("q", error.to_string()))?;
        }
        Ok(page::Wanted { time, filter: filter_param(self.filter.as_deref())?, search, limit, cursor })
    }
}

/// A filter in a parameter, as JSON.
pub(crate) fn filter_param(text: Option<&str>) -> Result<Option<Filter>, ApiError> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let filter = parse(text.as_bytes()).map_err(|error| {
        ApiError::invalid("filter", error.message)
            .hint(r#"write JSON like {"field":"status","op":"=","value":"error"}, percent-encoded"#)
    })?;
    Ok(Some(filter))
}
