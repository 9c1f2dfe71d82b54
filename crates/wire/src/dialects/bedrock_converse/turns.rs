//! Canonical messages → messages and their content blocks.

use serde_json::{Map, Value};
use signalbox_types::{Modality, Part, Role};

use super::additional::{Vendor, vendor};
use super::{DIALECT, media};
use crate::canonical::{ChatRequest, no_counterpart, signature};
use crate::dialects::anthropic_messages::{INVALID_ARGUMENTS, media_part, named, tool_id};
use crate::error::WireError;
use crate::media::plain_text;
use crate::registry::Dialect;
use crate::write::Writer;

/// Whether marks for prompt caching may be sent: a model that can't cache refuses them.
pub(super) fn caches(request: &ChatRequest) -> bool {
    request.extras.dialect == DIALECT || matches!(vendor(&request.model), Vendor::Anthropic | Vendor::Amazon)
}

pub(super) fn cache_point(w: &mut Writer, mark: &Value) {
    w.object(|w| {
        w.object_field("cachePoint", |w| {
            w.field("type", "default");
            w.field_if("ttl", mark.get("ttl"));
        });
    });
}

/// All system messages, in order: this dialect has one place for them.
pub(super) fn encode_system(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    let messages = request.messages.iter().enumerate();
    let systems: Vec<usize> =
        messages.filter(|(_, message)| message.role == Role::System).map(|(index, _)| index).collect();
    if !systems.iter().any(|index| says_anything(request, *index)) {
        return Ok(());
    }
    let mut result = Ok(());
    w.list_field("system", |w| result = systems.iter().try_for_each(|index| encode_parts(w, request, *index)));
    result
}

/// Messages must alternate between user and assistant, so neighbours of one role become one message. Answers of tools
/// are the user's here.
pub(super) fn encode_messages(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    let mut turns: Vec<(&str, Vec<usize>)> = Vec::new();
    for (index, message) in request.messages.iter().enumerate() {
        let role = match message.role {
            Role::System => continue,
            Role::Assistant => "assistant",
            Role::User | Role::Tool => "user",
        };
        if !says_anything(request, index) {
            continue;
        }
        match turns.last_mut() {
            Some((last, messages)) if *last == role => messages.push(index),
            _ => turns.push((role, vec![index])),
        }
    }
    let mut result = Ok(());
    w.list_field("messages", |w| {
        for (role, messages) in &turns {
            w.object(|w| {
                w.field("role", role);
                w.list_field("content", |w| {
                    let said = messages.iter().try_for_each(|index| encode_parts(w, request, *index));
                    result = std::mem::replace(&mut result, Ok(())).and(said);
                });
            });
        }
    });
    result
}

/// Empty texts are refused, and so is thinking that another vendor has signed.
fn is_said(caller: Dialect, part: &Part) -> bool {
    match part {
        Part::Text { content } | Part::Refusal { content } => !content.is_empty(),
        Part::Reasoning { encrypted: Some(_), .. } => true,
        Part::Reasoning { signature: Some(signature), .. } => signature::is_of_anthropic(signature),
        Part::Reasoning { .. } => caller == DIALECT,
        _ => true,
    }
}

fn says_anything(request: &ChatRequest, index: usize) -> bool {
    let parts = request.messages.get(index).map(|message| message.parts.as_slice()).unwrap_or_default();
    parts.iter().any(|part| is_said(request.extras.dialect, part))
}

fn encode_parts(w: &mut Writer, request: &ChatRequest, index: usize) -> Result<(), WireError> {
    let Some(message) = request.messages.get(index) else { return Ok(()) };
    let field = request.content_name(index);
    let mut name_is_due = true;
    for (place, part) in message.parts.iter().enumerate() {
        if !is_said(request.extras.dialect, part) {
            continue;
        }
        let hints = request.hints(index, place);
        match part {
            Part::Other(value) if request.extras.dialect == DIALECT => w.item(value),
            Part::Text { content } if name_is_due => {
                name_is_due = false;
                text(w, &named(message, content));
            }
            Part::ToolCallResponse { id, response, is_error } => {
                let Some(id) = id else {
                    let field = request.call_id_name(index);
                    return Err(DIALECT.lacks(field, "set it to the id of the call that is answered"));
                };
                encode_answer(w, request, &tool_id(id), response, *is_error, &field)?;
            }
            part => {
                let name = hints.and_then(|hints| hints.file_name.as_deref());
                encode_part(w, part, &Named { name, number: (index, place) }, &field)?;
            }
        }
        let mark = hints.and_then(|hints| hints.cache_control.as_ref()).filter(|_| caches(request));
        mark.into_iter().for_each(|mark| cache_point(w, mark));
    }
    Ok(())
}

fn text(w: &mut Writer, text: &str) {
    w.object(|w| w.field("text", text));
}

fn encode_answer(
    w: &mut Writer,
    request: &ChatRequest,
    id: &str,
    response: &Value,
    is_error: bool,
    field: &str,
) -> Result<(), WireError> {
    let mut result = Ok(());
    w.object(|w| {
        w.object_field("toolResult", |w| {
            w.field("toolUseId", id);
            w.list_field("content", |w| match response {
                Value::Null => {}
                Value::String(said) if said.is_empty() => {}
                Value::String(said) => text(w, said),
                Value::Object(_) => w.object(|w| w.field("json", response)),
                Value::Array(items) => {
                    let mut items = items.iter().enumerate();
                    result = items.try_for_each(|(number, item)| encode_item(w, request, item, number, field));
                }
                plain => text(w, &plain.to_string()),
            });
            if is_error {
                w.field("status", "error");
            }
        });
    });
    result
}

