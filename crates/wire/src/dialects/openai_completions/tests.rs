use serde_json::{Value, json};
use signalbox_types::{Part, Role};

use super::OpenaiCompletions;
use crate::codec::{Codec, StreamStart};
use crate::registry::{Dialect, codec};

#[test]
fn bad_requests_name_the_field_and_what_was_expected() {
    let check = |body: &str, expect: &str| {
        let peeked = OpenaiCompletions.peek(body.as_bytes()).map(drop);
        let read = peeked.and_then(|()| OpenaiCompletions.decode_request(body.as_bytes()).map(drop));
        assert_eq!(read.unwrap_err().to_string(), expect, "{body}");
    };
    check(r#"{"prompt":"a"}"#, "`model` is missing: expected the name of a model");
    check(r#"{"model":"m"}"#, "`prompt` is missing: expected a string, or a list of strings or of tokens");
    check(
        r#"{"model":"m","prompt":7}"#,
        "`prompt`: expected a string, or a list of strings or of tokens, found a number",
    );
    check(
        r#"{"model":"m","prompt":"a","max_tokens":"b"}"#,
        "`max_tokens`: expected a whole number of at least 0, found a string",
    );
}

#[test]
fn one_text_crosses_and_more_do_not() {
    let to_chat = |body: Value| {
        let request = OpenaiCompletions.decode_request(body.to_string().as_bytes()).unwrap();
        codec(Dialect::OpenaiChat).encode_request(&request).map(|body| serde_json::from_slice::<Value>(&body).unwrap())
    };
    for prompt in [json!("Once"), json!(["Once"])] {
        let said = to_chat(json!({"model": "m", "prompt": prompt, "echo": false, "best_of": 1})).unwrap();
        assert_eq!(said["messages"], json!([{"role": "user", "content": "Once"}]));
    }
    for (more, field) in [
        (json!({"prompt": ["a", "b"]}), "prompt"),
        (json!({"prompt": [1, 2, 3]}), "prompt"),
        (json!({"prompt": "a", "suffix": "b"}), "suffix"),
        (json!({"prompt": "a", "echo": true}), "echo"),
        (json!({"prompt": "a", "logprobs": 2}), "logprobs"),
    ] {
        let mut body = more.clone();
        body["model"] = "m".into();
        assert_eq!(to_chat(body).unwrap_err().field(), Some(field), "{more}");
    }
}

#[test]
fn a_prompt_that_another_api_keeps_is_not_left_out() {
    let body = br#"{"model":"m","input":"Once","prompt":{"id":"pmpt_1"}}"#;
    let request = codec(Dialect::OpenaiResponses).decode_request(body).unwrap();
    assert_eq!(OpenaiCompletions.encode_request(&request).unwrap_err().field(), Some("prompt"));
}

#[test]
fn every_prompt_is_a_text() {
    let body = r#"{"model":"m","prompt":["a","b"],"suffix":"c","user":"d"}"#;
    let found = OpenaiCompletions.texts(body.as_bytes()).unwrap();
    let texts: Vec<&str> = found.iter().map(|slot| slot.text.as_ref()).collect();
    assert_eq!(texts, ["a", "b", "c", "d"]);
    assert!(found.iter().all(|slot| slot.role == Role::User));
}

/// A model that thinks completes a text all the same.
#[test]
fn thoughts_are_no_part_of_the_text() {
    let thinking = Part::Reasoning { content: "Hm.".into(), signature: Some("s".into()), encrypted: None };
    let message = signalbox_types::Message {
        role: Role::Assistant,
        parts: vec![thinking, Part::Text { content: "upon a time".into() }],
        name: None,
        finish_reason: None,
    };
    let response = crate::ChatResponse { messages: vec![message], ..crate::ChatResponse::default() };
    let said: Value = serde_json::from_slice(&OpenaiCompletions.encode_response(&response).unwrap()).unwrap();
    assert_eq!(said["choices"][0]["text"], "upon a time");
    let call = crate::StreamEvent::ToolCallStart { choice: 0, index: 0, id: None, name: "f".into() };
    let mut out = bytes::BytesMut::new();
    OpenaiCompletions.encode_stream(&StreamStart::default()).event(&call, &mut out);
    assert!(std::str::from_utf8(&out).unwrap().contains("can't be said"), "{out:?}");
}
