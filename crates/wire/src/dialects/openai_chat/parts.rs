//! Messages: content parts, tool calls, tool answers, thinking.

use std::borrow::Cow;

use serde_json::Value;
use signalbox_types::{Message, Modality, Part, Role};

use super::DIALECT;
use super::google::{encode_thought_signature, thought_signature};
use super::texts::{CONTENT, role};
use crate::canonical::{
    ChatRequest, PartHints, arguments_from_text, arguments_to_text, kind_of, no_counterpart, signature,
};
use crate::error::WireError;
use crate::json::{Node, Object, Path};
use crate::media::{data_url, part_of_url, plain_text};
use crate::write::Writer;

pub(super) fn decode_message(node: Node<'_>, path: Path<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    let fields = node.object(path)?;
    let role = role(&fields, path)?;
    let mut hints = Vec::new();
    let parts = match role {
        Role::Tool => vec![Part::ToolCallResponse {
            id: fields.text("tool_call_id", path)?.map(Cow::into_owned),
            response: tool_answer(&fields, path)?,
            is_error: false,
        }],
        _ => parts(&fields, path, &mut hints)?,
    };
    let message = request.messages.len();
    request.part_hints.extend(hints.into_iter().map(|(part, hints)| ((message, part), hints)));
    let name = fields.text("name", path)?.map(Cow::into_owned);
    request.push(Message { role, parts, name, finish_reason: None }, path);
    Ok(())
}

/// The parts of a message, in the one order that this dialect implies: thinking, content, refusal, tool calls.
pub(super) fn parts(
    message: &Object<'_>,
    path: Path<'_>,
    hints: &mut Vec<(usize, PartHints)>,
) -> Result<Vec<Part>, WireError> {
    let mut parts = reasoning(message, path)?;
    if let Some(content) = message.get("content") {
        let path = path.key("content");
        if content.is_text() {
            parts.push(Part::Text { content: content.unescape().into_owned() });
        } else if content.is_list() {
            for (index, node) in content.list(path)?.into_iter().enumerate() {
                let (part, hint) = content_part(node, path.index(index))?;
                if hint != PartHints::default() {
                    hints.push((parts.len(), hint));
                }
                parts.push(part);
            }
        } else {
            return Err(path.invalid(CONTENT, content.kind()));
        }
    }
    if let Some(refusal) = message.text("refusal", path)?.filter(|refusal| !refusal.is_empty()) {
        parts.push(Part::Refusal { content: refusal.into_owned() });
    }
    let calls = path.key("tool_calls");
    for (index, node) in message.children("tool_calls", path)?.into_iter().enumerate() {
        let call = node.object(calls.index(index))?;
        parts.extend(thought_signature(&call).map(|signature| Part::Reasoning {
            content: String::new(),
            signature: Some(signature),
            encrypted: None,
        }));
        parts.push(tool_call(node, &call, calls.index(index))?);
    }
    if let Some(call) = message.child("function_call", path)? {
        parts.push(function(&call, None, path.key("function_call"))?);
    }
    Ok(parts)
}

fn reasoning(message: &Object<'_>, path: Path<'_>) -> Result<Vec<Part>, WireError> {
    let mut parts = Vec::new();
    let blocks = path.key("thinking_blocks");
    for (index, node) in message.children("thinking_blocks", path)?.into_iter().enumerate() {
        let path = blocks.index(index);
        let block = node.object(path)?;
        let text = |name: &str| block.text(name, path).map(|text| text.map(Cow::into_owned));
        parts.push(Part::Reasoning {
            content: text("thinking")?.unwrap_or_default(),
            signature: text("signature")?.filter(|signature| !signature.is_empty()),
            encrypted: text("data")?,
        });
    }
    if parts.is_empty() {
        let text = message.str("reasoning_content").or_else(|| message.str("reasoning"));
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            parts.push(Part::Reasoning { content: text.into_owned(), signature: None, encrypted: None });
        }
    }
    Ok(parts)
}

/// A part's sound, as chats and the Responses API have it alike.
pub(crate) fn input_audio(fields: &Object<'_>, path: Path<'_>) -> Result<Part, WireError> {
    const EXPECTED: &str = "an object with `data` and `format`";
    let audio = fields.child("input_audio", path)?.ok_or_else(|| path.key("input_audio").missing(EXPECTED))?;
    let path = path.key("input_audio");
    Ok(Part::Blob {
        mime_type: Some(format!("audio/{}", audio.required_text("format", path, "`wav` or `mp3`")?)),
        modality: Modality::Audio,
        content: audio.required_text("data", path, "base64 text")?,
    })
}

