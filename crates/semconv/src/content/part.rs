use serde_json::{Map, Value};
use signalbox_types::{Modality, Part};

use crate::attributes::packed_json;

/// A tool call's arguments: JSON in a text is read, once; what is no JSON stays a text.
pub(crate) fn arguments(value: &Value) -> Value {
    match value {
        Value::String(text) => packed_json(text).unwrap_or_else(|| value.clone()),
        other => other.clone(),
    }
}

/// The parts of a message's `content`: a text, a list of parts, or a list of parts as JSON in a
/// text (span event attributes can't be structured).
pub(super) fn parts_of_content(content: &Value) -> Vec<Part> {
    match content {
        Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => match packed_json(text) {
            Some(Value::Array(items)) if !items.is_empty() && items.iter().all(is_known_part) => {
                items.iter().map(part).collect()
            }
            _ => vec![Part::Text { content: text.clone() }],
        },
        Value::Array(items) => items.iter().map(part).collect(),
        other => vec![part(other)],
    }
}

/// It could hardly be what somebody typed.
fn is_known_part(value: &Value) -> bool {
    let Some(object) = value.as_object() else { return false };
    match text(object, "type") {
        Some(kind) => matches!(
            kind.as_str(),
            "text"
                | "tool_use"
                | "tool_result"
                | "thinking"
                | "image"
                | "image_url"
                | "tool_call"
                | "tool_call_response"
        ),
        None => ["text", "toolUse", "toolResult", "functionCall", "functionResponse"]
            .iter()
            .any(|key| object.len() == 1 && object.contains_key(*key)),
    }
}

/// One part, in the words of the conventions, OpenAI, Anthropic, Bedrock or Gemini. What nobody
/// knows is kept as it came.
pub(super) fn part(value: &Value) -> Part {
    let object = match value {
        Value::String(text) => return Part::Text { content: text.clone() },
        Value::Object(object) => object,
        other => return Part::Other(other.clone()),
    };
    let known = match text(object, "type").as_deref() {
        Some("text" | "input_text" | "output_text") => {
            text(object, "content").or_else(|| text(object, "text")).map(|content| Part::Text { content })
        }
        Some("tool_call" | "tool_use" | "function_call") => tool_call(object),
        Some("tool_call_response" | "tool_result" | "function_call_output") => Some(tool_response(object)),
        Some("thinking" | "reasoning") => Some(Part::Reasoning {
            content: first_text(object, &["content", "thinking", "text", "reasoning"]).unwrap_or_default(),
            signature: text(object, "signature"),
            encrypted: first_text(object, &["encrypted", "encrypted_content"]),
        }),
        Some("redacted_thinking") => Some(Part::Reasoning {
            content: String::new(),
            signature: None,
            encrypted: first_text(object, &["data", "encrypted_content"]),
        }),
        Some("refusal") => first_text(object, &["content", "refusal"]).map(|content| Part::Refusal { content }),
        Some("image_url" | "input_image" | "image") => image(object),
        Some("input_audio") => object.get("input_audio").and_then(Value::as_object).and_then(|audio| {
            let mime_type = text(audio, "format").map(|format| format!("audio/{format}"));
            Some(Part::Blob { mime_type, modality: Modality::Audio, content: text(audio, "data")? })
        }),
        Some("file") => {
            let inner = object.get("file").and_then(Value::as_object).unwrap_or(object);
            text(inner, "file_id").map(|file_id| Part::File { file_id })
        }
        Some(_) => serde_json::from_value(value.clone()).ok(),
        None => untyped(object),
    };
    known.unwrap_or_else(|| Part::Other(value.clone()))
}

/// Gemini's and Bedrock's parts say what they are by the name of their one field.
fn untyped(object: &Map<String, Value>) -> Option<Part> {
    if let Some(content) = text(object, "text") {
        return Some(Part::Text { content });
    }
    let of = |keys: &[&str]| keys.iter().find_map(|key| object.get(*key)?.as_object());
    if let Some(call) = of(&["functionCall", "function_call", "toolUse"]) {
        return tool_call(call);
    }
    of(&["functionResponse", "function_response", "toolResult"]).map(tool_response)
}

