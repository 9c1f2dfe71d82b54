use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::tests::house::House;

async fn refusal(body: Value) -> Value {
    let answer = House::new().await.post("/api/v1/evaluate", &body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    answer.json()["error"].clone()
}

#[tokio::test]
async fn every_metric_is_listed_with_what_it_needs() {
    let told = House::new().await.get("/api/v1/metrics").await.ok();
    let metrics = told["metrics"].as_array().unwrap();
    let rouge = metrics.iter().find(|one| one["name"] == "rouge1").unwrap();
    assert_eq!(
        (&rouge["inputs"], &rouge["low"], &rouge["high"], &rouge["direction"], &rouge["options"][0]["name"]),
        (&json!(["output", "reference"]), &json!(0.0), &json!(1.0), &json!("higher"), &json!("stem"))
    );
    let example = json!({"metrics": ["rouge1"], "cases": [rouge["example"]]});
    let told = House::new().await.post("/api/v1/evaluate", &example).await.ok();
    assert!(told["results"][0]["scores"][0]["value"].as_f64().unwrap() > 0.5, "{told}");
}

#[tokio::test]
async fn cases_are_measured_and_what_can_not_be_says_why() {
    let body = json!({
        "metrics": ["exact_match", {"name": "contains", "options": {"lowercase": true}, "threshold": 2}, "numeric_consistency"],
        "cases": [
            {"id": 7, "output": "Yes, 5", "reference": "yes", "context": "four"},
            {"output": "yes"},
        ],
    });
    let told = House::new().await.post("/api/v1/evaluate", &body).await.ok();
    let first = &told["results"][0];
    assert_eq!((&first["id"], &first["scores"][0]["value"]), (&json!(7), &json!(0.0)));
    let contains = &first["scores"][1];
    assert_eq!((&contains["value"], &contains["passed"]), (&json!(1.0), &json!(false)), "by the request's threshold");
    assert_eq!(
        first["scores"][2]["evidence"],
        json!([{"input": "output", "start": 5, "end": 6, "note": "the context doesn't have it"}])
    );
    let second = &told["results"][1];
    assert!(second.get("id").is_none());
    let expected = "`reference`: expected the right answer, or a list of right ones, found nothing";
    assert_eq!((&second["scores"][0]["error"], second["scores"][0].get("value")), (&json!(expected), None));
}

#[tokio::test]
async fn a_wrong_request_is_told_where() {
    let error = refusal(json!({"metrics": ["rogue1"], "cases": [{}]})).await;
    assert_eq!((&error["field"], &error["hint"]), (&json!("metrics[0]"), &json!("did you mean `rouge1`?")));
    let error = refusal(json!({"metrics": [{"name": "bleu", "options": {"smooth": "x"}}], "cases": [{}]})).await;
    assert_eq!(error["field"], "metrics[0].options.smooth");
    assert_eq!(refusal(json!({"metrics": ["bleu"], "cases": []})).await["field"], "cases");
}
