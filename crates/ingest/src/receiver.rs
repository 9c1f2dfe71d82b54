use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use signalbox_catalog::Catalog;
use signalbox_prices::Prices;
use signalbox_types::seam::{BoxFuture, Clock, EventStore};

use crate::error::Refusal;
use crate::{IngestConfig, IngestMetrics, RequestBody};

/// What every receiver works with.
#[derive(Debug)]
pub struct Shared {
    pub(crate) config: IngestConfig,
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) prices: Prices,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: IngestMetrics,
    pub(crate) slots: tokio::sync::Semaphore,
}

/// A wire protocol over HTTP by which spans come in: OTLP, or another tool's own.
///
/// It authenticates before it reads a body, answers in its protocol's own words (errors too), and
/// says that something is taken only after the store has it.
pub trait Receiver: Send + Sync + std::fmt::Debug {
    /// Its name, a label in metrics.
    fn name(&self) -> &'static str;

    /// Whether a request is its.
    fn handles(&self, method: &Method, path: &str) -> bool;

    /// Answers one.
    fn serve<'a>(&'a self, shared: &'a Shared, request: Request<RequestBody>) -> BoxFuture<'a, Response<Full<Bytes>>>;
}

impl Shared {
    /// Room for one more request.
    pub(crate) fn slot(&self) -> Result<Slot<'_>, Refusal> {
        let permit = self.slots.try_acquire().map_err(|_| Refusal::Busy { under_way: self.config.max_in_flight })?;
        self.metrics.in_flight.inc();
        Ok(Slot { _permit: permit, shared: self })
    }
}

/// A request under way.
pub(crate) struct Slot<'a> {
    _permit: tokio::sync::SemaphorePermit<'a>,
    shared: &'a Shared,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.shared.metrics.in_flight.dec();
    }
}
