//! Asks the targets of a route in turn until one answers: again where a failure may be gone, elsewhere where it is not.
//! Retries, fallbacks, hedges and waiting in line live here and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use signalbox_types::ErrorClass;

use super::blocked;
use super::choose::choose;
use super::config::FallbackOn;
use super::needs::said;
use super::numbers::RouteShed;
use super::retry::Tries;
use super::room::NoRoom;
use super::trail::outcome;
use super::{Route, Slot, Trail, hedge};
use crate::Gateway;
use crate::call::{Call, CallError, Outcome, Reply, Retry, Source};
use crate::exchange::{Ask, Sent, exchange};
use crate::until::Until;

/// How long a call waits in line, unless the route says.
const QUEUE_TIME: Duration = Duration::from_secs(5);

/// # Errors
/// The failure of the last target that was asked; or no target could be.
pub(crate) async fn answer(call: &mut Call, gateway: &Gateway) -> Result<Reply, CallError> {
    let Some((route, total, until)) =
        call.routed.as_ref().map(|routed| (Arc::clone(&routed.route), routed.total, routed.until))
    else {
        return Err(CallError::us(ErrorClass::Internal, "the call has no route"));
    };
    route.budget.earn();
    let Some(until) = until else { return in_turn(call, gateway, &route).await };
    match tokio::time::timeout_at(until.at, in_turn(call, gateway, &route)).await {
        Ok(Ok(mut reply)) => {
            if let (Reply::Stream(incoming), Some((limit, at))) = (&mut reply, total) {
                incoming.body.end_by(limit, at);
            }
            Ok(reply)
        }
        Ok(Err(error)) => Err(error),
        Err(_) => {
            let now = gateway.clock.elapsed().saturating_sub(call.started_at);
            trail(call, |trail| trail.ran_out(now));
            Err(until.error(&format!("no target of route `{}` answered", route.name)))
        }
    }
}

async fn in_turn(call: &mut Call, gateway: &Gateway, route: &Arc<Route>) -> Result<Reply, CallError> {
    let said = said(call, route).await?;
    let mut considered = Trail::default();
    let chosen = choose(call, said, gateway, route, &mut considered);
    trail(call, |trail| *trail = considered);
    let places = chosen?;
    let mut failure = None;
    for (turn, &place) in places.iter().enumerate() {
        // A rival that failed was asked already.
        if call.routed.as_ref().is_some_and(|routed| routed.trail.asked.contains(&place)) {
            continue;
        }
        let elsewhere = places.get(turn + 1..).unwrap_or_default();
        let slot = match wait_for(call, gateway, route, place).await {
            Ok(slot) => slot,
            Err(error) => {
                failure.get_or_insert(error);
                continue;
            }
        };
        let because = if failure.is_some() { "fallback" } else { "" };
        if failure.is_some() {
            gateway.metrics().routes().fell_back(&route.name);
        }
        let error = match one_target(call, gateway, route, slot, because, elsewhere).await {
            Ok(reply) => return Ok(reply),
            Err(error) => error,
        };
        if !route.falls_back_on(&error) || is_late(call) {
            return Err(error);
        }
        failure = Some(error);
    }
    Err(failure.unwrap_or_else(|| CallError::us(ErrorClass::Internal, "the route had no target to ask")))
}

impl Route {
    fn falls_back_on(&self, error: &CallError) -> bool {
        // What one dialect can't say, another one may.
        if error.source == Source::Caller && error.retry == Retry::Elsewhere {
            return true;
        }
        let failure = FallbackOn::of(error);
        error.source != Source::Us && failure.is_some_and(|failure| self.config.fallback_on.contains(&failure))
    }
}

