//! Canonical events → streams.

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;
use signalbox_types::Usage;

use super::google::encode_thought_signature;
use super::response::{encode_logprobs, encode_usage, word_of};
use super::{DIALECT, citations};
use crate::canonical::notes::length;
use crate::canonical::{FinishReason, Source, StreamEvent, TokenLogprob, signature};
use crate::codec::{StreamEncoder, StreamStart};
use crate::error::ErrorBody;
use crate::sse;
use crate::write::Writer;

#[derive(Debug)]
pub(super) struct Encoder {
    id: String,
    model: String,
    created: i64,
    include_usage: bool,
    usage: Usage,
    closed: bool,
    /// Choices whose first chunk, the one with the role, has been written.
    opened: BTreeSet<u32>,
    /// (choice, canonical index) → the call's place in its choice, and whether arguments came.
    calls: BTreeMap<(u32, u32), Call>,
    thinking: BTreeMap<u32, Thinking>,
    /// How many characters of text each choice has said.
    said: BTreeMap<u32, u64>,
    /// Of the text that comes next.
    logprobs: BTreeMap<u32, Vec<TokenLogprob>>,
}

#[derive(Debug, Default)]
struct Thinking {
    /// The text of the block that is open: a signed block goes out whole.
    text: String,
    /// How many blocks went out. OpenAI's SDKs want an `index` in every entry of a list.
    blocks: usize,
    /// Gemini's signature for the call that comes next.
    of_call: Option<String>,
}

#[derive(Debug)]
struct Call {
    place: usize,
    has_arguments: bool,
}

impl Encoder {
    pub(super) fn new(start: &StreamStart) -> Self {
        Self {
            id: start.id.clone(),
            model: start.model.clone(),
            created: start.created,
            include_usage: start.include_usage,
            usage: Usage::default(),
            closed: false,
            opened: BTreeSet::new(),
            calls: BTreeMap::new(),
            thinking: BTreeMap::new(),
            said: BTreeMap::new(),
            logprobs: BTreeMap::new(),
        }
    }

    fn chunk(&self, out: &mut BytesMut, rest: impl FnOnce(&mut Writer)) {
        let data = Writer::write(|w| {
            w.field("id", &self.id);
            w.field("object", "chat.completion.chunk");
            w.field("created", &self.created);
            w.field("model", &self.model);
            rest(w);
        });
        out.extend_from_slice(&sse::write(None, &data));
    }

    fn delta(
        &mut self,
        out: &mut BytesMut,
        choice: u32,
        reason: Option<&FinishReason>,
        fields: impl FnOnce(&mut Writer),
    ) {
        self.open(out, choice);
        self.bare_delta(out, choice, reason, &[], false, fields);
    }

    fn bare_delta(
        &self,
        out: &mut BytesMut,
        choice: u32,
        reason: Option<&FinishReason>,
        logprobs: &[TokenLogprob],
        refused: bool,
        fields: impl FnOnce(&mut Writer),
    ) {
        self.chunk(out, |w| {
            w.list_field("choices", |w| {
                w.object(|w| {
                    w.field("index", &choice);
                    w.object_field("delta", fields);
                    encode_logprobs(w, logprobs, refused);
                    w.field("finish_reason", &reason.map(word_of));
                });
            });
        });
    }

    fn words(&mut self, out: &mut BytesMut, choice: u32, field: &str, text: &str) {
        self.open(out, choice);
        let tokens = self.logprobs.get_mut(&choice).map(std::mem::take).unwrap_or_default();
        self.bare_delta(out, choice, None, &tokens, field == "refusal", |w| w.field(field, text));
    }

    fn open(&mut self, out: &mut BytesMut, choice: u32) {
        if self.opened.insert(choice) {
            self.bare_delta(out, choice, None, &[], false, |w| {
                w.field("role", "assistant");
                w.field("content", "");
            });
        }
    }

    fn thinking_block(&mut self, out: &mut BytesMut, choice: u32, fields: impl FnOnce(&mut Writer)) {
        let blocks = &mut self.thinking.entry(choice).or_default().blocks;
        let index = *blocks;
        *blocks += 1;
        self.delta(out, choice, None, |w| {
            w.list_field("thinking_blocks", |w| {
                w.object(|w| {
                    w.field("index", &index);
                    fields(w);
                });
            });
        });
    }

    fn tool_start(&mut self, out: &mut BytesMut, choice: u32, index: u32, id: Option<&str>, name: &str) {
        let place = self.calls.keys().filter(|(of, _)| *of == choice).count();
        self.calls.insert((choice, index), Call { place, has_arguments: false });
        let id = id.map_or_else(|| format!("call_{}_{place}", self.id), str::to_owned);
        let proof = self.thinking.get_mut(&choice).and_then(|thinking| thinking.of_call.take());
        self.delta(out, choice, None, |w| {
            w.list_field("tool_calls", |w| {
                w.object(|w| {
                    w.field("index", &place);
                    w.field("id", &id);
                    w.field("type", "function");
                    w.object_field("function", |w| {
                        w.field("name", name);
                        w.field("arguments", "");
                    });
                    if let Some(proof) = &proof {
                        encode_thought_signature(w, proof);
                    }
                });
            });
        });
    }

