//! The whole way: spans in a store, comparisons by the clock, incidents, messages, restarts.

mod meaning;

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_testkit::builders;
use signalbox_types::seam::{Clock, EventStore};
use signalbox_types::{Events, Message, Role, Span, SpanKind, Timestamp};

use super::config::DriftConfig;
use super::result::DriftResult;
use super::sample;
use crate::tests::House;
use crate::{Direction, EditError, Kind, Source};

/// Two kinds of traffic.
#[derive(Clone, Copy, PartialEq)]
enum Sort {
    Before,
    After,
}

fn span(number: u64, at: Timestamp, sort: Sort) -> Span {
    let (model, text) = match sort {
        Sort::Before => ("gpt-4o", "Where is my order, and when will the parcel arrive at my house?"),
        Sort::After => ("gpt-4o-mini", "Wie kann ich meine Bestellung von gestern noch ändern oder stornieren?"),
    };
    let mut span = builders::llm_span("default", number, model, at, 0);
    // Nothing else differs from hour to hour.
    let own = number % 60 + 100;
    span.input_messages = vec![Message::text(Role::User, format!("{text} {own}"))];
    span.output_messages = vec![Message::text(Role::Assistant, format!("Answer {own}"))];
    span.end_time = at.plus(Duration::from_millis(own));
    span.usage.input_tokens = Some(if sort == Sort::Before { 100 } else { 300 } + number % 40);
    span.environment = Some(if number.is_multiple_of(2) { "live" } else { "test" }.to_owned());
    span
}

impl House {
    /// An hour of calls, one a minute, each with a tool and a score.
    async fn hour(&mut self, sort: Sort) {
        let begin = self.clock.now();
        let mut events = Events::default();
        for minute in 0..60 {
            let (number, at) = (self.spans + minute, begin.plus(Duration::from_secs(minute * 60 + 30)));
            let call = span(number, at, sort);
            let mut tool = builders::llm_span("default", 10_000 + number, "", at, 0);
            (tool.kind, tool.trace_id) = (SpanKind::Tool, call.trace_id);
            tool.tool_name = Some(if sort == Sort::Before { "search" } else { "orders" }.to_owned());
            let quality = if sort == Sort::Before { 0.9 } else { 0.4 } + (number % 7) as f64 / 100.0;
            events.scores.push(builders::score("default", number, "quality", quality, at));
            events.spans.extend([call, tool]);
        }
        self.spans += 60;
        self.store.append(events).await.unwrap();
        self.clock.advance(Duration::from_secs(3_600));
    }

    /// A minute passes, so that the hour before is whole; then it is compared.
    async fn compare(&mut self) -> DriftResult {
        self.clock.advance(Duration::from_secs(60));
        self.watch.compare_drift().await;
        while self.watch.deliver().await > 0 {}
        self.watch.drift_check(&Self::project(), "hourly").unwrap().last.unwrap()
    }
}

fn hourly(more: Value) -> Value {
    let mut check = json!({
        "name": "hourly", "current": "1h", "every": "1h", "season": "none", "reference": {"ago": "1h", "width": "1h"},
        "min_samples": 20, "notify": ["hook"], "scores": ["quality"],
        "runbook": "Look at {{labels.signal}}.",
    });
    check.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    check
}

fn config(more: Value) -> Value {
    let hook = json!({"name": "hook", "via": {"webhook": {"url": "https://h.example/x"}}});
    json!({"drift": [hourly(more)], "channels": [hook]})
}

fn drifted(result: &DriftResult) -> Vec<String> {
    let name = |cell: &crate::DriftCell| match &cell.segment {
        Some(segment) => format!("{} {segment}", cell.signal),
        None => cell.signal.clone(),
    };
    result.all().filter(|cell| cell.drifted).map(name).collect()
}

#[tokio::test]
async fn a_change_becomes_an_incident_and_ends_with_the_next_quiet_comparison() {
    let mut house = House::new(config(json!({}))).await;
    house.hour(Sort::Before).await;
    house.hour(Sort::Before).await;
    let quiet = house.compare().await;
    assert_eq!(drifted(&quiet), [] as [String; 0]);
    assert!(quiet.compared >= 10, "{quiet:?}");
    assert!((59..=60).contains(&quiet.current.rows) && quiet.current.drawn as u64 == quiet.current.rows);

    house.hour(Sort::After).await;
    let result = house.compare().await;
    let found = drifted(&result);
    for expected in ["input_tokens", "language", "topic", "embedding", "tools", "model", "score:quality"] {
        assert!(found.iter().any(|name| name == expected), "{expected}: {found:?}");
    }
    for unmoved in ["output_tokens", "errors", "refusals", "latency"] {
        assert!(found.iter().all(|name| name != unmoved), "{unmoved}: {found:?}");
    }
    let tokens = &result.cells[0];
    let details = tokens.found.as_ref().unwrap();
    assert_eq!((tokens.signal.as_str(), details.direction), ("input_tokens", Direction::Up));
    assert!(details.before.unwrap() < 140.0 && details.now.unwrap() > 300.0);
    assert_eq!((details.current_examples.len(), details.reference_examples.len()), (4, 4));
    assert!((details.distribution.iter().map(|bar| bar.current).sum::<f64>() - 1.0).abs() < 1e-9);
    let incident = house.incidents().remove(0);
    assert_eq!((incident.monitor.as_str(), incident.is_open()), ("drift.hourly", true));
    assert_eq!(incident.series.len(), found.len());
    assert!(incident.series.iter().any(|one| one.labels["signal"] == "language" && one.text.contains("`de`")));
    assert_eq!(house.told(), ["opened"]);

    house.restart().await;
    house.hour(Sort::After).await;
    let over = house.compare().await;
    assert_eq!(drifted(&over), [] as [String; 0]);
    assert_eq!(house.told(), ["opened", "resolved"]);
    let view = house.watch.drift_check(&House::project(), "hourly").unwrap();
    let trend = view.trends.iter().find(|one| one.signal == "language").unwrap();
    assert_eq!(trend.points.iter().map(|point| point.drifted).collect::<Vec<_>>(), [false, true, false]);
    let states = house.documents.0.lock().keys().filter(|key| key.kind == Kind::State).count();
    assert_eq!(states, 0, "what is well isn't remembered");
}

