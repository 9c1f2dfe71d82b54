//! The naive model of an event store: a list for each kind of event, every query a walk over all of it.

mod evaluate;
mod value;

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::StreamExt;
use parking_lot::{Mutex, RwLock};
use signalbox_types::seam::{Arrival, BoxFuture, BoxStream, Clock, Erase, Erased, EventStore, StoreError, StoreStats};
use signalbox_types::table::{
    FINDINGS, FindingRow, LOGS, METRIC_POINTS, Minute, Minutes, Record, SCORES, SPAN_MINUTES,
};
use signalbox_types::{
    Answer, CountOnce, Events, FieldValues, LogRecord, MetricPoint, ProjectId, Query, Score, Span, SpanId, TopValues,
    TraceId,
};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use value::Row;

/// An event store in memory.
#[derive(Debug)]
pub struct MemoryStore {
    spans: RwLock<Vec<Arc<Span>>>,
    scores: RwLock<Vec<Score>>,
    logs: RwLock<Vec<LogRecord>>,
    metric_points: RwLock<Vec<MetricPoint>>,
    once: Mutex<CountOnce>,
    values: Mutex<TopValues>,
    live: broadcast::Sender<Arc<Span>>,
    clock: Arc<dyn Clock>,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            spans: RwLock::default(),
            scores: RwLock::default(),
            logs: RwLock::default(),
            metric_points: RwLock::default(),
            once: Mutex::default(),
            values: Mutex::default(),
            live: broadcast::channel(1_024).0,
            clock,
        }
    }

    /// All spans, in the order they were appended.
    #[must_use]
    pub fn spans(&self) -> Vec<Arc<Span>> {
        self.spans.read().clone()
    }

    /// All scores, in the order they were appended. Likewise the next two.
    #[must_use]
    pub fn scores(&self) -> Vec<Score> {
        self.scores.read().clone()
    }

    /// All log records.
    #[must_use]
    pub fn logs(&self) -> Vec<LogRecord> {
        self.logs.read().clone()
    }

    /// All data points.
    #[must_use]
    pub fn metric_points(&self) -> Vec<MetricPoint> {
        self.metric_points.read().clone()
    }

    fn rows(&self, project: &ProjectId, table: &str) -> Vec<Row> {
        if table == SCORES.name {
            return rows_of(&self.scores.read(), |score| score.project_id == *project);
        }
        if table == LOGS.name {
            return rows_of(&self.logs.read(), |log| log.project_id == *project);
        }
        if table == METRIC_POINTS.name {
            return rows_of(&self.metric_points.read(), |point| point.project_id == *project);
        }
        let spans = self.spans.read();
        let own = spans.iter().filter(|span| span.project_id == *project);
        if table == FINDINGS.name {
            return own
                .flat_map(|span| FindingRow::of(span).map(|finding| Row::of(&finding)).collect::<Vec<_>>())
                .collect();
        }
        if table == SPAN_MINUTES.name {
            let mut minutes = Minutes::default();
            own.for_each(|span| minutes.add(&Minute::of(span)));
            return minutes.into_rows().iter().map(Row::of).collect();
        }
        own.map(|span| Row::of(span.as_ref())).collect()
    }
}

