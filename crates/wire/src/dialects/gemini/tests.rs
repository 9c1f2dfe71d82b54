use serde_json::{Value, json};
use signalbox_types::{ErrorClass, Part, Role};

use super::Gemini;
use crate::accumulate::Accumulator;
use crate::canonical::StreamEvent;
use crate::codec::{Codec, StreamStart};
use crate::error::ErrorBody;
use crate::registry::{Dialect, codec};
use crate::rewrite::{Channel, StreamRewriter, TextFilter};
use crate::sse::{SseDecoder, SseEvent};

fn refusal(body: &str) -> String {
    let peeked = Gemini.peek(body.as_bytes()).map(drop);
    peeked.and_then(|()| Gemini.texts(body.as_bytes()).map(drop)).unwrap_err().to_string()
}

#[test]
fn bad_requests_name_the_field_and_what_was_expected() {
    let check = |body: &str, expect: &str| assert_eq!(refusal(body), expect, "{body}");
    check("{}", "`contents` is missing: expected a list of contents");
    check(r#"{"contents":"hi"}"#, "`contents`: expected a list of contents, found a string");
    check(
        r#"{"contents":[{"role":"assistant","parts":[]}]}"#,
        "`contents[0].role`: expected `user` or `model`, found another word",
    );
    check(r#"{"contents":[{"parts":[{"text":7}]}]}"#, "`contents[0].parts[0].text`: expected a string, found a number");
    check(r#"{"contents":[{"parts":{"text":"x"}}]}"#, "`contents[0].parts`: expected a list, found an object");
}

#[test]
fn a_name_in_both_spellings_is_a_name_that_stands_twice() {
    let body = r#"{"contents":[],"systemInstruction":{"parts":[]},"system_instruction":{"parts":[{"text":"x"}]}}"#;
    assert_eq!(
        refusal(body),
        "`systemInstruction` stands twice in its object: send it once, parsers disagree on which one counts"
    );
}

#[test]
fn texts_are_found_wherever_they_hide() {
    let body = r#"{"contents":[
        {"parts":[{"text":"hi"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]},
        {"role":"model","parts":[{"text":"hm","thought":true},{"functionCall":{"name":"f","args":{"a":"x","b":[{"c":"y"}]}}}]},
        {"role":"user","parts":[{"function_response":{"name":"f","response":{"output":"r"}}},{"executableCode":{"code":"c"}}]}],
        "tools":[{"functionDeclarations":[{"name":"f","description":"d"}]}],"labels":{"l":"v"},
        "system_instruction":{"parts":[{"text":"sys"}]}}"#;
    let found: Vec<(Role, String)> =
        Gemini.texts(body.as_bytes()).unwrap().into_iter().map(|slot| (slot.role, slot.text.into_owned())).collect();
    let expect = [
        (Role::User, "hi"),
        (Role::Assistant, "hm"),
        (Role::Assistant, "x"),
        (Role::Assistant, "y"),
        (Role::Tool, "r"),
        (Role::User, "c"),
        (Role::System, "d"),
        (Role::User, "v"),
        (Role::System, "sys"),
    ];
    assert_eq!(found, expect.map(|(role, text)| (role, text.to_owned())));
    let both = r#"{"generateContentRequest":{"contents":[]},"contents":[{"parts":[{"text":"x"}]}]}"#;
    assert_eq!(refusal(both), "`contents`: expected either it or `generateContentRequest`, found both");
    let both = br#"{"requests":[],"content":{"parts":[{"text":"x"}]}}"#;
    assert!(super::embeddings::texts(both).is_err());
    let counting = format!(r#"{{"generateContentRequest":{body}}}"#);
    assert_eq!(Gemini.texts(counting.as_bytes()).unwrap().len(), expect.len());
}

#[test]
fn the_model_is_named_anew_wherever_a_body_names_it() {
    let check = |body: &'static str, expect: &str| {
        assert_eq!(Gemini.with_model(&body.into(), "m2").unwrap(), expect);
    };
    check(r#"{ "contents" :[] }"#, r#"{ "contents" :[] }"#);
    check(r#"{"model":"models/a/m","content":{}}"#, r#"{"model":"models/m2","content":{}}"#);
    check(
        r#"{"requests":[{"model":"a"},{"content":{},"model":"b"}]}"#,
        r#"{"requests":[{"model":"models/m2"},{"content":{},"model":"models/m2"}]}"#,
    );
    check(
        r#"{"generateContentRequest":{"model":"a","contents":[]}}"#,
        r#"{"generateContentRequest":{"model":"models/m2","contents":[]}}"#,
    );
}

/// An answer of Gemini with every kind of signature, to a caller of another dialect; back with the next turn it must
/// stand where it stood (GATEWAY.md, row 24).
const SIGNED: &str = r#"{"candidates":[{"content":{"parts":[
    {"text":"I look.","thought":true},
    {"functionCall":{"id":"c1","name":"f","args":{"a":1}},"thoughtSignature":"Q2FsbA=="},
    {"functionCall":{"id":"c2","name":"f","args":{"a":2}}}],"role":"model"},"finishReason":"STOP"}]}"#;

