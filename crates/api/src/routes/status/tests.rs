use serde_json::json;
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
