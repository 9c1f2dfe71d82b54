//! What judges say: one opinion for each time that one was asked, and the judgement that follows from them.

use serde::Serialize;
use signalbox_metrics::Evidence;
use signalbox_types::{Money, TraceId, Usage};

/// What one judge said once; of two answers, in both orders.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Opinion {
    /// The model, as it was asked for.
    pub model: String,
    /// The model that answered, as its provider names it.
    pub answered_by: String,
    /// How much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Which kind; of two answers `first`, `second` or `tie`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Why.
    pub reason: String,
    /// What it quoted and the texts have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// What to know of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// What asking took.
    #[serde(flatten)]
    pub tally: Tally,
}

/// What asking took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tally {
    /// Answers of models.
    pub calls: usize,
    /// What they cost; `None` if the price of one isn't known.
    pub cost: Option<Money>,
    /// Tokens.
    #[serde(skip)]
    pub usage: Usage,
    /// Where they are recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trace_ids: Vec<TraceId>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { calls: 0, cost: Some(Money::ZERO), usage: Usage::default(), trace_ids: Vec::new() }
    }
}

impl std::ops::AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
        };
        self.calls += other.calls;
        self.cost = self.cost.zip(other.cost).map(|(one, other)| one + other);
        self.usage.input_tokens = sum(self.usage.input_tokens, other.usage.input_tokens);
        self.usage.output_tokens = sum(self.usage.output_tokens, other.usage.output_tokens);
        self.usage.cache_read_tokens = sum(self.usage.cache_read_tokens, other.usage.cache_read_tokens);
        self.usage.cache_write_tokens = sum(self.usage.cache_write_tokens, other.usage.cache_write_tokens);
        self.usage.reasoning_tokens = sum(self.usage.reasoning_tokens, other.usage.reasoning_tokens);
        self.trace_ids.extend_from_slice(&other.trace_ids);
    }
}

/// Something to know of a judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flag {
    /// Which.
    pub kind: FlagKind,
    /// For people.
    pub message: String,
}

impl Flag {
    pub(super) fn new(kind: FlagKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// What there is to know of judgements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagKind {
    /// The answer that won stood first, or second, both times.
    PositionDisagreement,
    /// The longer answer won, and by length it may have.
    LongerWon,
    /// The judge is of the family of who answered.
    SelfPreference,
    /// Quotations that the texts don't have were thrown away.
    UnverifiedQuotes,
    /// The answer could be read at the second attempt only.
    Repaired,
    /// The model doesn't take a setting; it was asked without.
    SettingRefused,
    /// No opinion has a majority.
    NoMajority,
    /// Some of the judges could not be asked.
    JudgeFailed,
    /// The examples are nearest by letters: the embedding model that should find them by meaning could not be asked.
    ExamplesByLetters,
}

/// What follows from all opinions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// How much; its range is the rubric's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Which kind; of two answers `first`, `second` or `tie`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Good enough?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed: Option<bool>,
    /// Why: the reason of the opinion that is nearest.
    pub reason: String,
    /// What that opinion quoted and the texts have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// How far the opinions agree, from 0 to 1; `None` if there is one only. Of words and levels the share of pairs that say the
    /// same; of numbers 1 less the mean distance of pairs, as a share of the range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<f64>,
    /// What to know of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// What asking took.
    #[serde(flatten)]
    pub tally: Tally,
    /// Each opinion.
    pub opinions: Vec<Opinion>,
}
