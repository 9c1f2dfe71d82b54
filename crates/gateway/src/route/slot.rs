//! A call's place at a target: counted as in flight until it is dropped, and the way by which the target's health hears
//! of how it went.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use signalbox_types::ErrorClass;
use signalbox_types::seam::Clock;

use super::Route;
use super::health::BreakerState;
use super::retry::retry_after;
use super::room::Place;
use super::target::RouteTarget;
use crate::GatewayMetrics;
use crate::call::{CallError, Outcome, Retry, Source};

pub(crate) struct Slot {
    route: Arc<Route>,
    target: Arc<RouteTarget>,
    /// Its place in the route's list.
    pub(super) place: usize,
    clock: Arc<dyn Clock>,
    metrics: GatewayMetrics,
    /// It tries a target whose breaker is open.
    probing: bool,
    _inside: Option<Place>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot")
            .field("target", &self.target.name)
            .field("probing", &self.probing)
            .finish_non_exhaustive()
    }
}

impl Slot {
    /// `None` if the target's breaker lets no call through just now.
    pub(super) fn enter(
        route: &Arc<Route>,
        place: usize,
        inside: Option<Place>,
        clock: &Arc<dyn Clock>,
        metrics: &GatewayMetrics,
    ) -> Option<Self> {
        let target = route.targets.get(place)?;
        let probing = target.live.health.enter(clock.elapsed())?;
        target.live.in_flight.fetch_add(1, Ordering::Relaxed);
        Some(Self {
            route: Arc::clone(route),
            target: Arc::clone(target),
            place,
            clock: Arc::clone(clock),
            metrics: metrics.clone(),
            probing,
            _inside: inside,
        })
    }

    pub(super) fn target(&self) -> &RouteTarget {
        &self.target
    }

    /// The target answers. That is enough to be taken for healthy; whether the answer comes to its end is heard later.
    pub(super) fn answering(&mut self, took: Duration, stream: bool) {
        self.probing = false;
        self.target.live.health.answering(took, stream, self.clock.elapsed());
        self.show();
    }

    /// The try failed.
    pub(super) fn failed(&mut self, error: &CallError) {
        let now = self.clock.elapsed();
        match (error.source, error.class) {
            (Source::Upstream, ErrorClass::RateLimited) => {
                let asked = retry_after(&error.detail.headers, self.clock.now());
                self.target.live.health.slow_down(asked, now);
            }
            (Source::Upstream, class) => {
                self.target.live.failed.fetch_add(1, Ordering::Relaxed);
                if self.target.live.health.failed(class, &self.route.config.breaker, now) {
                    let (route, target) = (&self.route.name, &self.target.name);
                    tracing::warn!(
                        route = %route, target_name = %target, error.type = %class,
                        "target `{target}` of route `{route}` is left alone after failures"
                    );
                }
                if class == ErrorClass::UpstreamOverloaded
                    && let Some(asked) = retry_after(&error.detail.headers, self.clock.now())
                {
                    self.target.live.health.slow_down(Some(asked), now);
                }
            }
            // It answered; the call was wrong. What its dialect can't say was never sent.
            (Source::Caller, _) if error.retry != Retry::Elsewhere => self.succeeded(),
            _ => return,
        }
        self.probing = false;
        self.show();
    }

    /// The call whose answer the target began has ended.
    pub(crate) fn ended(mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Failed(error) if error.source == Source::Upstream => self.failed(error),
            Outcome::Answered | Outcome::Failed(_) => self.succeeded(),
        }
    }

    fn succeeded(&self) {
        self.target.live.answered.fetch_add(1, Ordering::Relaxed);
        self.target.live.health.succeeded();
    }

    fn show(&self) {
        let state = self.target.live.health.read(self.clock.elapsed()).state;
        self.metrics.routes().breaker(&self.route.name, &self.target.name, state == BreakerState::Open);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.probing {
            self.target.live.health.probe_ended();
        }
        self.target.live.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
