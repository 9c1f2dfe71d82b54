//! Policies that ask a service of one's own: what it says counts in every dialect, in streams too; what it doesn't say in time passes or
//! not, as its policy says; and it isn't asked twice about one text.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::{Value, json};
use signalbox_guard::GuardConfig;
use signalbox_types::{Action, Verdict};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::house::{CHAT, GEMINI, House, MESSAGES, Plan, RESPONSES, question, with};

const PAIRS: [(&str, &str); 6] = [
    (CHAT, "oai/small"),
    (CHAT, "ant/small"),
    (MESSAGES, "ant/small"),
    (RESPONSES, "rsp/small"),
    (GEMINI, "gem/small"),
    (GEMINI, "oai/small"),
];
const KEY: &str = "hidden-key";

/// Flags the word `falcon`, and notes what it was asked.
struct Service {
    address: String,
    /// Bodies of requests.
    asked: Mutex<Vec<Value>>,
    /// What it answers with; 0 is nothing at all.
    status: AtomicU16,
}

impl Service {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let service = Arc::new(Self { address, asked: Mutex::default(), status: AtomicU16::new(200) });
        let own = Arc::clone(&service);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&own).serve(socket));
            }
        });
        service
    }

    async fn serve(self: Arc<Self>, mut socket: TcpStream) {
        let mut seen = Vec::new();
        loop {
            let mut piece = [0; 4_096];
            let Ok(read @ 1..) = socket.read(&mut piece).await else { return };
            seen.extend_from_slice(piece.get(..read).unwrap());
            let text = String::from_utf8_lossy(&seen).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() < length.parse().unwrap() {
                continue;
            }
            assert!(head.contains(&format!("authorization: {KEY}")) && head.starts_with("POST /check "), "{head}");
            let body: Value = serde_json::from_str(body).unwrap();
            let status = self.status.load(Ordering::Relaxed);
            let answer = json!({ "results": body["texts"].as_array().unwrap().iter().map(judge).collect::<Vec<_>>() });
            self.asked.lock().push(body);
            if status == 0 {
                std::future::pending::<()>().await;
            }
            let answer = answer.to_string();
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
            if socket.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
            seen.clear();
        }
    }

    fn texts(&self) -> Vec<String> {
        let asked = self.asked.lock();
        let texts = asked.iter().flat_map(|body| body["texts"].as_array().unwrap().clone());
        texts.map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    /// A guard with a policy that asks it.
    fn guard(&self, more: Value, options: Value) -> Value {
        let options = with(json!({"service": "birds", "deadline_ms": 5_000}), options);
        let policy = json!({"scanner": "remote", "on": ["input"], "action": "block", "options": options});
        let url = format!("http://{}/check", self.address);
        let service = json!({"name": "birds", "url": url, "headers": {"authorization": KEY}});
        json!({"policies": [with(policy, more)], "services": [service]})
    }
}

fn judge(text: &Value) -> Value {
    let text = text.as_str().unwrap();
    match text.find("falcon") {
        Some(at) => {
            let start = text.get(..at).unwrap().chars().count();
            json!({"flagged": true, "score": 0.9, "spans": [{"start": start, "end": start + 6, "type": "bird"}]})
        }
        None => json!({"flagged": false, "score": 0.1}),
    }
}

async fn house(guard: Value) -> House {
    House::build(Plan { guard, ..Plan::default() }).await
}

fn asking(path: &str, model: &str, text: &str) -> Value {
    let question = question(path, model).to_string();
    serde_json::from_str(&question.replace("What is a signal box?", text)).unwrap()
}

