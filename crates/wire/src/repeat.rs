//! Streams repeat themselves: but for one text, a delta has the bytes of the delta before it. Such
//! an event is read by comparing bytes, which costs a tenth of reading its JSON.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use crate::canonical::StreamEvent;
use crate::rewrite::{Channel, DeltaSlot, Deltas};
use crate::sse::SseEvent;

/// Providers that put something else into every event (padding, timestamps) are not learnt from for ever.
const TRIES: u32 = 16;

/// What the last delta looked like.
#[derive(Debug, Default)]
pub struct Repeat {
    like: Option<Like>,
    /// How often something was learnt since it was of use.
    tries: u32,
}

#[derive(Debug)]
struct Like {
    event: Option<String>,
    data: Bytes,
    /// Where the text's literal stands in `data`.
    range: Range<usize>,
    channel: Channel,
}

impl Repeat {
    /// The text of an event that differs from the learnt one in nothing else: its only one, not
    /// empty, and it ends no running text.
    pub fn slot<'a>(&mut self, event: &'a SseEvent) -> Option<DeltaSlot<'a>> {
        let like = self.like.as_ref()?;
        let (prefix, rest) = like.data.split_at_checked(like.range.start)?;
        let suffix = rest.get(like.range.len()..)?;
        let literal = event.data.strip_prefix(prefix)?.strip_suffix(suffix)?;
        if event.event != like.event {
            return None;
        }
        let text = read(literal).filter(|text| !text.is_empty())?;
        self.tries = 0;
        Some(DeltaSlot { channel: like.channel, text, range: prefix.len()..prefix.len() + literal.len() })
    }

    /// Whether to tell it of an event that [`Repeat::slot`] did not know.
    #[must_use]
    pub fn is_learning(&self) -> bool {
        self.tries < TRIES
    }

    /// Remembers an event, if it says nothing but one text: `deltas` and `events` are what was read from it.
    pub fn learn(&mut self, event: &SseEvent, deltas: &Deltas<'_>, events: &[StreamEvent]) {
        let ([slot], [], [said]) = (&deltas.slots[..], &deltas.closes[..], events) else { return };
        if said.delta() != Some((slot.channel, &*slot.text)) || !self.is_learning() {
            return;
        }
        self.tries += 1;
        let (data, range) = (event.data.clone(), slot.range.clone());
        self.like = Some(Like { event: event.event.clone(), data, range, channel: slot.channel });
    }
}

/// The string of one JSON literal, and nothing else.
fn read(literal: &[u8]) -> Option<Cow<'_, str>> {
    match serde_json::from_slice::<&str>(literal) {
        Ok(text) => Some(Cow::Borrowed(text)),
        Err(_) => serde_json::from_slice::<String>(literal).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dialect, codec};

    fn openai(content: &str, more: &str) -> SseEvent {
        let data = format!(
            r#"{{"id":"c","choices":[{{"index":0,"delta":{{"content":{content}}},"finish_reason":null}}]{more}}}"#
        );
        SseEvent::new(None, data.as_bytes())
    }

    fn learnt() -> Repeat {
        let codec = codec(Dialect::OpenaiChat);
        let mut decoder = codec.decode_stream();
        let mut repeat = Repeat::default();
        for content in [r#""a""#, r#""b""#] {
            let event = openai(content, "");
            let events = decoder.event(&event).unwrap();
            repeat.learn(&event, &codec.deltas(&event), &events);
        }
        repeat
    }

    #[test]
    fn another_text_is_read_as_the_decoder_reads_it() {
        let codec = codec(Dialect::OpenaiChat);
        let mut repeat = learnt();
        for content in [r#"" hi""#, r#""\n\"x\" \u00e4""#, r#""ä\\""#] {
            let event = openai(content, "");
            let slot = repeat.slot(&event).unwrap();
            assert_eq!(codec.deltas(&event).slots, [slot]);
        }
    }

    #[test]
    fn anything_else_is_not_known() {
        let mut repeat = learnt();
        let others = [
            openai(r#""""#, ""),
            openai("null", ""),
            openai(r#""a","refusal":"b""#, ""),
            openai(r#""a"},"delta":{"content":"b""#, ""),
            openai(r#""\ud83d""#, ""),
            openai("\"a\nb\"", ""),
            openai(r#""a""#, r#","usage":{}"#),
            SseEvent::new(Some("other"), &openai(r#""a""#, "").data),
            SseEvent::new(None, b"[DONE]"),
            SseEvent::new(None, b""),
        ];
        for event in others {
            assert_eq!(repeat.slot(&event), None, "{event:?}");
        }
    }

    #[test]
    fn what_never_repeats_is_given_up() {
        let codec = codec(Dialect::OpenaiChat);
        let mut repeat = learnt();
        let mut n = 0;
        while repeat.is_learning() {
            n += 1;
            let event = openai(r#""a""#, &format!(r#","obfuscation":"{n}""#));
            assert_eq!(repeat.slot(&event), None);
            let text = StreamEvent::of_delta(codec.deltas(&event).slots[0].channel, "a".into());
            repeat.learn(&event, &codec.deltas(&event), &[text]);
        }
        assert!(n < 50);
    }
}
