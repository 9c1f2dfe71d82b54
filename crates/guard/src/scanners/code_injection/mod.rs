//! Payloads that a program would run, or let something be read, if it put the text into a query, a page, a template,
//! a command, a path or a document.
//!
//! One automaton finds the words that every payload needs; few of them stand where a payload would have them. There,
//! the text around is written plainly (lower case, escapes decoded, comments gone), and patterns look for what makes
//! a payload of it. Ordinary SQL, HTML, templates and shell lines have the words, not the shape.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use self::needs::Needs;
use self::patterns::{FAMILIES, Pattern};
use self::plain::Plain;
use super::nearby::{self, Found, Near, Reach};
use crate::literals::Literals;
use crate::scanner::{About, Hit, Scanner, Text};

mod checks;
mod needs;
mod page;
mod patterns;
mod plain;
mod query;
mod rules;
mod sql;
mod system;
#[cfg(test)]
mod tests;

/// Finds payloads of injections.
#[derive(Debug, Clone, Copy)]
pub struct CodeInjection;

const REACH: Reach = Reach { back: 160, before: 96, forward: 160 };

static ABOUT: About = About {
    name: "code_injection",
    summary: "Finds payloads of SQL, NoSQL, template, script, shell, path, LDAP, XML and request injections.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: rules::ALL,
    // Half a word before the unsettled text may be the start of an anchor.
    lookback: LOOKBACK,
    hold: REACH.hold(),
};

impl Scanner for CodeInjection {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let first = text.from().saturating_sub(LOOKBACK);
        let bytes = text.bytes();
        let words = ENGINE.words.find(&bytes[first..]);
        let anchors = words.map(|found| (first + found.end(), found.pattern().as_usize()));
        let anchors = anchors.filter(|(at, word)| ENGINE.may_start(bytes, *at, *word));
        // In a crowd only the first ones are looked at: they are enough to find what is there, and a text made of
        // nothing else costs no more than another. Whether there is a crowd is decided by the text right before.
        let (mut crowd, mut throng) = (Crowd::<10>::new(64), Crowd::<48>::new(LONGEST_CROWD));
        let anchors = anchors.filter(|(at, _)| {
            let crowded = crowd.holds(*at);
            !throng.holds(*at) && !crowded
        });
        let anchors = anchors.map(|(at, word)| (at, ENGINE.anchors[word].0));
        let mut plain = Plain::default();
        nearby::scan(text, REACH, anchors, |near, family| ENGINE.look(near, family, &mut plain), hits)
    }
}

/// No word of a family is longer.
const LONGEST_WORD: usize = 32;

/// In no more bytes than these a crowd is looked for.
const LONGEST_CROWD: usize = 4096;
const LOOKBACK: usize = LONGEST_CROWD + LONGEST_WORD;

/// Tells whether an anchor stands in a crowd: whether `N` others stand in the `span` bytes before it.
struct Crowd<const N: usize> {
    span: usize,
    /// The last ones, in a ring.
    last: [usize; N],
    next: usize,
}

impl<const N: usize> Crowd<N> {
    const NONE: usize = usize::MAX;

    fn new(span: usize) -> Self {
        Self { span, last: [Self::NONE; N], next: 0 }
    }

    /// Takes the next anchor.
    fn holds(&mut self, at: usize) -> bool {
        let eldest = std::mem::replace(&mut self.last[self.next], at);
        self.next = (self.next + 1) % N;
        eldest != Self::NONE && at - eldest <= self.span
    }
}

/// How many matches of one pattern around an anchor are looked at.
const TRIES: usize = 3;

struct Engine {
    words: Literals,
    /// By word: its family and its length.
    anchors: Vec<(usize, usize)>,
    /// By family: which of the patterns are its.
    families: Vec<Range<usize>>,
    /// Compiled one by one: as a set they would share an automaton that is built anew for most texts, at thrice the
    /// time.
    patterns: Vec<(Regex, &'static Pattern)>,
    needs: Needs,
}

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

impl Engine {
    fn new() -> Self {
        let flat =
            || FAMILIES.iter().enumerate().flat_map(|(at, family)| family.words.iter().map(move |word| (at, *word)));
        let words = Literals::new(flat().map(|(_, word)| word));
        let compile = |pattern: &'static Pattern| Some((Regex::new(&pattern.text()).ok()?, pattern));
        let (mut patterns, mut families) = (Vec::new(), Vec::new());
        for family in FAMILIES {
            let first = patterns.len();
            patterns.extend(family.patterns.iter().filter_map(compile));
            families.push(first..patterns.len());
        }
        let needs = Needs::new(&patterns.iter().map(|(_, pattern)| pattern.text()).collect::<Vec<_>>());
        Self { words, anchors: flat().map(|(at, word)| (at, word.len())).collect(), families, patterns, needs }
    }

    /// A cheap look before anything is decoded.
    fn may_start(&self, bytes: &[u8], end: usize, word: usize) -> bool {
        let (family, length) = self.anchors[word];
        (FAMILIES[family].may_start)(bytes, end - length, end)
    }

    /// The surest pattern of the family that the anchor is a part of. `plain` is memory to use.
    fn look(&self, near: Near<'_>, family: usize, plain: &mut Plain) -> Option<Found> {
        plain.read(near, REACH.back);
        let met = self.needs.met(&plain.text);
        let mut best: Option<Found> = None;
        let range = self.families[family].clone();
        for (number, (regex, pattern)) in range.clone().zip(&self.patterns[range]) {
            // A surer one was found: this one could not change anything.
            let better = best.is_none_or(|best| best.confidence < pattern.confidence);
            if !better || met >> number & 1 == 0 {
                continue;
            }
            let mut from = 0;
            for _ in 0..TRIES {
                // To find is cheap; to tell the groups apart is not, so only where the anchor is inside.
                let Some(all) = regex.find_at(&plain.text, from) else { break };
                let (start, end) = plain.original(all.start(), all.end());
                if start >= near.at {
                    break;
                }
                let groups = || regex.captures_at(&plain.text, all.start());
                if near.at <= end && groups().is_some_and(|groups| (pattern.holds)(&plain.text, &groups)) {
                    best = Some(Found { rule: pattern.rule.rule(), start, end, confidence: pattern.confidence });
                    break;
                }
                // Go on behind the start: a later one may be the right one.
                from = all.start() + 1;
            }
        }
        best
    }
}
