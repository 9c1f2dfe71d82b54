//! Several nodes on one catalog and one store, with a clock that is moved by hand. Each has a connection of its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value, json};
use signalbox_catalog::Catalog;
use signalbox_testkit::{ManualClock, MemoryStore, builders};
use signalbox_types::seam::{BoxFuture, Clock, EventStore};
use signalbox_types::{ProjectId, Span, SpanStatus, Timestamp};
use signalbox_watch::{
    Changes, EditError, Http, HttpAnswer, HttpRequest, Incident, Keep as _, Marker, MarkerKind, NewMarker, Watch,
    WatchConfig, WatchParts,
};

use super::CatalogDocuments;

/// The other side of the webhook, whoever calls it.
#[derive(Debug, Default)]
struct Receiver {
    taken: Mutex<Vec<String>>,
    closed: Mutex<bool>,
}

impl Http for Receiver {
    fn post(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, String>> {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let status = if *self.closed.lock().unwrap() { 503 } else { 200 };
        if status == 200 {
            self.taken.lock().unwrap().push(body["data"]["event"].as_str().unwrap().to_owned());
        }
        Box::pin(async move { Ok(HttpAnswer { status, retry_after_s: None, body: Bytes::new() }) })
    }
}

struct House {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    receiver: Arc<Receiver>,
    spans: u64,
}

impl House {
    fn new() -> Self {
        let clock: Arc<ManualClock> = Arc::default();
        let store = Arc::new(MemoryStore::new(Arc::<ManualClock>::clone(&clock)));
        Self { dir: tempfile::tempdir().unwrap(), clock, store, receiver: Arc::default(), spans: 0 }
    }

    fn project() -> ProjectId {
        ProjectId::new("default")
    }

    /// Starts a process.
    async fn node(&self, name: &str) -> Watch {
        let catalog = Catalog::open(self.dir.path(), Arc::<ManualClock>::clone(&self.clock)).await.unwrap();
        let failing = json!({"field": "status", "op": "=", "value": "error"});
        let config: WatchConfig = serde_json::from_value(json!({
            "starter": false,
            "channels": [{"name": "hook", "via": {"webhook": {"url": "https://h.example/x"}}}],
            "monitors": [{
                "name": "error-rate",
                "query": {"measures": [
                    {"fn": "count", "filter": failing, "as": "bad"}, {"fn": "count", "as": "all"},
                ]},
                "value": {"of": "bad", "over": "all"}, "window": "1m", "delay": "0s",
                "condition": {"threshold": {"above": 0.05}}, "notify": ["hook"],
            }],
        }))
        .unwrap();
        assert_eq!(config.problems(), []);
        let parts = WatchParts {
            config,
            node: name.to_owned(),
            project: Self::project(),
            store: Arc::<MemoryStore>::clone(&self.store),
            clock: Arc::<ManualClock>::clone(&self.clock),
            keep: Arc::new(CatalogDocuments::new(Arc::new(catalog))),
            http: Arc::<Receiver>::clone(&self.receiver),
        };
        Watch::open(parts).await.unwrap()
    }

    /// A minute passes, with calls of which so many in a hundred fail. Nodes that aren't named do nothing meanwhile; those that are look
    /// every ten seconds.
    async fn minute(&mut self, failing: u64, nodes: &[&Watch]) {
        let now = self.clock.now();
        let span = |number: u64| -> Span {
            let mut span = builders::llm_span("default", self.spans + number, "gpt-4o", now, number);
            if number < failing {
                (span.status, span.error_type) = (SpanStatus::Error, Some("rate_limited".to_owned()));
            }
            span
        };
        let spans: Vec<Span> = (0..100).map(span).collect();
        self.spans += 100;
        self.store.append(spans.into()).await.unwrap();
        for _ in 0..6 {
            self.clock.advance(Duration::from_secs(10));
            for node in nodes {
                node.tick().await;
                while node.deliver().await > 0 {}
            }
        }
    }

