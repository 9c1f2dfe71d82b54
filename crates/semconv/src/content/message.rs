use serde_json::{Map, Value};
use signalbox_types::{Message, Part, Role};

use super::part::{arguments, part, parts_of_content};
use crate::attributes::unpacked;

/// How deep lists and wrappers around messages may be.
const MAX_NESTING: u8 = 4;

/// Who speaks, in any spelling.
pub(crate) fn role(text: &str) -> Option<Role> {
    Some(match text.to_ascii_lowercase().as_str() {
        "system" | "developer" => Role::System,
        "user" | "human" => Role::User,
        "assistant" | "ai" | "model" | "bot" | "agent" => Role::Assistant,
        "tool" | "function" | "ipython" => Role::Tool,
        _ => return None,
    })
}

/// The messages in a value: the list of the conventions, OpenAI's or Anthropic's, one message, a
/// text, or any of these as JSON in a text. What says no role has the one given.
pub(crate) fn messages(value: &Value, default: Role) -> Vec<Message> {
    let mut found = Vec::new();
    collect(&unpacked(value), default, MAX_NESTING, &mut found);
    found
}

/// System instructions: a list of parts, a text, or messages.
pub(crate) fn instructions(value: &Value) -> Option<Message> {
    let mut parts = Vec::new();
    match unpacked(value) {
        Value::Array(items) => {
            for item in &items {
                match item.get("role").or_else(|| item.get("parts")) {
                    Some(_) => parts.extend(messages(item, Role::System).into_iter().flat_map(|message| message.parts)),
                    None => parts.push(part(item)),
                }
            }
        }
        other => parts.extend(messages(&other, Role::System).into_iter().flat_map(|message| message.parts)),
    }
    (!parts.is_empty()).then_some(Message { role: Role::System, parts, name: None, finish_reason: None })
}

fn collect(value: &Value, default: Role, nesting: u8, found: &mut Vec<Message>) {
    match value {
        Value::Null => {}
        Value::Array(items) if nesting > 0 => {
            // A list of parts without a speaker is one message.
            if !items.is_empty() && items.iter().all(is_bare_part) {
                let parts = items.iter().map(part).collect();
                found.push(Message { role: default, parts, name: None, finish_reason: None });
                return;
            }
            for item in items {
                collect(item, default, nesting - 1, found);
            }
        }
        Value::Object(object) => match object.get("messages") {
            Some(inner) if nesting > 0 && !object.contains_key("role") => {
                if let Some(system) = object.get("system").and_then(instructions) {
                    found.push(system);
                }
                collect(inner, default, nesting - 1, found);
            }
            // OpenAI's choices wrap the message.
            _ => match object.get("message") {
                Some(Value::Object(inner)) if !object.contains_key("role") => {
                    let mut message = message(inner, default);
                    message.finish_reason = message.finish_reason.or_else(|| text(object, "finish_reason"));
                    found.push(message);
                }
                _ => found.push(message(object, default)),
            },
        },
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => found.push(Message::text(default, text.clone())),
        other => found.push(Message::text(default, other.to_string())),
    }
}

fn is_bare_part(value: &Value) -> bool {
    let Some(object) = value.as_object() else { return false };
    !["role", "parts", "message", "messages", "data"].iter().any(|key| object.contains_key(*key))
        && (object.contains_key("type") || object.contains_key("text"))
        && object.get("type").and_then(Value::as_str).and_then(role).is_none()
}

fn message(object: &Map<String, Value>, default: Role) -> Message {
    // LangChain: `{type: "human", data: {content}}` or `{type: "ai", content}`.
    let data = object.get("data").and_then(Value::as_object).unwrap_or(object);
    let spoken = text(object, "role").or_else(|| text(object, "type"));
    let known = spoken.as_deref().and_then(role);
    let role = known.unwrap_or(default);

    let mut parts = Vec::new();
    if let Some(reasoning) = text(data, "reasoning_content").or_else(|| text(data, "reasoning")) {
        parts.push(Part::Reasoning { content: reasoning, signature: None, encrypted: None });
    }
    match data.get("parts") {
        Some(Value::Array(items)) => parts.extend(items.iter().map(part)),
        _ => parts.extend(data.get("content").or_else(|| data.get("text")).map(parts_of_content).unwrap_or_default()),
    }
    if let Some(refusal) = text(data, "refusal") {
        parts.push(Part::Refusal { content: refusal });
    }
    if let Some(Value::Array(calls)) = data.get("tool_calls").map(unpacked) {
        parts.extend(calls.iter().filter_map(tool_call));
    }
    if let Some(call) = data.get("function_call").and_then(Value::as_object) {
        parts.extend(tool_call(&Value::Object(call.clone())));
    }
    if role == Role::Tool {
        parts = answered(parts, text(data, "tool_call_id").or_else(|| text(data, "id")));
    }
    Message {
        role,
        parts,
        name: text(data, "name").or_else(|| spoken.filter(|_| known.is_none() && object.contains_key("role"))),
        finish_reason: text(data, "finish_reason").or_else(|| text(data, "stop_reason")),
    }
}

