use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use signalbox_testkit::builders::{llm_span, span_id, trace_id};
use signalbox_types::table::SPANS;
use signalbox_types::{ErrorClass, ProjectId, Span, SpanKind, SpanSource, Timestamp, Verdict};

use super::step::first_chars;
use crate::tests::house::{House, encoded};

fn span(trace: u64, number: u64, parent: Option<u64>, kind: SpanKind, begin: Timestamp, ms: u64) -> Span {
    let mut span =
        Span::new(ProjectId::new("default"), trace_id(trace), span_id(number), format!("step {number}"), begin);
    span.parent_span_id = parent.map(span_id);
    span.kind = kind;
    span.source = SpanSource::Otlp;
    span.end_time = begin.plus(Duration::from_millis(ms));
    span
}

fn call(trace: u64, number: u64, parent: Option<u64>, source: SpanSource, begin: Timestamp) -> Span {
    let mut span = llm_span("default", number, "sim/small", begin, 0);
    span.trace_id = trace_id(trace);
    span.parent_span_id = parent.map(span_id);
    span.source = source;
    span
}

/// An agent that retrieves and calls a model; the SDK and the gateway both tell of the call, with the
/// span of an HTTP client between them.
async fn agent_run(house: &House, begin: Timestamp) {
    let later = |ms| begin.plus(Duration::from_millis(ms));
    let mut agent = span(1, 1, None, SpanKind::Agent, begin, 5_000);
    agent.name = "answer a customer".to_owned();
    agent.session_id = Some("s-1".to_owned());
    agent.tags = vec!["beta".to_owned()];
    agent.usage.input_tokens = Some(999_999);
    let mut retrieval = span(1, 2, Some(1), SpanKind::Retriever, later(10), 20);
    retrieval.fail(ErrorClass::UpstreamTimeout, "too slow");
    retrieval.user_id = Some("u-1".to_owned());
    let sdk = call(1, 3, Some(1), SpanSource::Otlp, later(40));
    let http = span(1, 4, Some(3), SpanKind::Span, later(41), 100);
    let mut gateway = call(1, 5, Some(4), SpanSource::Gateway, later(42));
    gateway.verdict = Some(Verdict::Redact);
    house.append(vec![gateway, http, sdk, retrieval, agent]).await;
}

async fn list(house: &House, query: &str) -> Value {
    house.get(&format!("/api/v1/traces{query}")).await.ok()
}

#[tokio::test]
async fn a_trace_in_one_line() {
    let house = House::new().await;
    let begin = house.now().minus(Duration::from_secs(60));
    agent_run(&house, begin).await;
    let page = list(&house, "").await;
    assert_eq!(page["next_cursor"], Value::Null);
    let expect = json!({
        "trace_id": trace_id(1).to_string(),
        "name": "answer a customer",
        "kind": "agent",
        "source": "otlp",
        "start_time": begin.to_string(),
        "duration_ms": 5000.0,
        "status": "unset",
        "error_type": "upstream_timeout",
        "span_count": 5,
        "error_count": 1,
        "models": ["sim/small"],
        // The gateway's 105 and 10: neither the SDK's telling of the same call nor the agent's sum.
        "input_tokens": 105,
        "output_tokens": 10,
        "total_tokens": 115,
        "cost": 0.000003,
        "ttft_ms": 23.0,
        "session_id": "s-1",
        "user_id": "u-1",
        "tags": ["beta"],
        "verdict": "redact",
        "input_preview": "Question 3 about Zürich",
        "output_preview": "Answer 5",
    });
    assert_eq!(page["traces"], json!([expect]));

    let detail = house.get(&format!("/api/v1/traces/{}", trace_id(1))).await.ok();
    for (name, value) in expect.as_object().unwrap() {
        assert_eq!(detail[name], *value, "{name}");
    }
    assert_eq!(detail["truncated"], false);
    let names: Vec<_> = detail["spans"].as_array().unwrap().iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["answer a customer", "step 2", "chat sim/small", "step 4", "chat sim/small"]);
    assert_eq!(detail["spans"][4]["preview"], "Answer 5");
}

