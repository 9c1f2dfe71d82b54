//! Canonical events → streams. A call of a tool is one part here, so its arguments are gathered until the answer ends:
//! another provider may still add to them. What would come behind a call waits with it.

use std::collections::BTreeMap;

use bytes::BytesMut;
use signalbox_types::{Part, Usage};

use super::notes;
use super::parts::join;
use super::response::{encode_answer_part, encode_usage, word_of};
use super::turns::Signed;
use crate::canonical::{FinishReason, Notes, StreamEvent, arguments_from_text, signature};
use crate::codec::{StreamEncoder, StreamStart};
use crate::sse;
use crate::write::Writer;

#[derive(Debug)]
pub(super) struct Encoder {
    model: String,
    id: String,
    usage: Usage,
    closed: bool,
    choices: BTreeMap<u32, Choice>,
}

#[derive(Debug, Default)]
struct Choice {
    /// From the first call on: what comes out when the answer ends.
    waiting: Vec<Waiting>,
    refused: bool,
    finish: Option<FinishReason>,
    /// What it has said, which citations tell their places by; they come with the last event.
    text: String,
    notes: Notes,
}

#[derive(Debug)]
enum Waiting {
    Part(Part),
    Call { index: u32, id: Option<String>, name: String, arguments: String },
}

impl Encoder {
    pub(super) fn new(start: &StreamStart) -> Self {
        let (model, id, usage) = (start.model.clone(), start.id.clone(), Usage::default());
        Self { model, id, usage, closed: false, choices: BTreeMap::new() }
    }

    fn send(&self, out: &mut BytesMut, candidates: impl FnOnce(&mut Writer), usage: Option<&Usage>) {
        let data = Writer::write(|w| {
            w.list_field("candidates", candidates);
            if let Some(usage) = usage {
                encode_usage(w, usage);
            }
            w.field("modelVersion", &self.model);
            w.field("responseId", &self.id);
        });
        out.extend_from_slice(&sse::write(None, &data));
    }

    /// Says a part now, or behind the calls that are still open.
    fn part(&mut self, out: &mut BytesMut, choice: u32, part: Part) {
        let state = self.choices.entry(choice).or_default();
        let proof = match &part {
            Part::Reasoning { content, signature: Some(proof), .. } => {
                content.is_empty() && signature::of_call(proof).is_some()
            }
            _ => false,
        };
        match state.waiting.last_mut() {
            Some(Waiting::Part(last)) => {
                if let Some(part) = join(last, part) {
                    state.waiting.push(Waiting::Part(part));
                }
            }
            Some(Waiting::Call { .. }) => state.waiting.push(Waiting::Part(part)),
            // The signature may belong to the call that comes next.
            None if proof => state.waiting.push(Waiting::Part(part)),
            None => self.say(out, choice, &[part]),
        }
    }

    fn say(&mut self, out: &mut BytesMut, choice: u32, parts: &[Part]) {
        let state = self.choices.entry(choice).or_default();
        for part in parts {
            if let Part::Text { content } = part {
                state.text.push_str(content);
            }
        }
        let tokens = std::mem::take(&mut state.notes.logprobs);
        let candidate = |w: &mut Writer| {
            w.object(|w| {
                content(w, parts);
                w.field("index", &choice);
                notes::encode_logprobs(w, &tokens);
            });
        };
        self.send(out, candidate, None);
    }

    /// Everything that has waited, in order.
    fn release(&mut self, out: &mut BytesMut, choice: u32) {
        let Some(state) = self.choices.get_mut(&choice) else { return };
        let waiting = std::mem::take(&mut state.waiting);
        let parts: Vec<Part> = waiting
            .into_iter()
            .map(|one| match one {
                Waiting::Part(part) => part,
                Waiting::Call { id, index, name, arguments } => {
                    let id = id.or_else(|| Some(format!("call_{}_{index}", self.id)));
                    Part::ToolCall { id, name, arguments: arguments_from_text(&arguments) }
                }
            })
            .collect();
        if !parts.is_empty() {
            self.say(out, choice, &parts);
        }
    }

    fn fail(&mut self, out: &mut BytesMut, error: &crate::error::ErrorBody) {
        self.closed = true;
        out.extend_from_slice(&sse::write(None, &super::error::encode(error)));
    }
}

