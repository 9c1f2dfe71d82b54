use serde_json::json;
use signalbox_types::{ErrorClass, Role};

use super::AnthropicMessages;
use crate::canonical::StreamEvent;
use crate::codec::Codec;
use crate::error::ErrorBody;
use crate::registry::Dialect;
use crate::rewrite::{Channel, StreamRewriter, TextFilter};
use crate::sse::SseEvent;

fn refusal(body: &str) -> String {
    let peeked = AnthropicMessages.peek(body.as_bytes()).map(drop);
    peeked.and_then(|()| AnthropicMessages.texts(body.as_bytes()).map(drop)).unwrap_err().to_string()
}

#[test]
fn bad_requests_name_the_field_and_what_was_expected() {
    let check = |body: &str, expect: &str| assert_eq!(refusal(body), expect, "{body}");
    check(r#"{"messages":[]}"#, "`model` is missing: expected the name of a model");
    check(r#"{"model":"m","messages":{}}"#, "`messages`: expected a list of messages, found an object");
    check(
        r#"{"model":"m","messages":[],"metadata":{"user_id":7}}"#,
        "`metadata.user_id`: expected a string, found a number",
    );
    check(
        r#"{"model":"m","messages":[],"system":7}"#,
        "`system`: expected a string or a list of content blocks, found a number",
    );
    check(
        r#"{"model":"m","messages":[{"role":"user"}]}"#,
        "`messages[0].content` is missing: expected a string or a list of content blocks",
    );
    check(
        r#"{"model":"m","messages":[{"role":"tool","content":"x"}]}"#,
        "`messages[0].role`: expected `user` or `assistant`, found another word",
    );
    check(
        r#"{"model":"m","messages":[{"role":"user","content":[{"text":"x"}]}]}"#,
        "`messages[0].content[0].type` is missing: expected the kind of content, e.g. `text`",
    );
    check(
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":null}]}]}"#,
        "`messages[0].content[0].text` is missing: expected a string",
    );
    check(
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"tool_result","content":5}]}]}"#,
        "`messages[0].content[0].content`: expected a string or a list of content blocks, found a number",
    );
}

#[test]
fn texts_are_found_wherever_they_hide() {
    let body = r#"{"model":"m","messages":[
        {"role":"user","content":"hi"},
        {"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"thinking","thinking":"signed","signature":"s"},{"type":"tool_use","id":"t","name":"f","input":{"a":"x","b":[{"c":"y","c":"z"}],"n":1}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"r"}]},{"type":"document","source":{"type":"text","data":"doc"},"title":"ti"},{"type":"future","zzz":1}]}],
        "system":[{"type":"text","text":"sys"}]}"#;
    let slots = AnthropicMessages.texts(body.as_bytes()).unwrap();
    assert_eq!(slots.iter().filter(|slot| slot.signed).map(|slot| slot.text.as_ref()).collect::<Vec<_>>(), ["signed"]);
    let found: Vec<(Role, String)> = AnthropicMessages
        .texts(body.as_bytes())
        .unwrap()
        .into_iter()
        .map(|slot| (slot.role, slot.text.into_owned()))
        .collect();
    let expect = [
        (Role::User, "hi"),
        (Role::Assistant, "hm"),
        (Role::Assistant, "signed"),
        (Role::Assistant, "x"),
        (Role::Assistant, "y"),
        (Role::Assistant, "z"),
        (Role::User, "r"),
        (Role::User, "doc"),
        (Role::User, "ti"),
        (Role::System, "sys"),
    ];
    let expect = expect.map(|(role, text)| (if text == "r" { Role::Tool } else { role }, text.to_owned()));
    assert_eq!(found, expect);
}

/// Holds everything back until the text ends, then says it in capitals.
#[derive(Default)]
struct HoldAll(String);

impl TextFilter for HoldAll {
    fn push(&mut self, _: Channel, delta: &str) -> String {
        self.0.push_str(delta);
        String::new()
    }

    fn close(&mut self, _: Channel) -> String {
        std::mem::take(&mut self.0).to_uppercase()
    }
}

