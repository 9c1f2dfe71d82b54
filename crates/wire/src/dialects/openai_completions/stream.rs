//! Streams ⇄ canonical events.

use std::borrow::Cow;
use std::collections::BTreeSet;

use bytes::BytesMut;
use signalbox_types::Usage;

use super::DIALECT;
use super::response::choice;
use crate::canonical::{FinishReason, StreamEvent};
use crate::codec::{StreamDecoder, StreamEncoder, StreamStart};
use crate::dialects::openai_chat::{Told, encode_error, encode_usage, reason_of};
use crate::error::{ErrorBody, WireError};
use crate::json::{Body, Path};
use crate::sse::{self, SseEvent};
use crate::write::Writer;

#[derive(Debug, Default)]
pub(super) struct Decoder {
    started: bool,
    ended: bool,
    seen: BTreeSet<u32>,
    finished: BTreeSet<u32>,
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: &SseEvent) -> Result<Vec<StreamEvent>, WireError> {
        if event.data.is_empty() {
            return Ok(vec![StreamEvent::Ping]);
        }
        if event.data.as_ref() == b"[DONE]" {
            self.ended = true;
            return Ok(vec![StreamEvent::End]);
        }
        let body = Body::parse(&event.data)?;
        let root = body.object()?;
        if event.event.as_deref() == Some("error") || root.get("error").is_some() {
            self.ended = true;
            return Ok(vec![StreamEvent::Error(crate::error::read(200, &event.data))]);
        }
        let mut out = Vec::new();
        if !std::mem::replace(&mut self.started, true) {
            let text = |name: &str| root.text(name, Path::Root).map(|text| text.map(Cow::into_owned));
            out.push(StreamEvent::Start { id: text("id")?, model: text("model")? });
        }
        let path = Path::Root.key("choices");
        for (index, node) in root.children("choices", Path::Root)?.into_iter().enumerate() {
            let path = path.index(index);
            let choice = node.object(path)?;
            let number = choice.count("index", path)?.and_then(|index| u32::try_from(index).ok()).unwrap_or(0);
            self.seen.insert(number);
            if let Some(text) = choice.text("text", path)?.filter(|text| !text.is_empty()) {
                out.push(StreamEvent::TextDelta { choice: number, index: 0, text: text.into_owned() });
            }
            if let Some(word) = choice.text("finish_reason", path)?
                && self.finished.insert(number)
            {
                out.push(StreamEvent::Finish { choice: number, reason: reason_of(&word), stop_sequence: None });
            }
        }
        out.extend(root.child("usage", Path::Root)?.map(|usage| StreamEvent::Usage(Told::new(usage).usage())));
        Ok(out)
    }

    fn finish(&mut self) -> Result<Vec<StreamEvent>, WireError> {
        if self.ended {
            return Ok(Vec::new());
        }
        // Some imitators send no `[DONE]`; that every choice said why it stopped is an end too.
        if !self.seen.is_empty() && self.seen == self.finished {
            self.ended = true;
            return Ok(vec![StreamEvent::End]);
        }
        Err(WireError::Truncated { dialect: DIALECT, expected: "`data: [DONE]`" })
    }
}

#[derive(Debug)]
pub(super) struct Encoder {
    id: String,
    model: String,
    created: i64,
    include_usage: bool,
    usage: Usage,
    closed: bool,
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
        }
    }

    fn chunk(&self, out: &mut BytesMut, rest: impl FnOnce(&mut Writer)) {
        let data = Writer::write(|w| {
            w.field("id", &self.id);
            w.field("object", "text_completion");
            w.field("created", &self.created);
            w.field("model", &self.model);
            rest(w);
        });
        out.extend_from_slice(&sse::write(None, &data));
    }

    fn say(&self, out: &mut BytesMut, index: u32, text: &str, reason: Option<&FinishReason>) {
        self.chunk(out, |w| w.list_field("choices", |w| w.object(|w| choice(w, index, text, reason))));
    }

    fn fail(&mut self, out: &mut BytesMut, error: &ErrorBody) {
        self.closed = true;
        out.extend_from_slice(&sse::write(None, &encode_error(error)));
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
            }
            StreamEvent::TextDelta { choice, text, .. } | StreamEvent::RefusalDelta { choice, text, .. } => {
                self.say(out, *choice, text, None);
            }
            // What the model thinks, and what it rests on, is no part of a completed text.
            StreamEvent::Citation { .. }
            | StreamEvent::Logprobs { .. }
            | StreamEvent::ReasoningDelta { .. }
            | StreamEvent::ReasoningSignature { .. }
            | StreamEvent::ReasoningEncrypted { .. } => {}
            StreamEvent::ToolCallStart { .. } | StreamEvent::ToolCallDelta { .. } | StreamEvent::Part { .. } => {
                self.fail(out, &ErrorBody::unsaid(DIALECT));
            }
            StreamEvent::Finish { choice, reason, .. } => self.say(out, *choice, "", Some(reason)),
            StreamEvent::Usage(usage) => self.usage = *usage,
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
        if self.include_usage && !self.usage.is_unknown() {
            self.chunk(out, |w| {
                w.list_field("choices", |_| {});
                encode_usage(w, &self.usage);
            });
        }
        out.extend_from_slice(&sse::write(None, b"[DONE]"));
    }
}
