//! Cohere, as a provider and for its callers.

use serde_json::{Value, json};
use signalbox_types::SpanStatus;

use crate::house::{Answer, CHAT, GEMINI, House, MESSAGES, RESPONSES, content, inner_secret, question, secret, with};

const COHERE: &str = "/v2/chat";

/// The text of an answer to Cohere's callers, whole or streamed.
fn said(answer: &Answer) -> String {
    let text = |content: &Value| content["text"].as_str().unwrap_or_default().to_owned();
    if answer.header("content-type").starts_with("text/event-stream") {
        return answer.events().iter().map(|event| text(&event["delta"]["message"]["content"])).collect();
    }
    answer.json()["message"]["content"].as_array().into_iter().flatten().map(text).collect()
}

#[tokio::test]
async fn callers_of_every_dialect_reach_it() {
    let house = House::new().await;
    let headers = [("x-sim-echo", "one two three"), ("x-sim-split", "7")];
    for path in [CHAT, MESSAGES, RESPONSES, GEMINI] {
        let whole = house.call(path, &headers, &question(path, "coh/small")).await;
        assert_eq!((whole.status.as_u16(), whole.content()), (200, "one two three".to_owned()), "{path}");
        let streaming = with(question(path, "coh/small"), json!({ "stream": true }));
        let streamed = house.call(path, &headers, &streaming).await;
        assert_eq!(content(streamed.text()), "one two three", "{path}");
    }
    let tool = json!({ "type": "function", "function": { "name": "f", "parameters": { "type": "object", "properties": { "a": { "type": "string" } } } } });
    for stream in [false, true] {
        let body = with(question(CHAT, "coh/small"), json!({ "tools": [tool], "stream": stream }));
        let called = house.call(CHAT, &[("x-sim-tool-calls", "1")], &body).await;
        assert_eq!(called.tool_calls()[0].0, "f", "{}", called.text());
    }
    let spans = house.spans().await;
    assert!(spans.iter().all(|span| span.status == SpanStatus::Ok && span.usage.output_tokens.unwrap() > 0));
    assert!(house.received().await.iter().all(|request| request["path"] == "/v2/chat"));
}

#[tokio::test]
async fn its_callers_reach_every_provider() {
    let house = House::new().await;
    let headers = [("x-sim-echo", "one two three"), ("x-sim-split", "5")];
    for model in ["coh/small", "oai/small", "ant/small", "gem/small", "bed/small", "rsp/small"] {
        let body = question(COHERE, model);
        let whole = house.call(COHERE, &headers, &body).await;
        assert_eq!(said(&whole), "one two three", "{model}: {}", whole.text());
        assert_eq!(whole.json()["finish_reason"], "COMPLETE", "{model}");
        let streamed = house.call(COHERE, &headers, &with(body, json!({ "stream": true }))).await;
        assert_eq!(said(&streamed), "one two three", "{model}");
        let last = streamed.events().last().cloned().unwrap();
        assert!(last["delta"]["usage"]["billed_units"]["output_tokens"].as_u64().unwrap() > 0, "{model}: {last}");
    }
}

#[tokio::test]
async fn errors_come_in_its_words_wherever_they_happen() {
    let house = House::new().await;
    for model in ["coh/small", "oai/small"] {
        for (status, code) in [("429", 429), ("400", 400), ("401", 502), ("503", 503)] {
            let answer = house.call(COHERE, &[("x-sim-status", status)], &question(COHERE, model)).await;
            assert_eq!(answer.status, code, "{model}: {}", answer.text());
            assert!(answer.json()["message"].is_string(), "{}", answer.text());
        }
        let streaming = with(question(COHERE, model), json!({ "stream": true }));
        let broken = house.call(COHERE, &[("x-sim-cut-after", "2")], &streaming).await;
        let last = broken.events().last().cloned().unwrap();
        assert_eq!(
            (last["type"].as_str(), last["delta"]["finish_reason"].as_str()),
            (Some("message-end"), Some("ERROR"))
        );
    }
    let streaming = with(question(CHAT, "coh/small"), json!({ "stream": true }));
    assert_eq!(house.call(CHAT, &[("x-sim-error-event", "1")], &streaming).await.status, 502);
}

#[tokio::test]
async fn secrets_are_redacted_in_texts_and_plans() {
    let house = House::guarded().await;
    let echo = format!("Your key is {} - keep it safe.", secret());
    for stream in [false, true] {
        let body = with(question(COHERE, "coh/small"), json!({ "stream": stream }));
        let answer = house.call(COHERE, &[("x-sim-echo", &echo), ("x-sim-split", "3")], &body).await;
        assert!(said(&answer).starts_with("Your key is [REDACTED"), "{}", answer.text());
        assert!(!answer.text().contains(&inner_secret()), "{}", answer.text());
    }
}
