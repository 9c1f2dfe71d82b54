//! What is read from raw bodies by byte ranges, without decoding them.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Map;
use signalbox_types::Role;

use super::response::choice;
use crate::codec::{Peek, TextSlot};
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::rewrite::{Channel, ChannelKind, Closes, DeltaSlot, Deltas};
use crate::sse::{self, SseEvent};
use crate::write::Writer;

pub(super) fn prompt<'a>(root: &Object<'a>) -> Result<Node<'a>, WireError> {
    const EXPECTED: &str = "a string, or a list of strings or of tokens";
    let path = Path::Root.key("prompt");
    let node = root.get("prompt").ok_or_else(|| path.missing(EXPECTED))?;
    if node.is_text() || node.is_list() { Ok(node) } else { Err(path.invalid(EXPECTED, node.kind())) }
}

pub(super) fn wants_usage(root: &Object<'_>) -> Result<bool, WireError> {
    let Some(options) = root.child("stream_options", Path::Root)? else { return Ok(false) };
    Ok(options.flag("include_usage", Path::Root.key("stream_options"))?.unwrap_or(false))
}

pub(super) fn peek(body: &[u8]) -> Result<Peek, WireError> {
    let body = Body::parse(body)?;
    let root = body.object()?;
    let (model, model_range) = root.model(&body)?;
    prompt(&root)?;
    Ok(Peek {
        model,
        model_range,
        stream: root.flag("stream", Path::Root)?.unwrap_or(false),
        wants_stream_usage: wants_usage(&root)?,
        user: root.text("user", Path::Root)?.map(Cow::into_owned),
        metadata: Map::new(),
        max_tokens: root.count("max_tokens", Path::Root)?,
    })
}

pub(super) fn request_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let root = body.object()?;
    let leaves = prompt(&root)?.leaf_texts();
    let others = ["suffix", "user"].iter().filter_map(|name| root.get(name)).filter(|node| node.is_text());
    let mut found: Vec<_> = leaves.into_iter().chain(others).map(|node| body.slot(Role::User, node)).collect();
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

pub(super) fn response_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let mut found = Vec::new();
    let path = Path::Root.key("choices");
    for (index, node) in body.object()?.children("choices", Path::Root)?.into_iter().enumerate() {
        let text = node.object(path.index(index))?.get("text").filter(|node| node.is_text());
        found.extend(text.map(|node| body.slot(Role::Assistant, node)));
    }
    Ok(found)
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
        if let Some(node) = choice.get("text").filter(|node| node.is_text()) {
            let channel = Channel { choice: number, kind: ChannelKind::Text, index: 0 };
            let text = Cow::Owned(node.unescape().into_owned());
            found.slots.push(DeltaSlot { channel, text, range: body.range(node) });
        }
        if choice.get("finish_reason").is_some() {
            found.closes.push(Closes::Choice(number));
        }
    }
    Some(found)
}

pub(super) fn text_event(like: &SseEvent, channel: Channel, text: &str) -> Bytes {
    let like = Body::parse(&like.data).and_then(|body| body.object()).ok();
    let like_text = |name: &str| like.as_ref().and_then(|like| like.str(name)).unwrap_or_default();
    let data = Writer::write(|w| {
        w.field("id", &like_text("id"));
        w.field("object", "text_completion");
        let created = like.as_ref().and_then(|like| like.get("created")).and_then(Node::read::<i64>);
        w.field("created", &created.unwrap_or(0));
        w.field("model", &like_text("model"));
        w.list_field("choices", |w| w.object(|w| choice(w, channel.choice, text, None)));
    });
    sse::write(None, &data)
}