fn parts_of_next_turn(request: &crate::ChatRequest) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&Gemini.encode_request(request).unwrap()).unwrap();
    let contents = body["contents"].as_array().unwrap();
    contents.iter().find(|content| content["role"] == "model").unwrap()["parts"].as_array().unwrap().clone()
}

fn next_turn(dialect: Dialect, answer: &Value) -> crate::ChatRequest {
    let body = match dialect {
        Dialect::OpenaiChat => {
            let results = ["c1", "c2"].map(|id| json!({"role": "tool", "tool_call_id": id, "content": "r"}));
            let message = answer["choices"][0]["message"].clone();
            json!({"model": "m", "messages": [{"role": "user", "content": "?"}, message, results[0], results[1]]})
        }
        _ => {
            let results = ["c1", "c2"].map(|id| json!({"type": "tool_result", "tool_use_id": id, "content": "r"}));
            let message = json!({"role": "assistant", "content": answer["content"]});
            let results = json!({"role": "user", "content": results});
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "?"}, message, results]})
        }
    };
    codec(dialect).decode_request(body.to_string().as_bytes()).unwrap()
}

#[test]
fn a_signature_comes_back_on_the_call_it_came_with() {
    let response = Gemini.decode_response(SIGNED.as_bytes()).unwrap();
    for dialect in [Dialect::OpenaiChat, Dialect::AnthropicMessages] {
        let answer: Value = serde_json::from_slice(&codec(dialect).encode_response(&response).unwrap()).unwrap();
        let request = next_turn(dialect, &answer);
        let parts = parts_of_next_turn(&request);
        let calls: Vec<&Value> = parts.iter().filter(|part| part.get("functionCall").is_some()).collect();
        assert_eq!(calls[0]["thoughtSignature"], "Q2FsbA==", "{dialect}: {parts:?}");
        assert_eq!(calls[0]["functionCall"]["id"], "c1", "{dialect}");
        assert!(calls[1].get("thoughtSignature").is_none(), "{dialect}");
        // And no other vendor gets it.
        for other in [Dialect::OpenaiChat, Dialect::AnthropicMessages].into_iter().filter(|other| *other != dialect) {
            let body = codec(other).encode_request(&request).unwrap();
            assert!(!std::str::from_utf8(&body).unwrap().contains("Q2FsbA"), "{dialect} {other}");
        }
    }
}

#[test]
fn a_call_that_gemini_never_signed_says_so_where_it_would_be_refused() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let answer = json!({"choices": [{"message": {"role": "assistant", "tool_calls": [call("c1"), call("c2")]}}]});
    let mut request = next_turn(Dialect::OpenaiChat, &answer);
    let mut signatures = |model: &str| -> Vec<Value> {
        request.model = model.into();
        parts_of_next_turn(&request).iter().map(|part| part["thoughtSignature"].clone()).collect()
    };
    assert_eq!(signatures("gemini-2.5-pro"), [Value::Null, Value::Null]);
    for model in ["gemini-3-pro-preview", "gemini-3.1-pro", "gemini-4-flash"] {
        assert_eq!(signatures(model), [json!("skip_thought_signature_validator"), Value::Null], "{model}");
    }
    // Only in the turn under way.
    request.messages.push(signalbox_types::Message::text(Role::User, "Thanks."));
    assert_eq!(parts_of_next_turn(&request)[0].get("thoughtSignature"), None);
    // And a real one is worth more.
    let response = Gemini.decode_response(SIGNED.as_bytes()).unwrap();
    let answer = codec(Dialect::OpenaiChat).encode_response(&response).unwrap();
    let mut request = next_turn(Dialect::OpenaiChat, &serde_json::from_slice(&answer).unwrap());
    request.model = "gemini-3-pro-preview".into();
    assert_eq!(parts_of_next_turn(&request)[0]["thoughtSignature"], "Q2FsbA==");
}

