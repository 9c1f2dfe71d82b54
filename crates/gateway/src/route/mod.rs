//! Routes: a name for several targets, and how calls get through although some of them fail. The stage `send` gives a
//! call of a route to [`attempts`]; everything else here serves it.

pub(crate) mod attempts;
mod blocked;
mod check;
mod choose;
mod complexity;
mod config;
mod detour;
pub(crate) mod drain;
mod experiment;
mod expression;
mod health;
mod hedge;
pub(crate) mod mirror;
mod needs;
mod numbers;
mod retry;
mod room;
mod similar;
mod slot;
mod status;
mod strategies;
mod target;
mod trail;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderMap;
use signalbox_types::seam::Clock;
use signalbox_upstream::{ModelEntry, Problem, Target, Upstream, nearest};
use tokio::time::Instant;

pub use config::{
    ArmConfig, BreakerConfig, ExperimentConfig, FallbackOn, HedgeConfig, MirrorConfig, OnDisconnect, RetryConfig,
    RouteConfig, RouteTimeouts, StickyBy, StrategyName, TargetConfig,
};
pub use detour::Detour;
pub use experiment::ArmStatus;
pub use health::BreakerState;
pub use needs::Ability;
pub use status::{RouteStatus, TargetStatus};

use crate::call::Outcome;
use crate::until::Until;
pub(crate) use blocked::Blocked;
pub(crate) use choose::{BYTES_PER_TOKEN, input_tokens};
use detour::Detours;
use experiment::Arm;
pub(crate) use numbers::RouteNumbers;
use retry::Budget;
use similar::Examples;
pub(crate) use slot::Slot;
use strategies::Strategy;
use target::RouteTarget;
pub(crate) use trail::Trail;

/// How long an answer that nobody waits for is read, unless the route says.
const DRAIN_TIME: Duration = Duration::from_secs(60);
/// So many routes are named to who asks for one that there isn't.
const MOST_NAMED: usize = 5;

/// All routes of the configuration.
#[derive(Debug, Default)]
pub struct Routes {
    /// In the order of the configuration.
    all: Vec<Arc<Route>>,
    by_name: HashMap<Box<str>, Arc<Route>>,
    detours: Arc<Detours>,
}

/// One route, and how its targets are doing.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) name: Arc<str>,
    config: RouteConfig,
    strategy: &'static dyn Strategy,
    targets: Vec<Arc<RouteTarget>>,
    /// Of an experiment.
    arms: Vec<Arm>,
    /// What questions are compared with, where the strategy does.
    examples: Option<Examples>,
    /// Where copies go; none also if that provider is off.
    mirror: Option<Target>,
    budget: Arc<Budget>,
    /// Calls so far.
    turn: Arc<AtomicU64>,
}

impl Routes {
    /// Finds the targets of a configuration. One whose provider is off, for want of its key, is kept and left out when
    /// calls come.
    ///
    /// # Errors
    /// Everything that is wrong in it, each with its path.
    pub fn compile(routes: &[RouteConfig], upstream: &Upstream) -> Result<Self, Vec<Problem>> {
        Self::compile_after(&Self::default(), routes, upstream)
    }

    /// The same, where targets that were there before keep their health, and the lines before them.
    pub(crate) fn compile_after(
        before: &Self,
        routes: &[RouteConfig],
        upstream: &Upstream,
    ) -> Result<Self, Vec<Problem>> {
        let problems = Self::problems(routes, upstream);
        if !problems.is_empty() {
            return Err(problems);
        }
        let route = |config: &RouteConfig| {
            let before = before.by_name.get(config.name.as_str()).map(|route| &**route);
            Arc::new(Route::new(config, upstream, before))
        };
        let all: Vec<_> = routes.iter().map(route).collect();
        let by_name = all.iter().map(|route| ((&*route.name).into(), Arc::clone(route))).collect();
        Ok(Self { all, by_name, detours: Arc::clone(&before.detours) })
    }

