use axum::body::Body;
use axum::http::{Method, StatusCode};

use crate::tests::house::House;

#[tokio::test]
async fn routes_are_listed_with_their_targets_as_they_are_now() {
    let house = House::new().await;
    let answer = house.get("/api/v1/routes").await.ok();
    let route = &answer["routes"][0];
    assert_eq!((route["name"].as_str(), route["strategy"].as_str()), (Some("chat"), Some("priority")), "{answer}");
    let target = &route["targets"][0];
    assert_eq!((target["provider"].as_str(), target["model"].as_str()), (Some("sim"), Some("small")), "{answer}");
    assert_eq!((target["breaker"].as_str(), target["in_flight"].as_u64()), (Some("closed"), Some(0)), "{answer}");
    assert!(target.get("latency_ms").is_none(), "unknown is not zero: {answer}");
}

#[tokio::test]
async fn a_key_is_needed() {
    let house = House::new().await;
    let request = house.request(Method::GET, "/api/v1/routes").body(Body::empty()).unwrap();
    assert_eq!(house.send(request).await.status, StatusCode::UNAUTHORIZED);
}
