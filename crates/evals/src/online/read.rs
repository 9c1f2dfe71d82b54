//! What the worker asks the store: spans by id, what retrievers of their traces found, which scores there are already.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use signalbox_types::query::{MAX_LIMIT, Operator};
use signalbox_types::seam::{EventStore, StoreError};
use signalbox_types::table::{SCORES, SPANS};
use signalbox_types::time::TimeBound;
use signalbox_types::{Answer, Filter, ProjectId, Query, Span, SpanId, SpanKind, TimeRange, Timestamp, TraceId};

use super::mapping;

/// A retriever ran at most so long before the call that uses what it found.
const BEFORE: Duration = Duration::from_secs(3_600);
const MICRO: Duration = Duration::from_micros(1);
const BODIES: [&str; 17] = [
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "kind",
    "start_time",
    "end_time",
    "session_id",
    "input_preview",
    "output_preview",
    "tools",
    "input_messages",
    "output_messages",
    "input",
    "output",
    "attributes",
    "model",
];

/// A span by its ids, and when it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

/// A stretch of time, without its end.
pub(super) fn between(from: Timestamp, to: Timestamp) -> TimeRange {
    TimeRange { from: TimeBound::At(from), to: TimeBound::At(to) }
}

/// The spans on a page of a query, and where the next page begins.
pub(super) async fn ids(
    store: &dyn EventStore,
    project: &ProjectId,
    filter: Filter,
    (from, to): (Timestamp, Timestamp),
    (limit, cursor): (u32, Option<String>),
) -> Result<(Vec<Found>, Option<String>), StoreError> {
    let select = ["trace_id", "span_id", "start_time", "end_time"].map(str::to_owned).to_vec();
    let query = Query {
        time: between(from, to),
        filter: Some(filter),
        select,
        limit: Some(limit),
        cursor,
        ..Query::of(&SPANS)
    };
    let answer = store.query(project, &query).await?;
    let found = answer.objects().filter_map(|mut row| {
        Some(Found {
            trace_id: take(&mut row, "trace_id")?,
            span_id: take(&mut row, "span_id")?,
            start: take(&mut row, "start_time")?,
            end: take(&mut row, "end_time")?,
        })
    });
    Ok((found.collect(), answer.next_cursor))
}

/// Which scores of a rule these spans have.
pub(super) async fn scored(
    store: &dyn EventStore,
    project: &ProjectId,
    rule: &str,
    spans: &[Found],
) -> Result<HashMap<(TraceId, SpanId), HashSet<String>>, StoreError> {
    let mut scored: HashMap<(TraceId, SpanId), HashSet<String>> = HashMap::new();
    let ends = spans.iter().map(|span| span.end);
    let (Some(from), Some(to)) = (ends.clone().min(), ends.max()) else { return Ok(scored) };
    let filter =
        Filter::All(vec![Filter::equals("metadata.rule", rule), one_of_traces(spans.iter().map(|span| span.trace_id))]);
    let mut query = Query {
        time: between(from, to.plus(MICRO)),
        filter: Some(filter),
        select: ["trace_id", "span_id", "name"].map(str::to_owned).to_vec(),
        limit: Some(MAX_LIMIT),
        ..Query::of(&SCORES)
    };
    loop {
        let answer = store.query(project, &query).await?;
        for mut row in answer.objects() {
            let ids = take(&mut row, "trace_id").zip(take(&mut row, "span_id"));
            if let Some((ids, name)) = ids.zip(take(&mut row, "name")) {
                scored.entry(ids).or_default().insert(name);
            }
        }
        match answer.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok(scored),
        }
    }
}

/// These spans, and whether what was said in them has been removed.
pub(super) async fn spans(
    store: &dyn EventStore,
    project: &ProjectId,
    found: &[Found],
) -> Result<Vec<(Span, bool)>, StoreError> {
    let starts = found.iter().map(|span| span.start);
    let (Some(from), Some(to)) = (starts.clone().min(), starts.max()) else { return Ok(Vec::new()) };
    let ids: Vec<Value> = found.iter().map(|span| span.span_id.to_string().into()).collect();
    let traces = one_of_traces(found.iter().map(|span| span.trace_id));
    let query = Query {
        time: between(from, to.plus(MICRO)),
        filter: Some(Filter::All(vec![traces, Filter::compare("span_id", Operator::In, ids)])),
        select: BODIES.map(str::to_owned).to_vec(),
        limit: Some(MAX_LIMIT),
        ..Query::of(&SPANS)
    };
    let answer = store.query(project, &query).await?;
    let wanted: HashSet<_> = found.iter().map(|span| (span.trace_id, span.span_id)).collect();
    let read = answer.objects().filter_map(|row| span(project, row));
    Ok(read.filter(|(span, _)| wanted.contains(&(span.trace_id, span.span_id))).collect())
}