#[test]
fn held_back_text_goes_out_before_its_block_stops() {
    let event = |kind: &str, rest: &str| {
        SseEvent::new(Some(kind), format!(r#"{{"type":"{kind}","index":3{rest}}}"#).as_bytes())
    };
    let mut rewriter = StreamRewriter::new(&AnthropicMessages);
    let mut filter = HoldAll::default();
    let mut send = |event: &SseEvent| String::from_utf8(rewriter.event(event, &mut filter).to_vec()).unwrap();
    let delta = event("content_block_delta", r#","delta":{"type":"text_delta","text":"key","new":1}"#);
    assert_eq!(
        send(&delta),
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":3,\"delta\":{\"type\":\"text_delta\",\"text\":\"\",\"new\":1}}\n\n"
    );
    assert_eq!(
        send(&event("content_block_stop", "")),
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":3,\"delta\":{\"type\":\"text_delta\",\"text\":\"KEY\"}}\n\nevent: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":3}\n\n"
    );
}

#[test]
fn usage_is_cumulative_and_never_summed() {
    let mut decoder = AnthropicMessages.decode_stream();
    let mut usage = |data: &str| {
        let events = decoder.event(&SseEvent::new(None, data.as_bytes())).unwrap();
        events
            .into_iter()
            .find_map(|event| if let StreamEvent::Usage(usage) = event { Some(usage) } else { None })
            .unwrap()
    };
    let first = usage(
        r#"{"type":"message_start","message":{"id":"m","model":"c","usage":{"input_tokens":10,"cache_read_input_tokens":5,"cache_creation_input_tokens":2,"output_tokens":1}}}"#,
    );
    assert_eq!((first.input_tokens, first.output_tokens), (Some(17), Some(1)));
    let second = usage(r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":40}}"#);
    assert_eq!((second.input_tokens, second.output_tokens, second.cache_read_tokens), (Some(17), Some(40), Some(5)));
}

#[test]
fn endless_nesting_is_refused_not_followed() {
    let nested = |levels: usize| {
        let open = r#"[{"type":"tool_result","content":"#.repeat(levels);
        format!(r#"{{"model":"m","messages":[{{"role":"user","content":{open}"x"{}}}]}}"#, "}]".repeat(levels))
    };
    assert_eq!(AnthropicMessages.texts(nested(3).as_bytes()).unwrap()[0].text, "x");
    let error = AnthropicMessages.texts(nested(50_000).as_bytes()).unwrap_err().to_string();
    assert!(error.ends_with("expected content with fewer blocks in blocks, found too many levels"), "{error}");
}

#[test]
fn unknown_events_are_ignored() {
    let mut decoder = AnthropicMessages.decode_stream();
    for data in [
        r#"{"type":"future_event","x":1}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"web_search_tool_result","content":[]}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{}}}"#,
    ] {
        assert_eq!(decoder.event(&SseEvent::new(None, data.as_bytes())).unwrap(), [], "{data}");
    }
    assert_eq!(
        decoder.finish().unwrap_err().to_string(),
        "the stream broke off: `anthropic_messages` ends one with an event `message_stop`"
    );
}

#[test]
fn ids_become_what_the_api_takes_in_call_and_answer_alike() {
    let body = br#"{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"functions.f:0","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"functions.f:0","content":"r"}]}"#;
    let request = crate::codec(Dialect::OpenaiChat).decode_request(body).unwrap();
    let bytes = AnthropicMessages.encode_request(&request).unwrap();
    assert_eq!(std::str::from_utf8(&bytes).unwrap().matches(r#""functions_f_0""#).count(), 2);
}

#[test]
fn a_named_call_ends_as_tool_use_though_openai_says_stop() {
    let body = br#"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}]}"#;
    let response = crate::codec(Dialect::OpenaiChat).decode_response(body).unwrap();
    let bytes = AnthropicMessages.encode_response(&response).unwrap();
    assert!(std::str::from_utf8(&bytes).unwrap().contains(r#""stop_reason":"tool_use""#));
}

#[test]
fn every_class_of_error_has_a_type_that_the_sdks_know() {
    const KNOWN: &[&str] = &[
        "invalid_request_error",
        "authentication_error",
        "permission_error",
        "not_found_error",
        "request_too_large",
        "rate_limit_error",
        "api_error",
        "timeout_error",
        "overloaded_error",
    ];
    for class in ErrorClass::ALL {
        let error = ErrorBody::new(*class, "m");
        let value: serde_json::Value = serde_json::from_slice(&AnthropicMessages.encode_error(&error)).unwrap();
        assert!(KNOWN.contains(&value["error"]["type"].as_str().unwrap()), "{class}");
        assert!(AnthropicMessages.encode_stream_error(&error).starts_with(b"event: error\ndata: {\"type\":\"error\""));
    }
}

#[test]
fn what_is_said_about_a_call_is_text_too() {
    let body = json!({
        "model": "m", "max_tokens": 1, "metadata": {"user_id": "u"},
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
    })
    .to_string();
    let mut texts: Vec<_> =
        AnthropicMessages.texts(body.as_bytes()).unwrap().into_iter().map(|slot| slot.text.into_owned()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["d", "hi", "u"]);
}

#[test]
fn what_is_kept_for_an_hour_is_told_apart() {
    let whole = include_bytes!("fixtures/response/one_hour_cache.json");
    let response = AnthropicMessages.decode_response(whole).unwrap();
    assert_eq!((response.usage.cache_write_tokens, response.charges.one_hour_writes), (Some(556), Some(100)));
    let start = br#"{"type":"message_start","message":{"id":"m","model":"c","usage":{"input_tokens":1,
        "cache_creation_input_tokens":9,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":7}}}}"#;
    let mut sse = crate::SseDecoder::new();
    sse.push(format!("data: {}\n\n", std::str::from_utf8(start).unwrap().replace('\n', "")).as_bytes()).unwrap();
    let mut accumulator = crate::Accumulator::new();
    let mut decoder = AnthropicMessages.decode_stream();
    let event = sse.next().unwrap();
    decoder.event(&event).unwrap().iter().for_each(|event| accumulator.event(event));
    assert_eq!((accumulator.usage().cache_write_tokens, accumulator.charges().one_hour_writes), (Some(9), Some(7)));
}
