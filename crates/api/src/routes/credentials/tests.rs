use axum::http::{Method, StatusCode, header};
use serde_json::json;
use signalbox_types::Secret;

use crate::tests::house::House;

const VALUE: &str = "sk-value-0123456789-abcd";

#[tokio::test]
async fn a_value_goes_in_and_never_comes_out() {
    let house = House::new().await;
    let body = json!({ "value": VALUE });
    let answer = house.put("/api/v1/credentials/sim-main", &body).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
    assert!(answer.message().contains("SIGNALBOX_CREDENTIALS_KEY"), "{}", answer.text());

    house.catalog.seal_with(&Secret::new("k".repeat(32)), None).await.unwrap();
    let set = house.put("/api/v1/credentials/sim-main", &body).await;
    assert_eq!(set.ok()["last4"], "abcd");
    assert_eq!(house.catalog.credential("sim-main").unwrap().expose(), VALUE);
    let list = house.get("/api/v1/credentials").await;
    assert_eq!(list.ok()["credentials"][0]["name"], "sim-main");
    assert!(!format!("{}{}", set.text(), list.text()).contains("0123456789"));

    let answer = house.put("/api/v1/credentials/sim-main", &json!({ "value": "sk-1\nsk-2" })).await;
    assert_eq!((answer.status, &answer.json()["error"]["field"]), (StatusCode::BAD_REQUEST, &json!("value")));
    // Nor if it is in the wrong place.
    let answer = house.put("/api/v1/credentials/sim-main", &json!({ "key": VALUE })).await;
    assert!(answer.status == StatusCode::BAD_REQUEST && !answer.text().contains("0123456789"), "{}", answer.text());

    assert_eq!(house.delete("/api/v1/credentials/sim-main").await.status, StatusCode::NO_CONTENT);
    let answer = house.delete("/api/v1/credentials/sim-main").await;
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (StatusCode::NOT_FOUND, "there is no credential `sim-main`")
    );
}

#[tokio::test]
async fn only_the_first_key_may() {
    let house = House::new().await;
    let other = house.catalog.create_key(&house.principal(), "another").await.unwrap().key;
    for (method, path) in [
        (Method::GET, "/api/v1/credentials"),
        (Method::PUT, "/api/v1/credentials/a"),
        (Method::DELETE, "/api/v1/credentials/a"),
    ] {
        let request = house.request(method.clone(), path).header("x-api-key", other.expose());
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let answer = house.send(request.body(json!({ "value": VALUE }).to_string().into()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
    }
}
