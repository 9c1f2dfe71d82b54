//! What a route did with a call: which targets were left out and why, and how each try went. For the span.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use signalbox_types::ErrorClass;

use super::Route;
use crate::call::CallError;

/// A call that is tried without end must not fill the span.
const MOST_TRIES: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// Why the strategy chose this order.
    pub(super) reason: Cow<'static, str>,
    /// The places of the targets that could be asked, in the order that the strategy wanted.
    pub(super) order: Vec<usize>,
    pub(super) left: Vec<Left>,
    pub(super) tries: Vec<Try>,
    /// The places of the targets that were asked.
    pub(super) asked: Vec<usize>,
    /// The arm of an experiment that the call belongs to.
    pub(crate) arm: Option<Arc<str>>,
    /// The arm whose target answered: another one if that one couldn't.
    pub(super) arm_answered: Option<Arc<str>>,
    /// Tries that were made.
    pub(crate) attempts: usize,
    /// Waited in the line before a target.
    pub(super) queued: Duration,
    /// A retry was left out because the route's retry budget is spent.
    pub(super) budget_spent: bool,
}

/// A target that was not asked.
#[derive(Debug, Serialize)]
pub(super) struct Left {
    pub(super) target: String,
    pub(super) why: String,
}

/// One try.
#[derive(Debug, Serialize)]
pub(super) struct Try {
    target: String,
    /// What made it: nothing for the first one.
    #[serde(skip_serializing_if = "str::is_empty")]
    because: &'static str,
    /// From the start of the call, in milliseconds.
    started_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<f64>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The outcome of a try that nobody waited for to its end.
const CANCELLED: &str = "cancelled";

impl Trail {
    pub(super) fn leave(&mut self, target: &str, why: impl Into<String>) {
        self.left.push(Left { target: target.to_owned(), why: why.into() });
    }

    /// Notes that a try begins; gives its number.
    pub(super) fn begin(&mut self, target: &str, because: &'static str, at: Duration) -> usize {
        let number = self.attempts;
        self.attempts += 1;
        if self.tries.len() < MOST_TRIES {
            let (target, started_ms) = (target.to_owned(), ms(at));
            self.tries.push(Try { target, because, started_ms, took_ms: None, outcome: CANCELLED, error: None });
        }
        number
    }

    pub(super) fn end(&mut self, number: usize, took: Duration, error: Option<&CallError>) {
        let Some(noted) = self.tries.get_mut(number) else { return };
        noted.took_ms = Some(ms(took));
        noted.outcome = outcome(error);
        noted.error = error.map(|error| error.detail.message.chars().take(300).collect());
    }

    /// The whole call took too long while this was under way.
    pub(super) fn ran_out(&mut self, now: Duration) {
        for noted in self.tries.iter_mut().filter(|noted| noted.took_ms.is_none()) {
            noted.took_ms = Some(ms(now) - noted.started_ms);
            noted.outcome = ErrorClass::UpstreamTimeout.as_str();
        }
    }

    /// As attributes of the span.
    pub(crate) fn attributes(&self, route: &Route) -> impl Iterator<Item = (&'static str, String)> {
        let json = |list: Result<String, serde_json::Error>| list.unwrap_or_default();
        let name = |place: &usize| route.targets.get(*place).map(|target| target.name.as_str());
        let order: Vec<&str> = self.order.iter().filter_map(name).collect();
        let arm = |arm: &Option<Arc<str>>| arm.as_deref().unwrap_or_default().to_owned();
        [
            ("signalbox.route.reason", self.reason.to_string()),
            ("signalbox.route.arm", arm(&self.arm)),
            ("signalbox.route.arm_answered", arm(&self.arm_answered)),
            ("signalbox.route.attempts", self.attempts.to_string()),
            ("signalbox.route.order", json(serde_json::to_string(&order))),
            ("signalbox.route.tries", json(serde_json::to_string(&self.tries))),
            ("signalbox.route.left", json(serde_json::to_string(&self.left))),
            ("signalbox.route.retry_budget_spent", self.budget_spent.to_string()),
            ("signalbox.route.queued_ms", format!("{:.3}", ms(self.queued))),
        ]
        .into_iter()
        .filter(|(name, value)| match *name {
            "signalbox.route.order" => !self.order.is_empty(),
            "signalbox.route.left" => !self.left.is_empty(),
            "signalbox.route.retry_budget_spent" => self.budget_spent,
            "signalbox.route.queued_ms" => self.queued > Duration::ZERO,
            "signalbox.route.arm_answered" => !value.is_empty() && self.arm != self.arm_answered,
            "signalbox.route.arm" | "signalbox.route.reason" => !value.is_empty(),
            _ => true,
        })
    }
}

/// How a try ended, for the span and `/metrics`.
pub(super) fn outcome(error: Option<&CallError>) -> &'static str {
    error.map_or("answered", |error| error.class.as_str())
}

fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
