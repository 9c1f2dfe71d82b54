//! One trace, one span.

use signalbox_types::query::Order;
use signalbox_types::seam::EventStore;
use signalbox_types::table::{SCORES, SPANS};
use signalbox_types::{Filter, ProjectId, Query, SpanId, TimeRange, TraceId};

use super::step::{self, Step};
use super::{SpanDetail, TraceDetail, TraceScore, totals};
use crate::error::ApiError;
use crate::rows;

/// Spans of a trace that are answered at most.
const MAX_SPANS: usize = 50_000;
/// Scores likewise.
const MAX_SCORES: u32 = 1_000;

pub(super) async fn trace(store: &dyn EventStore, project: &ProjectId, id: TraceId) -> Result<TraceDetail, ApiError> {
    let read = step::of_traces(store, project, &[id], TimeRange::all(), true, MAX_SPANS).await?;
    let Some(mut summary) = totals::summarise(&read.steps) else {
        return Err(ApiError::not_found(format!("there is no trace `{id}` in this project")));
    };
    let (inputs, outputs) = totals::speakers(&read.steps);
    let step = |id: &SpanId| read.steps.iter().find(|step| step.span_id == *id);
    summary.input_preview = inputs.iter().find_map(|id| step(id)?.input_preview.clone());
    summary.output_preview = outputs.iter().find_map(|id| step(id)?.output_preview.clone());
    let spans = read.steps.into_iter().map(Step::summary).collect();
    let scores = scores(store, project, id).await?;
    Ok(TraceDetail { summary, spans, scores, truncated: read.truncated })
}

async fn scores(store: &dyn EventStore, project: &ProjectId, id: TraceId) -> Result<Vec<TraceScore>, ApiError> {
    let columns = ["id", "span_id", "time", "name", "value", "label", "passed", "source", "reason", "author"];
    let query = Query {
        table: SCORES.name.to_owned(),
        time: TimeRange::all(),
        filter: Some(Filter::equals("trace_id", id.to_string())),
        select: columns.map(str::to_owned).to_vec(),
        order: ["time", "id"].map(|by| Order { by: by.to_owned(), desc: false }).to_vec(),
        limit: Some(MAX_SCORES),
        ..Query::default()
    };
    rows::read(&store.query(project, &query).await?)
}

pub(super) async fn span(
    store: &dyn EventStore,
    project: &ProjectId,
    trace_id: TraceId,
    span_id: SpanId,
) -> Result<SpanDetail, ApiError> {
    let query = Query {
        table: SPANS.name.to_owned(),
        time: TimeRange::all(),
        filter: Some(Filter::All(vec![
            Filter::equals("trace_id", trace_id.to_string()),
            Filter::equals("span_id", span_id.to_string()),
        ])),
        select: SPANS.columns.iter().map(|column| column.name.to_owned()).collect(),
        limit: Some(1),
        ..Query::default()
    };
    let answer = store.query(project, &query).await?;
    let row = answer.objects().next();
    row.map(SpanDetail).ok_or_else(|| {
        ApiError::not_found(format!("there is no span `{span_id}` in trace `{trace_id}` of this project"))
    })
}
