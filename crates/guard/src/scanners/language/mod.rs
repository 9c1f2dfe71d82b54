//! The language that text is written in.
//!
//! A text is cut into blocks of about a kilobyte, each judged by itself, so that a stream says what the whole would.
//! Most scripts belong to one language; for the others letters in a row (up to four, with the ends of words) are looked
//! up in a table of how usual they are in each language, and the likeliest language wins.

use std::borrow::Cow;

use crate::model::{LONGEST, block_end};
use crate::scanner::{About, Hit, Replacement, Rule, Scanner, Text};

mod known;
mod rules;
pub(super) mod script;
pub mod table;
#[cfg(test)]
mod tests;

pub use self::script::Script;

/// Tells the language of text.
#[derive(Debug, Clone, Copy)]
pub struct Language;

static ABOUT: About = About {
    name: "language",
    summary: "Tells the language that text is written in.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: rules::ALL,
    lookback: 0,
    hold: LONGEST + 4,
};

impl Scanner for Language {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let mut at = text.from();
        while let Some(end) = block_end(text.as_str(), at, text.is_open()) {
            let block = text.as_str().get(at..end).unwrap_or_default();
            if let Some((rule, confidence)) = detect(block) {
                // The text, without the space around it.
                let start = at + block.len() - block.trim_start().len();
                let end = at + block.trim_end().len();
                hits.push(Hit { rule, start, end, confidence, replacement: Replacement::Mark });
            }
            at = end;
        }
        at
    }

    fn describes(&self) -> bool {
        true
    }

    fn prediction(&self, hits: &[Hit]) -> Option<Cow<'static, str>> {
        let length = |name: &str| -> usize {
            hits.iter().filter(|hit| hit.rule.name == name).map(|hit| hit.end - hit.start).sum()
        };
        // The last of equals, so that the order of rules decides nothing but ties.
        hits.iter().map(|hit| hit.rule.name).max_by_key(|name| length(name)).map(Cow::Borrowed)
    }
}

/// Fewer letters than these say nothing of their language.
const FEWEST: usize = 6;

/// The language of a block, and how sure that is.
fn detect(block: &str) -> Option<(&'static Rule, f32)> {
    let (script, letters) = script::main(block)?;
    if let Some(code) = script.language() {
        // Two letters of a script that only one language has are a word.
        return (letters >= 2).then(|| Some((ABOUT.rule(code)?, 0.98)))?;
    }
    if letters < FEWEST {
        return None;
    }
    let likeliest = table::likeliest(block, script)?;
    if likeliest.cost > script.strangest() {
        return None;
    }
    Some((ABOUT.rule(likeliest.code)?, likeliest.confidence()))
}
