//! Providers that misbehave in every way: what the caller gets, what the span and `/metrics` say, and how the next call
//! fares. Once alone, and once before another target of a route, which then answers as if nothing had been.

use bytes::Bytes;
use serde_json::{Value, json};
use signalbox_types::SpanStatus;
use tokio::net::TcpListener;

use crate::house::{CHAT, House, MESSAGES, Plan, hand_written, http_answer, question, with};
use crate::routes::{as_tries, hang, routed, streamed, tries};
use crate::tls;

/// A role, but nothing said yet.
const ROLE: &str = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n";
const HELLO: &str =
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"},\"finish_reason\":null}]}\n\n";
const ERROR_EVENT: &str = "data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}\n\n";

struct Fault {
    name: &'static str,
    base_url: String,
    /// It shows only in a stream, or only in a whole answer.
    stream: Option<bool>,
    status: u16,
    class: &'static str,
    told: &'static str,
}

fn fault(name: &'static str, base_url: String, status: u16, class: &'static str, told: &'static str) -> Fault {
    Fault { name, base_url, stream: None, status, class, told }
}

fn only(stream: bool, fault: Fault) -> Fault {
    Fault { stream: Some(stream), ..fault }
}

/// Takes a connection, reads nothing and resets it.
async fn reset() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            socket.set_zero_linger().unwrap();
        }
    });
    format!("http://{address}/v1")
}

async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/v1", listener.local_addr().unwrap())
}

async fn sends(status: &str, content_type: &str, body: &str) -> String {
    hand_written(vec![http_answer(status, content_type, body)]).await
}

/// More is promised than comes.
fn promised(content_type: &str, body: &[u8]) -> Bytes {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: 100000\r\n\r\n");
    [head.as_bytes(), body].concat().into()
}

async fn faults() -> Vec<Fault> {
    let sse = "text/event-stream";
    let json = "application/json";
    let half = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\u{1f682}";
    let half_character = &half.as_bytes()[..half.len() - 2];
    let error_body = r#"{"error":{"message":"No credits left","type":"billing"}}"#;
    let overloaded = "event: error\ndata: {\"error\":{\"message\":\"Overloaded\",\"type\":\"overloaded_error\"}}\n\n";
    vec![
        fault("hangs", hang().await, 504, "upstream_timeout", "sent no byte"),
        fault("resets", reset().await, 502, "upstream_error", "closed the connection"),
        fault("refuses connections", nobody().await, 502, "upstream_unreachable", "can't be reached"),
        fault("has no TLS", nobody().await.replace("http:", "https:"), 502, "upstream_unreachable", "can't be reached"),
        fault(
            "is nowhere",
            "http://no-such-host.invalid/v1".to_owned(),
            502,
            "upstream_unreachable",
            "can't be reached",
        ),
        fault("is out of date", tls::provider(2021).await, 502, "upstream_unreachable", "certificate expired"),
        fault("is signed by itself", tls::provider(4000).await, 502, "upstream_unreachable", "UnknownIssuer"),
        fault("speaks no HTTP", hand_written(vec!["SSH-2.0-x\r\n".into()]).await, 502, "upstream_error", "HTTP"),
        fault("sends a page", sends("200 OK", "text/html", "<html>").await, 502, "upstream_error", "base_url"),
        fault("fails", sends("500 Oops", json, error_body).await, 500, "upstream_error", "No credits left"),
        fault("is overloaded", sends("529 X", json, error_body).await, 529, "upstream_overloaded", "No credits left"),
        fault("refuses the key", sends("401 X", json, error_body).await, 502, "upstream_auth", "check its API key"),
        fault(
            "asks to wait",
            sends("429 X\r\nretry-after: 7", json, error_body).await,
            429,
            "rate_limited",
            "No credits",
        ),
        fault(
            "calls an error a success",
            sends("200 OK", json, error_body).await,
            502,
            "upstream_error",
            "No credits left",
        ),
        only(
            true,
            fault("begins with an error", sends("200 OK", sse, ERROR_EVENT).await, 502, "upstream_error", "boom"),
        ),
        only(
            true,
            fault(
                "begins overloaded",
                sends("200 OK", sse, overloaded).await,
                503,
                "upstream_overloaded",
                "Overloaded",
            ),
        ),
        only(
            true,
            fault("says nothing", sends("200 OK", sse, ": ping\n\n").await, 502, "upstream_error", "empty stream"),
        ),
        only(
            false,
            fault(
                "sends half a body",
                hand_written(vec![promised(json, b"{\"id\":")]).await,
                502,
                "upstream_error",
                "cut its answer",
            ),
        ),
        only(
            false,
            fault(
                "sends half a character",
                hand_written(vec![promised(json, half_character)]).await,
                502,
                "upstream_error",
                "cut its answer",
            ),
        ),
        only(
            true,
            fault(
                "sends half a character",
                hand_written(vec![promised(sse, half_character)]).await,
                502,
                "upstream_error",
                "cut its answer",
            ),
        ),
    ]
}

