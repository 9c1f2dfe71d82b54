//! Answers in which a model declines.
//!
//! One automaton finds the openings of a refusal (*I can't*, *I'm unable to*, *es tut mir leid, aber*); what follows, within
//! a clause, must be a thing that a model declines to do. People can't find their keys; models can't help with that.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind};
use signalbox_types::Severity;

use self::patterns::{ALONE, FILLERS, OPENINGS, THINGS};
use super::nearby::{self, Found, Near, Reach};
use crate::literals::Literals;
use crate::scanner::{About, Hit, Rule, Scanner, Text, rule};

mod patterns;
#[cfg(test)]
mod tests;

/// Finds refusals.
#[derive(Debug, Clone, Copy)]
pub struct Refusal;

const REACH: Reach = Reach { back: 72, before: patterns::LONGEST, forward: 160 };

static RULES: &[Rule] = &[
    rule("declines", Severity::Low, "The model declines what it was asked for. Look at whether it should have."),
    rule(
        "identity",
        Severity::Low,
        "The model excuses itself with being an AI. Look at whether it should have helped.",
    ),
    rule("policy", Severity::Low, "The model declines and names its rules. Look at whether it should have."),
];

static ABOUT: About = About {
    name: "refusal",
    summary: "Finds answers in which a model declines.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: REACH.lookback() + patterns::LONGEST,
    hold: REACH.hold(),
};

struct Engine {
    openings: Literals,
    things: Option<AhoCorasick>,
}

fn automaton(words: &[&str]) -> Option<AhoCorasick> {
    AhoCorasickBuilder::new()
        .ascii_case_insensitive(true)
        .match_kind(aho_corasick::MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(words)
        .ok()
}

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine {
    openings: Literals::new(OPENINGS.iter().map(|(words, _)| words).chain(ALONE.iter().map(|(words, _)| words))),
    things: automaton(THINGS),
});

impl Scanner for Refusal {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let first = text.from().saturating_sub(patterns::LONGEST);
        let words = ENGINE.openings.find(&text.bytes()[first..]);
        let anchors =
            words.map(|found| (first + found.end(), (found.pattern().as_usize(), found.end() - found.start())));
        nearby::scan(text, REACH, anchors, look, hits)
    }
}

fn look(near: Near<'_>, (opening, length): (usize, usize)) -> Option<Found> {
    let start = near.at.checked_sub(length)?;
    let before = near.bytes[..start].last().copied().unwrap_or(b' ');
    let glued = before.is_ascii_alphanumeric() || matches!(before, b'_' | b'\'' | b'-');
    if glued && near.bytes[start].is_ascii() {
        return None;
    }
    let found = |rule: usize, end, confidence| Some(Found { rule: &RULES[rule], start, end, confidence });
    if let Some((_, rule)) = opening.checked_sub(OPENINGS.len()).and_then(|at| ALONE.get(at)) {
        return found(*rule, near.at, 0.8);
    }
    let (_, confidence) = OPENINGS.get(opening)?;
    // To the end of the clause.
    let rest = &near.bytes[near.at..near.bytes.len().min(near.at + 120)];
    let clause = rest.iter().position(|byte| matches!(byte, b'.' | b'!' | b'?' | b'\n' | b';')).unwrap_or(rest.len());
    let clause = &rest[..clause];
    let thing = ENGINE.things.as_ref()?.find(clause)?;
    let between = &clause[..thing.start()];
    (thing.start() < 4 || is_filler(between)).then(|| found(0, near.at + thing.end(), *confidence)).flatten()
}

/// Whether only small words stand between the opening and the thing.
fn is_filler(between: &[u8]) -> bool {
    let words =
        between.split(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b':')).filter(|word| !word.is_empty());
    words
        .take(12)
        .all(|word| !word.is_ascii() || FILLERS.iter().any(|filler| word.eq_ignore_ascii_case(filler.as_bytes())))
}
