//! How the routes are doing, for `GET /api/v1/routes`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;
use signalbox_types::ErrorClass;
use signalbox_upstream::ProbeStatus;

use super::choose::weight_now;
use super::experiment::{Arm, ArmStatus};
use super::health::BreakerState;
use super::room::Room;
use super::{Detour, OnDisconnect, Route};

/// A route and its targets, as they are now.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct RouteStatus {
    /// What callers write as `model`.
    pub name: String,
    /// In which order the targets are asked.
    pub strategy: &'static str,
    /// `cancel` or `drain`.
    pub on_disconnect: &'static str,
    /// How long the first target may take before a second one is asked, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hedge_after_ms: Option<u64>,
    /// Where copies of calls go, as `provider/model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<String>,
    /// The arms of an experiment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<ArmStatus>,
    /// Calls since the process began.
    pub calls: u64,
    /// Retries and hedges that may still be made before others have earned more.
    pub retry_budget: f64,
    /// Where its calls go for a while, if somebody has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detour: Option<Detour>,
    /// Why they don't go there all the same: the configuration has changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detour_problem: Option<String>,
    /// In the order of the configuration.
    pub targets: Vec<TargetStatus>,
}

/// A target of a route, as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TargetStatus {
    /// The provider's name.
    pub provider: String,
    /// The model as that provider calls it.
    pub model: String,
    /// Why it gets no calls, if its provider is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off: Option<String>,
    /// Its share.
    pub weight: f64,
    /// Its share now: less than that while it is on its way back after failures.
    pub weight_now: f64,
    /// Which calls it takes, if not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// How long its calls may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// How hard a call may look for it, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complexity_up_to: Option<f64>,
    /// How many questions stand for what it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub examples: Option<u64>,
    /// Its arm of an experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
    /// Whether it may be asked.
    pub breaker: BreakerState,
    /// Why it is asked only if nobody else can be, where it, or its provider, is asked whether it is well and isn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unwell: Option<String>,
    /// What its own model answers when it is asked for a token; absent if nobody asks, or not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeStatus>,
    /// What its provider answers when it is asked whether it is well; absent if nobody asks, or not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_probe: Option<ProbeStatus>,
    /// How long it is left alone, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_alone_ms: Option<u64>,
    /// Calls that it is answering.
    pub in_flight: u64,
    /// How many it gets at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<u64>,
    /// Calls that wait for it.
    pub waiting: u64,
    /// How long its whole answers took of late, in milliseconds; the latest count most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// How long ago the latest of these answers began, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_age_ms: Option<u64>,
    /// How long its streams took to the first content of late, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_content_ms: Option<f64>,
    /// How long ago the latest of these streams began to answer, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_content_age_ms: Option<u64>,
    /// Which share of its latest calls failed, once there were enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_rate: Option<f64>,
    /// Its latest failures, without an answer between them.
    pub failures_in_a_row: u32,
    /// The class of the latest failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<ErrorClass>,
    /// Calls that it answered since the process began.
    pub answered: u64,
    /// Calls that it failed since the process began.
    pub failed: u64,
}

impl Route {
    pub(super) fn status(&self, now: Duration) -> RouteStatus {
        let target = |(target, config): (&std::sync::Arc<super::RouteTarget>, &super::TargetConfig)| {
            let reading = target.live.health.read(now);
            let [whole, first_content] = reading.last;
            TargetStatus {
                provider: config.provider.clone(),
                model: config.model.clone(),
                off: target.target.as_ref().err().cloned(),
                weight: target.weight,
                weight_now: weight_now(self, target, &reading),
                when: config.when.clone(),
                context_tokens: target.context_tokens,
                complexity_up_to: target.complexity_up_to,
                examples: target.has_examples.then_some(config.examples.len() as u64),
                arm: config.arm.clone(),
                breaker: reading.state,
                unwell: target.unwell(),
                probe: target.probe.as_ref().and_then(|probe| probe.status()),
                provider_probe: target.target.as_ref().ok().and_then(|target| target.provider.probe_status()),
                left_alone_ms: (!reading.wait.is_zero()).then(|| millis(reading.wait)),
                in_flight: target.live.in_flight.load(Ordering::Relaxed) as u64,
                max_concurrency: config.max_concurrency.map(|most| most as u64),
                waiting: target.room.as_deref().map_or(0, Room::waiting) as u64,
                latency_ms: whole.map(|one| one.ms),
                latency_age_ms: whole.map(|one| millis(one.age)),
                first_content_ms: first_content.map(|one| one.ms),
                first_content_age_ms: first_content.map(|one| millis(one.age)),
                failure_rate: reading.failure_rate,
                failures_in_a_row: reading.in_a_row,
                last_error: reading.last_error,
                answered: target.live.answered.load(Ordering::Relaxed),
                failed: target.live.failed.load(Ordering::Relaxed),
            }
        };
        RouteStatus {
            name: self.name.to_string(),
            strategy: self.strategy.name(),
            on_disconnect: match self.config.on_disconnect {
                OnDisconnect::Cancel => "cancel",
                OnDisconnect::Drain => "drain",
            },
            hedge_after_ms: self.config.hedge.as_ref().map(|hedge| millis(hedge.after.0)),
            mirror: self.mirror.as_ref().map(|target| format!("{}/{}", target.provider.name, target.model)),
            arms: self.arms.iter().map(Arm::status).collect(),
            calls: self.turn.load(Ordering::Relaxed),
            retry_budget: self.budget.left(),
            detour: None,
            detour_problem: None,
            targets: self.targets.iter().zip(&self.config.targets).map(target).collect(),
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
