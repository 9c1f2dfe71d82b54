use axum::http::StatusCode;
use serde_json::json;
use signalbox_testkit::builders::llm_span;

use crate::tests::house::House;

#[tokio::test]
async fn fields_and_values_of_the_callers_project() {
    let house = House::new().await;
    let spans = (0..5).map(|n| {
        let mut span = llm_span("default", n, if n == 0 { "sim/large" } else { "sim/small" }, house.now(), n);
        span.attributes.insert("tier".to_owned(), "gold".to_owned());
        span
    });
    house.append(spans.collect()).await;
    house.append(vec![llm_span("other", 9, "secret-model", house.now(), 0)]).await;
    let fields = house.get("/api/v1/fields").await.ok();
    let fields = fields["fields"].as_array().unwrap();
    assert!(fields.contains(&json!({"field": "attributes.tier", "count": 5, "values": []})));
    let models = house.get("/api/v1/fields?field=model").await.ok();
    let values = json!([{"value": "sim/small", "count": 4}, {"value": "sim/large", "count": 1}]);
    assert_eq!(models, json!({"fields": [{"field": "model", "count": 5, "values": values}]}));
    assert_eq!(house.get("/api/v1/fields?field=nothing").await.ok(), json!({"fields": []}));
    assert_eq!(house.get("/api/v1/fields?fields=model").await.status, StatusCode::BAD_REQUEST);
}
