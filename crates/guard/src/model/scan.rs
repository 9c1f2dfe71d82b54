//! What the four scanners share: each is its head of the model, with its rules.

use super::{Head, LONGEST, Notes, Scored};
use crate::scanner::{Hit, Replacement, Rule, Text};

/// The name of the rule for what only the model saw.
pub(crate) const LEARNED: &str = "learned";

/// How a scanner turns scores into hits.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) head: Head,
    /// Sorted by name, with [`LEARNED`] among them.
    pub(crate) rules: &'static [Rule],
}

impl Scan {
    /// Bytes that may stay unsettled: a block that is not full.
    pub(crate) const HOLD: usize = LONGEST + 4;
}

/// Runs the model, or takes what it said about this text before.
pub(crate) fn scan(scan: &Scan, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
    each(scan.head, text, |scored| {
        if scored.logit < 0.0 || scored.start >= scored.end {
            return;
        }
        let name = scored.rule.unwrap_or(LEARNED);
        let Some(rule) = scan.rules.iter().find(|rule| rule.name == name) else { return };
        hits.push(Hit {
            rule,
            start: scored.start,
            end: scored.end,
            confidence: confidence(scored.logit),
            replacement: Replacement::Mark,
        });
    })
}

/// How much a text looks like what the head is for, also below the threshold.
pub(crate) fn score(scan: &Scan, text: Text<'_>) -> f32 {
    let mut greatest = 0.0_f32;
    each(scan.head, text, |scored| greatest = greatest.max(confidence(scored.logit)));
    greatest
}

fn each(head: Head, text: Text<'_>, mut each: impl FnMut(&Scored)) -> usize {
    let own = Notes::default();
    let notes = text.notes().unwrap_or(&own);
    notes.blocks(text.as_str(), text.from(), text.is_open(), |block| each(&block.heads[head as usize]))
}

/// 0.5 at the threshold.
fn confidence(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}
