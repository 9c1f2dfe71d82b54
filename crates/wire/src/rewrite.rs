//! Changing the texts of a stream on its way: where they stand, when they end, and how held-back
//! text gets out in time.
//!
//! A guard must sometimes hold text back (a key may be cut in two by chunks). So a filter returns
//! perhaps less than it was given, and gives the rest when it gets more, or when the running text
//! ends. Two drivers do the bookkeeping; both take the caller's [`TextFilter`]:
//!
//! - **Same dialect**: [`StreamRewriter`] takes each raw event and gives the bytes to send. An event
//!   whose texts the filter leaves alone passes verbatim. Held-back text becomes an event of its own
//!   just before the event that ends the running text (`content_block_stop`, a chunk with
//!   `finish_reason`), or before text of another kind, so the caller sees the same order.
//! - **Another dialect**: [`EventRewriter`] takes the decoder's [`StreamEvent`]s and gives those to
//!   encode.

use std::borrow::Cow;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use signalbox_types::Part;

use crate::canonical::StreamEvent;
use crate::codec::Codec;
use crate::error::WireError;
use crate::probabilities::without_probabilities;
use crate::sse::SseEvent;

/// What a running text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChannelKind {
    /// The answer.
    Text,
    /// The thinking.
    Reasoning,
    /// A refusal.
    Refusal,
    /// A tool call's arguments: pieces of JSON text.
    ToolArguments,
}

/// One running text of a stream. See [`StreamEvent`] for `choice` and `index`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Channel {
    /// Choice.
    pub choice: u32,
    /// What it is.
    pub kind: ChannelKind,
    /// Tells several of a kind apart.
    pub index: u32,
}

/// What changes running texts. For channels it doesn't care about it returns the delta, and `""` on close.
pub trait TextFilter {
    /// What may go out now; what is held back comes with a later call.
    fn push(&mut self, channel: Channel, delta: &str) -> String;

    /// The running text ends: all that is still held back. The same channel may start again later.
    fn close(&mut self, channel: Channel) -> String;

    /// A whole text that was told in pieces before, and is told again: what of it may go out.
    fn again(&mut self, text: &str) -> String {
        let channel = Channel { choice: u32::MAX, kind: ChannelKind::Text, index: u32::MAX };
        let mut out = self.push(channel, text);
        out.push_str(&self.close(channel));
        out
    }
}

/// A piece of a running text within an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeltaSlot<'a> {
    /// Which running text.
    pub channel: Channel,
    /// What is added, escapes resolved.
    pub text: Cow<'a, str>,
    /// Its JSON string literal in the event's `data`, quotes included.
    pub range: Range<usize>,
}

/// A whole text within an event that other events have told in pieces before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again<'a> {
    /// The text, escapes resolved.
    pub text: Cow<'a, str>,
    /// Its JSON string literal in the event's `data`, quotes included.
    pub range: Range<usize>,
}

/// What ends with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closes {
    /// All running texts of a choice.
    Choice(u32),
    /// The running text with this `index`.
    Block(u32),
    /// Every running text: the end of the stream.
    All,
}

/// The running texts of an event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deltas<'a> {
    /// The texts, in the order of the bytes.
    pub slots: Vec<DeltaSlot<'a>>,
    /// What ends with this event (after its own texts).
    pub closes: Vec<Closes>,
    /// Texts that are told again, in the order of the bytes. An event with these has no `slots`.
    pub again: Vec<Again<'a>>,
}

/// Which running texts are open.
#[derive(Debug, Default)]
struct Open(Vec<Channel>);

impl Open {
    fn touch(&mut self, channel: Channel) {
        if !self.0.contains(&channel) {
            self.0.push(channel);
        }
    }

    /// Takes those that end because another text begins: everything of the choice but tool
    /// arguments, which providers interleave.
    fn displaced_by(&mut self, new: Channel) -> Vec<Channel> {
        self.take(|open| open.choice == new.choice && open != new && open.kind != ChannelKind::ToolArguments)
    }

    fn take(&mut self, mut which: impl FnMut(Channel) -> bool) -> Vec<Channel> {
        self.0.extract_if(.., |channel| which(*channel)).collect()
    }
}

