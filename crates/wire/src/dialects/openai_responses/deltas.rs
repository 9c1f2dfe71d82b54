//! The texts in the events of a stream, and events that add to them.

use std::borrow::Cow;

use bytes::Bytes;

use super::texts::{item_texts, output_texts, part_texts};
use crate::json::{Body, Node, Object, Path};
use crate::rewrite::{Again, Channel, ChannelKind, Closes, DeltaSlot, Deltas};
use crate::sse::{self, SseEvent};
use crate::write::Writer;

/// An item has so many parts at most, as far as texts are told apart.
const PARTS: u32 = 1 << 8;

/// Which running text of the answer an event is about: the item, and the part of it that `part` names.
pub(super) fn index(event: &Object<'_>, part: &str) -> u32 {
    let part = event.get(part).and_then(Node::read::<u32>).unwrap_or(0).min(PARTS - 1);
    first_index(event) + part
}

/// The first running text of the item that an event is about.
pub(super) fn first_index(event: &Object<'_>) -> u32 {
    let item = event.get("output_index").and_then(Node::read::<u32>).unwrap_or(0);
    item.min(u32::MAX / PARTS) * PARTS
}

/// Names of events without `response.` and `.delta` or `.done`; what they add to; and the field that tells the parts apart.
const TEXTS: &[(&str, ChannelKind, &str)] = &[
    ("output_text", ChannelKind::Text, "content_index"),
    ("refusal", ChannelKind::Refusal, "content_index"),
    ("reasoning_summary_text", ChannelKind::Reasoning, "summary_index"),
    ("reasoning_text", ChannelKind::Reasoning, "content_index"),
    ("function_call_arguments", ChannelKind::ToolArguments, "content_index"),
];

pub(super) fn deltas(event: &SseEvent) -> Option<Deltas<'_>> {
    let mut found = Deltas::default();
    let body = Body::parse(&event.data).ok()?;
    let root = body.object().ok()?;
    let kind = root.str("type").or_else(|| event.event.as_deref().map(Cow::Borrowed))?;
    let name = kind.strip_prefix("response.")?;
    let mut again = |node: Node<'_>| {
        let text = Cow::Owned(node.unescape().into_owned());
        found.again.push(Again { text, range: body.range(node) });
    };
    let (what, step) = name.rsplit_once('.').unwrap_or((name, ""));
    if let Some((_, kind, part)) = TEXTS.iter().find(|(known, ..)| *known == what) {
        let index = index(&root, part);
        if step == "delta" {
            let delta = root.get("delta").filter(|node| node.is_text())?;
            let channel = Channel { choice: 0, kind: *kind, index };
            found.slots.push(DeltaSlot {
                channel,
                text: delta.unescape().into_owned().into(),
                range: body.range(delta),
            });
        } else {
            for field in ["text", "refusal", "arguments"] {
                root.get(field).filter(|node| node.is_text()).into_iter().for_each(&mut again);
            }
            found.closes.push(Closes::Block(index));
        }
        return Some(found);
    }
    match name {
        "content_part.done" | "reasoning_summary_part.done" => {
            part_texts(root.get("part")?, Path::Root, signalbox_types::Role::Assistant, &mut |_, node| again(node))
                .ok()?;
        }
        // What is told whole at the beginning is told in pieces after it, if it is anything.
        "output_item.done" => item_texts(root.get("item")?, Path::Root, &mut |_, node| again(node)).ok()?,
        "completed" | "incomplete" | "failed" => {
            let response = root.child("response", Path::Root).ok()??;
            output_texts(&response, Path::Root, &mut |_, node| again(node)).ok()?;
            found.closes.push(Closes::All);
        }
        _ => return None,
    }
    Some(found)
}

pub(super) fn text_event(like: &SseEvent, channel: Channel, text: &str) -> Bytes {
    let like = Body::parse(&like.data).and_then(|body| body.object()).ok();
    let (item, part) = (channel.index / PARTS, channel.index % PARTS);
    let like_text = |name: &str| like.as_ref().and_then(|like| like.str(name));
    let same_item = like.as_ref().is_some_and(|like| first_index(like) == item * PARTS);
    let told_openly = same_item && like_text("type").is_some_and(|kind| kind == "response.reasoning_text.delta");
    let (name, _, field) = match channel.kind {
        ChannelKind::Reasoning if told_openly => TEXTS[3],
        ChannelKind::Text => TEXTS[0],
        ChannelKind::Refusal => TEXTS[1],
        ChannelKind::Reasoning => TEXTS[2],
        ChannelKind::ToolArguments => TEXTS[4],
    };
    let kind = format!("response.{name}.delta");
    let data = Writer::write(|w| {
        w.field("type", &kind);
        let sequence = like.as_ref().and_then(|like| like.get("sequence_number")).and_then(Node::read::<u64>);
        w.field("sequence_number", &sequence.unwrap_or(0));
        w.field("item_id", &like_text("item_id").filter(|_| same_item).unwrap_or_default());
        w.field("output_index", &item);
        if channel.kind != ChannelKind::ToolArguments {
            w.field(field, &part);
        }
        w.field("delta", text);
        if channel.kind == ChannelKind::Text {
            w.list_field("logprobs", |_| {});
        }
    });
    sse::write(Some(&kind), &data)
}
