//! Puts back into answers what placeholders stand for. The last thing before an answer goes out: what is recorded keeps the placeholders.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use signalbox_guard::Restorer;
use signalbox_wire::along::answer_texts;
use signalbox_wire::{Channel, ChannelKind, Codec, SseDecoder, StreamRewriter, TextFilter, splice};

use crate::call::Call;
use crate::vaults::Shared;

/// A whole answer, in the caller's dialect.
pub(crate) fn restored(call: &Call, body: Bytes) -> Bytes {
    let Some(vocabulary) = call.vocabulary.as_ref().filter(|vocabulary| !vocabulary.lock().is_empty()) else {
        return body;
    };
    let texts = if call.endpoint.is_chat() { call.codec().response_texts(&body) } else { answer_texts(&body) };
    // What can't be read holds no placeholder that we know of.
    let Ok(texts) = texts else { return body };
    let vocabulary = vocabulary.lock();
    let mut edits = Vec::new();
    for slot in texts.iter().filter(|slot| !slot.signed) {
        let whole = vocabulary.restore(&slot.text, is_json(&slot.text));
        if whole != slot.text {
            edits.push(slot.edit(&whole));
        }
    }
    splice(&body, &edits)
}

/// Arguments of a tool are JSON within a text.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// A stream, in the caller's dialect.
pub(crate) struct Restore {
    events: SseDecoder,
    rewriter: StreamRewriter,
    texts: Texts,
}

impl Restore {
    /// For the answer of this call; `None` if there is nothing to put back.
    pub(crate) fn of(call: &Call, codec: &'static dyn Codec) -> Option<Self> {
        let vocabulary = call.vocabulary.as_ref().filter(|vocabulary| !vocabulary.lock().is_empty())?;
        let texts = Texts { vocabulary: Arc::clone(vocabulary), open: HashMap::new() };
        let events = SseDecoder::with_limit(usize::MAX);
        Some(Self { events, rewriter: StreamRewriter::new(codec), texts })
    }

    /// These events, with values in the place of placeholders; what may become one is held back.
    pub(crate) fn events(&mut self, bytes: &Bytes) -> Bytes {
        if self.events.push(bytes).is_err() {
            return bytes.clone();
        }
        let mut out = BytesMut::with_capacity(bytes.len());
        while let Some(event) = self.events.next() {
            out.extend_from_slice(&self.rewriter.event(&event, &mut self.texts));
        }
        out.freeze()
    }

    /// What is held back where the stream breaks off.
    pub(crate) fn rest(&mut self) -> Bytes {
        self.rewriter.finish(&mut self.texts)
    }
}

struct Texts {
    vocabulary: Shared,
    open: HashMap<Channel, Restorer>,
}

impl TextFilter for Texts {
    fn push(&mut self, channel: Channel, delta: &str) -> String {
        let json = channel.kind == ChannelKind::ToolArguments;
        self.open.entry(channel).or_default().push(&self.vocabulary.lock(), delta, json)
    }

    fn close(&mut self, channel: Channel) -> String {
        self.open.remove(&channel).map(|mut restorer| restorer.finish()).unwrap_or_default()
    }

    fn again(&mut self, text: &str) -> String {
        self.vocabulary.lock().restore(text, is_json(text)).into_owned()
    }
}
