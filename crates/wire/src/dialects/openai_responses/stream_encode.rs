//! Canonical events → streams. A message or a reasoning ends when something else begins; calls of tools stay open to
//! the end, since another provider may still add to them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;
use signalbox_types::{Part, Usage};

use super::answer::{Content, Head, Item, Kind, Says, resting, status};
use super::{DIALECT, annotations, error, reasoning};
use crate::canonical::notes::{encode_openai_logprobs, length};
use crate::canonical::{Citation, FinishReason, StreamEvent, TokenLogprob};
use crate::codec::{StreamEncoder, StreamStart};
use crate::error::ErrorBody;
use crate::sse;
use crate::write::Writer;

#[derive(Debug)]
pub(super) struct Encoder {
    head: Head,
    sequence: u64,
    started: bool,
    closed: bool,
    items: Vec<Item>,
    /// Items that are not done.
    open: BTreeSet<usize>,
    /// The message or reasoning that is being told.
    current: Option<usize>,
    /// The canonical index of a call → its item.
    calls: BTreeMap<u32, usize>,
    usage: Usage,
    finish: Option<FinishReason>,
    /// How many characters of text came.
    said: u64,
    /// Of the text that comes next.
    logprobs: Vec<TokenLogprob>,
}

impl Encoder {
    pub(super) fn new(start: &StreamStart) -> Self {
        Self {
            head: Head { id: start.id.clone(), model: start.model.clone(), created: start.created },
            sequence: 0,
            started: false,
            closed: false,
            items: Vec::new(),
            open: BTreeSet::new(),
            current: None,
            calls: BTreeMap::new(),
            usage: Usage::default(),
            finish: None,
            said: 0,
            logprobs: Vec::new(),
        }
    }

    fn send(&mut self, out: &mut BytesMut, kind: &str, fields: impl FnOnce(&Self, &mut Writer)) {
        let data = Writer::write(|w| {
            w.field("type", kind);
            w.field("sequence_number", &self.sequence);
            fields(self, w);
        });
        self.sequence += 1;
        out.extend_from_slice(&sse::write(Some(kind), &data));
    }

    fn start(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        for kind in ["response.created", "response.in_progress"] {
            self.send(out, kind, |this, w| {
                w.object_field("response", |w| this.head.encode_fields(w, None, &[], &Usage::default()));
            });
        }
    }

    /// An event about an item.
    fn tell(&mut self, out: &mut BytesMut, kind: &str, place: usize, fields: impl FnOnce(&Item, &mut Writer)) {
        self.send(out, kind, |this, w| {
            if let Some(item) = this.items.get(place) {
                w.field("item_id", &item.id);
                w.field("output_index", &place);
                fields(item, w);
            }
        });
    }

    fn add(&mut self, out: &mut BytesMut, item: Item) -> usize {
        self.start(out);
        let place = self.items.len();
        self.items.push(item);
        self.open.insert(place);
        self.send(out, "response.output_item.added", |this, w| {
            w.field("output_index", &place);
            if let Some(item) = this.items.get(place) {
                w.object_field("item", |w| item.encode_fields(w, "in_progress"));
            }
        });
        place
    }

    /// A message or a reasoning begins; the one before it is over.
    fn begin(&mut self, out: &mut BytesMut, item: Item) -> usize {
        self.end_current(out);
        let place = self.add(out, item);
        self.current = Some(place);
        place
    }

    fn end_current(&mut self, out: &mut BytesMut) {
        if let Some(place) = self.current.take() {
            self.close(out, place, "completed");
        }
    }

    fn content(&mut self, out: &mut BytesMut, kind: Kind, more: &str) {
        let current =
            self.current.filter(|place| matches!(self.items.get(*place), Some(Item { says: Says::Message(_), .. })));
        let place = match current {
            Some(place) => place,
            None => {
                let item = Item::message(&self.head.id, self.items.len());
                self.begin(out, item)
            }
        };
        let last = match self.items.get(place).map(|item| &item.says) {
            Some(Says::Message(content)) => content.last().map(|last| last.kind),
            _ => None,
        };
        if last != Some(kind) {
            self.close_content(out, place);
            let Some(Item { says: Says::Message(content), .. }) = self.items.get_mut(place) else { return };
            let number = content.len();
            content.push(Content::new(kind, String::new(), self.said));
            self.tell(out, "response.content_part.added", place, |item, w| {
                w.field("content_index", &number);
                with_last_content(item, |part| w.object_field("part", |w| part.encode_fields(w, "")));
            });
        }
        let Some(Item { says: Says::Message(content), .. }) = self.items.get_mut(place) else { return };
        let number = content.len().saturating_sub(1);
        let tokens = if kind == Kind::Text { std::mem::take(&mut self.logprobs) } else { Vec::new() };
        self.said += if kind == Kind::Text { length(more) } else { 0 };
        if let Some(part) = content.last_mut() {
            part.text.push_str(more);
            part.logprobs.extend_from_slice(&tokens);
        }
        self.tell(out, &format!("response.{}.delta", kind.as_str()), place, |_, w| {
            w.field("content_index", &number);
            w.field("delta", more);
            if kind == Kind::Text {
                encode_openai_logprobs(w, "logprobs", &tokens);
            }
        });
    }

