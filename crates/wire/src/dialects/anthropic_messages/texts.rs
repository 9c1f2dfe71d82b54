//! What is read from raw bodies by byte ranges, without decoding them.

use std::borrow::Cow;

use bytes::Bytes;
use signalbox_types::Role;

use crate::codec::{Peek, TextSlot};
use crate::error::WireError;
use crate::json::{Body, Node, Object, Of, Path};
use crate::rewrite::{Channel, ChannelKind, Closes, DeltaSlot, Deltas};
use crate::sse::{self, SseEvent};
use crate::write::Writer;

pub(super) const CONTENT: &str = "a string or a list of content blocks";

/// How deep blocks may stand in blocks, in steps of the path; a document in a tool's answer takes 8.
const DEEPEST_CONTENT: usize = 16;

#[derive(Debug, Clone, Copy)]
enum Said {
    By(Role),
    /// Thinking that carries the provider's signature.
    Signed,
}

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
    let mut give = |said, node| found.push(slot(&body, said, node));
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
    found.extend(root.leaf_slots("metadata", Role::User, &body));
    let path = Path::Root.key("tools");
    for (index, node) in root.children("tools", Path::Root)?.into_iter().enumerate() {
        node.object(path.index(index))?;
        found.extend(body.told(Of::Tool, [node]));
    }
    // What an answer is to look like.
    for name in ["output_config", "output_format"] {
        found.extend(body.told(Of::Answer, root.get(name)));
    }
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

pub(super) fn response_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let mut found = Vec::new();
    if let Some(content) = body.object()?.get("content") {
        let mut give = |said, node| found.push(slot(&body, said, node));
        content_texts(content, Path::Root.key("content"), Role::Assistant, &mut give)?;
    }
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

fn slot<'a>(body: &Body<'a>, said: Said, node: Node<'a>) -> TextSlot<'a> {
    match said {
        Said::By(role) => body.slot(role, node),
        Said::Signed => TextSlot { signed: true, ..body.slot(Role::Assistant, node) },
    }
}

fn content_texts<'a>(
    content: Node<'a>,
    path: Path<'_>,
    role: Role,
    give: &mut impl FnMut(Said, Node<'a>),
) -> Result<(), WireError> {
    if content.is_text() {
        give(Said::By(role), content);
        return Ok(());
    }
    if !content.is_list() {
        return Err(path.invalid(CONTENT, content.kind()));
    }
    // Blocks may hold blocks, but no real ones hold this many; endless ones would exhaust the stack.
    if path.depth() > DEEPEST_CONTENT {
        return Err(path.invalid("content with fewer blocks in blocks", "too many levels"));
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
    give: &mut impl FnMut(Said, Node<'a>),
) -> Result<(), WireError> {
    let block = node.object(path)?;
    let kind = block.required_text("type", path, "the kind of content, e.g. `text`")?;
    match kind.as_str() {
        "text" => {
            let text = block.get("text").ok_or_else(|| path.key("text").missing("a string"))?;
            text.text(path.key("text"))?;
            give(Said::By(role), text);
        }
        "thinking" => {
            let is_signed = block.str("signature").is_some_and(|signature| !signature.is_empty());
            let said = if is_signed { Said::Signed } else { Said::By(role) };
            block.get("thinking").filter(|node| node.is_text()).into_iter().for_each(|node| give(said, node));
        }
        "tool_use" | "server_tool_use" | "mcp_tool_use" => {
            // An object here, so its texts stand scattered.
            block.get("input").into_iter().flat_map(Node::leaf_texts).for_each(|leaf| give(Said::By(role), leaf));
        }
        "document" => {
            if let Some(source) = block.child("source", path)? {
                match (source.str("type").as_deref(), source.get("data"), source.get("content")) {
                    (Some("text"), Some(data), _) if data.is_text() => give(Said::By(role), data),
                    (Some("content"), _, Some(content)) => {
                        content_texts(content, path.key("source").key("content"), role, give)?;
                    }
                    _ => {}
                }
            }
            for name in ["title", "context"] {
                block.get(name).filter(|node| node.is_text()).into_iter().for_each(|node| give(Said::By(role), node));
            }
        }
        kind => {
            // Answers of tools, the provider's own ones included, and search results.
            let role = if kind.ends_with("tool_result") { Role::Tool } else { role };
            if kind == "search_result" {
                let title = block.get("title").filter(|node| node.is_text());
                title.into_iter().for_each(|node| give(Said::By(role), node));
            }
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