impl EventStore for MemoryStore {
    fn append(&self, events: Events) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let Events { mut spans, scores, logs, metric_points } = events;
            keep(&self.scores, scores, |one, other| (&one.project_id, &one.id) == (&other.project_id, &other.id));
            keep(&self.logs, logs, |one, other| (&one.project_id, &one.id) == (&other.project_id, &other.id));
            keep(&self.metric_points, metric_points, |one, other| {
                (&one.project_id, &one.id) == (&other.project_id, &other.id)
            });
            self.once.lock().mark(&mut spans);
            self.values.lock().count(&spans);
            for span in spans {
                let span = Arc::new(span);
                let name = |span: &Span| (span.project_id.clone(), span.trace_id, span.span_id);
                let mut spans = self.spans.write();
                // The last version counts.
                spans.retain(|other| name(other) != name(&span));
                spans.push(Arc::clone(&span));
                drop(spans);
                // Nobody listening is no error.
                let _ = self.live.send(span);
            }
            Ok(())
        })
    }

    fn query<'a>(&'a self, project: &'a ProjectId, query: &'a Query) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move {
            let table = query.check()?;
            let scores = self.rows(project, SCORES.name);
            let rows = self.rows(project, table.name).into_iter().map(|row| row.judged_by(table, &scores)).collect();
            Ok(evaluate::evaluate(table, rows, query, self.clock.now())?)
        })
    }

    fn sql<'a>(&'a self, _: &'a ProjectId, _: &'a str) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async { Err(StoreError::Sql("the memory store answers no SQL".to_owned())) })
    }

    fn watch(&self, project: &ProjectId) -> BoxStream<Arc<Span>> {
        let project = project.clone();
        let spans = BroadcastStream::new(self.live.subscribe());
        Box::pin(spans.filter_map(move |span| {
            let own = span.ok().filter(|span| span.project_id == project);
            async move { own }
        }))
    }

    fn watch_all(&self) -> BoxStream<Arrival> {
        Box::pin(BroadcastStream::new(self.live.subscribe()).map(|span| match span {
            Ok(span) => Arrival::Span(span),
            Err(BroadcastStreamRecvError::Lagged(missed)) => Arrival::Missed(missed),
        }))
    }

    fn erase<'a>(&'a self, project: &'a ProjectId, what: &'a Erase) -> BoxFuture<'a, Result<Erased, StoreError>> {
        Box::pin(async move {
            let goes = |span: &Span| {
                span.project_id == *project
                    && match what {
                        Erase::UserId(user) => span.user_id.as_ref() == Some(user),
                        Erase::SessionId(session) => span.session_id.as_ref() == Some(session),
                        Erase::TraceId(trace) => span.trace_id.to_string() == *trace,
                    }
            };
            let mut spans = self.spans.write();
            let mut other_rows: u64 =
                spans.iter().filter(|span| goes(span)).map(|span| span.findings.len() as u64).sum();
            let gone = spans.iter().filter(|span| goes(span));
            let gone: HashSet<_> =
                gone.flat_map(|span| [(span.trace_id, Some(span.span_id)), (span.trace_id, None)]).collect();
            let hangs = |own: &ProjectId, trace: Option<TraceId>, span: Option<SpanId>, session: Option<&String>| {
                let named = match what {
                    Erase::UserId(_) => false,
                    Erase::SessionId(wanted) => session == Some(wanted),
                    Erase::TraceId(wanted) => trace.is_some_and(|trace| trace.to_string() == *wanted),
                };
                own == project && (named || trace.is_some_and(|trace| gone.contains(&(trace, span))))
            };
            self.scores.write().retain(|one| {
                let goes = hangs(&one.project_id, one.trace_id, one.span_id, one.session_id.as_ref());
                other_rows += u64::from(goes);
                !goes
            });
            self.logs.write().retain(|one| {
                let goes = hangs(&one.project_id, one.trace_id, one.span_id, one.session_id.as_ref());
                other_rows += u64::from(goes);
                !goes
            });
            let before = spans.len();
            self.values.lock().forget(project);
            spans.retain(|span| !goes(span));
            Ok(Erased { spans: (before - spans.len()) as u64, other_rows, files: 0, complete: true })
        })
    }

    fn fields(&self, project: &ProjectId, field: Option<&str>) -> Vec<FieldValues> {
        self.values.lock().list(project, field)
    }

    fn stats(&self) -> StoreStats {
        let others = self.scores.read().len() + self.logs.read().len() + self.metric_points.read().len();
        let rows = (self.spans.read().len() + others) as u64;
        StoreStats { memtable_rows: rows, appended_rows: rows, ..StoreStats::default() }
    }
}

/// The last version of each counts.
fn keep<R>(kept: &RwLock<Vec<R>>, new: Vec<R>, same: impl Fn(&R, &R) -> bool) {
    let mut kept = kept.write();
    for one in new {
        kept.retain(|other| !same(other, &one));
        kept.push(one);
    }
}

fn rows_of<R: Record>(records: &[R], own: impl Fn(&R) -> bool) -> Vec<Row> {
    records.iter().filter(|record| own(record)).map(Row::of).collect()
}

impl Row {
    fn of<R: Record>(record: &R) -> Self {
        let mut cells = Vec::new();
        record.cells(&mut cells);
        Self::new(cells)
    }
}
