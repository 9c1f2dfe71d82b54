//! The gateway's settings. The doc comment of a field is its manual.

use schemars::JsonSchema;
use serde::Deserialize;
use signalbox_upstream::{Problem, Upstream};

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
    /// How many bytes of request bodies, and of answers that are read whole, all calls together may hold. When they are
    /// used up, calls get 503 with `Retry-After`.
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
    /// The largest request body that is passed on unread, in bytes: files, and what goes to `/providers/…` and is no text. A
    /// larger one is refused with 413.
    pub max_passed_bytes: u64,
    /// Whether `/providers/{name}/…` passes on what Signalbox doesn't know of a provider. What the provider keeps there
    /// belongs to its account: every key can have it, whatever its project.
    pub pass_through: bool,
    /// What is done where a policy redacts or blocks and its scanners can't read: files that are uploaded, and on
    /// `/providers/…` bodies that are no text, and streams that are none of a known dialect.
    pub unread: Unread,
    /// Uploaded files of up to so many bytes are read by the policies on `input`, if there are any: each line of text, and each
    /// string in lines of JSON, as batches and fine-tuning have them. Larger files, and what is no text, are as `unread` says.
    /// With 0, no file is read.
    pub scan_files_bytes: usize,
    /// The provider that files and batches go to unless a call says another with `x-signalbox-provider`. Default: the only
    /// one that takes them.
    pub files_provider: Option<String>,
    /// How long the answer of a call with an `Idempotency-Key` is given again to whoever sends the same call with the same
    /// key, in milliseconds. With 0, only calls that are under way are waited for.
    pub idempotency_keep_ms: u64,
    /// How many bytes all these answers may take. The oldest give way.
    pub idempotency_bytes: usize,
    /// Of how many things that providers keep (responses, files, batches) it is remembered which project made them, since only that one
    /// may have them again. Those that weren't used for the longest time are forgotten first.
    pub max_kept_ids: usize,
    /// For how many days what wasn't used is remembered of them.
    pub kept_ids_days: u32,
    /// How many models get a name of their own in `/metrics`; the others are counted as `other`.
    pub max_model_labels: usize,
}

/// What is done with what no scanner can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unread {
    /// It passes, and its span says so.
    Pass,
    /// The call is refused.
    Refuse,
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
            max_passed_bytes: 1 << 30,
            pass_through: true,
            unread: Unread::Pass,
            scan_files_bytes: 0,
            files_provider: None,
            idempotency_keep_ms: 600_000,
            idempotency_bytes: 64 << 20,
            max_kept_ids: 100_000,
            kept_ids_days: 365,
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
        if self.kept_ids_days == 0 {
            problems.push(("kept_ids_days", "expected at least 1, found 0".to_owned()));
        }
        if self.body_timeout_ms == 0 {
            problems.push(("body_timeout_ms", "expected at least 1, found 0".to_owned()));
        }
        problems
    }
}

impl GatewayConfig {
    /// What is wrong with it where it names providers. `upstream` may lack keys.
    #[must_use]
    pub fn provider_problems(&self, upstream: &Upstream) -> Vec<Problem> {
        let unknown = |name: &&String| upstream.providers().iter().all(|provider| provider.name != **name);
        let problem = |name: &String| Problem {
            path: "gateway.files_provider".to_owned(),
            message: format!("there is no provider `{name}`"),
            hint: "write the `name` of a provider that keeps files, like `openai`".to_owned(),
        };
        self.files_provider.iter().filter(unknown).map(problem).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use signalbox_upstream::UpstreamConfig;

    use super::*;

    #[test]
    fn a_provider_that_is_unknown_is_named() {
        let clock = Arc::new(signalbox_testkit::ManualClock::default());
        let upstream = Upstream::new(&UpstreamConfig::default(), &|_| None, clock).unwrap();
        let check = |name: &str, expected: usize| {
            let config = GatewayConfig { files_provider: Some(name.to_owned()), ..GatewayConfig::default() };
            assert_eq!(config.provider_problems(&upstream).len(), expected, "{name}");
        };
        // One that lacks its key is known all the same.
        check("openai", 0);
        check("opneai", 1);
        assert!(GatewayConfig::default().provider_problems(&upstream).is_empty());
    }

    #[test]
    fn the_default_has_no_problem_and_zeroes_are_named() {
        assert_eq!(GatewayConfig::default().problems(), []);
        let config: GatewayConfig = serde_json::from_str(r#"{"max_in_flight":0,"body_timeout_ms":0}"#).unwrap();
        let fields: Vec<_> = config.problems().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["max_in_flight", "body_timeout_ms"]);
        assert!(serde_json::from_str::<GatewayConfig>(r#"{"max_inflight":1}"#).is_err());
    }
}
