//! The gateway's settings. The doc comment of a field is its manual.

use schemars::JsonSchema;
use serde::Deserialize;

/// Limits of the gateway: how much it takes at once, how long it waits for a caller, and how much
/// of a call it writes down.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayConfig {
    /// The largest request body that is read, in bytes. A larger one is refused with 413.
    pub max_body_bytes: usize,
    /// The largest answer that is held in memory when the caller asked for no stream, in bytes. A
    /// larger one is a fault of the provider: 502.
    pub max_answer_bytes: usize,
    /// How many bytes of request bodies all calls together may hold. When they are used up, new
    /// calls get 503 with `Retry-After`.
    pub max_buffered_bytes: usize,
    /// How many calls may be under way at once. The next one gets 503 with `Retry-After`.
    pub max_in_flight: usize,
    /// How long a caller may take to send its request body, in milliseconds. Then 408.
    pub body_timeout_ms: u64,
    /// How much of the messages that went in, and of those that came out, is written down per call,
    /// in bytes. What doesn't fit is replaced by a note of its size.
    pub max_recorded_bytes: usize,
    /// How many finished calls may wait to be written down. What doesn't fit is shed and counted.
    pub settle_queue: usize,
    /// How many bytes of finished calls may wait to be written down.
    pub settle_queue_bytes: usize,
    /// Of how many things that providers keep (responses) it is remembered which project made them, since only that one
    /// may have them again. Those that weren't used for the longest time are forgotten first.
    pub max_kept_ids: usize,
    /// How many models get a name of their own in `/metrics`; the others are counted as `other`.
    pub max_model_labels: usize,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            max_body_bytes: 32 << 20,
            max_answer_bytes: 64 << 20,
            max_buffered_bytes: 512 << 20,
            max_in_flight: 4_096,
            body_timeout_ms: 60_000,
            max_recorded_bytes: 1 << 20,
            settle_queue: 8_192,
            settle_queue_bytes: 128 << 20,
            max_kept_ids: 100_000,
            max_model_labels: 200,
        }
    }
}

impl GatewayConfig {
    /// What is wrong with it, as `(field, what was expected)`.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let at_least_one = [
            ("max_body_bytes", self.max_body_bytes),
            ("max_answer_bytes", self.max_answer_bytes),
            ("max_buffered_bytes", self.max_buffered_bytes),
            ("max_in_flight", self.max_in_flight),
            ("settle_queue", self.settle_queue),
        ];
        let mut problems: Vec<_> = at_least_one
            .into_iter()
            .filter(|(_, value)| *value == 0)
            .map(|(field, _)| (field, "expected at least 1, found 0".to_owned()))
            .collect();
        if self.body_timeout_ms == 0 {
            problems.push(("body_timeout_ms", "expected at least 1, found 0".to_owned()));
        }
        let most = tokio::sync::Semaphore::MAX_PERMITS;
        if self.max_in_flight > most {
            problems.push(("max_in_flight", format!("expected at most {most}, found {}", self.max_in_flight)));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_has_no_problem_and_zeroes_are_named() {
        assert_eq!(GatewayConfig::default().problems(), []);
        let config: GatewayConfig = serde_json::from_str(r#"{"max_in_flight":0,"body_timeout_ms":0}"#).unwrap();
        let fields: Vec<_> = config.problems().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["max_in_flight", "body_timeout_ms"]);
        assert!(serde_json::from_str::<GatewayConfig>(r#"{"max_inflight":1}"#).is_err());
    }
}
