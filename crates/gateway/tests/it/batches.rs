//! What batches used is written down when somebody comes for them, and once.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use serde_json::{Value, json};
use signalbox_gateway::GatewayConfig;
use signalbox_types::{Span, SpanKind, SpanStatus};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::house::{Answer, House, Plan, read_request, request};

const CHAT: &str = "gpt-4o-mini-2024-07-18";

/// A provider that has one batch: what is told of it, and its results.
async fn provider(told: Value, results: String) -> (Value, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let results = Arc::new(Mutex::new(results));
    let shared = Arc::clone(&results);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (told, results) = (told.clone(), Arc::clone(&shared));
            tokio::spawn(async move {
                let request = read_request(&mut socket).await;
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                let (kind, body) = if path.ends_with("/content") {
                    ("application/octet-stream", results.lock().clone())
                } else if path.ends_with("/batches") {
                    ("application/json", json!({"object": "list", "data": [told]}).to_string())
                } else {
                    ("application/json", told.to_string())
                };
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                socket.write_all(head.as_bytes()).await.ok();
                // In pieces that cut lines and characters.
                for piece in body.as_bytes().chunks(101) {
                    if socket.write_all(piece).await.is_err() {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            });
        }
    });
    let provider = json!({"name": "up", "kind": "openai", "base_url": base_url, "api_key": "k"});
    (provider, results)
}

fn told(more: Value) -> Value {
    let told = json!({"id": "batch_1", "object": "batch", "endpoint": "/v1/chat/completions", "input_file_id": "file-in",
        "status": "completed", "output_file_id": "file-out", "error_file_id": null, "created_at": 1_700_000_000,
        "completed_at": 1_700_003_600, "request_counts": {"total": 3, "completed": 2, "failed": 1}});
    crate::house::with(told, more)
}

fn line(model: &str, input: u64, cached: u64, output: u64) -> String {
    let body = json!({"id": "c", "object": "chat.completion", "created": 1_700_001_000, "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Signal \u{1f6a6} box"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
            "prompt_tokens_details": {"cached_tokens": cached}}});
    let line = json!({"id": "batch_req_1", "custom_id": "a", "response": {"status_code": 200, "request_id": "r", "body": body}, "error": null});
    format!("{line}\n")
}

const REFUSED: &str = "{\"id\":\"batch_req_9\",\"custom_id\":\"z\",\"response\":{\"status_code\":429,\"body\":{\"error\":{\"message\":\"no\"}}},\"error\":null}\n";

async fn get(house: &House, path: &str) -> Answer {
    let mut call = request(path, &[("x-signalbox-provider", "up")], Bytes::new());
    *call.method_mut() = Method::GET;
    Answer::read(house.send(call).await).await
}

/// The spans of batches.
async fn booked(house: &House) -> Vec<Span> {
    let is_of_batch = |span: &Span| span.attributes.contains_key("signalbox.batch.results");
    house.spans().await.into_iter().filter(is_of_batch).collect()
}

async fn house_of(provider: Value) -> House {
    House::build(Plan { providers: vec![provider], ..Plan::default() }).await
}