/// A place at a target, in its line if there must be one.
async fn wait_for(call: &mut Call, gateway: &Gateway, route: &Arc<Route>, place: usize) -> Result<Slot, CallError> {
    let Some(target) = route.targets.get(place) else {
        return Err(CallError::us(ErrorClass::Internal, "the route has no such target"));
    };
    let mut inside = None;
    if let Some(room) = &target.room {
        inside = room.try_take();
        if inside.is_none() {
            let longest = route.config.timeouts.queue.map_or(QUEUE_TIME, |time| time.0);
            let began = gateway.clock.elapsed();
            let key = call.principal.as_ref().map(|principal| principal.key_id.clone());
            let taken = room.take(key.as_ref(), longest).await;
            let waited = gateway.clock.elapsed().saturating_sub(began);
            trail(call, |trail| trail.queued += waited);
            let why = match taken {
                Ok(taken) => {
                    inside = Some(taken);
                    None
                }
                Err(NoRoom::LineFull) => {
                    gateway.metrics().routes().count_shed(&route.name, RouteShed::Line);
                    Some("its line is full")
                }
                Err(NoRoom::TooSlow) => Some("nobody left in time"),
            };
            if let Some(why) = why {
                trail(call, |trail| trail.leave(&target.name, format!("it has no room: {why}")));
                let message =
                    format!("target `{}` of route `{}` has no room: {why}; try again", target.name, route.name);
                return Err(CallError::overloaded(message));
            }
        }
    }
    Slot::enter(route, place, inside, &gateway.clock, gateway.metrics()).ok_or_else(|| {
        trail(call, |trail| trail.leave(&target.name, "another call is trying whether it is back"));
        let message = format!("target `{}` of route `{}` is left alone after failures", target.name, route.name);
        CallError::upstream(ErrorClass::UpstreamOverloaded, message)
    })
}

/// A place at a target, if it has one now.
fn enter_at_once(gateway: &Gateway, route: &Arc<Route>, place: usize) -> Option<Slot> {
    let inside = match &route.targets.get(place)?.room {
        None => None,
        Some(room) => Some(room.try_take()?),
    };
    Slot::enter(route, place, inside, &gateway.clock, gateway.metrics())
}

/// Asks one target, and again if that may help.
async fn one_target(
    call: &mut Call,
    gateway: &Gateway,
    route: &Arc<Route>,
    slot: Slot,
    because: &'static str,
    elsewhere: &[usize],
) -> Result<Reply, CallError> {
    let place = slot.place;
    let mut tries = Tries::new(&route.config.retry, route.goes_on_if_blocked());
    let mut next = Some((slot, because));
    let mut failure = None;
    while let Some((slot, because)) = next.take() {
        let error = match one_try(call, gateway, route, slot, because, elsewhere).await {
            Ok(reply) => return Ok(reply),
            Err(error) => error,
        };
        let until = call.routed.as_ref().and_then(|routed| routed.until);
        // A wait that leaves no time for another try is no use to anybody.
        let wait = tries.next(&error, gateway.clock.now(), !elsewhere.is_empty());
        let wait = wait.filter(|wait| until.is_none_or(|until| until.allows(*wait)));
        failure = Some(error);
        let Some(wait) = wait else { break };
        if !route.budget.try_spend() {
            trail(call, |trail| trail.budget_spent = true);
            break;
        }
        tokio::time::sleep(wait).await;
        // Meanwhile others may have found out that it is no use.
        next = enter_at_once(gateway, route, place).map(|slot| (slot, "retry"));
    }
    Err(failure.unwrap_or_else(|| CallError::us(ErrorClass::Internal, "the target was not asked")))
}

async fn one_try(
    call: &mut Call,
    gateway: &Gateway,
    route: &Arc<Route>,
    slot: Slot,
    because: &'static str,
    elsewhere: &[usize],
) -> Result<Reply, CallError> {
    let first = begin(call, gateway, route, slot, because)?;
    let Some(hedge) = &route.config.hedge else { return conclude(call, gateway, route, first.await).await };
    let second = || {
        let slot = elsewhere.iter().find_map(|place| enter_at_once(gateway, route, *place))?;
        if !route.budget.try_spend() {
            return None;
        }
        begin(call, gateway, route, slot, "hedge").ok()
    };
    let ended = hedge::race(first, hedge.after.0, second, |tried: &Tried| tried.result.is_ok()).await;
    if let Some(loser) = ended.failed {
        // Its failure is noted; the other one's counts.
        let _ = conclude(call, gateway, route, loser).await;
    }
    conclude(call, gateway, route, ended.last).await
}

