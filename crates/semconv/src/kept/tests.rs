use serde_json::{Value, json};

use super::{MOVED, TYPES, restore};
use crate::testing::{columns, normalised};

/// Longer than a pointer to it by more than 64 bytes.
const LONG: &str = "What is the weather like in Paris today, and should I take an umbrella with me, or will the \
                    coat that I wore yesterday be enough?";

/// What a span with these attributes notes as moved, and as of another type.
fn check(attributes: Value, moved: Value, types: Value) {
    let span = normalised(&json!({"name": "s", "attributes": attributes}));
    let notes = |name: &str| span.attributes.get(name).map(|text| serde_json::from_str(text).unwrap());
    assert_eq!(notes(MOVED).unwrap_or(json!({})), moved);
    assert_eq!(notes(TYPES).unwrap_or(json!({})), types);
    for name in moved.as_object().unwrap().keys() {
        assert!(!span.attributes.contains_key(name), "`{name}` is kept twice");
    }
}

fn message(role: &str, content: &str) -> Value {
    json!({"role": role, "parts": [{"type": "text", "content": content}]})
}

#[test]
fn messages_stand_in_their_columns() {
    let (input, output) = (json!([message("user", LONG)]), json!([message("assistant", LONG)]));
    let moved = json!({"gen_ai.input.messages": "/input_messages", "gen_ai.output.messages": "/output_messages"});
    check(
        json!({"gen_ai.input.messages": input.to_string(), "gen_ai.output.messages": output.to_string()}),
        moved.clone(),
        json!({}),
    );
    // Other spaces and orders, as Python and Go write it.
    let spaced =
        format!("[ {{\"parts\": [{{\"content\": {}, \"type\": \"text\"}}], \"role\": \"user\"}} ]", json!(LONG));
    check(
        json!({"gen_ai.input.messages": spaced, "gen_ai.output.messages": output}),
        moved,
        json!({"gen_ai.output.messages": "json"}),
    );
}

#[test]
fn instructions_stand_in_front() {
    let rest = json!([message("user", LONG), message("assistant", "yes")]);
    let system = format!("Answer briefly. {LONG}");
    check(
        json!({
            "gen_ai.input.messages": rest.to_string(),
            "gen_ai.system_instructions": json!([{"type": "text", "content": system}]).to_string()
        }),
        json!({"gen_ai.input.messages": "/input_messages/1..", "gen_ai.system_instructions": [{"type": "text", "content": {"$": "/input_messages/0/parts/0/content"}}]}),
        json!({}),
    );
    check(
        json!({"gen_ai.input.messages": rest.to_string(), "gen_ai.system_instructions": system}),
        json!({"gen_ai.input.messages": "/input_messages/1..", "gen_ai.system_instructions": "/input_messages/0/parts/0/content"}),
        json!({}),
    );
}

#[test]
fn texts_by_themselves_and_within_other_structures() {
    check(
        json!({
            "openinference.span.kind": "LLM",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": LONG,
            "input.value": json!({"model": "m", "messages": [{"role": "user", "content": LONG}]}).to_string(),
            "a.name": LONG
        }),
        json!({
            "a.name": "/input_messages/0/parts/0/content",
            "input.value": {"model": "m", "messages": [{"role": "user", "content": {"$": "/input_messages/0/parts/0/content"}}]},
            "llm.input_messages.0.message.content": "/input_messages/0/parts/0/content"
        }),
        json!({}),
    );
    let schema = json!({"type": "object", "properties": {"city": {"type": "string", "description": LONG}}});
    check(
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.tool.definitions": json!([{"type": "function", "name": "f", "parameters": schema}]).to_string()
        }),
        json!({"gen_ai.tool.definitions": [{"type": "function", "name": "f", "parameters": {"$": "/tools/0/parameters"}}]}),
        json!({}),
    );
    check(
        json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.result": json!({"a/b~": LONG}).to_string()}),
        json!({"gen_ai.tool.call.result": "/output"}),
        json!({}),
    );
}

#[test]
fn pictures_within_their_addresses() {
    let bytes = "iVBORw0KGgo".repeat(20);
    let url = "llm.input_messages.0.message.contents.0.message_content.image.image.url";
    check(
        json!({
            "llm.input_messages.0.message.contents.0.message_content.type": "image",
            url: format!("data:image/png;base64,{bytes}")
        }),
        json!({url: {"$": "/input_messages/0/parts/0/content", "prefix": "data:image/png;base64,"}}),
        json!({}),
    );
}

#[test]
fn what_stays() {
    // Short, in no column, or with what would be taken for a reference.
    check(
        json!({
            "gen_ai.input.messages": json!([{"role": "user", "content": "hi"}]).to_string(), "url.full": format!("https://x/{LONG}"),
            "gen_ai.output.messages": json!([{"role": "assistant", "content": LONG, "$": "/input"}]).to_string()
        }),
        json!({}),
        json!({}),
    );
    check(json!({"gen_ai.prompt": "hi", "a": "hi"}), json!({}), json!({}));
    // JSON that somebody typed comes back to the letter.
    let typed = format!("{{ \"a\":  \"{LONG}\" }}");
    let span = normalised(&json!({"name": "s", "attributes": {
        "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": typed
    }}));
    let restored = restore(&span.attributes, &columns(&span)).unwrap();
    assert_eq!(restored.get("llm.input_messages.0.message.content"), Some(&json!(typed)));
}

#[test]
fn names_of_ours_that_are_sent_say_nothing() {
    check(json!({MOVED: "{\"gen_ai.prompt\":\"/input\"}", TYPES: "no JSON"}), json!({}), json!({}));
}

#[test]
fn types_that_texts_dont_show() {
    check(
        json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.result": "42", "n": 42, "list": ["a"], "map": {"a": 1}}),
        json!({}),
        json!({"gen_ai.tool.call.result": "text", "map": "json"}),
    );
}

#[test]
fn what_is_gone_is_told() {
    let kept = [(MOVED.to_owned(), "{\"a\":\"/input_messages/0\"}".to_owned())].into();
    let error = restore(&kept, &json!({"input_messages": []})).unwrap_err();
    assert_eq!(error.to_string(), "attribute `a` can't be restored: there is nothing at `/input_messages/0`");
    let kept = [(MOVED.to_owned(), "[]".to_owned())].into();
    assert!(restore(&kept, &json!({})).unwrap_err().to_string().contains("no JSON object"));
}
