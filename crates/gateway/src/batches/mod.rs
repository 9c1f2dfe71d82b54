//! What batches used. A batch is asked for today and done tomorrow, and its provider tells what it used in the results: in
//! their lines, and some also where it tells how the batch is doing. Whoever comes for either through the gateway has it
//! written down, once: its spans are named by the file of results, so that a second time replaces the first, also after a
//! restart.

mod count;
mod told;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use signalbox_types::Usage;
use signalbox_types::{
    Cost, CostSource, KeyId, Money, ProjectId, Span, SpanId, SpanKind, SpanStatus, Timestamp, TraceId,
};
use signalbox_wire::Dialect;
use signalbox_wire::batch::LineKind;

use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::owners::{Kind, Owners, Whose};
use crate::record::NORMALISER_VERSION;
use crate::{Gateway, kept};
pub(crate) use count::Counter;
pub(crate) use told::told;

/// So many batches are known by more than the file of their results.
const MOST: usize = 4_096;

/// The batches whose results may come by. What is forgotten of them is told again by whoever asks how they are doing.
#[derive(Debug, Default)]
pub(crate) struct Batches(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    by_results: HashMap<Results, Batch>,
    /// The oldest first.
    order: VecDeque<Results>,
}

/// What a batch is known by here: the file of its results, or its own id where they have none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Results {
    project: ProjectId,
    /// The provider's name.
    provider: Arc<str>,
    file: Arc<str>,
}

#[derive(Debug, Clone, Default)]
struct Batch {
    id: String,
    /// When it was done.
    done: Option<Timestamp>,
    /// What it used is written down. Its lines say more than what is told of it, and are counted all the same.
    is_booked: bool,
}

impl Batches {
    fn note(&self, results: &Results, change: impl FnOnce(&mut Batch)) {
        let mut known = self.0.lock();
        if !known.by_results.contains_key(results) {
            if known.order.len() >= MOST
                && let Some(oldest) = known.order.pop_front()
            {
                known.by_results.remove(&oldest);
            }
            known.order.push_back(results.clone());
        }
        change(known.by_results.entry(results.clone()).or_default());
    }

    fn get(&self, results: &Results) -> Batch {
        self.0.lock().by_results.get(results).cloned().unwrap_or_default()
    }
}

/// What was used in one batch by one model.
#[derive(Debug, Clone, PartialEq)]
struct Used {
    model: String,
    kind: LineKind,
    usage: Usage,
    /// None if the price of some of it is unknown.
    cost: Option<Cost>,
    requests: u64,
    failed: u64,
}

/// Who comes for something of a batch, and whose it is.
#[derive(Debug, Clone)]
struct Bearer {
    results: Results,
    key: KeyId,
    /// As spans call the provider.
    otel_name: String,
    dialect: Dialect,
}

impl Bearer {
    /// `None` if nobody known asks, or asks nobody.
    fn of(call: &Call, file: &str) -> Option<Self> {
        let (principal, target) = (call.principal.as_ref()?, call.target.as_ref()?);
        let results = Results {
            project: principal.project.clone(),
            provider: Arc::clone(&target.provider.name),
            file: file.into(),
        };
        let (otel_name, dialect) = (target.provider.otel_name.clone(), target.provider.dialect);
        Some(Self { results, key: principal.key_id.clone(), otel_name, dialect })
    }
}

/// The results that a call comes for, if they are known to be a batch's of its project, or the path says that they are one's.
fn results_of(call: &Call, owners: &Owners) -> Option<Bearer> {
    if let Some(through) = call.through.as_ref().filter(|_| matches!(call.endpoint, Endpoint::Through(_))) {
        return Bearer::of(call, through.batch_of_results(&call.method)?);
    }
    if !call.endpoint.is_content() {
        return None;
    }
    let bearer = Bearer::of(call, kept::id(call.below.as_deref()?)?)?;
    let Results { project, provider, file } = &bearer.results;
    let is_known = owners.find(Kind::Results, file, project) == Whose::Yours(Arc::clone(provider));
    is_known.then_some(bearer)
}

/// Counts results that were read whole.
pub(crate) fn read(call: &Call, gateway: &Gateway, body: &[u8]) {
    if let Some(mut counter) = Counter::of(call, gateway) {
        counter.see(body);
        counter.finish(gateway.clock.now());
    }
}

/// The span of what a batch used by one model. `place` is that among its models: a name for it that doesn't depend on how
/// the provider writes it where.
fn span(bearer: &Bearer, batch: &Batch, place: usize, used: &Used, time: Timestamp) -> Option<Span> {
    let Results { project, provider, file } = &bearer.results;
    let name = |what: &str| {
        let mut hash = blake3::Hasher::new();
        for part in ["signalbox batch", what, project.as_str(), provider, file] {
            hash.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        hash.finalize()
    };
    let trace_id = TraceId::from_slice(name("trace").as_bytes().get(..16)?)?;
    let span_id = SpanId::from_slice(name(&format!("span {place}")).as_bytes().get(..8)?)?;
    let operation = used.kind.operation();
    let title = format!("batch {} {}", if used.kind == LineKind::Other { "" } else { operation }, used.model);
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut span = Span::new(project.clone(), trace_id, span_id, title, time);
    span.kind = if used.kind == LineKind::Embeddings { SpanKind::Embedding } else { SpanKind::Llm };
    span.operation = Some(operation.to_owned());
    span.status = SpanStatus::Ok;
    span.key_id = Some(bearer.key.clone());
    span.provider = Some(bearer.otel_name.clone());
    span.model_used = Some(used.model.clone()).filter(|model| !model.is_empty());
    span.usage = used.usage;
    span.cost = used.cost;
    span.dialect = Some(bearer.dialect.as_str().to_owned());
    span.scope_name = Some(env!("CARGO_PKG_NAME").to_owned());
    span.scope_version = Some(env!("CARGO_PKG_VERSION").to_owned());
    span.normaliser_version = NORMALISER_VERSION;
    let mut put = |name: &str, value: String| span.attributes.insert(name.to_owned(), value);
    put("signalbox.provider", provider.to_string());
    put("signalbox.service_tier", "batch".to_owned());
    put("signalbox.batch.results", file.to_string());
    put("signalbox.batch.requests", used.requests.to_string());
    if used.failed > 0 {
        put("signalbox.batch.failed", used.failed.to_string());
    }
    if !batch.id.is_empty() {
        put("signalbox.batch.id", batch.id.clone());
    }
    Some(span)
}

fn nothing() -> Cost {
    let zero = Money::default();
    Cost { input: zero, cache_read: zero, cache_write: zero, output: zero, total: zero, source: CostSource::Priced }
}

#[cfg(test)]
mod tests;