/// Until when a try has to answer. It ends by itself at the end of the whole call, too, so that its target is blamed.
fn limit_of(call: &Call, route: &Route) -> Option<Until> {
    let one = route.config.timeouts.one_try.map(|time| Until::of_route("try", time.0));
    let all = call.routed.as_ref().and_then(|routed| routed.until);
    Until::earliest(one.into_iter().chain(all))
}

/// The time for the whole call is over.
fn is_late(call: &Call) -> bool {
    let until = call.routed.as_ref().and_then(|routed| routed.until);
    until.is_some_and(|until| !until.allows(Duration::ZERO))
}

/// A try that has ended.
struct Tried {
    slot: Slot,
    number: usize,
    took: Duration,
    result: Result<Sent, CallError>,
}

/// Begins a try. It goes on only while somebody waits for it.
fn begin<'a>(
    call: &mut Call,
    gateway: &'a Gateway,
    route: &Arc<Route>,
    slot: Slot,
    because: &'static str,
) -> Result<BoxFuture<'a, Tried>, CallError> {
    let target = slot.target().target.as_ref().map_err(|why| CallError::us(ErrorClass::Internal, why.clone()))?.clone();
    let ask = Ask::new(call, &target, gateway.config.max_answer_bytes)?.until_content();
    let began = gateway.clock.elapsed();
    let since_start = began.saturating_sub(call.started_at);
    blocked::forget(call);
    let mut number = 0;
    trail(call, |trail| {
        number = trail.begin(&slot.target().name, because, since_start);
        trail.asked.push(slot.place);
    });
    call.target = Some(target);
    let limit = limit_of(call, route);
    let name = slot.target().name.clone();
    Ok(Box::pin(async move {
        let asked = exchange(ask, &gateway.upstream, &*gateway.clock);
        let result = match limit {
            None => asked.await,
            Some(until) => tokio::time::timeout_at(until.at, asked)
                .await
                .unwrap_or_else(|_| Err(until.error(&format!("target `{name}` didn't answer")))),
        };
        Tried { slot, number, took: gateway.clock.elapsed().saturating_sub(began), result }
    }))
}

/// Notes how a try went, for the span, `/metrics` and the target's health; a good answer becomes the call's.
async fn conclude(call: &mut Call, gateway: &Gateway, route: &Route, tried: Tried) -> Result<Reply, CallError> {
    let Tried { mut slot, number, took, result } = tried;
    let answered = result.is_ok();
    let result = match result {
        Err(error) => Err(error),
        Ok(sent) => {
            slot.answering(took, call.stream());
            let arm = slot.target().arm.as_ref().map(|(name, _)| Arc::clone(name));
            trail(call, |trail| trail.arm_answered = arm);
            call.target = slot.target().target.as_ref().ok().cloned();
            let asked = call.asked_again();
            let reply = call.adopt(sent);
            let checked = blocked::check(call, gateway, route, reply).await;
            if checked.is_err() {
                // The next one is asked what the caller asked, not what this one was.
                call.input = asked;
            }
            checked
        }
    };
    let error = result.as_ref().err();
    trail(call, |trail| trail.end(number, took, error));
    if let Ok(target) = &slot.target().target {
        gateway.metrics().routes().tried(&route.name, &target.provider.name, outcome(error));
    }
    match (&result, &mut call.routed) {
        (Ok(_), Some(routed)) => routed.slot = Some(slot),
        // That it is blocked is no fault of the target's, unless it can't be read.
        (Err(error), _) if answered && error.source == Source::Caller => slot.ended(&Outcome::Answered),
        (Err(error), _) => slot.failed(error),
        (Ok(_), None) => {}
    }
    result
}

fn trail(call: &mut Call, note: impl FnOnce(&mut Trail)) {
    if let Some(routed) = &mut call.routed {
        note(&mut routed.trail);
    }
}