/// The newest spans that meet a filter, with their bodies.
pub(super) async fn newest(
    store: &dyn EventStore,
    project: &ProjectId,
    filter: Filter,
    time: TimeRange,
    limit: u32,
) -> Result<Vec<Span>, StoreError> {
    let query = Query {
        time,
        filter: Some(filter),
        select: BODIES.map(str::to_owned).to_vec(),
        limit: Some(limit),
        ..Query::of(&SPANS)
    };
    let answer = store.query(project, &query).await?;
    Ok(answer.objects().filter_map(|row| span(project, row)).map(|(span, _)| span).collect())
}

fn span(project: &ProjectId, mut row: Map<String, Value>) -> Option<(Span, bool)> {
    let (trace_id, span_id) = (take(&mut row, "trace_id")?, take(&mut row, "span_id")?);
    let name: String = take(&mut row, "name")?;
    let mut span = Span::new(project.clone(), trace_id, span_id, name, take(&mut row, "start_time")?);
    span.end_time = take(&mut row, "end_time")?;
    span.parent_span_id = take(&mut row, "parent_span_id");
    span.kind = take(&mut row, "kind").unwrap_or(SpanKind::Span);
    span.session_id = take(&mut row, "session_id");
    span.model_requested = take(&mut row, "model");
    let had = row.contains_key("input_preview") || row.contains_key("output_preview");
    let bodies = ["input_messages", "output_messages", "input", "output"];
    let gone = had && bodies.iter().all(|name| !row.contains_key(*name));
    span.tools = take(&mut row, "tools").unwrap_or_default();
    span.input_messages = take(&mut row, "input_messages").unwrap_or_default();
    span.output_messages = take(&mut row, "output_messages").unwrap_or_default();
    (span.input, span.output) = (row.remove("input"), row.remove("output"));
    span.attributes = take(&mut row, "attributes").unwrap_or_default();
    Some((span, gone))
}

/// What retrievers found, by trace: when they began, and the texts.
pub(super) type Contexts = HashMap<TraceId, Vec<(Timestamp, Vec<String>)>>;

/// What retrievers of these spans' traces found.
pub(super) async fn contexts(
    store: &dyn EventStore,
    project: &ProjectId,
    spans: &[&Span],
) -> Result<Contexts, StoreError> {
    let mut contexts = Contexts::new();
    let from = spans.iter().map(|span| span.start_time).min();
    let to = spans.iter().map(|span| span.end_time).max();
    let (Some(from), Some(to)) = (from, to) else { return Ok(contexts) };
    let retrievers = Filter::equals("kind", SpanKind::Retriever.as_str());
    let query = Query {
        time: between(from.minus(BEFORE), to.plus(MICRO)),
        filter: Some(Filter::All(vec![retrievers, one_of_traces(spans.iter().map(|span| span.trace_id))])),
        select: ["trace_id", "start_time", "output"].map(str::to_owned).to_vec(),
        limit: Some(MAX_LIMIT),
        ..Query::of(&SPANS)
    };
    let answer: Answer = store.query(project, &query).await?;
    for mut row in answer.objects() {
        let (Some(trace), Some(start)) = (take(&mut row, "trace_id"), take(&mut row, "start_time")) else { continue };
        let texts = row.get("output").map(mapping::texts_of).unwrap_or_default();
        if !texts.is_empty() {
            contexts.entry(trace).or_default().push((start, texts));
        }
    }
    contexts.values_mut().for_each(|found| found.sort_by_key(|(start, _)| *start));
    Ok(contexts)
}

/// The texts that a span could know.
pub(super) fn known(contexts: &Contexts, span: &Span) -> Vec<String> {
    let found = contexts.get(&span.trace_id).into_iter().flatten();
    found.filter(|(start, _)| *start <= span.end_time).flat_map(|(_, texts)| texts.iter().cloned()).collect()
}

fn one_of_traces(traces: impl Iterator<Item = TraceId>) -> Filter {
    let traces: HashSet<TraceId> = traces.collect();
    let traces: Vec<Value> = traces.into_iter().map(|trace| trace.to_string().into()).collect();
    Filter::compare("trace_id", Operator::In, traces)
}

fn take<T: DeserializeOwned>(row: &mut Map<String, Value>, name: &str) -> Option<T> {
    serde_json::from_value(row.remove(name)?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_span_whose_bodies_were_removed_is_told_from_one_that_had_none() {
        let mut row = json!({
            "trace_id": "11111111111111110000000000000001", "span_id": "0000000000000002", "name": "chat m", "kind": "llm",
            "start_time": "2026-11-24T08:00:00Z", "end_time": "2026-11-24T08:00:01Z"
        });
        let read = |row: &Value| span(&ProjectId::new("p"), row.as_object().unwrap().clone()).unwrap();
        assert!(!read(&row).1, "it had none");
        row["output_preview"] = json!("Answer");
        assert!(read(&row).1);
        row["output_messages"] = json!([{"role": "assistant", "parts": [{"type": "text", "content": "Answer"}]}]);
        let (span, gone) = read(&row);
        assert!(!gone && span.output_messages[0].readable() == "Answer" && span.kind == SpanKind::Llm);
    }
}
