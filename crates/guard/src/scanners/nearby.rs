//! For scanners that decide everything by a bounded stretch of text around an anchor. Keeps the part of the
//! seam's contract that is the same for all of them: order, overlaps, and how far an open text is settled.
//!
//! The hits are what one walk over the anchors in their order makes, whose only memory is the end of the last
//! hit. An anchor of an open text is looked at when all the text is there that it may see; so where the text was
//! cut changes nothing.

use crate::scanner::{Hit, Replacement, Rule, Text};

/// How far the rules of a scanner see.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// Bytes before an anchor.
    pub(super) back: usize,
    /// How many of those may belong to a hit.
    pub(super) before: usize,
    /// Bytes after an anchor.
    pub(super) forward: usize,
}

impl Reach {
    /// What [`About::lookback`](crate::About::lookback) must be.
    pub(super) const fn lookback(self) -> usize {
        self.back
    }

    /// What [`About::hold`](crate::About::hold) must be; the settled offset may have to go back to a char's start.
    pub(super) const fn hold(self) -> usize {
        self.before + self.forward + 4
    }
}

/// The text around an anchor, and nothing that a rule may not see.
#[derive(Debug, Clone, Copy)]
pub(super) struct Near<'a> {
    pub(super) bytes: &'a [u8],
    /// Where the anchor stands in `bytes`.
    pub(super) at: usize,
}

/// What a rule found, as offsets into [`Near::bytes`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) rule: &'static Rule,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) confidence: f32,
}

/// What was seen last. The same text around the same anchor, as in rows of numbers or in a text that is made to keep us
/// busy, is not looked at again.
struct Memory<'a, A> {
    seen: Vec<Option<(Near<'a>, A, Option<Found>)>>,
}

/// How many places are remembered.
const REMEMBERED: usize = 64;

impl<'a, A: Copy + PartialEq> Memory<'a, A> {
    fn recall(
        &mut self,
        near: Near<'a>,
        anchor: A,
        look: &mut impl FnMut(Near<'a>, A) -> Option<Found>,
    ) -> Option<Found> {
        if self.seen.is_empty() {
            self.seen.resize(REMEMBERED, None);
        }
        let around = near.bytes.get(near.at.saturating_sub(8)..).and_then(|bytes| bytes.first_chunk::<16>());
        let around = u128::from_le_bytes(around.copied().unwrap_or_default()) ^ near.bytes.len() as u128;
        let place = (around.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) >> 100) as usize % (REMEMBERED - 1);
        // Two places for each, so that two texts that follow one another don't drive each other out.
        for known in &self.seen[place..place + 2] {
            match known {
                Some((seen, of, found)) if *of == anchor && seen.at == near.at && seen.bytes == near.bytes => {
                    return *found;
                }
                _ => {}
            }
        }
        let found = look(near, anchor);
        self.seen[place + 1] = self.seen[place];
        self.seen[place] = Some((near, anchor, found));
        found
    }
}

/// Looks at every anchor, which come sorted, and returns how far the text is settled.
pub(super) fn scan<'a, A: Copy + PartialEq>(
    text: Text<'a>,
    reach: Reach,
    anchors: impl IntoIterator<Item = (usize, A)>,
    mut look: impl FnMut(Near<'a>, A) -> Option<Found>,
    hits: &mut Vec<Hit>,
) -> usize {
    let (bytes, from) = (text.bytes(), text.from());
    let mut done = from;
    let mut memory = Memory { seen: Vec::new() };
    for (at, anchor) in anchors {
        if text.is_open() && at + reach.forward > bytes.len() {
            break;
        }
        if at < done {
            continue;
        }
        let low = at.saturating_sub(reach.back);
        let near = Near { bytes: &bytes[low..bytes.len().min(at + reach.forward)], at: at - low };
        let Some(found) = memory.recall(near, anchor, &mut look) else { continue };
        let start = text.as_str().ceil_char_boundary(low + found.start);
        let end = text.as_str().floor_char_boundary(low + found.end);
        if start < done || start + reach.before < at || start >= end {
            continue;
        }
        hits.push(Hit { rule: found.rule, start, end, confidence: found.confidence, replacement: Replacement::Mark });
        done = end;
    }
    if !text.is_open() {
        return bytes.len();
    }
    let unseen = bytes.len().saturating_sub(reach.before + reach.forward);
    text.as_str().floor_char_boundary(unseen).max(done)
}
