//! Answers ⇄ canonical.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value;
use signalbox_types::{Message, Part, Role, Usage};

use super::{DIALECT, citations, parts};
use crate::canonical::notes::{cut, length};
use crate::canonical::{Charges, ChatResponse, Citation, FinishReason, Notes, ServiceTier};
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::write::Writer;

pub(super) fn decode(bytes: &[u8]) -> Result<ChatResponse, WireError> {
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let content = root.get("content").ok_or_else(|| Path::Root.key("content").missing("a list of content blocks"))?;
    let hinted = parts::decode_content(content, Path::Root.key("content"))?;
    let stop_sequence = root.text("stop_sequence", Path::Root)?.map(Cow::into_owned);
    let reason = root.text("stop_reason", Path::Root)?.map_or(FinishReason::Stop, |word| reason_of(&word));
    let mut usage = Counts::default();
    if let Some(counts) = root.child("usage", Path::Root)? {
        usage.update(&counts);
    }
    let citations = cited(content, Path::Root.key("content"))?;
    let mut response = ChatResponse {
        id: root.text("id", Path::Root)?.map(Cow::into_owned),
        model: root.text("model", Path::Root)?.map(Cow::into_owned),
        created: None,
        messages: vec![Message {
            role: Role::Assistant,
            parts: hinted.into_iter().map(|(part, _)| part).collect(),
            name: None,
            finish_reason: Some(reason.as_str().to_owned()),
        }],
        finish_reasons: vec![reason],
        notes: vec![Notes { citations, logprobs: Vec::new() }],
        stop_sequence,
        usage: usage.usage(),
        charges: usage.charges(),
        latency_ms: None,
    };
    response.forget_empty_notes();
    Ok(response)
}

fn cited(content: Node<'_>, path: Path<'_>) -> Result<Vec<Citation>, WireError> {
    let mut found = Vec::new();
    let mut said = 0;
    let blocks = if content.is_list() { content.list(path)? } else { Vec::new() };
    for (index, node) in blocks.into_iter().enumerate() {
        let block = node.object(path.index(index))?;
        if block.str("type").as_deref() != Some("text") {
            continue;
        }
        let start = said;
        said += length(&block.str("text").unwrap_or_default());
        let told = block.get("citations").and_then(Node::read::<Vec<Value>>).unwrap_or_default();
        found.extend(told.iter().filter_map(|one| citations::decode(one, start..said)));
    }
    Ok(found)
}

pub(super) fn reason_of(word: &str) -> FinishReason {
    match word {
        "end_turn" => FinishReason::Stop,
        "stop_sequence" => FinishReason::StopSequence,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        "pause_turn" => FinishReason::Pause,
        other => FinishReason::Other(other.to_owned()),
    }
}

/// What an answer holds, as far as the reason for its end depends on it.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Holds {
    pub(super) refusal: bool,
    pub(super) tool_call: bool,
}

pub(super) fn word_of(reason: &FinishReason, holds: Holds, stop_sequence: Option<&str>) -> &'static str {
    match reason {
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
        FinishReason::ContentFilter => "refusal",
        FinishReason::Pause => "pause_turn",
        FinishReason::StopSequence => "stop_sequence",
        FinishReason::Stop | FinishReason::Other(_) if holds.refusal => "refusal",
        // OpenAI says `stop` after a call that `tool_choice` named; agents here look for `tool_use`.
        FinishReason::Stop | FinishReason::Other(_) if holds.tool_call => "tool_use",
        FinishReason::Stop | FinishReason::Other(_) if stop_sequence.is_some() => "stop_sequence",
        FinishReason::Stop | FinishReason::Other(_) => "end_turn",
    }
}

/// The counts as this dialect tells them. In a stream they come twice, the second time cumulative:
/// what is told again replaces what was told before, never adds to it.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    reasoning: Option<u64>,
    one_hour: Option<u64>,
    service: Option<ServiceTier>,
}

