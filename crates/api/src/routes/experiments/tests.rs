use axum::http::StatusCode;
use serde_json::json;

use crate::tests::house::House;

async fn run(house: &House, experiment: &str, value: f64) -> String {
    let begun =
        house.post("/api/v1/runs", &json!({"experiment": experiment, "metrics": [{"name": "quality"}]})).await.ok();
    let id = begun["id"].as_str().unwrap().to_owned();
    let items = json!({"items": [{"item_id": "a", "scores": {"quality": {"value": value}}}]});
    house.post(&format!("/api/v1/runs/{id}/items"), &items).await.ok();
    house.post(&format!("/api/v1/runs/{id}/finish"), &json!({})).await.ok();
    id
}

#[tokio::test]
async fn experiments_are_listed_with_what_their_last_run_is_compared_with() {
    let house = House::new().await;
    assert_eq!(house.get("/api/v1/experiments").await.ok(), json!({"experiments": []}));
    let first = run(&house, "answers, v2", 0.2).await;
    let second = run(&house, "answers, v2", 0.4).await;
    let third = run(&house, "answers, v2", 0.6).await;
    let listed = house.get("/api/v1/experiments").await.ok();
    let one = &listed["experiments"][0];
    assert_eq!((&one["name"], &one["runs"]), (&json!("answers, v2"), &json!(3)));
    assert_eq!((&one["last_run"]["id"], &one["compared_with"]["id"]), (&json!(third), &json!(second)));
    assert_eq!(one["last_run"]["summary"]["metrics"][0]["values"]["mean"], 0.6);

    let path = "/api/v1/experiments/answers%2C%20v2";
    let pinned = house.put(&format!("{path}/baseline"), &json!({"run": first})).await.ok();
    assert_eq!(pinned["baseline"], json!(first));
    let listed = house.get("/api/v1/experiments").await.ok();
    assert_eq!(listed["experiments"][0]["compared_with"]["id"], json!(first));
    let shown = house.get(path).await.ok();
    let ids: Vec<_> = shown["latest_runs"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect();
    assert_eq!(ids, [json!(third), json!(second), json!(first)]);
    assert!(house.delete(&format!("{path}/baseline")).await.ok().get("baseline").is_none());

    assert_eq!(house.delete(path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.delete(path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.get(&format!("/api/v1/runs/{first}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let house = House::new().await;
    let answer = house.get("/api/v1/experiments/none").await;
    assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "there is no experiment `none`".to_owned()));
    run(&house, "answers", 0.5).await;
    let answer = house.put("/api/v1/experiments/answers/baseline", &json!({"run": "nothing"})).await;
    assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "there is no run `nothing`".to_owned()));
}
