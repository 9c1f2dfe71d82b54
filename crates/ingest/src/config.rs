use schemars::JsonSchema;
use serde::Deserialize;

/// Limits of the receivers: how much they take at once and how long they wait for a sender.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IngestConfig {
    /// The largest request body, in bytes: as it is sent and after decompression. A larger one is
    /// refused with 413; a batch processor with smaller batches gets through.
    #[schemars(range(min = 1))]
    pub max_body_bytes: usize,
    /// How many requests may be under way at once. The next one gets 503 with `Retry-After`, and an
    /// OpenTelemetry SDK tries again by itself.
    #[schemars(range(min = 1))]
    pub max_in_flight: usize,
    /// How long a sender may take to send its body, in milliseconds. Then 408.
    #[schemars(range(min = 1))]
    pub body_timeout_ms: u64,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self { max_body_bytes: 16 << 20, max_in_flight: 64, body_timeout_ms: 30_000 }
    }
}