#[tokio::test]
async fn the_results_of_a_batch_are_booked_when_they_are_fetched() {
    let results = [line(CHAT, 1_000, 400, 10), REFUSED.to_owned(), line(CHAT, 3_000, 0, 20)].concat();
    let (up, _) = provider(told(json!({})), results.clone()).await;
    let house = house_of(up).await;
    // Whose file it is and what it is of, nobody knows before the batch was asked for.
    assert_eq!(get(&house, "/v1/files/file-out/content").await.text(), results);
    assert!(booked(&house).await.is_empty());
    get(&house, "/v1/batches/batch_1").await;
    assert!(booked(&house).await.is_empty());
    assert_eq!(get(&house, "/v1/files/file-out/content").await.text(), results, "not a byte changes");

    let span = booked(&house).await.remove(0);
    assert_eq!((span.kind, span.status), (SpanKind::Llm, SpanStatus::Ok));
    assert_eq!(span.name, format!("batch chat {CHAT}"));
    assert_eq!((span.provider.as_deref(), span.model_used.as_deref()), (Some("openai"), Some(CHAT)));
    assert_eq!((span.usage.input_tokens, span.usage.output_tokens), (Some(4_000), Some(30)));
    assert_eq!(span.usage.cache_read_tokens, Some(400));
    // Half of 3,600 tokens at 0.15, 400 at 0.075 and 30 at 0.6 dollars per million.
    assert_eq!(span.cost.unwrap().total.to_string(), "0.000294");
    assert_eq!(span.start_time.as_secs(), 1_700_003_600);
    let attribute = |name: &str| span.attributes.get(name).map(String::as_str);
    assert_eq!(attribute("signalbox.service_tier"), Some("batch"));
    assert_eq!(attribute("signalbox.batch.id"), Some("batch_1"));
    assert_eq!((attribute("signalbox.batch.requests"), attribute("signalbox.batch.failed")), (Some("2"), Some("1")));
    assert_eq!(attribute("signalbox.batch.unread_lines"), None);

    // Whoever comes again replaces it.
    get(&house, "/v1/files/file-out/content").await;
    let again = booked(&house).await.pop().unwrap();
    assert_eq!((again.trace_id, again.span_id, again.usage), (span.trace_id, span.span_id, span.usage));
}

#[tokio::test]
async fn what_is_told_of_a_batch_is_booked_at_once_and_its_results_replace_it() {
    let usage = json!({"input_tokens": 4_000, "input_tokens_details": {"cached_tokens": 400}, "output_tokens": 30,
        "output_tokens_details": {"reasoning_tokens": 5}, "total_tokens": 4_030});
    let batch = told(json!({"model": "gpt-4o-mini", "usage": usage}));
    let (up, _) = provider(batch, [line(CHAT, 1_000, 400, 10), line(CHAT, 3_000, 0, 20)].concat()).await;
    let house = house_of(up).await;
    for _ in 0..3 {
        get(&house, "/v1/batches/batch_1").await;
        get(&house, "/v1/batches").await;
    }
    let spans = booked(&house).await;
    assert_eq!(spans.len(), 1, "{spans:#?}");
    assert_eq!((spans[0].usage.total(), spans[0].usage.reasoning_tokens), (Some(4_030), Some(5)));
    assert_eq!(spans[0].cost.unwrap().total.to_string(), "0.000294");
    get(&house, "/v1/files/file-out/content").await;
    let spans = booked(&house).await;
    assert_eq!(spans.len(), 2);
    assert_eq!((spans[0].trace_id, spans[0].span_id), (spans[1].trace_id, spans[1].span_id));
    assert_eq!(spans[1].model_used.as_deref(), Some(CHAT));
    get(&house, "/v1/batches/batch_1").await;
    assert_eq!(booked(&house).await.len(), 2, "the lines say more");
}

#[tokio::test]
async fn each_model_has_its_own_span_and_an_unknown_price_is_none() {
    let results = [line("gpt-4o-mini", 10, 0, 1), line("nobody-knows-it", 20, 0, 2), line("gpt-4o-mini", 30, 0, 3)];
    // The last line has no end, and one is of nothing that is known.
    let results = format!("{}what is this?\n\n{}", results[..2].concat(), results[2].trim_end());
    let (up, _) = provider(told(json!({})), results).await;
    let house = house_of(up).await;
    get(&house, "/v1/batches").await;
    get(&house, "/v1/files/file-out/content").await;
    let spans = booked(&house).await;
    let of = |model: &str| spans.iter().find(|span| span.model_used.as_deref() == Some(model)).unwrap();
    assert_eq!(spans.len(), 2);
    assert_eq!(of("gpt-4o-mini").usage.input_tokens, Some(40));
    assert_eq!((of("nobody-knows-it").usage.input_tokens, of("nobody-knows-it").cost), (Some(20), None));
    assert_eq!(of("gpt-4o-mini").trace_id, of("nobody-knows-it").trace_id);
    assert_eq!(of("gpt-4o-mini").attributes["signalbox.batch.unread_lines"], "1");
}

