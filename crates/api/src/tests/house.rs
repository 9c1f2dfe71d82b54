//! A whole API on a memory store, a catalog in a temporary folder, and a clock that stands still.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use signalbox_catalog::{Catalog, Principal};
use signalbox_evals::online::{Online, OnlineConfig, OnlineParts, Workshop};
use signalbox_gateway::Routes;
use signalbox_guard::{Answers, Guard, GuardConfig, Judgement};
use signalbox_testkit::{ManualClock, MemoryStore, ScriptedCompleter, ScriptedEmbedder, ScriptedReindexer};
use signalbox_types::seam::{Clock, Completer, Embedder, EventStore};
use signalbox_types::{Place, ProjectId, Span, Timestamp};
use signalbox_upstream::{Upstream, UpstreamConfig};
use signalbox_watch::Watch;
use tokio::sync::watch;
use tower::ServiceExt;

use super::watching;
use crate::{ApiParts, CatalogLedger, ConfigStatus, RefusedConfig, Status, router};

const MAX_ANSWER_BYTES: usize = 10 * 1024 * 1024;

pub(crate) struct House {
    pub(crate) router: Router,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) reindexer: Arc<ScriptedReindexer>,
    /// The models that judge.
    pub(crate) models: Arc<ScriptedCompleter>,
    pub(crate) embedder: Arc<ScriptedEmbedder>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) key: String,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) watch: Arc<Watch>,
    _dir: tempfile::TempDir,
}

/// A service that flags falcons, and says nothing of owls.
fn birds(guard: &Guard, texts: &[(Place, Arc<str>)]) -> Guard {
    let answers = Arc::new(Answers::of_whole_texts());
    for (place, text) in texts {
        for question in guard.questions(*place) {
            let judgement = Judgement { flagged: text.contains("falcon"), score: 0.5, spans: Vec::new() };
            let reply = if text.contains("owl") { Err("no answer".into()) } else { Ok(Arc::new(judgement)) };
            answers.put(&question, Arc::clone(text), reply);
        }
    }
    answers.waited(Duration::from_millis(7));
    guard.answered(&answers)
}

impl House {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let store = Arc::new(MemoryStore::new(Arc::<ManualClock>::clone(&clock)));
        Self::build(clock, Arc::<MemoryStore>::clone(&store), store).await
    }

    /// On another store; its own one stays empty.
    pub(crate) async fn on(store: Arc<dyn EventStore>) -> Self {
        let clock = Arc::new(ManualClock::default());
        let unused = Arc::new(MemoryStore::new(Arc::<ManualClock>::clone(&clock)));
        Self::build(clock, store, unused).await
    }

    async fn build(clock: Arc<ManualClock>, asked: Arc<dyn EventStore>, store: Arc<MemoryStore>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let seam: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let catalog = Arc::new(Catalog::open(dir.path(), Arc::clone(&seam)).await.unwrap());
        let key = catalog.bootstrap(None).await.unwrap().unwrap().key.expose().to_owned();
        let upstream = Upstream::new(&UpstreamConfig::default(), &|_| None, Arc::clone(&seam)).unwrap();
        let chat = json!([{"name": "chat", "targets": [{"provider": "sim", "model": "small"}]}]);
        let routes = Arc::new(Routes::compile(&serde_json::from_value::<Vec<_>>(chat).unwrap(), &upstream).unwrap());
        let service =
            json!({"name": "birds", "url": "http://unseen-host.example/check", "headers": {"x": "unseen-key"}});
        let services = vec![serde_json::from_value(service).unwrap()];
        let guard = Guard::compile(&GuardConfig { services, ..GuardConfig::default() }).unwrap();
        let added = Arc::new(std::sync::Mutex::new(guard.clone()));
        let (stop, stopping) = watch::channel(false);
        let reindexer = Arc::new(ScriptedReindexer::default());
        let online = Online::start(OnlineParts {
            config: OnlineConfig::default(),
            store: Arc::clone(&asked),
            ledger: Arc::new(CatalogLedger::new(Arc::clone(&catalog))),
            workshop: Workshop::default(),
            clock: Arc::clone(&seam),
        });
        let models: Arc<ScriptedCompleter> = Arc::default();
        let embedder: Arc<ScriptedEmbedder> = Arc::default();
        let watching = watching::open(
            Arc::clone(&asked),
            Arc::clone(&seam),
            Arc::clone(&catalog),
            Arc::clone(&routes),
            Arc::<ScriptedEmbedder>::clone(&embedder),
        )
        .await;
        let router = router(ApiParts {
            online: online.await.unwrap(),
            store: asked,
            reindexer: Arc::<ScriptedReindexer>::clone(&reindexer),
            catalog: Arc::clone(&catalog),
            config: {
                let now = clock.now();
                let problems = vec!["signalbox.yaml:12:5: unknown field".to_owned()];
                let status = ConfigStatus {
                    file: Some("signalbox.yaml".to_owned()),
                    since: now,
                    reloads: 2,
                    needs_restart: vec!["server.listen".to_owned()],
                    refused: Some(RefusedConfig { time: now, problems }),
                };
                Arc::new(move || status.clone())
            },
            providers: Arc::new(move || upstream.providers()),
            routes: Arc::new(move || routes.status(Duration::ZERO)),
            base_guard: {
                let guard = guard.clone();
                Arc::new(move || guard.clone())
            },
            guard: {
                let added = Arc::clone(&added);
                Arc::new(move |_: &ProjectId| added.lock().unwrap().clone())
            },
            answered: Arc::new(|guard, texts| Box::pin(async move { birds(&guard, &texts) })),
            add_policies: Arc::new(move |_: &ProjectId, config| {
                *added.lock().unwrap() = Guard::compile(&guard.config().with(&config))?;
                Ok(())
            }),
            completer: Arc::<ScriptedCompleter>::clone(&models) as Arc<dyn Completer>,
            embedder: Arc::<ScriptedEmbedder>::clone(&embedder) as Arc<dyn Embedder>,
            watch: Arc::clone(&watching),
            clock: seam,
            status: Arc::new(|| Status { version: "1.2.3".to_owned(), shed_spans: 7, ..Status::default() }),
            metrics_text: Arc::new(|| "# TYPE signalbox_up gauge\nsignalbox_up 1\n# EOF\n".to_owned()),
            stopping,
        });
        Self { router, store, reindexer, models, embedder, catalog, clock, key, stop, watch: watching, _dir: dir }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn principal(&self) -> Principal {
        self.catalog.authenticate(&self.key).unwrap()
    }

    pub(crate) async fn append(&self, spans: Vec<Span>) {
        self.store.append(spans.into()).await.unwrap();
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> Builder {
        Request::builder().method(method).uri(path).header(header::HOST, "localhost:7300")
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), MAX_ANSWER_BYTES).await.unwrap();
        Answer { status, headers, body }
    }

    async fn keyed(&self, method: Method, path: &str, body: Body) -> Answer {
        let request = self.request(method, path).header(header::AUTHORIZATION, format!("Bearer {}", self.key));
        self.send(request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.keyed(Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.keyed(Method::DELETE, path, Body::empty()).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.keyed(Method::PUT, path, body.to_string().into()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, body.to_string()).await
    }

    pub(crate) async fn post_text(&self, path: &str, body: String) -> Answer {
        self.keyed(Method::POST, path, body.into()).await
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}: {}", self.status, self.text()))
    }

    pub(crate) fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        self.json()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A text as it stands in a query string.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
