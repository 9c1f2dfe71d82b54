use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::tests::house::{Answer, House};

async fn send(house: &House, path: &str, token: &str, body: &Value) -> Answer {
    let request = house.request(Method::POST, path).header(header::AUTHORIZATION, format!("Bearer {token}"));
    house.send(request.body(body.to_string().into()).unwrap()).await
}

#[tokio::test]
async fn alerts_come_in_by_the_token_of_their_channel_and_by_nothing_else() {
    let house = House::new().await;
    let alert = json!({"status": "firing", "labels": {"alertname": "Down"}, "annotations": {}, "startsAt": "2026-11-24T08:00:00Z"});
    let body = json!({"version": "4", "alerts": [alert]});
    let path = "/api/v1/hooks/alertmanager/prom";
    for (token, status) in [("a-token-of-alertmanager", StatusCode::OK), (&house.key, StatusCode::UNAUTHORIZED)] {
        let answer = send(&house, path, token, &body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    let refused = send(&house, path, "another token of anybody", &body).await;
    assert_eq!(refused.json()["error"]["type"], "unauthenticated");
    let list = house.get("/api/v1/incidents?monitor=alertmanager.Down").await.ok();
    assert_eq!(
        (list["incidents"][0]["external"].as_str(), list["incidents"].as_array().unwrap().len()),
        (Some("prom"), 1)
    );
    let closed = send(&house, "/api/v1/hooks/pagerduty/prom", "x", &body).await;
    assert_eq!(closed.status, StatusCode::NOT_FOUND);
    assert!(
        closed.message().contains("via: pagerduty") && closed.message().contains("webhook_secret"),
        "{}",
        closed.text()
    );
    assert_eq!(
        send(&house, path, "a-token-of-alertmanager", &json!({"alert": 1})).await.status,
        StatusCode::BAD_REQUEST
    );
}
