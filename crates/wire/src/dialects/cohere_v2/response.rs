//! Answers ⇄ canonical.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value;
use signalbox_types::{Message, Part, Role, Usage};

use super::{DIALECT, citations, messages};
use crate::canonical::notes::length;
use crate::canonical::{ChatResponse, Citation, FinishReason, Notes};
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::write::Writer;

pub(super) fn decode(bytes: &[u8]) -> Result<ChatResponse, WireError> {
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let path = Path::Root.key("message");
    let message = root.child("message", Path::Root)?.ok_or_else(|| path.missing("an object"))?;
    let parts = messages::parts(&message, path, &mut Vec::new())?;
    let reason = root.text("finish_reason", Path::Root)?.map_or(FinishReason::Stop, |word| reason_of(&word));
    let finish_reason = Some(reason.as_str().to_owned());
    let logprobs = root.get("logprobs").and_then(Node::read::<Value>);
    let notes = Notes { citations: cited(&message, &parts), logprobs: citations::logprobs(logprobs.as_ref()) };
    let mut response = ChatResponse {
        notes: vec![notes],
        id: root.text("id", Path::Root)?.map(Cow::into_owned),
        messages: vec![Message { role: Role::Assistant, parts, name: None, finish_reason }],
        finish_reasons: vec![reason],
        usage: root.child("usage", Path::Root)?.map(|usage| usage_of(&usage)).unwrap_or_default(),
        ..ChatResponse::default()
    };
    response.forget_empty_notes();
    Ok(response)
}

/// Places are told within a content block; `parts` begin with those.
fn cited(message: &Object<'_>, parts: &[Part]) -> Vec<Citation> {
    let list = message.get("citations").and_then(Node::read::<Vec<Value>>).unwrap_or_default();
    let before = |index: usize| {
        let texts =
            parts.iter().take(index).map(|part| if let Part::Text { content } = part { length(content) } else { 0 });
        texts.sum()
    };
    let index =
        |one: &Value| one.get("content_index").and_then(Value::as_u64).and_then(|one| usize::try_from(one).ok());
    // What is said of thinking, or of a plan, is not of the answer.
    let of_text = |one: &&Value| one.get("type").is_none_or(|kind| kind == "TEXT_CONTENT");
    list.iter().filter(of_text).flat_map(|one| citations::decode(one, before(index(one).unwrap_or(0)))).collect()
}

pub(super) fn reason_of(word: &str) -> FinishReason {
    match word {
        "COMPLETE" => FinishReason::Stop,
        "STOP_SEQUENCE" => FinishReason::StopSequence,
        "MAX_TOKENS" => FinishReason::Length,
        "TOOL_CALL" => FinishReason::ToolCalls,
        "ERROR_TOXIC" => FinishReason::ContentFilter,
        other => FinishReason::Other(other.to_ascii_lowercase()),
    }
}

pub(super) fn word_of(reason: &FinishReason, calls_tools: bool) -> &'static str {
    match reason {
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::ToolCalls => "TOOL_CALL",
        FinishReason::StopSequence => "STOP_SEQUENCE",
        // OpenAI says `stop` after a call that `tool_choice` named.
        FinishReason::Stop | FinishReason::Other(_) if calls_tools => "TOOL_CALL",
        FinishReason::Stop | FinishReason::Pause | FinishReason::ContentFilter | FinishReason::Other(_) => "COMPLETE",
    }
}

/// What is billed: Cohere adds tokens of its own to a call, which `tokens` counts and nobody pays. Where nothing is said
/// to be billed, all of them.
pub(super) fn usage_of(usage: &Object<'_>) -> Usage {
    let count = |of: &str, name: &str| {
        let counts = usage.child(of, Path::Root).ok().flatten()?;
        // They are decimal numbers in its JSON.
        let count = counts.get(name)?.read::<f64>()?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float casts to the nearest")]
        Some(count.round() as u64)
    };
    let told = |name: &str| count("billed_units", name).or_else(|| count("tokens", name));
    Usage {
        input_tokens: told("input_tokens"),
        output_tokens: told("output_tokens"),
        cache_read_tokens: usage.get("cached_tokens").and_then(Node::read::<u64>).filter(|cached| *cached > 0),
        cache_write_tokens: None,
        reasoning_tokens: None,
    }
}

pub(super) fn encode_usage(w: &mut Writer, usage: &Usage) {
    let (input, output) = (usage.input_tokens.unwrap_or(0), usage.output_tokens.unwrap_or(0));
    w.object_field("usage", |w| {
        for name in ["billed_units", "tokens"] {
            w.object_field(name, |w| {
                w.field("input_tokens", &input);
                w.field("output_tokens", &output);
            });
        }
        w.field_if("cached_tokens", usage.cache_read_tokens);
    });
}

pub(super) fn encode(response: &ChatResponse) -> Result<Bytes, WireError> {
    let message = response.only_answer(DIALECT)?;
    let calls_tools = message.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
    let reason = response.finish_reasons.first().unwrap_or(&FinishReason::Stop);
    Writer::try_write(|w| {
        w.field("id", response.id.as_deref().unwrap_or_default());
        w.field("finish_reason", word_of(reason, calls_tools));
        messages::encode_answer(w, message, &response.notes(0).citations)?;
        let tokens = &response.notes(0).logprobs;
        if !tokens.is_empty() {
            w.list_field("logprobs", |w| {
                tokens.iter().for_each(|token| w.object(|w| citations::encode_logprob(w, token)));
            });
        }
        encode_usage(w, &response.usage);
        Ok(())
    })
}
