use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use signalbox_testkit::builders;

use crate::tests::house::House;

fn slow() -> Value {
    json!({
        "query": {"measures": [{"fn": "avg", "column": "duration_ms"}], "group_by": ["model"]},
        "window": "1m", "delay": "0s", "condition": {"threshold": {"above": 100}}, "notify": ["ops"],
    })
}

#[tokio::test]
async fn are_made_shown_and_deleted() {
    let house = House::new().await;
    let made = house.put("/api/v1/monitors/slow", &slow()).await.ok();
    assert_eq!((made["source"].as_str(), made["phase"].as_str()), (Some("api"), Some("ok")));
    assert_eq!(made["definition"]["name"], "slow");
    assert!(made["definition"]["query"].get("time").is_none(), "nobody has written it: {made}");
    let now = house.now();
    house.append((1..20).map(|number| builders::llm_span("default", number, "gpt-4o", now, 0)).collect()).await;
    house.clock.advance(Duration::from_secs(60));
    house.watch.tick().await;
    let list = house.get("/api/v1/monitors").await.ok();
    let names: Vec<&str> =
        list["monitors"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["configured", "crowd", "slow"]);
    let shown = house.get("/api/v1/monitors/slow").await.ok();
    assert_eq!(shown["series"][0]["labels"], json!({"model": "gpt-4o"}));
    assert_eq!(shown["phase"], "firing");
    assert!(shown["series"][0]["seen"]["text"].as_str().unwrap().contains("> 100"));

    assert_eq!(house.delete("/api/v1/monitors/slow").await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.get("/api/v1/monitors/slow").await.status, StatusCode::NOT_FOUND);
    let history = house.catalog.history(&house.principal().project, 10).await.unwrap();
    let actions: Vec<(&str, &str)> = history.iter().map(|one| (one.resource.as_str(), one.action.as_str())).collect();
    assert_eq!(actions[..2], [("monitor", "delete"), ("monitor", "save")]);
}

#[tokio::test]
async fn refusals_name_the_field() {
    let house = House::new().await;
    let check = async |path: &str, body: Value, status: u16, message: &str| {
        let answer = house.put(path, &body).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
        assert!(answer.message().contains(message), "{}", answer.message());
    };
    check("/api/v1/monitors/a", json!({"query": {}}), 400, "missing field `condition`").await;
    let mut wrong = slow();
    wrong["notify"] = json!(["opps"]);
    check("/api/v1/monitors/a", wrong, 400, "there is no channel `opps`; expected one of ops, gone").await;
    check("/api/v1/monitors/configured", slow(), 409, "stands in the configuration file").await;
    let mut named = slow();
    named["name"] = json!("b");
    check("/api/v1/monitors/a", named, 400, "another name than that of the path").await;
}

#[tokio::test]
async fn are_tested_on_what_was_recorded() {
    let house = House::new().await;
    let begin = house.now();
    for minute in 0..10 {
        let spans = (0..5)
            .map(|number| builders::llm_span("default", minute * 5 + number, "gpt-4o", begin, minute * 60_000))
            .collect();
        house.append(spans).await;
    }
    house.clock.advance(Duration::from_secs(1_200));
    let mut monitor = slow();
    monitor["name"] = json!("tried");
    let body = json!({"monitor": monitor, "last": "1h"});
    let tested = house.post("/api/v1/monitors/test", &body).await.ok();
    assert_eq!(tested["firings"], 1);
    assert_eq!(tested["series"][0]["labels"]["model"], "gpt-4o");
    assert_eq!(house.get("/api/v1/monitors/tried").await.status, StatusCode::NOT_FOUND);
    let answer = house.post("/api/v1/monitors/test", &json!({"monitor": {"name": "x"}})).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let answer = house.post("/api/v1/monitors/test", &json!({"monitor": slow(), "last": "soon"})).await;
    assert!(answer.message().contains("expected e.g. `30d`"), "{}", answer.message());
}
