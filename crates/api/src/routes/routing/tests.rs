use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::json;
use signalbox_testkit::builders;

use crate::tests::house::House;

#[tokio::test]
async fn routes_are_listed_with_their_targets_as_they_are_now() {
    let house = House::new().await;
    let answer = house.get("/api/v1/routes").await.ok();
    let route = &answer["routes"][0];
    assert_eq!((route["name"].as_str(), route["strategy"].as_str()), (Some("chat"), Some("priority")), "{answer}");
    let target = &route["targets"][0];
    assert_eq!((target["provider"].as_str(), target["model"].as_str()), (Some("sim"), Some("small")), "{answer}");
    assert_eq!((target["breaker"].as_str(), target["in_flight"].as_u64()), (Some("closed"), Some(0)), "{answer}");
    assert!(target.get("latency_ms").is_none(), "unknown is not zero: {answer}");
}

#[tokio::test]
async fn a_key_is_needed() {
    let house = House::new().await;
    let request = house.request(Method::GET, "/api/v1/routes").body(Body::empty()).unwrap();
    assert_eq!(house.send(request).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_incident_switches_a_route_and_people_switch_it_back() {
    let house = House::new().await;
    let now = house.now();
    house.append((1..80).map(|number| builders::llm_span("default", number, "gpt-4o", now, 0)).collect()).await;
    house.clock.advance(Duration::from_secs(60));
    house.watch.tick().await;
    let id = house.get("/api/v1/incidents?monitor=crowd").await.ok()["incidents"][0]["id"].as_str().unwrap().to_owned();
    let act = async |number: u32| house.post(&format!("/api/v1/incidents/{id}/actions/{number}"), &json!({})).await;
    let nowhere = act(1).await;
    assert_eq!(nowhere.status, StatusCode::CONFLICT);
    assert!(nowhere.message().contains("there is no route `nowhere`; expected one of chat"), "{}", nowhere.message());
    let done = act(0).await.ok();
    assert!(done["actions"][0]["done_at"].is_string() && done["actions"][1]["done_at"].is_null(), "{done}");
    let route = async || house.get("/api/v1/routes").await.ok()["routes"][0].clone();
    let detour = route().await["detour"].clone();
    assert_eq!((&detour["targets"], &detour["incident"]), (&json!(["sim/small"]), &json!(id)));
    let back = house.delete("/api/v1/routes/chat/detour").await.ok();
    assert_eq!((&back["action"], &back["by"]), (&json!("Only the small one"), &json!("First key")));
    assert!(route().await.get("detour").is_none());
    assert_eq!(house.delete("/api/v1/routes/chat/detour").await.status, StatusCode::NOT_FOUND);
    let shown = house.get(&format!("/api/v1/incidents/{id}")).await.ok();
    let texts: Vec<&str> =
        shown["timeline"].as_array().unwrap().iter().map(|entry| entry["text"].as_str().unwrap()).collect();
    let alone = "Only the small one: calls of route `chat` are asked of sim/small alone until the incident is over";
    assert!(texts.contains(&alone), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("go their own way again: somebody wants it so")), "{texts:?}");
    let history = house.catalog.history(&house.principal().project, 10).await.unwrap();
    let noted: Vec<_> = history.iter().map(|one| (one.resource.as_str(), one.action.as_str())).collect();
    assert_eq!(noted[..2], [("route", "switch_back"), ("incident", "action")], "{noted:?}");
    let own = json!({
        "query": {"measures": [{"fn": "count"}]}, "condition": {"threshold": {"above": 5}},
        "actions": [{"name": "x", "switch_route": {"route": "chat", "targets": ["sim/small"]}}],
    });
    let refused = house.put("/api/v1/monitors/own", &own).await;
    assert!(refused.message().contains("routes are those of all projects"), "{}", refused.message());
}