    fn told(&self) -> Vec<String> {
        self.receiver.taken.lock().unwrap().clone()
    }
}

fn incidents(node: &Watch) -> Vec<Incident> {
    node.incidents(&House::project(), |_| true, 100)
}

fn who(node: &Watch) -> (bool, Option<String>) {
    let leadership = node.leadership();
    (leadership.leads, leadership.leader)
}

fn is(leads: bool, leader: &str) -> (bool, Option<String>) {
    (leads, Some(leader.to_owned()))
}

#[tokio::test]
async fn of_two_nodes_one_evaluates_and_the_other_takes_over() {
    let mut house = House::new();
    let (one, other) = (house.node("one").await, house.node("other").await);
    house.minute(10, &[&other, &one]).await;
    house.minute(10, &[&other, &one]).await;
    assert_eq!((who(&one), who(&other)), (is(true, "one"), is(false, "one")));
    assert_eq!(house.told(), ["opened"], "once, by one of them");
    let evaluated = |node: &Watch| node.monitor(&House::project(), "error-rate").unwrap().evaluated_at.is_some();
    assert_eq!((evaluated(&one), evaluated(&other)), (true, false));
    let id = incidents(&one)[0].id.clone();
    house.minute(10, &[&one, &other]).await;
    assert_eq!(incidents(&other)[0].id, id, "who looks on shows what the one that evaluates has written");
    let refused = other.acknowledge(&House::project(), &id, "ann", "").await.unwrap_err();
    assert!(matches!(&refused, EditError::Elsewhere(text) if text.contains("node `one`")), "{refused}");
    // The first one is paused. Its lease ends; then the other goes on where it was.
    house.minute(10, &[&other]).await;
    assert_eq!(who(&other), is(true, "other"));
    house.minute(10, &[&other]).await;
    assert_eq!(house.told(), ["opened"], "nobody hears of it twice");
    for _ in 0..4 {
        house.minute(0, &[&other]).await;
    }
    assert_eq!(house.told(), ["opened", "resolved"]);
    // It wakes up, and has to hear that it is over.
    house.minute(0, &[&one, &other]).await;
    assert_eq!((who(&one), who(&other)), (is(false, "other"), is(true, "other")));
    assert_eq!(incidents(&one)[0].resolved_at, incidents(&other)[0].resolved_at);
    assert_eq!(house.told(), ["opened", "resolved"]);
    let marker = NewMarker { title: "a deploy".to_owned(), ..NewMarker::default() };
    assert!(matches!(one.mark(&House::project(), marker, None).await, Err(EditError::Elsewhere(_))));
}

#[tokio::test]
async fn who_was_paused_past_its_lease_says_nothing_more() {
    let mut house = House::new();
    let (one, other) = (house.node("one").await, house.node("other").await);
    *house.receiver.closed.lock().unwrap() = true;
    house.minute(10, &[&one]).await;
    house.minute(10, &[&one]).await;
    assert_eq!(one.messages(&House::project()).len(), 1, "it waits to be taken");
    *house.receiver.closed.lock().unwrap() = false;
    house.clock.advance(Duration::from_secs(900));
    other.tick().await;
    assert_eq!(other.deliver().await, 1);
    assert_eq!(house.told(), ["opened"]);
    assert_eq!(one.messages(&House::project()).len(), 1, "as far as it knows, it is still to be said");
    assert_eq!(one.deliver().await, 0);
    assert_eq!(house.told(), ["opened"]);
}

/// Where a process is put to sleep for a minute, and another node takes over.
#[derive(Debug)]
struct Sleep {
    clock: Arc<ManualClock>,
    other: CatalogDocuments,
    slept: Mutex<bool>,
}

impl Changes for Sleep {
    fn between<'a>(
        &'a self,
        _: &'a ProjectId,
        _: Timestamp,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Marker>, String>> {
        Box::pin(async {
            if !std::mem::replace(&mut *self.slept.lock().unwrap(), true) {
                self.clock.advance(Duration::from_secs(60));
                assert!(self.other.ask("other", None, Duration::from_secs(15)).await.unwrap().granted);
            }
            Ok(Vec::new())
        })
    }
}

#[tokio::test]
async fn who_loses_its_lease_while_it_is_about_to_send_doesnt() {
    let mut house = House::new();
    let catalog = Catalog::open(house.dir.path(), Arc::<ManualClock>::clone(&house.clock)).await.unwrap();
    let other = CatalogDocuments::new(Arc::new(catalog));
    let sleep = Sleep { clock: Arc::clone(&house.clock), other, slept: Mutex::default() };
    let one = house.node("one").await.with_changes(Arc::new(sleep));
    house.minute(10, &[&one]).await;
    house.clock.advance(Duration::from_secs(10));
    one.tick().await;
    assert_eq!(incidents(&one).len(), 1);
    one.deliver().await;
    assert_eq!(house.told(), Vec::<String>::new(), "it looked into the incident first, and slept meanwhile");
    assert_eq!(who(&one), is(false, "other"));
    let other = house.node("other").await;
    other.tick().await;
    assert_eq!(other.deliver().await, 1);
    assert_eq!(one.deliver().await, 0);
    assert_eq!(house.told(), ["opened"]);
}

#[tokio::test]
async fn a_node_that_stops_is_not_waited_for() {
    let mut house = House::new();
    let (one, other) = (house.node("one").await, house.node("other").await);
    house.minute(10, &[&one]).await;
    one.let_go().await;
    assert!(other.lead().await);
    assert_eq!(who(&other), is(true, "other"));
    assert!(!one.lead().await);
    house.minute(10, &[&one, &other]).await;
    assert_eq!(house.told(), ["opened"]);
}

#[tokio::test]
async fn a_node_that_was_killed_goes_on_at_once() {
    let house = House::new();
    drop(house.node("one").await);
    let again = house.node("one").await;
    assert!(again.lead().await);
    let marker = NewMarker { title: "a deploy".to_owned(), kind: MarkerKind::Deploy, ..NewMarker::default() };
    again.mark(&House::project(), marker, None).await.unwrap();
    assert!(!house.node("other").await.lead().await);
}
