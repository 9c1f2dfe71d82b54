//! What is read from raw bodies by byte ranges, without decoding them.

use std::ops::Range;

use bytes::Bytes;
use signalbox_types::Role;

use super::fields::{Fields, read_count};
use super::parts::role;
use super::request::contents;
use crate::codec::{Peek, TextSlot};
use crate::error::WireError;
use crate::json::{Body, Node, Of, Path};
use crate::rewrite::{Channel, ChannelKind, Closes, DeltaSlot, Deltas};
use crate::sse::{self, SseEvent};
use crate::write::Writer;

/// Strings within a call's arguments are running texts that end at once; these are their indices, out of the way of
/// all others.
const FIRST_LEAF: u32 = 1 << 16;

/// Model and stream stand in the path: both are empty here. A request to count tokens may hold the whole one.
pub(super) fn peek(body: &[u8]) -> Result<Peek, WireError> {
    let body = Body::parse(body)?;
    let root = inner(Fields::new(body.object()?))?;
    contents(&root)?;
    let config = root.child("generationConfig", Path::Root)?;
    Ok(Peek {
        model: String::new(),
        model_range: 0..0,
        stream: false,
        wants_stream_usage: false,
        user: None,
        metadata: root.map("labels", Path::Root)?,
        max_tokens: match config.map(|config| config.get("maxOutputTokens", Path::Root)) {
            Some(node) => node?.and_then(read_count),
            None => None,
        },
    })
}

/// The request itself, or the one within a request to count its tokens. Both at once are refused: a provider might read
/// the one that no scanner saw.
pub(super) fn inner(root: Fields<'_>) -> Result<Fields<'_>, WireError> {
    let Some(inner) = root.child("generateContentRequest", Path::Root)? else { return Ok(root) };
    match root.get("contents", Path::Root)? {
        Some(_) => Err(Path::Root.key("contents").invalid("either it or `generateContentRequest`", "both")),
        None => Ok(inner),
    }
}

pub(super) fn request_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let root = inner(Fields::new(body.object()?))?;
    let mut found = Vec::new();
    if let Some(node) = root.get("systemInstruction", Path::Root)? {
        let path = Path::Root.key("systemInstruction");
        if node.is_text() {
            found.push(body.slot(Role::System, node));
        } else {
            content_texts(&Fields::of(node, path)?, path, Role::System, &mut |said, node| {
                found.push(body.slot(said.role, node));
            })?;
        }
    }
    let path = Path::Root.key("contents");
    for (index, node) in contents(&root)?.list(path)?.into_iter().enumerate() {
        let path = path.index(index);
        let content = Fields::of(node, path)?;
        let role = role(&content, path)?;
        content_texts(&content, path, role, &mut |said, node| found.push(body.slot(said.role, node)))?;
    }
    if let Some(labels) = root.get("labels", Path::Root)? {
        found.extend(labels.leaf_texts().into_iter().map(|leaf| body.slot(Role::User, leaf)));
    }
    let path = Path::Root.key("tools");
    for (index, node) in root.children("tools", Path::Root)?.into_iter().enumerate() {
        let path = path.index(index);
        for node in Fields::of(node, path)?.children("functionDeclarations", path)? {
            Fields::of(node, path.key("functionDeclarations"))?.get("description", path)?;
            found.extend(body.told(Of::Tool, [node]));
        }
    }
    // What an answer is to look like.
    found.extend(body.told(Of::Answer, root.get("generationConfig", Path::Root)?));
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

pub(super) fn response_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let root = Fields::new(body.object()?);
    let mut found = Vec::new();
    let path = Path::Root.key("candidates");
    for (index, node) in root.children("candidates", Path::Root)?.into_iter().enumerate() {
        let path = path.index(index);
        if let Some(content) = Fields::of(node, path)?.child("content", path)? {
            content_texts(&content, path.key("content"), Role::Assistant, &mut |said, node| {
                found.push(body.slot(said.role, node));
            })?;
        }
    }
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

/// Who says a text, and what it is.
struct Said {
    role: Role,
    kind: ChannelKind,
    /// One of the strings that lie scattered in an object.
    leaf: bool,
    /// How many parts that are no text stand before it.
    segment: u32,
}

/// Gives every text of a content, and how many of its parts are no text.
fn content_texts<'a>(
    content: &Fields<'a>,
    path: Path<'_>,
    role: Role,
    give: &mut impl FnMut(Said, Node<'a>),
) -> Result<u32, WireError> {
    let parts = path.key("parts");
    let mut segment = 0;
    for (index, node) in content.children("parts", path)?.into_iter().enumerate() {
        let path = parts.index(index);
        let part = Fields::of(node, path)?;
        let is_thought = part.flag("thought", path)?.unwrap_or(false);
        let text = part.get("text", path)?;
        segment += u32::from(text.is_none());
        if let Some(text) = text {
            text.text(path.key("text"))?;
            let kind = if is_thought { ChannelKind::Reasoning } else { ChannelKind::Text };
            give(Said { role, kind, leaf: false, segment }, text);
        }
        let scattered = [
            ("functionCall", "args", role),
            ("functionResponse", "response", Role::Tool),
            ("executableCode", "code", role),
            ("codeExecutionResult", "output", Role::Tool),
        ];
        for (name, field, role) in scattered {
            let Some(inner) = part.child(name, path)? else { continue };
            let leaves = inner.get(field, path.key(name))?.map(Node::leaf_texts).unwrap_or_default();
            for leaf in leaves {
                give(Said { role, kind: ChannelKind::ToolArguments, leaf: true, segment }, leaf);
            }
        }
    }
    Ok(segment)
}

pub(super) fn deltas(event: &SseEvent) -> Option<Deltas<'_>> {
    let mut found = Deltas::default();
    let body = Body::parse(&event.data).ok()?;
    let root = Fields::new(body.object().ok()?);
    for node in root.children("candidates", Path::Root).ok()? {
        let candidate = Fields::of(node, Path::Root).ok()?;
        let index = candidate.get("index", Path::Root).ok()?.and_then(read_count).unwrap_or(0);
        let choice = u32::try_from(index).unwrap_or(u32::MAX);
        let mut segments = 0;
        if let Some(content) = candidate.child("content", Path::Root).ok()? {
            segments = content_texts(&content, Path::Root, Role::Assistant, &mut |said, node| {
                let mut channel = Channel { choice, kind: said.kind, index: said.segment };
                if said.leaf {
                    channel.index = FIRST_LEAF + u32::try_from(found.slots.len()).unwrap_or(u32::MAX - FIRST_LEAF);
                    found.closes.push(Closes::Block(channel.index));
                }
                found.slots.push(DeltaSlot { channel, text: node.unescape(), range: body.range(node) });
            })
            .ok()?;
        }
        // A call, or whatever else is no text, ends the text before it.
        if segments > 0 || candidate.get("finishReason", Path::Root).ok()?.is_some() {
            found.closes.push(Closes::Choice(choice));
        }
    }
    found.slots.sort_by_key(|slot| slot.range.start);
    Some(found)
}

