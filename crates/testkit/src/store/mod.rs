//! The naive model of an event store: a list of spans, every query a walk over all of it.

mod evaluate;
mod value;

use std::sync::Arc;

use futures_util::StreamExt;
use parking_lot::{Mutex, RwLock};
use signalbox_types::seam::{BoxFuture, BoxStream, Clock, Erase, Erased, EventStore, StoreError, StoreStats};
use signalbox_types::table::{FINDINGS, FindingRow, Record};
use signalbox_types::{Answer, CountOnce, ProjectId, Query, Span};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

use value::Row;

/// An event store in memory.
#[derive(Debug)]
pub struct MemoryStore {
    spans: RwLock<Vec<Arc<Span>>>,
    once: Mutex<CountOnce>,
    live: broadcast::Sender<Arc<Span>>,
    clock: Arc<dyn Clock>,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { spans: RwLock::default(), once: Mutex::default(), live: broadcast::channel(1_024).0, clock }
    }

    /// All spans, in the order they were appended.
    #[must_use]
    pub fn spans(&self) -> Vec<Arc<Span>> {
        self.spans.read().clone()
    }

    fn rows(&self, project: &ProjectId, table: &str) -> Vec<Row> {
        let spans = self.spans.read();
        let own = spans.iter().filter(|span| span.project_id == *project);
        if table == FINDINGS.name {
            return own
                .flat_map(|span| FindingRow::of(span).map(|finding| Row::of(&finding)).collect::<Vec<_>>())
                .collect();
        }
        own.map(|span| Row::of(span.as_ref())).collect()
    }
}

impl EventStore for MemoryStore {
    fn append(&self, mut spans: Vec<Span>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.once.lock().mark(&mut spans);
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
            let rows = self.rows(project, table.name);
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
            let other_rows = spans.iter().filter(|span| goes(span)).map(|span| span.findings.len() as u64).sum();
            let before = spans.len();
            spans.retain(|span| !goes(span));
            Ok(Erased { spans: (before - spans.len()) as u64, other_rows, files: 0, complete: true })
        })
    }

    fn stats(&self) -> StoreStats {
        let rows = self.spans.read().len() as u64;
        StoreStats { memtable_rows: rows, appended_rows: rows, ..StoreStats::default() }
    }
}

impl Row {
    fn of<R: Record>(record: &R) -> Self {
        let mut cells = Vec::new();
        record.cells(&mut cells);
        Self::new(cells)
    }
}
