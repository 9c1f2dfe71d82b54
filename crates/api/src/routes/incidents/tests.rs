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

#[tokio::test]
async fn show_what_is_beside_them() {
    let (house, id) = house().await;
    let marker = json!({"title": "shop 2.3.0", "kind": "deploy", "at": house.now().to_string()});
    house.post("/api/v1/markers", &marker).await.ok();
    let shown = house.get(&format!("/api/v1/incidents/{id}")).await.ok();
    assert_eq!(shown["context"]["changes"][0]["title"], "shop 2.3.0", "{shown}");
    assert_eq!(shown["context"]["examples"].as_array().unwrap().len(), 10);
    let again = house.post(&format!("/api/v1/incidents/{id}/look"), &json!({})).await.ok();
    assert_eq!(again["context"]["changes"], shown["context"]["changes"]);
    let text = house.get(&format!("/api/v1/incidents/{id}/post_mortem")).await.text().to_owned();
    assert!(text.contains("## What was changed") && text.contains("shop 2.3.0"), "{text}");
}

#[tokio::test]
async fn have_actions_that_people_do() {
    let house = House::new().await;
    let made = house.post("/api/v1/keys", &json!({"name": "runaway"})).await.ok();
    let key = made["id"].as_str().unwrap();
    let monitor = json!({
        "query": {"measures": [{"fn": "count"}]}, "window": "1m", "delay": "0s", "condition": {"threshold": {"above": 5}},
        "actions": [
            {"name": "Ask ops", "webhook": {"channel": "ops", "parameters": {"limit": "{{limit}}"}}},
            {"name": "Revoke it", "disable_key": {"key": key}},
        ],
    });
    let wrong = json!({"actions": [{"name": "x", "webhook": {"channel": "prom"}}]});
    let mut unknown = monitor.clone();
    unknown.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
    assert!(house.put("/api/v1/monitors/busy", &unknown).await.message().contains("actions[0].webhook.channel"));
    house.put("/api/v1/monitors/busy", &monitor).await.ok();
    let now = house.now();
    house.append((1..20).map(|number| builders::llm_span("default", number, "gpt-4o", now, 0)).collect()).await;
    house.clock.advance(Duration::from_secs(60));
    house.watch.tick().await;
    let id = house.get("/api/v1/incidents").await.ok()["incidents"][0]["id"].as_str().unwrap().to_owned();
    let act = async |number: u32| house.post(&format!("/api/v1/incidents/{id}/actions/{number}"), &json!({})).await;
    let asked = act(0).await.ok();
    assert_eq!(asked["actions"][0]["does"]["webhook"]["parameters"]["limit"], "5", "{asked}");
    let done = act(1).await.ok();
    let last = done["timeline"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((last["what"].as_str(), last["by"].as_str()), (Some("action"), Some("First key")));
    assert_eq!(last["text"], "Revoke it: virtual key `runaway` is revoked");
    assert_eq!(act(2).await.status, StatusCode::NOT_FOUND);
    house.watch.deliver().await;
    let history = house.catalog.history(&house.principal().project, 10).await.unwrap();
    let actions: Vec<_> = history.iter().filter(|one| one.action == "action").map(|one| &one.after).collect();
    assert_eq!(actions.len(), 2, "{history:?}");
    house.post(&format!("/api/v1/incidents/{id}/resolve"), &json!({})).await.ok();
    assert_eq!(act(0).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn show_the_values_around_them() {
    let (house, id) = house().await;
    let path = format!("/api/v1/incidents/{id}/history");
    let began = house.get(&path).await.ok();
    let point = |history: &serde_json::Value, at: &str| {
        let points = history["series"][0]["points"].as_array().unwrap().clone();
        points.into_iter().find(|point| point["at"] == at)
    };
    let fired = point(&began, "2026-11-24T08:01:00.000000Z").unwrap();
    assert_eq!((&fired["value"], &fired["high"], &fired["firing"]), (&json!(19.0), &json!(5.0), &json!(true)));
    let before = point(&began, "2026-11-24T08:00:00.000000Z").unwrap();
    assert_eq!((&before["value"], &before["firing"]), (&json!(0.0), &json!(false)));
    assert_eq!(began["from"], "2026-11-24T07:01:00.000000Z", "an hour before it");
    assert_eq!(began["to"], "2026-11-24T08:01:00.000000Z", "until now");
    house.post(&format!("/api/v1/incidents/{id}/resolve"), &json!({})).await.ok();
    house.clock.advance(Duration::from_secs(86_400));
    let over = house.get(&path).await.ok();
    assert_eq!(over["to"], "2026-11-24T08:11:00.000000Z", "ten windows after it");
    assert_eq!(point(&over, "2026-11-24T08:01:00.000000Z"), Some(fired));
    house.delete("/api/v1/monitors/busy").await;
    assert_eq!(house.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.get("/api/v1/incidents/0/history").await.status, StatusCode::NOT_FOUND);
}
