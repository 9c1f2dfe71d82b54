//! Canonical events → streams. Blocks may not overlap here, so whatever would begin while a tool
//! call is still open waits until the answer ends: another provider may still add to the call.

use bytes::BytesMut;
use serde_json::Value;
use signalbox_types::{Part, Usage};

use super::citations;
use super::parts::is_own;
use super::response::{Holds, encode_usage, word_of};
use crate::canonical::{Citation, FinishReason, StreamEvent};
use crate::codec::{StreamEncoder, StreamStart};
use crate::error::ErrorBody;
use crate::sse;
use crate::write::Writer;

#[derive(Debug)]
pub(super) struct Encoder {
    model: String,
    id: String,
    started: bool,
    closed: bool,
    open: Option<Block>,
    next_index: u32,
    waiting: Vec<Waiting>,
    usage: Usage,
    holds: Holds,
    /// Something has been said in the open text.
    says: bool,
    /// What was said in it rests on a source; what follows may not.
    cited: bool,
    finish: Option<(FinishReason, Option<String>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Text,
    Thinking,
    /// The canonical index of the call.
    Tool(u32),
    Other,
}

/// What came while a tool call was open.
#[derive(Debug)]
enum Waiting {
    Text(String),
    Thinking(String),
    Signature(String),
    Encrypted(String),
    Citation(Citation),
    Tool { index: u32, id: Option<String>, name: String, arguments: String },
    Other(Value),
}

impl Encoder {
    pub(super) fn new(start: &StreamStart) -> Self {
        Self {
            model: start.model.clone(),
            id: start.id.clone(),
            started: false,
            closed: false,
            open: None,
            next_index: 0,
            waiting: Vec::new(),
            usage: Usage::default(),
            holds: Holds::default(),
            says: false,
            cited: false,
            finish: None,
        }
    }

    fn start(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        send(out, "message_start", |w| {
            w.object_field("message", |w| {
                w.field("id", &self.id);
                w.field("type", "message");
                w.field("role", "assistant");
                w.field("model", &self.model);
                w.list_field("content", |_| {});
                w.field("stop_reason", &());
                w.field("stop_sequence", &());
                encode_usage(w, &self.usage);
            });
        });
    }

    fn tool_is_open(&self) -> bool {
        matches!(self.open, Some(Block::Tool(_)))
    }

    fn close(&mut self, out: &mut BytesMut) {
        if self.open.take().is_some() {
            let index = self.next_index;
            self.next_index += 1;
            send(out, "content_block_stop", |w| w.field("index", &index));
        }
    }

    fn open(&mut self, out: &mut BytesMut, block: Block, content: impl FnOnce(&mut Writer)) {
        self.start(out);
        self.close(out);
        (self.says, self.cited) = (false, false);
        self.open = Some(block);
        send(out, "content_block_start", |w| {
            w.field("index", &self.next_index);
            w.object_field("content_block", content);
        });
    }

    fn delta(&self, out: &mut BytesMut, kind: &str, name: &str, text: &str) {
        send(out, "content_block_delta", |w| {
            w.field("index", &self.next_index);
            w.object_field("delta", |w| {
                w.field("type", kind);
                w.field(name, text);
            });
        });
    }

    fn text(&mut self, out: &mut BytesMut, text: &str) {
        if self.open != Some(Block::Text) || self.cited {
            self.open(out, Block::Text, |w| {
                w.field("type", "text");
                w.field("text", "");
            });
        }
        self.says = true;
        self.delta(out, "text_delta", "text", text);
    }

    /// What the open text rests on. Some tell it before the text.
    fn citation(&mut self, out: &mut BytesMut, citation: &Citation) {
        if self.open != Some(Block::Text) {
            self.open(out, Block::Text, |w| {
                w.field("type", "text");
                w.field("text", "");
            });
        }
        send(out, "content_block_delta", |w| {
            w.field("index", &self.next_index);
            w.object_field("delta", |w| {
                w.field("type", "citations_delta");
                w.object_field("citation", |w| citations::encode_fields(w, citation));
            });
        });
        self.cited = self.says;
    }

    fn open_thinking(&mut self, out: &mut BytesMut) {
        if self.open != Some(Block::Thinking) {
            self.open(out, Block::Thinking, |w| {
                w.field("type", "thinking");
                w.field("thinking", "");
                w.field("signature", "");
            });
        }
    }

