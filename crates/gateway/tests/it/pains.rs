//! What users of other gateways suffered from and no other test here is about.

use serde_json::{Value, json};

use crate::house::{CHAT, House, MESSAGES, RESPONSES, question, with};

/// A gateway that takes a call apart to pass it on refuses what its provider would have taken.
#[tokio::test]
async fn what_we_would_not_understand_passes_in_the_same_dialect_and_is_named_in_another() {
    let house = House::new().await;
    let messages = json!([
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "w", "arguments": "{}"}}]},
        {"role": "tool", "content": "rain"},
        {"role": "user", "content": "And tomorrow?"},
    ]);
    let body = with(question(CHAT, "oai/small"), json!({"messages": messages, "of_next_year": {"a": [1, null]}}));
    house.call(CHAT, &[], &body).await;
    let received = house.received().await.pop().unwrap();
    let sent: Value = serde_json::from_str(received["body"].as_str().unwrap()).unwrap();
    assert_eq!((&sent["messages"], &sent["of_next_year"]), (&messages, &json!({"a": [1, null]})));
    let before = house.received().await.len();
    let across = with(question(CHAT, "ant/large"), json!({"messages": messages}));
    let answer = house.call(CHAT, &[], &across).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(answer.json()["error"]["param"], "messages[2].tool_call_id", "{}", answer.text());
    assert_eq!(house.received().await.len(), before, "it went nowhere");
}

/// Usage of a streamed response stands deeper than that of a chat.
#[tokio::test]
async fn usage_is_known_of_every_stream_in_every_pairing() {
    let models = ["oai/small", "ant/large", "rsp/r", "gem/g", "bed/b", "coh/c"];
    for path in [CHAT, MESSAGES, RESPONSES] {
        let house = House::new().await;
        for model in models {
            let answer = house.call(path, &[], &with(question(path, model), json!({"stream": true}))).await;
            assert_eq!(answer.status, 200, "{path} {model}: {}", answer.text());
        }
        let spans = house.spans().await;
        assert_eq!(spans.len(), models.len());
        for span in spans {
            let usage = span.usage;
            assert!(usage.input_tokens > Some(0) && usage.output_tokens > Some(0), "{path} {}: {usage:?}", span.name);
            assert!(!span.attributes.contains_key("signalbox.usage.estimated"), "{}", span.name);
        }
    }
}
