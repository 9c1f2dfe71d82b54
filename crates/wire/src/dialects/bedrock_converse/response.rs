//! Answers ⇄ canonical.

use bytes::Bytes;
use serde_json::Value;
use signalbox_types::{Message, Part, Role, Usage};

use super::content::{BLOCKS, cited_text, decode_blocks};
use super::turns::{Named, encode_part};
use super::{DIALECT, citations};
use crate::canonical::notes::{cut, length};
use crate::canonical::{Charges, ChatResponse, Citation, FinishReason, Notes, ServiceTier};
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::write::Writer;

pub(super) fn decode(bytes: &[u8]) -> Result<ChatResponse, WireError> {
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let output = root.child("output", Path::Root)?.ok_or_else(|| Path::Root.key("output").missing("an object"))?;
    let path = Path::Root.key("output");
    let message = output.child("message", path)?.ok_or_else(|| path.key("message").missing("an object"))?;
    let path = path.key("message");
    let content = message.get("content").ok_or_else(|| path.key("content").missing(BLOCKS))?;
    let parts = decode_blocks(content, path.key("content"))?.into_iter().map(|(part, _)| part).collect();
    let reason = root.text("stopReason", Path::Root)?.map_or(FinishReason::Stop, |word| reason_of(&word));
    let usage = root.child("usage", Path::Root)?.map(|usage| usage_of(&usage)).unwrap_or_default();
    let finish_reason = Some(reason.as_str().to_owned());
    let notes = vec![Notes { citations: cited(content, path.key("content"))?, logprobs: Vec::new() }];
    let mut response = ChatResponse {
        notes,
        messages: vec![Message { role: Role::Assistant, parts, name: None, finish_reason }],
        finish_reasons: vec![reason],
        usage,
        charges: charges(&root),
        latency_ms: root.child("metrics", Path::Root)?.and_then(|metrics| metrics.get("latencyMs")?.read()),
        ..ChatResponse::default()
    };
    response.forget_empty_notes();
    Ok(response)
}

fn cited(content: Node<'_>, path: Path<'_>) -> Result<Vec<Citation>, WireError> {
    let mut found = Vec::new();
    let mut said = 0;
    for (index, node) in content.list(path)?.into_iter().enumerate() {
        let path = path.index(index);
        let block = node.object(path)?;
        said += length(&block.str("text").unwrap_or_default());
        let Some(block) = block.child("citationsContent", path)? else { continue };
        let start = said;
        said += length(&cited_text(&block, path.key("citationsContent"))?);
        let told = block.get("citations").and_then(Node::read::<Vec<Value>>).unwrap_or_default();
        found.extend(told.iter().map(|one| citations::decode(one, start..said)));
    }
    Ok(found)
}

pub(super) fn reason_of(word: &str) -> FinishReason {
    match word {
        "end_turn" => FinishReason::Stop,
        "stop_sequence" => FinishReason::StopSequence,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "guardrail_intervened" | "content_filtered" => FinishReason::ContentFilter,
        other => FinishReason::Other(other.to_owned()),
    }
}

pub(super) fn word_of(reason: &FinishReason, calls_tools: bool) -> &'static str {
    match reason {
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
        FinishReason::ContentFilter => "content_filtered",
        FinishReason::StopSequence => "stop_sequence",
        // OpenAI says `stop` after a call that `tool_choice` named; agents here look for `tool_use`.
        FinishReason::Stop | FinishReason::Other(_) if calls_tools => "tool_use",
        FinishReason::Stop | FinishReason::Pause | FinishReason::Other(_) => "end_turn",
    }
}

/// The counts. `inputTokens` leaves out what was read from or written to the cache, as Anthropic's does; the total says
/// so, and where it says that they are in, they are not added again.
pub(super) fn usage_of(usage: &Object<'_>) -> Usage {
    let count = |name: &str| usage.get(name).and_then(Node::read::<u64>);
    let (input, output) = (count("inputTokens"), count("outputTokens"));
    let (cache_read, cache_write) = (count("cacheReadInputTokens"), count("cacheWriteInputTokens"));
    let cached = cache_read.unwrap_or(0).saturating_add(cache_write.unwrap_or(0));
    let plain = input.unwrap_or(0).saturating_add(output.unwrap_or(0));
    let included = cached <= input.unwrap_or(0) && count("totalTokens") == Some(plain);
    Usage {
        input_tokens: input.map(|input| if included { input } else { input.saturating_add(cached) }),
        output_tokens: output,
        cache_read_tokens: cache_read,
        cache_write_tokens: cache_write,
        reasoning_tokens: None,
    }
}

/// How it was served, if not as usual.
pub(super) fn charges(root: &Object<'_>) -> Charges {
    let tier = root.child("serviceTier", Path::Root).ok().flatten();
    let service = tier.and_then(|tier| ServiceTier::of(&tier.str("type")?));
    Charges { service, ..Charges::default() }
}

/// The SDKs want the three main counts always.
pub(super) fn encode_usage(w: &mut Writer, usage: &Usage) {
    let output = usage.output_tokens.unwrap_or(0);
    w.object_field("usage", |w| {
        w.field("inputTokens", &usage.uncached_input());
        w.field("outputTokens", &output);
        w.field("totalTokens", &usage.input_tokens.unwrap_or(0).saturating_add(output));
        w.field_if("cacheReadInputTokens", usage.cache_read_tokens);
        w.field_if("cacheWriteInputTokens", usage.cache_write_tokens);
    });
}

/// The API always tells it; who has not measured says nothing.
pub(super) fn encode_metrics(w: &mut Writer, milliseconds: Option<u64>) {
    if let Some(milliseconds) = milliseconds {
        w.object_field("metrics", |w| w.field("latencyMs", &milliseconds));
    }
}

pub(super) fn encode(response: &ChatResponse) -> Result<Bytes, WireError> {
    let message = response.only_answer(DIALECT)?;
    let calls_tools = message.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
    let reason = response.finish_reasons.first().unwrap_or(&FinishReason::Stop);
    Writer::try_write(|w| {
        let mut result = Ok(());
        w.object_field("output", |w| {
            w.object_field("message", |w| {
                w.field("role", "assistant");
                w.list_field("content", |w| {
                    let mut parts = message.parts.iter().enumerate();
                    let citations = &response.notes(0).citations;
                    let mut said = 0;
                    result = parts.try_for_each(|(place, part)| match part {
                        Part::Text { content } if !citations.is_empty() => {
                            cut(content, said, citations).iter().for_each(|(text, cited)| encode_text(w, text, cited));
                            said += length(content);
                            Ok(())
                        }
                        part => encode_part(w, part, &Named { name: None, number: (0, place) }, "answer"),
                    });
                });
            });
        });
        w.field("stopReason", word_of(reason, calls_tools));
        encode_usage(w, &response.usage);
        encode_metrics(w, response.latency_ms);
        result
    })
}

fn encode_text(w: &mut Writer, text: &str, sources: &[&Citation]) {
    w.object(|w| match sources {
        [] => w.field("text", text),
        sources => w.object_field("citationsContent", |w| {
            w.list_field("content", |w| w.object(|w| w.field("text", text)));
            w.list_field("citations", |w| {
                sources.iter().for_each(|one| w.object(|w| citations::encode_fields(w, one)));
            });
        }),
    });
}
