use serde_json::{Value, json};
use signalbox_types::ErrorClass;

use crate::canonical::StreamEvent;
use crate::codec::Codec;
use crate::error::WireError;
use crate::registry::{Dialect, codec};
use crate::sse::SseEvent;

/// What a caller of another dialect gets sent to Bedrock.
fn sent(caller: Dialect, model: &str, body: &Value) -> Result<Value, WireError> {
    let mut request = codec(caller).decode_request(body.to_string().as_bytes())?;
    request.model = model.to_owned();
    let bytes = super::BedrockConverse.encode_request(&request)?;
    Ok(serde_json::from_slice(&bytes).unwrap())
}

const CLAUDE: &str = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
const LLAMA: &str = "us.meta.llama3-3-70b-instruct-v1:0";

fn openai(more: &Value) -> Value {
    let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn refused(caller: Dialect, model: &str, body: &Value) -> (String, String) {
    match sent(caller, model, body).unwrap_err() {
        WireError::Unsupported { field, hint, .. } => (field, hint),
        other => panic!("{other}"),
    }
}

#[test]
fn thinking_is_asked_for_in_the_words_of_the_models_vendor() {
    let check = |model: &str, more: Value, expect: Value| {
        let body = sent(Dialect::OpenaiChat, model, &openai(&more)).unwrap();
        assert_eq!(body.get("additionalModelRequestFields").unwrap_or(&Value::Null), &expect, "{model} {more}");
    };
    let high = || json!({ "reasoning_effort": "high" });
    check(CLAUDE, high(), json!({ "thinking": { "type": "enabled", "budget_tokens": 16_384 } }));
    check(
        CLAUDE,
        json!({ "reasoning_effort": "high", "max_tokens": 4_000 }),
        json!({ "thinking": { "type": "enabled", "budget_tokens": 2_000 } }),
    );
    check("openai.gpt-oss-120b-1:0", high(), json!({ "reasoning_effort": "high" }));
    check(
        "us.amazon.nova-2-lite-v1:0",
        high(),
        json!({ "reasoningConfig": { "type": "enabled", "maxReasoningEffort": "high" } }),
    );
    check(CLAUDE, json!({ "reasoning_effort": "none" }), Value::Null);
    let (field, hint) = refused(Dialect::OpenaiChat, LLAMA, &openai(&high()));
    assert_eq!(field, "reasoning_effort");
    assert!(hint.contains("additionalModelRequestFields"), "{hint}");
    let both =
        json!({ "reasoning_effort": "low", "additionalModelRequestFields": { "reasoning_effort": "x", "a": 1 } });
    check("openai.gpt-oss-20b-1:0", both, json!({ "reasoning_effort": "x", "a": 1 }));
}

#[test]
fn what_only_claude_knows_goes_along_to_claude_alone() {
    let body = json!({
        "model": "m", "max_tokens": 10, "top_k": 5, "messages": [{ "role": "user", "content": "hi" }],
        "context_management": { "edits": [{ "type": "clear_tool_uses_20250919" }] },
    });
    let told = sent(Dialect::AnthropicMessages, CLAUDE, &body).unwrap();
    assert_eq!(told["additionalModelRequestFields"]["context_management"], body["context_management"]);
    assert_eq!(told["additionalModelRequestFields"]["top_k"], 5);
    assert_eq!(refused(Dialect::AnthropicMessages, LLAMA, &body).0, "context_management");
}

#[test]
fn claude_that_decides_how_to_sample_is_not_told() {
    let new = "eu.anthropic.claude-opus-4-7-v1:0";
    let ask = |more: Value| {
        let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let usual = ask(json!({ "temperature": 1, "top_p": 1.0, "max_tokens": 9 }));
    assert_eq!(sent(Dialect::OpenaiChat, new, &usual).unwrap()["inferenceConfig"], json!({ "maxTokens": 9 }));
    assert_eq!(refused(Dialect::OpenaiChat, new, &ask(json!({ "temperature": 0.2 }))).0, "temperature");
    assert_eq!(
        sent(Dialect::OpenaiChat, LLAMA, &ask(json!({ "top_p": 0.9 }))).unwrap()["inferenceConfig"]["topP"],
        0.9
    );
}

#[test]
fn cache_marks_go_to_models_that_cache() {
    let body = json!({
        "model": "m", "max_tokens": 10,
        "system": [{ "type": "text", "text": "long", "cache_control": { "type": "ephemeral", "ttl": "1h" } }],
        "tools": [{ "name": "f", "input_schema": { "type": "object" }, "cache_control": { "type": "ephemeral" } }],
        "messages": [{ "role": "user", "content": [{ "type": "text", "text": "hi", "cache_control": { "type": "ephemeral" } }] }],
    });
    let told = sent(Dialect::AnthropicMessages, CLAUDE, &body).unwrap();
    assert_eq!(told["system"], json!([{ "text": "long" }, { "cachePoint": { "type": "default", "ttl": "1h" } }]));
    assert_eq!(told["toolConfig"]["tools"][1], json!({ "cachePoint": { "type": "default" } }));
    assert_eq!(told["messages"][0]["content"][1], json!({ "cachePoint": { "type": "default" } }));
    assert!(!sent(Dialect::AnthropicMessages, LLAMA, &body).unwrap().to_string().contains("cachePoint"));
}

#[test]
fn calls_without_their_tools_get_them_named() {
    let talk = json!({ "messages": [
        { "role": "user", "content": "hi" },
        { "role": "assistant", "content": null, "tool_calls": [{ "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{}" } }] },
        { "role": "tool", "tool_call_id": "c1", "content": "" },
        { "role": "user", "content": "and now?" },
    ] });
    let told = sent(Dialect::OpenaiChat, CLAUDE, &openai(&talk)).unwrap();
    assert_eq!(told["toolConfig"]["tools"][0]["toolSpec"]["name"], "f");
    // Roles alternate: the answer and what the user adds stand in one message.
    let roles: Vec<&str> = told["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    assert_eq!(told["messages"][2]["content"][0], json!({ "toolResult": { "toolUseId": "c1", "content": [] } }));
    let mut forbidden = openai(&talk);
    forbidden["tools"] = json!([{ "type": "function", "function": { "name": "f" } }]);
    forbidden["tool_choice"] = json!("none");
    assert_eq!(refused(Dialect::OpenaiChat, CLAUDE, &forbidden).0, "tool_choice");
    let mut fresh = openai(&json!({}));
    fresh["tools"] = forbidden["tools"].clone();
    fresh["tool_choice"] = json!("none");
    assert_eq!(sent(Dialect::OpenaiChat, CLAUDE, &fresh).unwrap().get("toolConfig"), None);
}

#[test]
fn what_it_cannot_say_is_refused_by_name() {
    let check = |more: Value, field: &str| assert_eq!(refused(Dialect::OpenaiChat, CLAUDE, &openai(&more)).0, field);
    check(json!({ "seed": 1 }), "seed");
    check(json!({ "temperature": 1.5 }), "temperature");
    check(json!({ "parallel_tool_calls": false }), "parallel_tool_calls");
    check(json!({ "response_format": { "type": "json_object" } }), "response_format");
    check(json!({ "logprobs": true }), "logprobs");
    let picture = |url: &str| json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": url } }] }] });
    check(picture("https://example.com/a.png"), "messages[0].content");
    check(picture("data:image/tiff;base64,AAAA"), "messages[0].content");
}

#[test]
fn documents_get_names_that_the_api_takes() {
    let file = |name: &str| {
        json!({ "messages": [{ "role": "user", "content": [
            { "type": "file", "file": { "filename": name, "file_data": "data:application/pdf;base64,AAAA" } },
            { "type": "text", "text": "read" },
        ] }] })
    };
    let check = |name: &str, expect: &str| {
        let told = sent(Dialect::OpenaiChat, CLAUDE, &openai(&file(name))).unwrap();
        let document = &told["messages"][0]["content"][0]["document"];
        assert_eq!((document["name"].as_str(), document["format"].as_str()), (Some(expect), Some("pdf")));
    };
    check("Fahrplan_2026 (v2).pdf", "Fahrplan 2026 (v2) pdf");
    check("…", "document-0-0");
}

#[test]
fn cached_tokens_are_counted_once_whatever_the_convention() {
    let usage = |usage: Value| {
        let body = json!({ "output": { "message": { "role": "assistant", "content": [] } }, "stopReason": "end_turn", "usage": usage });
        super::BedrockConverse.decode_response(body.to_string().as_bytes()).unwrap().usage
    };
    let apart = json!({ "inputTokens": 10, "outputTokens": 5, "totalTokens": 115, "cacheReadInputTokens": 100 });
    let within = json!({ "inputTokens": 110, "outputTokens": 5, "totalTokens": 115, "cacheReadInputTokens": 100 });
    assert_eq!(usage(apart.clone()), usage(within));
    assert_eq!((usage(apart.clone()).input_tokens, usage(apart).uncached_input()), (Some(110), 10));
}

#[test]
fn exceptions_in_a_stream_have_their_class() {
    let check = |kind: &str, class: ErrorClass| {
        let told = super::BedrockConverse.decode_stream().event(&SseEvent::new(Some(kind), br#"{"message":"m"}"#));
        let [StreamEvent::Error(error)] = &told.unwrap()[..] else { panic!("{kind}") };
        assert_eq!((error.class, error.message.as_str(), error.code.as_deref()), (class, "m", Some(kind)));
    };
    check("throttlingException", ErrorClass::RateLimited);
    check("validationException", ErrorClass::InvalidRequest);
    check("serviceUnavailableException", ErrorClass::UpstreamOverloaded);
    check("modelStreamErrorException", ErrorClass::UpstreamError);
    check("internalServerException", ErrorClass::UpstreamError);
}

#[test]
fn a_block_of_two_kinds_hides_nothing() {
    let body = json!({ "messages": [{ "role": "user", "content": [{ "image": { "format": "png", "source": { "bytes": "AA" } }, "text": "hidden" }] }] });
    let body = body.to_string();
    let texts = super::BedrockConverse.texts(body.as_bytes()).unwrap();
    assert_eq!(texts.iter().map(|slot| slot.text.as_ref()).collect::<Vec<_>>(), ["hidden"]);
    let twice = br#"{"messages":[{"role":"user","content":[{"text":"a","text":"b"}]}]}"#;
    assert!(matches!(super::BedrockConverse.texts(twice), Err(WireError::Duplicate { .. })));
}