#[tokio::test]
async fn what_it_flags_is_refused_before_anybody_sees_it() {
    let service = Service::start().await;
    let house = house(service.guard(json!({}), json!({}))).await;
    for (path, model) in PAIRS {
        let answer = house.call(path, &[], &asking(path, model, "Wo ist der Bär, wo der falcon?")).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert!(answer.text().contains("service `birds`: bird"), "{path}: {}", answer.text());
        assert_eq!(house.call(path, &[], &asking(path, model, "An eagle?")).await.status, 200);
    }
    assert_eq!(house.received().await.len(), PAIRS.len());
    // Two different texts, and both are known after the first time.
    assert_eq!(service.texts(), ["Wo ist der Bär, wo der falcon?", "An eagle?"]);
    let span = house.spans().await.remove(0);
    assert_eq!((span.verdict, span.findings[0].action), (Some(Verdict::Block), Action::Block));
    assert_eq!(span.input_messages[0].readable(), "Wo ist der Bär, wo der [BLOCKED:flagged]?");
    let metrics = house.metrics();
    for (outcome, texts) in [("answered", 2), ("remembered", 10)] {
        let line = format!(r#"signalbox_guard_remote_total{{service="birds",outcome="{outcome}"}} {texts}"#);
        assert!(metrics.contains(&line), "{metrics}");
    }
    assert!(!format!("{:?}{metrics}", house.spans().await).contains(KEY));
}

#[tokio::test]
async fn nobody_is_asked_about_what_its_policy_does_not_look_at() {
    let service = Service::start().await;
    let house = house(service.guard(json!({"roles": ["user", "tool"]}), json!({}))).await;
    let messages = json!([{"role": "system", "content": "Never name the falcon."}, {"role": "user", "content": "Hi"}]);
    let answer = house.call(CHAT, &[], &json!({"model": "oai/small", "messages": messages})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(service.texts(), ["Hi"]);
}

#[tokio::test]
async fn only_what_is_new_in_a_conversation_is_asked() {
    let service = Service::start().await;
    let house = house(service.guard(json!({}), json!({}))).await;
    let mut messages: Vec<Value> = Vec::new();
    for turn in 0..3 {
        messages.push(json!({"role": "user", "content": format!("Question {turn}")}));
        let body = json!({"model": "oai/small", "messages": messages});
        assert_eq!(house.call(CHAT, &[], &body).await.status, 200);
    }
    assert_eq!(service.texts(), ["Question 0", "Question 1", "Question 2"]);
    house.clock.advance(Duration::from_secs(61));
    house.call(CHAT, &[], &json!({"model": "oai/small", "messages": messages})).await;
    assert_eq!(service.asked.lock().last().unwrap()["texts"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_not_answered_passes_or_not_as_the_policy_says() {
    for (status, reason) in [(0, "no answer within 40 ms"), (503, "it answered with status 503")] {
        for (on_failure, expected) in [("allow", 200), ("block", 400)] {
            let service = Service::start().await;
            service.status.store(status, Ordering::Relaxed);
            let options = json!({"on_failure": on_failure, "deadline_ms": if status == 0 { 40 } else { 5_000 }});
            let house = house(service.guard(json!({}), options)).await;
            let answer = house.call(CHAT, &[], &asking(CHAT, "oai/small", "A falcon?")).await;
            assert_eq!(answer.status, expected, "{}", answer.text());
            if expected == 400 {
                assert_eq!(answer.json()["error"]["code"], "guardrail_blocked", "{}", answer.text());
                let told = format!(
                    "could not be made, and its policy lets nothing pass unchecked (service `birds`: {reason})"
                );
                assert!(answer.text().contains(&told), "{}", answer.text());
                assert!(answer.text().contains("try again in a moment"), "{}", answer.text());
            }
            let span = house.only_span().await;
            assert_eq!(span.attributes["signalbox.guard.unchecked"], format!("birds: {reason}"));
            let outcome = if status == 0 { "timeout" } else { "error" };
            let line = format!(r#"signalbox_guard_remote_total{{service="birds",outcome="{outcome}"}} 1"#);
            assert!(house.metrics().contains(&line), "{}", house.metrics());
        }
    }
}

#[tokio::test]
async fn who_fails_again_and_again_is_left_alone_for_a_while() {
    let service = Service::start().await;
    service.status.store(500, Ordering::Relaxed);
    let house = house(service.guard(json!({}), json!({"on_failure": "block"}))).await;
    for n in 0..8 {
        let answer = house.call(CHAT, &[], &asking(CHAT, "oai/small", &format!("Question {n}"))).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.text().contains("is left alone for some seconds"), n >= 5, "{}", answer.text());
    }
    assert_eq!(service.asked.lock().len(), 5);
    service.status.store(200, Ordering::Relaxed);
    house.clock.advance(Duration::from_secs(11));
    assert_eq!(house.call(CHAT, &[], &asking(CHAT, "oai/small", "Question 9")).await.status, 200);
}

/// Five sentences, the fourth of which is flagged.
fn echo() -> String {
    let sentence = |end: &str| format!("{}{end}. ", "So many words are said here about trains and boxes, ".repeat(3));
    [sentence("one"), sentence("two"), sentence("three"), sentence("a falcon"), sentence("five")].concat()
}

#[tokio::test]
async fn an_answer_is_asked_about_and_a_stream_piece_by_piece() {
    for (path, model) in PAIRS {
        let service = Service::start().await;
        let house = house(service.guard(json!({"on": ["output"], "action": "redact"}), json!({}))).await;
        for stream in [false, true] {
            let body = with(question(path, model), json!({"stream": stream}));
            let headers = [("x-sim-echo", &*echo()), ("x-sim-split", "7")];
            let answer = house.call(path, &headers, &body).await;
            assert_eq!(answer.status, 200, "{path} {model}: {}", answer.text());
            let expected = echo().replace("falcon", "[REDACTED:bird]");
            assert_eq!(answer.content().trim(), expected.trim(), "{path} {model} {stream}: {}", answer.text());
            assert!(!answer.text().contains("falcon"), "{path} {model}: {}", answer.text());
        }
        let lengths: Vec<usize> = service.texts().iter().map(String::len).collect();
        assert_eq!(lengths[0], echo().trim_end().len().max(lengths[0]), "the whole answer");
        assert!(lengths.len() > 4 && lengths[1..].iter().all(|bytes| *bytes <= 1_000), "{path} {model}: {lengths:?}");
    }
}

#[tokio::test]
async fn a_stream_ends_before_what_is_flagged_or_could_not_be_asked_about() {
    for (path, model) in PAIRS {
        let service = Service::start().await;
        let options = json!({"on_failure": "block", "deadline_ms": 5_000});
        let house = house(service.guard(json!({"on": ["output"]}), options)).await;
        let body = with(question(path, model), json!({"stream": true}));
        let answer = house.call(path, &[("x-sim-echo", &*echo())], &body).await;
        let text = answer.content();
        assert!(text.contains("three") && !text.contains("falcon") && !text.contains("five"), "{path} {model}: {text}");
        assert!(answer.text().contains("blocked by a guardrail"), "{path} {model}: {}", answer.text());
        service.status.store(500, Ordering::Relaxed);
        let answer = house.call(path, &[("x-sim-echo", "Nothing of this was seen before.")], &body).await;
        assert_eq!(answer.content(), "", "{path} {model}: {}", answer.text());
        assert!(answer.text().contains("it answered with status 500"), "{path} {model}: {}", answer.text());
        let spans = house.spans().await;
        assert_eq!(spans[1].attributes["signalbox.guard.unchecked"], "birds: it answered with status 500");
    }
}

#[tokio::test]
async fn who_only_flags_holds_no_stream_back_but_has_the_last_word() {
    let service = Service::start().await;
    let house = house(service.guard(json!({"on": ["output"], "action": "flag"}), json!({}))).await;
    let body = with(question(CHAT, "oai/small"), json!({"stream": true}));
    let answer = house.call(CHAT, &[("x-sim-echo", &*echo())], &body).await;
    assert_eq!(answer.content().trim(), echo().trim());
    let span = house.only_span().await;
    assert_eq!(span.findings.len(), 1, "{span:?}");
    let found = &span.findings[0];
    assert_eq!(echo().get(found.start..found.end), Some("falcon"));
}

#[tokio::test]
async fn calls_of_tools_are_asked_about_too() {
    let service = Service::start().await;
    let house = house(service.guard(json!({"on": ["output"]}), json!({}))).await;
    let tools = json!([{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object",
        "properties": {"city": {"type": "string"}}}}}]);
    for stream in [false, true] {
        let body = with(question(CHAT, "oai/small"), json!({"stream": stream, "tools": tools}));
        let answer = house.call(CHAT, &[], &body).await;
        assert_eq!((answer.status.as_u16(), answer.tool_calls().len()), (200, 1), "{}", answer.text());
    }
    assert!(service.texts().iter().any(|text| text.starts_with('{')), "{:?}", service.texts());
}

#[tokio::test]
async fn a_project_may_ask_what_is_configured_and_a_service_that_has_gone_fails() {
    let service = Service::start().await;
    let guard = service.guard(json!({}), json!({"on_failure": "block"}));
    let house = house(json!({"policies": [], "services": guard["services"]})).await;
    let principal = house.catalog.authenticate(crate::house::KEY).unwrap();
    let add = |policies: Value| {
        let config: GuardConfig = serde_json::from_value(json!({ "policies": policies })).unwrap();
        house.switch.add_policies(&principal.project, config)
    };
    add(guard["policies"].clone()).unwrap();
    let ask = || async { house.call(CHAT, &[], &asking(CHAT, "oai/small", "An eagle?")).await };
    assert_eq!(ask().await.status, 200);
    house.reload(Plan::default()).unwrap();
    let answer = ask().await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("none of this name is configured"), "{}", answer.text());
}

#[tokio::test]
async fn a_body_that_is_long_is_asked_about_in_several_requests() {
    let service = Service::start().await;
    let house = house(service.guard(json!({}), json!({}))).await;
    let messages: Vec<Value> = (0..200).map(|n| json!({"role": "user", "content": format!("Question {n}")})).collect();
    let body = json!({"model": "oai/small", "messages": messages}).to_string();
    assert_eq!(house.call_bytes(CHAT, &[], Bytes::from(body)).await.status, 200);
    // One lock at a time: both would wait for each other in one expression.
    let requests = service.asked.lock().len();
    assert_eq!((requests, service.texts().len()), (4, 200));
}
