//! Budgets with a clock that is moved by hand: calls in a store, standings, freezes, restarts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use signalbox_types::seam::Clock;
use signalbox_types::{ProjectId, Timestamp};

use super::standing::{Standing, Tally, bucket};
use crate::tests::House;
use crate::*;

fn objective(more: Value) -> Value {
    let mut objective = json!({"name": "calls", "good": {"availability": {}}, "objective": 0.9, "period": "6h"});
    objective.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    objective
}

fn with(objective: Value) -> Value {
    let hook = json!({"name": "hook", "via": {"webhook": {"url": "https://h.example/x"}}});
    json!({"objectives": [objective], "channels": [hook]})
}

fn read(more: Value) -> ObjectiveConfig {
    ObjectiveConfig::read(&objective(more)).unwrap()
}

async fn standing(house: &House, name: &str) -> Arc<Standing> {
    let view = house.watch.objective(&House::project(), name).await.unwrap();
    view.standing.unwrap_or_else(|| panic!("{:?}", view.problem))
}

#[tokio::test]
async fn a_budget_is_spent_tells_people_and_freezes_releases() {
    let strict = json!({"objective": 0.99, "notify": ["hook"], "freeze_below": 0.2});
    let mut house = House::new(with(objective(strict))).await;
    let project = House::project();
    for _ in 0..5 {
        house.minute(0).await;
    }
    let fine = standing(&house, "calls").await;
    assert_eq!((fine.total, fine.bad, fine.attained, fine.budget_left), (500.0, 0.0, Some(1.0), 1.0));
    assert!((fine.budget - 5.0).abs() < 1e-9 && fine.spent_at.is_none(), "{fine:?}");
    assert!(!house.watch.release_freeze(&project).await.frozen);
    assert_eq!(house.watch.monitors(&project)[0].source, Source::Objective);
    house.minute(100).await;
    house.minute(100).await;
    // 200 of 700 failed, 7 might have.
    let spent = standing(&house, "calls").await;
    assert!((spent.budget_left - (1.0 - 200.0 / 7.0)).abs() < 1e-6, "{spent:?}");
    assert!(spent.text.starts_with("the error budget is spent: 200 of 7 that may be bad over 6h; releases wait"));
    let last = spent.burn_down.last().unwrap();
    assert_eq!((last.left, last.at), (spent.budget_left, spent.to));
    assert!(spent.burn_down.windows(2).all(|pair| pair[1].left <= pair[0].left));
    assert_eq!(spent.burn_down.iter().map(|point| point.total).sum::<f64>(), 700.0);
    let freeze = house.watch.release_freeze(&project).await;
    assert!(freeze.frozen && freeze.reasons[0].text.starts_with("calls: the error budget is spent"), "{freeze:?}");
    assert_eq!(freeze.reasons[0].objective.as_deref(), Some("calls"));
    // Its monitor is one like others: incident, channel, severity of the window.
    house.minute(100).await;
    house.minute(100).await;
    assert_eq!(house.told()[..1], ["opened"]);
    let incident = &house.incidents()[0];
    assert_eq!((incident.monitor.as_str(), incident.severity), ("objective.calls", Severity::Critical));
    assert_eq!(incident.labels["objective"], "calls");
    let budgets = house.watch.budgets();
    assert_eq!((budgets[0].objective.as_str(), budgets[0].frozen), ("calls", true));
    // A period later nothing of it is left.
    house.pass(7 * 3_600).await;
    house.watch.take_stock().await;
    assert_eq!(house.watch.budgets()[0].left, 1.0);
    assert!(!house.watch.release_freeze(&project).await.frozen);
    assert_eq!(standing(&house, "calls").await.text, "nothing has happened in the last 6h");
}

#[tokio::test]
async fn is_counted_at_most_once_a_minute_and_what_comes_late_is_counted_too() {
    let mut house = House::new(with(objective(json!({})))).await;
    house.calls("gpt-4o", 100, 0).await;
    house.clock.advance(Duration::from_secs(5));
    assert_eq!(standing(&house, "calls").await.total, 100.0);
    house.calls("gpt-4o", 100, 0).await;
    assert_eq!(standing(&house, "calls").await.total, 100.0);
    house.clock.advance(Duration::from_secs(60));
    assert_eq!(standing(&house, "calls").await.total, 200.0);
    // Nobody asks for longer than buckets stay open; what happened meanwhile is not forgotten.
    house.calls("gpt-4o", 100, 0).await;
    house.clock.advance(Duration::from_secs(4 * 3_600));
    assert_eq!(standing(&house, "calls").await.total, 300.0);
}