#[tokio::test]
async fn segments_and_the_relation_of_inputs_to_scores() {
    let more = json!({"segment_by": "environment", "concept": {"score": "quality", "by": "environment"}, "signals": ["model"]});
    let mut house = House::new(config(more)).await;
    house.hour(Sort::Before).await;
    house.hour(Sort::After).await;
    let result = house.compare().await;
    let expected = [
        "model",
        "score:quality",
        "model live",
        "score:quality live",
        "model test",
        "score:quality test",
        "concept:quality",
    ];
    assert_eq!(drifted(&result), expected);
    let concept = result.concept.unwrap();
    assert_eq!(concept.groups.len(), 2);
    let live = concept.groups.iter().find(|group| group.name == "live").unwrap();
    assert!(live.before.unwrap() > 0.9 && live.now.unwrap() < 0.5, "{live:?}");
    assert!(house.incidents()[0].series.iter().any(|one| one.labels.get("segment").is_some_and(|name| name == "live")));
}

#[tokio::test]
async fn little_is_no_drift_and_nothing_is_no_fault() {
    let mut house = House::new(config(json!({"min_samples": 61}))).await;
    house.hour(Sort::Before).await;
    house.hour(Sort::After).await;
    let result = house.compare().await;
    assert_eq!((result.compared, result.drifted), (0, 0));
    assert!(result.cells.iter().all(|cell| cell.found.is_none()));
    assert_eq!(house.incidents(), []);
    // It isn't due before the hour is over.
    house.clock.advance(Duration::from_secs(600));
    assert_eq!(house.watch.compare_drift().await, 0);
    house.clock.advance(Duration::from_secs(3_600));
    assert_eq!(house.watch.compare_drift().await, 1);
}

#[tokio::test]
async fn are_made_tested_run_and_deleted_by_people() {
    let mut house = House::new(config(json!({}))).await;
    let project = House::project();
    house.hour(Sort::Before).await;
    house.hour(Sort::After).await;
    house.clock.advance(Duration::from_secs(60));
    let own = hourly(json!({"name": "own", "notify": []}));
    let tried = house.watch.test_drift(&project, DriftConfig::read(&own).unwrap()).await.unwrap();
    assert!(tried.drifted > 3);
    assert_eq!(house.watch.drift_check(&project, "own"), Err(EditError::Unknown("drift check", "own".to_owned())));
    house.watch.save_drift(&project, &own).await.unwrap();
    let view = house.watch.run_drift(&project, "own").await.unwrap();
    assert_eq!((view.source, view.firing, view.last.unwrap().drifted), (Source::Api, true, tried.drifted));
    house.restart().await;
    let view = house.watch.drift_check(&project, "own").unwrap();
    assert!(view.firing && view.last.is_some());
    house.watch.delete_drift(&project, "own").await.unwrap();
    assert!(house.incidents().iter().all(|one| !one.is_open()));
    let left: Vec<Kind> =
        house.documents.0.lock().keys().map(|key| key.kind).filter(|kind| *kind != Kind::Incident).collect();
    assert_eq!(left, []);
    let configured = house.watch.delete_drift(&project, "hourly").await;
    assert_eq!(configured, Err(EditError::Configured("hourly".to_owned())));
    let unknown = house.watch.read_drift(&hourly(json!({"notify": ["nobody"]}))).unwrap_err();
    assert!(unknown.to_string().contains("there is no channel `nobody`"), "{unknown}");
}

#[tokio::test]
async fn draws_from_all_over_the_window() {
    let house = House::new(json!({})).await;
    let begin = house.clock.now();
    // Five hundred calls, most of them in the last tenth of the window.
    let at = |number: u64| if number < 250 { number * 13 } else { 3_250 + number / 2 };
    let spans: Vec<Span> =
        (0..500).map(|number| span(number, begin.plus(Duration::from_secs(at(number))), Sort::Before)).collect();
    house.store.append(spans.into()).await.unwrap();
    let check = DriftConfig::read(&hourly(json!({"sample": 100, "signals": ["input_tokens"], "scores": []}))).unwrap();
    let part = (begin, begin.plus(Duration::from_secs(3_600)));
    let side = sample::side(&*house.store, &House::project(), &check, vec![part]).await.unwrap();
    assert_eq!((side.calls.total, side.calls.rows.len()), (500, 100));
    let early = side.calls.cells().filter(|cells| {
        let number = cells.get("input_tokens").and_then(Value::as_u64).unwrap_or_default();
        let trace = cells.text("trace_id").unwrap_or_default();
        number > 0 && u64::from_str_radix(trace.get(16..).unwrap_or_default(), 16).unwrap() < 250
    });
    assert!((45..=55).contains(&early.count()));
}
