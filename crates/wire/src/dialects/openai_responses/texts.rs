//! What is read from raw bodies by byte ranges, without decoding them.

use signalbox_types::Role;

use super::input::{self, kind, role};
use super::parts::CONTENT;
use crate::codec::{Peek, TextSlot};
use crate::dialects::openai_chat::user;
use crate::error::WireError;
use crate::json::{Body, Node, Object, Of, Path};

pub(super) fn peek(body: &[u8]) -> Result<Peek, WireError> {
    let body = Body::parse(body)?;
    let root = body.object()?;
    let (model, model_range) = root.model(&body)?;
    input::find(&root)?;
    let stream = root.flag("stream", Path::Root)?.unwrap_or(false);
    Ok(Peek {
        model,
        model_range,
        stream,
        wants_stream_usage: stream,
        user: user(&root)?,
        metadata: root.map("metadata", Path::Root)?,
        max_tokens: root.count("max_output_tokens", Path::Root)?,
    })
}

pub(super) fn request_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let root = body.object()?;
    let mut found = Vec::new();
    root.text("instructions", Path::Root)?;
    found.extend(root.get("instructions").map(|node| body.slot(Role::System, node)));
    let path = Path::Root.key("input");
    match input::find(&root)? {
        Some(input) if input.is_text() => found.push(body.slot(Role::User, input)),
        Some(input) => {
            for (index, node) in input.list(path)?.into_iter().enumerate() {
                item_texts(node, path.index(index), &mut |role, node| found.push(body.slot(role, node)))?;
            }
        }
        None => {}
    }
    // What is filled into a prompt that the provider keeps.
    if let Some(prompt) = root.child("prompt", Path::Root)? {
        found.extend(prompt.leaf_slots("variables", Role::User, &body));
    }
    for name in ["user", "safety_identifier"] {
        found.extend(root.get(name).filter(|node| node.is_text()).map(|node| body.slot(Role::User, node)));
    }
    found.extend(root.leaf_slots("metadata", Role::User, &body));
    let path = Path::Root.key("tools");
    for (index, node) in root.children("tools", Path::Root)?.into_iter().enumerate() {
        node.object(path.index(index))?;
        found.extend(body.told(Of::Tool, [node]));
    }
    // What an answer is to look like.
    found.extend(body.told(Of::Answer, root.get("text")));
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

pub(super) fn response_texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let mut found = Vec::new();
    output_texts(&body.object()?, Path::Root, &mut |role, node| found.push(body.slot(role, node)))?;
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

/// The texts of an answer, which is perhaps within an event.
pub(super) fn output_texts<'a>(
    response: &Object<'a>,
    path: Path<'_>,
    give: &mut impl FnMut(Role, Node<'a>),
) -> Result<(), WireError> {
    let output = path.key("output");
    for (index, node) in response.children("output", path)?.into_iter().enumerate() {
        item_texts(node, output.index(index), give)?;
    }
    Ok(())
}

/// The texts of an item, of a request or an answer.
pub(super) fn item_texts<'a>(
    node: Node<'a>,
    path: Path<'_>,
    give: &mut impl FnMut(Role, Node<'a>),
) -> Result<(), WireError> {
    let item = node.object(path)?;
    let kind = kind(&item, path)?;
    if kind == "message" {
        let role = role(&item, path)?;
        let content = item.get("content").ok_or_else(|| path.key("content").missing(CONTENT))?;
        return content_texts(content, path.key("content"), role, give);
    }
    for name in ["summary", "content"] {
        let list = path.key(name);
        for (index, node) in item.children(name, path)?.into_iter().enumerate() {
            let text = node.object(list.index(index))?.get("text").filter(|node| node.is_text());
            text.into_iter().for_each(|node| give(Role::Assistant, node));
        }
    }
    // What tools are called with, those of the provider too, and what they answer.
    for name in ["arguments", "input", "code"] {
        item.get(name).filter(|node| node.is_text()).into_iter().for_each(|node| give(Role::Assistant, node));
    }
    match item.get("output") {
        Some(output) if output.is_text() => give(Role::Tool, output),
        Some(output) if output.is_list() && kind == "function_call_output" => {
            content_texts(output, path.key("output"), Role::Tool, give)?;
        }
        Some(output) => output.leaf_texts().into_iter().for_each(|leaf| give(Role::Tool, leaf)),
        None => {}
    }
    Ok(())
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
        part_texts(node, path.index(index), role, give)?;
    }
    Ok(())
}

/// The text of a part, which may also be a refusal.
pub(super) fn part_texts<'a>(
    node: Node<'a>,
    path: Path<'_>,
    role: Role,
    give: &mut impl FnMut(Role, Node<'a>),
) -> Result<(), WireError> {
    let part = node.object(path)?;
    let kind = part.required_text("type", path, "the kind of content, e.g. `input_text`")?;
    match (part.get("text"), part.get("refusal")) {
        (Some(text), _) if text.is_text() => give(role, text),
        (Some(text), _) => return Err(path.key("text").invalid("a string", text.kind())),
        (None, _) if matches!(kind.as_str(), "input_text" | "output_text") => {
            return Err(path.key("text").missing("a string"));
        }
        (None, Some(refusal)) if refusal.is_text() => give(role, refusal),
        _ => {}
    }
    Ok(())
}
