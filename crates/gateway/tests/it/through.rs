//! `/providers/{name}/…`: whatever a provider has.

use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use signalbox_gateway::{GatewayConfig, Unread};
use signalbox_types::{SpanKind, SpanStatus, Verdict};

use crate::house::{Answer, House, KEY, Plan, Slow, hand_written, http_answer, inner_secret, request, secret};

const ECHO: &str = "/providers/oai/sim/echo";

async fn ask(house: &House, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut call = request(path, headers, body.into());
    *call.method_mut() = method;
    Answer::read(house.send(call).await).await
}

async fn guarded(action: &str, unread: Unread) -> House {
    let guard = json!({"policies": [{"scanner": "secrets", "on": ["input", "output"], "action": action}]});
    let config = GatewayConfig { unread, ..GatewayConfig::default() };
    House::build(Plan { guard, config, ..Plan::default() }).await
}

#[tokio::test]
async fn any_method_and_path_pass_and_the_key_stays_here() {
    let house = House::new().await;
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE, Method::POST] {
        let path = format!("{ECHO}/jobs/ftjob-1/events?limit=3&key=other");
        let headers = [("x-custom", "1"), ("cookie", "a=b"), ("x-copy", KEY), ("content-type", "text/plain")];
        let answer = ask(&house, method.clone(), &path, &headers, "hello").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let told = answer.json();
        assert_eq!(told["method"], method.as_str());
        assert_eq!((&told["path"], &told["query"]), (&json!("/v1/sim/echo/jobs/ftjob-1/events"), &json!("limit=3")));
        assert_eq!(told["body"], "hello");
        assert_eq!(answer.header("x-signalbox-provider"), "oai");
        let received = house.received().await.pop().unwrap();
        assert_eq!((&received["headers"]["x-custom"], &received["headers"]["cookie"]), (&json!("1"), &Value::Null));
        assert!(!received.to_string().contains(KEY), "{received}");
    }
    let empty = ask(&house, Method::POST, &format!("{ECHO}/cancel"), &[], "").await;
    assert_eq!(empty.json()["bytes"], 0, "{}", empty.text());
    assert_eq!(house.received().await.pop().unwrap()["headers"]["content-length"], "0");
    let span = house.spans().await.remove(4);
    assert_eq!(span.name, "POST /providers/oai/sim/echo/jobs/{id}/events");
    assert_eq!((span.kind, span.status, span.http_status), (SpanKind::Span, SpanStatus::Ok, Some(200)));
    assert_eq!((span.operation.as_deref(), span.provider.as_deref()), (Some("pass_through"), Some("sim")));
    assert_eq!(span.attributes["url.path"], "/providers/oai/sim/echo/jobs/{id}/events");
    assert_eq!((&*span.attributes["http.request.method"], &*span.attributes["http.request.body.size"]), ("POST", "5"));
    assert_eq!(span.input, Some(json!("hello")));
    assert!(house.metrics().contains(r#"path="/providers/{provider}/{path}",provider="oai""#));
}

#[tokio::test]
async fn every_kind_of_key_opens_and_none_does_not() {
    let house = House::new().await;
    for (headers, query, expected) in [
        (vec![("x-api-key", KEY)], "", 200),
        (vec![("x-goog-api-key", KEY)], "", 200),
        (vec![], "?key=sb-test-key-0001", 200),
        (vec![("x-api-key", "wrong")], "", 401),
        (vec![], "", 401),
    ] {
        let mut call = request(&format!("{ECHO}{query}"), &headers, Bytes::new());
        call.headers_mut().remove("authorization");
        let answer = Answer::read(house.send(call).await).await;
        assert_eq!(answer.status.as_u16(), expected, "{headers:?} {query}: {}", answer.text());
        assert!(!answer.text().contains(KEY));
    }
    // Strangers don't learn which providers there are.
    let mut call = request("/providers/nobody/x", &[], Bytes::new());
    call.headers_mut().remove("authorization");
    assert_eq!(Answer::read(house.send(call).await).await.status, 401);
}

#[tokio::test]
async fn what_leads_nowhere_is_told() {
    let house = House::new().await;
    for (path, status, expected) in [
        ("/providers/oia/x", 404, "did you mean `oai`"),
        ("/providers/openai/x", 404, "set OPENAI_API_KEY"),
        ("/providers/oai/../admin", 400, "leads out"),
        ("/providers/oai/%2e%2e/admin", 400, "leads out"),
        // Another way to write it is no way around what is done for it.
        ("/providers/oai/v1/files/", 400, "write the path as the provider does: /v1/files"),
        ("/providers/oai/%66iles/file-1", 400, "/files/file-1"),
    ] {
        let answer = ask(&house, Method::GET, path, &[], "").await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text());
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains(expected), "{path}: {}", answer.text());
    }
    assert!(house.received().await.is_empty());
    // In the words of the provider's dialect, or of who seems to ask.
    let google = ask(&house, Method::GET, "/providers/nobody/x", &[("x-goog-api-key", KEY)], "").await;
    assert_eq!(google.json()["error"]["status"], "NOT_FOUND", "{}", google.text());
    let anthropic = ask(&house, Method::GET, "/providers/ant/%2e%2e/x", &[], "").await;
    assert_eq!(anthropic.json()["type"], "error", "{}", anthropic.text());

    let chat = ask(&house, Method::POST, "/providers/oai/chat//completions", &[], "{}").await;
    assert_eq!(chat.status, 400, "{}", chat.text());

    let config = GatewayConfig { pass_through: false, ..GatewayConfig::default() };
    let closed = House::build(Plan { config, ..Plan::default() }).await;
    let answer = ask(&closed, Method::GET, ECHO, &[], "").await;
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("gateway.pass_through"), "{}", answer.text());
    let body = json!({"model": "small", "messages": [{"role": "user", "content": "Hi"}]}).to_string();
    assert_eq!(ask(&closed, Method::POST, "/providers/oai/chat/completions", &[], body).await.status, 200);
}

