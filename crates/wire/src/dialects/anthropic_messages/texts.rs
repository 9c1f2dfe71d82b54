//! What is read from raw bodies by byte ranges, without decoding them.

use std::borrow::Cow;

use bytes::Bytes;
use signalbox_types::Role;

use crate::codec::{Peek, TextSlot};
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::rewrite::{Channel, ChannelKind, Closes, DeltaSlot, Deltas};
use crate::sse::{self, SseEvent};
use crate::write::Writer;

pub(super) const CONTENT: &str = "a string or a list of content blocks";

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
        user: user(&root)?,
        metadata: root.map("metadata", Path::Root)?,
        max_tokens: root.count("max_tokens", Path::Root)?,
    })
}

pub(super) fn user(root: &Object<'_>) -> Result<Option<String>, WireError> {
    let Some(metadata) = root.child("metadata", Path::Root)? else { return Ok(None) };
    Ok(metadata.text("user_id", Path::Root.key("metadata"))?.map(Cow::into_owned))
}

pub(super) fn role(message: &Object<'_>, path: Path<'_>) -> Result<Role, WireError> {
    const EXPECTED: &str = "`user` or `assistant`";
    Ok(match message.required_text("role", path, EXPECTED)?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        // A later addition of the API, for instructions in the middle of a conversation.
        "system" => Role::System,
        _ => return Err(path.key("role").invalid(EXPECTED, "another word")),
    })
}

pub(super) fn request_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let root = body.object()?;
    let mut found = Vec::new();
    let mut give = |role, node| found.push(body.slot(role, node));
    if let Some(system) = root.get("system") {
        content_texts(system, Path::Root.key("system"), Role::System, &mut give)?;
    }
    let path = Path::Root.key("messages");
    for (index, node) in root.messages()?.list(path)?.into_iter().enumerate() {
        let path = path.index(index);
        let message = node.object(path)?;
        let role = role(&message, path)?;
        let content = message.get("content").ok_or_else(|| path.key("content").missing(CONTENT))?;
        content_texts(content, path.key("content"), role, &mut give)?;
    }
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

pub(super) fn response_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let mut found = Vec::new();
    if let Some(content) = body.object()?.get("content") {
        let mut give = |role, node| found.push(body.slot(role, node));
        content_texts(content, Path::Root.key("content"), Role::Assistant, &mut give)?;
    }
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

fn content_texts<'a>(
    content: Node<'a>,
    path: Path<'_>,
    role: Role,
    give: &mut impl FnMut(Role, Node<'a>),
) -> Result<(), WireError> {
    if content.is_text() {
        give(role, content);
        return Ok(());
    }
    if !content.is_list() {
        return Err(path.invalid(CONTENT, content.kind()));
    }
    for (index, node) in content.list(path)?.into_iter().enumerate() {
        block_texts(node, path.index(index), role, give)?;
    }
    Ok(())
}

fn block_texts<'a>(
    node: Node<'a>,
    path: Path<'_>,
    role: Role,
    give: &mut impl FnMut(Role, Node<'a>),
) -> Result<(), WireError> {
    let block = node.object(path)?;
    let kind = block.required_text("type", path, "the kind of content, e.g. `text`")?;
    match kind.as_str() {
        "text" => {
            let text = block.get("text").ok_or_else(|| path.key("text").missing("a string"))?;
            text.text(path.key("text"))?;
            give(role, text);
        }
        // Signed thinking must go back unchanged, so it can be read but a change makes the provider refuse it.
        "thinking" => block.get("thinking").filter(|node| node.is_text()).into_iter().for_each(|node| give(role, node)),
        "tool_use" | "server_tool_use" | "mcp_tool_use" => {
            if let Some(input) = block.get("input") {
                leaves(input, &mut |leaf| give(role, leaf));
            }
        }
        "document" => {
            if let Some(source) = block.child("source", path)? {
                match (source.str("type").as_deref(), source.get("data"), source.get("content")) {
                    (Some("text"), Some(data), _) if data.is_text() => give(role, data),
                    (Some("content"), _, Some(content)) => {
                        content_texts(content, path.key("source").key("content"), role, give)?;
                    }
                    _ => {}
                }
            }
            for name in ["title", "context"] {
                block.get(name).filter(|node| node.is_text()).into_iter().for_each(|node| give(role, node));
            }
        }
        kind => {
            // Answers of tools, the provider's own ones included, and search results.
            let role = if kind.ends_with("tool_result") { Role::Tool } else { role };
            match block.get("content") {
                Some(content) if content.is_text() || kind == "tool_result" || kind == "search_result" => {
                    content_texts(content, path.key("content"), role, give)?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Every string within a value: a tool's input is an object here, so its texts stand scattered.
fn leaves<'a>(value: Node<'a>, give: &mut dyn FnMut(Node<'a>)) {
    // A list of work, not recursion: the nesting is the caller's to choose.
    let mut left = vec![value];
    while let Some(node) = left.pop() {
        if node.is_text() {
            give(node);
        } else if node.is_list() {
            left.extend(node.list(Path::Root).unwrap_or_default().into_iter().rev());
        } else if node.is_object() {
            left.extend(node.members().into_iter().rev());
        }
    }
}

pub(super) fn deltas(event: &SseEvent) -> Option<Deltas<'_>> {
    let mut found = Deltas::default();
    let body = Body::parse(&event.data).ok()?;
    let root = body.object().ok()?;
    let index: u32 = root.get("index").and_then(Node::read).unwrap_or(0);
    let mut closes = Vec::new();
    let mut slot = |kind, node: Node<'_>| {
        let channel = Channel { choice: 0, kind, index };
        let text = Cow::Owned(node.unescape().into_owned());
        found.slots.push(DeltaSlot { channel, text, range: body.range(node) });
    };
    match root.str("type")?.as_ref() {
        "content_block_start" => {
            // Mostly empty, but a provider may begin a block with text.
            let block = root.child("content_block", Path::Root).ok()??;
            for (name, kind) in [("text", ChannelKind::Text), ("thinking", ChannelKind::Reasoning)] {
                let text = block.get(name).filter(|node| node.is_text() && node.raw().len() > 2);
                text.into_iter().for_each(|node| slot(kind, node));
            }
        }
        "content_block_delta" => {
            let delta = root.child("delta", Path::Root).ok()??;
            if delta.str("type").as_deref() == Some("signature_delta") {
                closes.push(Closes::Block(index));
            }
            for (name, kind) in [
                ("text", ChannelKind::Text),
                ("thinking", ChannelKind::Reasoning),
                ("partial_json", ChannelKind::ToolArguments),
            ] {
                delta.get(name).filter(|node| node.is_text()).into_iter().for_each(|node| slot(kind, node));
            }
        }
        "content_block_stop" => closes.push(Closes::Block(index)),
        "message_stop" => closes.push(Closes::All),
        _ => return None,
    }
    found.closes = closes;
    Some(found)
}

pub(super) fn text_event(channel: Channel, text: &str) -> Bytes {
    let (kind, name) = match channel.kind {
        ChannelKind::Text | ChannelKind::Refusal => ("text_delta", "text"),
        ChannelKind::Reasoning => ("thinking_delta", "thinking"),
        ChannelKind::ToolArguments => ("input_json_delta", "partial_json"),
    };
    let data = Writer::write(|w| {
        w.field("type", "content_block_delta");
        w.field("index", &channel.index);
        w.object_field("delta", |w| {
            w.field("type", kind);
            w.field(name, text);
        });
    });
    sse::write(Some("content_block_delta"), &data)
}
