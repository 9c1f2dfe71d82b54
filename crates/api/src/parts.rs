//! What the API is made of, handed in by the binary.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;
use signalbox_catalog::Catalog;
use signalbox_evals::online::Online;
use signalbox_gateway::RouteStatus;
use signalbox_guard::{Guard, GuardConfig, GuardError};
use signalbox_types::seam::{Clock, Completer, Embedder, EventStore, Reindexer};
use signalbox_types::{Place, ProjectId};
use signalbox_upstream::ProviderStatus;
use signalbox_watch::Watch;
use tokio::sync::{Semaphore, watch};

use crate::routes::ConfigStatus;
use crate::running::Running;

/// Live streams that may be open at once: each costs a subscription and evaluates its filter on every span.
pub(crate) const MAX_LIVE_STREAMS: usize = 256;

/// Judgements that may be under way at once, of all requests: each waits for a model and may make several calls.
const MAX_JUDGEMENTS: usize = 32;

/// Puts policies in force that a project adds to those of the configuration.
pub type AddPolicies = Arc<dyn Fn(&ProjectId, GuardConfig) -> Result<(), GuardError> + Send + Sync>;

/// The same guard, once services that its policies ask have answered about the texts, or their deadlines are over.
pub type Answered = Arc<dyn Fn(Guard, Vec<(Place, Arc<str>)>) -> BoxFuture<'static, Guard> + Send + Sync>;

/// Everything that the routes need.
pub struct ApiParts {
    /// Where spans are.
    pub store: Arc<dyn EventStore>,
    /// Who reads old spans again.
    pub reindexer: Arc<dyn Reindexer>,
    /// Who may ask.
    pub catalog: Arc<Catalog>,
    /// Which configuration is in force.
    pub config: Arc<dyn Fn() -> ConfigStatus + Send + Sync>,
    /// Which providers there are, and how they are doing.
    pub providers: Arc<dyn Fn() -> Vec<ProviderStatus> + Send + Sync>,
    /// How the routes are doing.
    pub routes: Arc<dyn Fn() -> Vec<RouteStatus> + Send + Sync>,
    /// The guardrails of the configuration.
    pub base_guard: Arc<dyn Fn() -> Guard + Send + Sync>,
    /// The guardrails in force for a project.
    pub guard: Arc<dyn Fn(&ProjectId) -> Guard + Send + Sync>,
    /// Has services answer for a guard whose policies ask them.
    pub answered: Answered,
    /// Puts policies in force that a project adds.
    pub add_policies: AddPolicies,
    /// Who scores what arrives.
    pub online: Arc<Online>,
    /// Who asks a model on our own behalf: the gateway.
    pub completer: Arc<dyn Completer>,
    /// Who asks an embedding model on our own behalf: the gateway.
    pub embedder: Arc<dyn Embedder>,
    /// What is watched, and who is told.
    pub watch: Arc<Watch>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Numbers about the process.
    pub status: Arc<dyn Fn() -> Status + Send + Sync>,
    /// The text of `/metrics`, as OpenMetrics.
    pub metrics_text: Arc<dyn Fn() -> String + Send + Sync>,
    /// Turns true (or loses its sender) when the process stops: live streams end, `/readyz` says no.
    pub stopping: watch::Receiver<bool>,
}

impl fmt::Debug for ApiParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiParts").field("store", &self.store).field("catalog", &self.catalog).finish_non_exhaustive()
    }
}

/// Numbers about the process that neither the store nor the catalog knows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct Status {
    /// Version of Signalbox.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// Seconds since the process began.
    pub uptime_s: u64,
    /// Calls in the gateway now.
    pub in_flight_calls: u64,
    /// Spans that wait to be stored.
    pub queue_depth: u64,
    /// Spans that may wait.
    pub queue_capacity: u64,
    /// Spans that were dropped because the queue was full. Anything but zero is a loss.
    pub shed_spans: u64,
}

/// The state of the router: cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    parts: ApiParts,
    live_streams: Arc<Semaphore>,
    judging: Semaphore,
    running: Running,
}

impl App {
    pub(crate) fn new(parts: ApiParts) -> Self {
        let live_streams = Arc::new(Semaphore::new(MAX_LIVE_STREAMS));
        let judging = Semaphore::new(MAX_JUDGEMENTS);
        Self(Arc::new(Shared { parts, live_streams, judging, running: Running::default() }))
    }

    pub(crate) fn running(&self) -> &Running {
        &self.0.running
    }

    /// A permit for each judgement that may be under way.
    pub(crate) fn judging(&self) -> &Semaphore {
        &self.0.judging
    }

    pub(crate) fn live_streams(&self) -> &Arc<Semaphore> {
        &self.0.live_streams
    }
}

impl std::ops::Deref for App {
    type Target = ApiParts;

    fn deref(&self) -> &ApiParts {
        &self.0.parts
    }
}
