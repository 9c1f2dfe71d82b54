//! Hateful, offensive and insulting text.
//!
//! One head of the trained model, and its patterns: see [`crate::model`].

use signalbox_types::Severity;

use crate::model::{self, Head, Scan};
use crate::scanner::{About, Hit, Rule, Scanner, Text, rule};

#[cfg(test)]
mod tests;

/// Finds hateful, offensive and insulting text.
#[derive(Debug, Clone, Copy)]
pub struct Toxicity;

static RULES: &[Rule] = &[
    rule("insult", Severity::Medium, "Abuse of the reader. Look at it before it goes out."),
    rule(
        "learned",
        Severity::Medium,
        "The trained model takes this for hateful or offensive text. Look at it before it goes out.",
    ),
    rule("slur", Severity::High, "A slur with abuse around it. Look at it before it goes out."),
    rule("threat", Severity::High, "A threat. Show it to a person."),
];

static SCAN: Scan = Scan { head: Head::Toxicity, rules: RULES };

static ABOUT: About = About {
    name: "toxicity",
    summary: "Finds hateful, offensive and insulting text.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: 0,
    hold: Scan::HOLD,
};

impl Scanner for Toxicity {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        model::scan(&SCAN, text, hits)
    }

    fn shares_notes(&self) -> bool {
        true
    }

    fn score(&self, text: Text<'_>, _hits: &[Hit]) -> f32 {
        model::score(&SCAN, text)
    }
}