impl Closes {
    fn covers(self, channel: Channel) -> bool {
        match self {
            Self::Choice(choice) => channel.choice == choice,
            Self::Block(index) => channel.index == index,
            Self::All => true,
        }
    }
}

/// Filters a stream that stays in its dialect.
#[derive(Debug)]
pub struct StreamRewriter {
    codec: &'static dyn Codec,
    open: Open,
    /// The last event with text: what an added one is modelled on.
    last: Option<SseEvent>,
}

impl StreamRewriter {
    /// For one stream of this dialect.
    #[must_use]
    pub fn new(codec: &'static dyn Codec) -> Self {
        Self { codec, open: Open::default(), last: None }
    }

    /// The bytes to send for this event: perhaps others before it, perhaps with other texts.
    pub fn event(&mut self, event: &SseEvent, filter: &mut dyn TextFilter) -> Bytes {
        let deltas = self.codec.deltas(event);
        self.apply(event, &deltas, filter)
    }

    /// The same, if what [`Codec::deltas`] says of the event is already known.
    pub fn apply(&mut self, event: &SseEvent, deltas: &Deltas<'_>, filter: &mut dyn TextFilter) -> Bytes {
        if *deltas == Deltas::default() {
            return event.raw.clone();
        }
        if !deltas.slots.is_empty() {
            self.last = Some(event.clone());
        }
        let mut before = BytesMut::new();
        let mut texts: Vec<String> = Vec::with_capacity(deltas.slots.len());
        for (place, slot) in deltas.slots.iter().enumerate() {
            let (earlier, later) = deltas.slots.split_at(place);
            for ended in self.open.displaced_by(slot.channel) {
                // An event may hold several kinds of text: what began in it ends in its own place.
                let last = earlier.iter().rposition(|earlier| earlier.channel == ended);
                match last.and_then(|last| texts.get_mut(last)) {
                    Some(text) => text.push_str(&filter.close(ended)),
                    None => self.flush(ended, filter, &mut before),
                }
            }
            self.open.touch(slot.channel);
            let mut text = filter.push(slot.channel, &slot.text);
            // A text that starts and ends in this very event can take its rest along.
            let goes_on = later.iter().skip(1).any(|later| later.channel == slot.channel);
            if !goes_on && deltas.closes.iter().any(|closes| closes.covers(slot.channel)) {
                text.push_str(&filter.close(slot.channel));
                self.open.take(|open| open == slot.channel);
            }
            texts.push(text);
        }
        let changed = deltas.slots.iter().zip(&texts).filter(|(slot, text)| slot.text != **text);
        let mut edits: Vec<_> =
            changed.map(|(slot, text)| (slot.range.clone(), crate::json::literal(text).into_bytes())).collect();
        for closes in &deltas.closes {
            for ended in self.open.take(|open| closes.covers(open)) {
                self.flush(ended, filter, &mut before);
            }
        }
        for told in &deltas.again {
            let text = filter.again(&told.text);
            if text != *told.text {
                edits.push((told.range.clone(), crate::json::literal(&text).into_bytes()));
            }
        }
        if !edits.is_empty() {
            // What was changed, or is held back, is not to be read off its tokens.
            edits.extend(without_probabilities(&event.data));
            edits.sort_by_key(|(range, _)| range.start);
        }
        let rewritten =
            if edits.is_empty() { event.raw.clone() } else { event.with_data(&crate::splice(&event.data, &edits)) };
        if before.is_empty() {
            return rewritten;
        }
        before.extend_from_slice(&rewritten);
        before.freeze()
    }

    /// What is still held back where the stream broke off, for before the error.
    pub fn finish(&mut self, filter: &mut dyn TextFilter) -> Bytes {
        let mut out = BytesMut::new();
        for ended in self.open.take(|_| true) {
            self.flush(ended, filter, &mut out);
        }
        out.freeze()
    }

