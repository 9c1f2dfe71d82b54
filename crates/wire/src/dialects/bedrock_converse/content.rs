//! Content blocks → canonical parts. A block is an object whose one key says what it is.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use signalbox_types::{Modality, Part, Role};

use super::media;
use crate::canonical::{ChatRequest, Hinted, PartHints};
use crate::error::WireError;
use crate::json::{Node, Object, Path};
use crate::media::plain_text_blob;

pub(super) const BLOCKS: &str = "a list of content blocks";

pub(super) fn role(message: &Object<'_>, path: Path<'_>) -> Result<Role, WireError> {
    const EXPECTED: &str = "`user` or `assistant`";
    match message.required_text("role", path, EXPECTED)?.as_str() {
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        _ => Err(path.key("role").invalid(EXPECTED, "another word")),
    }
}

pub(super) fn decode_message(node: Node<'_>, path: Path<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    let message = node.object(path)?;
    let role = role(&message, path)?;
    let content = message.get("content").ok_or_else(|| path.key("content").missing(BLOCKS))?;
    let parts = decode_blocks(content, path.key("content"))?;
    request.push_turn(role, parts, path);
    Ok(())
}

pub(super) fn decode_blocks(content: Node<'_>, path: Path<'_>) -> Result<Hinted, WireError> {
    let mut out = Vec::new();
    for (index, node) in content.list(path)?.into_iter().enumerate() {
        let path = path.index(index);
        let block = node.object(path)?;
        for (name, node) in block.iter().filter(|(_, node)| !node.is_null()) {
            decode_block(name, node, path.key(name), &mut out)?;
        }
    }
    Ok(out)
}

fn decode_block(name: &str, node: Node<'_>, path: Path<'_>, out: &mut Hinted) -> Result<(), WireError> {
    let mut hints = PartHints::default();
    let part = match name {
        "text" => Part::Text { content: node.text(path)?.into_owned() },
        "cachePoint" => {
            // It cuts after what stands before it; before everything there is nothing to keep.
            if let Some((_, hints)) = out.last_mut() {
                hints.cache_control = Some(cache_control(node, path)?);
            }
            return Ok(());
        }
        "image" => media_part(Modality::Image, node, path, &mut hints)?,
        "document" => media_part(Modality::Document, node, path, &mut hints)?,
        "video" => media_part(Modality::Video, node, path, &mut hints)?,
        "reasoningContent" => match reasoning(&node.object(path)?, path)? {
            Some(part) => part,
            None => return Ok(()),
        },
        "toolUse" => {
            let call = node.object(path)?;
            Part::ToolCall {
                id: call.text("toolUseId", path)?.map(Cow::into_owned),
                name: call.required_text("name", path, "the name of a tool")?,
                arguments: Value::Object(call.map("input", path)?),
            }
        }
        "toolResult" => {
            let answer = node.object(path)?;
            Part::ToolCallResponse {
                id: answer.text("toolUseId", path)?.map(Cow::into_owned),
                response: answer_of(&answer, path)?,
                is_error: answer.str("status").as_deref() == Some("error"),
            }
        }
        "citationsContent" => Part::Text { content: cited_text(&node.object(path)?, path)? },
        _ => Part::Other(Value::Object(Map::from_iter([(name.to_owned(), node.value(path)?)]))),
    };
    out.push((part, hints));
    Ok(())
}

/// Anthropic's words for where prompt caching shall cut.
pub(super) fn cache_control(node: Node<'_>, path: Path<'_>) -> Result<Value, WireError> {
    let mut mark = json!({ "type": "ephemeral" });
    if let Some(ttl) = node.object(path)?.text("ttl", path)? {
        mark["ttl"] = Value::from(ttl.into_owned());
    }
    Ok(mark)
}