#[tokio::test]
async fn a_tree_is_whole_however_many_pages_it_takes() {
    let house = House::new().await;
    let begin = house.now().minus(Duration::from_secs(60));
    let total = u64::from(signalbox_types::query::MAX_LIMIT) + 50;
    // A hundred at each moment: pages end between spans of one time.
    let spans = (0..total).map(|n| {
        let parent = (n > 0).then_some(n / 10);
        span(1, n, parent, SpanKind::Tool, begin.plus(Duration::from_micros(n / 100)), 1)
    });
    house.append(spans.collect()).await;
    let detail = house.get(&format!("/api/v1/traces/{}", trace_id(1))).await.ok();
    let found = detail["spans"].as_array().unwrap();
    let ids: std::collections::HashSet<&str> = found.iter().map(|span| span["span_id"].as_str().unwrap()).collect();
    assert_eq!((found.len() as u64, ids.len() as u64), (total, total), "each once");
    assert_eq!((&detail["span_count"], &detail["truncated"]), (&json!(total), &json!(false)));
    assert_eq!(found[0]["name"], "step 0");
    let contents = ["input_messages", "output_messages", "attributes", "input", "output", "events"];
    assert!(contents.iter().all(|name| found[1].get(name).is_none()), "contents are read span by span");
}

#[tokio::test]
async fn sums_are_what_queries_give() {
    let house = House::new().await;
    let begin = house.now().minus(Duration::from_secs(60));
    house
        .append(vec![call(1, 1, None, SpanSource::Gateway, begin), call(1, 2, None, SpanSource::Gateway, begin)])
        .await;
    let trace = list(&house, "").await["traces"][0].clone();
    let query = json!({
        "filter": { "field": "trace_id", "op": "=", "value": trace["trace_id"] },
        "measures": [
            { "fn": "count" }, { "fn": "sum", "column": "input_tokens" }, { "fn": "sum", "column": "output_tokens" },
            { "fn": "sum", "column": "total_tokens" }, { "fn": "sum", "column": "cost" }
        ]
    });
    let answer = house.post("/api/v1/query", &query).await.ok();
    let own = ["span_count", "input_tokens", "output_tokens", "total_tokens", "cost"].map(|name| trace[name].clone());
    assert_eq!(answer["rows"], json!([own]));
}

