//! The whole path with a clock that is moved by hand: spans in a store, monitors, incidents, messages, restarts.

mod detours;
mod edges;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::{Value, json};
use signalbox_testkit::{ManualClock, MemoryStore, builders};
use signalbox_types::seam::{BoxFuture, Clock, EventStore};
use signalbox_types::{ProjectId, Span, SpanStatus};

use crate::keep::{Keep, Key};
use crate::*;

/// Documents in memory.
#[derive(Debug, Default)]
pub(crate) struct Documents(pub(crate) Mutex<BTreeMap<Key, Value>>);

impl Keep for Documents {
    fn load(&self) -> BoxFuture<'_, Result<Vec<(Key, Value)>, String>> {
        let all = self.0.lock().clone().into_iter().collect();
        Box::pin(async { Ok(all) })
    }

    fn write(&self, changes: Vec<(Key, Option<Value>)>, _: &Term) -> BoxFuture<'_, Result<bool, String>> {
        let mut documents = self.0.lock();
        for (key, value) in changes {
            match value {
                Some(value) => documents.insert(key, value),
                None => documents.remove(&key),
            };
        }
        Box::pin(async { Ok(true) })
    }
}

/// The other side of every webhook.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    pub(crate) taken: Mutex<Vec<Value>>,
    pub(crate) status: Mutex<Option<u16>>,
}

impl Http for Receiver {
    fn post(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, String>> {
        let status = self.status.lock().unwrap_or(200);
        if status == 200 {
            self.taken.lock().push(serde_json::from_slice(&request.body).unwrap());
        }
        Box::pin(async move { Ok(HttpAnswer { status, retry_after_s: None, body: Bytes::new() }) })
    }
}

pub(crate) struct House {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) documents: Arc<Documents>,
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) config: Value,
    pub(crate) watch: Watch,
    pub(crate) spans: u64,
}

impl House {
    pub(crate) async fn new(config: Value) -> Self {
        let clock = Arc::new(ManualClock::default());
        let store = Arc::new(MemoryStore::new(Arc::<ManualClock>::clone(&clock)));
        let (documents, receiver) = (Arc::new(Documents::default()), Arc::new(Receiver::default()));
        let watch = open(&clock, &store, &documents, &receiver, &config).await;
        Self { clock, store, documents, receiver, config, watch, spans: 0 }
    }

    /// With another configuration, from a restart on.
    pub(crate) async fn configure(&mut self, config: Value) {
        self.config = config;
        self.restart().await;
    }

    /// As after `kill -9`.
    pub(crate) async fn restart(&mut self) {
        self.watch = open(&self.clock, &self.store, &self.documents, &self.receiver, &self.config).await;
    }

    pub(crate) fn project() -> ProjectId {
        ProjectId::new("default")
    }

    /// Calls that begin now, so many of them failing.
    pub(crate) async fn calls(&mut self, model: &str, all: u64, failing: u64) {
        let now = self.clock.now();
        let span = |number: u64| -> Span {
            let mut span = builders::llm_span("default", self.spans + number, model, now, number);
            if number < failing {
                (span.status, span.error_type) = (SpanStatus::Error, Some("rate_limited".to_owned()));
            }
            span
        };
        let spans: Vec<Span> = (0..all).map(span).collect();
        self.spans += all;
        self.store.append(spans.into()).await.unwrap();
    }

    /// A minute passes, with calls of which so many in a hundred fail.
    pub(crate) async fn minute(&mut self, failing: u64) {
        self.calls("gpt-4o", 100, failing).await;
        self.pass(60).await;
    }

    pub(crate) async fn pass(&mut self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.watch.tick().await;
        while self.watch.deliver().await > 0 {}
    }

    pub(crate) fn incidents(&self) -> Vec<Incident> {
        self.watch.incidents(&Self::project(), |_| true, 100)
    }

    /// What the receiver was told, e.g. `opened`.
    pub(crate) fn told(&self) -> Vec<String> {
        let event = |body: &Value| body["data"]["event"].as_str().unwrap().to_owned();
        self.receiver.taken.lock().iter().map(event).collect()
    }
}

