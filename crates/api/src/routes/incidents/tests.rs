use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use signalbox_testkit::builders;

use crate::tests::house::House;

/// A house in which something is wrong.
pub(crate) async fn house() -> (House, String) {
    let house = House::new().await;
    let monitor = json!({
        "query": {"measures": [{"fn": "count"}]}, "window": "1m", "delay": "0s", "condition": {"threshold": {"above": 5}},
        "notify": ["ops"], "severity": "error", "runbook": "Count to {{limit}}.",
    });
    house.put("/api/v1/monitors/busy", &monitor).await.ok();
    let now = house.now();
    house.append((1..20).map(|number| builders::llm_span("default", number, "gpt-4o", now, 0)).collect()).await;
    house.clock.advance(Duration::from_secs(60));
    house.watch.tick().await;
    house.watch.deliver().await;
    let list = house.get("/api/v1/incidents?status=active&monitor=busy").await.ok();
    let id = list["incidents"][0]["id"].as_str().unwrap().to_owned();
    (house, id)
}

#[tokio::test]
async fn are_taken_noted_and_ended() {
    let (house, id) = house().await;
    let path = |what: &str| format!("/api/v1/incidents/{id}{what}");
    let shown = house.get(&path("")).await.ok();
    assert_eq!((shown["status"].as_str(), shown["severity"].as_str()), (Some("open"), Some("error")));
    assert_eq!(shown["runbook"], "Count to 5.");
    let taken = house.post(&path("/acknowledge"), &json!({"note": "I look"})).await.ok();
    assert_eq!(
        (taken["status"].as_str(), taken["acknowledged_by"].as_str()),
        (Some("acknowledged"), Some("First key"))
    );
    house.post(&path("/notes"), &json!({"note": "It was the load test"})).await.ok();
    assert_eq!(house.post(&path("/notes"), &json!({})).await.status, StatusCode::BAD_REQUEST);
    let over = house.post(&path("/resolve"), &json!({})).await.ok();
    assert_eq!(over["status"], "resolved");
    assert_eq!(house.post(&path("/resolve"), &json!({})).await.status, StatusCode::CONFLICT);
    let written = house.get(&path("/post_mortem")).await;
    assert_eq!(written.header("content-type"), "text/markdown; charset=utf-8");
    assert!(written.text().contains("It was the load test"), "{}", written.text());
    assert_eq!(house.get("/api/v1/incidents?status=active").await.ok()["incidents"], json!([]));
    assert_eq!(house.get("/api/v1/incidents/0").await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.get("/api/v1/incidents?status=shut").await.status, StatusCode::BAD_REQUEST);
}
