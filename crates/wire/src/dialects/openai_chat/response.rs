//! Answers ⇄ canonical.

use std::borrow::Cow;

use bytes::Bytes;
use signalbox_types::{Message, Part, Role, Usage};

use super::{DIALECT, citations, parts};
use crate::canonical::notes::{encode_openai_logprobs, length, openai_logprobs, text_of};
use crate::canonical::{Charges, ChatResponse, FinishReason, Notes, ServiceTier, TokenLogprob};
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::write::Writer;

pub(super) fn decode(bytes: &[u8]) -> Result<ChatResponse, WireError> {
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let told = root.child("usage", Path::Root)?.map(Told::new);
    let mut response = ChatResponse {
        id: root.text("id", Path::Root)?.map(Cow::into_owned),
        model: root.text("model", Path::Root)?.map(Cow::into_owned),
        created: root.get("created").and_then(Node::read),
        usage: told.as_ref().map(Told::usage).unwrap_or_default(),
        charges: charges(&root, told.as_ref()),
        ..ChatResponse::default()
    };
    if root.get("choices").is_none() {
        return Err(Path::Root.key("choices").missing("a list of answers"));
    }
    let path = Path::Root.key("choices");
    for (index, node) in root.children("choices", Path::Root)?.into_iter().enumerate() {
        let path = path.index(index);
        let choice = node.object(path)?;
        let message = choice.child("message", path)?.ok_or_else(|| path.key("message").missing("an object"))?;
        let reason = choice.text("finish_reason", path)?.map_or(FinishReason::Stop, |word| reason_of(&word));
        let mut cited = citations::annotations(&message);
        if cited.is_empty() {
            cited = citations::listed(&root);
        }
        response.notes.push(Notes { citations: cited, logprobs: logprobs(&choice, path)? });
        let mut parts = parts::parts(&message, path.key("message"), &mut Vec::new())?;
        // `content: ""` beside a tool call or a refusal says nothing.
        if parts.len() > 1 {
            parts.retain(|part| !matches!(part, Part::Text { content } if content.is_empty()));
        }
        response.messages.push(Message {
            role: Role::Assistant,
            parts,
            name: None,
            finish_reason: Some(reason.as_str().to_owned()),
        });
        response.finish_reasons.push(reason);
    }
    response.forget_empty_notes();
    Ok(response)
}

/// Of the text, or of the refusal: an answer has one of the two.
pub(super) fn logprobs(choice: &Object<'_>, path: Path<'_>) -> Result<Vec<TokenLogprob>, WireError> {
    let Some(told) = choice.child("logprobs", path)? else { return Ok(Vec::new()) };
    let mut tokens = openai_logprobs(told.get("content"));
    tokens.extend(openai_logprobs(told.get("refusal")));
    Ok(tokens)
}

pub(super) fn encode_logprobs(w: &mut Writer, tokens: &[TokenLogprob], refused: bool) {
    if tokens.is_empty() {
        return w.field("logprobs", &());
    }
    let (told, other) = if refused { ("refusal", "content") } else { ("content", "refusal") };
    w.object_field("logprobs", |w| {
        encode_openai_logprobs(w, told, tokens);
        w.field(other, &());
    });
}

pub(crate) fn reason_of(word: &str) -> FinishReason {
    match word {
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        other => FinishReason::Other(other.to_owned()),
    }
}

pub(crate) fn word_of(reason: &FinishReason) -> &'static str {
    match reason {
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter => "content_filter",
        // The SDKs know no other word: a pause and a strange reason are an end all the same.
        FinishReason::Stop | FinishReason::StopSequence | FinishReason::Pause | FinishReason::Other(_) => "stop",
    }
}

/// What `usage` says, each object in it read once.
pub(crate) struct Told<'a> {
    usage: Object<'a>,
    input: Option<Object<'a>>,
    output: Option<Object<'a>>,
}

impl<'a> Told<'a> {
    pub(crate) fn new(usage: Object<'a>) -> Self {
        let details = |name: &str| usage.child(name, Path::Root).ok().flatten();
        let (input, output) = (details("prompt_tokens_details"), details("completion_tokens_details"));
        Self { usage, input, output }
    }

    fn of_input(&self, name: &str) -> Option<u64> {
        count(self.input.as_ref()?, name)
    }

