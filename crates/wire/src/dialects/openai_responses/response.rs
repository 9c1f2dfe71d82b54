//! Answers ⇄ canonical.

use std::borrow::Cow;

use bytes::Bytes;
use signalbox_types::{Message, Part, Role, Usage};

use super::answer::{self, Head};
use super::{DIALECT, annotations, input, parts, reasoning};
use crate::canonical::{Charges, ChatResponse, FinishReason, Notes, ServiceTier, signature};
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::write::Writer;

pub(super) fn decode(bytes: &[u8]) -> Result<ChatResponse, WireError> {
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    if root.get("output").is_none() {
        return Err(Path::Root.key("output").missing("a list of items"));
    }
    let mut said = Vec::new();
    let (mut characters, mut notes) = (0, Notes::default());
    let path = Path::Root.key("output");
    for (index, node) in root.children("output", Path::Root)?.into_iter().enumerate() {
        decode_item(node, path.index(index), &mut said)?;
        annotations::read_item(&node.object(path.index(index))?, path.index(index), &mut characters, &mut notes)?;
    }
    let calls = said.iter().any(|part| matches!(part, Part::ToolCall { .. }));
    let reason = reason_of(&root, calls);
    let finish_reason = Some(reason.as_str().to_owned());
    let mut response = ChatResponse {
        id: root.text("id", Path::Root)?.map(Cow::into_owned),
        model: root.text("model", Path::Root)?.map(Cow::into_owned),
        created: created(&root),
        messages: vec![Message { role: Role::Assistant, parts: said, name: None, finish_reason }],
        finish_reasons: vec![reason],
        notes: vec![notes],
        stop_sequence: None,
        usage: usage(&root).unwrap_or_default(),
        charges: charges(&root),
        latency_ms: None,
    };
    response.forget_empty_notes();
    Ok(response)
}

/// A number with or without a fraction.
fn created(root: &Object<'_>) -> Option<i64> {
    let node = root.get("created_at")?;
    #[expect(clippy::cast_possible_truncation, reason = "a time in seconds; what is out of range is cut to the range")]
    node.read::<i64>().or_else(|| Some(node.read::<f64>()? as i64))
}

pub(super) fn decode_item(node: Node<'_>, path: Path<'_>, said: &mut Vec<Part>) -> Result<(), WireError> {
    let item = node.object(path)?;
    match input::kind(&item, path)?.as_ref() {
        "message" => {
            if let Some(content) = item.get("content") {
                said.extend(parts::decode_content(content, path.key("content"))?.into_iter().map(|(part, _)| part));
            }
        }
        "reasoning" => said.extend(thought(reasoning::decode(&item, path)?)),
        "function_call" => said.push(input::call(&item, path)?),
        _ => said.push(Part::Other(node.value(path)?)),
    }
    Ok(())
}

/// Only encrypted content can be sent back to who keeps nothing: an id alone proves nothing.
pub(super) fn thought(part: Part) -> Option<Part> {
    let Part::Reasoning { content, signature, encrypted } = part else { return Some(part) };
    let signature = signature.filter(|one| signature::read_openai(one).is_none_or(|(_, proof)| !proof.is_empty()));
    let says = !content.is_empty() || signature.is_some() || encrypted.is_some();
    says.then_some(Part::Reasoning { content, signature, encrypted })
}

/// Why an answer ended; `calls`: it wants tools to be called.
pub(super) fn reason_of(response: &Object<'_>, calls: bool) -> FinishReason {
    let details = response.child("incomplete_details", Path::Root).ok().flatten();
    let why = details.as_ref().and_then(|details| details.str("reason"));
    match (response.str("status").as_deref(), why.as_deref()) {
        (Some("incomplete"), Some("content_filter")) => FinishReason::ContentFilter,
        (Some("incomplete"), Some("max_output_tokens") | None) => FinishReason::Length,
        (Some("incomplete"), Some(other)) => FinishReason::Other(other.to_owned()),
        (Some("completed") | None, _) if calls => FinishReason::ToolCalls,
        (Some("completed") | None, _) => FinishReason::Stop,
        (Some(other), _) => FinishReason::Other(other.to_owned()),
    }
}

/// How it was served, if not as usual.
pub(super) fn charges(response: &Object<'_>) -> Charges {
    let service = response.str("service_tier").and_then(|word| ServiceTier::of(&word));
    Charges { service, ..Charges::default() }
}

pub(super) fn usage(response: &Object<'_>) -> Option<Usage> {
    let usage = response.child("usage", Path::Root).ok()??;
    let count = |object: &Object<'_>, name: &str| object.get(name).and_then(Node::read::<u64>);
    let details = |name: &str| usage.child(name, Path::Root).ok().flatten();
    let (input, output) = (details("input_tokens_details"), details("output_tokens_details"));
    let of_input = |name: &str| input.as_ref().and_then(|details| count(details, name));
    Some(Usage {
        input_tokens: count(&usage, "input_tokens"),
        output_tokens: count(&usage, "output_tokens"),
        cache_read_tokens: of_input("cached_tokens"),
        cache_write_tokens: of_input("cache_write_tokens"),
        reasoning_tokens: output.as_ref().and_then(|details| count(details, "reasoning_tokens")),
    })
}

pub(super) fn encode(response: &ChatResponse) -> Result<Bytes, WireError> {
    let message = response.only_answer(DIALECT)?;
    let head = Head {
        id: response.id.clone().unwrap_or_default(),
        model: response.model.clone().unwrap_or_default(),
        created: response.created.unwrap_or(0),
    };
    let items = answer::items(&head.id, &message.parts, response.notes(0))
        .map_err(|_| DIALECT.lacks("content", "the provider answered with content that has no counterpart there"))?;
    let reason = response.finish_reasons.first().unwrap_or(&FinishReason::Stop);
    Writer::try_write(|w| {
        head.encode_fields(w, Some(reason), &items, &response.usage);
        Ok(())
    })
}
