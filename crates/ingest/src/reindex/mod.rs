//! Old spans, read again: the way of a span from the store through today's normaliser and back.
//!
//! Only spans that came by OTLP are read again, and only those that still have what was sent: where
//! retention has removed the bodies, the columns say more than could be read. A span that is sent
//! again or erased while its page is under way may be overtaken by its older version.

mod row;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use serde_json::Value;
use signalbox_prices::{PriceBook, Prices};
use signalbox_semconv::NORMALISER_VERSION;
use signalbox_types::query::{Function, Measure, Operator};
use signalbox_types::seam::{BoxStream, EventStore, Reindexed, Reindexer, StoreError};
use signalbox_types::table::SPANS;
use signalbox_types::{Answer, Filter, ProjectId, Query, Span, SpanSource, TimeRange};

use row::Row;

/// Spans that are read at once: each may have megabytes of messages.
const PAGE: u32 = 200;
/// A store that can't take a page is asked again so often.
const TRIES: u32 = 30;

/// Reads the spans of a store again.
#[derive(Debug, Clone)]
pub struct Reindex {
    store: Arc<dyn EventStore>,
    prices: Prices,
}

impl Reindex {
    /// Of this store, with these prices.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, prices: Prices) -> Self {
        Self { store, prices }
    }
}

impl Reindexer for Reindex {
    fn reindex(&self, project: &ProjectId, time: TimeRange) -> BoxStream<Result<Reindexed, StoreError>> {
        let pages = Query { filter: Some(old()), select: Row::columns(), time, limit: Some(PAGE), ..Query::of(&SPANS) };
        let run = Run {
            reindex: self.clone(),
            project: project.clone(),
            pages,
            counted: false,
            progress: Reindexed::default(),
        };
        Box::pin(stream::unfold(Some(run), |run| async move {
            let mut run = run?;
            match run.step().await {
                Ok(()) => {
                    let progress = run.progress;
                    Some((Ok(progress), (!progress.done).then_some(run)))
                }
                Err(error) => Some((Err(error), None)),
            }
        }))
    }
}

/// Spans that an earlier normaliser read (0 was none of them), and that have what it read.
fn old() -> Filter {
    let exists = |field: &str| Filter::compare(field, Operator::Exists, Value::Null);
    Filter::All(vec![
        Filter::equals("source", SpanSource::Otlp.as_str()),
        Filter::compare("normaliser_version", Operator::Greater, 0),
        Filter::compare("normaliser_version", Operator::Less, NORMALISER_VERSION),
        Filter::Any(vec![exists("attributes"), exists("events")]),
    ])
}

struct Run {
    reindex: Reindex,
    project: ProjectId,
    pages: Query,
    counted: bool,
    progress: Reindexed,
}

impl Run {
    async fn step(&mut self) -> Result<(), StoreError> {
        if !self.counted {
            self.progress.total = self.count().await?;
            self.counted = true;
            self.progress.done = self.progress.total == 0;
            return Ok(());
        }
        let answer = self.reindex.store.query(&self.project, &self.pages).await?;
        self.pages.cursor.clone_from(&answer.next_cursor);
        self.progress.done = answer.next_cursor.is_none();
        self.progress.spans += answer.rows.len() as u64;
        let (project, prices) = (self.project.clone(), self.reindex.prices.current());
        let work = move || read_again(&answer, &project, &prices);
        let page = tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Internal(error.to_string()))?;
        self.progress.changed += page.changed;
        self.progress.failed += page.failed;
        self.append(page.spans).await
    }

    async fn count(&self) -> Result<u64, StoreError> {
        let (filter, time) = (self.pages.filter.clone(), self.pages.time);
        let query = Query { filter, time, measures: vec![Measure::of(Function::Count, None)], ..Query::of(&SPANS) };
        let answer = self.reindex.store.query(&self.project, &query).await?;
        Ok(answer.rows.first().and_then(|row| row.first()?.as_u64()).unwrap_or(0))
    }

    /// Senders come first: while the store is full, this waits.
    async fn append(&self, spans: Vec<Span>) -> Result<(), StoreError> {
        if spans.is_empty() {
            return Ok(());
        }
        for _ in 1..TRIES {
            match self.reindex.store.append(spans.clone().into()).await {
                Err(StoreError::Full { retry_after_s }) => {
                    tokio::time::sleep(Duration::from_secs(u64::from(retry_after_s.max(1)))).await;
                }
                other => return other,
            }
        }
        self.reindex.store.append(spans.into()).await
    }
}

#[derive(Default)]
struct Page {
    spans: Vec<Span>,
    changed: u64,
    failed: u64,
}

fn read_again(answer: &Answer, project: &ProjectId, prices: &PriceBook) -> Page {
    let mut page = Page::default();
    for row in answer.objects().map(Row::new) {
        match row.read_again(project, prices) {
            Ok(span) => {
                page.changed += u64::from(row.differs(&span));
                page.spans.push(span);
            }
            Err(problem) => {
                tracing::warn!(span.id = row.id(), "span {} can't be normalised again: {problem}", row.id());
                page.failed += 1;
            }
        }
    }
    page
}