impl Counts {
    pub(super) fn update(&mut self, usage: &Object<'_>) {
        let count = |name: &str| usage.get(name).and_then(Node::read::<u64>);
        let reasoning = usage.child("output_tokens_details", Path::Root).ok().flatten();
        let reasoning = reasoning.and_then(|details| {
            ["thinking_tokens", "reasoning_tokens"].iter().find_map(|name| details.get(name)?.read::<u64>())
        });
        let writes = usage.child("cache_creation", Path::Root).ok().flatten();
        let one_hour = writes.and_then(|writes| writes.get("ephemeral_1h_input_tokens")?.read::<u64>());
        let service = usage.str("service_tier").and_then(|word| ServiceTier::of(&word));
        self.service = service.or(self.service);
        for (known, told) in [
            (&mut self.input, count("input_tokens")),
            (&mut self.output, count("output_tokens")),
            (&mut self.cache_read, count("cache_read_input_tokens")),
            (&mut self.cache_write, count("cache_creation_input_tokens")),
            (&mut self.reasoning, reasoning),
            (&mut self.one_hour, one_hour),
        ] {
            *known = told.or(*known);
        }
    }

    pub(super) fn charges(&self) -> Charges {
        Charges { one_hour_writes: self.one_hour, service: self.service, ..Charges::default() }
    }

    pub(super) fn usage(&self) -> Usage {
        let cached = self.cache_read.unwrap_or(0).saturating_add(self.cache_write.unwrap_or(0));
        Usage {
            input_tokens: self.input.map(|input| input.saturating_add(cached)),
            output_tokens: self.output,
            cache_read_tokens: self.cache_read,
            cache_write_tokens: self.cache_write,
            reasoning_tokens: self.reasoning,
        }
    }
}

/// The `usage` of an answer. The SDKs want the two main counts always.
pub(super) fn encode_usage(w: &mut Writer, usage: &Usage) {
    w.object_field("usage", |w| {
        w.field("input_tokens", &usage.uncached_input());
        w.field_if("cache_creation_input_tokens", usage.cache_write_tokens);
        w.field_if("cache_read_input_tokens", usage.cache_read_tokens);
        w.field("output_tokens", &usage.output_tokens.unwrap_or(0));
    });
}

pub(super) fn encode(response: &ChatResponse) -> Result<Bytes, WireError> {
    let message = response.only_answer(DIALECT)?;
    let holds = Holds {
        refusal: message.parts.iter().any(|part| matches!(part, Part::Refusal { .. })),
        tool_call: message.parts.iter().any(|part| matches!(part, Part::ToolCall { .. })),
    };
    let reason = response.finish_reasons.first().unwrap_or(&FinishReason::Stop);
    Writer::try_write(|w| {
        w.field("id", response.id.as_deref().unwrap_or_default());
        w.field("type", "message");
        w.field("role", "assistant");
        w.field("model", response.model.as_deref().unwrap_or_default());
        let mut result = Ok(());
        w.list_field("content", |w| {
            let citations = &response.notes(0).citations;
            let mut said = 0;
            result = message.parts.iter().try_for_each(|part| match part {
                Part::Text { content } if !citations.is_empty() => {
                    cut(content, said, citations).iter().for_each(|(text, sources)| encode_text(w, text, sources));
                    said += length(content);
                    Ok(())
                }
                part => parts::encode_answer_part(w, part),
            });
        });
        w.field("stop_reason", word_of(reason, holds, response.stop_sequence.as_deref()));
        w.field("stop_sequence", &response.stop_sequence);
        encode_usage(w, &response.usage);
        result
    })
}

fn encode_text(w: &mut Writer, text: &str, sources: &[&Citation]) {
    w.object(|w| {
        w.field("type", "text");
        w.field("text", text);
        if !sources.is_empty() {
            w.list_field("citations", |w| {
                sources.iter().for_each(|one| w.object(|w| citations::encode_fields(w, one)));
            });
        }
    });
}