    /// Says the last part of a message whole, if there is one.
    fn close_content(&mut self, out: &mut BytesMut, place: usize) {
        let Some(Item { says: Says::Message(content), .. }) = self.items.get(place) else { return };
        let Some(kind) = content.last().map(|part| part.kind) else { return };
        let number = content.len() - 1;
        self.tell(out, &format!("response.{}.done", kind.as_str()), place, |item, w| {
            w.field("content_index", &number);
            with_last_content(item, |part| {
                w.field(kind.field(), &part.text);
                if kind == Kind::Text {
                    encode_openai_logprobs(w, "logprobs", &part.logprobs);
                }
            });
        });
        self.tell(out, "response.content_part.done", place, |item, w| {
            w.field("content_index", &number);
            with_last_content(item, |part| w.object_field("part", |w| part.encode_fields(w, &part.text)));
        });
    }

    /// It belongs to the text that its place is in, even if that is over.
    fn citation(&mut self, out: &mut BytesMut, citation: &Citation) {
        if !annotations::is_said(citation) {
            return;
        }
        let Some(content) = resting(&mut self.items, citation) else { return };
        let (before, all) = (content.before, length(&content.text));
        let number = content.citations.len();
        content.citations.push(citation.clone());
        let is_it = |item: &Item, before: u64| match &item.says {
            Says::Message(parts) => parts.iter().rposition(|part| part.kind == Kind::Text && part.before == before),
            _ => None,
        };
        let found = self.items.iter().enumerate().rev().find_map(|(place, item)| Some((place, is_it(item, before)?)));
        let Some((place, part)) = found else { return };
        self.tell(out, "response.output_text.annotation.added", place, |_, w| {
            w.field("content_index", &part);
            w.field("annotation_index", &number);
            w.object_field("annotation", |w| annotations::encode(w, citation, before, all));
        });
    }

    fn open_reasoning(&mut self, out: &mut BytesMut) -> usize {
        let is_reasoning =
            |place: &usize| matches!(self.items.get(*place), Some(Item { says: Says::Reasoning { .. }, .. }));
        match self.current.filter(is_reasoning) {
            Some(place) => place,
            None => {
                let item = Item::reasoning(&self.head.id, self.items.len());
                self.begin(out, item)
            }
        }
    }

    fn thinking(&mut self, out: &mut BytesMut, more: &str) {
        let place = self.open_reasoning(out);
        let Some(Item { says: Says::Reasoning { text, .. }, .. }) = self.items.get_mut(place) else { return };
        let is_first = text.is_empty();
        text.push_str(more);
        if is_first {
            self.summary(out, "response.reasoning_summary_part.added", place, |_, w| {
                w.object_field("part", |w| reasoning::summary_part(w, ""));
            });
        }
        self.summary(out, "response.reasoning_summary_text.delta", place, |_, w| w.field("delta", more));
    }

    fn summary(&mut self, out: &mut BytesMut, kind: &str, place: usize, fields: impl FnOnce(&str, &mut Writer)) {
        self.tell(out, kind, place, |item, w| {
            w.field("summary_index", &0);
            if let Says::Reasoning { text, .. } = &item.says {
                fields(text, w);
            }
        });
    }

    /// Signs the open thinking, or an empty one: that must be sent back too. What follows is a new item.
    fn prove(&mut self, out: &mut BytesMut, signature: Option<&str>, sealed: Option<&str>) {
        let place = self.open_reasoning(out);
        let (_, proof) = reasoning::read(signature, sealed);
        if let Some(Item { says: Says::Reasoning { encrypted, .. }, .. }) = self.items.get_mut(place) {
            *encrypted = proof.map(Into::into);
        }
        self.end_current(out);
    }

    fn call(&mut self, out: &mut BytesMut, index: u32, id: Option<&str>, name: &str) {
        self.end_current(out);
        let item = Item::call(&self.head.id, self.items.len(), id, name);
        let place = self.add(out, item);
        self.calls.insert(index, place);
    }

    fn call_delta(&mut self, out: &mut BytesMut, place: usize, more: &str) {
        let Some(Item { says: Says::Call { arguments, .. }, .. }) = self.items.get_mut(place) else { return };
        arguments.push_str(more);
        self.tell(out, "response.function_call_arguments.delta", place, |_, w| w.field("delta", more));
    }