#[tokio::test]
async fn what_is_good_can_be_said_in_several_ways() {
    let mut house = House::new(json!({})).await;
    let project = House::project();
    // Each takes 100 ms and more; ten fail by the provider's fault.
    house.calls("gpt-4o", 100, 10).await;
    house.clock.advance(Duration::from_secs(60));
    let check = async |more: Value, bad: f64, total: f64| {
        let tried = house.watch.try_objective(&project, &read(more.clone())).await.unwrap();
        assert_eq!((tried.standing.bad, tried.standing.total), (bad, total), "{more}");
    };
    check(json!({}), 10.0, 100.0).await;
    check(json!({"good": {"availability": {"ignore": ["rate_limited"]}}}), 0.0, 90.0).await;
    check(json!({"filter": {"field": "model", "op": "=", "value": "other"}}), 0.0, 0.0).await;
    check(json!({"good": {"latency": {"under": "1ms"}}}), 90.0, 90.0).await;
    check(json!({"good": {"latency": {"under": "1d"}}}), 0.0, 90.0).await;
    // Columns that sums by minute don't have.
    check(json!({"filter": {"field": "name", "op": "starts_with", "value": "chat"}}), 10.0, 100.0).await;
    check(json!({"filter": {"field": "kind", "op": "=", "value": "tool"}}), 0.0, 0.0).await;
    check(json!({"good": {"cost": {"under": 1000.0}}}), 0.0, 90.0).await;
    let failing = json!({"field": "status", "op": "=", "value": "error"});
    let measures = json!([
        {"fn": "count", "filter": failing, "as": "failed"}, {"fn": "count", "filter": {"not": failing}, "as": "fine"}, {"fn": "count", "as": "all"}
    ]);
    let ratio = |which: &str, name: &str| json!({"good": {"ratio": {"query": {"measures": measures}, which: name, "over": "all"}}});
    check(ratio("bad", "failed"), 10.0, 100.0).await;
    check(ratio("good", "fine"), 10.0, 100.0).await;
}

#[tokio::test]
async fn are_kept_and_come_back_with_their_monitors() {
    let mut house = House::new(with(objective(json!({})))).await;
    let project = House::project();
    let own = objective(json!({"name": "own", "objective": 0.99}));
    house.watch.save_objective(&project, &own).await.unwrap();
    let refused = house.watch.save_objective(&project, &objective(json!({}))).await.unwrap_err();
    assert_eq!(refused, EditError::ConfiguredObjective("calls".to_owned()));
    let unknown = house.watch.save_objective(&project, &objective(json!({"name": "x", "notify": ["y"]}))).await;
    assert!(unknown.unwrap_err().to_string().contains("there is no channel `y`; expected"));
    house.restart().await;
    let names = async |house: &House| -> Vec<(String, Source)> {
        let all = house.watch.objectives(&project).await;
        all.into_iter().map(|one| (one.config.name.clone(), one.source)).collect()
    };
    assert_eq!(names(&house).await, [("calls".to_owned(), Source::Config), ("own".to_owned(), Source::Api)]);
    assert_eq!(house.watch.monitors(&project).len(), 2);
    let kept = house.watch.delete_monitor(&project, "objective.own").await.unwrap_err();
    assert_eq!(kept.to_string(), "monitor `objective.own` comes with an objective; change that one");
    let taken = json!({"name": "objective.x", "query": {"measures": [{"fn": "count"}]}, "condition": {"absence": {}}});
    assert!(house.watch.save_monitor(&project, &taken).await.unwrap_err().to_string().contains("another name"));
    assert!(house.watch.delete_objective(&project, "calls").await.is_err());
    house.watch.delete_objective(&project, "own").await.unwrap();
    house.config = json!({});
    house.restart().await;
    assert_eq!(names(&house).await, []);
    assert_eq!(house.watch.monitors(&project), []);
    assert_eq!(house.watch.objectives(&ProjectId::new("other")).await, []);
}

#[tokio::test]
async fn another_configuration_takes_objectives_away_and_brings_others() {
    let house = House::new(with(objective(json!({})))).await;
    let config = json!({"starter": false, "objectives": [objective(json!({"name": "second"}))]});
    house.watch.configure(serde_json::from_value(config).unwrap());
    let monitors: Vec<String> =
        house.watch.monitors(&House::project()).iter().map(|one| one.config.name.clone()).collect();
    assert_eq!(monitors, ["objective.second"]);
    house.watch.take_stock().await;
    assert_eq!(house.watch.budgets().iter().map(|one| one.objective.as_str()).collect::<Vec<_>>(), ["second"]);
}

