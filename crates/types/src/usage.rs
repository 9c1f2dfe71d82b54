//! What a call used and what that cost. Absent is not zero.

use serde::{Deserialize, Serialize};

use crate::Money;

/// Token counts by the OpenTelemetry GenAI conventions: `input_tokens` includes what was read from
/// and written to a prompt cache, `output_tokens` includes reasoning. `None` = not reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Usage {
    /// `gen_ai.usage.input_tokens`, cached ones included.
    pub input_tokens: Option<u64>,
    /// `gen_ai.usage.output_tokens`, reasoning included.
    pub output_tokens: Option<u64>,
    /// `gen_ai.usage.cache_read.input_tokens`.
    pub cache_read_tokens: Option<u64>,
    /// `gen_ai.usage.cache_write.input_tokens`.
    pub cache_write_tokens: Option<u64>,
    /// `gen_ai.usage.reasoning.output_tokens`.
    pub reasoning_tokens: Option<u64>,
}

impl Usage {
    /// Nothing was reported.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Input tokens at the full price: neither read from nor written to a cache.
    #[must_use]
    pub fn uncached_input(&self) -> u64 {
        let cached = self.cache_read_tokens.unwrap_or(0).saturating_add(self.cache_write_tokens.unwrap_or(0));
        self.input_tokens.unwrap_or(0).saturating_sub(cached)
    }

    /// The sum of both; absent where neither says anything.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
        };
        Self {
            input_tokens: sum(self.input_tokens, other.input_tokens),
            output_tokens: sum(self.output_tokens, other.output_tokens),
            cache_read_tokens: sum(self.cache_read_tokens, other.cache_read_tokens),
            cache_write_tokens: sum(self.cache_write_tokens, other.cache_write_tokens),
            reasoning_tokens: sum(self.reasoning_tokens, other.reasoning_tokens),
        }
    }

    /// Input plus output, if either is known.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        match (self.input_tokens, self.output_tokens) {
            (None, None) => None,
            (input, output) => Some(input.unwrap_or(0).saturating_add(output.unwrap_or(0))),
        }
    }
}

/// Where a cost comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CostSource {
    /// The sender said it; zero counts.
    Reported,
    /// Calculated from the price book.
    Priced,
}

impl CostSource {
    /// The name in storage and API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Priced => "priced",
        }
    }
}

/// The cost of a call by disjoint classes; they add up to `total`. A span without one has an
/// unknown cost, which is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Cost {
    /// Uncached input.
    pub input: Money,
    /// Input read from a prompt cache.
    pub cache_read: Money,
    /// Input written to a prompt cache.
    pub cache_write: Money,
    /// Output, reasoning included.
    pub output: Money,
    /// All of it.
    pub total: Money,
    /// Who says so.
    pub source: CostSource,
}

impl Cost {
    /// The sum of both, by classes. Who said the first one is said to have said it.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            input: self.input + other.input,
            cache_read: self.cache_read + other.cache_read,
            cache_write: self.cache_write + other.cache_write,
            output: self.output + other.output,
            total: self.total + other.total,
            source: self.source,
        }
    }
}