async fn open(
    clock: &Arc<ManualClock>,
    store: &Arc<MemoryStore>,
    documents: &Arc<Documents>,
    receiver: &Arc<Receiver>,
    config: &Value,
) -> Watch {
    let mut config: WatchConfig = serde_json::from_value(config.clone()).unwrap();
    config.starter = false;
    assert_eq!(config.problems(), []);
    let parts = WatchParts {
        config,
        node: "one".to_owned(),
        project: House::project(),
        store: Arc::<MemoryStore>::clone(store),
        clock: Arc::<ManualClock>::clone(clock),
        keep: Arc::<Documents>::clone(documents),
        http: Arc::<Receiver>::clone(receiver),
    };
    Watch::open(parts).await.unwrap()
}

pub(crate) fn error_rate(more: Value) -> Value {
    let failing = json!({"field": "status", "op": "=", "value": "error"});
    let mut monitor = json!({
        "name": "error-rate",
        "query": {"measures": [{"fn": "count", "filter": failing, "as": "bad"}, {"fn": "count", "as": "all"}]},
        "value": {"of": "bad", "over": "all"},
        "window": "1m", "delay": "0s",
        "condition": {"threshold": {"above": 0.05}},
        "for": 2,
        "severity": "critical",
        "runbook": "At {{value}} (limit {{limit}}) of {{labels.model}}: look at {{nothing}}.",
        "notify": ["hook"],
    });
    monitor.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    monitor
}

pub(crate) fn with(monitor: Value, more: Value) -> Value {
    let hook = |name: &str| json!({"name": name, "via": {"webhook": {"url": "https://h.example/x"}}});
    let mut config = json!({"monitors": [monitor], "channels": [hook("hook"), hook("boss")]});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

#[tokio::test]
async fn from_a_monitor_to_a_message_and_back() {
    let mut house = House::new(with(error_rate(json!({})), json!({}))).await;
    for failing in [0, 10, 1, 12] {
        house.minute(failing).await;
    }
    assert_eq!(house.incidents(), []);
    house.minute(13).await;
    let incidents = house.incidents();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].title, "error-rate: 0.13 > 0.05");
    assert_eq!(incidents[0].runbook.as_deref(), Some("At 0.13 (limit 0.05) of {{labels.model}}: look at {{nothing}}."));
    assert_eq!(house.told(), ["opened"]);
    // It goes on: nobody is told again.
    house.minute(20).await;
    house.minute(20).await;
    assert_eq!(house.told(), ["opened"]);
    house.minute(0).await;
    assert_eq!(house.told(), ["opened"]);
    house.minute(0).await;
    assert_eq!(house.told(), ["opened", "resolved"]);
    let over = &house.incidents()[0];
    assert_eq!((over.status, over.resolved_by.as_deref()), (IncidentStatus::Resolved, None));
    let whats: Vec<&str> = over.timeline.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(whats, ["opened", "told", "recovered", "resolved", "told"]);
    assert_eq!(house.documents.0.lock().keys().filter(|key| key.kind == Kind::Message).count(), 0);
    let written = over.post_mortem();
    for part in
        ["# error-rate", "| Severity | critical |", "## Timeline", "**resolved** nothing fires any more", "## Runbook"]
    {
        assert!(written.contains(part), "{written}");
    }
}

#[tokio::test]
async fn a_restart_at_any_moment_tells_nobody_twice() {
    let mut house = House::new(with(error_rate(json!({})), json!({}))).await;
    for failing in [0, 10, 12, 13, 20, 20, 0, 0, 0, 0] {
        house.minute(failing).await;
        house.restart().await;
    }
    assert_eq!(house.told(), ["opened", "resolved"]);
    assert_eq!(house.incidents().len(), 1);
}

#[tokio::test]
async fn a_message_that_was_not_delivered_outlives_a_restart_in_its_order() {
    let mut house = House::new(with(error_rate(json!({})), json!({}))).await;
    *house.receiver.status.lock() = Some(503);
    for failing in [10, 10, 0, 0, 0] {
        house.minute(failing).await;
    }
    let waiting = house.watch.messages(&House::project());
    assert_eq!(waiting.iter().map(|one| one.notice.event).collect::<Vec<_>>(), [Event::Opened, Event::Resolved]);
    assert!(waiting[0].tries >= 2 && waiting[0].error.as_ref().unwrap().contains("503"), "{waiting:?}");
    house.restart().await;
    *house.receiver.status.lock() = None;
    house.pass(700).await;
    assert_eq!(house.told(), ["opened", "resolved"]);
    assert_eq!(house.watch.messages(&House::project()), []);
}