    fn flush(&self, channel: Channel, filter: &mut dyn TextFilter, out: &mut BytesMut) {
        let held = filter.close(channel);
        if let Some(like) = self.last.as_ref().filter(|_| !held.is_empty()) {
            out.extend_from_slice(&self.codec.text_event(like, channel, &held));
        }
    }
}

/// Filters a stream that is translated into another dialect, between decoder and encoder.
#[derive(Debug, Default)]
pub struct EventRewriter {
    open: Open,
    /// How likely the tokens of the next text are, which tell it again.
    logprobs: Option<StreamEvent>,
}

impl EventRewriter {
    /// The events to encode for these.
    pub fn events(&mut self, events: Vec<StreamEvent>, filter: &mut dyn TextFilter) -> Vec<StreamEvent> {
        let mut out = Vec::with_capacity(events.len());
        for event in events {
            let ended = match (&event, event.delta()) {
                (_, Some((channel, _))) => self.open.displaced_by(channel),
                (StreamEvent::ToolCallStart { choice, index, .. }, _) => {
                    self.open.displaced_by(Channel { choice: *choice, kind: ChannelKind::ToolArguments, index: *index })
                }
                // A signature closes the thinking before it; a sealed block stands for itself.
                (
                    StreamEvent::ReasoningSignature { choice, .. } | StreamEvent::ReasoningEncrypted { choice, .. },
                    _,
                ) => self.open.take(|open| open.choice == *choice && open.kind == ChannelKind::Reasoning),
                (StreamEvent::Finish { choice, .. }, _) => self.open.take(|open| open.choice == *choice),
                (StreamEvent::End, _) => self.open.take(|_| true),
                _ => Vec::new(),
            };
            flush(ended, filter, &mut out);
            match event.delta() {
                None if matches!(event, StreamEvent::Logprobs { .. }) => self.logprobs = Some(event),
                None => out.push(asked_again(event, filter)),
                Some((channel, said)) => {
                    self.open.touch(channel);
                    let text = filter.push(channel, said);
                    // What was changed, or is held back, is not to be read off its tokens.
                    out.extend(self.logprobs.take().filter(|_| text == said));
                    if !text.is_empty() {
                        out.push(StreamEvent::of_delta(channel, text));
                    }
                }
            }
        }
        out
    }

    /// What is still held back where the stream broke off, for before the error.
    pub fn finish(&mut self, filter: &mut dyn TextFilter) -> Vec<StreamEvent> {
        let mut out = Vec::new();
        flush(self.open.take(|_| true), filter, &mut out);
        out
    }
}

/// What tools of the provider's own were asked is the model's words, too.
fn asked_again(mut event: StreamEvent, filter: &mut dyn TextFilter) -> StreamEvent {
    fn each(value: &mut Value, filter: &mut dyn TextFilter) {
        match value {
            Value::String(text) => *text = filter.again(text),
            Value::Array(items) => items.iter_mut().for_each(|item| each(item, filter)),
            Value::Object(fields) => fields.values_mut().for_each(|value| each(value, filter)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    if let StreamEvent::Part { part: Part::Other(block), .. } = &mut event {
        // Anthropic's words, and OpenAI's.
        for name in ["input", "action"] {
            if let Some(asked) = block.get_mut(name) {
                each(asked, filter);
            }
        }
    }
    event
}

fn flush(ended: Vec<Channel>, filter: &mut dyn TextFilter, out: &mut Vec<StreamEvent>) {
    for channel in ended {
        let held = filter.close(channel);
        if !held.is_empty() {
            out.push(StreamEvent::of_delta(channel, held));
        }
    }
}

pub(crate) fn rewrite_text(deltas: &Deltas<'_>, event: &SseEvent, text: &str) -> Result<Bytes, WireError> {
    let mut edits = Vec::new();
    for slot in deltas.slots.iter().filter(|slot| slot.channel.kind == ChannelKind::Text) {
        let new = if edits.is_empty() { text } else { "" };
        edits.push((slot.range.clone(), crate::json::literal(new).into_bytes()));
    }
    if edits.is_empty() {
        return Err(WireError::Missing { field: "delta".into(), expected: "an event with answer text" });
    }
    Ok(event.with_data(&crate::splice(&event.data, &edits)))
}
