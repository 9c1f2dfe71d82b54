//! Which targets may get a call, and in which order the strategy wants them asked.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::header::{HeaderValue, RETRY_AFTER};
use signalbox_types::{ErrorClass, Money, Usage};

use super::config::{StickyBy, StrategyName};
use super::expression::Variables;
use super::health::{BreakerState, Reading};
use super::needs::Said;
use super::strategies::{Facts, TargetState, assigned};
use super::target::RouteTarget;
use super::{Route, Trail};
use crate::Gateway;
use crate::call::{Call, CallError, Input};

/// Bytes of a request body for a token, about: English text has four, its JSON a little more.
pub(crate) const BYTES_PER_TOKEN: u64 = 4;
/// Of its share, a target that is back gets at least so much: who gets nothing can't show that it is well.
const LEAST_PART: f64 = 0.1;
/// So long an answer is assumed where the caller sets no limit, to compare prices.
const USUAL_OUTPUT_TOKENS: u64 = 500;

/// What is less alike than this is like none.
const MIN_SIMILARITY: f64 = 0.15;

/// The places of the targets to be asked, best first; never empty. Who is left out, and why, goes into the trail.
///
/// # Errors
/// No target takes the call, or all that would are left alone for a while.
pub(super) fn choose(
    call: &Call,
    said: Said,
    gateway: &Gateway,
    route: &Route,
    trail: &mut Trail,
) -> Result<Vec<usize>, CallError> {
    let asked = Asked::of(call, said, route);
    let now = gateway.clock.elapsed();
    let mut able = Able::default();
    let detour = call.routed.as_ref().and_then(|routed| routed.detour.as_deref());
    for (place, target) in route.targets.iter().enumerate() {
        if let Some(detour) = detour.filter(|detour| !detour.asks(&target.name)) {
            trail.leave(&target.name, format!("only {} is asked: {}", detour.targets.join(", "), detour.why));
            continue;
        }
        match asked.refused(call, target) {
            Some((why, too_long)) => {
                able.too_long |= too_long;
                trail.leave(&target.name, why);
            }
            None => able.sort_in(place, target, now, trail),
        }
    }
    let places = able.places(route, trail)?;
    let states: Vec<_> = places.iter().filter_map(|place| Some((*place, route.targets.get(*place)?))).collect();
    let states: Vec<_> =
        states.into_iter().map(|(place, target)| asked.state(place, target, gateway, route, now)).collect();
    let facts = Facts {
        session: asked.session(),
        unit: asked.unit(call, route),
        draw: fastrand::u64(..),
        turn: route.turn.fetch_add(1, Ordering::Relaxed),
        route: &route.name,
        complexity: asked.said.complexity.as_ref().map(|found| (found.score, found.why.as_str())),
        min_similarity: route.config.min_similarity.unwrap_or(MIN_SIMILARITY),
    };
    if let Some(arm) = assigned(&facts, route.arms.iter().map(|arm| (&*arm.name, arm.weight))) {
        trail.arm = route.arm(arm);
    }
    let picks = route.strategy.order(&facts, &states);
    trail.reason = picks.reason;
    let mut order: Vec<_> = picks.order.into_iter().filter_map(|at| places.get(at).copied()).collect();
    // Who has no room is asked last: to wait is worse than to go to the next one.
    order.sort_by_key(|place| !route.targets.get(*place).is_some_and(|target| target.has_room()));
    trail.order.clone_from(&order);
    Ok(order)
}

/// What the choice needs to know of a call.
struct Asked {
    /// Of the input, estimated.
    tokens: u64,
    max_tokens: Option<u64>,
    stream: bool,
    said: Said,
    /// Made only where somebody looks at it.
    variables: Option<Variables>,
}

