//! What happens seldom: monitors that are changed while they fire, series that go, faults that stay.

use super::*;
use crate::tick::next;

const DAY: u64 = 86_400;

fn by_model(measures: Value, more: Value) -> Value {
    let mut monitor = error_rate(json!({"query": {"measures": measures, "group_by": ["model"]}, "for": 1}));
    monitor.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    monitor
}

fn bad_and_all() -> Value {
    let failing = json!({"field": "status", "op": "=", "value": "error"});
    json!([{"fn": "count", "filter": failing, "as": "bad"}, {"fn": "count", "as": "all"}])
}

#[tokio::test]
async fn a_monitor_that_is_switched_off_pages_nobody_any_more() {
    let steps = json!([{"notify": ["hook"]}, {"after": "5m", "notify": ["boss"]}]);
    let page = json!({"escalation": "page", "notify": [], "for": 1});
    let more = json!({"escalations": [{"name": "page", "steps": steps, "repeat": 5}]});
    let mut house = House::new(with(error_rate(page), more)).await;
    house.minute(10).await;
    assert_eq!(house.told(), ["opened"]);
    house.config["monitors"][0]["enabled"] = json!(false);
    house.restart().await;
    for _ in 0..20 {
        house.minute(10).await;
    }
    assert_eq!(house.told(), ["opened", "resolved"]);
}

#[tokio::test]
async fn an_incident_ends_when_its_monitor_asks_something_else() {
    let mut house = House::new(json!({"channels": with(json!(null), json!({}))["channels"]})).await;
    let project = House::project();
    let mut monitor = by_model(bad_and_all(), json!({}));
    house.watch.save_monitor(&project, &monitor).await.unwrap();
    house.minute(10).await;
    assert_eq!(house.told(), ["opened"]);
    monitor["query"]["group_by"] = json!(["provider"]);
    monitor["condition"]["threshold"]["above"] = json!(0.5);
    house.watch.save_monitor(&project, &monitor).await.unwrap();
    house.minute(10).await;
    assert_eq!(house.told(), ["opened", "resolved"]);
    assert!(house.incidents()[0].timeline.iter().any(|entry| entry.text.contains("the monitor was changed")));
}

#[tokio::test]
async fn a_series_that_is_crowded_out_is_not_known_to_be_zero() {
    let few = json!({"value": null, "condition": {"threshold": {"below": 1}}, "max_series": 1});
    let monitor = by_model(json!([{"fn": "count"}]), few);
    let mut house = House::new(with(monitor, json!({}))).await;
    for (small, large) in [(5, 10), (10, 5), (5, 10)] {
        house.calls("small", small, 0).await;
        house.calls("large", large, 0).await;
        house.pass(60).await;
    }
    assert_eq!(house.told(), Vec::<String>::new());
}

#[tokio::test]
async fn an_incident_ends_when_what_it_tells_of_is_no_longer_used() {
    let mut house = House::new(with(by_model(bad_and_all(), json!({})), json!({}))).await;
    house.minute(10).await;
    house.pass(DAY - 60).await;
    assert_eq!(house.told(), ["opened"], "for a day it may just be quiet");
    house.pass(120).await;
    assert_eq!(house.told(), ["opened", "resolved"]);
    assert_eq!(house.watch.monitor(&House::project(), "error-rate").unwrap().series, []);
}

#[tokio::test]
async fn what_is_missing_fires_for_as_long_as_it_is_known() {
    let monitor = by_model(json!([{"fn": "count"}]), json!({"value": null, "condition": {"absence": {}}}));
    let mut house = House::new(with(monitor, json!({}))).await;
    house.minute(0).await;
    house.pass(120).await;
    house.pass(2 * DAY).await;
    assert_eq!(house.told(), ["opened"]);
    house.pass(6 * DAY).await;
    assert_eq!(house.told(), ["opened", "resolved"]);
}

#[tokio::test]
async fn a_change_that_stays_is_usual_one_day() {
    let mut house = House::new(with(error_rate(json!({"for": 1})), json!({}))).await;
    house.minute(10).await;
    let began = house.clock.now();
    house.clock.advance(Duration::from_secs(10 * DAY));
    let bad = house.watch.bad_times(&House::project(), "error-rate", house.clock.now());
    assert_eq!(bad, [(began, began.plus(Duration::from_secs(3 * DAY)))]);
}

#[test]
fn windows_are_looked_at_as_soon_as_late_data_is_there() {
    for (delay, every) in [(0, 60), (30, 60), (90, 60), (30, 300)] {
        let monitor = error_rate(json!({"delay": format!("{delay}s"), "every": format!("{every}s")}));
        let config = MonitorConfig::read(&monitor).unwrap();
        let mut now = "2026-11-24T08:00:17Z".parse().unwrap();
        for _ in 0..5 {
            let due = next("error-rate", &config, now);
            assert!(due > now);
            let late = (due.as_secs() - delay).rem_euclid(every);
            assert!((0..=10).contains(&late), "{due}: {late} s after the end of a window and its delay");
            now = due;
        }
    }
}