#[tokio::test]
async fn what_will_never_be_taken_is_given_up_and_can_be_tried_again() {
    let mut house = House::new(with(error_rate(json!({})), json!({}))).await;
    *house.receiver.status.lock() = Some(404);
    for failing in [10, 10, 10] {
        house.minute(failing).await;
    }
    let dead = house.watch.messages(&House::project()).remove(0);
    assert!(dead.dead && dead.tries == 1, "{dead:?}");
    assert!(house.incidents()[0].timeline.iter().any(|entry| entry.what == "not_told"));
    *house.receiver.status.lock() = None;
    house.watch.try_again(&House::project(), &dead.id).await.unwrap();
    house.pass(1).await;
    assert_eq!(house.told(), ["opened"]);
}

#[tokio::test]
async fn groups_are_series_and_one_incident() {
    let grouped = json!({"query": {
        "measures": [{"fn": "count", "filter": {"field": "status", "op": "=", "value": "error"}, "as": "bad"}, {"fn": "count", "as": "all"}],
        "group_by": ["model"],
    }, "for": 1});
    for (group, incidents) in [("monitor", 1), ("series", 2)] {
        let mut monitor = error_rate(grouped.clone());
        monitor["group"] = json!(group);
        let mut house = House::new(with(monitor, json!({}))).await;
        house.calls("small", 10, 5).await;
        house.calls("large", 10, 0).await;
        house.calls("huge", 10, 9).await;
        house.pass(60).await;
        let found = house.incidents();
        assert_eq!(found.len(), incidents, "{found:?}");
        assert_eq!(house.told().len(), incidents);
        let view = house.watch.monitor(&House::project(), "error-rate").unwrap();
        let phases: Vec<(&str, Phase)> =
            view.series.iter().map(|one| (one.labels["model"].as_str(), one.phase)).collect();
        assert_eq!(phases, [("huge", Phase::Firing), ("large", Phase::Ok), ("small", Phase::Firing)]);
        // Series without rows are not known to be well.
        house.pass(60).await;
        assert!(house.incidents().iter().all(Incident::fires));
    }
}

#[tokio::test]
async fn escalates_until_somebody_takes_it() {
    let steps = json!([{"notify": ["hook"]}, {"after": "5m", "on_call": ["duty"]}]);
    let more = json!({
        "escalations": [{"name": "page", "steps": steps, "repeat": 1}],
        "people": [{"name": "ann", "notify": ["boss"]}],
        "schedules": [{"name": "duty", "rotations": [{"people": ["ann"], "from": "2026-01-01"}]}],
    });
    let monitor = error_rate(json!({"escalation": "page", "notify": [], "for": 1}));
    let mut house = House::new(with(monitor, more)).await;
    house.minute(10).await;
    assert_eq!(house.told(), ["opened"]);
    for _ in 0..5 {
        house.minute(10).await;
    }
    assert_eq!(house.told(), ["opened", "opened"], "the person on call, five minutes later");
    house.minute(10).await;
    assert_eq!(house.told(), ["opened", "opened", "escalated"], "again, from the first step on");
    let id = house.incidents()[0].id.clone();
    let taken = house.watch.acknowledge(&House::project(), &id, "ann", "I look").await.unwrap();
    assert_eq!(taken.acknowledged_by.as_deref(), Some("ann"));
    for _ in 0..10 {
        house.minute(10).await;
    }
    assert_eq!(house.told()[3..], ["acknowledged", "acknowledged"]);
    house.minute(0).await;
    house.minute(0).await;
    assert_eq!(house.told()[5..], ["resolved", "resolved"]);
}

#[tokio::test]
async fn silences_open_incidents_and_tell_nobody() {
    let mut house = House::new(with(error_rate(json!({"for": 1})), json!({}))).await;
    let until = house.clock.now().plus(Duration::from_secs(600));
    let matchers = vec![Matcher { label: "monitor".to_owned(), is: "error-*".to_owned() }];
    let new = NewSilence { matchers, from: None, until, reason: "a test of load".to_owned() };
    house.watch.silence(&House::project(), new, "ann").await.unwrap();
    house.minute(10).await;
    assert_eq!(house.told(), Vec::<String>::new());
    assert!(house.incidents()[0].muted.as_ref().unwrap().contains("a test of load"));
    house.restart().await;
    for _ in 0..9 {
        house.minute(10).await;
    }
    assert_eq!(house.told(), ["opened"], "it ended while the fault went on");
    assert_eq!(house.watch.silences(&House::project()), []);
}

