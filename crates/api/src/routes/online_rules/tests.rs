use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use signalbox_testkit::builders::llm_span;

use crate::tests::house::House;

const RULES: &str = "/api/v1/online-rules";

fn rule() -> Value {
    json!({"name": "short", "scorers": [{"metric": "length", "options": {"max": 100}}, {"metric": "exact_match"}]})
}

async fn until(what: &str, house: &House, scores: usize) {
    for _ in 0..2_000 {
        if house.store.scores().len() >= scores {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never: {what}");
}

#[tokio::test(start_paused = true)]
async fn a_rule_is_made_changed_and_deleted_and_its_history_stays() {
    let house = House::new().await;
    assert_eq!(house.get(RULES).await.ok()["rules"], json!([]));
    let made = house.post(RULES, &rule()).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!((&made.json()["version"], &made.json()["rule"]["sample_rate"]), (&json!(1), &json!(1.0)));
    assert_eq!(house.post(RULES, &rule()).await.status, StatusCode::CONFLICT);

    let mut changed = rule();
    changed["sample_rate"] = json!(0.25);
    let answer = house.put("/api/v1/online-rules/short", &json!({"base": 1, "rule": changed})).await.ok();
    assert_eq!((&answer["version"], &answer["rule"]["sample_rate"]), (&json!(2), &json!(0.25)));
    let stale = house.put("/api/v1/online-rules/short", &json!({"base": 1, "rule": changed})).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    changed["name"] = json!("other");
    let renamed = house.put("/api/v1/online-rules/short", &json!({"base": 2, "rule": changed})).await;
    assert_eq!((renamed.status, &renamed.json()["error"]["field"]), (StatusCode::BAD_REQUEST, &json!("rule.name")));

    assert_eq!(house.get("/api/v1/online-rules/short").await.ok()["state"]["scored_today"], 0);
    assert_eq!(house.delete("/api/v1/online-rules/short").await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.delete("/api/v1/online-rules/short").await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.get("/api/v1/online-rules/short").await.status, StatusCode::NOT_FOUND);
    let history = house.get("/api/v1/online-rules/short/history").await.ok();
    let actions: Vec<&Value> = history["changes"].as_array().unwrap().iter().map(|one| &one["action"]).collect();
    assert_eq!(actions, ["delete", "change", "create"]);
}

#[tokio::test]
async fn a_wrong_rule_is_refused_with_its_field() {
    let house = House::new().await;
    let check = async |more: Value, field: &str| {
        let mut wanted = rule();
        wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        for path in [RULES, "/api/v1/online-rules/preview"] {
            let answer = house.post(path, &wanted).await;
            let found = answer.json()["error"]["field"].clone();
            assert_eq!((answer.status, found), (StatusCode::BAD_REQUEST, json!(field)), "{}", answer.text());
        }
    };
    check(json!({"scorers": [{"metric": "lenght"}]}), "scorers[0].metric").await;
    check(json!({"filter": {"field": "modle", "op": "exists"}}), "filter.field").await;
    check(json!({"sample_rate": 2}), "sample_rate").await;
    check(json!({"mapping": {"output": "somewhere"}}), "mapping.output").await;
    assert!(house.get(RULES).await.ok()["rules"].as_array().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_arrives_is_scored_history_too_and_all_is_summed_up() {
    let house = House::new().await;
    let span = |number: u64| llm_span("default", number, "sim/small", house.now(), 0);
    house.append((0..5).map(span).collect()).await;
    let preview = house.post("/api/v1/online-rules/preview", &rule()).await.ok();
    assert_eq!((&preview["matched"], preview["examples"].as_array().unwrap().len()), (&json!(5), 3));
    let example = &preview["examples"][0];
    assert_eq!(example["inputs"]["output"], "Answer 4");
    assert_eq!((&example["scores"][0]["passed"], &example["scores"][0]["name"]), (&json!(true), &json!("length")));
    assert!(example["scores"][1]["error"].as_str().unwrap().contains("`reference`"));
    assert!(house.store.scores().is_empty());

    house.post(RULES, &rule()).await.ok();
    house.append((5..15).map(span).collect()).await;
    until("scores of what arrived", &house, 10).await;
    let fill = house.post("/api/v1/online-rules/short/backfill", &json!({"from": "now-1d", "to": "now"})).await;
    assert_eq!((fill.status, &fill.json()["state"]), (StatusCode::ACCEPTED, &json!("running")));
    until("scores of history", &house, 15).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let state = house.get("/api/v1/online-rules/short").await.ok()["state"].clone();
    assert_eq!((&state["backfill"]["state"], &state["backfill"]["scored"]), (&json!("done"), &json!(5)));
    assert_eq!((&state["scored_today"], &state["since_start"]["no_input"]), (&json!(15), &json!(15 + 10)));

    house.clock.advance(Duration::from_secs(60));
    let summary = house.get("/api/v1/online-rules/short/summary?from=now-2h").await.ok();
    let one = &summary["scorers"][0];
    assert_eq!((&one["name"], &one["scored"], &one["pass_rate"]["value"]), (&json!("length"), &json!(15), &json!(1.0)));
    assert!(one["pass_rate"]["low"].as_f64().unwrap() < 1.0);
    let wrong = house.get("/api/v1/online-rules/short/summary?from=yesterday").await;
    assert_eq!((wrong.status, &wrong.json()["error"]["field"]), (StatusCode::BAD_REQUEST, &json!("from")));
}

#[tokio::test]
async fn a_run_over_history_wants_a_rule_that_is_on() {
    let house = House::new().await;
    let range = json!({"from": "now-1d"});
    assert_eq!(house.post("/api/v1/online-rules/none/backfill", &range).await.status, StatusCode::NOT_FOUND);
    let mut off = rule();
    off["on"] = json!(false);
    house.post(RULES, &off).await.ok();
    assert_eq!(house.post("/api/v1/online-rules/short/backfill", &range).await.status, StatusCode::CONFLICT);
    assert_eq!(house.delete("/api/v1/online-rules/short/backfill").await.status, StatusCode::NO_CONTENT);
}
