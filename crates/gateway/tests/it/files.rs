//! Files and batches, which a provider keeps.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use signalbox_gateway::{GatewayConfig, Unread};
use signalbox_types::{SpanKind, SpanStatus};

use crate::house::{Answer, House, Plan, request};

const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");
const OAI: (&str, &str) = ("x-signalbox-provider", "oai");
const LINES: &str =
    "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{\"model\":\"small\"}}\n";

fn upload(content: &str) -> Bytes {
    format!(
        "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\nContent-Disposition: form-data; \
         name=\"file\"; filename=\"in.jsonl\"\r\n\r\n{content}\r\n--b--\r\n"
    )
    .into()
}

async fn ask(house: &House, method: Method, path: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
    let mut call = request(path, headers, body);
    *call.method_mut() = method;
    Answer::read(house.send(call).await).await
}

#[tokio::test]
async fn a_batch_goes_all_its_way() {
    let house = House::new().await;
    let made = ask(&house, Method::POST, "/v1/files", &[FORM, OAI], upload(LINES)).await;
    assert_eq!((made.status.as_u16(), made.header("x-signalbox-provider")), (200, "oai"), "{}", made.text());
    assert_eq!((&made.json()["bytes"], &made.json()["filename"]), (&json!(LINES.len()), &json!("in.jsonl")));
    let received = house.received().await.pop().unwrap();
    assert_eq!((&received["path"], &received["headers"]["content-type"]), (&json!("/v1/files"), &json!(FORM.1)));
    assert_eq!(received["body"], std::str::from_utf8(&upload(LINES)).unwrap());

    let id = made.json()["id"].as_str().unwrap().to_owned();
    // Who keeps it needs not be said again.
    let asked = json!({"input_file_id": id, "endpoint": "/v1/chat/completions", "completion_window": "24h"});
    let batch = house.call("/v1/batches", &[], &asked).await;
    assert_eq!((batch.status.as_u16(), batch.header("x-signalbox-provider")), (200, "oai"), "{}", batch.text());
    let batch = batch.json();
    let path = format!("/v1/batches/{}", batch["id"].as_str().unwrap());
    let found = ask(&house, Method::GET, &path, &[], Bytes::new()).await;
    assert_eq!(found.json()["status"], "completed", "{}", found.text());
    let path = format!("/v1/files/{}/content", batch["output_file_id"].as_str().unwrap());
    let content = ask(&house, Method::GET, &path, &[], Bytes::new()).await;
    assert_eq!(content.header("content-type"), "application/octet-stream");
    assert_eq!(serde_json::from_slice::<Value>(&content.body).unwrap()["custom_id"], "a");
    let list = ask(&house, Method::GET, "/v1/files?limit=1", &[OAI], Bytes::new()).await;
    assert_eq!((list.json()["data"].as_array().unwrap().len(), &list.json()["has_more"]), (1, &json!(true)));
    let gone = ask(&house, Method::DELETE, &format!("/v1/files/{id}"), &[], Bytes::new()).await;
    assert_eq!(gone.json()["deleted"], true, "{}", gone.text());
    let missing = ask(&house, Method::GET, &format!("/v1/files/{id}"), &[], Bytes::new()).await;
    assert_eq!(missing.status, 404);
    assert!(missing.json()["error"]["message"].as_str().unwrap().contains("No such File"), "the provider's own words");

    let mut spans = house.spans().await;
    // What the batch used: `batches.rs` has more of it.
    let booked = spans.remove(3);
    assert_eq!((booked.name.as_str(), booked.usage.input_tokens), ("batch chat small", Some(9)));
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(
        names,
        ["file.upload", "batch.create", "batch.retrieve", "file.content", "file.list", "file.delete", "file.retrieve"]
    );
    assert!(spans.iter().take(6).all(|span| span.kind == SpanKind::Span && span.status == SpanStatus::Ok));
    assert_eq!(spans[0].attributes["http.request.body.size"], upload(LINES).len().to_string());
    assert_eq!((&spans[0].input, spans[0].attributes["url.path"].as_str()), (&None, "/v1/files"));
    assert_eq!(spans[3].attributes["http.response.body.size"], content.body.len().to_string());
    assert_eq!(spans[3].attributes["url.path"], "/v1/files/{id}/content");
}