#[tokio::test]
async fn what_follows_from_another_incident_is_not_told() {
    let slow = json!({
        "name": "slow", "query": {"measures": [{"fn": "avg", "column": "duration_ms"}]}, "window": "1m", "delay": "0s",
        "condition": {"threshold": {"above": 1}}, "notify": ["hook"],
    });
    let matcher = |name: &str| json!([{"label": "monitor", "is": name}]);
    let inhibit = json!([{"while": matcher("error-rate"), "mute": matcher("slow")}]);
    let monitors = json!([error_rate(json!({"for": 1})), slow]);
    let mut house = House::new(with(json!(null), json!({"monitors": monitors, "inhibit": inhibit}))).await;
    house.minute(10).await;
    assert_eq!(house.incidents().len(), 2);
    assert_eq!(house.told(), ["opened"]);
    assert_eq!(house.receiver.taken.lock()[0]["data"]["monitor"], "error-rate");
}

#[tokio::test]
async fn a_baseline_learns_from_what_is_in_the_store() {
    let monitor = json!({
        "name": "calls", "query": {"measures": [{"fn": "count"}]}, "window": "1h", "every": "1h", "delay": "0s",
        "condition": {"baseline": {"side": "lower", "history": "7d"}}, "notify": ["hook"],
    });
    let mut house = House::new(json!({})).await;
    // Two days of twenty calls an hour; then nothing.
    for _ in 0..48 {
        house.calls("gpt-4o", 20, 0).await;
        house.clock.advance(Duration::from_secs(3_600));
    }
    house.config = with(monitor.clone(), json!({}));
    house.restart().await;
    house.pass(0).await;
    let view = house.watch.monitor(&House::project(), "calls").unwrap();
    let seen = view.series[0].seen.clone().unwrap();
    assert_eq!(view.phase, Phase::Ok, "{seen:?}");
    assert!(seen.band.is_some_and(|band| band.low > 0.0 && band.low < 20.0), "{seen:?}");
    house.pass(3_600 + 10).await;
    assert_eq!(house.told(), ["opened"]);
    let monitor = MonitorConfig::read(&monitor).unwrap();
    let tested = house
        .watch
        .backtest(&House::project(), &MonitorConfig { notify: Vec::new(), ..monitor }, Length::days(2))
        .await
        .unwrap();
    assert_eq!(tested.series.len(), 1);
    assert_eq!(tested.firings, 1, "{:?}", tested.series[0].firings);
}

#[tokio::test]
async fn budgets_and_the_backtest_of_them() {
    let monitor = error_rate(json!({"condition": {"burn_rate": {"objective": 0.99}}, "for": 1, "window": "5m"}));
    let mut house = House::new(with(monitor.clone(), json!({}))).await;
    for minute in 0..90 {
        house.minute(if (60..80).contains(&minute) { 60 } else { 0 }).await;
    }
    assert_eq!(house.told()[..1], ["opened"]);
    let incident = &house.incidents()[0];
    assert!(incident.title.contains("times too fast over"), "{}", incident.title);
    assert_eq!(incident.severity, Severity::Critical);
    let tested = house
        .watch
        .backtest(&House::project(), &MonitorConfig::read(&monitor).unwrap(), Length::hours(2))
        .await
        .unwrap();
    assert!(tested.firings >= 1 && tested.series[0].firings[0].text.contains("too fast over"), "{tested:?}");
}

#[tokio::test]
async fn absence_is_noticed() {
    let monitor = json!({
        "name": "silence", "query": {"measures": [{"fn": "count"}]}, "window": "5m", "delay": "0s",
        "condition": {"absence": {}}, "notify": ["hook"],
    });
    let mut house = House::new(with(monitor, json!({}))).await;
    house.minute(0).await;
    house.pass(120).await;
    assert_eq!(house.told(), Vec::<String>::new());
    house.pass(300).await;
    assert_eq!(house.told(), ["opened"]);
}