#[tokio::test]
async fn what_cannot_be_counted_passes_all_the_same() {
    // A line that is too long, and one for which there is no room in memory.
    let long = format!("{{\"custom_id\": \"{}\"}}\n", "x".repeat(5 << 20));
    let (up, results) = provider(told(json!({})), format!("{long}{}", line("gpt-4o-mini", 10, 0, 1))).await;
    let house = house_of(up.clone()).await;
    get(&house, "/v1/batches/batch_1").await;
    let content = get(&house, "/v1/files/file-out/content").await;
    assert_eq!(content.body.len(), results.lock().len());
    let span = booked(&house).await.remove(0);
    assert_eq!((span.usage.input_tokens, &*span.attributes["signalbox.batch.unread_lines"]), (Some(10), "1"));

    let config = GatewayConfig { max_buffered_bytes: 1_000, ..GatewayConfig::default() };
    let house = House::build(Plan { config, providers: vec![up], ..Plan::default() }).await;
    get(&house, "/v1/batches/batch_1").await;
    *results.lock() = format!("{}{}", line("gpt-4o-mini", 10, 0, 1), line(&"m".repeat(2_000), 20, 0, 1));
    assert_eq!(get(&house, "/v1/files/file-out/content").await.body.len(), results.lock().len());
    assert_eq!(booked(&house).await.len(), 1);
}

#[tokio::test]
async fn half_a_download_books_nothing() {
    let results: String = (0..2_000).map(|_| line("gpt-4o-mini", 10, 0, 1)).collect();
    let (up, _) = provider(told(json!({})), results).await;
    let house = house_of(up).await;
    get(&house, "/v1/batches/batch_1").await;
    let mut call = request("/v1/files/file-out/content", &[], Bytes::new());
    *call.method_mut() = Method::GET;
    let mut answer = house.send(call).await;
    answer.body_mut().frame().await.unwrap().unwrap();
    drop(answer);
    assert!(booked(&house).await.is_empty());
    get(&house, "/v1/files/file-out/content").await;
    assert_eq!(booked(&house).await[0].usage.input_tokens, Some(20_000));
}

#[tokio::test]
async fn who_has_its_results_after_a_restart_has_the_same_span() {
    let (up, _) = provider(told(json!({})), line("gpt-4o-mini", 10, 0, 1)).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let house = house_of(up.clone()).await;
        get(&house, "/v1/batches/batch_1").await;
        get(&house, "/v1/files/file-out/content").await;
        let span = booked(&house).await.remove(0);
        ids.push((span.project_id, span.trace_id, span.span_id));
    }
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn results_that_anthropic_keeps_are_booked_where_they_pass() {
    let line = |input: u64| {
        let message = json!({"id": "m", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "content": [
            {"type": "text", "text": "Hi"}], "stop_reason": "end_turn", "usage": {"input_tokens": input, "output_tokens": 1}});
        format!("{}\n", json!({"custom_id": "a", "result": {"type": "succeeded", "message": message}}))
    };
    let results = [line(1_000), line(2_000)].concat();
    for guard in
        [json!({"policies": []}), json!({"policies": [{"scanner": "secrets", "on": ["output"], "action": "redact"}]})]
    {
        let answer = crate::house::http_answer("200 OK", "application/x-jsonl", &results);
        let base_url = crate::house::hand_written(vec![answer]).await;
        let ant =
            json!({"name": "up", "kind": "anthropic", "base_url": base_url.trim_end_matches("/v1"), "api_key": "k"});
        let house = House::build(Plan { providers: vec![ant], guard, ..Plan::default() }).await;
        for _ in 0..2 {
            let answer = get(&house, "/providers/up/v1/messages/batches/msgbatch_1/results").await;
            assert_eq!(answer.text(), results);
        }
        let spans = booked(&house).await;
        assert_eq!((spans.len(), spans[0].span_id), (2, spans[1].span_id));
        assert_eq!((spans[0].usage.input_tokens, spans[0].provider.as_deref()), (Some(3_000), Some("anthropic")));
        // Half of 3,000 tokens at 1 and 2 at 5 dollars per million.
        assert_eq!(spans[0].cost.map(|cost| cost.total.to_string()).as_deref(), Some("0.001505"));
    }
}