    /// Everything that keeps a configuration from being used, each with its path. `upstream` may lack keys.
    #[must_use]
    pub fn problems(routes: &[RouteConfig], upstream: &Upstream) -> Vec<Problem> {
        check::problems(routes, upstream)
    }

    /// The route that a caller means by the model's name.
    pub(crate) fn find(&self, model: &str) -> Option<&Arc<Route>> {
        // So that nobody pays for what nobody uses.
        if self.all.is_empty() { None } else { self.by_name.get(model) }
    }

    /// Begins to ask those targets whether they are well that are configured so. Within a runtime.
    pub(crate) fn keep_asking(&self, clock: &Arc<dyn Clock>) {
        for target in self.all.iter().flat_map(|route| &route.targets) {
            if let Some(probe) = &target.probe {
                probe.keep(clock);
            }
        }
    }

    /// A target that is gone, or is another one now, has no breaker that could be open.
    pub(crate) fn forget_breakers(&self, next: &Self, numbers: &RouteNumbers) {
        let kept: Vec<_> = next.all.iter().flat_map(|route| &route.targets).collect();
        for route in &self.all {
            let is_kept = |target: &RouteTarget| kept.iter().any(|kept| Arc::ptr_eq(&kept.live, &target.live));
            for target in route.targets.iter().filter(|target| !is_kept(target)) {
                numbers.forget(&route.name, &target.name);
            }
        }
    }

    /// As `/v1/models` lists them.
    pub(crate) fn models(&self) -> impl Iterator<Item = ModelEntry> + '_ {
        self.all.iter().map(|route| ModelEntry {
            id: route.name.to_string(),
            provider: "signalbox".to_owned(),
            model: route.name.to_string(),
        })
    }

    /// Which routes there are, for who asked for a model that there isn't: the one that may be meant first.
    pub(crate) fn hint(&self, model: &str) -> Option<String> {
        let names = || self.all.iter().map(|route| &*route.name);
        let near = nearest(model, names());
        let rest: Vec<String> = names().filter(|name| Some(*name) != near).map(|name| format!("`{name}`")).collect();
        let meant = near.map(|name| format!("Did you mean the route `{name}`?"));
        let (shown, more) = rest.split_at(rest.len().min(MOST_NAMED));
        let others = (!shown.is_empty()).then(|| {
            let word = if near.is_some() { "Other routes" } else { "Routes" };
            let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
            format!("{word}: {}{more}.", shown.join(", "))
        });
        let said: Vec<String> = meant.into_iter().chain(others).collect();
        (!said.is_empty()).then(|| said.join(" "))
    }

    /// The targets of a route whose providers are on.
    pub(crate) fn targets(&self, name: &str) -> impl Iterator<Item = &Target> {
        let route = self.by_name.get(name);
        route.into_iter().flat_map(|route| &route.targets).filter_map(|target| target.target.as_ref().ok())
    }

    /// How they are doing, in the order of the configuration.
    #[must_use]
    pub fn status(&self, now: Duration) -> Vec<RouteStatus> {
        let status = |route: &Arc<Route>| {
            let detour = self.detours.of(route);
            let problem = detour.as_ref().and_then(|detour| self.detour_problem(detour));
            RouteStatus { detour: detour.map(|one| (*one).clone()), detour_problem: problem, ..route.status(now) }
        };
        self.all.iter().map(status).collect()
    }
}