impl Asked {
    fn of(call: &Call, said: Said, route: &Route) -> Self {
        let peek = call.peek.as_ref();
        let max_tokens = peek.and_then(|peek| peek.max_tokens);
        let mut asked = Self { tokens: input_tokens(call), max_tokens, stream: call.stream(), said, variables: None };
        let curious = matches!(route.config.strategy, StrategyName::Sticky | StrategyName::Experiment)
            || route.targets.iter().any(|one| one.when.is_some());
        if let Some(peek) = peek.filter(|_| curious) {
            let labels = call.labels();
            let in_body = || peek.metadata.get("session_id").and_then(|id| id.as_str()).map(str::to_owned);
            asked.variables = Some(Variables {
                model: peek.model.clone(),
                tokens: asked.tokens,
                max_tokens: max_tokens.unwrap_or(0),
                stream: asked.stream,
                user: labels.user_id.or_else(|| peek.user.clone()).unwrap_or_default(),
                session: labels.session_id.or_else(in_body).unwrap_or_default(),
                key: call.principal.as_ref().map(|principal| principal.key_name.clone()).unwrap_or_default(),
                environment: labels.environment.unwrap_or_default(),
                tags: labels.tags,
                metadata: peek.metadata.clone(),
            });
        }
        asked
    }

    fn session(&self) -> Option<&str> {
        let variables = self.variables.as_ref()?;
        [&variables.session, &variables.user].into_iter().find(|one| !one.is_empty()).map(String::as_str)
    }

    /// Whom an experiment gives the same arm each time.
    fn unit<'a>(&'a self, call: &'a Call, route: &Route) -> Option<&'a str> {
        let variables = self.variables.as_ref()?;
        let unit = match route.config.experiment.as_ref()?.sticky_by {
            StickyBy::User => &variables.user,
            StickyBy::Session => &variables.session,
            StickyBy::Key => return call.principal.as_ref().map(|principal| principal.key_id.as_str()),
            StickyBy::Call => return None,
        };
        Some(unit.as_str()).filter(|unit| !unit.is_empty())
    }

    /// Why a target doesn't take the call, and whether that is its length.
    fn refused(&self, call: &Call, target: &RouteTarget) -> Option<(String, bool)> {
        let found = match &target.target {
            Ok(found) => found,
            Err(why) => return Some((why.clone(), false)),
        };
        if let Some(why) = call.endpoint.unanswerable_by(&found.provider) {
            return Some((why, false));
        }
        if let (Some(when), Some(variables)) = (&target.when, &self.variables)
            && !when.holds(variables)
        {
            return Some(("its `when` is not true of the call".to_owned(), false));
        }
        if let Some(lacking) = self.said.needs.iter().find(|need| target.lacks.contains(need)) {
            return Some((format!("the call needs `{}`, which it lacks", lacking.as_str()), false));
        }
        let wanted = self.tokens.saturating_add(self.max_tokens.unwrap_or(0));
        let most = target.context_tokens.filter(|most| wanted > *most)?;
        Some((format!("the call takes about {wanted} tokens, more than its {most}"), true))
    }

    fn state<'a>(
        &self,
        place: usize,
        target: &'a RouteTarget,
        gateway: &Gateway,
        route: &Route,
        now: Duration,
    ) -> TargetState<'a> {
        let reading = target.live.health.read(now);
        let cost = match (route.config.strategy, &target.target) {
            (StrategyName::Cheapest, Ok(found)) => {
                let usage = Usage {
                    input_tokens: Some(self.tokens),
                    output_tokens: Some(self.max_tokens.unwrap_or(USUAL_OUTPUT_TOKENS).min(USUAL_OUTPUT_TOKENS)),
                    ..Usage::default()
                };
                gateway.settler.cost(found, &usage).map(|cost| cost.total)
            }
            _ => None::<Money>,
        };
        TargetState {
            name: &target.name,
            weight: weight_now(route, target, &reading),
            in_flight: target.live.in_flight.load(Ordering::Relaxed),
            latency_ms: if self.stream { reading.first_content_ms } else { reading.whole_ms },
            cost,
            complexity_up_to: target.complexity_up_to,
            similarity: self.said.similarities.get(place).copied().filter(|_| target.has_examples),
            arm: target.arm.as_ref().map(|(name, weight)| (&**name, *weight)),
        }
    }
}

