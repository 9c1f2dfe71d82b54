use axum::http::StatusCode;
use serde_json::json;
use signalbox_testkit::builders;
use signalbox_types::SpanStatus;

use crate::tests::house::House;

const PATH: &str = "/api/v1/release_freeze";

#[tokio::test]
async fn a_spent_budget_freezes_releases() {
    let house = House::new().await;
    assert_eq!(house.get(PATH).await.ok(), json!({"frozen": false, "reasons": [], "unknown": []}));
    let now = house.now();
    let failed = |number| {
        let mut span = builders::llm_span("default", number, "gpt-4o", now, 0);
        span.status = SpanStatus::Error;
        span
    };
    house.append((0..10).map(failed).collect()).await;
    let objective = json!({"good": {"availability": {}}, "objective": 0.99, "period": "1d"});
    house.put("/api/v1/objectives/calls", &objective).await.ok();
    let frozen = house.get(PATH).await.ok();
    assert_eq!((frozen["frozen"].as_bool(), frozen["reasons"][0]["objective"].as_str()), (Some(true), Some("calls")));
    assert!(frozen["reasons"][0]["budget_left"].as_f64().unwrap() < 0.0, "{frozen}");
    assert!(frozen["reasons"][0]["text"].as_str().unwrap().contains("releases wait"), "{frozen}");
    // An objective that freezes nothing says nothing here.
    let objective = json!({"good": {"availability": {}}, "objective": 0.99, "period": "1d", "freeze": false});
    house.put("/api/v1/objectives/calls", &objective).await.ok();
    assert_eq!(house.get(PATH).await.ok()["frozen"], false);
}

#[tokio::test]
async fn people_freeze_and_lift_and_the_history_knows() {
    let house = House::new().await;
    let set = json!({"frozen": true, "reason": "moving", "until": "2099-01-01T00:00:00Z", "by": "ann"});
    let frozen = house.put(PATH, &set).await.ok();
    assert_eq!((frozen["frozen"].as_bool(), frozen["manual"]["by"].as_str()), (Some(true), Some("ann")));
    assert!(frozen["reasons"][0]["text"].as_str().unwrap().ends_with(": moving"), "{frozen}");
    let own = house.put(PATH, &json!({"frozen": true, "reason": "again"})).await.ok();
    assert_eq!(own["manual"]["by"], json!(house.principal().key_name));
    assert_eq!(house.put(PATH, &json!({"frozen": false})).await.ok()["frozen"], false);
    for wrong in [json!({"frozen": true}), json!({"frozen": true, "reason": "x", "until": "2001-01-01T00:00:00Z"})] {
        assert_eq!(house.put(PATH, &wrong).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let history = house.catalog.history(&house.principal().project, 10).await.unwrap();
    let actions: Vec<(&str, &str)> = history.iter().map(|one| (one.resource.as_str(), one.action.as_str())).collect();
    assert_eq!(actions[..3], ["lift", "freeze", "freeze"].map(|action| ("release_freeze", action)));
}
