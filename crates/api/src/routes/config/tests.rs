use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::tests::house::House;

#[tokio::test]
async fn says_what_is_in_force_and_why_the_newer_one_is_not() {
    let house = House::new().await;
    let expected = json!({
        "file": "signalbox.yaml",
        "since": "2026-11-24T08:00:00.000000Z",
        "reloads": 2,
        "needs_restart": ["server.listen"],
        "refused": {"time": "2026-11-24T08:00:00.000000Z", "problems": ["signalbox.yaml:12:5: unknown field"]},
    });
    assert_eq!(house.get("/api/v1/config").await.ok(), expected);
}

#[tokio::test]
async fn a_key_is_needed() {
    let house = House::new().await;
    let request = house.request(Method::GET, "/api/v1/config").body(Body::empty()).unwrap();
    assert_eq!(house.send(request).await.status, StatusCode::UNAUTHORIZED);
}
