//! The whole life of a call on one screen: [`asked`] and [`answer`]. Each line of them is one file in `stages/`.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use signalbox_catalog::{Catalog, CatalogError};
use signalbox_guard::{Answers, Guard, GuardConfig, GuardError};
use signalbox_prices::PriceBook;
use signalbox_types::seam::{Clock, SpanSink};
use signalbox_types::{ErrorClass, Place, ProjectId};
use signalbox_upstream::{ProviderStatus, Upstream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::batches::Batches;
use crate::call::{Call, CallError, Reply};
use crate::checks::{Asker, Memory};
use crate::endpoint::Endpoint;
use crate::held::Held;
use crate::idempotency::Register;
use crate::own_guards::OwnGuards;
use crate::owners::Owners;
use crate::route::{Detour, RouteStatus, Routes, drain, mirror};
use crate::stages::admit::admit;
use crate::stages::again::again;
use crate::stages::decode::decode;
use crate::stages::encode::{self, encode};
use crate::stages::guard_in::guard_in;
use crate::stages::guard_out::guard_out;
use crate::stages::route::route;
use crate::stages::send::send;
use crate::stages::settle::{Settle, Settler};
use crate::through::{self, Through};
use crate::vaults::Vaults;
use crate::{GatewayConfig, GatewayMetrics, Settings, gemini, models};

/// So many copies for comparison are under way at most; a call without room for its copy has none.
const MOST_MIRRORS: usize = 64;
/// So many answers are read on without a caller; the next one's call is cancelled.
const MOST_DRAINS: usize = 1_024;

/// What a body may break with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// The body of a call, as it arrives.
pub type RequestBody = UnsyncBoxBody<Bytes, BoxError>;
/// The body of an answer. Dropping it cancels the call upstream.
pub type ResponseBody = UnsyncBoxBody<Bytes, BoxError>;

/// What a gateway is made of.
pub struct GatewayParts {
    /// Its limits.
    pub config: GatewayConfig,
    /// What looks at the texts.
    pub guard: Guard,
    /// Who may call.
    pub catalog: Arc<Catalog>,
    /// Who answers.
    pub upstream: Arc<Upstream>,
    /// By which names several of them are reached.
    pub routes: Routes,
    /// What it costs.
    pub prices: Arc<PriceBook>,
    /// Where spans go.
    pub sink: Arc<dyn SpanSink>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for GatewayParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayParts").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Serves LLM calls by one configuration. A [`Switch`](crate::Switch) holds the one in force.
pub struct Gateway {
    pub(crate) config: GatewayConfig,
    pub(crate) guard: Guard,
    /// Those of projects that have added policies.
    pub(crate) own_guards: OwnGuards,
    /// Placeholders of conversations.
    pub(crate) vaults: Arc<Vaults>,
    /// What remote checks said lately.
    remembered: Arc<Memory>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) routes: Routes,
    /// Copies of calls for comparison that may be under way.
    pub(crate) mirrors: Arc<Semaphore>,
    /// Answers without a caller that may be read.
    pub(crate) drains: Arc<Semaphore>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Who made what providers keep.
    pub(crate) owners: Arc<Owners>,
    /// What is known of batches whose results may be fetched.
    pub(crate) batches: Arc<Batches>,
    pub(crate) settler: Arc<Settler>,
    /// Calls that may be sent again, and their answers.
    pub(crate) register: Arc<Register>,
    /// Calls under way.
    pub(crate) in_flight: Arc<AtomicUsize>,
    buffered: Arc<AtomicUsize>,
    /// Counts configurations.
    pub(crate) configuration: u64,
    calls: TaskTracker,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway")
            .field("config", &self.config)
            .field("calls", &self.calls.len())
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// A gateway that is ready to serve. Its settler thread ends with it and the last open answer.
    #[must_use]
    pub fn new(parts: GatewayParts) -> Self {
        let GatewayParts { config, guard, catalog, upstream, routes, prices, sink, clock } = parts;
        let settler = Settler::start(&config, prices, sink, Arc::clone(&clock));
        upstream.keep_warm();
        routes.keep_asking(&clock);
        Self {
            register: Arc::default(),
            in_flight: Arc::default(),
            owners: Arc::new(Owners::new(&config, Arc::clone(&clock))),
            batches: Arc::default(),
            config,
            guard,
            own_guards: OwnGuards::default(),
            vaults: Arc::default(),
            remembered: Arc::default(),
            catalog,
            upstream,
            routes,
            mirrors: Arc::new(Semaphore::new(MOST_MIRRORS)),
            drains: Arc::new(Semaphore::new(MOST_DRAINS)),
            clock,
            settler: Arc::new(settler),
            buffered: Arc::default(),
            configuration: 0,
            calls: TaskTracker::new(),
        }
    }

    /// The same gateway by other settings: what is under way counts for both, and both have it written down by the same
    /// thread. Calls that this one has begun it also ends.
    pub(crate) fn with(&self, settings: Settings, upstream: Upstream, routes: Routes) -> Self {
        let Settings { config, guard, prices, .. } = settings;
        upstream.keep_warm();
        routes.keep_asking(&self.clock);
        Self {
            register: Arc::clone(&self.register),
            in_flight: Arc::clone(&self.in_flight),
            owners: Arc::clone(&self.owners),
            batches: Arc::clone(&self.batches),
            settler: Arc::new(self.settler.with(&config, prices)),
            config,
            own_guards: self.own_guards.over(&guard),
            guard,
            vaults: Arc::clone(&self.vaults),
            remembered: Arc::clone(&self.remembered),
            catalog: Arc::clone(&self.catalog),
            upstream: Arc::new(upstream),
            routes,
            mirrors: Arc::clone(&self.mirrors),
            drains: Arc::clone(&self.drains),
            clock: Arc::clone(&self.clock),
            buffered: Arc::clone(&self.buffered),
            configuration: self.configuration + 1,
            calls: self.calls.clone(),
        }
    }

    /// Takes over from the catalog who made what at providers before the last restart, and writes down there what comes.
    /// Once, before the first call; without it, nothing of that outlives this process.
    ///
    /// # Errors
    /// The catalog's file is in trouble.
    pub async fn keep_owners(&self) -> Result<(), CatalogError> {
        self.owners.keep_in(&self.catalog).await
    }

    /// Whether a path is the gateway's. A wrong method on it is, too: the answer says which one is right.
    /// So is what else Anthropic has below `/v1/messages` and Google below `/v1beta`: their SDKs must be told in their own
    /// shape.
    #[must_use]
    pub fn handles(_method: &Method, path: &str) -> bool {
        Endpoint::find(path).is_some()
            || models::handles(path)
            || models::is_below_messages(path)
            || gemini::handles(path)
            || through::handles(path)
    }

    /// The policies in force for a project: those of the configuration and what it has added.
    #[must_use]
    pub fn guard(&self, project: &ProjectId) -> Guard {
        self.own_guards.get(project).unwrap_or_else(|| self.guard.clone())
    }

    /// The policies of the configuration.
    #[must_use]
    pub fn base_guard(&self) -> Guard {
        self.guard.clone()
    }

    /// The policies for a call, as far as that is known without its texts.
    pub(crate) fn guard_for(&self, call: &Call) -> Guard {
        call.principal.as_ref().map_or_else(|| self.guard.clone(), |principal| self.guard(&principal.project))
    }

    /// The same guard, once the services that its policies ask have answered about these texts, or their deadlines are over. The
    /// guard must be that of one call, if it reads what is known of a call.
    pub async fn answered(&self, guard: &Guard, texts: &[(Place, Arc<str>)]) -> Guard {
        let answers = Arc::new(Answers::of_whole_texts());
        for place in Place::ALL.iter().copied().filter(|place| guard.asks(*place)) {
            let here = texts.iter().filter(|(at, _)| *at == place).map(|(_, text)| Arc::clone(text));
            self.asker().ask_whole(guard, place, &here.collect::<Vec<_>>(), &answers).await;
        }
        guard.answered(&answers)
    }

    /// Who asks others about texts.
    pub(crate) fn asker(&self) -> Asker {
        Asker {
            memory: Arc::clone(&self.remembered),
            poster: Arc::clone(self.upstream.poster()),
            clock: Arc::clone(&self.clock),
            asked: self.metrics().checks().clone(),
        }
    }

    pub(crate) fn add_policies(&self, project: &ProjectId, config: GuardConfig) -> Result<(), GuardError> {
        self.own_guards.set(&self.guard, project, config)
    }

    /// Answers one call. Never fails: what goes wrong is told in the caller's dialect.
    pub async fn serve(self: &Arc<Self>, request: Request<RequestBody>) -> Response<ResponseBody> {
        let through = through::find(&request, &self.upstream);
        let endpoint = match &through {
            Some(through) => Some(through.endpoint()),
            None => Endpoint::find(request.uri().path()),
        };
        let Some(endpoint) = endpoint else { return models::serve(self, &request) };
        let mut settle = self.begin(request, endpoint, through);
        // A fault of ours in one call must not end the others on its connection.
        match AssertUnwindSafe(asked(&mut settle, self)).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return encode::refuse(settle, error, self),
            Err(_panic) => return encode::refuse(settle, fault(), self),
        }
        if settle.again.is_some() {
            return encode::again(settle, self);
        }
        if settle.reply.is_some() {
            return encode::reply(settle, self);
        }
        mirror::send_copy(&settle, self);
        match settle.routed.as_ref().map(|routed| Arc::clone(&routed.route)).filter(|route| route.drains()) {
            Some(route) => drain::detached(settle, route, self).await,
            None => answered(settle, self).await,
        }
    }

    fn begin(&self, request: Request<RequestBody>, endpoint: Endpoint, through: Option<Through>) -> Settle {
        let held = Held::new(Arc::clone(&self.buffered), self.config.max_buffered_bytes);
        let mut call = Call::begin(request, endpoint, self.clock.now(), self.clock.elapsed(), held);
        if let Some(through) = through {
            call.goes_through(through);
        }
        self.owned(call)
    }

    pub(crate) fn owned(&self, call: Call) -> Settle {
        Settle::when_finished(call, self.calls.token(), Arc::clone(&self.settler))
    }

    /// How the routes are doing, in the order of the configuration.
    #[must_use]
    pub fn routes(&self) -> Vec<RouteStatus> {
        self.routes.status(self.clock.elapsed())
    }

    /// Puts detours in force for calls that come in from now on, in the place of all those before; also over other settings.
    pub fn set_detours(&self, detours: Vec<Detour>) {
        self.routes.set_detours(detours);
    }

    /// Why the calls of a route can't go there, if they can't.
    #[must_use]
    pub fn detour_problem(&self, detour: &Detour) -> Option<String> {
        self.routes.detour_problem(detour)
    }

    /// Every provider, on or off, as it is now.
    #[must_use]
    pub fn providers(&self) -> Vec<ProviderStatus> {
        self.upstream.providers()
    }

    /// The numbers for `/metrics`.
    #[must_use]
    pub fn metrics(&self) -> &GatewayMetrics {
        &self.settler.metrics
    }

    /// Waits until every call has ended and has been handed to the span sink. For shutdown, after
    /// the listener was closed.
    pub async fn drain(&self) {
        self.calls.close();
        self.settler.hurry(true);
        self.calls.wait().await;
        self.settler.hurry(false);
        self.owners.written().await;
        self.calls.reopen();
    }
}

