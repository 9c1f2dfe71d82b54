use bytes::Bytes;
use serde_json::json;
use signalbox_types::{ErrorClass, Role};

use super::OpenaiChat;
use crate::codec::{Codec, StreamStart};
use crate::error::ErrorBody;
use crate::registry::Dialect;
use crate::rewrite::{Channel, ChannelKind, StreamRewriter, TextFilter};
use crate::sse::SseEvent;

fn refusal(body: &str) -> String {
    let peeked = OpenaiChat.peek(body.as_bytes()).map(drop);
    peeked.and_then(|()| OpenaiChat.texts(body.as_bytes()).map(drop)).unwrap_err().to_string()
}

#[test]
fn bad_requests_name_the_field_and_what_was_expected() {
    let check = |body: &str, expect: &str| assert_eq!(refusal(body), expect, "{body}");
    check("[]", "`body`: expected an object, found a list");
    check(r#"{"messages":[]}"#, "`model` is missing: expected the name of a model");
    check(r#"{"model":null,"messages":[]}"#, "`model` is missing: expected the name of a model");
    check(r#"{"model":"","messages":[]}"#, "`model`: expected the name of a model, found an empty string");
    check(r#"{"model":7,"messages":[]}"#, "`model`: expected the name of a model, found a number");
    check(r#"{"model":"m"}"#, "`messages` is missing: expected a list of messages");
    check(r#"{"model":"m","messages":"hi"}"#, "`messages`: expected a list of messages, found a string");
    check(r#"{"model":"m","messages":[],"stream":"yes"}"#, "`stream`: expected true or false, found a string");
    check(
        r#"{"model":"m","messages":[],"max_tokens":-1}"#,
        "`max_tokens`: expected a whole number of at least 0, found a number",
    );
    check(r#"{"model":"m","messages":["hi"]}"#, "`messages[0]`: expected an object, found a string");
    check(
        r#"{"model":"m","messages":[{"content":"hi"}]}"#,
        "`messages[0].role` is missing: expected one of `system`, `developer`, `user`, `assistant`, `tool`",
    );
    check(
        r#"{"model":"m","messages":[{"role":"robot","content":"hi"}]}"#,
        "`messages[0].role`: expected one of `system`, `developer`, `user`, `assistant`, `tool`, found another word",
    );
    check(
        r#"{"model":"m","messages":[{"role":"user","content":7}]}"#,
        "`messages[0].content`: expected a string or a list of content parts, found a number",
    );
    check(
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}]}"#,
        "`messages[0].content[0].text` is missing: expected a string",
    );
    check(
        r#"{"model":"m","messages":[{"role":"assistant","tool_calls":[{"function":{"arguments":{}}}]}]}"#,
        "`messages[0].tool_calls[0].function.arguments`: expected a string, found an object",
    );
    check(
        r#"{"model":"m","model":"n","messages":[]}"#,
        "`model` stands twice in its object: send it once, parsers disagree on which one counts",
    );
    check(
        r#"{"model":"m","messages":[{"role":"user","content":"a","content":"b"}]}"#,
        "`messages[0].content` stands twice in its object: send it once, parsers disagree on which one counts",
    );
    check("{\"model\":\"m\",\n \"messages\":[}", "the body is not valid JSON: line 2, column 14: expected value");
}

#[test]
fn peek_reads_the_few_facts_and_tolerates_the_rest() {
    let body = br#"{"x":{"model":"no"},"model" : "gpt\u002d4o","messages":[{"role":"user","content":[{"type":"future","y":1}]}],"stream":true,"stream_options":{"include_usage":true,"z":1},"user":"u","metadata":{"session_id":"s"},"max_completion_tokens":5,"max_tokens":9}"#;
    let peek = OpenaiChat.peek(body).unwrap();
    assert_eq!((peek.model.as_str(), &body[peek.model_range.clone()]), ("gpt-4o", br#""gpt\u002d4o""#.as_slice()));
    assert!(peek.stream && peek.wants_stream_usage);
    assert_eq!((peek.user.as_deref(), peek.max_tokens), (Some("u"), Some(5)));
    assert_eq!(peek.metadata["session_id"], "s");
    let renamed = OpenaiChat.with_model(&Bytes::from_static(body), "a\"b").unwrap();
    assert_eq!(OpenaiChat.peek(&renamed).unwrap().model, "a\"b");
    assert_eq!(renamed.len(), body.len() - r#""gpt\u002d4o""#.len() + r#""a\"b""#.len());
}

#[test]
fn texts_are_found_wherever_they_hide() {
    let body = r#"{"model":"m","messages":[
        {"role":"developer","content":"sys"},
        {"role":"user","content":[{"type":"text","text":"a\n"},{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"\ud83d\ude80"}]},
        {"role":"assistant","content":null,"tool_calls":[{"type":"function","function":{"name":"f","arguments":"{}"}},{"type":"custom","custom":{"name":"g","input":"free"}}]},
        {"role":"tool","content":"result"}],"prediction":{"type":"content","content":"guess"}}"#;
    let found: Vec<(Role, String)> = OpenaiChat
        .texts(body.as_bytes())
        .unwrap()
        .into_iter()
        .map(|slot| (slot.role, slot.text.into_owned()))
        .collect();
    let expect = [
        (Role::System, "sys"),
        (Role::User, "a\n"),
        (Role::User, "🚀"),
        (Role::Assistant, "{}"),
        (Role::Assistant, "free"),
        (Role::Tool, "result"),
        (Role::Assistant, "guess"),
    ];
    assert_eq!(found, expect.map(|(role, text)| (role, text.to_owned())));
}

#[test]
fn usage_is_asked_for_without_touching_anything_else() {
    let check = |body: &str, expect: Option<&str>| {
        let changed = OpenaiChat.ask_for_usage(&Bytes::copy_from_slice(body.as_bytes()));
        assert_eq!(changed.as_deref(), expect.map(str::as_bytes), "{body}");
    };
    check(r#"{"model":"m"}"#, None);
    check(r#"{"model":"m","stream":false}"#, None);
    check(
        r#"{"stream":true, "model":"}" } "#,
        Some(r#"{"stream":true, "model":"}" ,"stream_options":{"include_usage":true}} "#),
    );
    check(
        r#"{"stream":true,"stream_options":null}"#,
        Some(r#"{"stream":true,"stream_options":{"include_usage":true}}"#),
    );
    check(r#"{"stream":true,"stream_options":{}}"#, Some(r#"{"stream":true,"stream_options":{"include_usage":true}}"#));
    check(r#"{"stream":true,"stream_options":{"include_usage":true}}"#, None);
    check(
        r#"{"stream":true,"stream_options":{"include_usage":false}}"#,
        Some(r#"{"stream":true,"stream_options":{"include_usage":true}}"#),
    );
    check(
        r#"{"stream":true,"stream_options":{"a":1}}"#,
        Some(r#"{"stream":true,"stream_options":{"include_usage":true,"a":1}}"#),
    );
    check("garbage", None);
}

/// Holds the last character back, as a guard does that waits for more.
#[derive(Default)]
struct HoldLast(String);

impl TextFilter for HoldLast {
    fn push(&mut self, _: Channel, delta: &str) -> String {
        self.0.push_str(&delta.to_uppercase());
        let last = self.0.pop();
        std::mem::replace(&mut self.0, last.into_iter().collect())
    }

    fn close(&mut self, _: Channel) -> String {
        std::mem::take(&mut self.0)
    }
}

#[test]
fn held_back_text_goes_out_before_the_reason_to_stop() {
    let chunk = |rest: &str| {
        SseEvent::new(
            None,
            format!(r#"{{"id":"c1","created":7,"model":"m","choices":[{{"index":0,{rest}}}],"new":1}}"#).as_bytes(),
        )
    };
    let mut rewriter = StreamRewriter::new(&OpenaiChat);
    let mut filter = HoldLast::default();
    let mut send = |event: &SseEvent| String::from_utf8(rewriter.event(event, &mut filter).to_vec()).unwrap();
    assert_eq!(
        send(&chunk(r#""delta":{"content":"abc"}"#)),
        "data: {\"id\":\"c1\",\"created\":7,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"AB\"}}],\"new\":1}\n\n"
    );
    assert_eq!(
        send(&chunk(r#""delta":{},"finish_reason":"stop""#)),
        "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"C\"},\"finish_reason\":null}]}\n\ndata: {\"id\":\"c1\",\"created\":7,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"new\":1}\n\n"
    );
    // Text and end in one chunk: nothing is held back.
    assert!(send(&chunk(r#""delta":{"content":"xyz"},"finish_reason":"stop""#)).contains(r#""content":"XYZ""#));
}

#[test]
fn one_text_can_be_replaced() {
    let event = SseEvent::new(None, br#"{"choices":[{"index":0,"delta":{"content":"key","x":[ 1 ]}}]}"#);
    let bytes = OpenaiChat.rewrite_text(&event, "\"\n").unwrap();
    assert_eq!(bytes, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\\"\\n\",\"x\":[ 1 ]}}]}\n\n");
    let done = SseEvent::new(None, b"[DONE]");
    assert!(OpenaiChat.rewrite_text(&done, "x").is_err());
    let channel = Channel { choice: 0, kind: ChannelKind::ToolArguments, index: 2 };
    let text = OpenaiChat.text_event(&event, channel, "{");
    assert!(std::str::from_utf8(&text).unwrap().contains(r#""tool_calls":[{"index":2,"function":{"arguments":"{"}}]"#));
}

#[test]
fn usage_is_told_only_when_asked_for() {
    let events = [
        crate::StreamEvent::Usage(signalbox_types::Usage { input_tokens: Some(1), ..Default::default() }),
        crate::StreamEvent::End,
    ];
    for include_usage in [false, true] {
        let mut encoder = OpenaiChat.encode_stream(&StreamStart { include_usage, ..StreamStart::default() });
        let mut out = bytes::BytesMut::new();
        events.iter().for_each(|event| encoder.event(event, &mut out));
        encoder.finish(&mut out);
        let text = std::str::from_utf8(&out).unwrap();
        assert_eq!(text.contains("prompt_tokens"), include_usage);
        assert!(text.ends_with("data: [DONE]\n\n") && text.matches("[DONE]").count() == 1);
    }
}

#[test]
fn every_class_of_error_has_its_words() {
    for class in ErrorClass::ALL {
        let body = OpenaiChat.encode_error(&ErrorBody::new(*class, "m"));
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["error"]["message"], "m");
        let kind = value["error"]["type"].as_str().unwrap();
        assert_eq!(kind == "server_error", class.status() >= 499, "{class}");
    }
    assert_eq!(OpenaiChat.dialect(), Dialect::OpenaiChat);
}

#[test]
fn thinking_that_does_not_fit_the_limit_is_refused_with_a_hint() {
    let body = |limit: u64| {
        format!(r#"{{"model":"m","messages":[],"reasoning_effort":"high","max_completion_tokens":{limit}}}"#)
    };
    let to_anthropic = |limit| {
        let request = OpenaiChat.decode_request(body(limit).as_bytes()).unwrap();
        crate::codec(Dialect::AnthropicMessages)
            .encode_request(&request)
            .map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    };
    assert!(to_anthropic(1000).unwrap_err().to_string().contains("at least 1024"));
    assert!(
        to_anthropic(1500).unwrap().contains(r#""max_tokens":1500,"thinking":{"type":"enabled","budget_tokens":1024}"#)
    );
    assert!(to_anthropic(100_000).unwrap().contains(r#""budget_tokens":16384"#));
}

#[test]
fn what_is_said_about_a_call_is_text_too() {
    let body = json!({
        "model": "m", "user": "u", "safety_identifier": "s", "metadata": {"team": "t", "n": 1},
        "messages": [{"role": "user", "name": "ada", "content": "hi"}],
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": {
                "description": "p", "properties": {"description": {"type": "string", "description": "q"}, "a": {"items": {"description": "r"}}},
            }}},
            {"type": "custom", "custom": {"name": "g", "description": "e"}},
        ],
        "functions": [{"name": "h", "description": "v", "parameters": {"properties": {"a": {"description": "w"}}}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "description": "x", "schema": {}}},
    })
    .to_string();
    let slots = OpenaiChat.texts(body.as_bytes()).unwrap();
    let mut texts: Vec<&str> = slots.iter().map(|slot| slot.text.as_ref()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["ada", "d", "e", "hi", "p", "q", "r", "s", "t", "u", "v", "w", "x"]);
    let name = slots.iter().find(|slot| slot.is_name).unwrap();
    assert_eq!(name.edit("[REDACTED:a key]").1, b"\"REDACTED_a_key\"");
}

#[test]
fn the_limit_has_the_name_that_the_provider_knows() {
    let mut request = OpenaiChat.decode_request(br#"{"model":"m","messages":[],"max_tokens":7}"#).unwrap();
    for (old, expect) in [(false, r#""max_completion_tokens":7"#), (true, r#""max_tokens":7"#)] {
        request.old_max_tokens = old;
        let said = OpenaiChat.encode_request(&request).unwrap();
        assert!(std::str::from_utf8(&said).unwrap().contains(expect), "{said:?}");
    }
}

#[test]
fn a_field_that_stands_twice_is_refused_only_if_it_is_read() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"a","x":1,"x":2}],"y":1,"y":2}"#;
    assert_eq!(OpenaiChat.texts(body.as_bytes()).unwrap().len(), 1);
    OpenaiChat.decode_request(body.as_bytes()).unwrap();
    assert!(refusal(r#"{"model":"m","messages":[{"role":"user","content":"a","content":"b"}]}"#).contains("twice"));
}
