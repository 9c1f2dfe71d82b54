//! Input items → canonical messages.

use std::borrow::Cow;

use serde_json::Value;
use signalbox_types::{Message, Part, Role};

use super::parts::{decode_answer, decode_content};
use super::reasoning;
use crate::canonical::{ChatRequest, Hinted, PartHints, arguments_from_text};
use crate::error::WireError;
use crate::json::{Node, Object, Path};

pub(super) const INPUT: &str = "a string or a list of items";

/// What is asked, if it is asked here: a prompt that the provider keeps may be all.
pub(super) fn find<'a>(root: &Object<'a>) -> Result<Option<Node<'a>>, WireError> {
    const KEPT: [&str; 3] = ["prompt", "conversation", "previous_response_id"];
    let path = Path::Root.key("input");
    match root.get("input") {
        None if KEPT.iter().any(|name| root.get(name).is_some()) => Ok(None),
        None => Err(path.missing(INPUT)),
        Some(node) if node.is_text() || node.is_list() => Ok(Some(node)),
        Some(node) => Err(path.invalid(INPUT, node.kind())),
    }
}

/// What kind of item it is. Messages and references may go without a name.
pub(super) fn kind<'a>(item: &Object<'a>, path: Path<'_>) -> Result<Cow<'a, str>, WireError> {
    const EXPECTED: &str = "the kind of item, e.g. `message`";
    match item.text("type", path)? {
        Some(kind) => Ok(kind),
        None if item.get("role").is_some() => Ok("message".into()),
        None if item.get("id").is_some() => Ok("item_reference".into()),
        None => Err(path.key("type").missing(EXPECTED)),
    }
}

pub(super) fn role(message: &Object<'_>, path: Path<'_>) -> Result<Role, WireError> {
    const EXPECTED: &str = "one of `system`, `developer`, `user`, `assistant`";
    Ok(match message.required_text("role", path, EXPECTED)?.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        _ => return Err(path.key("role").invalid(EXPECTED, "another word")),
    })
}

pub(super) fn decode(root: &Object<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    let path = Path::Root.key("input");
    let Some(input) = find(root)? else { return Ok(()) };
    if input.is_text() {
        request.push(Message::text(Role::User, input.unescape()), path);
        return Ok(());
    }
    // What the model said in one go is one message; anything else ends it.
    let mut goes_on = false;
    for (index, node) in input.list(path)?.into_iter().enumerate() {
        goes_on = decode_item(node, path.index(index), request, goes_on)?;
    }
    Ok(())
}

/// Whether the next item may belong to the same message.
fn decode_item(node: Node<'_>, path: Path<'_>, request: &mut ChatRequest, goes_on: bool) -> Result<bool, WireError> {
    let item = node.object(path)?;
    let (role, hinted) = match kind(&item, path)?.as_ref() {
        "message" => {
            let role = role(&item, path)?;
            let content = item.get("content").ok_or_else(|| path.key("content").missing(super::parts::CONTENT))?;
            (role, decode_content(content, path.key("content"))?)
        }
        "reasoning" => (Role::Assistant, plain(reasoning::decode(&item, path)?)),
        "function_call" => (Role::Assistant, plain(call(&item, path)?)),
        "function_call_output" => {
            let output = item.get("output").ok_or_else(|| path.key("output").missing(super::parts::CONTENT))?;
            let id = Some(item.required_text("call_id", path, "the `call_id` of the call that this answers")?);
            let response = decode_answer(output, path.key("output"))?;
            (Role::Tool, plain(Part::ToolCallResponse { id, response, is_error: false }))
        }
        other => {
            let mut value = node.value(path)?;
            if let Value::Object(fields) = &mut value {
                fields.insert("type".into(), other.into());
            }
            // Alone, so that an error names this very item.
            request.push_hinted(Role::Assistant, plain(Part::Other(value)), path);
            return Ok(false);
        }
    };
    if goes_on && role == Role::Assistant {
        append(request, hinted);
    } else {
        request.push_hinted(role, hinted, path);
    }
    Ok(role == Role::Assistant)
}

fn plain(part: Part) -> Hinted {
    vec![(part, PartHints::default())]
}

/// More of the last message.
fn append(request: &mut ChatRequest, hinted: Hinted) {
    let Some(message) = request.messages.len().checked_sub(1) else { return };
    let Some(last) = request.messages.last_mut() else { return };
    for (part, hints) in hinted {
        if hints != PartHints::default() {
            request.part_hints.insert((message, last.parts.len()), hints);
        }
        last.parts.push(part);
    }
}

/// A call of a tool, in a request or in an answer.
pub(super) fn call(item: &Object<'_>, path: Path<'_>) -> Result<Part, WireError> {
    let arguments = match item.get("arguments") {
        // Some imitators write the object itself.
        Some(node) if node.is_object() => node.value(path.key("arguments"))?,
        Some(node) => arguments_from_text(&node.text(path.key("arguments"))?),
        None => arguments_from_text(""),
    };
    let id = item.text("call_id", path)?.or(item.text("id", path)?).map(Cow::into_owned);
    Ok(Part::ToolCall { id, name: item.required_text("name", path, "the name of a tool")?, arguments })
}
