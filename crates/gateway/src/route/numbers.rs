//! The numbers of routes for `/metrics`; their names stand in [`Name`](crate::Name), as all do.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::trail::outcome;
use crate::call::{Call, Outcome};
use crate::metrics::Word;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct TryLabels {
    route: Word,
    provider: Word,
    outcome: &'static str,
    mirror: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RouteLabels {
    route: Word,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct BreakerLabels {
    route: Word,
    target: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RouteShedLabels {
    route: Word,
    reason: &'static str,
}

/// What a route had no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RouteShed {
    /// A call in the line before a target.
    Line,
    /// A copy for comparison.
    Mirror,
    /// An answer whose caller is gone.
    Drain,
}

impl RouteShed {
    fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Mirror => "mirror",
            Self::Drain => "drain",
        }
    }
}

/// A clone counts into the same ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct RouteNumbers {
    pub(crate) tries: Family<TryLabels, Counter>,
    pub(crate) fallbacks: Family<RouteLabels, Counter>,
    pub(crate) breaker: Family<BreakerLabels, Gauge>,
    pub(crate) shed: Family<RouteShedLabels, Counter>,
}

impl RouteNumbers {
    /// Counts a try of a route.
    pub(crate) fn tried(&self, route: &Arc<str>, provider: &Arc<str>, outcome: &'static str) {
        self.count_try(route, provider, outcome, 0);
    }

    /// Counts a copy of a call of a route.
    pub(crate) fn mirrored(&self, route: &Arc<str>, call: &Call, ended: &Outcome) {
        let Some(target) = &call.target else { return };
        let error = match ended {
            Outcome::Answered => None,
            Outcome::Failed(error) => Some(error),
        };
        self.count_try(route, &target.provider.name, outcome(error), 1);
    }

    fn count_try(&self, route: &Arc<str>, provider: &Arc<str>, outcome: &'static str, mirror: u32) {
        let (route, provider) = (Word(Arc::clone(route)), Word(Arc::clone(provider)));
        self.tries.get_or_create(&TryLabels { route, provider, outcome, mirror }).inc();
    }

    pub(crate) fn fell_back(&self, route: &Arc<str>) {
        self.fallbacks.get_or_create(&RouteLabels { route: Word(Arc::clone(route)) }).inc();
    }

    pub(crate) fn breaker(&self, route: &Arc<str>, target: &str, is_open: bool) {
        let labels = BreakerLabels { route: Word(Arc::clone(route)), target: target.to_owned() };
        self.breaker.get_or_create(&labels).set(i64::from(is_open));
    }

    /// The target is gone, and so is its breaker.
    pub(crate) fn forget(&self, route: &Arc<str>, target: &str) {
        self.breaker.remove(&BreakerLabels { route: Word(Arc::clone(route)), target: target.to_owned() });
    }

    pub(crate) fn count_shed(&self, route: &Arc<str>, what: RouteShed) {
        let labels = RouteShedLabels { route: Word(Arc::clone(route)), reason: what.as_str() };
        self.shed.get_or_create(&labels).inc();
    }
}