fn reasoning(block: &Object<'_>, path: Path<'_>) -> Result<Option<Part>, WireError> {
    if let Some(data) = block.text("redactedContent", path)? {
        let (content, encrypted) = (String::new(), Some(data.into_owned()));
        return Ok(Some(Part::Reasoning { content, signature: None, encrypted }));
    }
    let Some(told) = block.child("reasoningText", path)? else { return Ok(None) };
    let path = path.key("reasoningText");
    let signature = told.text("signature", path)?.filter(|signature| !signature.is_empty()).map(Cow::into_owned);
    let content = told.text("text", path)?.map(Cow::into_owned).unwrap_or_default();
    Ok(Some(Part::Reasoning { content, signature, encrypted: None }))
}

/// The text of an answer that names its sources.
pub(super) fn cited_text(block: &Object<'_>, path: Path<'_>) -> Result<String, WireError> {
    let mut text = String::new();
    for (index, node) in block.children("content", path)?.into_iter().enumerate() {
        let path = path.key("content");
        text.push_str(&node.object(path.index(index))?.text("text", path)?.unwrap_or_default());
    }
    Ok(text)
}

/// A picture, document or film; as it came if it says more than a part can hold.
fn media_part(modality: Modality, node: Node<'_>, path: Path<'_>, hints: &mut PartHints) -> Result<Part, WireError> {
    let block = node.object(path)?;
    let key = media::key(modality).unwrap_or_default();
    let as_it_came = || Ok(Part::Other(Value::Object(Map::from_iter([(key.to_owned(), node.value(path)?)]))));
    let cites = block.child("citations", path)?.and_then(|citations| citations.get("enabled")?.read::<bool>());
    if cites == Some(true) || block.get("context").is_some() {
        return as_it_came();
    }
    hints.file_name = block.text("name", path)?.map(Cow::into_owned);
    let format = block.text("format", path)?.unwrap_or_default();
    let mime_type = media::mime_type(modality, &format).map(str::to_owned);
    let Some(source) = block.child("source", path)? else { return as_it_came() };
    let path = path.key("source");
    if let Some(content) = source.text("bytes", path)? {
        return Ok(Part::Blob { mime_type, modality, content: content.into_owned() });
    }
    if let Some(text) = source.text("text", path)? {
        return Ok(plain_text_blob(&text));
    }
    if let Some(place) = source.child("s3Location", path)? {
        let uri = place.required_text("uri", path.key("s3Location"), "an address that begins with s3://")?;
        return Ok(Part::Uri { mime_type, modality, uri });
    }
    as_it_came()
}

/// A tool's answer: one text, one object, or a list in Anthropic's words, as all tools' answers of several parts are.
fn answer_of(answer: &Object<'_>, path: Path<'_>) -> Result<Value, WireError> {
    let mut items = Vec::new();
    for (index, node) in answer.children("content", path)?.into_iter().enumerate() {
        let content = path.key("content");
        let path = content.index(index);
        for (name, node) in node.object(path)?.iter().filter(|(_, node)| !node.is_null()) {
            let path = path.key(name);
            items.push(match name {
                "text" => json!({ "type": "text", "text": node.text(path)? }),
                "json" => json!({ "type": "json", "json": node.value(path)? }),
                "image" | "document" => {
                    let modality = if name == "image" { Modality::Image } else { Modality::Document };
                    anthropic_block(name, media_part(modality, node, path, &mut PartHints::default())?)
                }
                _ => Value::Object(Map::from_iter([(name.to_owned(), node.value(path)?)])),
            });
        }
    }
    Ok(match items.as_mut_slice() {
        [] => Value::String(String::new()),
        [one] if one["type"] == "text" => one["text"].take(),
        [one] if one["type"] == "json" && one["json"].is_object() => one["json"].take(),
        _ => {
            for item in items.iter_mut().filter(|item| item["type"] == "json") {
                *item = json!({ "type": "text", "text": item["json"].to_string() });
            }
            Value::Array(items)
        }
    })
}

fn anthropic_block(kind: &str, part: Part) -> Value {
    match part {
        Part::Blob { mime_type, content, .. } => {
            json!({ "type": kind, "source": { "type": "base64", "media_type": mime_type, "data": content } })
        }
        Part::Uri { uri, .. } => json!({ "type": kind, "source": { "type": "url", "url": uri } }),
        Part::Other(value) => value,
        _ => Value::Null,
    }
}