    fn thinking(&mut self, out: &mut BytesMut, text: &str) {
        self.open_thinking(out);
        self.delta(out, "thinking_delta", "thinking", text);
    }

    /// Signs the open thinking, or an empty one: that must be sent back too. What follows is a new block.
    fn signature(&mut self, out: &mut BytesMut, signature: &str) {
        self.open_thinking(out);
        self.delta(out, "signature_delta", "signature", signature);
        self.close(out);
    }

    fn encrypted(&mut self, out: &mut BytesMut, data: &str) {
        self.open(out, Block::Thinking, |w| {
            w.field("type", "redacted_thinking");
            w.field("data", data);
        });
        self.close(out);
    }

    fn tool(&mut self, out: &mut BytesMut, index: u32, id: Option<&str>, name: &str) {
        let id = id.map_or_else(|| format!("toolu_{}_{index}", self.id), str::to_owned);
        self.open(out, Block::Tool(index), |w| {
            w.field("type", "tool_use");
            w.field("id", &id);
            w.field("name", name);
            w.object_field("input", |_| {});
        });
    }

    /// A block of this dialect's own, such as a search. What its tool is asked comes in a piece, as everything does.
    fn other(&mut self, out: &mut BytesMut, block: &Value) {
        let input = block.get("input").filter(|input| input.is_object());
        self.open(out, Block::Other, |w| {
            for (name, value) in block.as_object().into_iter().flatten() {
                match input {
                    Some(_) if name == "input" => w.object_field("input", |_| {}),
                    _ => w.field(name, value),
                }
            }
        });
        if let Some(input) = input {
            self.delta(out, "input_json_delta", "partial_json", &input.to_string());
        }
        self.close(out);
    }

    /// Keeps what can't be written while a tool call is open.
    fn wait(&mut self, event: &StreamEvent) {
        match (event, self.waiting.last_mut()) {
            (StreamEvent::TextDelta { text, .. } | StreamEvent::RefusalDelta { text, .. }, last) => match last {
                Some(Waiting::Text(waiting)) => waiting.push_str(text),
                _ => self.waiting.push(Waiting::Text(text.clone())),
            },
            (StreamEvent::ReasoningDelta { text, .. }, Some(Waiting::Thinking(waiting))) => waiting.push_str(text),
            (StreamEvent::ReasoningDelta { text, .. }, _) => self.waiting.push(Waiting::Thinking(text.clone())),
            (StreamEvent::ReasoningSignature { signature, .. }, _) => {
                self.waiting.push(Waiting::Signature(signature.clone()));
            }
            (StreamEvent::ReasoningEncrypted { data, .. }, _) => self.waiting.push(Waiting::Encrypted(data.clone())),
            (StreamEvent::Citation { citation, .. }, _) => self.waiting.push(Waiting::Citation(citation.clone())),
            (StreamEvent::Part { part: Part::Other(block), .. }, _) => self.waiting.push(Waiting::Other(block.clone())),
            (StreamEvent::ToolCallStart { index, id, name, .. }, _) => self.waiting.push(Waiting::Tool {
                index: *index,
                id: id.clone(),
                name: name.clone(),
                arguments: String::new(),
            }),
            _ => {}
        }
    }

    fn tool_delta(&mut self, out: &mut BytesMut, index: u32, more: &str) {
        if self.open == Some(Block::Tool(index)) {
            self.delta(out, "input_json_delta", "partial_json", more);
            return;
        }
        let call = self.waiting.iter_mut().find_map(|waiting| match waiting {
            Waiting::Tool { index: of, arguments, .. } if *of == index => Some(arguments),
            _ => None,
        });
        if let Some(arguments) = call {
            arguments.push_str(more);
        }
    }

