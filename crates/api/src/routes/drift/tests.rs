use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use signalbox_testkit::builders;
use signalbox_types::ErrorClass;

use crate::tests::house::House;

fn hourly() -> Value {
    json!({
        "current": "1h", "every": "1h", "season": "none", "reference": {"ago": "1h", "width": "1h"}, "min_samples": 20,
        "signals": ["model", "output_tokens"], "notify": ["ops"],
    })
}

/// Two hours of calls, the second of another model.
async fn two_hours(house: &House) {
    let begin = house.now();
    let model = |number: u64| if number < 60 { "gpt-4o" } else { "gpt-4o-mini" };
    let span = |number: u64| builders::llm_span("default", number, model(number), begin, number * 60_000 + 30_000);
    house.append((0..120).map(span).collect()).await;
    house.clock.advance(Duration::from_secs(7_200 + 60));
}

#[tokio::test]
async fn are_made_compared_shown_and_deleted() {
    let house = House::new().await;
    let made = house.put("/api/v1/drift/hourly", &hourly()).await.ok();
    assert_eq!((made["source"].as_str(), made["firing"].as_bool()), (Some("api"), Some(false)));
    assert_eq!((&made["definition"]["name"], &made["definition"]["sample"]), (&json!("hourly"), &json!(2000)));
    assert_eq!(made.get("last"), None);
    two_hours(&house).await;
    let run = house.post("/api/v1/drift/hourly/run", &json!({})).await.ok();
    assert_eq!((run["firing"].as_bool(), run["last"]["drifted"].as_u64()), (Some(true), Some(1)), "{run}");
    let cell = &run["last"]["cells"][0];
    assert_eq!(
        (&cell["signal"], &cell["drifted"], &cell["values"]),
        (&json!("model"), &json!(true), &json!("categories"))
    );
    assert_eq!(cell["found"]["current_examples"].as_array().unwrap().len(), 4);
    let trace = cell["found"]["current_examples"][0]["trace_id"].as_str().unwrap();
    house.get(&format!("/api/v1/traces/{trace}")).await.ok();
    let list = house.get("/api/v1/drift").await.ok();
    let listed = &list["checks"][0];
    assert_eq!((listed.get("trends"), &listed["last"]["drifted"]), (None, &json!(1)));
    assert_eq!(listed["last"]["cells"][0]["found"]["distribution"], json!([]));
    let shown = house.get("/api/v1/drift/hourly").await.ok();
    assert_eq!(shown["trends"][0]["points"][0]["drifted"], true);
    let incidents = house.get("/api/v1/incidents?status=active&monitor=drift.hourly").await.ok();
    assert_eq!(incidents["incidents"][0]["series"][0]["labels"], json!({"signal": "model"}));

    assert_eq!(house.delete("/api/v1/drift/hourly").await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.get("/api/v1/drift/hourly").await.status, StatusCode::NOT_FOUND);
    let history = house.catalog.history(&house.principal().project, 10).await.unwrap();
    let actions: Vec<(&str, &str)> = history.iter().map(|one| (one.resource.as_str(), one.action.as_str())).collect();
    assert_eq!(actions[..2], [("drift", "delete"), ("drift", "save")]);
}

#[tokio::test]
async fn are_tested_and_nothing_is_kept() {
    let house = House::new().await;
    two_hours(&house).await;
    let mut check = hourly();
    check["name"] = json!("tried");
    let tested = house.post("/api/v1/drift/test", &json!({"check": check})).await.ok();
    assert_eq!((tested["drifted"].as_u64(), tested["compared"].as_u64()), (Some(1), Some(2)));
    assert_eq!(house.get("/api/v1/drift/tried").await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.get("/api/v1/incidents").await.ok()["incidents"], json!([]));
}

#[tokio::test]
async fn that_name_a_model_are_compared_by_it_and_say_when_it_fails() {
    let house = House::new().await;
    two_hours(&house).await;
    let mut check = hourly();
    check["embedding_model"] = json!("near/m");
    check["signals"] = json!(["embedding", "model"]);
    let made = house.put("/api/v1/drift/meant", &check).await.ok();
    assert_eq!(made["definition"]["embedding_model"], "near/m");
    house.embedder.fail(ErrorClass::NotFound, "There is no provider `near`.");
    let run = house.post("/api/v1/drift/meant/run", &json!({})).await.ok();
    assert_eq!((run["last"]["drifted"].as_u64(), run["firing"].as_bool()), (Some(1), Some(true)), "{run}");
    let problem = run["problem"].as_str().unwrap();
    assert!(problem.contains("`near/m` gave no embeddings: There is no provider `near`."), "{problem}");
    let cell = &run["last"]["cells"][0];
    assert_eq!((&cell["signal"], &cell["problem"], cell.get("found")), (&json!("embedding"), &json!(problem), None));
    let listed = &house.get("/api/v1/drift").await.ok()["checks"][0];
    assert_eq!((&listed["problem"], &listed["last"]["cells"][0]["problem"]), (&json!(problem), &json!(problem)));
    let run = house.post("/api/v1/drift/meant/run", &json!({})).await.ok();
    assert_eq!((run.get("problem"), &run["last"]["compared"]), (None, &json!(2)), "{run}");
    let text = run["last"]["cells"][0]["found"]["text"].as_str().unwrap();
    assert!(text.ends_with("inputs, by `near/m-0613`"), "{text}");
    assert!(
        house.embedder.asked().iter().all(|(project, model, _)| project.as_str() == "default" && model == "near/m")
    );
}

#[tokio::test]
async fn refusals_name_the_field() {
    let house = House::new().await;
    let check = async |more: Value, message: &str| {
        let mut wrong = hourly();
        wrong.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = house.put("/api/v1/drift/a", &wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert!(answer.message().contains(message), "{}", answer.message());
    };
    check(json!({"notify": ["opps"]}), "there is no channel `opps`; expected one of ops, gone").await;
    check(json!({"every": "1m"}), "expected 5m to 31d").await;
    check(json!({"sgnals": []}), "unknown field `sgnals`").await;
    check(json!({"embedding_model": "m"}), "is for the signal `embedding`, which `signals` leaves out").await;
    check(json!({"name": "b"}), "another name than that of the path").await;
    let answer = house.post("/api/v1/drift/test", &json!({"check": {"name": "x", "every": "1s"}})).await;
    assert!(answer.text().contains("check.every"), "{}", answer.text());
    let unknown = house.post("/api/v1/drift/nobody/run", &json!({})).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}
