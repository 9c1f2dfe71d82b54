use schemars::JsonSchema;
use serde::Deserialize;

/// Evaluation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EvalsConfig {
    /// Scores for what arrives.
    pub online: OnlineConfig,
}

/// How much of the machine the scoring of arriving spans may take. Which spans are scored, and how, is said by rules on the
/// Online evaluation page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OnlineConfig {
    /// Spans that may wait to be scored. What finds no room is counted, and scored later by a sweep over the store.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub queue: usize,
    /// Batches of spans that are scored at once.
    #[schemars(range(min = 1, max = 64))]
    pub workers: usize,
    /// Judges that are asked at once.
    #[schemars(range(min = 1, max = 256))]
    pub judges: usize,
    /// How long a call waits for what retrievers of its trace found, in milliseconds, where a rule wants that: exporters
    /// send the spans of a trace one after the other.
    #[schemars(range(max = 600_000))]
    pub settle_ms: u64,
}

impl Default for OnlineConfig {
    fn default() -> Self {
        Self { queue: 8_192, workers: 1, judges: 4, settle_ms: 5_000 }
    }
}