#[tokio::test]
async fn a_providers_refusal_passes_as_it_is_but_for_our_key() {
    let base_url = hand_written(vec![http_answer("403 Forbidden", "text/html", "<h1>Not yours</h1>")]).await;
    let refusing = json!({"name": "no", "dialect": "openai_chat", "base_url": base_url});
    let base_url = hand_written(vec![http_answer("401 Unauthorized", "application/json", "{\"error\":{}}")]).await;
    let unknown = json!({"name": "who", "dialect": "openai_chat", "base_url": base_url});
    let away =
        Bytes::from_static(b"HTTP/1.1 302 Found\r\nlocation: https://elsewhere.example/\r\ncontent-length: 0\r\n\r\n");
    let away = json!({"name": "away", "dialect": "openai_chat", "base_url": hand_written(vec![away]).await});
    let house = House::build(Plan { providers: vec![refusing, unknown, away], ..Plan::default() }).await;
    let answer = ask(&house, Method::GET, "/providers/no/x", &[], "").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (403, "<h1>Not yours</h1>"));
    assert_eq!(answer.header("content-type"), "text/html");
    let answer = ask(&house, Method::GET, "/providers/who/x", &[], "").await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    let answer = ask(&house, Method::GET, "/providers/away/x", &[], "").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (502, ""), "{}", answer.text());
    let spans = house.spans().await;
    assert!(spans.iter().all(|span| span.status == SpanStatus::Error));
    assert_eq!(spans[0].http_status, Some(403));
}

#[tokio::test]
async fn what_is_known_is_a_call_like_any_other() {
    let house = guarded("redact", Unread::Pass).await;
    let text = format!("Say {} now", secret());
    let messages = json!([{"role": "user", "content": text}]);
    for (path, body, operation) in [
        ("/providers/oai/v1/chat/completions", json!({"model": "small", "messages": messages, "stream": true}), "chat"),
        ("/providers/ant/v1/messages", json!({"model": "small", "max_tokens": 50, "messages": messages}), "chat"),
        (
            "/providers/gem/v1beta/models/small:generateContent",
            json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
            "chat",
        ),
        ("/providers/oai/embeddings", json!({"model": "embed", "input": text}), "embeddings"),
        ("/providers/oai/moderations", json!({"input": text}), "moderation"),
    ] {
        let answer = ask(&house, Method::POST, path, &[], body.to_string()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("x-signalbox-verdict")),
            (200, "redact"),
            "{path}: {}",
            answer.text()
        );
        let received = house.received().await.pop().unwrap();
        assert!(received["body"].as_str().unwrap().contains("[REDACTED"), "{path}: {received}");
        let span = house.spans().await.pop().unwrap();
        assert_eq!((span.operation.as_deref(), span.status), (Some(operation), SpanStatus::Ok), "{path}");
        assert_eq!(span.usage.input_tokens.is_some(), operation != "moderation", "{path}");
        assert!(span.attributes["url.path"].starts_with("/providers/"), "{path}");
    }
}