#[tokio::test]
async fn a_call_told_twice_is_counted_once_and_unknown_numbers_are_filled_in() {
    let house = House::new().await;
    let begin = house.now().minus(Duration::from_secs(60));
    let outer = call(1, 1, None, SpanSource::Otlp, begin);
    // The first try fails, the second succeeds without a price.
    let mut failed = call(1, 2, Some(1), SpanSource::Gateway, begin);
    failed.fail(ErrorClass::RateLimited, "slow down");
    (failed.cost, failed.usage) = (None, signalbox_types::Usage::default());
    let mut unpriced = call(1, 3, Some(1), SpanSource::Gateway, begin);
    unpriced.cost = None;
    // A tool of the model that calls a model itself is another call.
    let tool = span(1, 4, Some(1), SpanKind::Tool, begin, 10);
    let inner = call(1, 5, Some(4), SpanSource::Otlp, begin);
    // A sender whose parents go round in circles harms nobody.
    let circle = [call(2, 6, Some(7), SpanSource::Otlp, begin), call(2, 7, Some(6), SpanSource::Otlp, begin)];
    house.append([outer, failed, unpriced, tool, inner].into_iter().chain(circle).collect()).await;
    let page = list(&house, "").await;
    let trace =
        page["traces"].as_array().unwrap().iter().find(|trace| trace["trace_id"] == trace_id(1).to_string()).unwrap();
    assert_eq!(trace["input_tokens"], 103 + 105);
    assert_eq!(trace["cost"], 0.000006);
    assert_eq!(page["traces"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn unknown_is_absent_and_not_zero() {
    let house = House::new().await;
    house.append(vec![span(1, 1, Some(99), SpanKind::Chain, house.now(), 10)]).await;
    let trace = list(&house, "").await["traces"][0].clone();
    assert_eq!((&trace["name"], &trace["span_count"]), (&json!("step 1"), &json!(1)));
    for name in ["cost", "total_tokens", "ttft_ms", "verdict", "session_id", "error_type", "input_preview"] {
        assert!(trace.get(name).is_none(), "{name}");
    }
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip_while_spans_arrive() {
    let house = House::new().await;
    let begin = house.now().minus(Duration::from_secs(600));
    // Five traces of two spans; the three in the middle begin at the same microsecond.
    for (trace, offset) in [(1, 0), (2, 60), (3, 60), (4, 60), (5, 120)] {
        let first = begin.plus(Duration::from_secs(offset));
        let second = first.plus(Duration::from_secs(90));
        let spans = [
            call(trace, trace * 10, None, SpanSource::Otlp, first),
            call(trace, trace * 10 + 1, None, SpanSource::Otlp, second),
        ];
        house.append(spans.to_vec()).await;
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = list(&house, &format!("?limit=2&cursor={cursor}")).await;
        let ids = page["traces"].as_array().unwrap().iter().map(|trace| trace["trace_id"].as_str().unwrap().to_owned());
        seen.extend(ids);
        // Newer ones, and time that goes on, change nothing about the pages that follow.
        house
            .append(vec![call(100 + seen.len() as u64, 900 + seen.len() as u64, None, SpanSource::Otlp, house.now())])
            .await;
        house.clock.advance(Duration::from_secs(1));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let expect: Vec<String> = [5, 4, 3, 2, 1].map(|trace| trace_id(trace).to_string()).to_vec();
    assert_eq!(seen, expect);
}

#[tokio::test]
async fn filter_and_text_find_traces_by_any_span() {
    let house = House::new().await;
    let begin = house.now().minus(Duration::from_secs(60));
    agent_run(&house, begin).await;
    house.append(vec![call(2, 20, None, SpanSource::Gateway, begin)]).await;
    let found = async |query: String| {
        let page = list(&house, &query).await;
        page["traces"].as_array().unwrap().iter().map(|trace| trace["span_count"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(found(String::new()).await, [1, 5]);
    assert_eq!(found(format!("?filter={}", encoded(r#"{"field":"status","op":"=","value":"error"}"#))).await, [5]);
    assert_eq!(found("?q=question%2020".to_owned()).await, [1]);
    let page = list(&house, "?q=%22question+20%22").await;
    let highlight = json!({"column": "input_messages", "snippet": "Question 20 about Zürich", "ranges": [[0, 11]]});
    assert_eq!(page["traces"][0]["search_highlight"], highlight);
    assert_eq!(found("?q=nobody+said+this".to_owned()).await, [0_u64; 0]);
    assert_eq!(found("?from=now-30s".to_owned()).await, [0_u64; 0]);
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let house = House::new().await;
    let check = async |query: &str, message: &str| {
        let answer = house.get(&format!("/api/v1/traces?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.message().contains(message), "{query}: {}", answer.message());
    };
    check("q=***", "`q`: there is no word in `***`; expected words").await;
    check("from=yesterday", "`from`: `yesterday` is not a point in time: expected RFC 3339").await;
    check("from=now&to=now-1h", "`from`: is not before `to`").await;
    check("limit=0", "`limit`: `0` is out of range; expected 1 to 200").await;
    check("limit=many", "`limit`: `many`").await;
    check("cursor=x", "`cursor`: is no cursor").await;
    check("form=now-1h", "unknown field `form`, expected one of `from`, `to`").await;
    check("filter=%7B", "`filter`: not the JSON that was expected").await;
    check(&format!("filter={}", encoded(r#"{"field":"modle","op":"exists"}"#)), "`spans` has no column `modle`").await;
    for path in ["/api/v1/traces/xyz", "/api/v1/traces/0af7651916cd43dd8448eb211c80319c/spans/xyz"] {
        let answer = house.get(path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.message().contains("hexadecimal digits"), "{}", answer.message());
    }
}

#[tokio::test]
async fn what_is_not_there_or_of_another_project_is_not_found() {
    let house = House::new().await;
    house.append(vec![llm_span("other", 1, "sim/small", house.now(), 0)]).await;
    let trace = format!("/api/v1/traces/{}", trace_id(1));
    for path in [trace.clone(), format!("{trace}/spans/{}", span_id(1))] {
        let answer = house.get(&path).await;
        assert_eq!(
            (answer.status, answer.json()["error"]["type"].as_str()),
            (StatusCode::NOT_FOUND, Some("not_found"))
        );
    }
    assert_eq!(list(&house, "").await["traces"], json!([]));
}

#[tokio::test]
async fn a_span_has_every_column() {
    let house = House::new().await;
    let span = llm_span("default", 1, "sim/small", house.now(), 0);
    house.append(vec![span.clone()]).await;
    let answer = house.get(&format!("/api/v1/traces/{}/spans/{}", span.trace_id, span.span_id)).await.ok();
    assert_eq!(answer["input_messages"][0]["parts"][0]["content"], "Question 1 about Zürich");
    assert_eq!(answer["attributes"], json!({ "number": "1" }));
    assert_eq!(answer["cost_output"], 0.000002);
    let schema = serde_json::to_value(crate::openapi()).unwrap()["components"]["schemas"]["SpanDetail"].clone();
    for column in SPANS.columns {
        assert!(schema["properties"].get(column.name).is_some(), "{} is not documented", column.name);
        assert!(column.nullable || answer.get(column.name).is_some(), "{} is missing", column.name);
    }
    assert!(answer.as_object().unwrap().keys().all(|name| SPANS.column(name).is_some()));
}

#[test]
fn previews_are_one_line_and_end_with_a_mark_when_cut() {
    assert_eq!(first_chars("a\n  b\tc", 80), "a b c");
    assert_eq!(first_chars("grüße aus zürich", 8), "grüße au…");
    assert_eq!(first_chars("exact", 5), "exact");
    assert_eq!(first_chars("", 5), "");
}