#[tokio::test]
async fn a_test_leaves_no_alert_behind() {
    let channel = json!({"name": "alerts", "via": {"alertmanager": {"url": "http://a.example"}}});
    let house = House::new(json!({"channels": [channel]})).await;
    house.watch.test_channel("alerts").await.unwrap();
    let ends: signalbox_types::Timestamp =
        house.receiver.taken.lock()[0][0]["endsAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(house.clock.now().plus(Duration::from_secs(300)), ends);
}

#[tokio::test]
async fn a_longer_window_knows_what_a_short_one_has_too_few_rows_for() {
    let baseline = json!({"side": "upper", "history": "7d", "longer": "1h"});
    let monitor = by_model(
        bad_and_all(),
        json!({"window": "5m", "every": "5m", "min_samples": 20, "condition": {"baseline": baseline}}),
    );
    let mut house = House::new(json!({})).await;
    // Two days of three calls in five minutes; then half an hour in which all of them fail.
    for _ in 0..2 * 288 {
        house.calls("gpt-4o", 3, 0).await;
        house.clock.advance(Duration::from_secs(300));
    }
    house.configure(with(monitor.clone(), json!({}))).await;
    let mut told = Vec::new();
    for step in 0..30 {
        house.calls("gpt-4o", 3, if step < 6 { 3 } else { 0 }).await;
        house.pass(300).await;
        told.push(house.told().len());
    }
    assert_eq!(house.told(), ["opened", "resolved"]);
    // While it goes on, and an hour after it was over.
    assert!(told[5] == 1 && told[12] == 1 && told[20] == 2, "{told:?}");
    assert!(house.incidents()[0].timeline[0].text.ends_with(" over 1h"), "{:?}", house.incidents());
    let monitor = MonitorConfig::read(&monitor).unwrap();
    let tested = house
        .watch
        .backtest(&House::project(), &MonitorConfig { notify: Vec::new(), ..monitor }, Length::days(1))
        .await
        .unwrap();
    assert_eq!(tested.firings, 1, "{:?}", tested.series[0].firings);
}

#[tokio::test]
async fn a_test_is_closed_where_it_would_stay_open() {
    let channel = json!({"name": "pager", "via": {"pagerduty": {"routing_key": "R"}}});
    let house = House::new(json!({"channels": [channel]})).await;
    house.watch.test_channel("pager").await.unwrap();
    let taken = house.receiver.taken.lock().clone();
    let actions: Vec<&Value> = taken.iter().map(|body| &body["event_action"]).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    assert_eq!(taken[0]["dedup_key"], taken[1]["dedup_key"]);
}

/// Fires as a warning at a fifth of the calls, and as critical at more than half.
fn burning() -> Value {
    let window =
        |factor: f64, severity: &str| json!({"long": "10m", "short": "5m", "factor": factor, "severity": severity});
    let windows = [window(5.0, "critical"), window(1.5, "warning")];
    error_rate(json!({"window": "5m", "for": 1, "condition": {"burn_rate": {"objective": 0.9, "windows": windows}}}))
}

#[tokio::test]
async fn what_gets_worse_after_somebody_has_ended_it_is_told_again() {
    let mut house = House::new(with(burning(), json!({}))).await;
    for _ in 0..3 {
        house.minute(20).await;
    }
    let first = house.incidents().remove(0);
    assert_eq!(first.severity, Severity::Warning);
    house.watch.resolve(&House::project(), &first.id, "ann", "").await.unwrap();
    for _ in 0..10 {
        house.minute(20).await;
    }
    assert_eq!(house.told(), ["opened", "resolved"], "it only goes on");
    for _ in 0..10 {
        house.minute(90).await;
    }
    assert_eq!(house.told(), ["opened", "resolved", "opened"]);
    let second = house.incidents().remove(0);
    assert_eq!((second.severity, second.status), (Severity::Critical, IncidentStatus::Open));
}

#[tokio::test]
async fn what_gets_worse_after_somebody_has_taken_it_is_told_again() {
    let mut house = House::new(with(burning(), json!({}))).await;
    house.minute(20).await;
    let id = house.incidents()[0].id.clone();
    house.watch.acknowledge(&House::project(), &id, "ann", "").await.unwrap();
    for _ in 0..10 {
        house.minute(90).await;
    }
    assert_eq!(house.told(), ["opened", "acknowledged", "worsened"]);
}