#[tokio::test]
async fn what_can_be_read_is_guarded() {
    let house = guarded("redact", Unread::Pass).await;
    let text = format!("Say {} now", secret());
    let form = format!("--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\n{text}\r\n--b--\r\n");
    for (kind, body) in [
        ("application/json", json!({"deep": [{"er": text}]}).to_string()),
        // What is JSON is read, whatever it is called.
        ("application/octet-stream", json!({"deep": text}).to_string()),
        ("audio/wav", format!("{}{}", " ".repeat(9_000), json!([text]))),
        ("text/plain", text.clone()),
        ("multipart/form-data; boundary=b", form),
    ] {
        let answer = ask(&house, Method::POST, ECHO, &[("content-type", kind)], body).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-verdict")), (200, "redact"), "{kind}");
        let received = house.received().await.pop().unwrap();
        let received = received["body"].as_str().unwrap();
        assert!(received.contains("[REDACTED") && !received.contains(&inner_secret()), "{kind}: {received}");
    }
    for span in house.spans().await {
        assert_eq!(span.verdict, Some(Verdict::Redact));
        assert!(!format!("{span:?}").contains(&inner_secret()), "{span:#?}");
    }
    let house = guarded("block", Unread::Pass).await;
    let answer = ask(&house, Method::PUT, ECHO, &[], json!([text]).to_string()).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["error"]["code"]),
        (400, &json!("guardrail_blocked")),
        "{}",
        answer.text()
    );
    assert!(house.received().await.is_empty());
    // Answers, too.
    let base_url =
        hand_written(vec![http_answer("200 OK", "application/json", &json!({"a": [text]}).to_string())]).await;
    let providers = vec![json!({"name": "hand", "dialect": "openai_chat", "base_url": base_url})];
    let guard = json!({"policies": [{"scanner": "secrets", "on": ["output"], "action": "redact"}]});
    let house = House::build(Plan { providers, guard, ..Plan::default() }).await;
    let answer = ask(&house, Method::GET, "/providers/hand/x", &[], "").await;
    assert!(answer.text().contains("[REDACTED") && !answer.text().contains(&inner_secret()), "{}", answer.text());
}

#[tokio::test]
async fn what_cannot_be_read_passes_and_is_told_or_is_refused() {
    let binary = Bytes::from_static(b"RIFF\xff\xfe");
    for (unread, expected) in [(Unread::Pass, 200), (Unread::Refuse, 400)] {
        let house = guarded("block", unread).await;
        let answer = ask(&house, Method::POST, ECHO, &[("content-type", "audio/wav")], binary.clone()).await;
        assert_eq!(answer.status.as_u16(), expected, "{}", answer.text());
        assert_eq!(house.only_span().await.attributes["signalbox.guard.unread"], "true");
    }
}

#[tokio::test]
async fn usage_is_noted_where_an_answer_tells_it() {
    let answer = json!({"model": "m", "usage": {"input_tokens": 3, "output_tokens": 4}}).to_string();
    let base_url = hand_written(vec![http_answer("201 Created", "application/json", &answer)]).await;
    let providers = vec![json!({"name": "hand", "dialect": "openai_chat", "base_url": base_url})];
    let house = House::build(Plan { providers, ..Plan::default() }).await;
    let told = ask(&house, Method::POST, "/providers/hand/reason", &[], json!({"model": "m"}).to_string()).await;
    assert_eq!((told.status.as_u16(), told.text()), (201, answer.as_str()));
    let span = house.only_span().await;
    assert_eq!((span.usage.input_tokens, span.usage.output_tokens), (Some(3), Some(4)));
    assert_eq!((span.model_requested.as_deref(), span.http_status), (Some("m"), Some(201)));
    assert_eq!(span.output.unwrap()["model"], "m");
}

#[tokio::test]
async fn a_caller_that_hangs_up_or_falls_silent_ends_it() {
    let house = House::build(Plan {
        config: GatewayConfig { body_timeout_ms: 30, ..GatewayConfig::default() },
        ..Plan::default()
    })
    .await;
    let silent = request(ECHO, &[("content-type", "audio/wav")], Bytes::new()).map(|_| Slow.boxed_unsync());
    let answer = Answer::read(house.send(silent).await).await;
    assert_eq!(answer.status, 408, "{}", answer.text());
    assert!(answer.text().contains("nothing of the request body came"), "{}", answer.text());
    let house = House::new().await;
    let silent = request(ECHO, &[("content-type", "audio/wav")], Bytes::new()).map(|_| Slow.boxed_unsync());
    let mut call = Box::pin(house.send(silent));
    assert!(futures_util::poll!(&mut call).is_pending());
    drop(call);
    let spans = house.spans().await;
    assert_eq!(spans[0].error_type.as_deref(), Some("cancelled"));
}

#[tokio::test]
async fn an_answer_goes_out_while_it_arrives() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let providers = vec![json!({"name": "slow", "dialect": "openai_chat", "base_url": base_url})];
    let house = House::build(Plan { providers, ..Plan::default() }).await;
    let (go_on, wait) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        assert!(socket.read(&mut [0; 4_096]).await.unwrap() > 0);
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\nfirst\n";
        socket.write_all(head).await.unwrap();
        // Only when the first piece has come through.
        let more = wait.await.is_ok();
        if more {
            socket.write_all(b"second\n").await.unwrap();
        }
        // Zero bytes: the other side has hung up.
        socket.read(&mut [0; 16]).await.unwrap_or(0)
    });
    let mut body = house.send(request("/providers/slow/lines", &[], Bytes::new())).await.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "first\n");
    go_on.send(()).unwrap();
    let second = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(second, "second\n");
    // Who hangs up has the provider know.
    drop(body);
    assert_eq!(server.await.unwrap(), 0);
    let span = house.only_span().await;
    assert_eq!((span.error_type.as_deref(), &*span.attributes["http.response.body.size"]), (Some("cancelled"), "13"));
}