pub(super) fn text_event(like: &SseEvent, channel: Channel, text: &str) -> Bytes {
    let like = Body::parse(&like.data).and_then(|body| body.object()).ok().map(Fields::new);
    let of_like = |name: &str| like.as_ref().and_then(|like| like.owned(name, Path::Root).ok().flatten());
    let data = Writer::write(|w| {
        w.list_field("candidates", |w| {
            w.object(|w| {
                w.object_field("content", |w| {
                    w.list_field("parts", |w| {
                        w.object(|w| {
                            w.field("text", text);
                            if channel.kind == ChannelKind::Reasoning {
                                w.field("thought", &true);
                            }
                        });
                    });
                    w.field("role", "model");
                });
                w.field("index", &channel.choice);
            });
        });
        w.field_if("modelVersion", of_like("modelVersion"));
        w.field_if("responseId", of_like("responseId"));
    });
    sse::write(None, &data)
}

/// The path names the model, but requests to embed or to count name it again within.
pub(super) fn with_model(bytes: &Bytes, model: &str) -> Result<Bytes, WireError> {
    // Looking for the word is a tenth of the work, and it stands in few bodies.
    if memchr::memmem::find(bytes, b"\"model\"").is_none() {
        return Ok(bytes.clone());
    }
    let body = Body::parse(bytes)?;
    let root = Fields::new(body.object()?);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut note = |fields: &Fields<'_>| -> Result<(), WireError> {
        let named = fields.get("model", Path::Root)?.filter(|node| node.is_text());
        ranges.extend(named.map(|node| body.range(node)));
        Ok(())
    };
    note(&root)?;
    if let Some(inner) = root.child("generateContentRequest", Path::Root)? {
        note(&inner)?;
    }
    let path = Path::Root.key("requests");
    for (index, node) in root.children("requests", Path::Root)?.into_iter().enumerate() {
        note(&Fields::of(node, path.index(index))?)?;
    }
    ranges.sort_by_key(|range| range.start);
    let name = crate::json::literal(&format!("models/{model}")).into_bytes();
    let edits: Vec<_> = ranges.into_iter().map(|range| (range, name.clone())).collect();
    Ok(crate::splice(bytes, &edits))
}