#[test]
fn a_streamed_signature_comes_back_on_the_call_too() {
    let stream = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hm.\",\"thought\":true}]}}]}\n\n\
        data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"id\":\"c1\",\"name\":\"f\",\"args\":{}},\"thoughtSignature\":\"Q2FsbA==\"},{\"functionCall\":{\"id\":\"c2\",\"name\":\"f\",\"args\":{}}}]},\"finishReason\":\"STOP\"}]}\n\n";
    for dialect in [Dialect::OpenaiChat, Dialect::AnthropicMessages] {
        let mut encoder = codec(dialect).encode_stream(&StreamStart::default());
        let mut out = bytes::BytesMut::new();
        events(&Gemini, stream.as_bytes()).iter().for_each(|event| encoder.event(event, &mut out));
        encoder.finish(&mut out);
        // What an SDK gathers from the stream.
        let mut gathered = Accumulator::new();
        events(codec(dialect), &out).iter().for_each(|event| gathered.event(event));
        let answer = codec(dialect).encode_response(&gathered.finish()).unwrap();
        let request = next_turn(dialect, &serde_json::from_slice(&answer).unwrap());
        let parts = parts_of_next_turn(&request);
        let call = parts.iter().find(|part| part.get("functionCall").is_some()).unwrap();
        assert_eq!(call["thoughtSignature"], "Q2FsbA==", "{dialect}: {parts:?}");
    }
}

#[test]
fn a_signature_of_a_text_comes_back_on_the_text() {
    let body = r#"{"candidates":[{"content":{"parts":[{"text":"Hm.","thought":true},{"text":"Yes.","thoughtSignature":"VGV4dA=="}]},"finishReason":"STOP"}]}"#;
    let response = Gemini.decode_response(body.as_bytes()).unwrap();
    for dialect in [Dialect::OpenaiChat, Dialect::AnthropicMessages] {
        let answer: Value = serde_json::from_slice(&codec(dialect).encode_response(&response).unwrap()).unwrap();
        let message = match dialect {
            Dialect::OpenaiChat => answer["choices"][0]["message"].clone(),
            _ => json!({"role": "assistant", "content": answer["content"]}),
        };
        let body = json!({"model": "m", "max_tokens": 9, "messages": [message]}).to_string();
        let parts = parts_of_next_turn(&codec(dialect).decode_request(body.as_bytes()).unwrap());
        let text = parts.iter().find(|part| part["text"] == "Yes.").unwrap();
        assert_eq!(text["thoughtSignature"], "VGV4dA==", "{dialect}: {parts:?}");
    }
}

#[test]
fn thinking_that_anthropic_signed_comes_back_whole_through_geminis_sdks() {
    let body = br#"{"id":"m","model":"c","content":[{"type":"thinking","thinking":"Hm >?","signature":"EqIB+/8="},{"type":"redacted_thinking","data":"EmwK"},{"type":"text","text":"Yes."}],"stop_reason":"end_turn"}"#;
    let anthropic = codec(Dialect::AnthropicMessages);
    let answer = Gemini.encode_response(&anthropic.decode_response(body).unwrap()).unwrap();
    // Python's SDK writes the other alphabet of Base64.
    let urlsafe = std::str::from_utf8(&answer).unwrap().replace('+', "-");
    let answer: Value = serde_json::from_str(&urlsafe).unwrap();
    let request = json!({"contents": [{"parts": [{"text": "?"}]}, answer["candidates"][0]["content"]]}).to_string();
    let request = Gemini.decode_request(request.as_bytes()).unwrap();
    let again: Value = serde_json::from_slice(&anthropic.encode_request(&request).unwrap()).unwrap();
    let expect = json!([
        {"type": "thinking", "thinking": "Hm >?", "signature": "EqIB+/8="},
        {"type": "redacted_thinking", "data": "EmwK"},
        {"type": "text", "text": "Yes."},
    ]);
    assert_eq!(again["messages"][1]["content"], expect);
}