fn content(w: &mut Writer, parts: &[Part]) {
    w.object_field("content", |w| {
        w.list_field("parts", |w| {
            let mut signed = Signed::default();
            for (place, part) in parts.iter().enumerate() {
                // What has no counterpart was refused before it came here.
                if !signed.encode(w, part, parts.get(place + 1)) {
                    encode_answer_part(w, part).unwrap_or_default();
                }
            }
            signed.finish(w);
        });
        w.field("role", "model");
    });
}

fn thinking(content: &str, signature: Option<&str>, encrypted: Option<&str>) -> Part {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Part::Reasoning { content: content.to_owned(), signature: owned(signature), encrypted: owned(encrypted) }
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
            }
            StreamEvent::TextDelta { choice, text, .. } => {
                self.part(out, *choice, Part::Text { content: text.clone() });
            }
            StreamEvent::RefusalDelta { choice, text, .. } => {
                self.choices.entry(*choice).or_default().refused = true;
                self.part(out, *choice, Part::Text { content: text.clone() });
            }
            StreamEvent::ReasoningDelta { choice, text, .. } => self.part(out, *choice, thinking(text, None, None)),
            StreamEvent::ReasoningSignature { choice, signature, .. } => {
                self.part(out, *choice, thinking("", Some(signature), None));
            }
            StreamEvent::ReasoningEncrypted { choice, data, .. } => {
                self.part(out, *choice, thinking("", None, Some(data)));
            }
            StreamEvent::ToolCallStart { choice, index, id, name } => {
                let (id, name) = (id.clone(), name.clone());
                let call = Waiting::Call { index: *index, id, name, arguments: String::new() };
                self.choices.entry(*choice).or_default().waiting.push(call);
            }
            StreamEvent::ToolCallDelta { choice, index, arguments: more } => {
                let waiting = &mut self.choices.entry(*choice).or_default().waiting;
                let call = waiting.iter_mut().rev().find_map(|one| match one {
                    Waiting::Call { index: of, arguments, .. } if of == index => Some(arguments),
                    _ => None,
                });
                call.into_iter().for_each(|arguments| arguments.push_str(more));
            }
            StreamEvent::Part { choice, part } => {
                if let Err(error) = encode_answer_part(&mut Writer::default(), part) {
                    let told =
                        crate::error::ErrorBody::new(signalbox_types::ErrorClass::UpstreamError, error.to_string());
                    return self.fail(out, &told);
                }
                self.part(out, *choice, part.clone());
            }
            StreamEvent::Citation { choice, citation } => {
                self.choices.entry(*choice).or_default().notes.citations.push(citation.clone());
            }
            StreamEvent::Logprobs { choice, tokens } => {
                self.choices.entry(*choice).or_default().notes.logprobs.extend_from_slice(tokens);
            }
            // Written at the end only: the usage that goes with it comes later.
            StreamEvent::Finish { choice, reason, .. } => {
                self.release(out, *choice);
                self.choices.entry(*choice).or_default().finish = Some(reason.clone());
            }
            StreamEvent::Usage(usage) => self.usage = *usage,
            // Only its own callers are told.
            StreamEvent::Charges(_) => {}
            StreamEvent::Error(error) => self.fail(out, error),
            // Google's Python SDK takes a comment for a broken answer, and the dialect has no other sign of life.
            StreamEvent::Ping => {}
            StreamEvent::End => self.finish(out),
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let choices: Vec<u32> = self.choices.keys().copied().collect();
        choices.iter().for_each(|choice| self.release(out, *choice));
        let last = |w: &mut Writer| {
            let none = Choice::default();
            let whose = if self.choices.is_empty() { vec![(&0, &none)] } else { self.choices.iter().collect() };
            for (index, choice) in whose {
                w.object(|w| {
                    // An answer without a part is none to the SDKs' chats.
                    content(w, &[Part::Text { content: String::new() }]);
                    let reason = choice.finish.as_ref().unwrap_or(&FinishReason::Stop);
                    w.field("finishReason", word_of(reason, choice.refused));
                    w.field("index", index);
                    notes::encode(w, &choice.notes, &[choice.text.as_str()]);
                });
            }
        };
        self.send(out, last, Some(&self.usage));
    }
}
