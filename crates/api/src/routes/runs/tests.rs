use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::tests::house::House;

/// A run whose item n has the n-th value; without one it has an error.
async fn run(house: &House, name: &str, values: &[Option<f64>]) -> String {
    let metrics = json!([{"name": "quality", "threshold": 0.5}, {"name": "noise", "direction": "lower"}]);
    let ask = json!({"experiment": "answers", "name": name, "metrics": metrics, "config": {"temperature": 0}});
    let begun = house.post("/api/v1/runs", &ask).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.text());
    let id = begun.json()["id"].as_str().unwrap().to_owned();
    let item = |(at, value): (usize, &Option<f64>)| match value {
        None => json!({"item_id": format!("i{at:03}"), "error": "timed out"}),
        Some(value) => json!({
            "item_id": format!("i{at:03}"), "input": format!("question {at}"), "output": format!("{name} {at}"),
            "latency_ms": 100.0 + at as f64, "cost": 0.001, "segments": {"language": if at % 2 == 0 { "en" } else { "de" }, "key": format!("{at}")},
            "scores": {"quality": {"value": value, "passed": *value >= 0.5}, "noise": {"value": 1.0 - value}},
        }),
    };
    let items: Vec<Value> = values.iter().enumerate().map(item).collect();
    let added = house.post(&format!("/api/v1/runs/{id}/items"), &json!({"items": items})).await.ok();
    assert_eq!(added, json!({"added": values.len(), "replaced": 0}));
    house.post(&format!("/api/v1/runs/{id}/finish"), &json!({"status": "finished"})).await.ok();
    id
}

fn rising(by: f64) -> Vec<Option<f64>> {
    (0..40).map(|at| Some(0.3 + by + f64::from(at % 7) * 0.01)).collect()
}

