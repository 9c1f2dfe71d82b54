use axum::http::{Method, StatusCode, header};
use serde_json::json;

use crate::tests::house::House;

#[tokio::test]
async fn a_key_is_shown_once_works_and_is_revoked() {
    let house = House::new().await;
    let made = house.post("/api/v1/keys", &json!({ "name": "support bot" })).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let made = made.json();
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert!(key.ends_with(made["last4"].as_str().unwrap()));

    let status = async |key: &str| {
        let request =
            house.request(Method::GET, "/api/v1/session").header(header::AUTHORIZATION, format!("Bearer {key}"));
        house.send(request.body("".into()).unwrap()).await.status
    };
    assert_eq!(status(key).await, StatusCode::OK);

    let list = house.get("/api/v1/keys").await;
    assert!(!list.text().contains(key));
    let keys = list.ok()["keys"].clone();
    assert_eq!(keys.as_array().unwrap().len(), 2);
    let own: Vec<_> =
        keys.as_array().unwrap().iter().map(|key| (key["name"].clone(), key["current"].clone())).collect();
    assert!(
        own.contains(&(json!("support bot"), json!(false))) && own.contains(&(json!("First key"), json!(true))),
        "{own:?}"
    );

    assert_eq!(house.delete(&format!("/api/v1/keys/{id}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(status(key).await, StatusCode::UNAUTHORIZED);
    assert_eq!(house.delete(&format!("/api/v1/keys/{id}")).await.status, StatusCode::NO_CONTENT);
    let keys = house.get("/api/v1/keys").await.ok()["keys"].clone();
    assert!(keys.as_array().unwrap().iter().any(|key| key["id"] == *id && key["revoked_at"].is_string()));
}

#[tokio::test]
async fn refusals_say_why() {
    let house = House::new().await;
    let answer = house.delete("/api/v1/keys/key_nobody").await;
    assert_eq!((answer.status, answer.message().as_str()), (StatusCode::NOT_FOUND, "there is no key `key_nobody`"));

    let id = house.principal().key_id;
    let answer = house.delete(&format!("/api/v1/keys/{id}")).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.message().contains("last key that works"));

    let answer = house.post("/api/v1/keys", &json!({ "name": "" })).await;
    assert_eq!((answer.status, &answer.json()["error"]["field"]), (StatusCode::BAD_REQUEST, &json!("name")));
    let answer = house.post("/api/v1/keys", &json!({ "nam": "x" })).await;
    assert_eq!(answer.message(), "`nam`: unknown field `nam`, expected `name` at line 1 column 6");
    let answer = house.post("/api/v1/keys", &json!({ "name": 5 })).await;
    assert_eq!(answer.message(), "`name`: invalid type: integer `5`, expected a string at line 1 column 9");
}