/// The provider is configured so that no test waits long for one that hangs.
fn plan(fault: &Fault, routes: Value) -> Plan {
    let provider = json!({"name": "bad", "dialect": "openai_chat", "base_url": fault.base_url, "api_key": "k",
        "timeouts": {"first_byte": "250ms", "idle": "250ms", "connect": "2s"}});
    Plan { providers: vec![provider], routes, ..Plan::default() }
}

#[tokio::test]
async fn alone_each_fault_is_told_and_recorded() {
    for fault in faults().await {
        for stream in [false, true].into_iter().filter(|stream| fault.stream.is_none_or(|only| only == *stream)) {
            let house = House::build(plan(&fault, json!([]))).await;
            let name = fault.name;
            let answer = house.call(CHAT, &[], &with(question(CHAT, "bad/m"), json!({"stream": stream}))).await;
            assert_eq!(answer.status, fault.status, "{name}, stream {stream}: {}", answer.text());
            let told = answer.json()["error"]["message"].as_str().unwrap().to_owned();
            assert!(told.contains(fault.told), "{name}: {told}");
            let across = house.call(MESSAGES, &[], &with(question(MESSAGES, "bad/m"), json!({"stream": stream}))).await;
            assert_eq!(across.json()["type"], "error", "{name}: {}", across.text());
            // The next call of another model is as good as ever.
            assert_eq!(house.call(CHAT, &[], &question(CHAT, "oai/small")).await.status, 200);
            let spans = house.spans().await;
            let classes: Vec<_> = spans.iter().map(|span| span.error_type.as_deref().unwrap_or("")).collect();
            assert_eq!(classes, [fault.class, fault.class, ""], "{name}");
            let counted =
                format!(r#"provider="bad",model="other",status="{}",error_type="{}""#, fault.status, fault.class);
            assert!(house.metrics().contains(&counted), "{counted} in {}", house.metrics());
        }
    }
}

#[tokio::test]
async fn before_another_target_no_fault_is_seen_by_the_caller() {
    let mut all = faults().await;
    // Nothing has been said yet: the caller has seen nothing.
    for (name, body) in
        [("breaks off before content", ROLE.to_owned()), ("fails before content", format!("{ROLE}{ERROR_EVENT}"))]
    {
        all.push(only(true, fault(name, sends("200 OK", "text/event-stream", &body).await, 0, "upstream_error", "")));
    }
    let trickling = hand_written(vec![promised("text/event-stream", ROLE.as_bytes())]).await;
    all.push(only(true, fault("stops before content", trickling, 0, "upstream_error", "")));
    for fault in all {
        for stream in [false, true].into_iter().filter(|stream| fault.stream.is_none_or(|only| only == *stream)) {
            for path in [CHAT, MESSAGES] {
                let name = fault.name;
                let routes = json!([{"name": "chat", "retry": {"attempts": 0}, "targets": [{"provider": "bad", "model": "m"}, {"provider": "oai", "model": "small"}]}]);
                let house = House::build(plan(&fault, routes)).await;
                let body = with(question(path, "chat"), json!({"stream": stream}));
                for _ in 0..2 {
                    let answer = house.call(path, &[], &body).await;
                    assert_eq!(answer.status, 200, "{name}: {}", answer.text());
                    assert_eq!(answer.header("x-signalbox-provider"), "oai");
                    assert!(
                        !answer.content().is_empty() && !answer.text().contains("\"error\""),
                        "{name}: {}",
                        answer.text()
                    );
                }
                let spans = house.spans().await;
                assert_eq!(spans[0].status, SpanStatus::Ok, "{name}");
                assert_eq!(tries(&spans[0]), as_tries(&[("bad/m", fault.class), ("oai/small", "answered")]), "{name}");
                let counted = format!(r#"route="chat",provider="bad",outcome="{}",mirror="0""#, fault.class);
                assert!(house.metrics().contains(&counted), "{counted} in {}", house.metrics());
                // Who asked to wait is not asked again.
                let again = if fault.class == "rate_limited" { 1 } else { 2 };
                assert_eq!(tries(&spans[1]).len(), again, "{name}: {:#?}", spans[1]);
            }
        }
    }
}

#[tokio::test]
async fn after_the_first_content_a_stream_ends_with_an_error_and_the_target_is_blamed() {
    let cut = format!("{ROLE}{HELLO}");
    let failing = format!("{ROLE}{HELLO}{ERROR_EVENT}");
    for (body, told) in [(&cut, "cut its answer short"), (&failing, "boom")] {
        let base_url = sends("200 OK", "text/event-stream", body).await;
        let bad = json!({"name": "bad", "dialect": "openai_chat", "base_url": base_url, "api_key": "k"});
        for path in [CHAT, MESSAGES] {
            let targets = json!([{"provider": "bad", "model": "m"}, {"provider": "oai", "model": "small"}]);
            let house = routed(targets, json!({"breaker": {"failures": 1}}), vec![bad.clone()]).await;
            let answer = house.call(path, &[], &streamed(path)).await;
            assert_eq!((answer.status.as_u16(), answer.content().as_str()), (200, "Hello"), "{}", answer.text());
            let last = answer.events().pop().unwrap();
            assert!(last["error"]["message"].as_str().unwrap().contains(told), "{}", answer.text());
            assert!(
                !answer.text().contains("\ndata: [DONE]") && !answer.text().contains("message_stop"),
                "{}",
                answer.text()
            );
            // The next call goes elsewhere.
            let answer = house.call(path, &[], &streamed(path)).await;
            assert_eq!(answer.header("x-signalbox-provider"), "oai");
            let spans = house.spans().await;
            assert_eq!(spans[0].error_type.as_deref(), Some("upstream_error"));
            assert_eq!(tries(&spans[0]), as_tries(&[("bad/m", "answered")]));
            assert_eq!(spans[0].attributes["signalbox.usage.estimated"], "true");
            assert!(spans[1].attributes["signalbox.route.left"].contains("left alone"), "{:#?}", spans[1]);
        }
    }
}

#[tokio::test]
async fn a_storm_of_429_reaches_the_provider_once() {
    let targets = json!([{"provider": "oai", "model": "small"}]);
    let house = routed(targets, json!({}), vec![]).await;
    let first = house.call(CHAT, &[("x-sim-status", "429")], &question(CHAT, "chat")).await;
    assert_eq!((first.status.as_u16(), first.header("retry-after")), (429, "1"));
    for _ in 0..20 {
        let answer = house.call(CHAT, &[], &question(CHAT, "chat")).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "1"), "{}", answer.text());
        assert!(answer.text().contains("asked to slow down"), "{}", answer.text());
    }
    assert_eq!(house.stats().await["requests"], 1);
    house.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(house.call(CHAT, &[], &question(CHAT, "chat")).await.status, 200);
}

