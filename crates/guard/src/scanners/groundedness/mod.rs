//! Answers that say what the supplied texts don't: numbers that stand in none of them, and sentences whose words don't.
//!
//! A measure, not a judge: it counts words and numbers, one sentence at a time, and knows nothing of what they mean.

mod claims;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use signalbox_types::Severity;

use self::claims::{Claim, claims, sentence};
use crate::context::Context;
use crate::options::{self, Maker, OptionProblem, Options};
use crate::scanner::{About, Hit, Replacement, Rule, Scanner, Text, rule};

/// Makes [`Groundedness`].
#[derive(Debug)]
pub struct GroundednessMaker;

static ABOUT: About = About {
    name: "groundedness",
    summary: "Answers that say what the supplied texts don't: numbers and whole sentences.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: 0,
    hold: claims::MOST_BYTES + 8,
};

static RULES: &[Rule] = &[
    rule(
        "unsupported_number",
        Severity::Low,
        "A number that stands in none of the supplied texts; look where it comes from.",
    ),
    rule(
        "unsupported_sentence",
        Severity::Low,
        "Most words of this sentence stand in none of the supplied texts; check it.",
    ),
];
const NUMBER: &Rule = &RULES[0];
const SENTENCE: &Rule = &RULES[1];

/// With fewer different words than that, nothing was supplied that an answer could be held against.
const FEWEST_WORDS: usize = 30;
/// A sentence of fewer words says too little to be measured.
const SENTENCE_WORDS: usize = 5;
/// A number is there or not, but it may be the right sum of two others.
const NUMBER_CONFIDENCE: f32 = 0.6;

/// How much must be supported.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default)]
struct Measure {
    /// The share of a sentence's words that must stand in the supplied texts, from 0 to 1. 0 leaves only numbers to be looked at.
    min_overlap: f32,
    /// Look at numbers.
    numbers: bool,
}

impl Default for Measure {
    fn default() -> Self {
        Self { min_overlap: 0.4, numbers: true }
    }
}

impl Maker for GroundednessMaker {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn schema(&self) -> Schema {
        schema_for!(Measure)
    }

    fn make(&self, options: &Options) -> Result<Arc<dyn Scanner>, OptionProblem> {
        let Measure { min_overlap, numbers } = options::read(options)?;
        if !(0.0..=1.0).contains(&min_overlap) {
            return Err(OptionProblem::new("min_overlap", format_args!("expected 0 to 1, found {min_overlap}")));
        }
        if min_overlap == 0.0 && !numbers {
            return Err(OptionProblem::new("numbers", "with `min_overlap: 0` nothing is left to look at"));
        }
        Ok(Arc::new(Groundedness { min_overlap, numbers, supplied: None }))
    }
}

/// Holds an answer against the texts of its call; until it is made for one, it finds nothing.
#[derive(Debug)]
pub struct Groundedness {
    min_overlap: f32,
    numbers: bool,
    /// The words and numbers of the supplied texts; `None` if there are too few.
    supplied: Option<HashSet<Claim>>,
}

impl Scanner for Groundedness {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn reads_context(&self) -> bool {
        true
    }

    fn within(&self, context: &Context<'_>) -> Option<Arc<dyn Scanner>> {
        let texts = context.documents.iter().chain(&context.system);
        let supplied: HashSet<Claim> = texts.flat_map(|text| claims(text)).map(|(_, claim)| claim).collect();
        let words = supplied.iter().filter(|claim| matches!(claim, Claim::Word(_))).count();
        let supplied = (words >= FEWEST_WORDS).then_some(supplied);
        Some(Arc::new(Self { min_overlap: self.min_overlap, numbers: self.numbers, supplied }))
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let whole = text.as_str();
        let Some(supplied) = &self.supplied else { return whole.len() };
        let mut at = text.from();
        while let Some(end) = sentence(whole, at, text.is_open()) {
            self.judge(supplied, whole.get(at..end).unwrap_or_default(), at, hits);
            at = end;
        }
        at
    }
}

impl Groundedness {
    fn judge(&self, supplied: &HashSet<Claim>, sentence: &str, base: usize, hits: &mut Vec<Hit>) {
        let (mut words, mut known, mut strange) = (0_u16, 0_u16, Vec::new());
        for (range, claim) in claims(sentence) {
            let is_known = supplied.contains(&claim);
            match claim {
                Claim::Word(_) => {
                    words += 1;
                    known += u16::from(is_known);
                }
                Claim::Number(_) if is_known => {}
                Claim::Number(_) => strange.push(range),
            }
        }
        let mut hit = |rule, start: usize, end: usize, confidence| {
            let (start, end) = (base + start, base + end);
            hits.push(Hit { rule, start, end, confidence, replacement: Replacement::Mark });
        };
        let overlap = f32::from(known) / f32::from(words.max(1));
        if usize::from(words) >= SENTENCE_WORDS && overlap < self.min_overlap {
            let start = sentence.len() - sentence.trim_start().len();
            return hit(SENTENCE, start, sentence.trim_end().len(), 1.0 - overlap);
        }
        if self.numbers {
            strange.into_iter().for_each(|range| hit(NUMBER, range.start, range.end, NUMBER_CONFIDENCE));
        }
    }
}
