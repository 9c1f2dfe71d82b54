//! What is read from raw bodies by byte ranges, without decoding them.

use std::borrow::Cow;

use bytes::Bytes;
use signalbox_types::Role;

use super::content::{BLOCKS, role};
use crate::codec::{Peek, TextSlot};
use crate::error::WireError;
use crate::json::{Body, Node, Object, Of, Path};
use crate::rewrite::{Channel, ChannelKind, Closes, DeltaSlot, Deltas};
use crate::sse::{self, SseEvent};
use crate::write::Writer;

/// Model and stream stand in the path: both are empty here.
pub(super) fn peek(body: &[u8]) -> Result<Peek, WireError> {
    let body = Body::parse(body)?;
    let root = body.object()?;
    // A kept prompt has messages of its own.
    root.children("messages", Path::Root)?;
    let config = root.child("inferenceConfig", Path::Root)?;
    let max_tokens = config.map(|config| config.count("maxTokens", Path::Root.key("inferenceConfig"))).transpose()?;
    Ok(Peek {
        model: String::new(),
        model_range: 0..0,
        stream: false,
        wants_stream_usage: false,
        user: None,
        metadata: root.map("requestMetadata", Path::Root)?,
        max_tokens: max_tokens.flatten(),
    })
}

/// What is found, with whether it is thinking that the provider has signed.
type Give<'g, 'a> = &'g mut dyn FnMut(Role, bool, Node<'a>);

pub(super) fn request_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let root = body.object()?;
    let mut found = Vec::new();
    let mut give = |role, signed, node| found.push(TextSlot { signed, ..body.slot(role, node) });
    if let Some(system) = root.get("system") {
        blocks_texts(system, Path::Root.key("system"), Role::System, &mut give)?;
    }
    let path = Path::Root.key("messages");
    for (index, node) in root.children("messages", Path::Root)?.into_iter().enumerate() {
        let path = path.index(index);
        let message = node.object(path)?;
        let role = role(&message, path)?;
        let content = message.get("content").ok_or_else(|| path.key("content").missing(BLOCKS))?;
        blocks_texts(content, path.key("content"), role, &mut give)?;
    }
    if let Some(config) = root.child("toolConfig", Path::Root)? {
        let path = Path::Root.key("toolConfig");
        for (index, node) in config.children("tools", path)?.into_iter().enumerate() {
            let path = path.key("tools");
            let path = path.index(index);
            node.object(path)?.child("toolSpec", path)?;
            node.told(Of::Tool).into_iter().for_each(|node| give(Role::System, false, node));
        }
    }
    // What an answer is to look like.
    found.extend(body.told(Of::Answer, root.get("outputConfig")));
    for name in ["requestMetadata", "promptVariables"] {
        found.extend(root.leaf_slots(name, Role::User, &body));
    }
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

pub(super) fn response_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let mut found = Vec::new();
    let path = Path::Root.key("output");
    let output = body.object()?.child("output", Path::Root)?;
    let message = output.map(|output| output.child("message", path)).transpose()?.flatten();
    let path = path.key("message");
    if let Some(content) = message.and_then(|message| message.get("content")) {
        let mut give = |role, signed, node| found.push(TextSlot { signed, ..body.slot(role, node) });
        blocks_texts(content, path.key("content"), Role::Assistant, &mut give)?;
    }
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

/// A list of blocks, each named by its key; of one that has several, all are read.
fn blocks_texts<'a>(list: Node<'a>, path: Path<'_>, role: Role, give: Give<'_, 'a>) -> Result<(), WireError> {
    for (index, node) in list.list(path)?.into_iter().enumerate() {
        let path = path.index(index);
        let block = node.object(path)?;
        for (name, node) in block.iter().filter(|(_, node)| !node.is_null()) {
            block_texts(name, node, path.key(name), role, give)?;
        }
    }
    Ok(())
}

