//! Canonical events → streams. A content block ends when the next one, or a call, begins.

use std::collections::BTreeMap;

use bytes::BytesMut;
use signalbox_types::Usage;

use super::response::{encode_usage, word_of};
use super::{DIALECT, citations, error};
use crate::canonical::{Citation, FinishReason, StreamEvent, TokenLogprob};
use crate::codec::{StreamEncoder, StreamStart};
use crate::error::ErrorBody;
use crate::sse;
use crate::write::Writer;

#[derive(Debug, Default)]
pub(super) struct Encoder {
    id: String,
    started: bool,
    closed: bool,
    open: Option<Open>,
    next_block: u32,
    /// Canonical index of a call → its number here.
    calls: BTreeMap<u32, u32>,
    next_call: u32,
    usage: Usage,
    finish: Option<FinishReason>,
    /// All it said, which citations quote.
    text: String,
    next_citation: u32,
    /// Of the text that comes next.
    logprobs: Vec<TokenLogprob>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text(u32),
    Thinking(u32),
    Call(u32),
}

fn send(out: &mut BytesMut, kind: &str, index: Option<u32>, fields: impl FnOnce(&mut Writer)) {
    let data = Writer::write(|w| {
        w.field("type", kind);
        w.field_if("index", index);
        fields(w);
    });
    out.extend_from_slice(&sse::write(Some(kind), &data));
}

fn delta(w: &mut Writer, message: impl FnOnce(&mut Writer)) {
    w.object_field("delta", |w| w.object_field("message", message));
}

impl Encoder {
    pub(super) fn new(start: &StreamStart) -> Self {
        Self { id: start.id.clone(), ..Self::default() }
    }

    fn start(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let data = Writer::write(|w| {
            w.field("id", &self.id);
            w.field("type", "message-start");
            delta(w, |w| {
                w.field("role", "assistant");
                w.list_field("content", |_| {});
                w.field("tool_plan", "");
                w.list_field("tool_calls", |_| {});
                w.list_field("citations", |_| {});
            });
        });
        out.extend_from_slice(&sse::write(Some("message-start"), &data));
    }

    fn stop(&mut self, out: &mut BytesMut) {
        match self.open.take() {
            None => {}
            Some(Open::Text(index) | Open::Thinking(index)) => send(out, "content-end", Some(index), |_| {}),
            Some(Open::Call(index)) => send(out, "tool-call-end", Some(index), |_| {}),
        }
    }

    fn content(&mut self, out: &mut BytesMut, kind: &'static str, text: &str) {
        let is_text = kind == "text";
        let index = match self.open {
            Some(Open::Text(index)) if is_text => index,
            Some(Open::Thinking(index)) if !is_text => index,
            _ => {
                self.start(out);
                self.stop(out);
                let index = self.next_block;
                self.next_block += 1;
                self.open = Some(if is_text { Open::Text(index) } else { Open::Thinking(index) });
                send(out, "content-start", Some(index), |w| {
                    delta(w, |w| {
                        w.object_field("content", |w| {
                            w.field("type", kind);
                            w.field(kind, "");
                        });
                    });
                });
                index
            }
        };
        let tokens = if is_text { std::mem::take(&mut self.logprobs) } else { Vec::new() };
        send(out, "content-delta", Some(index), |w| {
            delta(w, |w| w.object_field("content", |w| w.field(kind, text)));
            match tokens.as_slice() {
                [] => {}
                [token] => w.object_field("logprobs", |w| citations::encode_logprob(w, token)),
                tokens => w.object_field("logprobs", |w| {
                    w.field("text", text);
                    w.list_field("token_ids", |_| {});
                    w.field("logprobs", &tokens.iter().map(|token| token.logprob).collect::<Vec<_>>());
                }),
            }
        });
    }

    fn citation(&mut self, out: &mut BytesMut, citation: &Citation) {
        self.start(out);
        let index = self.next_citation;
        self.next_citation += 1;
        send(out, "citation-start", Some(index), |w| {
            delta(w, |w| w.object_field("citations", |w| citations::encode_fields(w, citation, &self.text)));
        });
        send(out, "citation-end", Some(index), |_| {});
    }

    fn call(&mut self, out: &mut BytesMut, of: u32, id: Option<&str>, name: &str) {
        self.start(out);
        self.stop(out);
        let index = self.next_call;
        self.next_call += 1;
        self.calls.insert(of, index);
        self.open = Some(Open::Call(index));
        let id = id.map_or_else(|| format!("{name}_{index}"), str::to_owned);
        send(out, "tool-call-start", Some(index), |w| {
            delta(w, |w| {
                w.object_field("tool_calls", |w| {
                    w.field("id", &id);
                    w.field("type", "function");
                    w.object_field("function", |w| {
                        w.field("name", name);
                        w.field("arguments", "");
                    });
                });
            });
        });
    }
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &StreamEvent, out: &mut BytesMut) {
        if self.closed || event.choice().is_some_and(|choice| choice != 0) {
            return;
        }
        match event {
            StreamEvent::Start { id, .. } => {
                if let Some(id) = id {
                    self.id.clone_from(id);
                }
                self.start(out);
            }
            StreamEvent::TextDelta { text, .. } => {
                self.text.push_str(text);
                self.content(out, "text", text);
            }
            StreamEvent::RefusalDelta { text, .. } => self.content(out, "text", text),
            StreamEvent::Citation { citation, .. } => self.citation(out, citation),
            StreamEvent::Logprobs { tokens, .. } => self.logprobs.extend_from_slice(tokens),
            StreamEvent::ReasoningDelta { text, .. } => self.content(out, "thinking", text),
            // It has no place for proofs, nor for what only their maker can read.
            StreamEvent::ReasoningSignature { .. } | StreamEvent::ReasoningEncrypted { .. } => {}
            StreamEvent::ToolCallStart { index, id, name, .. } => self.call(out, *index, id.as_deref(), name),
            StreamEvent::ToolCallDelta { index, arguments, .. } => {
                if let Some(call) = self.calls.get(index) {
                    send(out, "tool-call-delta", Some(*call), |w| {
                        delta(w, |w| {
                            w.object_field("tool_calls", |w| {
                                w.object_field("function", |w| w.field("arguments", arguments));
                            });
                        });
                    });
                }
            }
            StreamEvent::Finish { reason, .. } => self.finish = Some(reason.clone()),
            StreamEvent::Usage(usage) => self.usage = *usage,
            // Only its own callers are told.
            StreamEvent::Charges(_) => {}
            StreamEvent::Part { .. } => {
                self.closed = true;
                out.extend_from_slice(&error::event(&ErrorBody::unsaid(DIALECT)));
            }
            StreamEvent::Error(told) => {
                self.closed = true;
                out.extend_from_slice(&error::event(told));
            }
            StreamEvent::Ping => out.extend_from_slice(b": ping\n\n"),
            StreamEvent::End => self.finish(out),
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        self.start(out);
        self.stop(out);
        let reason = self.finish.take().unwrap_or(FinishReason::Stop);
        send(out, "message-end", None, |w| {
            w.object_field("delta", |w| {
                w.field("finish_reason", word_of(&reason, !self.calls.is_empty()));
                encode_usage(w, &self.usage);
            });
        });
    }
}
