//! The list: which traces, then what they are.
//!
//! Three `Query`s, in a search four. 1: for each trace, when its first matching span began, newest first (this is the
//! page). 2: the hot columns of all spans of those traces. 3: previews of the few spans that speak
//! for them. 4: where they answer the search. All are questions that a user can ask as well.
//!
//! The cursor holds the last trace's (first start, id) and where the range began. The next page asks
//! for spans up to that start: a trace that begins before it has a span before it, one that begins
//! after it has been shown, so no trace is shown twice or left out while new ones arrive. (A span that
//! arrives late and began earlier than all others of its trace may move that trace to a later page.)

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use signalbox_types::query::{Function, MAX_LIMIT as MAX_ROWS, Measure, Operator, Order, SEARCH_HIGHLIGHT};
use signalbox_types::seam::{EventStore, StoreError};
use signalbox_types::time::TimeBound;
use signalbox_types::{Filter, ProjectId, Query, SpanId, TimeRange, Timestamp, TraceId};

use super::step::{self, Step};
use super::{Highlight, TracePage, TraceSummary, totals};
use crate::error::ApiError;
use crate::rows;

/// Traces on a page, unless fewer or more are asked for.
pub(super) const DEFAULT_LIMIT: u32 = 50;
/// Traces on a page at most.
pub(super) const MAX_LIMIT: u32 = 200;

/// Spans of a trace are looked for so long before and after the span by which it was found. Wider
/// would read more files for each page; narrower would cut the long runs of agents.
const REACH: Duration = Duration::from_secs(6 * 3_600);

/// Spans that the traces of one page may have together.
const MAX_SPANS: usize = 200_000;

/// Spans of a page's traces that are looked at for what answers a search.
const HIGHLIGHTED_SPANS: u32 = 500;

/// Which traces are wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) time: TimeRange,
    pub(super) filter: Option<Filter>,
    pub(super) search: Option<String>,
    pub(super) limit: u32,
    pub(super) cursor: Option<Cursor>,
}

/// Where the page before ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    from: Timestamp,
    first: Timestamp,
    trace_id: TraceId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.from.as_micros(), self.first.as_micros(), self.trace_id)
    }
}

impl FromStr for Cursor {
    type Err = ApiError;

    fn from_str(text: &str) -> Result<Self, ApiError> {
        let mut parts = text.splitn(3, '.');
        let mut micros = || parts.next().and_then(|part| part.parse().ok()).map(Timestamp::from_micros);
        let (from, first) = (micros(), micros());
        match (from, first, parts.next().and_then(|id| id.parse().ok())) {
            (Some(from), Some(first), Some(trace_id)) => Ok(Self { from, first, trace_id }),
            _ => Err(ApiError::invalid("cursor", "is no cursor; send the `next_cursor` of the page before, or none")),
        }
    }
}

/// A trace that is on the page, and when its first matching span began.
#[derive(Debug, Deserialize)]
struct Found {
    trace_id: TraceId,
    first: Timestamp,
}

pub(super) async fn read(
    store: &dyn EventStore,
    project: &ProjectId,
    now: Timestamp,
    wanted: &Wanted,
) -> Result<TracePage, ApiError> {
    let (from, to) = range(wanted, now)?;
    let answer = store.query(project, &page_query(wanted, from, to)).await?;
    let mut found: Vec<Found> = rows::read(&answer)?;
    let more = found.len() > wanted.limit as usize;
    found.truncate(wanted.limit as usize);
    let Some(last) = found.last() else { return Ok(TracePage { traces: Vec::new(), next_cursor: None }) };
    let next_cursor = more.then(|| Cursor { from, first: last.first, trace_id: last.trace_id }.to_string());
    let mut traces = summaries(store, project, &found).await?;
    if let Some(search) = &wanted.search {
        let mut highlights = highlights(store, project, wanted, search, &found).await?;
        for trace in &mut traces {
            trace.search_highlight = highlights.remove(&trace.trace_id);
        }
    }
    Ok(TracePage { traces, next_cursor })
}

fn range(wanted: &Wanted, now: Timestamp) -> Result<(Timestamp, Timestamp), ApiError> {
    let (from, to) = wanted.time.resolve(now);
    if let Some(cursor) = wanted.cursor {
        return Ok((cursor.from, cursor.first.plus(Duration::from_micros(1))));
    }
    if from >= to {
        return Err(ApiError::invalid("from", "is not before `to`; expected an earlier moment, e.g. `now-1h`"));
    }
    Ok((from, to))
}

fn page_query(wanted: &Wanted, from: Timestamp, to: Timestamp) -> Query {
    // Of the traces that began at the very microsecond of the cursor, those with a smaller id are left.
    let after_cursor = wanted.cursor.map(|cursor| {
        let earlier = Filter::compare("start_time", Operator::Less, cursor.first.to_string());
        Filter::Any(vec![earlier, Filter::compare("trace_id", Operator::Less, cursor.trace_id.to_string())])
    });
    let filters: Vec<Filter> = wanted.filter.iter().cloned().chain(after_cursor).collect();
    let first = Measure::of(Function::Min, Some("start_time")).named("first");
    let desc = |by: &str| Order { by: by.to_owned(), desc: true };
    Query {
        table: "spans".to_owned(),
        time: TimeRange { from: TimeBound::At(from), to: TimeBound::At(to) },
        filter: (!filters.is_empty()).then_some(Filter::All(filters)),
        search: wanted.search.clone(),
        measures: vec![first],
        group_by: vec!["trace_id".to_owned()],
        order: vec![desc("first"), desc("trace_id")],
        limit: Some(wanted.limit + 1),
        ..Query::default()
    }
}

