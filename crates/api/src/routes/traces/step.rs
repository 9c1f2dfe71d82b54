//! A span as lists and trees read it: the hot columns, in one row.

use serde::Deserialize;
use serde_json::json;
use signalbox_types::query::{MAX_LIMIT, Operator};
use signalbox_types::seam::EventStore;
use signalbox_types::{
    Filter, Money, ProjectId, Query, SpanId, SpanKind, SpanSource, SpanStatus, TimeRange, Timestamp, TraceId, Verdict,
};

use super::SpanSummary;
use crate::error::ApiError;
use crate::rows;

/// Characters of a preview in a tree.
const TREE_PREVIEW_CHARS: usize = 80;

const COLUMNS: &[&str] = &[
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "kind",
    "source",
    "start_time",
    "end_time",
    "duration_ms",
    "ttft_ms",
    "status",
    "error_type",
    "model",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cost",
    "session_id",
    "user_id",
    "service_name",
    "environment",
    "tags",
    "verdict",
    "tool_name",
    "agent_name",
];

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Step {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) parent_span_id: Option<SpanId>,
    pub(super) name: String,
    pub(super) kind: SpanKind,
    pub(super) source: SpanSource,
    pub(super) start_time: Timestamp,
    pub(super) end_time: Timestamp,
    pub(super) duration_ms: f64,
    pub(super) ttft_ms: Option<f64>,
    pub(super) status: SpanStatus,
    pub(super) error_type: Option<String>,
    pub(super) model: Option<String>,
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
    pub(super) total_tokens: Option<u64>,
    pub(super) cost: Option<Money>,
    pub(super) session_id: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) service_name: Option<String>,
    pub(super) environment: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    pub(super) verdict: Option<Verdict>,
    pub(super) tool_name: Option<String>,
    pub(super) agent_name: Option<String>,
    pub(super) input_preview: Option<String>,
    pub(super) output_preview: Option<String>,
}

impl Step {
    /// It calls a model, so that tokens and money are its own and not those of its children.
    pub(super) fn is_call(&self) -> bool {
        matches!(self.kind, SpanKind::Llm | SpanKind::Embedding | SpanKind::Reranker)
    }

    pub(super) fn summary(self) -> SpanSummary {
        let preview = self.output_preview.or(self.input_preview);
        SpanSummary {
            span_id: self.span_id,
            parent_span_id: self.parent_span_id,
            name: self.name,
            kind: self.kind,
            source: self.source,
            start_time: self.start_time,
            duration_ms: self.duration_ms,
            ttft_ms: self.ttft_ms,
            status: self.status,
            error_type: self.error_type,
            model: self.model,
            total_tokens: self.total_tokens,
            cost: self.cost,
            verdict: self.verdict,
            tool_name: self.tool_name,
            agent_name: self.agent_name,
            preview: preview.map(|text| first_chars(&text, TREE_PREVIEW_CHARS)),
        }
    }
}

/// What was read, and whether there is more.
pub(super) struct Steps {
    pub(super) steps: Vec<Step>,
    pub(super) truncated: bool,
}

/// The spans of some traces, in the order they began; about `most` of them at most.
pub(super) async fn of_traces(
    store: &dyn EventStore,
    project: &ProjectId,
    traces: &[TraceId],
    time: TimeRange,
    previews: bool,
    most: usize,
) -> Result<Steps, ApiError> {
    let mut select: Vec<String> = COLUMNS.iter().map(|name| (*name).to_owned()).collect();
    if previews {
        select.extend(["input_preview".to_owned(), "output_preview".to_owned()]);
    }
    let filter = Some(in_traces(traces));
    let mut query =
        Query { table: "spans".to_owned(), time, filter, select, limit: Some(MAX_LIMIT), ..Query::default() };
    let mut steps: Vec<Step> = Vec::new();
    loop {
        let answer = store.query(project, &query).await?;
        steps.extend(rows::read::<Step>(&answer)?);
        query.cursor = answer.next_cursor;
        if query.cursor.is_none() || steps.len() >= most {
            break;
        }
    }
    steps.sort_by_key(|step| (step.start_time, step.span_id));
    Ok(Steps { steps, truncated: query.cursor.is_some() })
}

/// Spans of these traces.
pub(super) fn in_traces(traces: &[TraceId]) -> Filter {
    match traces {
        [trace] => Filter::equals("trace_id", trace.to_string()),
        traces => Filter::compare("trace_id", Operator::In, json!(traces)),
    }
}

/// The start of a text on one line, with a mark if something is left out.
pub(crate) fn first_chars(text: &str, most: usize) -> String {
    // White space is collapsed lazily: a preview never walks a whole book.
    let mut kept = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        for c in (count > 0).then_some(' ').into_iter().chain(word.chars()) {
            if count == most {
                kept.push('…');
                return kept;
            }
            kept.push(c);
            count += 1;
        }
    }
    kept
}
