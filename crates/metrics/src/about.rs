//! What a metric says of itself: for `signalbox eval metric --list`, the API and the docs.

use serde::{Deserialize, Serialize};

use crate::case::Input;
use crate::options::{OptionDoc, OptionProblem, Options};
use crate::score::Metric;

/// One metric. A static of it and a line in the registry are all that a metric needs.
#[derive(Debug)]
pub struct About {
    /// Its name: `bleu`.
    pub name: &'static str,
    /// Other names that it answers to, as other tools call it.
    pub aliases: &'static [&'static str],
    /// What it looks at.
    pub family: Family,
    /// One line: what it measures.
    pub summary: &'static str,
    /// How the value comes about, and its limits.
    pub formula: &'static str,
    /// Where that was published, or whose behaviour it follows.
    pub source: &'static str,
    /// What a case must have.
    pub inputs: &'static [Input],
    /// What it uses if a case has it.
    pub also: &'static [Input],
    /// Where values lie.
    pub range: Range,
    /// Which values are good.
    pub direction: Direction,
    /// What passes, unless the caller says otherwise; inclusive.
    pub threshold: f64,
    /// What can be set.
    pub options: &'static [OptionDoc],
    /// Makes it, for options that were checked by name.
    pub make: fn(&Options) -> Result<Box<dyn Metric>, OptionProblem>,
}

/// What metrics are sorted by, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Two texts side by side, or one by itself.
    Text,
    /// JSON, SQL and other formats.
    Structure,
    /// Ranked results.
    Retrieval,
    /// Whether a text says what its sources say.
    Grounding,
    /// Tool calls and steps.
    Agent,
    /// Two samples of numbers.
    Drift,
    /// What must not pass: the guard's scanners as metrics.
    Safety,
}

/// Where values lie; both ends may occur.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Range {
    /// The least.
    pub low: f64,
    /// The most; `None` if there is none.
    pub high: Option<f64>,
}

impl Range {
    /// From 0 to 1.
    pub const UNIT: Self = Self { low: 0.0, high: Some(1.0) };
    /// From 0 to 100.
    pub const PERCENT: Self = Self { low: 0.0, high: Some(100.0) };
    /// From 0 up.
    pub const FROM_ZERO: Self = Self { low: 0.0, high: None };
    /// Any number.
    pub const ANY: Self = Self { low: f64::NEG_INFINITY, high: None };

    /// Whether a value lies in it. The last digit may be over: sums of fractions are.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        value >= self.low - 1e-9 && self.high.is_none_or(|high| value <= high + 1e-9)
    }
}

/// Which values are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

impl Direction {
    /// Whether a value is good enough.
    #[must_use]
    pub fn passes(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Higher => value >= threshold,
            Self::Lower => value <= threshold,
        }
    }
}