fn content_part(node: Node<'_>, path: Path<'_>) -> Result<(Part, PartHints), WireError> {
    let fields = node.object(path)?;
    let mut hints = PartHints {
        cache_control: fields.get("cache_control").map(|mark| mark.value(path.key("cache_control"))).transpose()?,
        ..PartHints::default()
    };
    let kind = fields.required_text("type", path, "the kind of content, e.g. `text`")?;
    let part = match kind.as_str() {
        "text" => Part::Text { content: fields.required_text("text", path, "a string")? },
        "refusal" => Part::Refusal { content: fields.required_text("refusal", path, "a string")? },
        "image_url" => {
            const EXPECTED: &str = "an object with a `url`";
            let image = fields.child("image_url", path)?.ok_or_else(|| path.key("image_url").missing(EXPECTED))?;
            let path = path.key("image_url");
            hints.image_detail = image.text("detail", path)?.map(Cow::into_owned);
            part_of_url(image.required_text("url", path, "a link or a data URL")?.into(), Modality::Image)
        }
        "input_audio" => input_audio(&fields, path)?,
        "file" => file(&fields, path, &mut hints)?,
        _ => Part::Other(node.value(path)?),
    };
    Ok((part, hints))
}

fn file(fields: &Object<'_>, path: Path<'_>, hints: &mut PartHints) -> Result<Part, WireError> {
    const EXPECTED: &str = "an object with `file_id` or `file_data`";
    let file = fields.child("file", path)?.ok_or_else(|| path.key("file").missing(EXPECTED))?;
    let path = path.key("file");
    hints.file_name = file.text("filename", path)?.map(Cow::into_owned);
    if let Some(file_id) = file.text("file_id", path)? {
        return Ok(Part::File { file_id: file_id.into_owned() });
    }
    let data = file.required_text("file_data", path, "a data URL, or base64 text of a PDF")?;
    Ok(if data.starts_with("data:") {
        part_of_url(data.into(), Modality::Document)
    } else {
        Part::Blob { mime_type: Some("application/pdf".into()), modality: Modality::Document, content: data }
    })
}

fn tool_call(node: Node<'_>, call: &Object<'_>, path: Path<'_>) -> Result<Part, WireError> {
    let id = call.text("id", path)?.map(Cow::into_owned);
    match call.child("function", path)? {
        Some(inner) => function(&inner, id, path.key("function")),
        // E.g. `custom`, whose input is free text.
        None => Ok(Part::Other(node.value(path)?)),
    }
}

fn function(fields: &Object<'_>, id: Option<String>, path: Path<'_>) -> Result<Part, WireError> {
    let name = fields.required_text("name", path, "the name of a tool")?;
    let arguments = match fields.get("arguments") {
        // Some imitators write the object itself.
        Some(node) if node.is_object() => node.value(path.key("arguments"))?,
        Some(node) => arguments_from_text(&node.text(path.key("arguments"))?),
        None => arguments_from_text(""),
    };
    Ok(Part::ToolCall { id, name, arguments })
}

/// A tool's answer: a string, or a list of text parts as it came (the same in every dialect).
fn tool_answer(message: &Object<'_>, path: Path<'_>) -> Result<Value, WireError> {
    let Some(content) = message.get("content") else { return Ok(Value::String(String::new())) };
    let path = path.key("content");
    if content.is_text() {
        Ok(Value::String(content.unescape().into_owned()))
    } else if content.is_list() {
        content.value(path)
    } else {
        Err(path.invalid(CONTENT, content.kind()))
    }
}

/// Writes one canonical message, as however many this dialect needs for it.
pub(super) fn encode_message(w: &mut Writer, request: &ChatRequest, index: usize) -> Result<(), WireError> {
    let Some(message) = request.messages.get(index) else { return Ok(()) };
    if message.role == Role::Tool {
        return encode_tool_answers(w, request, index, message);
    }
    let role = match message.role {
        Role::System => "system",
        Role::Assistant => "assistant",
        Role::User | Role::Tool => "user",
    };
    let mut result = Ok(());
    w.object(|w| {
        w.field("role", role);
        w.field_if("name", message.name.as_ref());
        result = encode_content(w, request, index, message);
        if message.role == Role::Assistant {
            // Thinking of another dialect means nothing here: only who signed it can read it, and strict
            // servers refuse fields that they don't know.
            let signed = request.extras.dialect == DIALECT;
            if signed {
                encode_reasoning(w, &message.parts);
            }
            encode_assistant_extras(w, &message.parts, signed);
        }
    });
    result
}

