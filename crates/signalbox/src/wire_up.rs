//! Makes the parts and puts them together; decides which part answers a request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use signalbox_api::{Answered, ApiParts, CatalogLedger, Status};
use signalbox_catalog::Catalog;
use signalbox_evals::online::{self, Online, OnlineParts, Workshop};
use signalbox_gateway::{Gateway, GatewayParts, RequestBody, ResponseBody, Routes, Switch};
use signalbox_guard::{Guard, GuardConfig};
use signalbox_ingest::{Ingest, IngestParts, Reindex};
use signalbox_prices::Prices;
use signalbox_store::{SpanQueue, Store};
use signalbox_types::seam::{Clock, Completer, Embedder, EventStore, SpanSink, SystemClock};
use signalbox_types::{ProjectId, Secret};
use signalbox_upstream::{Upstream, Vault};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;
use tower::ServiceExt;
use tracing::{error, info, warn};

use crate::config::{self, Config};
use crate::reload::Reload;
use crate::watching::{self, WatchNumbers, Watching};
use crate::web::Web;

/// Spans of the gateway that may wait for the store.
const QUEUED_SPANS: usize = 8_192;

/// How long spans that wait for scores hold the end up; what remains gets them after the next start.
const SCORING: Duration = Duration::from_secs(5);

/// Everything that answers requests.
pub(crate) struct App {
    gateway: Arc<Switch>,
    reload: Arc<Reload>,
    ingest: Arc<Ingest>,
    grpc: axum::Router,
    api: axum::Router,
    web: Web,
    catalog: Catalog,
    store: Arc<Store>,
    queue: Arc<SpanQueue>,
    queue_task: Mutex<Option<JoinHandle<()>>>,
    online: Arc<Online>,
    watching: Watching,
    stopping: watch::Sender<bool>,
    first_key: Option<Secret>,
    /// Of the threads for all but calls.
    runtime: Handle,
}

impl App {
    /// Opens the data folder and everything above it.
    ///
    /// # Errors
    /// The folder is used by another process, can't be written or is damaged; the configuration
    /// names something that doesn't exist.
    pub(crate) async fn open(config: &Config, bootstrap: Option<Secret>) -> anyhow::Result<Self> {
        let began = Instant::now();
        let data = config.server.data_dir.as_path();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        // The store first: it holds the folder's lock.
        let store = Store::open(data, config.store.clone(), Arc::clone(&clock))?;
        let catalog = Catalog::open(data, Arc::clone(&clock)).await?;
        let first_key = catalog.bootstrap(bootstrap).await.context("can't make the first virtual key")?;
        let book = Arc::new(config.price_book()?);
        let prices = Prices::new(Arc::clone(&book));
        let vault = vault(&catalog).await?;
        let upstream = Upstream::with_vault(&config.upstream(), &config::environment, Arc::clone(&clock), vault)?;
        let routes = routes(config, &upstream)?;
        let guard = Guard::compile(&config.guard).context("`guard` can't be used")?;
        let (queue, queue_task) = SpanQueue::start(Arc::clone(&store) as Arc<dyn EventStore>, QUEUED_SPANS);
        let shared_catalog = Arc::new(catalog.clone());
        let gateway = Arc::new(Switch::new(Gateway::new(GatewayParts {
            config: config.gateway.clone(),
            guard,
            catalog: Arc::clone(&shared_catalog),
            upstream: Arc::new(upstream),
            routes,
            prices: book,
            sink: Arc::clone(&queue) as Arc<dyn SpanSink>,
            clock: Arc::clone(&clock),
        })));
        add_policies(&catalog, &gateway).await?;
        gateway.current().keep_owners().await.context("can't read who made what at providers")?;
        let watch = watching::open(config, &store, &shared_catalog, &gateway, &clock).await?;
        let reload =
            Arc::new(Reload::new(config, Arc::clone(&gateway), prices.clone(), Arc::clone(&watch), Arc::clone(&clock)));
        let reindexer = Arc::new(Reindex::new(Arc::clone(&store) as Arc<dyn EventStore>, prices.clone()));
        let ingest = Arc::new(Ingest::new(IngestParts {
            config: config.ingest.clone(),
            store: Arc::clone(&store) as Arc<dyn EventStore>,
            catalog: Arc::clone(&shared_catalog),
            prices,
            clock: Arc::clone(&clock),
        }));
        let online = score_online(config, &store, &shared_catalog, &gateway, &clock).await?;
        let mut registry = Registry::default();
        online.metrics().register(&mut registry);
        gateway.current().metrics().register(&mut registry);
        ingest.metrics().register(&mut registry);
        registry.register_collector(Box::new(StoreNumbers { store: Arc::clone(&store), queue: Arc::clone(&queue) }));
        registry.register_collector(Box::new(ConfigNumbers(Arc::clone(&reload))));
        registry.register_collector(Box::new(WatchNumbers(Arc::clone(&watch))));
        let (stopping, stop_seen) = watch::channel(false);
        let numbers = status(&gateway, &queue, began);
        let api = signalbox_api::router(ApiParts {
            store: Arc::clone(&store) as Arc<dyn EventStore>,
            reindexer,
            catalog: shared_catalog,
            config: {
                let reload = Arc::clone(&reload);
                Arc::new(move || reload.status())
            },
            providers: asked(&gateway, Gateway::providers),
            routes: asked(&gateway, Gateway::routes),
            base_guard: asked(&gateway, Gateway::base_guard),
            guard: {
                let gateway = Arc::clone(&gateway);
                Arc::new(move |project: &ProjectId| gateway.current().guard(project))
            },
            answered: answered(&gateway),
            add_policies: {
                let gateway = Arc::clone(&gateway);
                Arc::new(move |project: &ProjectId, config| gateway.add_policies(project, config))
            },
            online: Arc::clone(&online),
            completer: Arc::clone(&gateway) as Arc<dyn Completer>,
            embedder: Arc::clone(&gateway) as Arc<dyn Embedder>,
            watch: Arc::clone(&watch),
            clock,
            status: Arc::clone(&numbers),
            metrics_text: Arc::new(move || text_of(&registry)),
            stopping: stop_seen,
        });
        let grpc = ingest.grpc().prepare().into_axum_router();
        let first_key = first_key.map(|made| made.key);
        let queue_task = Mutex::new(Some(queue_task));
        let watching = Watching::start(watch, numbers);
        Ok(Self {
            gateway,
            reload,
            ingest,
            grpc,
            api,
            web: Web::default(),
            catalog,
            store,
            queue,
            queue_task,
            online,
            watching,
            stopping,
            first_key,
            runtime: Handle::current(),
        })
    }

