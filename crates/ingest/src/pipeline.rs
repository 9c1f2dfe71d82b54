//! The way of a span from any receiver: recognise → price → append. What is no span is appended as
//! it is.

use signalbox_catalog::Principal;
use signalbox_prices::PriceBook;
use signalbox_semconv::{RawSpan, is_placeholder, normalise};
use signalbox_types::{Events, Span};

use crate::body;
use crate::error::Refusal;
use crate::metrics::Counts;
use crate::receiver::Shared;

/// What a receiver made of a request: spans, and what can't be one.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) spans: Vec<RawSpan>,
    pub(crate) rejected: Vec<Rejected>,
}

/// What a receiver made of a request that tells of no spans.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) events: Events,
    pub(crate) rejected: Vec<Rejected>,
}

/// Something in a request that was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejected {
    /// A label: which rule.
    pub(crate) reason: &'static str,
    /// A sentence: which item, what was found, what was expected.
    pub(crate) problem: String,
}

/// Stores a batch. Resolves once it is on disk; only then may the sender be told so.
pub(crate) async fn store(
    shared: &Shared,
    receiver: &'static str,
    principal: &Principal,
    bytes: usize,
    batch: Batch,
) -> Result<Vec<Rejected>, Refusal> {
    let Batch { spans: raw, rejected } = batch;
    let (prices, owner) = (shared.prices.current(), principal.clone());
    let spans = body::work(bytes, move || {
        let spans = raw.into_iter().filter(|raw| !is_placeholder(raw));
        spans.map(|raw| priced(normalise(raw, &owner.project, Some(&owner.key_id)), &prices)).collect::<Vec<_>>()
    })
    .await?;
    keep(shared, receiver, Taken { events: spans.into(), rejected }).await
}

/// Stores events as they are. Resolves once they are on disk.
pub(crate) async fn keep(
    shared: &Shared,
    receiver: &'static str,
    Taken { events, rejected }: Taken,
) -> Result<Vec<Rejected>, Refusal> {
    let stored = Counts::of(&events);
    if !events.is_empty() {
        shared.store.append(events).await.map_err(Refusal::Store)?;
    }
    shared.metrics.stored(receiver, &stored);
    for one in &rejected {
        shared.metrics.rejected(receiver, one.reason, 1);
    }
    Ok(rejected)
}

/// What the sender says that it cost stands; otherwise the price book says it.
pub(crate) fn priced(mut span: Span, prices: &PriceBook) -> Span {
    if span.cost.is_none() {
        let models = [span.model_used.as_deref(), span.model_requested.as_deref()];
        span.cost =
            models.into_iter().flatten().find_map(|model| prices.price(span.provider.as_deref(), model, &span.usage));
    }
    span
}
