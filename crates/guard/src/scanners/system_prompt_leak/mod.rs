//! Answers that repeat the system instructions.
//!
//! Both are read as words, without case, punctuation and layout. A run of so many words that stands in the instructions, too,
//! is a leak; it goes on for as long as they agree.

#[cfg(test)]
mod tests;
mod words;

use std::collections::HashSet;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use signalbox_types::Severity;

use self::words::{Word, shingle, words};
use crate::context::Context;
use crate::options::{self, Maker, OptionProblem, Options};
use crate::scanner::{About, Hit, Replacement, Rule, Scanner, Text, rule};

/// Makes [`SystemPromptLeak`].
#[derive(Debug)]
pub struct SystemPromptLeakMaker;

static ABOUT: About = About {
    name: "system_prompt_leak",
    summary: "Answers that repeat the system instructions, word for word or nearly so.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: 0,
    hold: MOST_BYTES + 80,
};

static RULES: &[Rule] = &[rule(
    "repeated_instructions",
    Severity::High,
    "Words of the system instructions in the same order; keep nothing in them that nobody may read.",
)];
const REPEATED: &Rule = &RULES[0];

/// The longest hit. A longer passage is several hits beside one another.
const MOST_BYTES: usize = 512;
/// Words that must agree, unless the policy says otherwise: fewer are found in texts about the same thing.
const WORDS: usize = 8;

/// How much must be repeated.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default)]
struct Measure {
    /// Words in a row that must agree, from 4 to 32. What is shorter than so many words is not looked for.
    words: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self { words: WORDS }
    }
}

impl Maker for SystemPromptLeakMaker {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn schema(&self) -> Schema {
        schema_for!(Measure)
    }

    fn make(&self, options: &Options) -> Result<Arc<dyn Scanner>, OptionProblem> {
        let Measure { words } = options::read(options)?;
        if !(4..=32).contains(&words) {
            return Err(OptionProblem::new("words", format_args!("expected 4 to 32, found {words}")));
        }
        Ok(Arc::new(SystemPromptLeak { words, shingles: HashSet::new() }))
    }
}

/// Looks for the instructions of one call; until it is made for one, it finds nothing.
#[derive(Debug)]
pub struct SystemPromptLeak {
    words: usize,
    /// Every run of so many words in the instructions.
    shingles: HashSet<u64>,
}

impl Scanner for SystemPromptLeak {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn reads_context(&self) -> bool {
        true
    }

    fn within(&self, context: &Context<'_>) -> Option<Arc<dyn Scanner>> {
        let mut shingles = HashSet::new();
        for text in &context.system {
            let words: Vec<Word> = words(text, 0).collect();
            shingles.extend(words.windows(self.words).map(shingle));
        }
        Some(Arc::new(Self { words: self.words, shingles }))
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let whole = text.as_str();
        if self.shingles.is_empty() {
            return whole.len();
        }
        let mut found: Vec<Word> = words(whole, text.from()).collect();
        let mut settled = whole.len();
        if text.is_open() {
            // The last word may go on.
            if let Some(last) = found.pop_if(|last| last.end == whole.len()) {
                settled = last.start;
            }
        }
        let mut at = 0;
        while let Some(first) = found.get(at) {
            // Whether words that are still to come could stand within reach of this one.
            let waits = text.is_open() && whole.len() - first.start <= MOST_BYTES;
            let Some(run) = found.get(at..at + self.words) else {
                if waits {
                    return first.start;
                }
                at += 1;
                continue;
            };
            if !self.agrees(run) {
                at += 1;
                continue;
            }
            let mut end = at + self.words;
            while found.get(end).is_some_and(|last| last.end - first.start <= MOST_BYTES)
                && found.get(end + 1 - self.words..=end).is_some_and(|run| self.agrees(run))
            {
                end += 1;
            }
            if end == found.len() && waits {
                return first.start;
            }
            let beyond = found.get(end).map_or(whole.len(), |next| next.end) - first.start > MOST_BYTES;
            if beyond && end - at > self.words {
                // The next hit begins where it agrees for sure, so that no word between the two is left.
                end -= self.words;
            }
            let last = found.get(end - 1).unwrap_or(first);
            hits.push(Hit {
                rule: REPEATED,
                start: first.start,
                end: last.end,
                confidence: self.confidence(end - at),
                replacement: Replacement::Mark,
            });
            at = end;
        }
        settled
    }
}

impl SystemPromptLeak {
    fn agrees(&self, run: &[Word]) -> bool {
        let reach = run.last().zip(run.first()).map_or(0, |(last, first)| last.end - first.start);
        reach <= MOST_BYTES && self.shingles.contains(&shingle(run))
    }

    /// The more words in a row, the less by chance: 0.7 for the least, 0.95 for three times as many.
    fn confidence(&self, agreeing: usize) -> f32 {
        let more = (agreeing - self.words).min(2 * self.words) as f32;
        0.7 + 0.25 * more / (2 * self.words) as f32
    }
}