    /// The first virtual key, if it was made just now.
    pub(crate) fn first_key(&self) -> Option<&Secret> {
        self.first_key.as_ref()
    }

    /// The providers that can be called.
    pub(crate) fn providers_on(&self) -> Vec<String> {
        let providers = self.gateway.current().providers().into_iter();
        providers.filter(|provider| provider.on).map(|provider| provider.name).collect()
    }

    /// Brings changes of the configuration file into force, for ever.
    pub(crate) async fn follow_configuration(&self) {
        self.reload.watch().await;
    }

    /// Answers one request: which part, by its path. Calls are answered on the thread that their connection is on, and
    /// none of them may wait there for a question or a batch of spans: those are worked on by the threads that opened
    /// this.
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<ResponseBody> {
        if Gateway::handles(request.method(), request.uri().path()) {
            return self.gateway.serve(request.map(boxed)).await;
        }
        let this = Arc::clone(&self);
        // Who hangs up is no longer worked for.
        let answering = AbortOnDropHandle::new(self.runtime.spawn(async move { this.answer_elsewhere(request).await }));
        match answering.await {
            Ok(response) => response,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => told(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "Signalbox is stopping",
                    "ask again once it runs",
                )
                .map(whole),
            },
        }
    }

    async fn answer_elsewhere(&self, request: Request<Incoming>) -> Response<ResponseBody> {
        let path = request.uri().path();
        if request
            .headers()
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
        {
            return self.route(self.grpc.clone(), request).await;
        }
        if self.ingest.handles(request.method(), path) {
            return self.ingest.serve(request.map(boxed)).await.map(whole);
        }
        if path.starts_with("/api/") || matches!(path, "/healthz" | "/readyz" | "/metrics") {
            return self.route(self.api.clone(), request).await;
        }
        // Only who wants a page gets one: an SDK whose base URL lacks `/v1` must hear of it.
        let wants = |kind: &str| {
            request
                .headers()
                .get(http::header::ACCEPT)
                .and_then(|accept| accept.to_str().ok())
                .is_some_and(|accept| accept.contains(kind))
        };
        let is_call = path.starts_with("/v1/") || !matches!(*request.method(), Method::GET | Method::HEAD);
        if is_call || (path != "/" && !self.web.has(path) && !wants("text/html")) {
            return no_such_path(path).map(whole);
        }
        self.web.answer(request.method(), path, request.headers()).map(|body| whole(Full::new(body)))
    }

    async fn route(&self, router: axum::Router, request: Request<Incoming>) -> Response<ResponseBody> {
        let answered = router.oneshot(request.map(axum::body::Body::new)).await;
        let response = answered.unwrap_or_else(|never| match never {});
        response.map(|body| body.map_err(Into::into).boxed_unsync())
    }

    /// `/readyz` says no from now on, and live streams end.
    pub(crate) fn stop_being_ready(&self) {
        let _ = self.stopping.send(true);
    }

    /// Writes everything down. After the last connection has ended.
    ///
    /// # Errors
    /// Something could not be written.
    pub(crate) async fn close(&self) -> anyhow::Result<()> {
        self.watching.close().await;
        self.gateway.current().drain().await;
        self.queue.drain().await;
        let queue_task = self.queue_task.lock().take();
        if let Some(queue_task) = queue_task {
            queue_task.await.context("the span queue ended badly")?;
        }
        // Its last spans are stored by now.
        self.online.drain(SCORING).await;
        self.catalog.close().await?;
        self.store.close().await.context("the event store could not be closed cleanly")?;
        info!("stopped");
        Ok(())
    }
}

