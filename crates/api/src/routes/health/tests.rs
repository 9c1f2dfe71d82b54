use axum::http::StatusCode;

use crate::tests::house::House;

#[tokio::test]
async fn ready_until_it_stops() {
    let house = House::new().await;
    assert_eq!(house.get("/readyz").await.ok()["status"], "ok");
    house.stop.send(true).unwrap();
    let answer = house.get("/readyz").await;
    assert_eq!((answer.status, answer.json()["status"].as_str()), (StatusCode::SERVICE_UNAVAILABLE, Some("stopping")));
    assert_eq!(house.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn metrics_carry_their_format() {
    let house = House::new().await;
    let answer = house.get("/metrics").await;
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    assert!(answer.text().contains("signalbox_up 1"));
}