    fn of_output(&self, name: &str) -> Option<u64> {
        count(self.output.as_ref()?, name)
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            input_tokens: count(&self.usage, "prompt_tokens"),
            output_tokens: count(&self.usage, "completion_tokens"),
            // DeepSeek's own name comes second.
            cache_read_tokens: self.of_input("cached_tokens").or_else(|| count(&self.usage, "prompt_cache_hit_tokens")),
            cache_write_tokens: self.of_input("cache_write_tokens"),
            reasoning_tokens: self.of_output("reasoning_tokens"),
        }
    }
}

fn count(object: &Object<'_>, name: &str) -> Option<u64> {
    object.get(name).and_then(Node::read)
}

/// What changes the price of an answer, or of a piece of one: how it was served, and what of it is sound.
pub(crate) fn charges(root: &Object<'_>, told: Option<&Told<'_>>) -> Charges {
    Charges {
        audio_input: told.and_then(|told| told.of_input("audio_tokens")),
        audio_output: told.and_then(|told| told.of_output("audio_tokens")),
        image_input: told.and_then(|told| told.of_input("image_tokens")),
        image_output: told.and_then(|told| told.of_output("image_tokens")),
        service: root.str("service_tier").and_then(|word| ServiceTier::of(&word)),
        ..Charges::default()
    }
}

pub(crate) fn encode_usage(w: &mut Writer, usage: &Usage) {
    if usage.is_unknown() {
        return;
    }
    w.object_field("usage", |w| {
        w.field("prompt_tokens", &usage.input_tokens.unwrap_or(0));
        w.field("completion_tokens", &usage.output_tokens.unwrap_or(0));
        w.field("total_tokens", &usage.total().unwrap_or(0));
        if usage.cache_read_tokens.is_some() || usage.cache_write_tokens.is_some() {
            w.object_field("prompt_tokens_details", |w| {
                w.field("cached_tokens", &usage.cache_read_tokens.unwrap_or(0));
                w.field_if("cache_write_tokens", usage.cache_write_tokens);
            });
        }
        if let Some(reasoning) = usage.reasoning_tokens {
            w.object_field("completion_tokens_details", |w| w.field("reasoning_tokens", &reasoning));
        }
    });
}

pub(super) fn encode(response: &ChatResponse) -> Result<Bytes, WireError> {
    Writer::try_write(|w| {
        w.field("id", response.id.as_deref().unwrap_or_default());
        w.field("object", "chat.completion");
        w.field("created", &response.created.unwrap_or(0));
        w.field("model", response.model.as_deref().unwrap_or_default());
        let mut result = Ok(());
        w.list_field("choices", |w| {
            result = response.messages.iter().enumerate().try_for_each(|(index, message)| {
                encode_choice(w, index, message, response.finish_reasons.get(index), response.notes(index))
            });
        });
        encode_usage(w, &response.usage);
        result
    })
}

fn encode_choice(
    w: &mut Writer,
    index: usize,
    message: &Message,
    reason: Option<&FinishReason>,
    notes: &Notes,
) -> Result<(), WireError> {
    let mut text: Option<String> = None;
    for part in &message.parts {
        match part {
            Part::Text { content } => text.get_or_insert_default().push_str(content),
            Part::Reasoning { .. } | Part::Refusal { .. } | Part::ToolCall { .. } => {}
            _ => {
                return Err(
                    DIALECT.lacks("content", "the provider answered with content that has no counterpart there")
                );
            }
        }
    }
    let says_more = message.parts.iter().any(|part| matches!(part, Part::ToolCall { .. } | Part::Refusal { .. }));
    if text.is_none() && !says_more {
        text = Some(String::new());
    }
    w.object(|w| {
        w.field("index", &index);
        w.object_field("message", |w| {
            w.field("role", "assistant");
            w.field("content", &text);
            if !message.parts.iter().any(|part| matches!(part, Part::Refusal { .. })) {
                w.field("refusal", &());
            }
            parts::encode_reasoning(w, &message.parts);
            parts::encode_assistant_extras(w, &message.parts, true);
            citations::encode(w, &notes.citations, length(&text_of(message)));
        });
        let refused = message.parts.iter().any(|part| matches!(part, Part::Refusal { .. }));
        encode_logprobs(w, &notes.logprobs, refused && text.is_none());
        w.field("finish_reason", word_of(reason.unwrap_or(&FinishReason::Stop)));
    });
    Ok(())
}
