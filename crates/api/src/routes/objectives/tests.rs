use axum::http::StatusCode;
use serde_json::{Value, json};
use signalbox_testkit::builders;
use signalbox_types::{Span, SpanStatus};

use crate::tests::house::House;

fn calls() -> Value {
    json!({"good": {"availability": {}}, "objective": 0.9, "period": "1d", "notify": ["ops"]})
}

/// A hundred calls, of which so many fail.
async fn hundred(house: &House, failing: u64) {
    let now = house.now();
    let span = |number: u64| -> Span {
        let mut span = builders::llm_span("default", number, "gpt-4o", now, 0);
        if number < failing {
            (span.status, span.error_type) = (SpanStatus::Error, Some("upstream_error".to_owned()));
        }
        span
    };
    house.append((0..100).map(span).collect()).await;
}

#[tokio::test]
async fn are_made_shown_and_deleted() {
    let house = House::new().await;
    hundred(&house, 5).await;
    let made = house.put("/api/v1/objectives/calls", &calls()).await.ok();
    assert_eq!((made["source"].as_str(), made["phase"].as_str()), (Some("api"), Some("ok")));
    assert_eq!(
        (made["definition"]["name"].as_str(), made["monitor"].as_str()),
        (Some("calls"), Some("objective.calls"))
    );
    let standing = &made["standing"];
    assert_eq!((standing["bad"].as_f64(), standing["total"].as_f64()), (Some(5.0), Some(100.0)), "{standing}");
    assert_eq!(standing["attained"], 0.95);
    assert!((standing["budget_left"].as_f64().unwrap() - 0.5).abs() < 1e-6, "{standing}");
    assert_eq!(standing["burn_rates"][0]["over"], "1h");
    assert_eq!(standing["burn_down"].as_array().unwrap().len(), 96);
    let list = house.get("/api/v1/objectives").await.ok();
    assert_eq!(list["objectives"][0]["name"], "calls");
    assert_eq!(list["objectives"][0]["standing"]["burn_down"], json!([]));
    let monitor = house.get("/api/v1/monitors/objective.calls").await.ok();
    assert_eq!(
        (monitor["source"].as_str(), monitor["definition"]["notify"][0].as_str()),
        (Some("objective"), Some("ops"))
    );
    assert_eq!(house.delete("/api/v1/monitors/objective.calls").await.status, StatusCode::CONFLICT);

    assert_eq!(house.delete("/api/v1/objectives/calls").await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.get("/api/v1/objectives/calls").await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.get("/api/v1/monitors/objective.calls").await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.delete("/api/v1/objectives/calls").await.status, StatusCode::NOT_FOUND);
    let history = house.catalog.history(&house.principal().project, 10).await.unwrap();
    let actions: Vec<(&str, &str)> = history.iter().map(|one| (one.resource.as_str(), one.action.as_str())).collect();
    assert_eq!(actions[..2], [("objective", "delete"), ("objective", "save")]);
}

#[tokio::test]
async fn refusals_name_the_field() {
    let house = House::new().await;
    let check = async |more: Value, field: &str, message: &str| {
        let mut objective = calls();
        objective.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = house.put("/api/v1/objectives/a", &objective).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert!(answer.message().contains(message), "{}", answer.message());
        assert!(answer.text().contains(&format!("\"field\":\"{field}\"")), "{}", answer.text());
    };
    check(json!({"objective": 99}), "objective", "expected a share between 0 and 1").await;
    check(json!({"notify": ["opps"]}), "notify[0]", "there is no channel `opps`; expected one of ops, gone").await;
    check(json!({"good": {"latency": {}}}), "good.latency", "missing field `under`").await;
    check(json!({"name": "b"}), "name", "another name than that of the path").await;
    let answer = house.put("/api/v1/objectives/a", &json!([])).await;
    assert!(answer.message().contains("expected an object"), "{}", answer.message());
}

#[tokio::test]
async fn are_tried_on_what_was_recorded() {
    let house = House::new().await;
    hundred(&house, 60).await;
    house.clock.advance(std::time::Duration::from_secs(900));
    let mut objective = calls();
    objective["name"] = json!("tried");
    objective["objective"] = json!(0.97);
    let tried = house.post("/api/v1/objectives/test", &json!({"objective": objective})).await.ok();
    assert_eq!(tried["standing"]["frozen"], true);
    assert!(tried["standing"]["text"].as_str().unwrap().starts_with("the error budget is spent: 60 of 3 that may"));
    assert!(tried["firings"][0]["text"].as_str().unwrap().contains("too fast over 1h"), "{tried}");
    assert_eq!(house.get("/api/v1/objectives/tried").await.status, StatusCode::NOT_FOUND);
    let answer = house.post("/api/v1/objectives/test", &json!({"objective": {"name": "x"}})).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("objective."), "{}", answer.text());
}
