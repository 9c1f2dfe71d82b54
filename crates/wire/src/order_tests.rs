//! Providers read a prompt from their caches as long as its beginning is the same, byte for byte; tools stand at its beginning.
//! So they, and the fields of their schemas, stay in the caller's order in every pairing of dialects, and the same call is
//! said in the same bytes each time.

use serde_json::{Value, json};

use crate::codec::Codec;
use crate::registry::{ALL, Dialect, codec};

/// In an order that nobody would make.
const TOOLS: [&str; 6] = ["zebra_tool", "apple_tool", "mango_tool", "kiwi_tool", "banana_tool", "yam_tool"];
const FIELDS: [&str; 6] = ["zulu", "alpha", "mike", "kilo", "bravo", "yankee"];

fn schema(of: &str) -> Value {
    let field = |name: &&str| {
        ((*name).to_owned() + "_" + of, json!({"type": "string", "description": format!("{name} of {of}")}))
    };
    let inner: serde_json::Map<String, Value> =
        FIELDS.iter().rev().map(|name| field(&&*format!("in_{name}"))).collect();
    let mut fields: serde_json::Map<String, Value> = FIELDS.iter().map(field).collect();
    fields.insert(format!("nested_{of}"), json!({"type": "object", "properties": inner}));
    let required: Vec<String> = FIELDS.iter().rev().map(|name| format!("{name}_{of}")).collect();
    json!({"type": "object", "properties": fields, "required": required})
}

/// A call with tools, as OpenAI's callers write it.
fn asked() -> Vec<u8> {
    let tool = |name: &&str| json!({"type": "function", "function": {"name": name, "description": format!("does {name}"), "parameters": schema(name)}});
    let call = |name: &str, number: usize| {
        json!({"id": format!("call_{number}"), "type": "function",
            "function": {"name": name, "arguments": format!("{{\"zulu_{name}\":1,\"alpha_{name}\":2,\"mike_{name}\":3}}")}})
    };
    let calls: Vec<Value> = TOOLS.iter().take(2).enumerate().map(|(number, name)| call(name, number)).collect();
    let results =
        (0..2).map(|number| json!({"role": "tool", "tool_call_id": format!("call_{number}"), "content": "done"}));
    let mut messages = vec![
        json!({"role": "system", "content": "You have tools."}),
        json!({"role": "user", "content": "Use them."}),
        json!({"role": "assistant", "content": null, "tool_calls": calls}),
    ];
    messages.extend(results);
    let tools: Vec<Value> = TOOLS.iter().map(tool).collect();
    json!({"model": "m", "max_tokens": 100, "messages": messages, "tools": tools}).to_string().into_bytes()
}

fn said(from: &dyn Codec, to: &dyn Codec, body: &[u8]) -> String {
    let mut request = from.decode_request(body).unwrap_or_else(|error| panic!("{error} of {}", from.dialect()));
    request.model = "m".to_owned();
    let said = to.encode_request(&request).unwrap_or_else(|error| panic!("{error} to {}", to.dialect()));
    String::from_utf8(said.to_vec()).unwrap()
}

/// The places of these words, quoted, where each stands first after `start`.
fn places(text: &str, start: usize, words: impl Iterator<Item = String>) -> Vec<usize> {
    let place = |word: String| {
        let found = text.get(start..).and_then(|rest| rest.find(&format!("\"{word}\"")));
        found.unwrap_or_else(|| panic!("no {word} in {text}"))
    };
    words.map(place).collect()
}

fn check(text: &str, pair: &str) {
    // Behind the conversation or before it: the definitions are where the first description is.
    let start =
        text.find("\"zebra_tool\"").unwrap_or_default().min(text.find("\"does zebra_tool\"").unwrap_or_default());
    let described = places(text, 0, TOOLS.iter().map(|name| format!("does {name}")));
    assert!(described.is_sorted(), "tools, {pair}: {text}");
    for tool in TOOLS {
        let of_schema = |name: &str| format!("{name} of {tool}");
        let fields = places(text, start, FIELDS.iter().map(|name| of_schema(name)));
        assert!(fields.is_sorted(), "fields of {tool}, {pair}: {text}");
        let inner = places(text, start, FIELDS.iter().rev().map(|name| of_schema(&format!("in_{name}"))));
        assert!(inner.is_sorted(), "inner fields of {tool}, {pair}: {text}");
        let required = text.find(&format!("\"yankee_{tool}\",\"bravo_{tool}\",\"kilo_{tool}\""));
        assert!(required.is_some(), "required fields of {tool}, {pair}: {text}");
    }
    let calls = text.replace("\\\"", "\"");
    for tool in TOOLS.iter().take(2) {
        let arguments = format!("\"zulu_{tool}\":1,\"alpha_{tool}\":2,\"mike_{tool}\":3");
        assert!(calls.contains(&arguments), "arguments of {tool}, {pair}: {text}");
    }
}

#[test]
fn tools_and_their_fields_keep_the_callers_order_in_every_pairing() {
    let chats: Vec<&dyn Codec> =
        ALL.iter().copied().filter(|codec| codec.dialect() != Dialect::OpenaiCompletions).collect();
    let asked = asked();
    for from in &chats {
        // As a caller of this dialect would write it.
        let body = said(codec(Dialect::OpenaiChat), *from, &asked);
        for to in &chats {
            let pair = format!("{} to {}", from.dialect(), to.dialect());
            let first = said(*from, *to, body.as_bytes());
            check(&first, &pair);
            for _ in 0..20 {
                assert_eq!(said(*from, *to, body.as_bytes()), first, "{pair}");
            }
            // There and back again.
            assert_eq!(said(*to, *from, first.as_bytes()), said(*to, *from, first.as_bytes()), "{pair}");
        }
    }
}

#[test]
fn more_turns_leave_what_was_said_before_as_it_was() {
    let asked: Value = serde_json::from_slice(&asked()).unwrap();
    let mut longer = asked.clone();
    let messages = longer["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": "They did it."}));
    messages.push(json!({"role": "user", "content": "Again."}));
    let from = codec(Dialect::OpenaiChat);
    for to in ALL.iter().filter(|codec| codec.dialect() != Dialect::OpenaiCompletions) {
        let read =
            |body: &Value| -> Value { serde_json::from_str(&said(from, *to, body.to_string().as_bytes())).unwrap() };
        let (short, long) = (read(&asked), read(&longer));
        for field in ["tools", "toolConfig", "system", "systemInstruction", "instructions"] {
            let text = |body: &Value| body[field].to_string();
            assert_eq!(text(&short), text(&long), "{} {field}", to.dialect());
        }
        let turns = ["messages", "contents", "input"].into_iter().find(|field| short[*field].is_array()).unwrap();
        let (short, long) = (short[turns].as_array().unwrap(), long[turns].as_array().unwrap());
        for (before, after) in short.iter().zip(long) {
            assert_eq!(before.to_string(), after.to_string(), "{}", to.dialect());
        }
    }
}
