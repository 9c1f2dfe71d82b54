use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use signalbox_types::Span;
use signalbox_types::seam::{EventStore, Full, SpanSink, StoreError};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::error;

/// Spans that are appended at once.
const BATCH: usize = 512;
/// Bytes of spans that may wait, about: some calls are a thousand times as large as others.
const WAITING_BYTES: usize = 128 << 20;
/// How long a store that is full may take to have room for a batch.
const PATIENCE: Duration = Duration::from_secs(2);
/// Losses are logged once in this time.
const SAY_AGAIN: Duration = Duration::from_secs(10);

/// The bounded queue between the gateway and the store: taking a span never waits for the disk.
/// What it can't take, or the store refuses, is counted as shed.
#[derive(Debug)]
pub struct SpanQueue {
    sender: Mutex<Option<mpsc::Sender<Span>>>,
    counters: Arc<Counters>,
    finished: watch::Receiver<bool>,
}

#[derive(Debug, Default)]
struct Counters {
    depth: AtomicUsize,
    bytes: AtomicUsize,
    shed: AtomicU64,
}

impl SpanQueue {
    /// Starts a queue for so many spans, and the task that empties it into the store. The task ends
    /// after [`SpanQueue::drain`].
    pub fn start(store: Arc<dyn EventStore>, capacity: usize) -> (Arc<Self>, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        let (finish, finished) = watch::channel(false);
        let counters = Arc::new(Counters::default());
        let task = tokio::spawn({
            let counters = Arc::clone(&counters);
            async move {
                empty(&*store, receiver, &counters).await;
                // Nobody may be waiting for it.
                let _ = finish.send(true);
            }
        });
        (Arc::new(Self { sender: Mutex::new(Some(sender)), counters, finished }), task)
    }

    /// Spans that wait.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.counters.depth.load(Ordering::Relaxed)
    }

    /// Spans that were refused or lost so far.
    #[must_use]
    pub fn shed(&self) -> u64 {
        self.counters.shed.load(Ordering::Relaxed)
    }

    /// Takes no more spans and waits until those that were taken are stored.
    pub async fn drain(&self) {
        drop(self.sender.lock().take());
        let mut finished = self.finished.clone();
        // Fails only if the task is gone, and then there is nothing to wait for.
        let _ = finished.wait_for(|finished| *finished).await;
    }
}

impl Counters {
    fn leave(&self, spans: usize, bytes: usize) {
        self.depth.fetch_sub(spans, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl SpanSink for SpanQueue {
    fn try_emit(&self, span: Span) -> Result<(), Full> {
        let counters = &self.counters;
        let bytes = span.approximate_bytes();
        counters.depth.fetch_add(1, Ordering::Relaxed);
        let waiting = counters.bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = waiting == 0 || waiting + bytes <= WAITING_BYTES;
        if fits && self.sender.lock().as_ref().is_some_and(|sender| sender.try_send(span).is_ok()) {
            return Ok(());
        }
        counters.leave(1, bytes);
        counters.shed.fetch_add(1, Ordering::Relaxed);
        Err(Full)
    }
}

/// Lost spans that no log line has told of yet.
#[derive(Debug, Default)]
struct Lost {
    spans: usize,
    said: Option<Instant>,
}

impl Lost {
    fn add(&mut self, spans: usize, error: &StoreError) {
        self.spans += spans;
        if self.said.is_some_and(|said| said.elapsed() < SAY_AGAIN) {
            return;
        }
        error!(spans = self.spans, %error, "spans are lost: the event store refuses them");
        *self = Self { spans: 0, said: Some(Instant::now()) };
    }
}

async fn empty(store: &dyn EventStore, mut receiver: mpsc::Receiver<Span>, counters: &Counters) {
    let mut lost = Lost::default();
    loop {
        let mut batch = Vec::new();
        let taken = receiver.recv_many(&mut batch, BATCH).await;
        if taken == 0 {
            return;
        }
        let bytes = batch.iter().map(Span::approximate_bytes).sum();
        if let Err(error) = store.append_within(batch.into(), PATIENCE).await {
            counters.shed.fetch_add(taken as u64, Ordering::Relaxed);
            lost.add(taken, &error);
        }
        counters.leave(taken, bytes);
    }
}

#[cfg(test)]
mod tests {
    use signalbox_testkit::builders::llm_span;
    use signalbox_testkit::{ManualClock, MemoryStore};
    use signalbox_types::Timestamp;

    use super::*;

    #[tokio::test]
    async fn large_spans_fill_it_sooner() {
        let store = Arc::new(MemoryStore::new(Arc::new(ManualClock::default())));
        let (queue, task) = SpanQueue::start(store as Arc<dyn EventStore>, 1_000);
        let large = |n| {
            let mut span = llm_span("p", n, "m", Timestamp::from_micros(0), n);
            span.attributes.insert("body".to_owned(), "x".repeat(WAITING_BYTES / 4));
            span
        };
        assert_eq!((0..6).filter(|&n| queue.try_emit(large(n)).is_ok()).count(), 3);
        queue.drain().await;
        task.await.unwrap();
        assert_eq!((queue.depth(), queue.shed(), queue.counters.bytes.load(Ordering::Relaxed)), (0, 3, 0));
    }

    #[tokio::test]
    async fn takes_what_fits_counts_the_rest_and_drains() {
        let store = Arc::new(MemoryStore::new(Arc::new(ManualClock::default())));
        let (queue, task) = SpanQueue::start(Arc::clone(&store) as Arc<dyn EventStore>, 10);
        // The task has had no turn yet: there is room for ten.
        let taken = (0..15).filter(|&n| queue.try_emit(llm_span("p", n, "m", Timestamp::from_micros(0), n)).is_ok());
        assert_eq!(taken.count(), 10);
        assert_eq!((queue.depth(), queue.shed()), (10, 5));
        queue.drain().await;
        assert_eq!((queue.depth(), store.spans().len()), (0, 10));
        assert_eq!(queue.try_emit(llm_span("p", 99, "m", Timestamp::from_micros(0), 0)), Err(Full));
        task.await.unwrap();
        queue.drain().await;
    }
}
