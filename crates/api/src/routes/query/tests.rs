use axum::http::StatusCode;
use serde_json::json;
use signalbox_testkit::builders::llm_span;

use crate::tests::house::House;

#[tokio::test]
async fn answers_about_the_callers_project_only() {
    let house = House::new().await;
    let start = house.now().minus(std::time::Duration::from_secs(60));
    house
        .append(vec![llm_span("default", 1, "sim/small", start, 0), llm_span("other", 2, "sim/small", start, 0)])
        .await;
    let query =
        json!({ "measures": [{ "fn": "count" }, { "fn": "sum", "column": "input_tokens" }], "group_by": ["model"] });
    let answer = house.post("/api/v1/query", &query).await.ok();
    assert_eq!(answer["rows"], json!([["sim/small", 1, 101]]));
    assert_eq!(answer["columns"][0], json!({ "name": "model", "type": "text" }));
}

#[tokio::test]
async fn a_wrong_query_names_the_field() {
    let house = House::new().await;
    let check = async |query: serde_json::Value, field: &str, message: &str| {
        let answer = house.post("/api/v1/query", &query).await;
        assert_eq!((answer.status, &answer.json()["error"]["field"]), (StatusCode::BAD_REQUEST, &json!(field)));
        assert!(answer.message().contains(message), "{}", answer.message());
    };
    check(json!({ "select": ["modle"] }), "select[0]", "`spans` has no column `modle`").await;
    check(
        json!({ "measures": [{ "fn": "mean" }] }),
        "measures[0].fn",
        "unknown variant `mean`, expected one of `count`",
    )
    .await;
    check(json!({ "time": { "from": "yesterday" } }), "time.from", "expected RFC 3339").await;
    check(json!({ "time": { "from": "now", "to": "now-1h" } }), "time.from", "swap them").await;
    check(json!({ "time": ["now-1h", "now"] }), "time", "expected an object, written {…}").await;
    check(json!({ "measures": [{ "fn": "count" }, { "fn": "count" }] }), "measures[1].as", "another name by `as`")
        .await;
    check(json!({ "limit": -1 }), "limit", "expected u32").await;
    check(json!({ "filter": { "field": "status", "op": "is", "value": "ok" } }), "filter.op", "unknown variant `is`")
        .await;
}
