use axum::http::StatusCode;
use serde_json::json;
use signalbox_types::seam::StoreError;

use crate::error::ApiError;
use crate::tests::house::House;

#[tokio::test]
async fn the_stores_message_reaches_the_caller() {
    let house = House::new().await;
    let answer = house.post("/api/v1/sql", &json!({ "sql": "SELECT 1" })).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        answer.json(),
        json!({ "error": { "type": "invalid_request", "message": "the memory store answers no SQL", "field": "sql" } })
    );
    assert_eq!(
        house.post("/api/v1/sql", &json!({})).await.message(),
        "not the JSON that was expected: missing field `sql` at line 1 column 2"
    );
}

#[test]
fn what_the_store_says_becomes_a_status() {
    let check = |error: StoreError, status: u16, class: &str| {
        let error = ApiError::from(error);
        assert_eq!((error.status.as_u16(), error.class.as_str()), (status, class), "{}", error.message);
        error
    };
    check(StoreError::Limit("more than 10 s".to_owned()), 400, "invalid_request");
    assert_eq!(check(StoreError::Full { retry_after_s: 3 }, 503, "overloaded").retry_after_s, Some(3));
    let secret = "/data/secret-path";
    for error in [StoreError::Internal(secret.to_owned()), StoreError::Disk(secret.to_owned())] {
        assert!(!check(error, 500, "internal").message.contains(secret));
    }
}
