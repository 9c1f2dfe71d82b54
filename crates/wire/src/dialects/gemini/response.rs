//! Answers ⇄ canonical.

use bytes::Bytes;
use signalbox_types::{Message, Part, Role, Usage};

use super::fields::{Fields, read_count};
use super::notes;
use super::parts::{self, Ids};
use super::turns::{Signed, encode_part};
use crate::canonical::{Charges, ChatResponse, FinishReason, Notes, ServiceTier};
use crate::error::WireError;
use crate::json::{Body, Path};
use crate::write::Writer;

pub(super) fn decode(bytes: &[u8]) -> Result<ChatResponse, WireError> {
    let body = Body::parse(bytes)?;
    let root = Fields::new(body.object()?);
    let mut response = ChatResponse {
        id: root.owned("responseId", Path::Root)?,
        model: root.owned("modelVersion", Path::Root)?,
        usage: usage(&root)?.unwrap_or_default(),
        charges: charges(&root)?,
        ..ChatResponse::default()
    };
    let path = Path::Root.key("candidates");
    for (index, node) in root.children("candidates", Path::Root)?.into_iter().enumerate() {
        let path = path.index(index);
        let candidate = Fields::of(node, path)?;
        let mut ids = Ids::new(format!("{}{index}", response.id.as_deref().unwrap_or_default()));
        let hinted = match candidate.child("content", path)? {
            Some(content) => parts::decode_parts(&content, path.key("content"), &mut ids)?,
            None => Vec::new(),
        };
        let mut parts: Vec<Part> = hinted.into_iter().map(|(part, _)| part).collect();
        let citations = notes::citations(&candidate, path, &parts)?;
        response.notes.push(Notes { citations, logprobs: notes::logprobs(&candidate, path)? });
        if parts.len() > 1 {
            parts.retain(|part| !matches!(part, Part::Text { content } if content.is_empty()));
        }
        let calls = parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
        let word = candidate.text("finishReason", path)?;
        push(&mut response, parts, reason_of(word.as_deref().unwrap_or("STOP"), calls));
    }
    response.forget_empty_notes();
    match blocked(&root)? {
        Some(content) if response.messages.is_empty() => {
            push(&mut response, vec![Part::Refusal { content }], FinishReason::ContentFilter);
        }
        None if response.messages.is_empty() => return Err(path.missing("a list of answers")),
        _ => {}
    }
    Ok(response)
}

fn push(response: &mut ChatResponse, parts: Vec<Part>, reason: FinishReason) {
    let finish_reason = Some(reason.as_str().to_owned());
    response.messages.push(Message { role: Role::Assistant, parts, name: None, finish_reason });
    response.finish_reasons.push(reason);
}

/// What is said of a prompt that the provider didn't answer.
pub(super) fn blocked(root: &Fields<'_>) -> Result<Option<String>, WireError> {
    let path = Path::Root.key("promptFeedback");
    let Some(feedback) = root.child("promptFeedback", Path::Root)? else { return Ok(None) };
    let Some(word) = feedback.text("blockReason", path)? else { return Ok(None) };
    let message = feedback.text("blockReasonMessage", path)?.filter(|message| !message.is_empty());
    let more = message.map_or_else(String::new, |message| format!(": {message}"));
    Ok(Some(format!("The provider blocked the prompt ({word}){more}")))
}

pub(super) fn reason_of(word: &str, calls: bool) -> FinishReason {
    match word {
        "STOP" if calls => FinishReason::ToolCalls,
        "STOP" | "FINISH_REASON_UNSPECIFIED" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => FinishReason::ContentFilter,
        other => FinishReason::Other(other.to_owned()),
    }
}

pub(super) fn word_of(reason: &FinishReason, refused: bool) -> &str {
    /// Other words of the API; the SDKs know no others.
    const OTHERS: &[&str] = &[
        "IMAGE_OTHER",
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "MISSING_THOUGHT_SIGNATURE",
        "NO_IMAGE",
        "TOO_MANY_TOOL_CALLS",
        "UNEXPECTED_TOOL_CALL",
    ];
    match reason {
        FinishReason::Stop | FinishReason::Other(_) if refused => "SAFETY",
        FinishReason::Stop | FinishReason::StopSequence | FinishReason::ToolCalls | FinishReason::Pause => "STOP",
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::ContentFilter => "SAFETY",
        FinishReason::Other(word) if OTHERS.contains(&word.as_str()) => word,
        FinishReason::Other(_) => "OTHER",
    }
}

