use axum::http::StatusCode;
use serde_json::{Value, json};
use signalbox_types::seam::{Reindexed, StoreError};

use crate::tests::house::House;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn each_step_is_a_line_and_the_end_is_noted() {
    let house = House::new().await;
    let step = |spans, done| Ok(Reindexed { total: 2, spans, changed: spans, failed: 0, done });
    house.reindexer.will_say([step(0, false), step(2, true)]);
    let answer = house.post("/api/v1/reindex", &json!({"from": "now-7d"})).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/jsonl"));
    assert_eq!(
        lines(answer.text()),
        [
            json!({"total": 2, "spans": 0, "changed": 0, "failed": 0, "done": false}),
            json!({"total": 2, "spans": 2, "changed": 2, "failed": 0, "done": true}),
        ]
    );
    assert_eq!(house.reindexer.asked(), [("default".to_owned(), "now-604800s".to_owned())]);
    let history = house.catalog.history(&house.principal().project, 10).await.unwrap();
    let noted = history.iter().find(|change| change.resource == "reindex").unwrap();
    assert_eq!(noted.after.as_ref().unwrap()["changed"], 2);
}

#[tokio::test]
async fn failures_before_and_after_the_first_step() {
    let house = House::new().await;
    let full = || Err(StoreError::Full { retry_after_s: 3 });
    house.reindexer.will_say([full()]);
    let answer = house.post("/api/v1/reindex", &json!({})).await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "3"));

    house.reindexer.will_say([Ok(Reindexed { total: 2, ..Reindexed::default() }), full()]);
    let answer = house.post("/api/v1/reindex", &json!({})).await;
    assert_eq!(lines(answer.text())[1]["error"]["type"], "overloaded");
    let history = house.catalog.history(&house.principal().project, 10).await.unwrap();
    assert!(history.iter().all(|change| change.resource != "reindex"), "it was not done");
}

#[tokio::test]
async fn odd_ranges_are_refused() {
    let house = House::new().await;
    for body in [json!({"from": "yesterday"}), json!({"since": "now-1d"}), json!([])] {
        assert_eq!(house.post("/api/v1/reindex", &body).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    let nobody = house.request(axum::http::Method::POST, "/api/v1/reindex");
    let nobody = nobody.header("content-type", "application/json").body("{}".into()).unwrap();
    assert_eq!(house.send(nobody).await.status, StatusCode::UNAUTHORIZED);
}