/// A part of a tool's answer, in Anthropic's words or its own.
fn encode_item(
    w: &mut Writer,
    request: &ChatRequest,
    item: &Value,
    number: usize,
    field: &str,
) -> Result<(), WireError> {
    if let Some(said) = item.get("text").and_then(Value::as_str) {
        if !said.is_empty() {
            text(w, said);
        }
        return Ok(());
    }
    match media_part(item) {
        Some(part) => encode_part(w, &part, &Named { name: None, number: (number, 0) }, field),
        None if request.extras.dialect == DIALECT => {
            w.item(item);
            Ok(())
        }
        None => Err(DIALECT.lacks(field, no_counterpart(item))),
    }
}

/// What a document is called: the API wants a name.
pub(super) struct Named<'a> {
    pub(super) name: Option<&'a str>,
    /// Message and part, for one that has none: the same every time, so that prompts can be cached.
    pub(super) number: (usize, usize),
}

impl Named<'_> {
    /// Letters, digits, single spaces, hyphens, parentheses and brackets; no two in a call may be alike.
    fn text(&self) -> String {
        let Some(name) = self.name else { return format!("document-{}-{}", self.number.0, self.number.1) };
        let is_fine = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '(' | ')' | '[' | ']');
        let spaced: String = name.chars().map(|char| if is_fine(char) { char } else { ' ' }).collect();
        let fine = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
        if fine.is_empty() { Self { name: None, ..*self }.text() } else { fine }
    }
}

/// Any part but an answer of a tool, in a request or in an answer.
pub(super) fn encode_part(w: &mut Writer, part: &Part, named: &Named<'_>, field: &str) -> Result<(), WireError> {
    match part {
        Part::Text { content } | Part::Refusal { content } => text(w, content),
        Part::Reasoning { encrypted: Some(data), .. } => w.object(|w| {
            w.object_field("reasoningContent", |w| w.field("redactedContent", data));
        }),
        Part::Reasoning { content, signature, .. } => w.object(|w| {
            w.object_field("reasoningContent", |w| {
                w.object_field("reasoningText", |w| {
                    w.field("text", content);
                    w.field_if("signature", signature.as_ref());
                });
            });
        }),
        Part::ToolCall { id, name, arguments } => {
            let id = id.as_deref().unwrap_or(name);
            w.object(|w| {
                w.object_field("toolUse", |w| {
                    w.field("toolUseId", &tool_id(id));
                    w.field("name", name);
                    match arguments {
                        Value::Object(_) => w.field("input", arguments),
                        Value::Null => w.field("input", &Map::<String, Value>::new()),
                        other => w.object_field("input", |w| w.field(INVALID_ARGUMENTS, other)),
                    }
                });
            });
        }
        Part::Blob { mime_type, modality, content } => {
            let from_name = || media::format_of_name(*modality, named.name.unwrap_or_default());
            let format = mime_type.as_deref().map_or_else(from_name, |mime_type| media::format(*modality, mime_type));
            let text = plain_text(mime_type.as_deref(), content);
            encode_media(w, *modality, format, named, field, |w| match text {
                Some(text) => w.field("text", &text),
                None => w.field("bytes", content),
            })?;
        }
        Part::Uri { mime_type, modality, uri } if uri.starts_with("s3://") => {
            let from_name = || media::format_of_name(*modality, uri);
            let format = mime_type.as_deref().and_then(|mime_type| media::format(*modality, mime_type));
            encode_media(w, *modality, format.or_else(from_name), named, field, |w| {
                w.object_field("s3Location", |w| w.field("uri", uri));
            })?;
        }
        Part::Uri { .. } => {
            return Err(DIALECT.lacks(field, "it fetches nothing from the web; send the content inline, or from s3://"));
        }
        Part::File { .. } => {
            return Err(DIALECT.lacks(field, "a file uploaded to one provider is unknown to another; send it inline"));
        }
        Part::ToolCallResponse { .. } => {
            return Err(DIALECT.lacks(field, "an answer of a tool must stand in a message of the tool"));
        }
        Part::Other(value) => return Err(DIALECT.lacks(field, no_counterpart(value))),
    }
    Ok(())
}

fn encode_media(
    w: &mut Writer,
    modality: Modality,
    format: Option<&str>,
    named: &Named<'_>,
    field: &str,
    source: impl FnOnce(&mut Writer),
) -> Result<(), WireError> {
    let Some(key) = media::key(modality) else {
        return Err(DIALECT.lacks(field, "it takes text, images, documents and films, no sound"));
    };
    let Some(format) = format else {
        let hint = format!("the data URL must name its media type, one of: {}", media::known(modality));
        return Err(DIALECT.lacks(field, hint));
    };
    w.object(|w| {
        w.object_field(key, |w| {
            w.field("format", format);
            if modality == Modality::Document {
                w.field("name", &named.text());
            }
            w.object_field("source", source);
        });
    });
    Ok(())
}
