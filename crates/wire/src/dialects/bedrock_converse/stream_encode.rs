//! Canonical events → streams, as server-sent events that are framed on their way out. A block stops when the next one
//! begins. Where a provider adds to a call after that, its pieces still carry the block's number.

use std::collections::BTreeMap;

use bytes::BytesMut;
use signalbox_types::Usage;

use super::response::{encode_metrics, encode_usage, word_of};
use super::{DIALECT, citations, error};
use crate::canonical::{FinishReason, StreamEvent};
use crate::codec::StreamEncoder;
use crate::error::ErrorBody;
use crate::sse;
use crate::write::Writer;

#[derive(Debug, Default)]
pub(super) struct Encoder {
    started: bool,
    closed: bool,
    open: Option<(Block, u32)>,
    next_index: u32,
    /// Canonical index of a call → its block.
    calls: BTreeMap<u32, u32>,
    usage: Usage,
    took: Option<u64>,
    finish: Option<FinishReason>,
    /// Something has been said in the open text.
    says: bool,
    /// What was said in it rests on a source; what follows may not.
    cited: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Text,
    Thinking,
    Tool,
}

fn send(out: &mut BytesMut, kind: &str, fields: impl FnOnce(&mut Writer)) {
    out.extend_from_slice(&sse::write(Some(kind), &Writer::write(fields)));
}

impl Encoder {
    fn start(&mut self, out: &mut BytesMut) {
        if !std::mem::replace(&mut self.started, true) {
            send(out, "messageStart", |w| w.field("role", "assistant"));
        }
    }

    fn stop(&mut self, out: &mut BytesMut) {
        self.says = false;
        if let Some((_, index)) = self.open.take() {
            send(out, "contentBlockStop", |w| w.field("contentBlockIndex", &index));
        }
    }

    /// The number of the open block of this kind, or of a new one.
    fn block(&mut self, out: &mut BytesMut, block: Block) -> u32 {
        match self.open {
            Some((open, index)) if open == block && block != Block::Tool => index,
            _ => {
                self.start(out);
                self.stop(out);
                let index = self.next_index;
                self.next_index += 1;
                self.open = Some((block, index));
                index
            }
        }
    }

    fn text(&mut self, out: &mut BytesMut, text: &str) {
        if std::mem::take(&mut self.cited) {
            self.stop(out);
        }
        let index = self.block(out, Block::Text);
        self.says = true;
        delta(out, index, |w| w.field("text", text));
    }

    fn thinking(&mut self, out: &mut BytesMut, name: &str, value: &str) {
        let index = self.block(out, Block::Thinking);
        delta(out, index, |w| w.object_field("reasoningContent", |w| w.field(name, value)));
    }

    fn tool(&mut self, out: &mut BytesMut, call: u32, id: Option<&str>, name: &str) {
        let index = self.block(out, Block::Tool);
        self.calls.insert(call, index);
        let id = id.map_or_else(|| format!("tooluse_{index}"), str::to_owned);
        send(out, "contentBlockStart", |w| {
            w.object_field("start", |w| {
                w.object_field("toolUse", |w| {
                    w.field("toolUseId", &id);
                    w.field("name", name);
                });
            });
            w.field("contentBlockIndex", &index);
        });
    }
}

fn delta(out: &mut BytesMut, index: u32, content: impl FnOnce(&mut Writer)) {
    send(out, "contentBlockDelta", |w| {
        w.object_field("delta", content);
        w.field("contentBlockIndex", &index);
    });
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &StreamEvent, out: &mut BytesMut) {
        if self.closed || event.choice().is_some_and(|choice| choice != 0) {
            return;
        }
        match event {
            StreamEvent::Start { .. } => self.start(out),
            StreamEvent::TextDelta { text, .. } | StreamEvent::RefusalDelta { text, .. } => self.text(out, text),
            // It belongs to the block that is open, or to the next; some tell it before the text.
            StreamEvent::Citation { citation, .. } => {
                let index = self.block(out, Block::Text);
                self.cited = self.says;
                delta(out, index, |w| w.object_field("citation", |w| citations::encode_fields(w, citation)));
            }
            // Nobody can ask for them here.
            StreamEvent::Logprobs { .. } => {}
            StreamEvent::ReasoningDelta { text, .. } => self.thinking(out, "text", text),
            // What follows a signature is a new block.
            StreamEvent::ReasoningSignature { signature, .. } => {
                self.thinking(out, "signature", signature);
                self.stop(out);
            }
            StreamEvent::ReasoningEncrypted { data, .. } => {
                self.stop(out);
                self.thinking(out, "redactedContent", data);
                self.stop(out);
            }
            StreamEvent::ToolCallStart { index, id, name, .. } => self.tool(out, *index, id.as_deref(), name),
            StreamEvent::ToolCallDelta { index, arguments, .. } => {
                if let Some(block) = self.calls.get(index) {
                    delta(out, *block, |w| w.object_field("toolUse", |w| w.field("input", arguments)));
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
            // A frame that says nothing would be an unknown event to the SDKs.
            StreamEvent::Ping => {}
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
        let calls_tools = !self.calls.is_empty();
        send(out, "messageStop", |w| w.field("stopReason", word_of(&reason, calls_tools)));
        send(out, "metadata", |w| {
            encode_usage(w, &self.usage);
            encode_metrics(w, self.took);
        });
    }

    fn took(&mut self, milliseconds: u64) {
        self.took = Some(milliseconds);
    }
}
