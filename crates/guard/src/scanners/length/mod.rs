//! Texts that are too long.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use signalbox_types::Severity;

use crate::options::{self, Maker, OptionProblem, Options};
use crate::scanner::{About, Hit, Replacement, Rule, Scanner, Text, rule};

/// Makes [`Length`].
#[derive(Debug)]
pub struct LengthMaker;

static ABOUT: About = About {
    name: "length",
    summary: "Texts that are longer than the policy allows.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: 0,
    hold: 4,
};

static RULES: &[Rule] =
    &[rule("too_long", Severity::Low, "A text that goes on beyond the policy's limit; send less, or ask for less.")];
const TOO_LONG: &Rule = &RULES[0];

/// A token of the usual vocabularies is about as many bytes of English.
const TOKEN_BYTES: usize = 4;

/// How long a text may be. At least one of them; the smaller one counts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Limits {
    /// Bytes of UTF-8 in one text.
    max_bytes: Option<usize>,
    /// Tokens in one text, estimated: four bytes for each.
    max_tokens: Option<usize>,
}

impl Maker for LengthMaker {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn schema(&self) -> Schema {
        schema_for!(Limits)
    }

    fn make(&self, options: &Options) -> Result<Arc<dyn Scanner>, OptionProblem> {
        let limits: Limits = options::read(options)?;
        for (name, limit) in [("max_bytes", limits.max_bytes), ("max_tokens", limits.max_tokens)] {
            if limit == Some(0) {
                return Err(OptionProblem::new(name, "expected at least 1; 0 would allow no text"));
            }
        }
        let tokens = limits.max_tokens.map(|tokens| tokens.saturating_mul(TOKEN_BYTES));
        let most = limits.max_bytes.into_iter().chain(tokens).min();
        let most = most.ok_or_else(|| OptionProblem::new("", "there is no limit; name `max_bytes` or `max_tokens`"))?;
        Ok(Arc::new(Length { most }))
    }
}

/// Looks for the character that is one too many.
#[derive(Debug)]
pub struct Length {
    /// Bytes that may be.
    most: usize,
}

impl Scanner for Length {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let end = text.as_str().len();
        let Some(limit) = self.most.checked_sub(text.base()).filter(|limit| (text.from()..end).contains(limit)) else {
            return end;
        };
        // The character that crosses the limit.
        let start = text.as_str().floor_char_boundary(limit);
        let end_of_it = text.as_str().ceil_char_boundary(limit + 1);
        hits.push(Hit { rule: TOO_LONG, start, end: end_of_it, confidence: 1.0, replacement: Replacement::Mark });
        end
    }
}