#[tokio::test]
async fn who_keeps_it_is_said_or_clear() {
    let house = House::new().await;
    // `oai` and three others are there, of which only `oai` has a place for it, and the simulated one doesn't count.
    let only = ask(&house, Method::POST, "/v1/files", &[FORM], upload(LINES)).await;
    assert_eq!((only.status.as_u16(), only.header("x-signalbox-provider")), (200, "oai"), "{}", only.text());
    for (name, expected) in [("oia", "did you mean `oai`"), ("openai", "set OPENAI_API_KEY"), ("ant", "keeps no files")]
    {
        let answer = ask(&house, Method::GET, "/v1/files", &[("x-signalbox-provider", name)], Bytes::new()).await;
        assert!(answer.status.is_client_error(), "{name}: {}", answer.status);
        assert!(answer.text().contains(expected), "{name}: {}", answer.text());
    }
    let more = json!({"name": "more", "kind": "sim", "dialect": "openai_chat", "base_url": format!("http://{}/v1", house.simulator)});
    let two = House::build(Plan { providers: vec![more.clone()], ..Plan::default() }).await;
    let unclear = ask(&two, Method::GET, "/v1/batches", &[], Bytes::new()).await;
    assert_eq!(unclear.status, 400);
    assert!(
        unclear.text().contains("`oai`, `more`") && unclear.text().contains("gateway.files_provider"),
        "{}",
        unclear.text()
    );
    let config = GatewayConfig { files_provider: Some("more".to_owned()), ..GatewayConfig::default() };
    let set = House::build(Plan { config, providers: vec![more], ..Plan::default() }).await;
    let listed = ask(&set, Method::GET, "/v1/batches", &[], Bytes::new()).await;
    assert_eq!(listed.header("x-signalbox-provider"), "more", "{}", listed.text());
    let missing = set.call("/v1/batches", &[], &json!({"endpoint": "/v1/chat/completions"})).await;
    assert_eq!((missing.status.as_u16(), &missing.json()["error"]["param"]), (400, &json!("input_file_id")));
}

#[tokio::test]
async fn uploads_are_bounded_and_told_to_be_unread() {
    let config = GatewayConfig { max_passed_bytes: 1_000, max_body_bytes: 10, ..GatewayConfig::default() };
    let guard = json!({"policies": [{"scanner": "secrets", "on": ["input"], "action": "block"}]});
    let house = House::build(Plan { config: config.clone(), guard: guard.clone(), ..Plan::default() }).await;
    let fits = ask(&house, Method::POST, "/v1/files", &[FORM, OAI], upload(LINES)).await;
    assert_eq!(fits.status, 200, "{}", fits.text());
    // Without a promise of its length, it is found out on the way.
    let large = ask(&house, Method::POST, "/v1/files", &[FORM, OAI], upload(&"x".repeat(2_000))).await;
    assert_eq!(large.status, 413, "{}", large.text());
    assert!(large.text().contains("gateway.max_passed_bytes"), "{}", large.text());
    let spans = house.spans().await;
    assert_eq!(spans[0].attributes["signalbox.guard.unread"], "true");
    assert_eq!(spans[1].error_type.as_deref(), Some("request_too_large"));

    let config = GatewayConfig { unread: Unread::Refuse, ..config };
    let strict = House::build(Plan { config, guard, ..Plan::default() }).await;
    let refused = ask(&strict, Method::POST, "/v1/files", &[FORM, OAI], upload(LINES)).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("gateway.unread"), "{}", refused.text());
    assert!(strict.received().await.is_empty());
}

#[tokio::test]
async fn files_are_scanned_within_the_bound() {
    let guard = json!({"policies": [
        {"scanner": "secrets", "on": ["input"], "action": "redact"},
        {"scanner": "invisible_chars", "on": ["input"], "action": "block"},
    ]});
    let config = GatewayConfig { scan_files_bytes: 2_000, ..GatewayConfig::default() };
    let house = House::build(Plan { guard, config, ..Plan::default() }).await;
    let secret = crate::house::secret();
    let line = |text: &str| format!("{}{}\n", LINES, json!({"messages": [{"role": "user", "content": text}]}));
    let sent = async |content: String| {
        let body = upload(&content);
        let length = body.len().to_string();
        let answer = ask(&house, Method::POST, "/v1/files", &[FORM, OAI, ("content-length", &length)], body).await;
        let received = house.received().await;
        let body = received.last().map(|last| last["body"].as_str().unwrap_or_default().to_owned());
        (answer, received.len(), body.unwrap_or_default())
    };
    let (answer, _, body) = sent(line("What is a signal box?")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(body, std::str::from_utf8(&upload(&line("What is a signal box?"))).unwrap(), "not a byte changes");
    // What is redacted is gone, and each line is still JSON.
    let (answer, _, body) = sent(line(&format!("my key is {secret}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!body.contains(&crate::house::inner_secret()) && body.contains("my key is "), "{body}");
    let last = body.lines().rev().nth(2).unwrap();
    assert!(serde_json::from_str::<Value>(last).is_ok(), "{last}");
    // A file that a policy blocks goes nowhere.
    let before = house.received().await.len();
    let (answer, after, _) = sent(line("tag \u{e0041}\u{e0042}\u{e0043}")).await;
    assert_eq!((answer.status.as_u16(), after), (400, before), "{}", answer.text());
    // Larger, or no text: unread, and the span says so.
    let (answer, _, body) = sent(line(&format!("{} {secret}", "x".repeat(2_000)))).await;
    assert!(answer.status == 200 && body.contains(&secret), "{}", answer.text());
    sent("\u{0}binary".to_owned()).await;
    let spans = house.spans().await;
    let unread: Vec<bool> = spans.iter().map(|span| span.attributes.contains_key("signalbox.guard.unread")).collect();
    assert_eq!(unread, [false, false, false, true, true]);
}
