use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use crate::routes::incidents::tests::house;

#[tokio::test]
async fn are_made_and_ended() {
    let (house, id) = house().await;
    let until = house.now().plus(Duration::from_secs(600)).to_string();
    let wanted = json!({"matchers": [{"label": "monitor", "is": "busy"}], "until": until, "reason": "known"});
    let made = house.post("/api/v1/silences", &wanted).await.ok();
    let shown = house.get(&format!("/api/v1/incidents/{id}")).await.ok();
    assert!(shown["muted"].as_str().unwrap().contains("known"), "{shown}");
    assert_eq!(house.get("/api/v1/silences").await.ok()["silences"].as_array().unwrap().len(), 1);
    let path = format!("/api/v1/silences/{}", made["id"].as_str().unwrap());
    assert_eq!(house.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.delete(&path).await.status, StatusCode::NOT_FOUND);
    let unsaid = house.post("/api/v1/silences", &json!({"until": until, "reason": " "})).await;
    assert!(unsaid.message().contains("why nobody is to be told"), "{}", unsaid.message());
}
