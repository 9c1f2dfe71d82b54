use axum::http::StatusCode;
use serde_json::json;

use crate::tests::house::House;

#[tokio::test]
async fn are_listed_and_tried() {
    let house = House::new().await;
    let channels = house.get("/api/v1/channels").await.ok();
    assert_eq!(channels["channels"][0], json!({"name": "ops", "kind": "webhook"}));
    assert!(!channels.to_string().contains("hook.example"));
    let test = async |name: &str| house.post(&format!("/api/v1/channels/{name}/test"), &json!({})).await;
    assert_eq!(test("ops").await.status, StatusCode::NO_CONTENT);
    assert_eq!(test("none").await.status, StatusCode::NOT_FOUND);
    let gone = test("gone").await;
    assert!(gone.message().contains("channel `gone`: it answered with status 404"), "{}", gone.message());
    assert_eq!(house.get("/api/v1/messages").await.ok()["messages"], json!([]));
    assert_eq!(house.post("/api/v1/messages/x/retry", &json!({})).await.status, StatusCode::NOT_FOUND);
}