/// The first half of a life: what is asked, and of whom.
async fn asked(call: &mut Call, gateway: &Gateway) -> Result<(), CallError> {
    admit(call, gateway)?; // who is it, and is there room
    decode(call, gateway).await?; // the body, and the few facts that later stages read
    if again(call, gateway).await? {
        return Ok(()); // it was sent before, and its answer is there
    }
    guard_in(call, gateway).await?; // allow, redact or block what goes in
    if call.reply.is_some() {
        return Ok(()); // a policy answers it
    }
    route(call, gateway) // which provider and model, or which several of them
}

/// The second half: the answer.
async fn answer(call: &mut Call, gateway: &Gateway) -> Result<Reply, CallError> {
    let reply = send(call, gateway).await?; // in the provider's dialect; its refusals end here
    let reply = guard_out(call, gateway, reply).await?; // allow, redact or block what comes out
    let reply = encode(call, gateway, reply)?; // in the caller's dialect
    if made_something(call) && !gateway.catalog.has_one_project() {
        gateway.owners.written().await; // whose it is outlives a crash from here on
    }
    Ok(reply)
}

/// The provider keeps something new, which only the caller's project may have again.
fn made_something(call: &Call) -> bool {
    match call.endpoint {
        Endpoint::Kept(_) => call.method == Method::POST,
        Endpoint::Responses => !call.stream(),
        _ => false,
    }
}

/// The answer of a call, or what is told in its place.
pub(crate) async fn answered(mut settle: Settle, gateway: &Gateway) -> Response<ResponseBody> {
    match AssertUnwindSafe(answer(&mut settle, gateway)).catch_unwind().await {
        Ok(Ok(reply)) => encode::answer(settle, reply, gateway),
        Ok(Err(error)) => encode::refuse(settle, error, gateway),
        Err(_panic) => encode::refuse(settle, fault(), gateway),
    }
}

fn fault() -> CallError {
    tracing::error!("a stage panicked; the call is answered with 500 and the others go on");
    CallError::us(ErrorClass::Internal, "a fault of Signalbox; its log says more")
}