#[tokio::test]
async fn monitors_are_made_changed_and_deleted() {
    let mut house = House::new(with(error_rate(json!({})), json!({}))).await;
    let project = House::project();
    let mut second = error_rate(json!({"name": "second", "for": 1}));
    house.watch.save_monitor(&project, &second).await.unwrap();
    let refused = house.watch.save_monitor(&project, &error_rate(json!({}))).await.unwrap_err();
    assert_eq!(refused, EditError::Configured("error-rate".to_owned()));
    let unknown =
        house.watch.save_monitor(&project, &error_rate(json!({"name": "x", "notify": ["y"]}))).await.unwrap_err();
    assert!(unknown.to_string().contains("expected one of hook, boss"), "{unknown}");
    house.minute(10).await;
    assert_eq!(house.told(), ["opened"]);
    house.restart().await;
    assert_eq!(house.watch.monitors(&project).len(), 2);
    assert_eq!(house.watch.monitor(&project, "second").unwrap().phase, Phase::Firing);
    // Another limit, the same series: the incident goes on, and ends by the new one.
    second["condition"]["threshold"]["above"] = json!(0.5);
    house.watch.save_monitor(&project, &second).await.unwrap();
    house.minute(10).await;
    house.minute(10).await;
    let of_second = |body: &Value| body["data"]["monitor"] == "second";
    let told = house
        .receiver
        .taken
        .lock()
        .iter()
        .filter(|body| of_second(body))
        .map(|body| body["type"].clone())
        .collect::<Vec<_>>();
    assert_eq!(told, ["incident.opened", "incident.resolved"]);
    house.watch.delete_monitor(&project, "second").await.unwrap();
    house.restart().await;
    assert_eq!(house.watch.monitors(&project).len(), 1);
    assert!(house.documents.0.lock().keys().all(|key| !key.id.starts_with("second")));
    assert!(house.watch.delete_monitor(&project, "second").await.is_err());
}

#[tokio::test]
async fn other_projects_see_nothing_of_it() {
    let mut house = House::new(with(error_rate(json!({"for": 1})), json!({}))).await;
    house.minute(10).await;
    let other = ProjectId::new("other");
    let id = house.incidents()[0].id.clone();
    assert_eq!(house.watch.monitors(&other), []);
    assert!(house.watch.incident(&other, &id).is_err());
    assert!(house.watch.acknowledge(&other, &id, "eve", "").await.is_err());
    assert!(house.watch.resolve(&other, &id, "eve", "").await.is_err());
}

#[tokio::test]
async fn what_is_done_by_itself_is_done_once() {
    let actions = json!([
        {"name": "Second provider", "webhook": {"channel": "boss", "parameters": {"rate": "{{value}}"}}, "automatic": true},
        {"name": "By hand", "webhook": {"channel": "boss"}},
    ]);
    let mut house = House::new(with(error_rate(json!({"for": 1, "actions": actions})), json!({}))).await;
    for _ in 0..3 {
        house.minute(10).await;
        house.restart().await;
    }
    assert_eq!(house.told(), ["opened", "action"]);
    let sent = house.receiver.taken.lock()[1].clone();
    assert_eq!(sent["type"], "incident.action");
    assert_eq!(sent["data"]["action"], json!({"name": "Second provider", "parameters": {"rate": "0.1"}}));
    let id = house.incidents()[0].id.clone();
    let by = Doer { name: "ann".to_owned(), key: signalbox_types::KeyId::new("k") };
    house.watch.act(&House::project(), &id, 1, &by).await.unwrap();
    house.pass(1).await;
    assert_eq!(house.told(), ["opened", "action", "action"]);
    let incident = house.incidents().remove(0);
    assert!(incident.actions.iter().all(|action| action.done_at.is_some()));
    assert!(incident.timeline.iter().any(|entry| entry.what == "action" && entry.by.as_deref() == Some("ann")));
    let never = json!({"automatic": true, "name": "x", "disable_key": {"key": "k"}});
    let refused = house.watch.check_monitor(&error_rate(json!({"name": "x", "actions": [never]}))).unwrap_err();
    assert!(refused.to_string().contains("`actions[0].automatic`: is for webhooks and routes only"), "{refused}");
}