    fn close(&mut self, out: &mut BytesMut, place: usize, status: &str) {
        if !self.open.remove(&place) {
            return;
        }
        match self.items.get(place).map(|item| &item.says) {
            Some(Says::Message(_)) => self.close_content(out, place),
            Some(Says::Reasoning { text, .. }) if !text.is_empty() => {
                self.summary(out, "response.reasoning_summary_text.done", place, |text, w| w.field("text", text));
                self.summary(out, "response.reasoning_summary_part.done", place, |text, w| {
                    w.object_field("part", |w| reasoning::summary_part(w, text));
                });
            }
            Some(Says::Call { arguments, .. }) => {
                // Callers parse the arguments of every call as JSON, which an empty text is not.
                if arguments.is_empty() {
                    self.call_delta(out, place, "{}");
                }
                self.tell(out, "response.function_call_arguments.done", place, |item, w| {
                    if let Says::Call { name, arguments, .. } = &item.says {
                        w.field("name", name);
                        w.field("arguments", arguments);
                    }
                });
            }
            _ => {}
        }
        self.send(out, "response.output_item.done", |this, w| {
            w.field("output_index", &place);
            if let Some(item) = this.items.get(place) {
                w.object_field("item", |w| item.encode_fields(w, status));
            }
        });
    }

    fn close_all(&mut self, out: &mut BytesMut, reason: &FinishReason) {
        self.current = None;
        let (status, _) = status(reason);
        let last = self.items.len().saturating_sub(1);
        for place in std::mem::take(&mut self.open) {
            self.open.insert(place);
            self.close(out, place, if place == last { status } else { "completed" });
        }
    }

    fn fail(&mut self, out: &mut BytesMut, error: &ErrorBody) {
        self.closed = true;
        out.extend_from_slice(&error::encode_event(error, self.sequence));
    }

    fn other(&mut self, out: &mut BytesMut, part: &Part) {
        let Part::Other(value) = part else { return self.fail(out, &ErrorBody::unsaid(DIALECT)) };
        let Some(item) = Item::other(value) else { return self.fail(out, &ErrorBody::unsaid(DIALECT)) };
        let place = self.begin(out, item);
        self.current = None;
        self.close(out, place, "completed");
    }
}

fn with_last_content(item: &Item, say: impl FnOnce(&Content)) {
    if let Says::Message(content) = &item.says
        && let Some(part) = content.last()
    {
        say(part);
    }
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &StreamEvent, out: &mut BytesMut) {
        if self.closed || event.choice().is_some_and(|choice| choice != 0) {
            return;
        }
        match event {
            StreamEvent::Start { id, model } => {
                if let Some(id) = id {
                    self.head.id.clone_from(id);
                }
                if let Some(model) = model {
                    self.head.model.clone_from(model);
                }
                self.start(out);
            }
            StreamEvent::TextDelta { text, .. } => self.content(out, Kind::Text, text),
            StreamEvent::RefusalDelta { text, .. } => self.content(out, Kind::Refusal, text),
            StreamEvent::Citation { citation, .. } => self.citation(out, citation),
            StreamEvent::Logprobs { tokens, .. } => self.logprobs.extend_from_slice(tokens),
            StreamEvent::ReasoningDelta { text, .. } => self.thinking(out, text),
            StreamEvent::ReasoningSignature { signature, .. } => self.prove(out, Some(signature), None),
            StreamEvent::ReasoningEncrypted { data, .. } => {
                self.end_current(out);
                self.prove(out, None, Some(data));
            }
            StreamEvent::ToolCallStart { index, id, name, .. } => self.call(out, *index, id.as_deref(), name),
            StreamEvent::ToolCallDelta { index, arguments, .. } => {
                if let Some(place) = self.calls.get(index).copied() {
                    self.call_delta(out, place, arguments);
                }
            }
            StreamEvent::Part { part, .. } => self.other(out, part),
            StreamEvent::Finish { reason, .. } => {
                self.start(out);
                self.close_all(out, reason);
                // Written at the end only: the usage that goes with it comes later.
                self.finish = Some(reason.clone());
            }
            StreamEvent::Usage(usage) => self.usage = *usage,
            // Only its own callers are told.
            StreamEvent::Charges(_) => {}
            StreamEvent::Error(error) => self.fail(out, error),
            // SDKs skip comments; proxies between see that the line is alive.
            StreamEvent::Ping => out.extend_from_slice(b": ping\n\n"),
            StreamEvent::End => self.finish(out),
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        self.start(out);
        let reason = self.finish.take().unwrap_or(FinishReason::Stop);
        self.close_all(out, &reason);
        let kind = format!("response.{}", status(&reason).0);
        self.send(out, &kind, |this, w| {
            w.object_field("response", |w| {
                this.head.encode_fields(w, Some(&reason), &this.items, &this.usage);
            });
        });
    }
}