async fn summaries(
    store: &dyn EventStore,
    project: &ProjectId,
    found: &[Found],
) -> Result<Vec<TraceSummary>, ApiError> {
    let ids: Vec<TraceId> = found.iter().map(|found| found.trace_id).collect();
    let time = around(found);
    let steps = step::of_traces(store, project, &ids, time, false, MAX_SPANS).await?;
    if steps.truncated {
        let problem =
            format!("these {} traces have more than {MAX_SPANS} spans together; ask for fewer traces", ids.len());
        return Err(ApiError::invalid("limit", problem));
    }
    let mut by_trace: HashMap<TraceId, Vec<Step>> = HashMap::new();
    for step in steps.steps {
        by_trace.entry(step.trace_id).or_default().push(step);
    }
    let previews = previews(store, project, &ids, time, &by_trace).await?;
    let summary = |id: &TraceId| {
        let steps = by_trace.get(id)?;
        let mut summary = totals::summarise(steps)?;
        let (inputs, outputs) = totals::speakers(steps);
        let preview = |span: &SpanId| previews.get(&(*id, *span));
        summary.input_preview = inputs.iter().find_map(|span| preview(span)?.input_preview.clone());
        summary.output_preview = outputs.iter().find_map(|span| preview(span)?.output_preview.clone());
        Some(summary)
    };
    Ok(ids.iter().filter_map(summary).collect())
}

/// The range in which the spans of the traces on a page are.
fn around(found: &[Found]) -> TimeRange {
    let newest = found.iter().map(|found| found.first).max().unwrap_or_default();
    let oldest = found.iter().map(|found| found.first).min().unwrap_or_default();
    TimeRange { from: TimeBound::At(oldest.minus(REACH)), to: TimeBound::At(newest.plus(REACH)) }
}

#[derive(Debug, Deserialize)]
struct Highlighted {
    trace_id: TraceId,
    search_highlight: Option<Highlight>,
}

/// Where each of the traces answers the search.
async fn highlights(
    store: &dyn EventStore,
    project: &ProjectId,
    wanted: &Wanted,
    search: &str,
    found: &[Found],
) -> Result<HashMap<TraceId, Highlight>, ApiError> {
    let ids: Vec<TraceId> = found.iter().map(|found| found.trace_id).collect();
    let query = Query {
        table: "spans".to_owned(),
        time: around(found),
        filter: Some(Filter::All(wanted.filter.iter().cloned().chain([step::in_traces(&ids)]).collect())),
        search: Some(search.to_owned()),
        select: vec!["trace_id".to_owned(), SEARCH_HIGHLIGHT.to_owned()],
        limit: Some(HIGHLIGHTED_SPANS),
        ..Query::default()
    };
    let answer = match store.query(project, &query).await {
        // The texts are too long to read them all: the list is good without.
        Err(StoreError::Limit(_)) => return Ok(HashMap::new()),
        answer => answer?,
    };
    let rows: Vec<Highlighted> = rows::read(&answer)?;
    let mut highlights = HashMap::new();
    for row in rows {
        if let Some(highlight) = row.search_highlight {
            highlights.entry(row.trace_id).or_insert(highlight);
        }
    }
    Ok(highlights)
}

#[derive(Debug, Deserialize)]
struct Preview {
    trace_id: TraceId,
    span_id: SpanId,
    input_preview: Option<String>,
    output_preview: Option<String>,
}

async fn previews(
    store: &dyn EventStore,
    project: &ProjectId,
    traces: &[TraceId],
    time: TimeRange,
    by_trace: &HashMap<TraceId, Vec<Step>>,
) -> Result<HashMap<(TraceId, SpanId), Preview>, ApiError> {
    let mut speakers: Vec<SpanId> = by_trace
        .values()
        .flat_map(|steps| {
            let (inputs, outputs) = totals::speakers(steps);
            inputs.into_iter().chain(outputs)
        })
        .collect();
    speakers.sort_unstable();
    speakers.dedup();
    let spans = Filter::compare("span_id", Operator::In, json!(speakers));
    let select = ["trace_id", "span_id", "input_preview", "output_preview"];
    let query = Query {
        table: "spans".to_owned(),
        time,
        filter: Some(Filter::All(vec![step::in_traces(traces), spans])),
        select: select.map(str::to_owned).to_vec(),
        limit: Some(MAX_ROWS),
        ..Query::default()
    };
    let answer = store.query(project, &query).await?;
    let rows: Vec<Preview> = rows::read(&answer)?;
    Ok(rows.into_iter().map(|row| ((row.trace_id, row.span_id), row)).collect())
}
