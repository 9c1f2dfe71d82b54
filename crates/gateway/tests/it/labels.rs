//! Traces, labels and numbers.

use serde_json::json;
use signalbox_gateway::Name;

use crate::house::{CHAT, House, MESSAGES, Plan, question, with};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

#[tokio::test]
async fn a_trace_is_continued_and_passed_on() {
    let house = House::new().await;
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let headers = [("traceparent", traceparent.as_str()), ("tracestate", "vendor=1")];
    let answer = house.call(CHAT, &headers, &question(CHAT, "oai/small")).await;
    let span = house.only_span().await;
    assert_eq!(span.trace_id.to_string(), TRACE);
    assert_eq!(span.parent_span_id.unwrap().to_string(), PARENT);
    let ours = format!("00-{TRACE}-{}-01", span.span_id);
    assert_eq!(answer.header("traceparent"), ours);
    assert_eq!(answer.header("x-signalbox-trace-id"), TRACE);
    assert_eq!(answer.header("x-request-id"), TRACE);
    let received = &house.received().await[0];
    assert_eq!(received["headers"]["traceparent"], ours);
    assert_eq!(received["headers"]["tracestate"], "vendor=1");
    assert_eq!(received["headers"].get("x-signalbox-tags"), None);
}

#[tokio::test]
async fn a_broken_trace_begins_a_new_one() {
    let house = House::new().await;
    let answer = house.call(MESSAGES, &[("traceparent", "00-nonsense")], &question(MESSAGES, "ant/small")).await;
    assert_eq!(answer.status, 200);
    let span = house.only_span().await;
    assert_eq!(span.parent_span_id, None);
    assert_eq!(answer.header("x-signalbox-trace-id"), span.trace_id.to_string());
    assert!(!answer.header("traceparent").contains("nonsense"));
}

#[tokio::test]
async fn callers_label_their_calls() {
    let house = House::new().await;
    let headers = [
        ("x-signalbox-session-id", "s-1"),
        ("x-signalbox-tags", "blue, green"),
        ("x-signalbox-environment", "staging"),
        ("x-signalbox-prompt-name", "greeting"),
        ("x-signalbox-prompt-version", "3"),
        ("x-signalbox-agent-name", "porter"),
        ("user-agent", "tests/1"),
    ];
    let body = with(question(CHAT, "oai/small"), json!({"user": "u-1", "temperature": 0.5, "seed": 7}));
    house.call(CHAT, &headers, &body).await;
    let body = with(question(CHAT, "oai/small"), json!({"metadata": {"session_id": "s-2"}, "user": "u-1"}));
    house.call(CHAT, &[("x-signalbox-user-id", "u-2")], &body).await;
    let spans = house.spans().await;
    let span = &spans[0];
    assert_eq!(span.session_id.as_deref(), Some("s-1"));
    assert_eq!(span.user_id.as_deref(), Some("u-1"));
    assert_eq!(span.tags, ["blue", "green"]);
    assert_eq!(span.environment.as_deref(), Some("staging"));
    assert_eq!(span.prompt_name.as_deref(), Some("greeting"));
    assert_eq!(span.prompt_version.as_deref(), Some("3"));
    assert_eq!(span.agent_name.as_deref(), Some("porter"));
    assert_eq!(span.attributes["user_agent.original"], "tests/1");
    assert_eq!(span.model_parameters["temperature"], 0.5);
    assert_eq!(span.model_parameters["seed"], 7);
    assert_eq!(spans[1].session_id.as_deref(), Some("s-2"));
    assert_eq!(spans[1].user_id.as_deref(), Some("u-2"));
}

#[tokio::test]
async fn calls_are_counted() {
    let house = House::new().await;
    house.call(CHAT, &[], &question(CHAT, "oai/small")).await;
    house.call(CHAT, &[], &with(question(CHAT, "oai/small"), json!({"stream": true}))).await;
    house.call(MESSAGES, &[("x-sim-status", "429")], &question(MESSAGES, "ant/small")).await;
    house.gateway.drain().await;
    let text = house.metrics();
    // A family shows itself with its first member; these have none here, and tests of their own.
    let elsewhere = [Name::Shed, Name::Tries, Name::Fallbacks, Name::Breaker, Name::RouteShed, Name::RemoteChecks];
    for name in Name::ALL.iter().filter(|name| !elsewhere.contains(name)) {
        assert!(text.contains(&format!("# TYPE {}", name.as_str())), "{} in {text}", name.as_str());
    }
    for line in [
        r#"signalbox_gateway_requests_total{path="/v1/chat/completions",provider="oai",model="small",status="200",error_type=""} 2"#,
        r#"signalbox_gateway_requests_total{path="/v1/messages",provider="ant",model="small",status="429",error_type="rate_limited"} 1"#,
        r#"gen_ai_server_time_to_first_token_seconds_count{gen_ai_operation_name="chat",gen_ai_provider_name="oai",gen_ai_request_model="small"} 1"#,
        r#"gen_ai_client_operation_duration_seconds_bucket{le="81.92",gen_ai_operation_name="chat""#,
        "signalbox_gateway_tokens_total{provider=\"oai\",model=\"small\",type=\"output\"}",
        "signalbox_gateway_cost_usd_total{provider=\"oai\",model=\"small\"}",
        "signalbox_gateway_in_flight_requests 0",
        "signalbox_gateway_settle_queue_calls 0",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn the_span_names_the_credential_and_never_shows_it() {
    let house = House::new().await;
    let base_url = format!("http://{}/v1", house.simulator);
    let credentials = json!([{"name": "team-a", "api_key": "hidden-a"}, {"name": "team-b", "api_key": "hidden-b"}]);
    let provider = json!({"name": "two", "kind": "sim", "dialect": "openai_chat", "base_url": base_url, "auth": "bearer", "credentials": credentials});
    let house = House::build(Plan { providers: vec![provider], ..Plan::default() }).await;
    for _ in 0..2 {
        assert_eq!(house.call(CHAT, &[], &question(CHAT, "two/small")).await.status, 200);
    }
    let refused = house.call(CHAT, &[("x-sim-status", "429")], &question(CHAT, "two/small")).await;
    assert_eq!(refused.status, 429);
    let spans = house.spans().await;
    let names: Vec<&str> = spans.iter().map(|span| span.attributes["signalbox.credential"].as_str()).collect();
    assert_eq!(names.len(), 3);
    assert_eq!(names[..2], ["team-a", "team-b"]);
    let everything = format!("{spans:?} {} {}", house.metrics(), refused.text());
    assert!(!everything.contains("hidden-"), "{everything}");
}