/// Begins to score what arrives.
async fn score_online(
    config: &Config,
    store: &Arc<Store>,
    catalog: &Arc<Catalog>,
    gateway: &Arc<Switch>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<Online>> {
    let parts = OnlineParts {
        config: config.evals.online.clone(),
        store: Arc::clone(store) as Arc<dyn EventStore>,
        ledger: Arc::new(CatalogLedger::new(Arc::clone(catalog))),
        workshop: Workshop::with(online::asking(
            Arc::clone(gateway) as Arc<dyn Completer>,
            Arc::clone(gateway) as Arc<dyn Embedder>,
        )),
        clock: Arc::clone(clock),
    };
    Online::start(parts).await.context("can't read the online rules")
}

/// The routes of the configuration.
fn routes(config: &Config, upstream: &Upstream) -> anyhow::Result<Routes> {
    Routes::compile(&config.routes, upstream).map_err(|problems| {
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("`routes` can't be used: {}", all.join("; "))
    })
}

/// The catalog's credentials, for providers.
async fn vault(catalog: &Catalog) -> anyhow::Result<Vault> {
    seal(catalog).await?;
    let catalog = catalog.clone();
    Ok(Vault::new(move |name| catalog.credential(name).map_err(|fault| fault.to_string())))
}

/// Gives the catalog the key that it encrypts credentials with, if there is one.
///
/// # Errors
/// It can't be read, or can be guessed.
async fn seal(catalog: &Catalog) -> anyhow::Result<()> {
    let Some(key) = secret("SIGNALBOX_CREDENTIALS_KEY")? else {
        if !catalog.credentials().is_empty() {
            warn!("there are credentials in the catalog, and no SIGNALBOX_CREDENTIALS_KEY to open them with");
        }
        return Ok(());
    };
    let before = secret("SIGNALBOX_CREDENTIALS_KEY_BEFORE")?;
    let renewed = catalog.seal_with(&key, before.as_ref()).await.context("credentials can't be encrypted")?;
    if renewed > 0 {
        info!(renewed, "{renewed} credentials were encrypted anew; SIGNALBOX_CREDENTIALS_KEY_BEFORE can go");
    }
    for one in catalog.credentials() {
        if let Some(fault) = one.fault {
            warn!(credential = %one.name, "{fault}");
        }
    }
    Ok(())
}

/// What stands in this variable, or in the file that the variable of the same name and `_FILE` names.
fn secret(name: &str) -> anyhow::Result<Option<Secret>> {
    if let Some(value) = config::environment(name).filter(|value| !value.trim().is_empty()) {
        return Ok(Some(Secret::new(value)));
    }
    let variable = format!("{name}_FILE");
    let Some(path) = config::environment(&variable).filter(|path| !path.trim().is_empty()) else { return Ok(None) };
    let read = std::fs::read_to_string(path.trim());
    read.map(|text| Some(Secret::new(text))).with_context(|| format!("{variable}: `{path}` can't be read"))
}

fn boxed(body: Incoming) -> RequestBody {
    body.map_err(Into::into).boxed_unsync()
}

fn whole(body: Full<Bytes>) -> ResponseBody {
    body.map_err(|never| match never {}).boxed_unsync()
}

fn no_such_path(path: &str) -> Response<Full<Bytes>> {
    let hint = "gateway paths: /v1/chat/completions, /v1/responses, /v1/messages, /v1/embeddings, /v1/models, /v1/files, /v1beta/models, /model/{model}/converse, /v2/chat, /providers/{name}/…; OTLP: /v1/traces; the API: /api/docs";
    told(StatusCode::NOT_FOUND, "not_found", &format!("there is nothing at {path}"), hint)
}

fn told(status: StatusCode, kind: &str, message: &str, hint: &str) -> Response<Full<Bytes>> {
    let body = serde_json::json!({"error": {"type": kind, "message": message, "hint": hint}});
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

/// What the gateway of that moment says, whenever it is asked.
fn asked<T: 'static>(gateway: &Arc<Switch>, ask: fn(&Gateway) -> T) -> Arc<dyn Fn() -> T + Send + Sync> {
    let gateway = Arc::clone(gateway);
    Arc::new(move || ask(&gateway.current()))
}

/// Has services asked about texts, by the gateway of that moment.
fn answered(gateway: &Arc<Switch>) -> Answered {
    let gateway = Arc::clone(gateway);
    Arc::new(move |guard, texts| {
        let gateway = gateway.current();
        Box::pin(async move { gateway.answered(&guard, &texts).await })
    })
}

fn status(gateway: &Arc<Switch>, queue: &Arc<SpanQueue>, began: Instant) -> Arc<dyn Fn() -> Status + Send + Sync> {
    let (gateway, queue) = (gateway.current().metrics().clone(), Arc::clone(queue));
    Arc::new(move || Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_s: began.elapsed().as_secs(),
        in_flight_calls: gateway.in_flight(),
        queue_depth: queue.depth() as u64,
        queue_capacity: QUEUED_SPANS as u64,
        shed_spans: queue.shed() + gateway.shed_spans(),
    })
}

