//! Messages: content blocks, tool calls, tool answers, thinking.

use std::borrow::Cow;

use serde_json::{Map, Value};
use signalbox_types::{Message, Modality, Part, Role};

use super::DIALECT;
use super::texts::{CONTENT, role};
use crate::canonical::{ChatRequest, Hinted, PartHints, no_counterpart, signature};
use crate::error::WireError;
use crate::json::{Node, Path};
use crate::media::{part_of_url, plain_text, plain_text_blob};
use crate::write::Writer;

/// The key that carries arguments which are no JSON object, since this dialect has objects only.
pub(crate) const INVALID_ARGUMENTS: &str = "invalid_json_arguments";

pub(super) fn decode_message(node: Node<'_>, path: Path<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    let fields = node.object(path)?;
    let role = role(&fields, path)?;
    let content = fields.get("content").ok_or_else(|| path.key("content").missing(CONTENT))?;
    let parts = decode_content(content, path.key("content"))?;
    request.push_turn(role, parts, path);
    Ok(())
}

pub(super) fn decode_content(content: Node<'_>, path: Path<'_>) -> Result<Hinted, WireError> {
    if content.is_text() {
        return Ok(vec![(Part::Text { content: content.unescape().into_owned() }, PartHints::default())]);
    }
    if !content.is_list() {
        return Err(path.invalid(CONTENT, content.kind()));
    }
    content.list(path)?.into_iter().enumerate().map(|(index, node)| decode_block(node, path.index(index))).collect()
}

fn decode_block(node: Node<'_>, path: Path<'_>) -> Result<(Part, PartHints), WireError> {
    let block = node.object(path)?;
    let mut hints = PartHints {
        cache_control: block.get("cache_control").map(|mark| mark.value(path.key("cache_control"))).transpose()?,
        ..PartHints::default()
    };
    let text = |name: &str| block.text(name, path).map(|text| text.map(Cow::into_owned));
    let kind = block.required_text("type", path, "the kind of content, e.g. `text`")?;
    let part = match kind.as_str() {
        "text" => Part::Text { content: block.required_text("text", path, "a string")? },
        "thinking" => Part::Reasoning {
            content: text("thinking")?.unwrap_or_default(),
            signature: text("signature")?.filter(|signature| !signature.is_empty()),
            encrypted: None,
        },
        "redacted_thinking" => Part::Reasoning {
            content: String::new(),
            signature: None,
            encrypted: Some(block.required_text("data", path, "the encrypted thinking as it came")?),
        },
        "tool_use" => Part::ToolCall {
            id: text("id")?,
            name: block.required_text("name", path, "the name of a tool")?,
            arguments: Value::Object(block.map("input", path)?),
        },
        "tool_result" => Part::ToolCallResponse {
            id: text("tool_use_id")?,
            response: match block.get("content") {
                None => Value::String(String::new()),
                Some(content) if content.is_text() => Value::String(content.unescape().into_owned()),
                Some(content) if content.is_list() => content.value(path.key("content"))?,
                Some(content) => return Err(path.key("content").invalid(CONTENT, content.kind())),
            },
            is_error: block.flag("is_error", path)?.unwrap_or(false),
        },
        "image" | "document" => {
            hints.file_name = text("title")?;
            let value = node.value(path)?;
            media_part(&value).unwrap_or(Part::Other(value))
        }
        _ => Part::Other(node.value(path)?),
    };
    Ok((part, hints))
}

/// A picture or document block; `None` if it is anything else, or says more than a part can hold.
pub(crate) fn media_part(block: &Value) -> Option<Part> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let modality = match block.get("type")?.as_str()? {
        "image" => Modality::Image,
        "document" => Modality::Document,
        _ => return None,
    };
    let harmless = |(name, value): (&String, &Value)| match name.as_str() {
        "type" | "source" | "title" | "cache_control" => true,
        "citations" => value.is_null() || value.get("enabled") != Some(&Value::Bool(true)),
        _ => value.is_null(),
    };
    if !block.as_object()?.iter().all(harmless) {
        return None;
    }
    let source = block.get("source")?;
    Some(match source.get("type")?.as_str()? {
        "base64" => Part::Blob { mime_type: text(source, "media_type"), modality, content: text(source, "data")? },
        "url" => part_of_url(text(source, "url")?.into(), modality),
        "text" => plain_text_blob(&text(source, "data")?),
        _ => return None,
    })
}

/// One message of this dialect: canonical messages that belong together here.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) role: &'static str,
    pub(super) messages: Vec<usize>,
}

