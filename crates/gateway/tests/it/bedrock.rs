//! Amazon Bedrock, as a provider and for its callers: paths, binary frames, exceptions.

use serde_json::{Value, json};
use signalbox_types::SpanStatus;
use signalbox_wire::event_stream::FrameDecoder;
use signalbox_wire::{SseEvent, event_stream};

use crate::house::{
    Answer, CHAT, GEMINI, House, MESSAGES, Plan, RESPONSES, content, hand_written, inner_secret, question, secret, with,
};

const FRAMES: &str = "application/vnd.amazon.eventstream";

async fn converse(house: &House, model: &str, stream: bool, headers: &[(&str, &str)], body: &Value) -> Answer {
    let method = if stream { "converse-stream" } else { "converse" };
    let path = format!("/model/{}/{method}", model.replace('/', "%2F"));
    house.call_bytes(&path, headers, body.to_string().into()).await
}

fn ask() -> Value {
    json!({ "messages": [{ "role": "user", "content": [{ "text": "What is a signal box?" }] }] })
}

fn frames(answer: &Answer) -> Vec<SseEvent> {
    assert_eq!(answer.header("content-type"), FRAMES, "{:?}", answer.body);
    let mut decoder = FrameDecoder::default();
    decoder.push(&answer.body).unwrap();
    let found: Vec<SseEvent> = std::iter::from_fn(|| decoder.next()).collect();
    decoder.push(b"").unwrap();
    found
}

fn kinds(frames: &[SseEvent]) -> Vec<&str> {
    frames.iter().filter_map(|frame| frame.event.as_deref()).collect()
}

