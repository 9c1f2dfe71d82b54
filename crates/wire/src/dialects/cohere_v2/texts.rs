//! What is read from raw bodies by byte ranges, without decoding them.

use std::borrow::Cow;

use bytes::Bytes;
use signalbox_types::Role;

use super::messages::{CONTENT, role};
use super::stream::PLAN;
use crate::codec::{Peek, TextSlot};
use crate::error::WireError;
use crate::json::{Body, Node, Object, Of, Path};
use crate::rewrite::{Again, Channel, ChannelKind, Closes, DeltaSlot, Deltas};
use crate::sse::{self, SseEvent};
use crate::write::Writer;

pub(super) fn peek(body: &[u8]) -> Result<Peek, WireError> {
    let body = Body::parse(body)?;
    let root = body.object()?;
    let (model, model_range) = root.model(&body)?;
    root.messages()?;
    let stream = root.flag("stream", Path::Root)?.unwrap_or(false);
    Ok(Peek {
        model,
        model_range,
        stream,
        wants_stream_usage: stream,
        user: None,
        metadata: serde_json::Map::new(),
        max_tokens: root.count("max_tokens", Path::Root)?,
    })
}

pub(super) fn request_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let root = body.object()?;
    let mut found = Vec::new();
    let path = Path::Root.key("messages");
    for (index, node) in root.messages()?.list(path)?.into_iter().enumerate() {
        let path = path.index(index);
        let message = node.object(path)?;
        let role = role(&message, path)?;
        message_texts(&message, path, &mut |node| found.push(body.slot(role, node)))?;
    }
    // Texts, or objects of any shape.
    found.extend(root.leaf_slots("documents", Role::User, &body));
    let path = Path::Root.key("tools");
    for (index, node) in root.children("tools", Path::Root)?.into_iter().enumerate() {
        let path = path.index(index);
        node.object(path)?.child("function", path)?;
        found.extend(body.told(Of::Tool, [node]));
    }
    // What an answer is to look like.
    found.extend(body.told(Of::Answer, root.get("response_format")));
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

pub(super) fn response_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let mut found = Vec::new();
    if let Some(message) = body.object()?.child("message", Path::Root)? {
        let path = Path::Root.key("message");
        message_texts(&message, path, &mut |node| found.push(body.slot(Role::Assistant, node)))?;
    }
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

fn message_texts<'a>(message: &Object<'a>, path: Path<'_>, give: &mut dyn FnMut(Node<'a>)) -> Result<(), WireError> {
    match message.get("content") {
        None => {}
        Some(content) if content.is_text() => give(content),
        Some(content) if content.is_list() => {
            let path = path.key("content");
            for (index, node) in content.list(path)?.into_iter().enumerate() {
                let part = node.object(path.index(index))?;
                for name in ["text", "thinking"] {
                    part.get(name).filter(|node| node.is_text()).into_iter().for_each(&mut *give);
                }
                part.get("document").into_iter().flat_map(Node::leaf_texts).for_each(&mut *give);
            }
        }
        Some(content) => return Err(path.key("content").invalid(CONTENT, content.kind())),
    }
    message.get("tool_plan").filter(|node| node.is_text()).into_iter().for_each(&mut *give);
    let calls = path.key("tool_calls");
    for (index, node) in message.children("tool_calls", path)?.into_iter().enumerate() {
        let path = calls.index(index);
        let function = node.object(path)?.child("function", path)?;
        let arguments = function.and_then(|function| function.get("arguments")).filter(|node| node.is_text());
        arguments.into_iter().for_each(&mut *give);
    }
    // What an answer cites is a piece of it, told again.
    for node in message.children("citations", path)? {
        let text = node.object(path.key("citations"))?.get("text").filter(|node| node.is_text());
        text.into_iter().for_each(&mut *give);
    }
    Ok(())
}

pub(super) fn deltas(event: &SseEvent) -> Option<Deltas<'_>> {
    let mut found = Deltas::default();
    let body = Body::parse(&event.data).ok()?;
    let root = body.object().ok()?;
    let kind = root.str("type").or_else(|| event.event.as_deref().map(Cow::Borrowed))?;
    let index: u32 = root.get("index").and_then(Node::read).unwrap_or(0);
    match kind.as_ref() {
        // A piece of the answer, told again.
        "citation-start" => {
            let message = root.child("delta", Path::Root).ok()??.child("message", Path::Root).ok()??;
            let citation = message.get("citations").filter(|node| node.is_object())?.object(Path::Root).ok()?;
            let text = citation.get("text").filter(|node| node.is_text())?;
            let told = Cow::Owned(text.unescape().into_owned());
            found.again.push(Again { text: told, range: body.range(text) });
        }
        "message-end" => found.closes.push(Closes::All),
        // The numbers of contents and of calls are each their own, so that an end may close too much: that harms nothing.
        "content-end" | "tool-call-end" => found.closes.push(Closes::Block(index)),
        "content-start" | "content-delta" | "tool-plan-delta" | "tool-call-start" | "tool-call-delta" => {
            let message = root.child("delta", Path::Root).ok()??.child("message", Path::Root).ok()??;
            let inner = |name: &str| message.get(name).filter(|node| node.is_object())?.object(Path::Root).ok();
            let content = inner("content");
            let function = inner("tool_calls").and_then(|call| call.child("function", Path::Root).ok().flatten());
            let texts = [
                (ChannelKind::Text, index, content.as_ref().and_then(|content| content.get("text"))),
                (ChannelKind::Reasoning, index, content.as_ref().and_then(|content| content.get("thinking"))),
                (ChannelKind::Text, PLAN, message.get("tool_plan")),
                (ChannelKind::ToolArguments, index, function.as_ref().and_then(|function| function.get("arguments"))),
            ];
            for (kind, index, node) in texts {
                if let Some(node) = node.filter(|node| node.is_text() && node.raw().len() > 2) {
                    let channel = Channel { choice: 0, kind, index };
                    let text = Cow::Owned(node.unescape().into_owned());
                    found.slots.push(DeltaSlot { channel, text, range: body.range(node) });
                }
            }
        }
        _ => return None,
    }
    found.slots.sort_by_key(|slot| slot.range.start);
    Some(found)
}

pub(super) fn text_event(channel: Channel, text: &str) -> Bytes {
    let (kind, index) = match channel.kind {
        ChannelKind::Text if channel.index == PLAN => ("tool-plan-delta", None),
        ChannelKind::Text | ChannelKind::Refusal | ChannelKind::Reasoning => ("content-delta", Some(channel.index)),
        ChannelKind::ToolArguments => ("tool-call-delta", Some(channel.index)),
    };
    let data = Writer::write(|w| {
        w.field("type", kind);
        w.field_if("index", index);
        w.object_field("delta", |w| {
            w.object_field("message", |w| match channel.kind {
                ChannelKind::Text if channel.index == PLAN => w.field("tool_plan", text),
                ChannelKind::Text | ChannelKind::Refusal => w.object_field("content", |w| w.field("text", text)),
                ChannelKind::Reasoning => w.object_field("content", |w| w.field("thinking", text)),
                ChannelKind::ToolArguments => w.object_field("tool_calls", |w| {
                    w.object_field("function", |w| w.field("arguments", text));
                }),
            });
        });
    });
    sse::write(Some(kind), &data)
}
