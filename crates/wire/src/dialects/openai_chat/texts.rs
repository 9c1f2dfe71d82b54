//! What is read from raw bodies by byte ranges, without decoding them.

use std::borrow::Cow;

use bytes::Bytes;
use signalbox_types::Role;

use crate::codec::{Peek, TextSlot};
use crate::error::WireError;
use crate::json::{Body, Node, Object, Of, Path};
use crate::rewrite::{Channel, ChannelKind, Closes, DeltaSlot, Deltas};
use crate::splice;
use crate::sse::{self, SseEvent};
use crate::write::Writer;

pub(super) const CONTENT: &str = "a string or a list of content parts";

/// Thinking may be told in three fields at once. Each is a running text of its own.
const REASONING: u32 = 1;
const THINKING_BLOCKS: u32 = 2;

pub(super) fn peek(body: &[u8]) -> Result<Peek, WireError> {
    let body = Body::parse(body)?;
    let root = body.object()?;
    let (model, model_range) = root.model(&body)?;
    root.messages()?;
    let wants_stream_usage = match root.child("stream_options", Path::Root)? {
        Some(options) => options.flag("include_usage", Path::Root.key("stream_options"))?.unwrap_or(false),
        None => false,
    };
    Ok(Peek {
        model,
        model_range,
        stream: root.flag("stream", Path::Root)?.unwrap_or(false),
        wants_stream_usage,
        user: user(&root)?,
        metadata: root.map("metadata", Path::Root)?,
        max_tokens: max_tokens(&root)?,
    })
}

pub(crate) fn user(root: &Object<'_>) -> Result<Option<String>, WireError> {
    let user = root.text("user", Path::Root)?;
    let safety_identifier = root.text("safety_identifier", Path::Root)?;
    Ok(user.or(safety_identifier).map(Cow::into_owned))
}

pub(super) fn max_tokens(root: &Object<'_>) -> Result<Option<u64>, WireError> {
    let old = root.count("max_tokens", Path::Root)?;
    Ok(root.count("max_completion_tokens", Path::Root)?.or(old))
}

