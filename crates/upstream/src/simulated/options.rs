use std::time::Duration;

/// How the simulator behaves when a request says nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SimOptions {
    /// Changes every answer.
    pub seed: u64,
    /// Wait before the answer's head.
    pub latency: Duration,
    /// Wait before the first token. An answer that isn't streamed takes as long as its stream would.
    pub ttft: Duration,
    /// Wait between two tokens.
    pub chunk_delay: Duration,
    /// About how many tokens an answer has; by default 20 to 120, by the question.
    pub tokens: Option<u32>,
    /// How many of the calls fail with status 500: 0 to 1.
    pub error_rate: f64,
    /// How many of the calls are refused with status 429: 0 to 1.
    pub rate_limit_rate: f64,
    /// Keep the latest requests for `GET /sim/requests`.
    pub record: bool,
}