#[tokio::test]
async fn a_run_is_filled_ended_and_read() {
    let house = House::new().await;
    let id = run(&house, "first", &[Some(0.2), Some(0.9), None]).await;
    let shown = house.get(&format!("/api/v1/runs/{id}")).await.ok();
    assert_eq!((&shown["items"], &shown["failed_items"], &shown["status"]), (&json!(3), &json!(2), &json!("finished")));
    assert_eq!((&shown["config"]["temperature"], &shown["name"]), (&json!(0), &json!("first")));
    assert_eq!((&shown["summary"]["errors"], &shown["summary"]["metrics"][0]["pass_rate"]), (&json!(1), &json!(0.5)));
    let page = house.get(&format!("/api/v1/runs/{id}/items?sort=score:quality&order=desc&limit=1")).await.ok();
    assert_eq!((&page["total"], &page["items"][0]["item_id"]), (&json!(3), &json!("i001")));
    let failed = house.get(&format!("/api/v1/runs/{id}/items?failed=true")).await.ok();
    assert_eq!((&failed["total"], &failed["items"][1]["error"]), (&json!(2), &json!("timed out")));
    assert_eq!(house.get("/api/v1/runs?experiment=answers").await.ok()["runs"][0]["id"], json!(id));
    assert_eq!(house.get("/api/v1/runs?experiment=others").await.ok(), json!({"runs": []}));

    let late = house.post(&format!("/api/v1/runs/{id}/items"), &json!({"items": [{"item_id": "x"}]})).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.message().contains("is finished: nothing can be added"), "{}", late.message());
    assert_eq!(house.delete(&format!("/api/v1/runs/{id}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.get(&format!("/api/v1/runs/{id}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_sent_twice_is_there_once() {
    let house = House::new().await;
    let ask = json!({"experiment": "answers", "id": "from-my-side"});
    assert_eq!(house.post("/api/v1/runs", &ask).await.status, StatusCode::CREATED);
    let again = house.post("/api/v1/runs", &ask).await;
    assert_eq!((again.status, &again.json()["status"]), (StatusCode::OK, &json!("running")));
    let items = json!({"items": [{"item_id": "a"}, {"item_id": "b"}]});
    house.post("/api/v1/runs/from-my-side/items", &items).await.ok();
    let told = house.post("/api/v1/runs/from-my-side/items", &items).await.ok();
    assert_eq!(told, json!({"added": 0, "replaced": 2}));
}

#[tokio::test]
async fn runs_are_compared_in_sum_and_by_segment() {
    let house = House::new().await;
    let base = run(&house, "base", &rising(0.0)).await;
    let mut better = rising(0.1);
    better[3] = Some(0.1);
    better.push(Some(1.0)); // An item that the baseline doesn't have.
    let better = run(&house, "better", &better).await;
    let told = house.get(&format!("/api/v1/runs/compare?ids={better},{base}&baseline={base}")).await.ok();
    assert_eq!(
        (&told["baseline"], &told["common_items"], &told["runs"][1]["name"]),
        (&json!(base), &json!(40), &json!("base"))
    );
    let names: Vec<_> = told["metrics"].as_array().unwrap().iter().map(|one| one["metric"].as_str().unwrap()).collect();
    assert_eq!(names, ["quality", "noise", "latency_ms", "cost"]);
    for (metric, sign) in [(0, 1.0), (1, -1.0)] {
        let [first, second] = [&told["metrics"][metric]["runs"][0], &told["metrics"][metric]["runs"][1]];
        assert!(second.get("difference").is_none(), "the baseline is compared with itself");
        let difference = &first["difference"];
        assert_eq!((&first["n"], &difference["n"]), (&json!(41), &json!(40)));
        assert_eq!(
            (&difference["wins"], &difference["ties"], &difference["losses"]),
            (&json!(39), &json!(0), &json!(1))
        );
        assert_eq!(difference["verdict"], "better", "{difference}");
        let [mean, low, high] = ["mean", "low", "high"].map(|name| difference[name].as_f64().unwrap() * sign);
        assert!(mean > 0.085 && low.min(high) < mean && mean < low.max(high), "{difference}");
    }
    let latency = &told["metrics"][2]["runs"][0]["difference"];
    assert_eq!((&latency["verdict"], &latency["ties"]), (&json!("same"), &json!(40)));
    // `key` is another one for each item: no field to group by.
    let fields: Vec<_> =
        told["segments"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["language"]);
    let english = &told["segments"][0]["values"].as_array().unwrap().iter().find(|one| one["value"] == "en").unwrap();
    let difference = &english["metrics"][0]["runs"][0]["difference"];
    assert_eq!((&english["items"], &difference["n"], &difference["losses"]), (&json!(20), &json!(20), &json!(0)));
    assert!(difference["p_adjusted"].as_f64() >= difference["p_value"].as_f64());
}

#[tokio::test]
async fn items_come_with_the_largest_losses_first() {
    let house = House::new().await;
    let base = run(&house, "base", &[Some(0.5), Some(0.5), Some(0.5), Some(0.5), Some(0.5)]).await;
    let other = run(&house, "other", &[Some(0.6), Some(0.1), None, Some(0.4), Some(0.5)]).await;
    let ask = async |more: &str| house.get(&format!("/api/v1/runs/compare/items?ids={base},{other}{more}")).await.ok();
    let ids = |told: &Value| -> Vec<String> {
        told["items"].as_array().unwrap().iter().map(|item| item["item_id"].as_str().unwrap().to_owned()).collect()
    };
    let told = ask("").await;
    assert_eq!(ids(&told), ["i001", "i003", "i004", "i000", "i002"]);
    assert_eq!(
        (&told["metric"], &told["total"], &told["worse"], &told["better"]),
        (&json!("quality"), &json!(5), &json!(2), &json!(1))
    );
    let first = &told["items"][0]["runs"];
    assert_eq!((&first[0]["item"]["output"], &first[1]["item"]["output"]), (&json!("base 1"), &json!("other 1")));
    assert!((first[1]["gain"].as_f64().unwrap() + 0.4).abs() < 1e-9 && first[0].get("gain").is_none());
    assert_eq!(told["items"][4]["runs"][1]["item"]["error"], "timed out");
    // Of what is better when lower, a gain is still a gain.
    assert_eq!(ids(&ask("&metric=noise&show=worse").await), ["i001", "i003"]);
    assert_eq!(ids(&ask("&show=better").await), ["i000"]);
    assert_eq!(ids(&ask("&show=failed").await), ["i002"]);
    assert_eq!(ids(&ask("&segment=language:de").await), ["i001", "i003"]);
    assert_eq!(ids(&ask("&limit=2&offset=1").await), ["i003", "i004"]);
}

#[tokio::test]
async fn a_wrong_request_is_told_where() {
    let house = House::new().await;
    let id = run(&house, "first", &[Some(0.2)]).await;
    let other = run(&house, "second", &[Some(0.2)]).await;
    let check = async |path: &str, field: &str| {
        let answer = house.get(path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}: {}", answer.text());
        assert_eq!(answer.json()["error"]["field"], field, "{}", answer.text());
    };
    check(&format!("/api/v1/runs/compare?ids={id}"), "ids").await;
    check(&format!("/api/v1/runs/compare?ids={id},{other}&baseline=x"), "baseline").await;
    check(&format!("/api/v1/runs/compare/items?ids={id},{other}&metric=qualty"), "metric").await;
    check(&format!("/api/v1/runs/{id}/items?sort=score"), "sort").await;
    check(&format!("/api/v1/runs/{id}/items?order=up"), "order").await;
    check("/api/v1/runs?limit=1000", "limit").await;
    assert_eq!(house.get(&format!("/api/v1/runs/compare?ids={id},nothing")).await.status, StatusCode::NOT_FOUND);
    let begun = house.post("/api/v1/runs", &json!({"experiment": " "})).await;
    assert_eq!(begun.json()["error"]["field"], "experiment");
    let ended = house.post(&format!("/api/v1/runs/{id}/finish"), &json!({"status": "running"})).await;
    assert_eq!(ended.json()["error"]["field"], "status");
}

#[tokio::test]
async fn a_run_names_the_version_whose_items_it_asked() {
    let house = House::new().await;
    house.post("/api/v1/datasets", &json!({"name": "gold"})).await;
    let commit = async |id: &str| {
        let body = json!({"add": [{"id": id, "input": "why?"}]});
        house.post("/api/v1/datasets/gold/versions", &body).await.ok()["id"].as_str().unwrap().to_owned()
    };
    let first = commit("a").await;
    let start = async |dataset: &str| {
        let run = house.post("/api/v1/runs", &json!({"experiment": "answers", "dataset": dataset})).await.json();
        (run["id"].as_str().unwrap().to_owned(), run["dataset_version"].as_str().map(str::to_owned))
    };
    let (early, meant) = start("gold").await;
    assert_eq!(meant.as_ref(), Some(&first), "the head of `main` when it began");
    let second = commit("b").await;
    let (by_id, meant) = start(&format!("gold@{}", first.get(..12).unwrap())).await;
    assert_eq!(meant.as_ref(), Some(&first));
    let (late, meant) = start("gold@main").await;
    assert_eq!(meant.as_ref(), Some(&second));
    let (elsewhere, meant) = start("golden@3").await;
    assert_eq!(meant, None, "no dataset of ours");

    let listed = async |query: &str| -> Vec<String> {
        let told = house.get(&format!("/api/v1/runs?{query}")).await.ok();
        told["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(listed("dataset=gold").await, [late.clone(), by_id.clone(), early.clone()]);
    assert_eq!(listed(&format!("dataset=gold&version={first}")).await, [by_id, early]);
    assert_eq!(listed("dataset=gold&version=main").await, [late]);
    assert_eq!(listed("dataset=golden").await, [elsewhere]);
    let alone = house.get("/api/v1/runs?version=main").await;
    assert!(alone.message().contains("`dataset` beside it"), "{}", alone.message());
    assert_eq!(house.get("/api/v1/runs?dataset=gold&version=none").await.status, StatusCode::NOT_FOUND);
}