fn text_of(registry: &Registry) -> String {
    let mut text = String::new();
    if let Err(error) = prometheus_client::encoding::text::encode(&mut text, registry) {
        error!("the metrics could not be written: {error}");
    }
    text
}

/// Whether the configuration file is in force.
#[derive(Debug)]
struct ConfigNumbers(Arc<Reload>);

impl Collector for ConfigNumbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let status = self.0.status();
        let (refused, restart) = (status.refused.is_some(), !status.needs_restart.is_empty());
        for (name, help, value) in [
            ("signalbox_config_refused", "1 if what the configuration file says now was refused", refused),
            ("signalbox_config_needs_restart", "1 if some of it comes into force with a restart only", restart),
        ] {
            let gauge = ConstGauge::new(i64::from(value));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let counter = ConstCounter::new(status.reloads);
        let help = "Changed configurations that came into force since the start";
        counter.encode(encoder.encode_descriptor("signalbox_config_reloads", help, None, counter.metric_type())?)?;
        Ok(())
    }
}

/// The store's and the queue's numbers, read when somebody asks.
#[derive(Debug)]
struct StoreNumbers {
    store: Arc<Store>,
    queue: Arc<SpanQueue>,
}

impl Collector for StoreNumbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let stats = self.store.stats();
        let gauges = [
            ("signalbox_store_memtable_rows", "Rows in memory, not yet in files", stats.memtable_rows),
            ("signalbox_store_memtable_bytes", "Bytes in memory, not yet in files", stats.memtable_bytes),
            ("signalbox_store_journal_bytes", "Bytes of write-ahead log on disk", stats.journal_bytes),
            ("signalbox_store_files", "Data files", stats.files),
            ("signalbox_store_file_bytes", "Bytes of data files", stats.file_bytes),
            ("signalbox_store_waiting_appends", "Appends that wait to be written", stats.waiting_appends),
            ("signalbox_store_read_only", "1 if the disk failed and writes are refused", u64::from(stats.read_only)),
            ("signalbox_span_queue_depth_spans", "Spans that wait to be stored", self.queue.depth() as u64),
            ("signalbox_span_queue_capacity_spans", "Spans that may wait", QUEUED_SPANS as u64),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let counters = [
            ("signalbox_store_appended_rows", "Rows appended since start", stats.appended_rows),
            ("signalbox_span_queue_shed_spans", "Spans dropped because the queue was full", self.queue.shed()),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}

/// Puts the policies in force that projects have added. What this Signalbox can't read any more is told, and left out.
async fn add_policies(catalog: &Catalog, gateway: &Switch) -> anyhow::Result<()> {
    for (project, set) in catalog.latest_policy_sets().await? {
        let version = set.version;
        let added = serde_json::from_value::<GuardConfig>(set.config)
            .map_err(|error| error.to_string())
            .and_then(|config| gateway.add_policies(&project, config).map_err(|error| error.to_string()));
        if let Err(problem) = added {
            warn!(%project, version, "the policies that project `{project}` has added (version {version}) are not in force: {problem}; \
                   change them on the Guardrails page");
        }
    }
    Ok(())
}
