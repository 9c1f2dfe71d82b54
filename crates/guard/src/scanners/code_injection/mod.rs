//! Payloads that a program would run, or let something be read, if it put the text into a query, a page, a template,
//! a command, a path or a document.
//!
//! One automaton finds the words that every payload needs; few of them stand where a payload would have them. There,
//! the text around is written plainly (lower case, escapes decoded, comments gone), and patterns look for what makes
//! a payload of it. Ordinary SQL, HTML, templates and shell lines have the words, not the shape.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind};
use regex::bytes::Regex;

use self::patterns::{FAMILIES, Pattern};
use self::plain::Plain;
use super::nearby::{self, Found, Near, Reach};
use crate::scanner::{About, Hit, Scanner, Text};

mod checks;
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
    lookback: REACH.lookback(),
    hold: REACH.hold(),
};

impl Scanner for CodeInjection {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let first = text.from().saturating_sub(CROWD_SPAN + LONGEST_WORD);
        let bytes = text.bytes();
        let words = ENGINE.words.iter().flat_map(|words| words.find_overlapping_iter(&bytes[first..]));
        let anchors = words.map(|found| (first + found.end(), found.pattern().as_usize()));
        let anchors = anchors.filter(|(at, word)| ENGINE.may_start(bytes, *at, *word));
        // In a crowd only the first ones are looked at: they are enough to find what is there, and a text made of
        // nothing else costs no more than another. Whether there is a crowd is decided by the text right before.
        let mut last = [None; CROWD];
        let anchors = anchors.filter(|(at, _)| {
            let eldest = last[0];
            last.rotate_left(1);
            last[CROWD - 1] = Some(*at);
            eldest.is_none_or(|eldest| at - eldest > CROWD_SPAN)
        });
        nearby::scan(text, REACH, anchors, |near, word| ENGINE.look(near, word), hits)
    }
}

/// No word of a family is longer.
const LONGEST_WORD: usize = 32;

/// So many anchors in so many bytes are a crowd.
const CROWD: usize = 10;
const CROWD_SPAN: usize = 64;

/// How many matches of one pattern around an anchor are looked at.
const TRIES: usize = 3;

struct Engine {
    words: Option<AhoCorasick>,
    /// By word: its family and its length.
    anchors: Vec<(usize, usize)>,
    families: Vec<Family>,
}

/// Compiled one by one: as a set they would share an automaton that is built anew for most texts, at thrice the time.
type Family = Vec<(Regex, &'static Pattern)>;

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

impl Engine {
    fn new() -> Self {
        let flat =
            || FAMILIES.iter().enumerate().flat_map(|(at, family)| family.words.iter().map(move |word| (at, *word)));
        let words = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(flat().map(|(_, word)| word))
            .ok();
        let compile = |pattern: &'static Pattern| Some((Regex::new(&pattern.text()).ok()?, pattern));
        let families = FAMILIES.iter().map(|family| family.patterns.iter().filter_map(compile).collect()).collect();
        Self { words, anchors: flat().map(|(at, word)| (at, word.len())).collect(), families }
    }

    /// A cheap look before anything is decoded.
    fn may_start(&self, bytes: &[u8], end: usize, word: usize) -> bool {
        let (family, length) = self.anchors[word];
        (FAMILIES[family].may_start)(bytes, end - length, end)
    }

    /// The surest pattern of the word's family that the word is a part of.
    fn look(&self, near: Near<'_>, word: usize) -> Option<Found> {
        let plain = Plain::new(near, REACH.back);
        let mut best: Option<Found> = None;
        for (regex, pattern) in &self.families[self.anchors[word].0] {
            // A surer one was found: this one could not change anything.
            if best.is_some_and(|best| best.confidence >= pattern.confidence) {
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
