//! Messages: content, plans, tool calls, tool answers.

use std::borrow::Cow;

use serde_json::{Value, json};
use signalbox_types::{Message, Modality, Part, Role};

use super::{DIALECT, citations};
use crate::canonical::{ChatRequest, Citation, PartHints, arguments_from_text, arguments_to_text, no_counterpart};
use crate::dialects::anthropic_messages::named;
use crate::error::WireError;
use crate::json::{Node, Object, Path};
use crate::media::{data_url, part_of_url, plain_text};
use crate::write::Writer;

pub(super) const CONTENT: &str = "a string or a list of content parts";

pub(super) fn role(message: &Object<'_>, path: Path<'_>) -> Result<Role, WireError> {
    const EXPECTED: &str = "`user`, `assistant`, `system` or `tool`";
    Ok(match message.required_text("role", path, EXPECTED)?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" | "developer" => Role::System,
        "tool" => Role::Tool,
        _ => return Err(path.key("role").invalid(EXPECTED, "another word")),
    })
}

pub(super) fn decode_message(node: Node<'_>, path: Path<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    let fields = node.object(path)?;
    let role = role(&fields, path)?;
    let message = request.messages.len();
    let parts = if role == Role::Tool {
        let id = fields.text("tool_call_id", path)?.map(Cow::into_owned);
        vec![Part::ToolCallResponse { id, response: answer(&fields, path)?, is_error: false }]
    } else {
        let mut hints = Vec::new();
        let parts = parts(&fields, path, &mut hints)?;
        request.part_hints.extend(hints.into_iter().map(|(part, hints)| ((message, part), hints)));
        parts
    };
    request.push(Message { role, parts, name: None, finish_reason: None }, path);
    Ok(())
}

/// The parts of a message or of an answer: content, the plan before calls, the calls.
pub(super) fn parts(
    message: &Object<'_>,
    path: Path<'_>,
    hints: &mut Vec<(usize, PartHints)>,
) -> Result<Vec<Part>, WireError> {
    let mut parts = Vec::new();
    if let Some(content) = message.get("content") {
        let path = path.key("content");
        if content.is_text() {
            parts.push(Part::Text { content: content.unescape().into_owned() });
        } else if content.is_list() {
            for (index, node) in content.list(path)?.into_iter().enumerate() {
                let (part, hint) = content_part(node, path.index(index))?;
                hints.extend((hint != PartHints::default()).then_some((parts.len(), hint)));
                parts.push(part);
            }
        } else {
            return Err(path.invalid(CONTENT, content.kind()));
        }
    }
    if let Some(plan) = message.text("tool_plan", path)?.filter(|plan| !plan.is_empty()) {
        parts.push(Part::Text { content: plan.into_owned() });
    }
    let calls = path.key("tool_calls");
    for (index, node) in message.children("tool_calls", path)?.into_iter().enumerate() {
        let path = calls.index(index);
        let call = node.object(path)?;
        let id = call.text("id", path)?.map(Cow::into_owned);
        let function = call.child("function", path)?.ok_or_else(|| path.key("function").missing("an object"))?;
        let path = path.key("function");
        parts.push(Part::ToolCall {
            id,
            name: function.required_text("name", path, "the name of a tool")?,
            arguments: arguments_from_text(&function.text("arguments", path)?.unwrap_or_default()),
        });
    }
    Ok(parts)
}

fn content_part(node: Node<'_>, path: Path<'_>) -> Result<(Part, PartHints), WireError> {
    let fields = node.object(path)?;
    let mut hints = PartHints::default();
    let part = match fields.required_text("type", path, "the kind of content, e.g. `text`")?.as_str() {
        "text" => Part::Text { content: fields.required_text("text", path, "a string")? },
        "thinking" => Part::Reasoning {
            content: fields.text("thinking", path)?.map(Cow::into_owned).unwrap_or_default(),
            signature: None,
            encrypted: None,
        },
        "image_url" => {
            const EXPECTED: &str = "an object with a `url`";
            let image = fields.child("image_url", path)?.ok_or_else(|| path.key("image_url").missing(EXPECTED))?;
            let path = path.key("image_url");
            hints.image_detail = image.text("detail", path)?.map(Cow::into_owned);
            part_of_url(image.required_text("url", path, "a link or a data URL")?.into(), Modality::Image)
        }
        _ => Part::Other(node.value(path)?),
    };
    Ok((part, hints))
}