    fn tool_delta(&mut self, out: &mut BytesMut, choice: u32, index: u32, arguments: &str) {
        let Some(call) = self.calls.get_mut(&(choice, index)) else { return };
        call.has_arguments = true;
        let place = call.place;
        self.delta(out, choice, None, |w| {
            w.list_field("tool_calls", |w| {
                w.object(|w| {
                    w.field("index", &place);
                    w.object_field("function", |w| w.field("arguments", arguments));
                });
            });
        });
    }

    /// Callers parse the arguments of every call as JSON, which an empty text is not.
    fn fill_empty_arguments(&mut self, out: &mut BytesMut, choice: u32) {
        let empty: Vec<u32> = self
            .calls
            .iter()
            .filter(|((of, _), call)| *of == choice && !call.has_arguments)
            .map(|((_, index), _)| *index)
            .collect();
        for index in empty {
            self.tool_delta(out, choice, index, "{}");
        }
    }
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &StreamEvent, out: &mut BytesMut) {
        if self.closed {
            return;
        }
        match event {
            StreamEvent::Start { id, model } => {
                if let Some(id) = id {
                    self.id.clone_from(id);
                }
                if let Some(model) = model {
                    self.model.clone_from(model);
                }
                self.open(out, 0);
            }
            StreamEvent::TextDelta { choice, text, .. } => {
                *self.said.entry(*choice).or_default() += length(text);
                self.words(out, *choice, "content", text);
            }
            StreamEvent::RefusalDelta { choice, text, .. } => self.words(out, *choice, "refusal", text),
            StreamEvent::Citation { choice, citation } => {
                let said = self.said.get(choice).copied().unwrap_or(0);
                if matches!(citation.source, Source::Url(_)) {
                    let list = std::slice::from_ref(citation);
                    self.delta(out, *choice, None, |w| citations::encode(w, list, said));
                }
            }
            StreamEvent::Logprobs { choice, tokens } => {
                self.logprobs.entry(*choice).or_default().extend_from_slice(tokens);
            }
            StreamEvent::ReasoningDelta { choice, text, .. } => {
                self.thinking.entry(*choice).or_default().text.push_str(text);
                self.delta(out, *choice, None, |w| w.field("reasoning_content", text));
            }
            StreamEvent::ReasoningSignature { choice, signature, .. } => {
                let thinking = self.thinking.entry(*choice).or_default();
                let text = std::mem::take(&mut thinking.text);
                if let Some(proof) = signature::of_call(signature) {
                    thinking.of_call = Some(proof.to_owned());
                    return;
                }
                self.thinking_block(out, *choice, |w| {
                    w.field("type", "thinking");
                    w.field("thinking", &text);
                    w.field("signature", signature);
                });
            }
            StreamEvent::ReasoningEncrypted { choice, data, .. } => {
                self.thinking_block(out, *choice, |w| {
                    w.field("type", "redacted_thinking");
                    w.field("data", data);
                });
            }
            StreamEvent::ToolCallStart { choice, index, id, name } => {
                self.tool_start(out, *choice, *index, id.as_deref(), name);
            }
            StreamEvent::ToolCallDelta { choice, index, arguments } => {
                self.tool_delta(out, *choice, *index, arguments);
            }
            StreamEvent::Finish { choice, reason, .. } => {
                // A token that ends the answer has no text.
                if self.logprobs.get(choice).is_some_and(|tokens| !tokens.is_empty()) {
                    self.words(out, *choice, "content", "");
                }
                self.fill_empty_arguments(out, *choice);
                self.delta(out, *choice, Some(reason), |_| {});
            }
            StreamEvent::Usage(usage) => self.usage = *usage,
            // Only its own callers are told.
            StreamEvent::Charges(_) => {}
            StreamEvent::Part { .. } => {
                self.closed = true;
                out.extend_from_slice(&sse::write(None, &super::error::encode(&ErrorBody::unsaid(DIALECT))));
            }
            StreamEvent::Error(error) => {
                self.closed = true;
                out.extend_from_slice(&sse::write(None, &super::error::encode(error)));
            }
            // SDKs skip comments; proxies between see that the line is alive.
            StreamEvent::Ping => out.extend_from_slice(b": ping\n\n"),
            StreamEvent::End => self.finish(out),
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        if self.include_usage && !self.usage.is_unknown() {
            self.chunk(out, |w| {
                w.list_field("choices", |_| {});
                encode_usage(w, &self.usage);
            });
        }
        out.extend_from_slice(&sse::write(None, b"[DONE]"));
    }
}