#[test]
fn calls_without_ids_get_the_same_ones_every_time() {
    let ids = |body: &str| -> Vec<String> {
        let response = Gemini.decode_response(body.as_bytes()).unwrap();
        let calls = response.messages[0].parts.iter();
        calls.filter_map(|part| if let Part::ToolCall { id, .. } = part { id.clone() } else { None }).collect()
    };
    let body = |response: &str| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{{"name":"f"}}}},{{"functionCall":{{"name":"f"}}}}]}}}}],"responseId":"{response}"}}"#
        )
    };
    let first = ids(&body("r1"));
    assert_eq!(first, ids(&body("r1")));
    assert_ne!(first[0], first[1]);
    assert!(!first.contains(&ids(&body("r2"))[0]));
}

fn events(codec: &dyn Codec, bytes: &[u8]) -> Vec<StreamEvent> {
    let mut sse = SseDecoder::new();
    sse.push(bytes).unwrap();
    let mut decoder = codec.decode_stream();
    let mut events = Vec::new();
    while let Some(event) = sse.next().or_else(|| sse.finish()) {
        events.extend(decoder.event(&event).unwrap());
    }
    events.extend(decoder.finish().unwrap());
    events
}

/// Holds everything back until the text ends, then says it in capitals.
#[derive(Default)]
struct HoldAll(std::collections::BTreeMap<Channel, String>);

impl TextFilter for HoldAll {
    fn push(&mut self, channel: Channel, delta: &str) -> String {
        self.0.entry(channel).or_default().push_str(delta);
        String::new()
    }

    fn close(&mut self, channel: Channel) -> String {
        self.0.remove(&channel).unwrap_or_default().to_uppercase()
    }
}

#[test]
fn held_back_text_goes_out_in_its_place() {
    let mut rewriter = StreamRewriter::new(&Gemini);
    let mut filter = HoldAll::default();
    let mut send = |data: &str| {
        String::from_utf8(rewriter.event(&SseEvent::new(None, data.as_bytes()), &mut filter).to_vec()).unwrap()
    };
    assert_eq!(
        send(r#"{"candidates":[{"content":{"parts":[{"text":"key"}]}}],"responseId":"r"}"#),
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]}}],\"responseId\":\"r\"}\n\n"
    );
    // Before a call; whose arguments each end in their own place.
    assert_eq!(
        send(
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":"x","b":"y"}}}]},"finishReason":"STOP"}],"responseId":"r"}"#
        ),
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"KEY\"}],\"role\":\"model\"},\"index\":0}],\"responseId\":\"r\"}\n\n\
         data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":\"X\",\"b\":\"Y\"}}}]},\"finishReason\":\"STOP\"}],\"responseId\":\"r\"}\n\n"
    );
}

#[test]
fn every_class_of_error_says_its_status_twice() {
    for class in ErrorClass::ALL {
        let mut error = ErrorBody::new(*class, "m");
        error.param = Some("contents".into());
        let value: Value = serde_json::from_slice(&Gemini.encode_error(&error)).unwrap();
        assert_eq!(value["error"]["code"], class.status(), "{class}");
        assert!(
            value["error"]["status"]
                .as_str()
                .is_some_and(|word| word.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        );
        assert_eq!(value["error"]["details"][0]["fieldViolations"][0]["field"], "contents");
        assert!(Gemini.encode_stream_error(&error).starts_with(b"data: {\"error\":"));
    }
    let wrong_key = br#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#;
    assert_eq!(Gemini.decode_error(400, wrong_key).class, ErrorClass::UpstreamAuth);
}

#[test]
fn a_picture_in_a_stream_is_an_error_to_who_has_no_words_for_it() {
    let part = Part::Blob {
        mime_type: Some("image/png".into()),
        modality: signalbox_types::Modality::Image,
        content: "AAAA".into(),
    };
    let event = StreamEvent::Part { choice: 0, part };
    for (dialect, expect) in [
        (Dialect::OpenaiChat, "can't be said"),
        (Dialect::AnthropicMessages, "can't be said"),
        (Dialect::OpenaiCompletions, "can't be said"),
        (Dialect::OpenaiResponses, "can't be said"),
        (Dialect::Gemini, "inlineData"),
    ] {
        let mut encoder = codec(dialect).encode_stream(&StreamStart::default());
        let mut out = bytes::BytesMut::new();
        encoder.event(&event, &mut out);
        encoder.finish(&mut out);
        assert!(std::str::from_utf8(&out).unwrap().contains(expect), "{dialect}: {out:?}");
    }
}