    fn release(&mut self, out: &mut BytesMut) {
        for waiting in std::mem::take(&mut self.waiting) {
            match waiting {
                Waiting::Text(text) => self.text(out, &text),
                Waiting::Thinking(text) => self.thinking(out, &text),
                Waiting::Signature(signature) => self.signature(out, &signature),
                Waiting::Encrypted(data) => self.encrypted(out, &data),
                Waiting::Citation(citation) => self.citation(out, &citation),
                Waiting::Other(block) => self.other(out, &block),
                Waiting::Tool { index, id, name, arguments } => {
                    self.tool(out, index, id.as_deref(), &name);
                    if !arguments.is_empty() {
                        self.delta(out, "input_json_delta", "partial_json", &arguments);
                    }
                }
            }
        }
        self.close(out);
    }
}

fn send(out: &mut BytesMut, kind: &str, fields: impl FnOnce(&mut Writer)) {
    let data = Writer::write(|w| {
        w.field("type", kind);
        fields(w);
    });
    out.extend_from_slice(&sse::write(Some(kind), &data));
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &StreamEvent, out: &mut BytesMut) {
        if self.closed || event.choice().is_some_and(|choice| choice != 0) {
            return;
        }
        self.holds.refusal |= matches!(event, StreamEvent::RefusalDelta { .. });
        self.holds.tool_call |= matches!(event, StreamEvent::ToolCallStart { .. });
        match event {
            StreamEvent::Start { id, model } => {
                if let Some(id) = id {
                    self.id.clone_from(id);
                }
                if let Some(model) = model {
                    self.model.clone_from(model);
                }
                self.start(out);
            }
            StreamEvent::TextDelta { .. }
            | StreamEvent::RefusalDelta { .. }
            | StreamEvent::ReasoningDelta { .. }
            | StreamEvent::ReasoningSignature { .. }
            | StreamEvent::ReasoningEncrypted { .. }
            | StreamEvent::Citation { .. }
            | StreamEvent::ToolCallStart { .. }
                if self.tool_is_open() =>
            {
                self.wait(event);
            }
            StreamEvent::TextDelta { text, .. } | StreamEvent::RefusalDelta { text, .. } => self.text(out, text),
            StreamEvent::Citation { citation, .. } => self.citation(out, citation),
            // Nobody can ask for them here.
            StreamEvent::Logprobs { .. } => {}
            StreamEvent::ReasoningDelta { text, .. } => self.thinking(out, text),
            StreamEvent::ReasoningSignature { signature, .. } => self.signature(out, signature),
            StreamEvent::ReasoningEncrypted { data, .. } => self.encrypted(out, data),
            StreamEvent::ToolCallStart { index, id, name, .. } => self.tool(out, *index, id.as_deref(), name),
            StreamEvent::ToolCallDelta { index, arguments, .. } => self.tool_delta(out, *index, arguments),
            StreamEvent::Finish { reason, stop_sequence, .. } => {
                self.start(out);
                self.close(out);
                self.release(out);
                // Written at the end only: the usage that goes with it comes later.
                self.finish = Some((reason.clone(), stop_sequence.clone()));
            }
            StreamEvent::Usage(usage) => self.usage = *usage,
            // Only its own callers are told.
            StreamEvent::Charges(_) => {}
            StreamEvent::Part { part: Part::Other(block), .. } if is_own(block) => match self.tool_is_open() {
                true => self.wait(event),
                false => self.other(out, block),
            },
            StreamEvent::Part { .. } => {
                self.closed = true;
                let unsaid = super::error::encode(&ErrorBody::unsaid(super::DIALECT));
                out.extend_from_slice(&sse::write(Some("error"), &unsaid));
            }
            StreamEvent::Error(error) => {
                self.closed = true;
                out.extend_from_slice(&sse::write(Some("error"), &super::error::encode(error)));
            }
            StreamEvent::Ping if self.started => send(out, "ping", |_| {}),
            // No event may stand before `message_start`; a comment may.
            StreamEvent::Ping => out.extend_from_slice(b": ping\n\n"),
            StreamEvent::End => self.finish(out),
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if self.closed {
            return;
        }
        self.start(out);
        self.close(out);
        self.release(out);
        self.closed = true;
        let (reason, stop_sequence) = self.finish.take().unwrap_or((FinishReason::Stop, None));
        send(out, "message_delta", |w| {
            w.object_field("delta", |w| {
                w.field("stop_reason", word_of(&reason, self.holds, stop_sequence.as_deref()));
                w.field("stop_sequence", &stop_sequence);
            });
            encode_usage(w, &self.usage);
        });
        send(out, "message_stop", |_| {});
    }
}