#[tokio::test]
async fn people_freeze_releases_and_lift_it() {
    let mut house = House::new(json!({})).await;
    let (project, other) = (House::project(), ProjectId::new("other"));
    let new = |reason: &str, until| NewFreeze { reason: reason.to_owned(), by: "ann".to_owned(), until };
    let until = house.clock.now().plus(Duration::from_secs(3_600));
    house.watch.freeze(&project, new("the provider moves", Some(until))).await.unwrap();
    house.restart().await;
    let freeze = house.watch.release_freeze(&project).await;
    assert!(freeze.frozen, "{freeze:?}");
    assert!(freeze.reasons[0].text.starts_with("ann has frozen releases, until 20"), "{freeze:?}");
    assert!(!house.watch.release_freeze(&other).await.frozen);
    house.pass(3_600).await;
    assert!(!house.watch.release_freeze(&project).await.frozen);
    house.watch.freeze(&project, new("until I say so", None)).await.unwrap();
    house.pass(30 * 86_400).await;
    assert!(house.watch.release_freeze(&project).await.frozen);
    house.watch.unfreeze(&project).await.unwrap();
    house.restart().await;
    assert!(!house.watch.release_freeze(&project).await.frozen);
    assert!(house.documents.0.lock().is_empty());
    let refused = house.watch.freeze(&project, new(" ", None)).await.unwrap_err();
    assert!(refused.to_string().contains("`reason`: is empty"), "{refused}");
    let late = house.watch.freeze(&project, new("x", Some(until))).await.unwrap_err();
    assert!(late.to_string().contains("`until`: is 20"), "{late}");
}

/// A period of 30 days in hours, each with these.
fn hours(objective: &ObjectiveConfig, now: Timestamp, at: impl Fn(usize) -> Tally) -> BTreeMap<Timestamp, Tally> {
    let (from, _) = super::period(objective, now);
    (0..720).map(|hour| (from.plus(Duration::from_secs(3_600 * hour as u64)), at(hour))).collect()
}

#[test]
fn says_when_the_budget_is_spent_at_the_present_rate() {
    let objective = read(json!({"objective": 0.99, "period": "30d"}));
    let now = Timestamp::from_micros(1_790_000_000_000_000);
    let steady = |bad: f64| move |_: usize| Tally { bad, total: 100.0 };
    let check = |at: &dyn Fn(usize) -> Tally, rate: f64, expected: Option<u64>| {
        let rates = [(Length::hours(1), at(719)), (Length::hours(6), Tally { bad: rate * 6.0, total: 600.0 })];
        let standing = Standing::of(&objective, &hours(&objective, now, at), &rates, now);
        let hours = standing.spent_at.map(|at| at.since(now).as_secs() / 3_600);
        assert_eq!(hours, expected, "{}", standing.text);
        standing
    };
    // 720 may be bad; none has been: at four an hour it lasts 720 / 4 hours.
    let fine = check(&steady(0.0), 4.0, Some(180));
    assert!(fine.burn_rates[1].rate.is_some_and(|rate| (rate - 4.0).abs() < 1e-9), "{:?}", fine.burn_rates);
    // Half is spent evenly, and what leaves the period is half an event an hour.
    check(&steady(0.5), 2.5, Some(180));
    // It isn't spent as long as it goes on as it may.
    check(&steady(0.5), 0.9, None);
    // Nearly all of it was spent at the very beginning, which leaves the period before the little that is left is spent.
    check(&|hour| Tally { bad: if hour < 10 { 71.0 } else { 0.0 }, total: 100.0 }, 5.0, Some(144));
    // Spent already.
    assert!(check(&steady(1.5), 1.5, None).frozen);
}

#[test]
fn releases_wait_below_a_part_of_the_budget_and_not_for_a_single_failure() {
    let now = Timestamp::from_micros(1_790_000_000_000_000);
    let check = |more: Value, bad: f64, frozen: bool| {
        let objective = read(more.clone());
        let (from, _) = super::period(&objective, now);
        let standing = Standing::of(&objective, &BTreeMap::from([(from, Tally { bad, total: 100.0 })]), &[], now);
        assert_eq!(standing.frozen, frozen, "{more} {}", standing.text);
        assert_eq!(standing.text.contains("releases wait"), frozen);
    };
    check(json!({}), 9.0, false);
    check(json!({}), 10.0, true);
    check(json!({"freeze": false}), 10.0, false);
    check(json!({"freeze_below": 0.2}), 7.0, false);
    check(json!({"freeze_below": 0.2}), 8.0, true);
    check(json!({"objective": 0.999}), 2.0, false);
    check(json!({"objective": 0.999}), 3.0, true);
    check(json!({"objective": 0.999, "min_bad": 5}), 3.0, false);
}

#[test]
fn buckets_fit_the_period() {
    let check = |period: &str, expected: &str| {
        let objective = read(json!({"period": period}));
        assert_eq!(bucket(objective.period).to_string(), expected, "{period}");
    };
    check("1h", "1m");
    check("6h", "5m");
    check("1d", "15m");
    check("7d", "1h");
    check("366d", "1h");
}
