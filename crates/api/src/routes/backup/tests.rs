use axum::http::{Method, StatusCode, header};
use serde_json::json;

use crate::tests::house::House;

#[tokio::test]
async fn only_the_first_key_may() {
    let house = House::new().await;
    let body = json!({"to": "/nowhere"});
    let answer = house.post("/api/v1/admin/backup", &body).await;
    assert!(answer.message().contains("in memory"), "{}", answer.text());

    let other = house.catalog.create_key(&house.principal(), "another").await.unwrap().key;
    let request = house.request(Method::POST, "/api/v1/admin/backup").header("x-api-key", other.expose());
    let request = request.header(header::CONTENT_TYPE, "application/json");
    let answer = house.send(request.body(body.to_string().into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.json()["error"]["type"], "permission_denied");
    assert!(answer.json()["error"]["hint"].as_str().unwrap().contains("first key"));
}