/// This dialect counts thinking beside the answer, and what tools of its own read beside the prompt; cached tokens are
/// within the prompt. In a stream each count replaces the one before.
pub(super) fn usage(root: &Fields<'_>) -> Result<Option<Usage>, WireError> {
    let path = Path::Root.key("usageMetadata");
    let Some(usage) = root.child("usageMetadata", Path::Root)? else { return Ok(None) };
    let count = |name: &str| Ok::<_, WireError>(usage.get(name, path)?.and_then(read_count));
    let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
    };
    let thoughts = count("thoughtsTokenCount")?;
    Ok(Some(Usage {
        input_tokens: sum(count("promptTokenCount")?, count("toolUsePromptTokenCount")?),
        output_tokens: sum(count("candidatesTokenCount")?, thoughts),
        cache_read_tokens: count("cachedContentTokenCount")?,
        cache_write_tokens: None,
        reasoning_tokens: thoughts,
    }))
}

/// How it was served, and what of the tokens is sound and pictures. Cached ones are within both.
pub(super) fn charges(root: &Fields<'_>) -> Result<Charges, WireError> {
    let path = Path::Root.key("usageMetadata");
    let Some(usage) = root.child("usageMetadata", Path::Root)? else { return Ok(Charges::default()) };
    let of = |list: &str, wanted: &str| -> Result<Option<u64>, WireError> {
        let mut found = None;
        for node in usage.children(list, path)? {
            let each = Fields::of(node, path.key(list))?;
            if each.text("modality", path)?.is_some_and(|modality| modality == wanted) {
                let tokens = each.get("tokenCount", path)?.and_then(read_count).unwrap_or(0);
                found = Some(found.unwrap_or(0) + tokens);
            }
        }
        Ok(found)
    };
    Ok(Charges {
        one_hour_writes: None,
        audio_input: of("promptTokensDetails", "AUDIO")?,
        audio_output: of("candidatesTokensDetails", "AUDIO")?,
        image_input: of("promptTokensDetails", "IMAGE")?,
        image_output: of("candidatesTokensDetails", "IMAGE")?,
        service: usage.text("trafficType", path)?.and_then(|word| ServiceTier::of(&word)),
    })
}

pub(super) fn encode_usage(w: &mut Writer, usage: &Usage) {
    if usage.is_unknown() {
        return;
    }
    w.object_field("usageMetadata", |w| {
        w.field("promptTokenCount", &usage.input_tokens.unwrap_or(0));
        let thoughts = usage.reasoning_tokens.unwrap_or(0);
        w.field("candidatesTokenCount", &usage.output_tokens.unwrap_or(0).saturating_sub(thoughts));
        w.field("totalTokenCount", &usage.total().unwrap_or(0));
        w.field_if("cachedContentTokenCount", usage.cache_read_tokens);
        w.field_if("thoughtsTokenCount", usage.reasoning_tokens);
    });
}

pub(super) fn encode(response: &ChatResponse) -> Result<Bytes, WireError> {
    Writer::try_write(|w| {
        let mut result = Ok(());
        w.list_field("candidates", |w| {
            let mut each = response.messages.iter().enumerate();
            result = each.try_for_each(|(index, message)| {
                let reason = response.finish_reasons.get(index).unwrap_or(&FinishReason::Stop);
                encode_candidate(w, index, message, reason, response.notes(index))
            });
        });
        encode_usage(w, &response.usage);
        w.field("modelVersion", response.model.as_deref().unwrap_or_default());
        w.field_if("responseId", response.id.as_ref());
        result
    })
}

fn encode_candidate(
    w: &mut Writer,
    index: usize,
    message: &Message,
    reason: &FinishReason,
    told: &Notes,
) -> Result<(), WireError> {
    let mut result = Ok(());
    w.object(|w| {
        w.object_field("content", |w| {
            w.list_field("parts", |w| {
                let mut signed = Signed::default();
                for (place, part) in message.parts.iter().enumerate() {
                    if !signed.encode(w, part, message.parts.get(place + 1)) {
                        result = encode_answer_part(w, part);
                    }
                    if result.is_err() {
                        return;
                    }
                }
                signed.finish(w);
            });
            w.field("role", "model");
        });
        let refused = message.parts.iter().any(|part| matches!(part, Part::Refusal { .. }));
        w.field("finishReason", word_of(reason, refused));
        w.field("index", &index);
        notes::encode(w, told, &notes::texts_of(message));
    });
    result
}

/// A part that is neither text, thinking nor a call. Only this dialect's answers hold others, which go as they came.
pub(super) fn encode_answer_part(w: &mut Writer, part: &Part) -> Result<(), WireError> {
    const OURS: &[&str] = &["executableCode", "codeExecutionResult", "inlineData", "fileData", "functionResponse"];
    match part {
        Part::Other(value) if OURS.iter().any(|name| value.get(name).is_some()) => w.item(value),
        part => encode_part(w, part, None, "answer")?,
    }
    Ok(())
}