fn block_texts<'a>(
    name: &str,
    node: Node<'a>,
    path: Path<'_>,
    role: Role,
    give: Give<'_, 'a>,
) -> Result<(), WireError> {
    match name {
        "text" => {
            node.text(path)?;
            give(role, false, node);
        }
        "json" => node.leaf_texts().into_iter().for_each(|leaf| give(role, false, leaf)),
        "reasoningContent" => {
            if let Some(told) = node.object(path)?.child("reasoningText", path)? {
                let signed = told.str("signature").is_some_and(|signature| !signature.is_empty());
                told.get("text").filter(|node| node.is_text()).into_iter().for_each(|node| give(role, signed, node));
            }
        }
        // An object here, so its texts stand scattered.
        "toolUse" => {
            let input = node.object(path)?.get("input");
            input.into_iter().flat_map(Node::leaf_texts).for_each(|leaf| give(role, false, leaf));
        }
        "toolResult" => {
            if let Some(content) = node.object(path)?.get("content") {
                blocks_texts(content, path.key("content"), Role::Tool, give)?;
            }
        }
        "document" => document_texts(&node.object(path)?, path, role, give)?,
        // Their leaves are mostly text; but a search result's source is an address.
        "guardContent" | "citationsContent" | "searchResult" => {
            let block = node.object(path)?;
            for name in ["text", "content", "title"] {
                let leaves = block.get(name).into_iter().flat_map(Node::leaf_texts);
                leaves.for_each(|leaf| give(role, false, leaf));
            }
        }
        _ => {}
    }
    Ok(())
}

fn document_texts<'a>(block: &Object<'a>, path: Path<'_>, role: Role, give: Give<'_, 'a>) -> Result<(), WireError> {
    for name in ["context", "name"] {
        block.get(name).filter(|node| node.is_text()).into_iter().for_each(|node| give(role, false, node));
    }
    let Some(source) = block.child("source", path)? else { return Ok(()) };
    let path = path.key("source");
    source.get("text").filter(|node| node.is_text()).into_iter().for_each(|node| give(role, false, node));
    match source.get("content") {
        Some(content) => blocks_texts(content, path.key("content"), role, give),
        None => Ok(()),
    }
}

pub(super) fn deltas(event: &SseEvent) -> Option<Deltas<'_>> {
    let mut found = Deltas::default();
    let kind = event.event.as_deref()?;
    if kind == "messageStop" {
        found.closes.push(Closes::All);
        return Some(found);
    }
    let body = Body::parse(&event.data).ok()?;
    let root = body.object().ok()?;
    let index: u32 = root.get("contentBlockIndex").and_then(Node::read).unwrap_or(0);
    match kind {
        "contentBlockStop" => found.closes.push(Closes::Block(index)),
        "contentBlockDelta" => {
            let delta = root.child("delta", Path::Root).ok()??;
            let inner = |name: &str, field: &str| delta.child(name, Path::Root).ok().flatten()?.get(field);
            let texts = [
                (ChannelKind::Text, delta.get("text")),
                (ChannelKind::ToolArguments, inner("toolUse", "input")),
                (ChannelKind::Reasoning, inner("reasoningContent", "text")),
            ];
            for (kind, node) in texts {
                if let Some(node) = node.filter(|node| node.is_text()) {
                    let channel = Channel { choice: 0, kind, index };
                    let text = Cow::Owned(node.unescape().into_owned());
                    found.slots.push(DeltaSlot { channel, text, range: body.range(node) });
                }
            }
            if inner("reasoningContent", "signature").is_some() {
                found.closes.push(Closes::Block(index));
            }
        }
        _ => return None,
    }
    found.slots.sort_by_key(|slot| slot.range.start);
    Some(found)
}

pub(super) fn text_event(channel: Channel, text: &str) -> Bytes {
    let data = Writer::write(|w| {
        w.object_field("delta", |w| match channel.kind {
            ChannelKind::Text | ChannelKind::Refusal => w.field("text", text),
            ChannelKind::Reasoning => w.object_field("reasoningContent", |w| w.field("text", text)),
            ChannelKind::ToolArguments => w.object_field("toolUse", |w| w.field("input", text)),
        });
        w.field("contentBlockIndex", &channel.index);
    });
    sse::write(Some("contentBlockDelta"), &data)
}
