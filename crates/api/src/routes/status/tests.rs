use axum::http::StatusCode;
use serde_json::json;
use signalbox_catalog::LeaseAsk;
use signalbox_testkit::builders::llm_span;

use crate::tests::house::House;

#[tokio::test]
async fn puts_process_and_store_together() {
    let house = House::new().await;
    house.append(vec![llm_span("default", 1, "sim/small", house.now(), 0)]).await;
    let status = house.get("/api/v1/status").await.ok();
    assert_eq!((&status["version"], &status["shed_spans"]), (&json!("1.2.3"), &json!(7)));
    assert_eq!(status["store"]["appended_rows"], 1);
    assert_eq!(status["now"], "2026-11-24T08:00:00.000000Z");
}

#[tokio::test]
async fn tells_which_node_evaluates() {
    let house = House::new().await;
    let watch = house.get("/api/v1/status").await.ok()["watch"].clone();
    let until = "2026-11-24T08:00:15.000000Z";
    assert_eq!(watch, json!({"enabled": true, "node": "box-1", "leads": true, "leader": "box-1", "until": until}));
    // It was paused, and another one came.
    house.clock.advance(std::time::Duration::from_secs(60));
    let (name, holder) = ("watch".to_owned(), "box-2".to_owned());
    let ask = LeaseAsk { name, holder, term: None, lasts: std::time::Duration::from_secs(15) };
    assert!(house.catalog.ask_lease(ask).await.unwrap().1);
    let refused = house.post("/api/v1/markers", &json!({"title": "shop 2.3.0"})).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "15"));
    assert!(refused.message().contains("node `box-2` evaluates monitors"), "{}", refused.message());
    let watch = house.get("/api/v1/status").await.ok()["watch"].clone();
    assert_eq!((&watch["leads"], &watch["leader"]), (&json!(false), &json!("box-2")));
}
