use axum::body::{Body, HttpBody};
use axum::http::{Method, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use signalbox_testkit::builders::llm_span;
use signalbox_types::table::{Record, SPANS};
use signalbox_types::{Filter, Span, Verdict};
use tower::ServiceExt;

use crate::parts::MAX_LIVE_STREAMS;
use crate::tests::house::{House, encoded};

async fn open(house: &House, query: &str) -> Body {
    let request = house.request(Method::GET, &format!("/api/v1/live{query}")).header("x-api-key", &house.key);
    let response = house.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_body()
}

async fn next(body: &mut Body) -> Option<Value> {
    let bytes = body.frame().await?.unwrap().into_data().unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    let data = text.strip_prefix("event: span\ndata: ").unwrap_or_else(|| panic!("{text}"));
    Some(serde_json::from_str(data.trim_end()).unwrap())
}

#[tokio::test]
async fn spans_arrive_as_they_are_stored_and_the_stream_ends_with_the_house() {
    let house = House::new().await;
    let mut body = open(&house, "").await;
    let span = llm_span("default", 1, "sim/small", house.now(), 0);
    house.append(vec![llm_span("other", 2, "sim/small", house.now(), 0), span.clone()]).await;
    let event = next(&mut body).await.unwrap();
    assert_eq!(event["trace_id"], span.trace_id.to_string());
    assert_eq!(
        (&event["kind"], &event["total_tokens"], &event["input_tokens"]),
        (&json!("llm"), &json!(111), &json!(101))
    );
    assert_eq!(event["input_preview"], "Question 1 about Zürich");
    assert_eq!(event["preview"], "Answer 1");

    house.stop.send(true).unwrap();
    assert_eq!(next(&mut body).await, None);
    assert!(body.is_end_stream() || body.frame().await.is_none());
}

#[tokio::test]
async fn only_what_was_asked_for() {
    let house = House::new().await;
    let filter = encoded(r#"{"field":"model","op":"starts_with","value":"sim/l"}"#);
    let mut filtered = open(&house, &format!("?filter={filter}")).await;
    let mut searched = open(&house, "?q=QUESTION%203").await;
    for (number, model) in [(1, "sim/small"), (2, "sim/large"), (3, "sim/small")] {
        house.append(vec![llm_span("default", number, model, house.now(), 0)]).await;
    }
    assert_eq!(next(&mut filtered).await.unwrap()["model"], "sim/large");
    assert_eq!(next(&mut searched).await.unwrap()["input_tokens"], 103);
}

#[tokio::test]
async fn wrong_filters_and_too_many_streams_are_refused() {
    let house = House::new().await;
    let answer = house.get(&format!("/api/v1/live?filter={}", encoded(r#"{"field":"modle","op":"exists"}"#))).await;
    assert_eq!((answer.status, &answer.json()["error"]["field"]), (StatusCode::BAD_REQUEST, &json!("filter.field")));
    assert_eq!(house.get("/api/v1/live?filtr=x").await.status, StatusCode::BAD_REQUEST);

    let mut open_streams = Vec::new();
    for _ in 0..MAX_LIVE_STREAMS {
        open_streams.push(open(&house, "").await);
    }
    let answer = house.get("/api/v1/live").await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "5"));
    open_streams.pop();
    drop(open(&house, "").await);
}

#[tokio::test]
async fn a_revoked_key_sees_nothing_more() {
    let house = House::new().await;
    let made = house.catalog.create_key(&house.principal(), "short-lived").await.unwrap();
    let request = house.request(Method::GET, "/api/v1/live").header("x-api-key", made.key.expose());
    let response = house.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut body = response.into_body();
    house.append(vec![llm_span("default", 1, "sim/small", house.now(), 0)]).await;
    assert_eq!(next(&mut body).await.unwrap()["input_tokens"], 101);

    house.catalog.revoke_key(&house.principal(), &made.id).await.unwrap();
    house.append(vec![llm_span("default", 2, "sim/small", house.now(), 0)]).await;
    assert_eq!(next(&mut body).await, None);
}

fn check(span: &Span, filter: &str, expect: bool) {
    let mut cells = Vec::new();
    span.cells(&mut cells);
    let filter: Filter = serde_json::from_str(filter).unwrap();
    assert_eq!(filter.matches(&SPANS, &cells), expect, "{filter:?}");
}

#[test]
fn filters_mean_what_they_mean_in_the_store() {
    let house_time = "2026-11-24T08:00:00Z".parse().unwrap();
    let mut span = llm_span("default", 1, "sim/small", house_time, 0);
    span.tags = vec!["beta".to_owned()];
    span.verdict = Some(Verdict::Flag);
    let is = |filter: &str| check(&span, filter, true);
    let is_not = |filter: &str| check(&span, filter, false);
    is(r#"{"field":"model","op":"=","value":"sim/small"}"#);
    is_not(r#"{"field":"model","op":"=","value":"SIM/SMALL"}"#);
    is(r#"{"field":"model","op":"contains","value":"SMALL"}"#);
    is(r#"{"field":"input_tokens","op":">","value":100}"#);
    is(r#"{"field":"input_tokens","op":"<","value":101.5}"#);
    is(r#"{"field":"cost","op":"<=","value":0.000003}"#);
    is(r#"{"field":"duration_ms","op":">=","value":101}"#);
    is(r#"{"field":"streaming","op":"=","value":false}"#);
    is(r#"{"field":"start_time","op":"=","value":"2026-11-24T09:00:00+01:00"}"#);
    is(r#"{"field":"verdict","op":"in","value":["flag","block"]}"#);
    is(r#"{"field":"verdict","op":"not_in","value":["block"]}"#);
    is(r#"{"field":"tags","op":"contains","value":"beta"}"#);
    is_not(r#"{"field":"tags","op":"contains","value":"bet"}"#);
    is(r#"{"field":"attributes.number","op":"=","value":"1"}"#);
    is_not(r#"{"field":"attributes.missing","op":"exists"}"#);
    is(r#"{"field":"session_id","op":"!=","value":"s"}"#);
    is_not(r#"{"field":"session_id","op":"=","value":"s"}"#);
    is_not(r#"{"field":"session_id","op":"<","value":"s"}"#);
    is(r#"{"not":{"field":"session_id","op":"exists"}}"#);
    is(r#"{"any":[{"field":"kind","op":"=","value":"tool"},{"field":"kind","op":"=","value":"llm"}]}"#);
    is_not(r#"{"all":[{"field":"kind","op":"=","value":"tool"},{"field":"kind","op":"=","value":"llm"}]}"#);
    is(r#"{"field":"output_messages","op":"contains","value":"answer 1"}"#);
}

#[tokio::test]
async fn what_arrives_has_no_scores_yet() {
    let house = House::new().await;
    let filter = encoded(r#"{"not":{"score":{"field":"value","op":"<","value":0.5}}}"#);
    let answer = house.get(&format!("/api/v1/live?filter={filter}")).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]["field"]), (400, &json!("filter")));
}
