use serde_json::Value;
use signalbox_types::{Message, Part, Role, Span, ToolDefinition};

use crate::Attributes;
use crate::content::{arguments, image_at, messages, role, tools};
use crate::flatten::unflatten;

/// Messages, completions and tools.
pub(super) fn read(from: &Attributes, span: &mut Span) {
    if span.input_messages.is_empty() {
        span.input_messages = conversation(from, "llm.input_messages", Role::User)
            .or_else(|| texts(from, "llm.prompts", "prompt", Role::User))
            .unwrap_or_default();
    }
    if span.output_messages.is_empty() {
        span.output_messages = conversation(from, "llm.output_messages", Role::Assistant)
            .or_else(|| texts(from, "llm.choices", "completion", Role::Assistant))
            .unwrap_or_default();
    }
    if span.finish_reasons.is_empty() {
        span.finish_reasons = span.output_messages.iter().filter_map(|message| message.finish_reason.clone()).collect();
    }
    if span.finish_reasons.is_empty() {
        span.finish_reasons = from.texts(&["llm.finish_reason"]);
    }
    if span.tools.is_empty() {
        span.tools = definitions(from);
    }
}

/// Flattened, or (some emitters) the whole list as one value.
fn conversation(from: &Attributes, name: &str, default: Role) -> Option<Vec<Message>> {
    if let Some(Value::Array(items)) = unflatten(from, &format!("{name}.")) {
        return Some(items.iter().map(|item| message(item.get("message").unwrap_or(item), default)).collect());
    }
    match from.json(&[name])? {
        Value::Array(items) => {
            let flat = |item: &Value| item.get("message").is_some() || item.get("message.role").is_some();
            if items.iter().any(flat) {
                return Some(items.iter().map(|item| message(item.get("message").unwrap_or(item), default)).collect());
            }
            Some(messages(&Value::Array(items), default))
        }
        other => Some(messages(&other, default)),
    }
}

fn message(value: &Value, default: Role) -> Message {
    let spoken = text(value, "role");
    let known = spoken.as_deref().and_then(role);
    let speaker = known.unwrap_or(default);
    let mut parts: Vec<Part> =
        list(value, "contents").iter().map(|item| content(item.get("message_content").unwrap_or(item))).collect();
    if parts.is_empty()
        && let Some(content) = text(value, "content").filter(|content| !content.is_empty())
    {
        parts.push(match speaker {
            Role::Tool => Part::ToolCallResponse {
                id: text(value, "tool_call_id"),
                response: Value::String(content),
                is_error: false,
            },
            _ => Part::Text { content },
        });
    }
    parts.extend(list(value, "tool_calls").iter().filter_map(|item| tool_call(item.get("tool_call").unwrap_or(item))));
    // Before OpenAI had tools it had functions.
    if let Some(name) = text(value, "function_call_name") {
        let given = value.get("function_call_arguments_json").map(arguments).unwrap_or_default();
        parts.push(Part::ToolCall { id: None, name, arguments: given });
    }
    Message {
        role: speaker,
        parts,
        name: text(value, "name").or_else(|| spoken.filter(|_| known.is_none())),
        finish_reason: text(value, "finish_reason"),
    }
}

fn content(value: &Value) -> Part {
    let known = match text(value, "type").as_deref() {
        Some("text") => text(value, "text").map(|content| Part::Text { content }),
        Some("image") => ["/image/image/url", "/image/url"]
            .iter()
            .find_map(|path| value.pointer(path)?.as_str())
            .map(|uri| image_at(uri.to_owned())),
        Some("reasoning" | "thinking" | "redacted_thinking") => Some(Part::Reasoning {
            content: text(value, "text").unwrap_or_default(),
            signature: text(value, "signature"),
            encrypted: text(value, "encrypted_content").or_else(|| text(value, "data")),
        }),
        _ => None,
    };
    known.unwrap_or_else(|| Part::Other(value.clone()))
}

fn tool_call(value: &Value) -> Option<Part> {
    let function = value.get("function")?;
    Some(Part::ToolCall {
        id: text(value, "id"),
        name: text(function, "name")?,
        arguments: function.get("arguments").map(arguments).unwrap_or_default(),
    })
}

/// `llm.prompts.N.prompt.text`, `llm.choices.N.completion.text`, or a list of texts.
fn texts(from: &Attributes, list: &str, item: &str, role: Role) -> Option<Vec<Message>> {
    if let Some(Value::Array(items)) = unflatten(from, &format!("{list}.")) {
        let said = |value: &Value| text(value.get(item).unwrap_or(value), "text");
        return Some(items.iter().filter_map(said).map(|said| Message::text(role, said)).collect());
    }
    let texts = from.texts(&[list]);
    (!texts.is_empty()).then(|| texts.into_iter().map(|said| Message::text(role, said)).collect())
}

fn definitions(from: &Attributes) -> Vec<ToolDefinition> {
    match unflatten(from, "llm.tools.") {
        Some(Value::Array(items)) => items
            .iter()
            .flat_map(|item| {
                let tool = item.get("tool").unwrap_or(item);
                tools(tool.get("json_schema").unwrap_or(tool))
            })
            .collect(),
        _ => from.get("llm.tools").map(tools).unwrap_or_default(),
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
