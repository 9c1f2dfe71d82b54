use axum::http::StatusCode;
use serde_json::json;

use crate::tests::house::House;

#[tokio::test]
async fn a_user_is_erased_and_it_is_noted_without_the_name() {
    let house = House::new().await;
    let answer = house.post("/api/v1/erasures", &json!({ "user_id": "user-4711" })).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["complete"], json!(true));
    let listed = house.get("/api/v1/erasures").await.json();
    let erasure = &listed["erasures"][0];
    assert_eq!((&erasure["by"], &erasure["erased"]["spans"]), (&json!("user_id"), &json!(0)));
    assert!(erasure["actor"].is_string());
    assert!(!listed.to_string().contains("4711"));
}

#[tokio::test]
async fn exactly_one_of_three_is_wanted() {
    let house = House::new().await;
    for body in [json!({}), json!({ "user_id": "a", "trace_id": "b" }), json!({ "session_id": "" })] {
        let answer = house.post("/api/v1/erasures", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
}