impl Route {
    fn new(config: &RouteConfig, upstream: &Upstream, before: Option<&Self>) -> Self {
        let mirror = config.mirror.as_ref().and_then(|mirror| {
            let found = upstream.resolve(&format!("{}/{}", mirror.provider, mirror.model));
            if let Err(error) = &found {
                tracing::warn!(route = %config.name, "the mirror of route `{}` gets no calls: {error}", config.name);
            }
            found.ok()
        });
        let arms = Arm::all(config.experiment.as_ref(), before);
        let compares = config.strategy == StrategyName::Semantic;
        let examples = compares.then(|| Examples::of(config.targets.iter().map(|target| target.examples.as_slice())));
        let target = |target: &TargetConfig| {
            let same = |before: &TargetConfig| {
                let key =
                    |one: &TargetConfig| (one.provider.clone(), one.model.clone(), one.when.clone(), one.arm.clone());
                key(before) == key(target)
            };
            let before = before.and_then(|before| {
                let place = before.config.targets.iter().position(same)?;
                before.targets.get(place).map(|target| &**target)
            });
            Arc::new(RouteTarget::new(target, upstream, &arms, before))
        };
        let share = config.retry.budget;
        let budget =
            before.filter(|before| before.config.retry.budget == share).map(|before| Arc::clone(&before.budget));
        Self {
            name: config.name.as_str().into(),
            strategy: strategies::find(config.strategy),
            targets: config.targets.iter().map(target).collect(),
            arms,
            examples: examples.flatten(),
            mirror,
            budget: budget.unwrap_or_else(|| Arc::new(Budget::new(share))),
            turn: before.map(|before| Arc::clone(&before.turn)).unwrap_or_default(),
            config: config.clone(),
        }
    }

    /// Answers are read to their end although their callers are gone.
    pub(crate) fn drains(&self) -> bool {
        self.config.on_disconnect == OnDisconnect::Drain
    }

    pub(crate) fn drain_time(&self) -> Duration {
        self.config.drain_time.map_or(DRAIN_TIME, |time| time.0)
    }

    /// Settings that a target has no word for are left out.
    pub(crate) fn is_lenient(&self) -> bool {
        self.config.lenient
    }

    /// Another target is asked where a policy blocks the answer of one.
    fn goes_on_if_blocked(&self) -> bool {
        self.config.fallback_on.contains(&FallbackOn::Guardrail)
    }

    pub(crate) fn strategy(&self) -> &'static str {
        self.strategy.name()
    }
}

/// A call on its way through a route.
#[derive(Debug)]
pub(crate) struct Routed {
    pub(crate) route: Arc<Route>,
    /// Why it is this route, or some of its targets alone, where somebody has said so.
    pub(crate) detour: Option<Arc<Detour>>,
    pub(crate) trail: Trail,
    /// Its place at the target that answers.
    pub(crate) slot: Option<Slot>,
    /// Until when it has to be over, by the route's `timeouts.total`.
    total: Option<(Duration, Instant)>,
    /// Until when there has to be an answer, by that or because the caller waits no longer.
    until: Option<Until>,
    /// Turns true when the caller hangs up, where somebody wants to know.
    pub(crate) caller_left: Option<drain::Left>,
    /// The caller was gone before the answer had ended, which was read all the same.
    pub(crate) drained: bool,
    /// The policies have looked at its answer.
    pub(crate) is_checked: bool,
    /// Where a policy blocked answers before the last one.
    pub(crate) blocked: Option<Box<Blocked>>,
}

impl Routed {
    pub(crate) fn new((route, detour): (Arc<Route>, Option<Arc<Detour>>), headers: &HeaderMap) -> Self {
        let by_route = route.config.timeouts.total.map(|limit| Until::of_route("total", limit.0));
        let total = route.config.timeouts.total.zip(by_route).map(|(limit, until)| (limit.0, until.at));
        // What is drained is read to its end without its caller, too.
        let by_caller = Until::of_caller(headers).filter(|_| !route.drains());
        let until = Until::earliest(by_route.into_iter().chain(by_caller));
        Self {
            route,
            detour,
            trail: Trail::default(),
            slot: None,
            total,
            until,
            caller_left: None,
            drained: false,
            is_checked: false,
            blocked: None,
        }
    }

    /// The call has ended.
    pub(crate) fn ended(&mut self, outcome: &Outcome) {
        let caller_left = self.caller_left.as_ref().is_some_and(|left| left.load(Ordering::Acquire));
        self.drained = caller_left && matches!(outcome, Outcome::Answered);
        if let Some(slot) = self.slot.take() {
            slot.ended(outcome);
        }
    }
}