#[tokio::test]
async fn a_call_has_a_deadline_over_all_its_tries() {
    let (one, two) = (hang().await, hang().await);
    let provider =
        |name: &str, base_url| json!({"name": name, "dialect": "openai_chat", "base_url": base_url, "api_key": "k"});
    let providers = vec![provider("one", one), provider("two", two)];
    let targets = json!([{"provider": "one", "model": "m"}, {"provider": "two", "model": "m"}]);
    let house = routed(
        targets.clone(),
        json!({"timeouts": {"try": "10ms", "total": "60ms"}, "retry": {"attempts": 99, "base": "1ms"}}),
        providers.clone(),
    )
    .await;
    let answer = house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!(answer.status, 504, "{}", answer.text());
    let span = house.only_span().await;
    assert_eq!(span.error_type.as_deref(), Some("upstream_timeout"));
    let made = tries(&span);
    assert_eq!(made[..2], as_tries(&[("one/m", "upstream_timeout"), ("two/m", "upstream_timeout")]));
    // Who hangs until then is blamed for it.
    let more = json!({"timeouts": {"total": "30ms"}, "breaker": {"failures": 1}});
    let house = routed(targets, more, providers).await;
    for provider in ["one/m", "two/m"] {
        let answer = house.call(CHAT, &[], &question(CHAT, "chat")).await;
        assert!(
            answer.status == 504 && answer.text().contains("within 30 ms; raise timeouts.total"),
            "{}",
            answer.text()
        );
        let last = house.spans().await.pop().unwrap();
        assert_eq!(tries(&last), as_tries(&[(provider, "upstream_timeout")]), "{last:#?}");
    }
    // Also over a stream that has begun.
    let house =
        routed(json!([{"provider": "oai", "model": "small"}]), json!({"timeouts": {"total": "60ms"}}), vec![]).await;
    let answer = house.call(CHAT, &[("x-sim-stall-after", "2")], &streamed(CHAT)).await;
    let last = answer.events().pop().unwrap();
    assert!(last["error"]["message"].as_str().unwrap().contains("did not finish within 60 ms"), "{}", answer.text());
    assert_eq!(house.only_span().await.error_type.as_deref(), Some("upstream_timeout"));
    // A limit of one try cuts no stream that has begun.
    let house =
        routed(json!([{"provider": "oai", "model": "small"}]), json!({"timeouts": {"try": "20ms"}}), vec![]).await;
    let answer = house.call(CHAT, &[("x-sim-chunk-delay-ms", "2"), ("x-sim-tokens", "30")], &streamed(CHAT)).await;
    assert!(answer.text().ends_with("data: [DONE]\n\n"), "{}", answer.text());
}
