use axum::body::Body;
use axum::http::{Method, StatusCode};

use crate::tests::house::House;

#[tokio::test]
async fn ready_until_it_stops() {
    let house = House::new().await;
    assert_eq!(house.get("/readyz").await.ok()["status"], "ok");
    house.stop.send(true).unwrap();
    let answer = house.get("/readyz").await;
    assert_eq!((answer.status, answer.json()["status"].as_str()), (StatusCode::SERVICE_UNAVAILABLE, Some("stopping")));
    assert_eq!(answer.json()["reason"], "the process is stopping");
    assert_eq!(house.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn metrics_come_in_the_format_that_is_asked_for() {
    let house = House::new().await;
    let answer = house.get("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(answer.text().ends_with("signalbox_up 1\n"), "{}", answer.text());
    let request = house.request(Method::GET, "/metrics").header("accept", "application/openmetrics-text");
    let answer = house.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(answer.text().ends_with("# EOF\n"), "{}", answer.text());
}