/// Groups the conversation: answers of tools are user messages here, all answers to one message
/// must stand in one, and what the user adds right after them stands behind them.
pub(super) fn turns(request: &ChatRequest) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    let mut after_tool = false;
    for (index, message) in request.messages.iter().enumerate() {
        let role = match message.role {
            Role::System => continue,
            Role::Assistant if says_nothing(request, message) => continue,
            Role::Assistant => "assistant",
            Role::User | Role::Tool => "user",
        };
        match turns.last_mut() {
            Some(last) if after_tool && role == "user" => last.messages.push(index),
            _ => turns.push(Turn { role, messages: vec![index] }),
        }
        after_tool = message.role == Role::Tool;
    }
    turns
}

/// An earlier answer that would be empty here, which Anthropic refuses.
fn says_nothing(request: &ChatRequest, message: &Message) -> bool {
    let is_nothing = |part: &Part| match part {
        Part::Text { content } | Part::Refusal { content } => content.is_empty(),
        Part::Reasoning { encrypted: Some(_), .. } => false,
        Part::Reasoning { signature, .. } => !signature.as_deref().is_some_and(signature::is_of_anthropic),
        _ => false,
    };
    request.extras.dialect != DIALECT && message.parts.iter().all(is_nothing)
}

pub(super) fn encode_turn(w: &mut Writer, request: &ChatRequest, turn: &Turn) -> Result<(), WireError> {
    let mut result = Ok(());
    w.object(|w| {
        w.field("role", turn.role);
        if let [index] = turn.messages.as_slice()
            && let Some(text) = only_text(request, *index)
        {
            w.field("content", &text);
            return;
        }
        w.list_field("content", |w| {
            result = turn.messages.iter().try_for_each(|index| encode_message(w, request, *index));
        });
    });
    result
}

/// The text of a message that is just one text.
fn only_text(request: &ChatRequest, index: usize) -> Option<String> {
    let message = request.messages.get(index)?;
    match message.parts.as_slice() {
        [Part::Text { content }] if request.hints(index, 0).is_none() => Some(named(message, content).into_owned()),
        _ => None,
    }
}

/// The first text of a user who is told apart by name: the name has no field here, but the model must see it.
pub(crate) fn named<'a>(message: &Message, text: &'a str) -> Cow<'a, str> {
    match &message.name {
        Some(name) if message.role == Role::User => Cow::Owned(format!("{name}: {text}")),
        _ => Cow::Borrowed(text),
    }
}

pub(super) fn encode_message(w: &mut Writer, request: &ChatRequest, index: usize) -> Result<(), WireError> {
    let Some(message) = request.messages.get(index) else { return Ok(()) };
    let field = request.content_name(index);
    let mut name_is_due = true;
    for (place, part) in message.parts.iter().enumerate() {
        let hints = request.hints(index, place);
        match part {
            Part::Other(value) if request.extras.dialect == DIALECT => w.item(value),
            // Anthropic refuses what others have signed.
            Part::Reasoning { signature: Some(signature), .. } if !signature::is_of_anthropic(signature) => {}
            Part::Text { content } if name_is_due => {
                name_is_due = false;
                encode_text(w, &named(message, content), hints);
            }
            Part::ToolCallResponse { id: None, .. } => {
                return Err(DIALECT.lacks(request.call_id_name(index), "set it to the id of the call that is answered"));
            }
            part => encode_part(w, part, hints, &field)?,
        }
    }
    Ok(())
}

fn encode_text(w: &mut Writer, text: &str, hints: Option<&PartHints>) {
    // Empty texts are refused, and say nothing.
    if !text.is_empty() {
        w.object(|w| {
            w.field("type", "text");
            w.field("text", text);
            cache_control(w, hints);
        });
    }
}

fn cache_control(w: &mut Writer, hints: Option<&PartHints>) {
    w.field_if("cache_control", hints.and_then(|hints| hints.cache_control.as_ref()));
}

