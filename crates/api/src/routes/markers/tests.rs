use axum::http::StatusCode;
use serde_json::json;

use crate::tests::house::House;

#[tokio::test]
async fn are_made_listed_and_checked() {
    let house = House::new().await;
    let made =
        house.post("/api/v1/markers", &json!({"title": "shop 2.3.0", "kind": "deploy", "url": "https://ci/1"})).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let made = made.json();
    assert_eq!((made["kind"].as_str(), made["at"].is_string()), (Some("deploy"), true), "{made}");
    let refused = house.post("/api/v1/markers", &json!({"title": "x", "kind": "deploi"})).await;
    assert!(refused.status == StatusCode::BAD_REQUEST && refused.message().contains("deploi"), "{}", refused.text());
    assert!(house.post("/api/v1/markers", &json!({"title": ""})).await.message().contains("`title`: is empty"));

    house.clock.advance(std::time::Duration::from_secs(1));
    let list = house.get("/api/v1/markers?from=now-1h").await.ok();
    assert_eq!(list["markers"], json!([made]));
    assert_eq!(house.get("/api/v1/markers?from=now-2d&to=now-1d").await.ok()["markers"], json!([]));
    assert!(house.get("/api/v1/markers?from=yesterday").await.message().contains("`from`"));
}