pub(super) fn role(message: &Object<'_>, path: Path<'_>) -> Result<Role, WireError> {
    const EXPECTED: &str = "one of `system`, `developer`, `user`, `assistant`, `tool`";
    Ok(match message.required_text("role", path, EXPECTED)?.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        _ => return Err(path.key("role").invalid(EXPECTED, "another word")),
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
        message_texts(&message, path, |what, node| found.push(slot(&body, role, what, node)))?;
        let name = message.get("name").filter(|node| node.is_text());
        found.extend(name.map(|node| TextSlot { is_name: true, ..body.slot(role, node) }));
    }
    // A predicted answer is text that the provider reads.
    if let Some(prediction) = root.child("prediction", Path::Root)? {
        let path = Path::Root.key("prediction");
        content_texts(&prediction, path, &mut |_, node| found.push(body.slot(Role::Assistant, node)))?;
    }
    for name in ["user", "safety_identifier"] {
        found.extend(root.get(name).filter(|node| node.is_text()).map(|node| body.slot(Role::User, node)));
    }
    found.extend(root.leaf_slots("metadata", Role::User, &body));
    let path = Path::Root.key("tools");
    for (index, node) in root.children("tools", Path::Root)?.into_iter().enumerate() {
        let path = path.index(index);
        let tool = node.object(path)?;
        for kind in ["function", "custom"] {
            tool.child(kind, path)?;
        }
        found.extend(body.told(Of::Tool, [node]));
    }
    // Tools as they were told before there were tools, and what an answer is to look like.
    found.extend(body.told(Of::Tool, root.get("functions")));
    found.extend(body.told(Of::Answer, root.get("response_format")));
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

fn slot<'a>(body: &Body<'a>, role: Role, what: (ChannelKind, u32), node: Node<'a>) -> TextSlot<'a> {
    let signed = what == (ChannelKind::Reasoning, THINKING_BLOCKS);
    TextSlot { signed, ..body.slot(role, node) }
}

pub(super) fn response_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let mut found = Vec::new();
    let path = Path::Root.key("choices");
    for (index, node) in body.object()?.children("choices", Path::Root)?.into_iter().enumerate() {
        let path = path.index(index);
        if let Some(message) = node.object(path)?.child("message", path)? {
            message_texts(&message, path.key("message"), |what, node| {
                found.push(slot(&body, Role::Assistant, what, node));
            })?;
        }
    }
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

/// Gives every text of a message or delta, with what it is and its index among its kind.
fn message_texts<'a>(
    message: &Object<'a>,
    path: Path<'_>,
    mut give: impl FnMut((ChannelKind, u32), Node<'a>),
) -> Result<(), WireError> {
    content_texts(message, path, &mut give)?;
    // `reasoning` is the newer name of some providers; a few send both.
    for (index, name) in [(0, "reasoning_content"), (REASONING, "reasoning")] {
        if let Some(node) = message.get(name).filter(|node| node.is_text()) {
            give((ChannelKind::Reasoning, index), node);
        }
    }
    let blocks = path.key("thinking_blocks");
    for (place, node) in message.children("thinking_blocks", path)?.into_iter().enumerate() {
        let text = node.object(blocks.index(place))?.get("thinking").filter(|node| node.is_text());
        text.into_iter().for_each(|node| give((ChannelKind::Reasoning, THINKING_BLOCKS), node));
    }
    if let Some(refusal) = message.get("refusal").filter(|node| node.is_text()) {
        give((ChannelKind::Refusal, 0), refusal);
    }
    let calls = path.key("tool_calls");
    for (place, node) in message.children("tool_calls", path)?.into_iter().enumerate() {
        let path = calls.index(place);
        let call = node.object(path)?;
        let index = call.get("index").and_then(Node::read).unwrap_or_else(|| u32::try_from(place).unwrap_or(u32::MAX));
        for (body, field) in [("function", "arguments"), ("custom", "input")] {
            if let Some(inner) = call.child(body, path)?
                && let Some(arguments) = inner.get(field)
            {
                arguments.text(path.key(body).key(field))?;
                give((ChannelKind::ToolArguments, index), arguments);
            }
        }
    }
    if let Some(call) = message.child("function_call", path)?
        && let Some(arguments) = call.get("arguments").filter(|node| node.is_text())
    {
        give((ChannelKind::ToolArguments, u32::MAX), arguments);
    }
    Ok(())
}

fn content_texts<'a>(
    message: &Object<'a>,
    path: Path<'_>,
    give: &mut impl FnMut((ChannelKind, u32), Node<'a>),
) -> Result<(), WireError> {
    let Some(content) = message.get("content") else { return Ok(()) };
    let path = path.key("content");
    if content.is_text() {
        give((ChannelKind::Text, 0), content);
        return Ok(());
    }
    if !content.is_list() {
        return Err(path.invalid(CONTENT, content.kind()));
    }
    for (index, node) in content.list(path)?.into_iter().enumerate() {
        let path = path.index(index);
        let part = node.object(path)?;
        let kind = part.required_text("type", path, "the kind of content, e.g. `text`")?;
        match (kind.as_str(), part.get("text"), part.get("refusal")) {
            ("text", None, _) => return Err(path.key("text").missing("a string")),
            ("text", Some(text), _) if !text.is_text() => {
                return Err(path.key("text").invalid("a string", text.kind()));
            }
            (_, Some(text), _) if text.is_text() => give((ChannelKind::Text, 0), text),
            (_, _, Some(refusal)) if refusal.is_text() => give((ChannelKind::Refusal, 0), refusal),
            _ => {}
        }
    }
    Ok(())
}

pub(crate) fn ask_for_usage(bytes: &Bytes) -> Option<Bytes> {
    const OPTIONS: &[u8] = br#"{"include_usage":true}"#;
    let body = Body::parse(bytes).ok()?;
    let root = body.object().ok()?;
    if root.flag("stream", Path::Root).ok()? != Some(true) {
        return None;
    }
    let Some((_, options)) = root.iter().find(|(name, _)| *name == "stream_options") else {
        let end = memchr::memrchr(b'}', bytes)?;
        return Some(splice(bytes, &[(end..end, [br#","stream_options":"#, OPTIONS].concat())]));
    };
    if options.is_null() {
        return Some(splice(bytes, &[(body.range(options), OPTIONS.to_vec())]));
    }
    let fields = options.object(Path::Root).ok()?;
    let edit = match fields.iter().find(|(name, _)| *name == "include_usage") {
        Some((_, node)) if node.flag(Path::Root) == Ok(true) => return None,
        Some((_, node)) => (body.range(node), b"true".to_vec()),
        None if fields.iter().next().is_none() => (body.range(options), OPTIONS.to_vec()),
        None => {
            let start = body.range(options).start + 1;
            (start..start, br#""include_usage":true,"#.to_vec())
        }
    };
    Some(splice(bytes, &[edit]))
}

pub(super) fn deltas(event: &SseEvent) -> Option<Deltas<'_>> {
    let mut found = Deltas::default();
    if event.data.as_ref() == b"[DONE]" {
        found.closes.push(Closes::All);
        return Some(found);
    }
    let body = Body::parse(&event.data).ok()?;
    for node in body.object().ok()?.children("choices", Path::Root).ok()? {
        let choice = node.object(Path::Root).ok()?;
        let number: u32 = choice.get("index").and_then(Node::read).unwrap_or(0);
        if let Some(delta) = choice.child("delta", Path::Root).ok()? {
            message_texts(&delta, Path::Root, |(kind, index), node| {
                let channel = Channel { choice: number, kind, index };
                found.slots.push(DeltaSlot { channel, text: node.unescape(), range: body.range(node) });
            })
            .ok()?;
        }
        if choice.get("finish_reason").is_some() {
            found.closes.push(Closes::Choice(number));
        }
    }
    found.slots.sort_by_key(|slot| slot.range.start);
    Some(found)
}

pub(super) fn text_event(like: &SseEvent, channel: Channel, text: &str) -> Bytes {
    let like = Body::parse(&like.data).and_then(|body| body.object()).ok();
    let data = Writer::write(|w| {
        w.field("id", like.as_ref().and_then(|like| like.str("id")).as_deref().unwrap_or_default());
        w.field("object", "chat.completion.chunk");
        let created = like.as_ref().and_then(|like| like.get("created")).and_then(Node::read::<i64>);
        w.field("created", &created.unwrap_or(0));
        w.field("model", like.as_ref().and_then(|like| like.str("model")).as_deref().unwrap_or_default());
        w.list_field("choices", |w| {
            w.object(|w| {
                w.field("index", &channel.choice);
                w.object_field("delta", |w| match channel.kind {
                    ChannelKind::Text => w.field("content", text),
                    ChannelKind::Reasoning if channel.index == REASONING => w.field("reasoning", text),
                    ChannelKind::Reasoning if channel.index == THINKING_BLOCKS => {
                        w.list_field("thinking_blocks", |w| {
                            w.object(|w| {
                                w.field("type", "thinking");
                                w.field("thinking", text);
                            });
                        });
                    }
                    ChannelKind::Reasoning => w.field("reasoning_content", text),
                    ChannelKind::Refusal => w.field("refusal", text),
                    ChannelKind::ToolArguments if channel.index == u32::MAX => {
                        w.object_field("function_call", |w| w.field("arguments", text));
                    }
                    ChannelKind::ToolArguments => w.list_field("tool_calls", |w| {
                        w.object(|w| {
                            w.field("index", &channel.index);
                            w.object_field("function", |w| w.field("arguments", text));
                        });
                    }),
                });
                w.field("finish_reason", &());
            });
        });
    });
    sse::write(None, &data)
}