fn encode_content(w: &mut Writer, request: &ChatRequest, index: usize, message: &Message) -> Result<(), WireError> {
    let content: Vec<(usize, &Part)> = message
        .parts
        .iter()
        .enumerate()
        .filter(|(_, part)| !matches!(part, Part::ToolCall { .. } | Part::Reasoning { .. }))
        .filter(|(_, part)| !(message.role == Role::Assistant && matches!(part, Part::Refusal { .. })))
        .collect();
    let has_calls = message.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
    match content.as_slice() {
        [] if has_calls => w.field("content", &()),
        [] => w.field("content", ""),
        [(_, Part::Text { content })] => w.field("content", content),
        many => {
            let mut result = Ok(());
            w.list_field("content", |w| {
                result = many.iter().try_for_each(|(part, content)| {
                    let hints = request.hints(index, *part);
                    let field = request.content_name(index);
                    match content {
                        Part::Other(value) if request.extras.dialect == DIALECT => w.item(value),
                        Part::File { file_id } if request.extras.dialect == DIALECT => w.object(|w| {
                            w.field("type", "file");
                            w.object_field("file", |w| w.field("file_id", file_id));
                        }),
                        content => return encode_part(w, content, hints, &field),
                    }
                    Ok(())
                });
            });
            return result;
        }
    }
    Ok(())
}

fn encode_part(w: &mut Writer, part: &Part, hints: Option<&PartHints>, field: &str) -> Result<(), WireError> {
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
        Part::Blob { mime_type, modality: Modality::Image, content } => {
            image(w, &data_url(mime_type.as_deref().unwrap_or("image/png"), content));
        }
        Part::Uri { modality: Modality::Image, uri, .. } => image(w, uri),
        Part::Blob { mime_type, modality: Modality::Document, content } => {
            let name = hints.and_then(|hints| hints.file_name.as_deref());
            match plain_text(mime_type.as_deref(), content) {
                // This dialect knows PDF files only; a plain text is just text.
                Some(text) => text_part(w, &name.map_or_else(|| text.clone(), |name| format!("{name}\n\n{text}"))),
                None => w.object(|w| {
                    w.field("type", "file");
                    w.object_field("file", |w| {
                        w.field("filename", name.unwrap_or("document.pdf"));
                        let mime_type = mime_type.as_deref().unwrap_or("application/pdf");
                        w.field("file_data", &data_url(mime_type, content));
                    });
                }),
            }
        }
        Part::Blob { mime_type, modality: Modality::Audio, content } => w.object(|w| {
            let format = mime_type.as_deref().and_then(|mime_type| mime_type.strip_prefix("audio/")).unwrap_or("wav");
            w.field("type", "input_audio");
            w.object_field("input_audio", |w| {
                w.field("data", content);
                w.field("format", format);
            });
        }),
        Part::File { .. } => {
            return Err(DIALECT.lacks(field, "a file uploaded to one provider is unknown to another; send it inline"));
        }
        Part::Uri { modality: Modality::Document, .. } => {
            return Err(DIALECT.lacks(field, "a document by link can't be said there; send it as base64"));
        }
        Part::Blob { .. } | Part::Uri { .. } => {
            return Err(DIALECT.lacks(field, "send text, images (link or base64) or PDF documents (base64)"));
        }
        Part::Other(value) if value.pointer("/source/type").is_some_and(|kind| kind == "file") => {
            return Err(DIALECT.lacks(field, "a file uploaded to one provider is unknown to another; send it inline"));
        }
        Part::Other(value) => {
            let hint = match kind_of(value) {
                "document" => {
                    "a document with citations, a context or content blocks can't be said there; send it plain".into()
                }
                _ => no_counterpart(value),
            };
            return Err(DIALECT.lacks(field, hint));
        }
        Part::ToolCall { .. } | Part::ToolCallResponse { .. } | Part::Reasoning { .. } => {}
    }
    Ok(())
}

fn text_part(w: &mut Writer, text: &str) {
    w.object(|w| {
        w.field("type", "text");
        w.field("text", text);
    });
}

/// What an assistant message says beside its content and its thinking; calls with Gemini's signature, if `signed`.
pub(super) fn encode_assistant_extras(w: &mut Writer, parts: &[Part], signed: bool) {
    let refusals: Vec<&str> = parts
        .iter()
        .filter_map(|part| if let Part::Refusal { content } = part { Some(content.as_str()) } else { None })
        .collect();
    if !refusals.is_empty() {
        w.field("refusal", &refusals.join("\n"));
    }
    if !parts.iter().any(|part| matches!(part, Part::ToolCall { .. })) {
        return;
    }
    let mut proof = None;
    w.list_field("tool_calls", |w| {
        for part in parts {
            if let Part::Reasoning { signature: Some(signature), .. } = part {
                proof = signature::of_call(signature).filter(|_| signed);
            }
            if let Part::ToolCall { id, name, arguments } = part {
                w.object(|w| {
                    w.field("id", id.as_deref().unwrap_or_default());
                    w.field("type", "function");
                    w.object_field("function", |w| {
                        w.field("name", name);
                        w.field("arguments", &arguments_to_text(arguments));
                    });
                    if let Some(proof) = proof.take() {
                        encode_thought_signature(w, proof);
                    }
                });
            }
        }
    });
}

