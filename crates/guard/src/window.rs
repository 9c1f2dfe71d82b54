//! Scanning a stream: text goes in as it comes and goes out as soon as it can't become part of a hit.
//!
//! **Same result for any cutting.** Every scanner says up to which offset it is settled; the window
//! asks it to go on from there and shows it [`About::lookback`](crate::About::lookback) bytes before.
//! Released texts, joined, are what [`Guard::check`](crate::Guard::check) makes of the whole text, and
//! the findings are the same ones. A stream that is blocked ends before the first blocked hit.
//!
//! **What is held back** is only what a scanner with a policy that redacts or blocks has not settled:
//! an unfinished token, an open key block. If policies only flag, nothing is held back at all.
//!
//! **Bound.** A scanner leaves at most [`About::hold`](crate::About::hold) bytes unsettled: a hit is never
//! longer than that, in a stream as in a whole text, so a token that never ends is let go after that
//! many bytes. The buffer holds at most the sum of hold, lookback, [`SLACK`] and one delta.

use std::sync::Arc;

use signalbox_types::{Action, Finding, Place};

use crate::lane::{Compiled, Marked, Redactor};
use crate::model::Notes;
use crate::scanner::Text;

/// Bytes that are kept longer than needed, so that the buffer isn't moved for every delta.
pub const SLACK: usize = 4 * 1024;

/// When more than this is unsettled, the scanners look again only after it has grown by a sixteenth:
/// a long key block that comes in small pieces costs time by its length, not by its square.
const PATIENCE: usize = 1024;

/// The guard of one stream.
#[derive(Debug)]
pub struct Window {
    compiled: Arc<Compiled>,
    place: Place,
    buffer: String,
    /// Offset of the buffer in the stream.
    base: usize,
    /// Per lane: offset in the stream up to which its scanner is settled.
    settled: Vec<usize>,
    /// Settled findings of acting lanes that are not yet released, by position.
    waiting: Vec<Marked>,
    redactor: Redactor,
    /// Offset in the stream up to which the scanners have looked.
    seen: usize,
    blocked: bool,
    /// What was found so far, where a scanner asks.
    found: Option<Vec<Finding>>,
}

/// For a scanner that asks what was found, so many count.
const MOST_FOUND: usize = 200;

/// What may go out now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Released {
    /// Text that may go out, redactions applied.
    pub text: String,
    /// New findings, with offsets in the whole stream.
    pub findings: Vec<Finding>,
    /// A policy ends the stream here: nothing may follow `text`. Stays true.
    pub blocked: bool,
    /// What is said in place of what would follow, where it is said and not only blocked.
    pub reply: Option<Arc<str>>,
}

impl Window {
    pub(crate) fn new(compiled: Arc<Compiled>, place: Place) -> Self {
        let settled = vec![0; compiled.at(place).len()];
        let asks = compiled.at(place).iter().any(|lane| lane.scanner.reads_findings());
        Self {
            compiled,
            place,
            buffer: String::new(),
            base: 0,
            settled,
            waiting: Vec::new(),
            redactor: Redactor::default(),
            seen: 0,
            blocked: false,
            found: asks.then(Vec::new),
        }
    }

    /// Takes the next piece of text and returns what may go out.
    pub fn push(&mut self, delta: &str) -> Released {
        if self.blocked {
            return Released { blocked: true, ..Released::default() };
        }
        if self.settled.is_empty() {
            return Released { text: delta.to_owned(), ..Released::default() };
        }
        self.buffer.push_str(delta);
        let end = self.base + self.buffer.len();
        let unsettled = end - self.settled.iter().copied().min().unwrap_or(end);
        if unsettled > PATIENCE && end - self.seen < unsettled / 16 {
            return Released::default();
        }
        let released = self.advance(true);
        self.trim();
        released
    }

    /// The stream has ended: returns everything that was held back.
    pub fn finish(&mut self) -> Released {
        if self.blocked {
            return Released { blocked: true, ..Released::default() };
        }
        self.advance(false)
    }

    /// Bytes that are held back now.
    #[must_use]
    pub fn held(&self) -> usize {
        (self.base + self.buffer.len()).saturating_sub(self.redactor.done())
    }

    fn advance(&mut self, open: bool) -> Released {
        let end = self.base + self.buffer.len();
        self.seen = end;
        let mut released = Released::default();
        let mut free = end;
        let (mut hits, notes) = (Vec::new(), Notes::default());
        for (lane, settled) in self.compiled.at(self.place).iter().zip(&mut self.settled) {
            let found = self.found.as_deref().unwrap_or_default();
            let text = Text::part(&self.buffer, *settled - self.base, open).noted(&notes).at(self.base);
            *settled = self.base + lane.scanner.scan(text.with_findings(found), &mut hits);
            let marked = hits.drain(..).filter_map(|hit| lane.mark(self.place, &self.buffer, self.base, hit));
            let first = self.waiting.len();
            self.waiting.extend(marked);
            if let Some(found) = &mut self.found {
                let room = MOST_FOUND.saturating_sub(found.len());
                found.extend(self.waiting.iter().skip(first).take(room).map(|marked| marked.finding.clone()));
            }
            if lane.acts() {
                free = free.min(*settled);
            }
        }
        self.waiting.sort_by_key(Marked::order);
        // A finding of an acting lane may be settled before its neighbour lane is: it waits, so that
        // findings are always taken by position.
        let ready = self.waiting.partition_point(|marked| !open || marked.finding.start < free);
        for marked in self.waiting.drain(..ready) {
            if marked.finding.action >= Action::Rewrite {
                self.redactor.copy_to(&self.buffer, self.base, marked.finding.start, &mut released.text);
                released.findings.push(marked.finding);
                released.reply = marked.reply;
                released.blocked = true;
                self.blocked = true;
                break;
            }
            self.redactor.step(&self.buffer, self.base, &marked, None, &mut released.text);
            released.findings.push(marked.finding);
        }
        if !self.blocked {
            self.redactor.copy_to(&self.buffer, self.base, free, &mut released.text);
        }
        released
    }

    /// Forgets what nobody needs any more.
    fn trim(&mut self) {
        let lanes = self.compiled.at(self.place).iter().zip(&self.settled);
        let seen = lanes.map(|(lane, settled)| settled.saturating_sub(lane.scanner.about().lookback)).min();
        let keep = seen.unwrap_or(0).min(self.redactor.done());
        if keep < self.base + SLACK {
            return;
        }
        let cut = self.buffer.floor_char_boundary(keep - self.base);
        self.buffer.drain(..cut);
        self.base += cut;
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
