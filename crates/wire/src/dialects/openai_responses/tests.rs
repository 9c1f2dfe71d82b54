use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use signalbox_types::{ErrorClass, Part, Role};

use super::OpenaiResponses;
use crate::canonical::{FinishReason, StreamEvent};
use crate::codec::{Codec, StreamStart};
use crate::error::ErrorBody;
use crate::registry::{Dialect, codec};
use crate::rewrite::{Channel, StreamRewriter, TextFilter};
use crate::sse::{SseDecoder, SseEvent};

fn refusal(body: &str) -> String {
    let peeked = OpenaiResponses.peek(body.as_bytes()).map(drop);
    let read = peeked.and_then(|()| OpenaiResponses.decode_request(body.as_bytes()).map(drop));
    read.unwrap_err().to_string()
}

#[test]
fn bad_requests_name_the_field_and_what_was_expected() {
    let check = |body: &str, expect: &str| assert_eq!(refusal(body), expect, "{body}");
    check(r#"{"input":"a"}"#, "`model` is missing: expected the name of a model");
    check(r#"{"model":"m"}"#, "`input` is missing: expected a string or a list of items");
    check(r#"{"model":"m","input":7}"#, "`input`: expected a string or a list of items, found a number");
    check(r#"{"model":"m","input":["a"]}"#, "`input[0]`: expected an object, found a string");
    check(r#"{"model":"m","input":[{}]}"#, "`input[0].type` is missing: expected the kind of item, e.g. `message`");
    check(
        r#"{"model":"m","input":[{"role":"tool","content":"a"}]}"#,
        "`input[0].role`: expected one of `system`, `developer`, `user`, `assistant`, found another word",
    );
    check(
        r#"{"model":"m","input":[{"role":"user","content":[{"type":"input_text"}]}]}"#,
        "`input[0].content[0].text` is missing: expected a string",
    );
    check(
        r#"{"model":"m","input":[{"type":"function_call_output","output":"a"}]}"#,
        "`input[0].call_id` is missing: expected the `call_id` of the call that this answers",
    );
    check(
        r#"{"model":"m","input":"a","tools":[{"type":"function","function":{"name":"f"}}]}"#,
        "`tools[0].name` is missing: expected the name of a tool",
    );
    check(
        r#"{"model":"m","input":"a","tool_choice":"any"}"#,
        "`tool_choice`: expected `auto`, `none`, `required` or an object that names a tool, found another word",
    );
    check(
        r#"{"model":"m","input":"a","max_output_tokens":"many"}"#,
        "`max_output_tokens`: expected a whole number of at least 0, found a string",
    );
    check(
        r#"{"model":"m","input":"a","text":{"format":{"type":"json_schema","name":"x"}}}"#,
        "`text.format.schema` is missing: expected a JSON Schema object",
    );
    check(
        r#"{"model":"m","input":"a","input":"b"}"#,
        "`input` stands twice in its object: send it once, parsers disagree on which one counts",
    );
}

#[test]
fn what_only_the_provider_keeps_is_refused_across_dialects_with_advice() {
    let check = |more: Value, field: &str, advice: &str| {
        let mut body = json!({"model": "m", "input": "a"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = OpenaiResponses.decode_request(body.to_string().as_bytes()).unwrap();
        for target in [Dialect::OpenaiChat, Dialect::AnthropicMessages, Dialect::Gemini] {
            let error = codec(target).encode_request(&request).unwrap_err();
            assert_eq!(error.field(), Some(field), "{target}: {error}");
            assert!(error.to_string().contains(advice), "{target}: {error}");
        }
        // To its own kind it goes as it came.
        let again: Value = serde_json::from_slice(&OpenaiResponses.encode_request(&request).unwrap()).unwrap();
        let name = field.split('[').next().unwrap().split('.').next().unwrap();
        assert_eq!(again[name], body[name]);
    };
    check(json!({"previous_response_id": "resp_1"}), "previous_response_id", "send the whole conversation in `input`");
    check(json!({"conversation": {"id": "conv_1"}}), "conversation", "send the whole conversation in `input`");
    check(json!({"background": true}), "background", "it answers while the caller waits");
    check(json!({"truncation": "auto"}), "truncation", "leave it out");
    check(json!({"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]}), "tools[0]", "`file_search`");
    check(json!({"tool_choice": {"type": "web_search"}}), "tool_choice", "the name of a function");
    check(json!({"reasoning": {"effort": "enormous"}}), "reasoning.effort", "`high`");
}

#[test]
fn probabilities_are_asked_for_in_each_ones_words() {
    let body = json!({"model": "m", "input": "a", "include": ["message.output_text.logprobs"], "top_logprobs": 3});
    let request = OpenaiResponses.decode_request(body.to_string().as_bytes()).unwrap();
    let said = |target: Dialect| -> Value {
        serde_json::from_slice(&codec(target).encode_request(&request).unwrap()).unwrap()
    };
    let chat = said(Dialect::OpenaiChat);
    assert_eq!((&chat["logprobs"], &chat["top_logprobs"]), (&json!(true), &json!(3)));
    let gemini = said(Dialect::Gemini);
    assert_eq!(gemini["generationConfig"], json!({"responseLogprobs": true, "logprobs": 3}));
    let own = said(Dialect::OpenaiResponses);
    assert_eq!((&own["include"], &own["top_logprobs"]), (&body["include"], &body["top_logprobs"]));
    for target in [Dialect::AnthropicMessages, Dialect::BedrockConverse] {
        let error = codec(target).encode_request(&request).unwrap_err();
        assert_eq!(error.field(), Some("include"), "{target}: {error}");
    }
    let error = codec(Dialect::CohereV2).encode_request(&request).unwrap_err();
    assert!(error.to_string().contains("chosen tokens only"), "{error}");
    let chat =
        json!({"model": "m", "messages": [{"role": "user", "content": "a"}], "logprobs": true, "top_logprobs": 2});
    let request = codec(Dialect::OpenaiChat).decode_request(chat.to_string().as_bytes()).unwrap();
    let said: Value = serde_json::from_slice(&OpenaiResponses.encode_request(&request).unwrap()).unwrap();
    assert_eq!((&said["include"], &said["top_logprobs"]), (&json!(["message.output_text.logprobs"]), &json!(2)));
}

#[test]
fn a_function_is_not_made_strict_by_crossing() {
    let chat = json!({"model": "m", "messages": [{"role": "user", "content": "a"}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]});
    let request = codec(Dialect::OpenaiChat).decode_request(chat.to_string().as_bytes()).unwrap();
    let said: Value = serde_json::from_slice(&OpenaiResponses.encode_request(&request).unwrap()).unwrap();
    assert_eq!(
        said["tools"][0],
        json!({"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": false})
    );
    assert_eq!((&said["store"], &said["include"]), (&json!(false), &Value::Null));
}

/// What the model signed as OpenAI's comes back to it as the item that it was, whoever carried it.
#[test]
fn encrypted_reasoning_survives_every_caller() {
    let answer = include_bytes!("fixtures/response/tools.json");
    let response = OpenaiResponses.decode_response(answer).unwrap();
    for caller in [Dialect::AnthropicMessages, Dialect::OpenaiChat, Dialect::Gemini] {
        let carried: Value = serde_json::from_slice(&codec(caller).encode_response(&response).unwrap()).unwrap();
        let history = match caller {
            Dialect::AnthropicMessages => json!({"model": "m", "max_tokens": 9, "messages": [
                {"role": "user", "content": "q"}, {"role": "assistant", "content": carried["content"]}]}),
            Dialect::Gemini => {
                json!({"contents": [{"role": "user", "parts": [{"text": "q"}]}, carried["candidates"][0]["content"]]})
            }
            _ => {
                json!({"model": "m", "messages": [{"role": "user", "content": "q"}, carried["choices"][0]["message"]]})
            }
        };
        let request = codec(caller).decode_request(history.to_string().as_bytes()).unwrap();
        let said: Value = serde_json::from_slice(&OpenaiResponses.encode_request(&request).unwrap()).unwrap();
        let expect = json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAAAABo",
            "summary": [{"type": "summary_text", "text": "Both cities.\n\nIn parallel."}]});
        assert_eq!(said["input"][1], expect, "{caller}");
        assert_eq!(said["include"], json!(["reasoning.encrypted_content"]), "{caller}");
        // Nobody else gets it.
        for other in [Dialect::AnthropicMessages, Dialect::OpenaiChat] {
            if other != caller {
                let said = codec(other).encode_request(&request).unwrap();
                assert!(!String::from_utf8_lossy(&said).contains("gAAAAABo"), "{caller} to {other}");
            }
        }
    }
}

#[test]
fn texts_are_found_wherever_they_hide() {
    let body = r#"{"model":"m","instructions":"sys","input":[
        {"role":"user","content":[{"type":"input_text","text":"a\n"},{"type":"input_image","image_url":"x"}]},
        {"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"why"}],"encrypted_content":"gA"},
        {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
        {"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"result"}]},
        {"type":"mcp_call","id":"i","name":"g","arguments":"{1}","output":"theirs"},
        {"type":"shell_call_output","call_id":"c","output":[{"stdout":"listing"}]}],
        "prompt":{"id":"p","variables":{"v":"filled in"}},"tools":[{"type":"function","name":"f","description":"does"}],
        "text":{"format":{"type":"json_schema","name":"n","schema":{"description":"shape"}}}}"#;
    let found: Vec<(Role, String)> = OpenaiResponses
        .texts(body.as_bytes())
        .unwrap()
        .into_iter()
        .map(|slot| (slot.role, slot.text.into_owned()))
        .collect();
    let expect = [
        (Role::System, "sys"),
        (Role::User, "a\n"),
        (Role::Assistant, "why"),
        (Role::Assistant, "{}"),
        (Role::Tool, "result"),
        (Role::Assistant, "{1}"),
        (Role::Tool, "theirs"),
        (Role::Tool, "listing"),
        (Role::User, "filled in"),
        (Role::System, "does"),
        (Role::System, "shape"),
    ];
    assert_eq!(found, expect.map(|(role, text)| (role, text.to_owned())));
}

/// Everything that a filter withholds stays withheld where a stream tells its texts again.
#[test]
fn a_redacted_text_is_redacted_in_every_event_that_repeats_it() {
    struct Redact(String);
    impl TextFilter for Redact {
        fn push(&mut self, _: Channel, delta: &str) -> String {
            self.0.push_str(delta);
            String::new()
        }
        fn close(&mut self, _: Channel) -> String {
            std::mem::take(&mut self.0).replace("Paris", "[CITY]").replace("there", "[PLACE]")
        }
    }
    for fixture in [include_str!("fixtures/stream/plain.sse"), include_str!("fixtures/stream/tools.sse")] {
        let mut sse = SseDecoder::new();
        sse.push(fixture.as_bytes()).unwrap();
        let mut rewriter = StreamRewriter::new(&OpenaiResponses);
        let mut filter = Redact(String::new());
        let mut out = BytesMut::new();
        while let Some(event) = sse.next() {
            out.extend_from_slice(&rewriter.event(&event, &mut filter));
        }
        let out = String::from_utf8(out.to_vec()).unwrap();
        assert!(!out.contains("Paris") && !out.contains(" there"), "{out}");
        assert!(out.contains("[CITY]") || out.contains("[PLACE]"));
        let done = out.lines().filter(|line| line.contains("response.output_text.done")).count();
        assert_eq!(done, 2, "{out}");
    }
}

#[test]
fn held_back_text_goes_out_in_the_place_of_its_item() {
    let event = |data: Value| SseEvent::new(None, data.to_string().as_bytes());
    let like = event(json!({"type": "response.output_text.delta", "sequence_number": 7, "item_id": "msg_2",
        "output_index": 2, "content_index": 1, "delta": "x"}));
    let channel = OpenaiResponses.deltas(&like).slots[0].channel;
    let added = OpenaiResponses.text_event(&like, channel, "more");
    let mut sse = SseDecoder::new();
    sse.push(&added).unwrap();
    let data: Value = serde_json::from_slice(&sse.next().unwrap().data).unwrap();
    assert_eq!(
        data,
        json!({"type": "response.output_text.delta", "sequence_number": 7, "item_id": "msg_2",
        "output_index": 2, "content_index": 1, "delta": "more", "logprobs": []})
    );
}

/// The published sequence: <https://platform.openai.com/docs/api-reference/responses-streaming>.
#[test]
fn a_stream_has_every_event_in_order_and_tells_all_at_its_end() {
    let events = [
        StreamEvent::Start { id: Some("a".into()), model: None },
        StreamEvent::ReasoningDelta { choice: 0, index: 0, text: "Hm.".into() },
        StreamEvent::ReasoningSignature { choice: 0, index: 0, signature: "sig".into() },
        StreamEvent::TextDelta { choice: 0, index: 1, text: "Hel".into() },
        StreamEvent::TextDelta { choice: 0, index: 1, text: "lo".into() },
        StreamEvent::ToolCallStart { choice: 0, index: 2, id: Some("c".into()), name: "f".into() },
        StreamEvent::Finish { choice: 0, reason: FinishReason::ToolCalls, stop_sequence: None },
        StreamEvent::Usage(signalbox_types::Usage {
            input_tokens: Some(3),
            output_tokens: Some(4),
            ..Default::default()
        }),
        StreamEvent::End,
    ];
    let start = StreamStart { id: "i".into(), model: "m".into(), created: 9, include_usage: true };
    let mut encoder = OpenaiResponses.encode_stream(&start);
    let mut out = BytesMut::new();
    events.iter().for_each(|event| encoder.event(event, &mut out));
    let mut sse = SseDecoder::new();
    sse.push(&out).unwrap();
    let told: Vec<Value> =
        std::iter::from_fn(|| sse.next()).map(|event| serde_json::from_slice(&event.data).unwrap()).collect();
    let kinds: Vec<&str> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let expect = [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ];
    assert_eq!(kinds, expect.map(|kind| format!("response.{kind}")));
    assert!(told.iter().enumerate().all(|(place, event)| event["sequence_number"] == place));
    let last = &told.last().unwrap()["response"];
    assert_eq!(last["usage"]["total_tokens"], 7);
    assert_eq!(last["output"][0]["encrypted_content"], "anthropic:signed:sig");
    assert_eq!(last["output"][1]["content"][0]["text"], "Hello");
    assert_eq!(last["output"][2]["arguments"], "{}");
    // What the last event tells is what the answer would have been.
    let whole = OpenaiResponses.decode_response(last.to_string().as_bytes()).unwrap();
    assert_eq!(whole.messages[0].parts.len(), 3);
    assert_eq!(whole.finish_reasons, [FinishReason::ToolCalls]);
}

#[test]
fn an_error_in_a_stream_is_told_where_either_kind_of_client_looks() {
    let error = ErrorBody::new(ErrorClass::UpstreamOverloaded, "busy");
    let mut sse = SseDecoder::new();
    sse.push(&OpenaiResponses.encode_stream_error(&error)).unwrap();
    let event = sse.next().unwrap();
    let data: Value = serde_json::from_slice(&event.data).unwrap();
    assert_eq!((event.event.as_deref(), &data["type"]), (Some("error"), &json!("error")));
    assert_eq!((&data["message"], &data["error"]["message"]), (&json!("busy"), &json!("busy")));
    let told = OpenaiResponses.decode_stream().event(&event).unwrap();
    assert!(matches!(&told[..], [StreamEvent::Error(told)] if told.message == "busy"));
}

/// theam/facility#232: usage stands in `response.usage`.
#[test]
fn usage_of_a_stream_is_found_where_it_is_nested() {
    let mut sse = SseDecoder::new();
    sse.push(include_bytes!("fixtures/stream/plain.sse")).unwrap();
    let mut decoder = OpenaiResponses.decode_stream();
    let mut accumulator = crate::Accumulator::new();
    while let Some(event) = sse.next() {
        decoder.event(&event).unwrap().iter().for_each(|event| accumulator.event(event));
    }
    let usage = accumulator.usage();
    assert_eq!((usage.input_tokens, usage.output_tokens), (Some(37), Some(11)));
    assert_eq!((usage.cache_read_tokens, usage.reasoning_tokens), (Some(5), Some(3)));
}

#[test]
fn an_uploaded_file_stays_what_it_was_among_its_own() {
    let body = Bytes::from_static(include_bytes!("fixtures/request/uploaded_file.json"));
    let request = OpenaiResponses.decode_request(&body).unwrap();
    assert!(request.messages[0].parts.iter().all(|part| matches!(part, Part::File { .. })));
    let again: Value = serde_json::from_slice(&OpenaiResponses.encode_request(&request).unwrap()).unwrap();
    let given: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(again["input"], given["input"]);
}
