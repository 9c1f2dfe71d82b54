//! The worker's numbers for `/metrics`.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use signalbox_types::Timestamp;

use super::live::{Live, Rules};
use super::tracker::Skip;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    project: String,
    rule: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    project: String,
    rule: String,
    reason: &'static str,
}

impl Of {
    fn new(live: &Live) -> Self {
        Self { project: live.project.to_string(), rule: live.rule.name.clone() }
    }
}

/// What the rules did.
#[derive(Debug, Clone, Default)]
pub struct OnlineMetrics {
    scored: Family<Of, Counter>,
    dropped: Family<Of, Counter>,
    failed: Family<Of, Counter>,
    skipped: Family<Why, Counter>,
    spent_today: Family<Of, Gauge<f64, AtomicU64>>,
    lag: Family<Of, Gauge<f64, AtomicU64>>,
    queued: Gauge,
}

impl OnlineMetrics {
    /// Shows them in a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("signalbox_online_scores", "Scores that online rules gave", self.scored.clone());
        let help = "Spans that found no room to wait for their scores; a sweep scores them later";
        registry.register("signalbox_online_dropped_spans", help, self.dropped.clone());
        registry.register("signalbox_online_failures", "Scorings of online rules that failed", self.failed.clone());
        let help = "Scorings of online rules that were left out, by reason: no_input, body_gone or budget";
        registry.register("signalbox_online_skipped", help, self.skipped.clone());
        let help = "US dollars that judges of online rules took today (UTC)";
        registry.register("signalbox_online_spent_today_dollars", help, self.spent_today.clone());
        let help = "How long ago the oldest span started that waits for scores of an online rule";
        registry.register("signalbox_online_lag_seconds", help, self.lag.clone());
        registry.register("signalbox_online_queue_depth_spans", "Spans that wait for scores", self.queued.clone());
    }

    pub(super) fn scored(&self, live: &Live, scores: u64) {
        self.scored.get_or_create(&Of::new(live)).inc_by(scores);
    }

    pub(super) fn dropped(&self, live: &Live, spans: u64) {
        self.dropped.get_or_create(&Of::new(live)).inc_by(spans);
    }

    /// Brings up to date what is read and not counted here.
    pub(super) fn look(&self, rules: &Rules, queued: usize, now: Timestamp) {
        self.queued.set(i64::try_from(queued).unwrap_or(i64::MAX));
        for live in rules.all() {
            let (of, shown) = (Of::new(live), live.tracker.shown(now));
            self.spent_today.get_or_create(&of).set(shown.spent_today.as_dollars());
            self.lag.get_or_create(&of).set(shown.lag.as_secs_f64());
            let counts = shown.counts;
            raise(&self.failed.get_or_create(&of), counts.failed);
            let skips = [
                (Skip::NoInput, counts.no_input),
                (Skip::BodyGone, counts.body_gone),
                (Skip::Budget, counts.over_budget),
            ];
            for (skip, count) in skips {
                let why = Why { project: of.project.clone(), rule: of.rule.clone(), reason: skip.as_str() };
                raise(&self.skipped.get_or_create(&why), count);
            }
        }
    }
}

fn raise(counter: &Counter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}