/// A tool's answer: a string, or a list whose documents become texts, which every dialect knows.
fn answer(message: &Object<'_>, path: Path<'_>) -> Result<Value, WireError> {
    let Some(content) = message.get("content") else { return Ok(Value::String(String::new())) };
    let path = path.key("content");
    if content.is_text() {
        return Ok(Value::String(content.unescape().into_owned()));
    }
    if !content.is_list() {
        return Err(path.invalid(CONTENT, content.kind()));
    }
    let mut items = Vec::new();
    for (index, node) in content.list(path)?.into_iter().enumerate() {
        let path = path.index(index);
        let item = node.object(path)?;
        let data = item.child("document", path)?.and_then(|document| document.get("data"));
        items.push(match data {
            Some(data) if data.is_text() => json!({ "type": "text", "text": data.unescape() }),
            Some(data) => json!({ "type": "text", "text": data.raw() }),
            None => node.value(path)?,
        });
    }
    Ok(Value::Array(items))
}

/// Writes one canonical message, as however many this dialect needs for it.
pub(super) fn encode_message(w: &mut Writer, request: &ChatRequest, index: usize) -> Result<(), WireError> {
    let Some(message) = request.messages.get(index) else { return Ok(()) };
    let field = request.content_name(index);
    let role = match message.role {
        Role::Tool => return encode_answers(w, request, index, message),
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let calls = message.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
    let said: Vec<(usize, &Part)> =
        message.parts.iter().enumerate().filter(|(_, part)| is_said(request, part)).collect();
    if said.is_empty() && !calls {
        // An empty message is refused, and says nothing.
        return Ok(());
    }
    let mut result = Ok(());
    w.object(|w| {
        w.field("role", role);
        if calls {
            // What is said before a call is its plan here.
            let (plan, others): (Vec<&Part>, Vec<&Part>) =
                said.iter().map(|(_, part)| *part).partition(|part| matches!(part, Part::Text { .. }));
            let plan: Vec<&str> =
                plan.iter().map(|part| if let Part::Text { content } = part { content.as_str() } else { "" }).collect();
            if !plan.is_empty() {
                w.field("tool_plan", &plan.join("\n"));
            }
            if !others.is_empty() {
                w.list_field("content", |w| {
                    result = others.iter().try_for_each(|part| encode_part(w, part, None, &field));
                });
            }
            encode_calls(w, &message.parts);
        } else if let [(_, Part::Text { content })] = said.as_slice() {
            w.field("content", &named(message, content));
        } else {
            w.list_field("content", |w| {
                let mut name_is_due = true;
                result = said.iter().try_for_each(|(place, part)| match part {
                    Part::Other(value) if request.extras.dialect == DIALECT => {
                        w.item(value);
                        Ok(())
                    }
                    Part::Text { content } if std::mem::take(&mut name_is_due) => {
                        text_part(w, &named(message, content));
                        Ok(())
                    }
                    part => encode_part(w, part, request.hints(index, *place), &field),
                });
            });
        }
    });
    result
}

/// Thinking is sent back to who thought it only.
fn is_said(request: &ChatRequest, part: &Part) -> bool {
    match part {
        Part::Text { content } | Part::Refusal { content } => !content.is_empty(),
        Part::Reasoning { content, .. } => request.extras.dialect == DIALECT && !content.is_empty(),
        Part::ToolCall { .. } => false,
        _ => true,
    }
}

fn encode_calls(w: &mut Writer, parts: &[Part]) {
    w.list_field("tool_calls", |w| {
        for part in parts {
            if let Part::ToolCall { id, name, arguments } = part {
                w.object(|w| {
                    w.field("id", id.as_deref().unwrap_or(name));
                    w.field("type", "function");
                    w.object_field("function", |w| {
                        w.field("name", name);
                        w.field("arguments", &arguments_to_text(arguments));
                    });
                });
            }
        }
    });
}

fn encode_answers(w: &mut Writer, request: &ChatRequest, index: usize, message: &Message) -> Result<(), WireError> {
    for part in &message.parts {
        let field = request.content_name(index);
        let Part::ToolCallResponse { id, response, is_error } = part else {
            return Err(DIALECT.lacks(field, "a tool message holds answers of tools only"));
        };
        let Some(id) = id else {
            let field = request.call_id_name(index);
            return Err(DIALECT.lacks(field, "set it to the id of the call that is answered"));
        };
        let text = answer_text(response, &field)?;
        w.object(|w| {
            w.field("role", "tool");
            w.field("tool_call_id", id);
            let error = if *is_error && !text.starts_with("Error") { "Error: " } else { "" };
            w.field("content", &format!("{error}{text}"));
        });
    }
    Ok(())
}

fn answer_text(response: &Value, field: &str) -> Result<String, WireError> {
    Ok(match response {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(items) => {
            let text = |item: &Value| item.get("text").and_then(Value::as_str).map(str::to_owned);
            let texts: Option<Vec<String>> = items.iter().map(text).collect();
            texts.ok_or_else(|| DIALECT.lacks(field, "a tool's answer is text there"))?.join("\n")
        }
        other => other.to_string(),
    })
}

fn text_part(w: &mut Writer, text: &str) {
    w.object(|w| {
        w.field("type", "text");
        w.field("text", text);
    });
}

/// Any part but calls and answers of tools, in a request or in an answer.
pub(super) fn encode_part(
    w: &mut Writer,
    part: &Part,
    hints: Option<&PartHints>,
    field: &str,
) -> Result<(), WireError> {
    let image = |w: &mut Writer, url: &str| {
        w.object(|w| {
            w.field("type", "image_url");
            w.object_field("image_url", |w| {
                w.field("url", url);
                w.field_if("detail", hints.and_then(|hints| hints.image_detail.as_ref()));
            });
        });
    };
    match part {
        Part::Text { content } | Part::Refusal { content } => text_part(w, content),
        Part::Reasoning { content, .. } => w.object(|w| {
            w.field("type", "thinking");
            w.field("thinking", content);
        }),
        Part::Blob { mime_type, modality: Modality::Image, content } => {
            image(w, &data_url(mime_type.as_deref().unwrap_or("image/png"), content));
        }
        Part::Uri { modality: Modality::Image, uri, .. } => image(w, uri),
        Part::Blob { mime_type, modality: Modality::Document, content } => {
            let name = hints.and_then(|hints| hints.file_name.as_deref());
            match plain_text(mime_type.as_deref(), content) {
                Some(text) => text_part(w, &name.map_or_else(|| text.clone(), |name| format!("{name}\n\n{text}"))),
                None => return Err(DIALECT.lacks(field, "of documents it takes plain text only; send the text")),
            }
        }
        Part::File { .. } => {
            return Err(DIALECT.lacks(field, "a file uploaded to one provider is unknown to another; send it inline"));
        }
        Part::Blob { .. } | Part::Uri { .. } => return Err(DIALECT.lacks(field, "it takes text and images")),
        Part::Other(value) => return Err(DIALECT.lacks(field, no_counterpart(value))),
        Part::ToolCall { .. } | Part::ToolCallResponse { .. } => {
            return Err(DIALECT.lacks(field, "calls and answers of tools have places of their own"));
        }
    }
    Ok(())
}

/// An answer's message.
pub(super) fn encode_answer(w: &mut Writer, message: &Message, cited: &[Citation]) -> Result<(), WireError> {
    let mut result = Ok(());
    let calls = message.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
    let is_plan = |part: &&Part| calls && matches!(part, Part::Text { .. });
    let plan: Vec<&str> = message
        .parts
        .iter()
        .filter(is_plan)
        .filter_map(|part| if let Part::Text { content } = part { Some(content.as_str()) } else { None })
        .collect();
    w.object_field("message", |w| {
        w.field("role", "assistant");
        let content: Vec<&Part> = message
            .parts
            .iter()
            .filter(|part| match part {
                Part::ToolCall { .. } => false,
                // Only the provider can read it, or it is a proof without words.
                Part::Reasoning { content, .. } => !content.is_empty(),
                part => !is_plan(part),
            })
            .collect();
        if !content.is_empty() || !calls {
            w.list_field("content", |w| {
                result = content.iter().try_for_each(|part| encode_part(w, part, None, "answer"));
            });
        }
        if !plan.is_empty() {
            w.field("tool_plan", &plan.join("\n"));
        }
        if calls {
            encode_calls(w, &message.parts);
        }
        citations::encode(w, cited, message);
    });
    result
}
