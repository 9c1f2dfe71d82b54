use axum::http::StatusCode;
use serde_json::{Value, json};
use signalbox_testkit::builders::{llm_span, span_id, trace_id};

use crate::tests::house::House;

fn thumb() -> Value {
    json!({"trace_id": trace_id(1), "span_id": span_id(1), "name": "helpfulness", "value": 0.25})
}

async fn stored(house: &House, select: Value) -> Value {
    let query = json!({"table": "scores", "select": select, "order": [{"by": "name"}]});
    house.post("/api/v1/query", &query).await.ok()["rows"].take()
}

#[tokio::test]
async fn one_score_is_stored_with_an_id_of_ours() {
    let house = House::new().await;
    let answer = house.post("/api/v1/scores", &thumb()).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let ids = answer.json()["ids"].clone();
    assert_eq!(ids.as_array().unwrap().len(), 1);
    let columns = json!(["id", "project_id", "trace_id", "span_id", "name", "value", "source", "time", "passed"]);
    let rows = stored(&house, columns).await;
    let now = house.now();
    assert_eq!(rows, json!([[ids[0], "default", trace_id(1), span_id(1), "helpfulness", 0.25, "api", now, null]]));
}

#[tokio::test]
async fn a_list_keeps_its_order_and_everything_that_was_said() {
    let house = House::new().await;
    let all = json!({
        "id": "mine", "session_id": "s-1", "name": "b", "label": "off_topic", "passed": false, "source": "review",
        "reason": "no", "author": "Ada", "time": "2026-11-24T07:30:00Z", "metadata": {"a": "b", "n": 1}
    });
    let mut first = thumb();
    first["name"] = json!("a");
    let answer = house.post("/api/v1/scores", &json!([first, all])).await.ok();
    assert_eq!((answer["ids"].as_array().unwrap().len(), &answer["ids"][1]), (2, &json!("mine")));
    let columns = json!(["trace_id", "session_id", "label", "passed", "source", "reason", "author", "metadata"]);
    let rows = stored(&house, columns).await;
    let expected = json!([null, "s-1", "off_topic", false, "review", "no", "Ada", {"a": "b", "n": "1"}]);
    assert_eq!(rows[1], expected);
}

#[tokio::test]
async fn a_refusal_names_the_field_and_stores_nothing() {
    let house = House::new().await;
    let with = |changes: Value| {
        let mut score = thumb();
        for (key, value) in changes.as_object().unwrap() {
            score[key] = value.clone();
        }
        score
    };
    let check = async |body: Value, field: &str, message: &str| {
        let answer = house.post("/api/v1/scores", &body).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["field"]),
            (StatusCode::BAD_REQUEST, &json!(field)),
            "{body}"
        );
        assert!(answer.message().contains(message), "{}", answer.message());
    };
    check(with(json!({"trace_id": "zz"})), "trace_id", "expected 32 hexadecimal digits").await;
    check(with(json!({"span_id": "zz"})), "span_id", "expected 16 hexadecimal digits").await;
    check(with(json!({"trace_id": null, "span_id": null})), "trace_id", "a trace or a session").await;
    check(with(json!({"trace_id": null, "session_id": "s"})), "span_id", "together with its trace").await;
    check(with(json!({"value": "high"})), "value", "expected f64").await;
    check(with(json!({"value": null})), "value", "expected `value`, `label` or `passed`").await;
    check(with(json!({"name": " "})), "name", "it is empty").await;
    check(with(json!({"name": "x".repeat(201)})), "name", "longer than 200").await;
    check(with(json!({"label": "a\nb"})), "label", "control characters").await;
    check(with(json!({"source": "me"})), "source", "unknown variant `me`, expected one of `api`").await;
    check(with(json!({"comment": "x"})), "comment", "unknown field `comment`").await;
    check(with(json!({"time": "yesterday"})), "time", "expected RFC 3339").await;
    check(json!([]), "[]", "expected 1 to 1000").await;
    check(json!([thumb(), with(json!({"value": null}))]), "[1].value", "says something").await;
    check(json!([thumb(), with(json!({"trace_id": 7}))]), "[1].trace_id", "invalid type").await;
    check(json!([thumb(), ["a", "b"]]), "[1]", "expected an object, written {…}").await;
    let twice = with(json!({"id": "same"}));
    check(json!([twice, twice]), "[1].id", "the id of [0] as well").await;
    assert!(house.store.scores().is_empty());

    let answer = house.post("/api/v1/scores", &json!("good")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.message().contains("expected a score or a list of scores"), "{}", answer.message());
}

#[tokio::test]
async fn a_trace_shows_its_scores() {
    let house = House::new().await;
    let begin = house.now().minus(std::time::Duration::from_secs(60));
    house.append(vec![llm_span("default", 1, "sim/small", begin, 0)]).await;
    let path = format!("/api/v1/traces/{}", trace_id(1));
    assert_eq!(house.get(&path).await.ok()["scores"], json!([]));
    let whole = json!({"id": "later", "trace_id": trace_id(1), "name": "resolved", "passed": true, "time": "2026-11-24T08:00:01Z"});
    let other = json!({"trace_id": trace_id(2), "name": "resolved", "passed": true});
    let first = json!({"id": "first", "trace_id": trace_id(1), "span_id": span_id(1), "name": "helpfulness", "value": 0.25, "reason": "vague", "source": "judge"});
    house.post("/api/v1/scores", &json!([whole, other, first])).await.ok();
    assert_eq!(
        house.get(&path).await.ok()["scores"],
        json!([
            {"id": "first", "span_id": span_id(1), "time": house.now(), "name": "helpfulness", "value": 0.25, "source": "judge", "reason": "vague"},
            {"id": "later", "time": "2026-11-24T08:00:01.000000Z", "name": "resolved", "passed": true, "source": "api"},
        ]),
        "oldest first, whatever their time"
    );
}