fn said(frames: &[SseEvent]) -> String {
    let data = |frame: &SseEvent| serde_json::from_slice::<Value>(&frame.data).unwrap();
    frames.iter().filter_map(|frame| data(frame)["delta"]["text"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn callers_of_every_dialect_reach_it() {
    let house = House::new().await;
    let mut ids = Vec::new();
    for path in [CHAT, MESSAGES, RESPONSES, GEMINI] {
        for split in ["1", "7", "4096"] {
            let headers = [("x-sim-echo", "one two three"), ("x-sim-split", split)];
            let whole = house.call(path, &headers, &question(path, "bed/small")).await;
            assert_eq!((whole.status.as_u16(), whole.content()), (200, "one two three".to_owned()), "{path}");
            // It tells neither: the caller gets the model that was asked for, and an id of the call's own.
            let [id, model] = if path == GEMINI { ["responseId", "modelVersion"] } else { ["id", "model"] };
            assert_eq!(whole.json()[model], "small", "{path}");
            ids.push(whole.json()[id].as_str().unwrap().to_owned());
            let streaming = with(question(path, "bed/small"), json!({ "stream": true }));
            let streamed = house.call(path, &headers, &streaming).await;
            assert_eq!(content(streamed.text()), "one two three", "{path} {split}");
        }
        let tools = [("x-sim-tool-calls", "2")];
        let mut body = with(question(path, "bed/anthropic.large"), json!({ "stream": true }));
        let schema = json!({ "type": "object", "properties": { "station": { "type": "string" } } });
        body["tools"] = match path {
            MESSAGES => json!([{ "name": "f", "input_schema": schema }, { "name": "g", "input_schema": schema }]),
            RESPONSES => {
                json!([{ "type": "function", "name": "f", "parameters": schema }, { "type": "function", "name": "g", "parameters": schema }])
            }
            GEMINI => {
                json!([{ "functionDeclarations": [{ "name": "f", "parametersJsonSchema": schema }, { "name": "g", "parametersJsonSchema": schema }] }])
            }
            _ => {
                json!([{ "type": "function", "function": { "name": "f", "parameters": schema } }, { "type": "function", "function": { "name": "g", "parameters": schema } }])
            }
        };
        let called = house.call(path, &tools, &body).await;
        assert_eq!(called.tool_calls().len(), 2, "{path}: {}", called.text());
    }
    assert!(ids.iter().all(|id| id.starts_with("signalbox-")), "{ids:?}");
    let calls = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), calls);
    let spans = house.spans().await;
    assert!(spans.iter().all(|span| span.status == SpanStatus::Ok && span.usage.input_tokens.unwrap() > 0));
    let received = house.received().await;
    assert!(received.iter().any(|request| request["path"] == "/model/small/converse-stream"), "{:?}", received[0]);
}

#[tokio::test]
async fn its_callers_reach_every_provider() {
    let house = House::new().await;
    for model in ["bed/small", "oai/small", "ant/small", "gem/small", "rsp/small"] {
        let headers = [("x-sim-echo", "one two three"), ("x-sim-split", "5")];
        let whole = converse(&house, model, false, &headers, &ask()).await;
        let json = whole.json();
        assert_eq!(json["output"]["message"]["content"][0]["text"], "one two three", "{model}: {json}");
        assert_eq!(json["stopReason"], "end_turn", "{model}");
        assert!(json["usage"]["totalTokens"].as_u64().unwrap() > 0, "{model}");
        assert!(json["metrics"]["latencyMs"].is_u64(), "{model}: {json}");
        let streamed = frames(&converse(&house, model, true, &headers, &ask()).await);
        assert_eq!(said(&streamed), "one two three", "{model}");
        assert_eq!(kinds(&streamed).first(), Some(&"messageStart"), "{model}");
        assert_eq!(kinds(&streamed).last(), Some(&"metadata"), "{model}");
        let metadata: Value = serde_json::from_slice(&streamed.last().unwrap().data).unwrap();
        assert!(metadata["metrics"]["latencyMs"].is_u64(), "{model}: {metadata}");
    }
    let spans = house.spans().await;
    assert!(spans.iter().all(|span| span.dialect.as_deref() == Some("bedrock_converse")));
    assert_eq!(spans[0].attributes["url.path"], "/model/{model}/converse");
    assert_eq!(spans[0].model_requested.as_deref(), Some("bed/small"));
}

#[tokio::test]
async fn the_same_dialect_gets_the_same_frames() {
    let event = |kind: &str, data: &str| event_stream::frame(&SseEvent::new(Some(kind), data.as_bytes())).unwrap();
    let stream = [
        event("messageStart", r#"{"p":"abc","role":"assistant"}"#),
        event("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"hi"},"p":"abcdef"}"#),
        event("somethingNew", r#"{"kept":true}"#),
        event("contentBlockStop", r#"{"contentBlockIndex":0,"p":"a"}"#),
        event("messageStop", r#"{"p":"ab","stopReason":"end_turn"}"#),
        event(
            "metadata",
            r#"{"metrics":{"latencyMs":3},"p":"x","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}"#,
        ),
    ]
    .concat();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {FRAMES}\r\nconnection: close\r\n\r\n");
    let base_url = hand_written(vec![[head.as_bytes(), &stream].concat().into()]).await;
    let provider =
        json!({ "name": "hand", "dialect": "bedrock_converse", "base_url": base_url.trim_end_matches("/v1") });
    let house = House::build(Plan { providers: vec![provider], ..Plan::default() }).await;
    let answer = converse(&house, "hand/m", true, &[], &ask()).await;
    assert_eq!(answer.body, stream);
    assert_eq!(house.only_span().await.usage.output_tokens, Some(1));
}

#[tokio::test]
async fn a_stream_that_breaks_says_so_in_an_exception() {
    let house = House::new().await;
    for model in ["bed/small", "oai/small", "ant/small"] {
        let broken = frames(&converse(&house, model, true, &[("x-sim-cut-after", "2")], &ask()).await);
        assert_eq!(kinds(&broken).last(), Some(&"modelStreamErrorException"), "{model}");
        let garbage = frames(&converse(&house, model, true, &[("x-sim-garbage", "1")], &ask()).await);
        assert_eq!(kinds(&garbage).last(), Some(&"modelStreamErrorException"), "{model}");
    }
    for path in [CHAT, MESSAGES] {
        let streaming = with(question(path, "bed/small"), json!({ "stream": true }));
        let first = house.call(path, &[("x-sim-error-event", "1")], &streaming).await;
        assert_eq!(first.status, 503, "{path}: {}", first.text());
        let cut = house.call(path, &[("x-sim-cut-after", "2")], &streaming).await;
        assert!(cut.text().contains("cut its answer short"), "{path}: {}", cut.text());
    }
}

#[tokio::test]
async fn errors_come_in_amazons_words() {
    let house = House::new().await;
    for model in ["bed/small", "oai/small", "gem/small"] {
        for (status, code, kind) in [
            ("429", 429, "ThrottlingException"),
            ("400", 400, "ValidationException"),
            ("401", 502, "InternalServerException"),
            ("503", 503, "ServiceUnavailableException"),
        ] {
            let answer = converse(&house, model, false, &[("x-sim-status", status)], &ask()).await;
            assert_eq!(answer.status, code, "{model} {status}: {}", answer.text());
            let ours = model != "bed/small" || code == 502;
            assert!(!ours || answer.json()["__type"] == kind, "{model} {status}: {}", answer.text());
            assert_eq!(answer.header("x-amzn-errortype"), kind, "{model} {status}");
        }
    }
    let bad = converse(&house, "bed/small", false, &[], &json!({ "messages": "hi" })).await;
    assert_eq!(bad.status, 400);
    assert!(bad.json()["message"].as_str().unwrap().contains("`messages`: expected a list"), "{}", bad.text());
    let links = json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": "https://example.com/a.png" } }] }] });
    let unsaid = house.call(CHAT, &[], &with(question(CHAT, "bed/small"), links)).await;
    assert_eq!(unsaid.status, 400);
    assert!(unsaid.text().contains("messages[0].content"), "{}", unsaid.text());
}

#[tokio::test]
async fn secrets_are_redacted_in_frames_however_they_are_cut() {
    let house = House::guarded().await;
    let echo = format!("Your key is {} - keep it safe.", secret());
    for model in ["bed/small", "oai/small"] {
        for split in ["3", "50"] {
            let headers = [("x-sim-echo", echo.as_str()), ("x-sim-split", split)];
            let streamed = frames(&converse(&house, model, true, &headers, &ask()).await);
            let text = said(&streamed);
            assert!(text.starts_with("Your key is [REDACTED"), "{model}: {text}");
            assert!(text.ends_with("keep it safe.") && !text.contains(&inner_secret()), "{model}: {text}");
            let whole = converse(&house, model, false, &headers, &ask()).await;
            assert!(!whole.text().contains(&inner_secret()), "{model}: {}", whole.text());
        }
    }
    let spans = format!("{:?}", house.spans().await);
    assert!(!spans.contains(&inner_secret()));
}