/// `{id, function: {name, arguments}}`, `{id, name, args}`, `{tool_call: {…}}`.
fn tool_call(value: &Value) -> Option<Part> {
    let call = value.get("tool_call").unwrap_or(value);
    let function = call.get("function").unwrap_or(call);
    let name = function.get("name").and_then(Value::as_str)?;
    let given = ["arguments", "args", "input"].iter().find_map(|key| function.get(*key));
    Some(Part::ToolCall {
        id: ["id", "tool_call_id", "call_id"].iter().find_map(|key| call.get(*key)?.as_str()).map(str::to_owned),
        name: name.to_owned(),
        arguments: given.map(arguments).unwrap_or_default(),
    })
}

/// What a tool says is the answer to a call.
fn answered(parts: Vec<Part>, id: Option<String>) -> Vec<Part> {
    parts
        .into_iter()
        .map(|part| match part {
            Part::Text { content } => {
                Part::ToolCallResponse { id: id.clone(), response: Value::String(content), is_error: false }
            }
            other => other,
        })
        .collect()
}

fn text(object: &Map<String, Value>, key: &str) -> Option<String> {
    object.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(value: Value, expected: Value) {
        assert_eq!(json!(messages(&value, Role::User)), expected, "{value}");
    }

    #[test]
    fn the_conventions() {
        let value = json!([
            {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": "{\"a\":1}"}], "finish_reason": "tool_call"},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "result": "ok"}]},
        ]);
        let expected = json!([
            {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": {"a": 1}}], "finish_reason": "tool_call"},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": "ok"}]},
        ]);
        check(value.clone(), expected.clone());
        check(json!(value.to_string()), expected);
    }

    #[test]
    fn openai_and_anthropic() {
        check(
            json!([
                {"role": "developer", "content": "be brief"},
                {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c", "content": "42"},
            ]),
            json!([
                {"role": "system", "parts": [{"type": "text", "content": "be brief"}]},
                {"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": {}}]},
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": "42"}]},
            ]),
        );
        check(
            json!({"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}], "stop_reason": "tool_use"}),
            json!([{"role": "assistant", "parts": [{"type": "reasoning", "content": "hm", "signature": "s"}, {"type": "tool_call", "id": "t", "name": "f", "arguments": {"a": 1}}], "finish_reason": "tool_use"}]),
        );
    }

    #[test]
    fn texts_choices_and_wrappers() {
        check(json!("hello"), json!([{"role": "user", "parts": [{"type": "text", "content": "hello"}]}]));
        check(
            json!(["a", "b"]),
            json!([
                {"role": "user", "parts": [{"type": "text", "content": "a"}]},
                {"role": "user", "parts": [{"type": "text", "content": "b"}]},
            ]),
        );
        check(
            json!([{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}]),
            json!([{"role": "assistant", "parts": [{"type": "text", "content": "hi"}], "finish_reason": "stop"}]),
        );
        check(
            json!({"system": "s", "messages": [[{"type": "human", "data": {"content": "q"}}]]}),
            json!([
                {"role": "system", "parts": [{"type": "text", "content": "s"}]},
                {"role": "user", "parts": [{"type": "text", "content": "q"}]},
            ]),
        );
        check(
            json!([{"role": "critic", "content": "no"}]),
            json!([{"role": "user", "parts": [{"type": "text", "content": "no"}], "name": "critic"}]),
        );
        check(json!(null), json!([]));
        check(json!([]), json!([]));
    }

    #[test]
    fn what_a_user_wrote_stays_text() {
        for text in ["{\"a\":1}", "[1,2]", "[{\"a\":1}]"] {
            check(
                json!([{"role": "user", "content": text}]),
                json!([{"role": "user", "parts": [{"type": "text", "content": text}]}]),
            );
        }
    }

    #[test]
    fn instructions_in_every_shape() {
        let expected = Some(Message::text(Role::System, "be brief"));
        for value in [
            json!([{"type": "text", "content": "be brief"}]),
            json!("be brief"),
            json!("[{\"type\":\"text\",\"content\":\"be brief\"}]"),
            json!([{"role": "system", "parts": [{"type": "text", "content": "be brief"}]}]),
        ] {
            assert_eq!(instructions(&value), expected, "{value}");
        }
        assert_eq!(instructions(&json!([])), None);
    }
}