pub(super) fn encode_part(
    w: &mut Writer,
    part: &Part,
    hints: Option<&PartHints>,
    field: &str,
) -> Result<(), WireError> {
    match part {
        Part::Text { content } | Part::Refusal { content } => encode_text(w, content, hints),
        Part::Reasoning { encrypted: Some(data), .. } => w.object(|w| {
            w.field("type", "redacted_thinking");
            w.field("data", data);
        }),
        Part::Reasoning { content, signature: Some(signature), .. } => w.object(|w| {
            w.field("type", "thinking");
            w.field("thinking", content);
            w.field("signature", signature);
        }),
        // Without a signature the provider refuses it: it is another model's thinking.
        Part::Reasoning { .. } => {}
        Part::ToolCall { id, name, arguments } => {
            let Some(id) = id else {
                return Err(
                    DIALECT.lacks(field, "a call of a tool must have an id: use `tool_calls`, not `function_call`")
                );
            };
            encode_tool_use(w, &tool_id(id), name, arguments, hints);
        }
        Part::ToolCallResponse { id, response, is_error } => {
            let Some(id) = id else {
                return Err(DIALECT.lacks(field, "set it to the id of the call that is answered"));
            };
            w.object(|w| {
                w.field("type", "tool_result");
                w.field("tool_use_id", &tool_id(id));
                match response {
                    Value::Object(_) | Value::Number(_) | Value::Bool(_) => w.field("content", &response.to_string()),
                    Value::Null => {}
                    texts => w.field("content", texts),
                }
                if *is_error {
                    w.field("is_error", &true);
                }
                cache_control(w, hints);
            });
        }
        Part::Blob { mime_type, modality: Modality::Image, content } => {
            let Some(mime_type) = mime_type else {
                return Err(DIALECT.lacks(field, "the data URL must name its media type, e.g. `image/png`"));
            };
            media(w, "image", hints, |w| base64_source(w, mime_type, content));
        }
        Part::Uri { modality: Modality::Image, uri, .. } => media(w, "image", hints, |w| url_source(w, uri)),
        Part::Uri { modality: Modality::Document, uri, .. } => media(w, "document", hints, |w| url_source(w, uri)),
        Part::Blob { mime_type, modality: Modality::Document, content } => {
            media(w, "document", hints, |w| match plain_text(mime_type.as_deref(), content) {
                Some(text) => {
                    w.field("type", "text");
                    w.field("media_type", "text/plain");
                    w.field("data", &text);
                }
                None => base64_source(w, mime_type.as_deref().unwrap_or("application/pdf"), content),
            });
        }
        Part::File { .. } => {
            return Err(DIALECT.lacks(field, "a file uploaded to one provider is unknown to another; send it inline"));
        }
        Part::Blob { .. } | Part::Uri { .. } => {
            return Err(DIALECT.lacks(field, "it takes text, images and documents, no sound and no video"));
        }
        Part::Other(value) => {
            return Err(DIALECT.lacks(field, no_counterpart(value)));
        }
    }
    Ok(())
}

/// An id that the API takes: letters, digits, `_` and `-`. Call and answer change alike.
pub(crate) fn tool_id(id: &str) -> Cow<'_, str> {
    let is_fine = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
    if id.chars().all(is_fine) {
        return Cow::Borrowed(id);
    }
    Cow::Owned(id.chars().map(|char| if is_fine(char) { char } else { '_' }).collect())
}

pub(super) fn encode_tool_use(w: &mut Writer, id: &str, name: &str, arguments: &Value, hints: Option<&PartHints>) {
    w.object(|w| {
        w.field("type", "tool_use");
        w.field("id", id);
        w.field("name", name);
        match arguments {
            Value::Object(_) => w.field("input", arguments),
            Value::Null => w.field("input", &Map::<String, Value>::new()),
            other => w.object_field("input", |w| w.field(INVALID_ARGUMENTS, other)),
        }
        cache_control(w, hints);
    });
}

fn media(w: &mut Writer, kind: &str, hints: Option<&PartHints>, source: impl FnOnce(&mut Writer)) {
    w.object(|w| {
        w.field("type", kind);
        w.object_field("source", source);
        if kind == "document" {
            w.field_if("title", hints.and_then(|hints| hints.file_name.as_ref()));
        }
        cache_control(w, hints);
    });
}

fn base64_source(w: &mut Writer, mime_type: &str, content: &str) {
    w.field("type", "base64");
    w.field("media_type", mime_type);
    w.field("data", content);
}

fn url_source(w: &mut Writer, uri: &str) {
    w.field("type", "url");
    w.field("url", uri);
}

/// A block that only this dialect's answers have: what tools of the provider's own were asked, and what they answered.
pub(super) fn is_own(block: &Value) -> bool {
    let kind = block.get("type").and_then(Value::as_str).unwrap_or_default();
    matches!(kind, "server_tool_use" | "mcp_tool_use" | "container_upload") || kind.ends_with("_tool_result")
}

/// Writes the fields of an assistant's answer; `None` for fields means it has no counterpart.
pub(super) fn encode_answer_part(w: &mut Writer, part: &Part) -> Result<(), WireError> {
    match part {
        // Providers that don't sign show their thinking too; SDKs want the field all the same.
        Part::Reasoning { content, signature: None, encrypted: None } => {
            w.object(|w| {
                w.field("type", "thinking");
                w.field("thinking", content);
                w.field("signature", "");
            });
            Ok(())
        }
        Part::ToolCall { id, name, arguments } => {
            encode_tool_use(w, id.as_deref().unwrap_or(name), name, arguments, None);
            Ok(())
        }
        Part::Other(block) if is_own(block) => {
            w.item(block);
            Ok(())
        }
        part => encode_part(w, part, None, "answer.content"),
    }
}