/// What an assistant message thought.
pub(super) fn encode_reasoning(w: &mut Writer, parts: &[Part]) {
    let blocks: Vec<(&str, Option<&String>, Option<&String>)> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Reasoning { content, signature, encrypted } => {
                // What belongs to a call stands with the call.
                let signature = signature.as_ref().filter(|signature| signature::of_call(signature).is_none());
                Some((content.as_str(), signature, encrypted.as_ref()))
            }
            _ => None,
        })
        .filter(|(text, signature, encrypted)| !text.is_empty() || signature.is_some() || encrypted.is_some())
        .collect();
    if blocks.is_empty() {
        return;
    }
    let text: Vec<&str> = blocks.iter().map(|(text, ..)| *text).filter(|text| !text.is_empty()).collect();
    if !text.is_empty() {
        w.field("reasoning_content", &text.join("\n"));
    }
    if blocks.iter().any(|(_, signature, encrypted)| signature.is_some() || encrypted.is_some()) || blocks.len() > 1 {
        w.list_field("thinking_blocks", |w| {
            for (text, signature, encrypted) in blocks {
                w.object(|w| match encrypted {
                    Some(data) => {
                        w.field("type", "redacted_thinking");
                        w.field("data", data);
                    }
                    None => {
                        w.field("type", "thinking");
                        w.field("thinking", text);
                        w.field_if("signature", signature);
                    }
                });
            }
        });
    }
}

fn encode_tool_answers(
    w: &mut Writer,
    request: &ChatRequest,
    index: usize,
    message: &Message,
) -> Result<(), WireError> {
    let field = request.content_name(index);
    // Pictures can't stand in a tool message; they follow in a user message, after all the answers.
    let mut pictures: Vec<Part> = Vec::new();
    for part in &message.parts {
        let Part::ToolCallResponse { id, response, is_error } = part else {
            return Err(DIALECT.lacks(field, "a tool message holds answers of tools only"));
        };
        let Some(id) = id else {
            return Err(DIALECT.lacks(field, "a tool's answer must name its call: set the call's id"));
        };
        let (mut texts, mut shown) = answer_parts(response, &field)?;
        if texts.is_empty() && !shown.is_empty() {
            texts.push("(The picture follows in the next message.)".into());
        }
        pictures.append(&mut shown);
        if *is_error && !texts.first().is_some_and(|text| text.to_lowercase().starts_with("error")) {
            let first = texts.first().map_or_else(|| "Error".into(), |text| format!("Error: {text}"));
            texts.splice(..texts.len().min(1), [first]);
        }
        w.object(|w| {
            w.field("role", "tool");
            w.field("tool_call_id", id);
            match texts.as_slice() {
                [] => w.field("content", ""),
                [text] => w.field("content", text),
                many => w.list_field("content", |w| many.iter().for_each(|text| text_part(w, text))),
            }
        });
    }
    if pictures.is_empty() {
        return Ok(());
    }
    let mut result = Ok(());
    w.object(|w| {
        w.field("role", "user");
        w.list_field("content", |w| {
            result = pictures.iter().try_for_each(|picture| encode_part(w, picture, None, &field));
        });
    });
    result
}

/// A tool's answer as texts, and the pictures and documents in it.
fn answer_parts(response: &Value, field: &str) -> Result<(Vec<String>, Vec<Part>), WireError> {
    let mut texts = Vec::new();
    let mut shown = Vec::new();
    match response {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => {
            for item in items {
                match item.get("text").and_then(Value::as_str) {
                    Some(text) => texts.push(text.to_owned()),
                    None => shown.push(crate::dialects::anthropic_messages::media_part(item).ok_or_else(|| {
                        let kind = item.get("type").and_then(Value::as_str).unwrap_or("unknown");
                        DIALECT.lacks(field, format!("a tool's answer of type `{kind}` has no counterpart there"))
                    })?),
                }
            }
        }
        Value::Null => {}
        other => texts.push(other.to_string()),
    }
    Ok((texts, shown))
}