fn tool_call(object: &Map<String, Value>) -> Option<Part> {
    let function = object.get("function").and_then(Value::as_object).unwrap_or(object);
    let given = ["arguments", "args", "input"].iter().find_map(|key| function.get(*key));
    Some(Part::ToolCall {
        id: first_text(object, &["id", "call_id", "tool_call_id", "toolUseId"]),
        name: text(function, "name")?,
        arguments: given.map(arguments).unwrap_or_default(),
    })
}

fn tool_response(object: &Map<String, Value>) -> Part {
    let response = ["response", "result", "content", "output"].iter().find_map(|key| object.get(*key));
    Part::ToolCallResponse {
        id: first_text(object, &["id", "tool_use_id", "call_id", "tool_call_id", "toolUseId"]),
        response: response.cloned().unwrap_or_default(),
        is_error: object.get("is_error").and_then(Value::as_bool).unwrap_or(false)
            || text(object, "status").as_deref() == Some("error"),
    }
}

/// OpenAI's `{image_url: {url}}` and Anthropic's `{source: {type, media_type, data | url}}`.
fn image(object: &Map<String, Value>) -> Option<Part> {
    if let Some(source) = object.get("source").and_then(Value::as_object) {
        let mime_type = text(source, "media_type");
        return match text(source, "data") {
            Some(content) => Some(Part::Blob { mime_type, modality: Modality::Image, content }),
            None => text(source, "url").map(|uri| Part::Uri { mime_type, modality: Modality::Image, uri }),
        };
    }
    let link = ["image_url", "image", "url"].iter().find_map(|key| object.get(*key))?;
    let uri = match link {
        Value::Object(link) => text(link, "url")?,
        link => link.as_str()?.to_owned(),
    };
    Some(image_at(uri))
}

/// A picture at an address, or within it (`data:image/png;base64,…`).
pub(crate) fn image_at(uri: String) -> Part {
    if let Some((mime_type, content)) = uri.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        let mime_type = Some(mime_type.to_owned());
        return Part::Blob { mime_type, modality: Modality::Image, content: content.to_owned() };
    }
    Part::Uri { mime_type: None, modality: Modality::Image, uri }
}

fn text(object: &Map<String, Value>, key: &str) -> Option<String> {
    object.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn first_text(object: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| text(object, key))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_of_many_houses() {
        let check = |value: Value, expected: Value| assert_eq!(json!(part(&value)), expected, "{value}");
        check(json!("hi"), json!({"type": "text", "content": "hi"}));
        check(json!({"text": "hi"}), json!({"type": "text", "content": "hi"}));
        check(json!({"type": "output_text", "text": "hi"}), json!({"type": "text", "content": "hi"}));
        check(
            json!({"functionCall": {"name": "f", "args": {"a": 1}}}),
            json!({"type": "tool_call", "name": "f", "arguments": {"a": 1}}),
        );
        check(
            json!({"toolResult": {"toolUseId": "t", "content": [{"text": "x"}], "status": "error"}}),
            json!({"type": "tool_call_response", "id": "t", "response": [{"text": "x"}], "is_error": true}),
        );
        check(
            json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}),
            json!({"type": "blob", "mime_type": "image/png", "modality": "image", "content": "AAAA"}),
        );
        check(
            json!({"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}),
            json!({"type": "uri", "modality": "image", "uri": "https://x/y.png"}),
        );
        check(
            json!({"type": "blob", "modality": "audio", "content": "AAAA"}),
            json!({"type": "blob", "modality": "audio", "content": "AAAA"}),
        );
        check(
            json!({"type": "redacted_thinking", "data": "x"}),
            json!({"type": "reasoning", "content": "", "encrypted": "x"}),
        );
        for unknown in [json!({"type": "compaction", "content": "x"}), json!({"type": "text"}), json!(7), json!({})] {
            check(unknown.clone(), unknown);
        }
    }
}
