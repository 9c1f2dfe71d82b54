use serde_json::{Value, json};

use crate::codec::Codec;
use crate::error::WireError;
use crate::registry::{Dialect, codec};
use crate::sse::SseEvent;

use super::CohereV2;

fn sent(more: &Value) -> Result<Value, WireError> {
    let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let request = codec(Dialect::OpenaiChat).decode_request(body.to_string().as_bytes())?;
    Ok(serde_json::from_slice(&CohereV2.encode_request(&request)?).unwrap())
}

#[test]
fn what_is_said_before_a_call_is_its_plan() {
    let told = sent(&json!({ "messages": [
        { "role": "user", "content": "hi" },
        { "role": "assistant", "content": "I'll look.", "tool_calls": [{ "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{\"a\":1}" } }] },
        { "role": "tool", "tool_call_id": "c1", "content": "done" },
    ] }))
    .unwrap();
    let call = &told["messages"][1];
    assert_eq!((call["tool_plan"].as_str(), call.get("content")), (Some("I'll look."), None));
    assert_eq!(call["tool_calls"][0]["function"]["arguments"], r#"{"a":1}"#);
    assert_eq!(told["messages"][2], json!({ "role": "tool", "tool_call_id": "c1", "content": "done" }));
}

#[test]
fn the_one_tool_that_must_be_called_is_the_one_that_is_sent() {
    let tool = |name: &str| json!({ "type": "function", "function": { "name": name } });
    let told = sent(&json!({
        "tools": [tool("f"), tool("g")],
        "tool_choice": { "type": "function", "function": { "name": "g" } },
    }))
    .unwrap();
    assert_eq!((told["tools"].as_array().unwrap().len(), &told["tools"][0]["function"]["name"]), (1, &json!("g")));
    assert_eq!(told["tool_choice"], "REQUIRED");
}

#[test]
fn what_it_cannot_say_is_refused_by_name() {
    let check = |more: Value, expect: &str| match sent(&more).unwrap_err() {
        WireError::Unsupported { field, .. } => assert_eq!(field, expect),
        other => panic!("{other}"),
    };
    check(json!({ "n": 2 }), "n");
    check(json!({ "presence_penalty": -1 }), "presence_penalty");
    check(json!({ "parallel_tool_calls": false }), "parallel_tool_calls");
    check(json!({ "stop": ["1", "2", "3", "4", "5", "6"] }), "stop");
    check(json!({ "logit_bias": { "1": 2 } }), "logit_bias");
    let pdf = json!({ "type": "file", "file": { "file_data": "data:application/pdf;base64,AAAA" } });
    check(json!({ "messages": [{ "role": "user", "content": [pdf] }] }), "messages[0].content");
}

#[test]
fn usage_is_what_is_billed() {
    let usage = |usage: Value| {
        let body = json!({ "id": "x", "finish_reason": "COMPLETE", "message": { "role": "assistant", "content": [] }, "usage": usage });
        let usage = CohereV2.decode_response(body.to_string().as_bytes()).unwrap().usage;
        (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens)
    };
    let tokens = json!({ "input_tokens": 500.0, "output_tokens": 20 });
    assert_eq!(
        usage(
            json!({ "billed_units": { "input_tokens": 17.0, "output_tokens": 12 }, "tokens": tokens, "cached_tokens": 8 })
        ),
        (Some(17), Some(12), Some(8))
    );
    assert_eq!(usage(json!({ "tokens": tokens })), (Some(500), Some(20), None));
}

#[test]
fn a_text_of_the_plan_is_rewritten_as_a_plan() {
    let plan = br#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will"}}}"#;
    let event = SseEvent::new(Some("tool-plan-delta"), plan);
    let deltas = CohereV2.deltas(&event);
    let bytes = CohereV2.text_event(&event, deltas.slots[0].channel, "You will");
    assert_eq!(
        bytes,
        "event: tool-plan-delta\ndata: {\"type\":\"tool-plan-delta\",\"delta\":{\"message\":{\"tool_plan\":\"You will\"}}}\n\n"
    );
}