/// The share of a target. One that is back after failures gets more and more of it over the route's `slow_start`.
pub(super) fn weight_now(route: &Route, target: &RouteTarget, reading: &Reading) -> f64 {
    let (Some(back), Some(whole)) = (reading.back_for, route.config.breaker.slow_start) else { return target.weight };
    let part = back.as_secs_f64() / whole.0.as_secs_f64();
    target.weight * part.clamp(LEAST_PART, 1.0)
}

/// Tokens that went in, estimated.
pub(crate) fn input_tokens(call: &Call) -> u64 {
    match &call.input {
        Input::Nothing => 0,
        Input::Raw(body) => body.len() as u64 / BYTES_PER_TOKEN,
        Input::Decoded(_) => call.held.bytes() as u64 / BYTES_PER_TOKEN,
    }
}

/// The targets that take a call, by how they are.
#[derive(Default)]
struct Able {
    healthy: Vec<usize>,
    /// Only if there is nobody else; and why.
    last_resort: Vec<(usize, String)>,
    /// How long until the first of the others may be asked again, and whether it asked for that itself.
    soonest: Option<(Duration, bool)>,
    too_long: bool,
}

impl Able {
    fn sort_in(&mut self, place: usize, target: &RouteTarget, now: Duration, trail: &mut Trail) {
        let reading = target.live.health.read(now);
        let seconds = reading.wait.as_secs_f64();
        let why = match reading.state {
            BreakerState::Closed | BreakerState::Probing => {
                // Asked all the same if there is nobody else: what a probe asks for is not what a call does.
                return match target.unwell() {
                    Some(why) => self.last_resort.push((place, why)),
                    None => self.healthy.push(place),
                };
            }
            BreakerState::Open if reading.last_resort => {
                let why = "its calls failed too often of late".to_owned();
                return self.last_resort.push((place, why));
            }
            BreakerState::Open if seconds > 0.0 => format!("left alone for {seconds:.1} s more after failures"),
            BreakerState::Open => "another call is trying whether it is back".to_owned(),
            BreakerState::Resting => format!("it asked to slow down for {seconds:.1} s more"),
        };
        trail.leave(&target.name, why);
        let resting = reading.state == BreakerState::Resting;
        if self.soonest.is_none_or(|(soonest, _)| reading.wait < soonest) {
            self.soonest = Some((reading.wait, resting));
        }
    }

    fn places(self, route: &Route, trail: &mut Trail) -> Result<Vec<usize>, CallError> {
        if !self.healthy.is_empty() {
            for (place, why) in self.last_resort {
                if let Some(target) = route.targets.get(place) {
                    trail.leave(&target.name, why);
                }
            }
            return Ok(self.healthy);
        }
        if !self.last_resort.is_empty() {
            return Ok(self.last_resort.into_iter().map(|(place, _)| place).collect());
        }
        let route = &route.name;
        let whys: Vec<_> = trail.left.iter().map(|left| format!("{}: {}", left.target, left.why)).collect();
        let message = format!("no target of route `{route}` takes this call now ({})", whys.join("; "));
        let Some((wait, resting)) = self.soonest else {
            let mut error = CallError::caller(ErrorClass::InvalidRequest, message);
            error.detail.param = Some("model".to_owned());
            error.detail.code = self.too_long.then(|| "context_length_exceeded".to_owned());
            return Err(error);
        };
        let class = if resting { ErrorClass::RateLimited } else { ErrorClass::UpstreamOverloaded };
        let seconds = HeaderValue::from(wait.as_secs_f64().ceil().max(1.0) as u64);
        Err(CallError::upstream(class, message).header(RETRY_AFTER, seconds))
    }
}
