//! A target of a route: who it is, which calls it takes, and how it is doing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use signalbox_upstream::{Target, TargetProbe, Upstream};

use super::config::TargetConfig;
use super::experiment::Arm;
use super::expression::Expression;
use super::health::Health;
use super::needs::Ability;
use super::room::Room;

/// So many calls wait in a target's line, unless it says.
const MOST_WAITING: usize = 100;

#[derive(Debug)]
pub(super) struct RouteTarget {
    /// `provider/model`.
    pub(super) name: String,
    /// Where its calls go, or why they can't.
    pub(super) target: Result<Target, String>,
    pub(super) weight: f64,
    pub(super) when: Option<Expression>,
    pub(super) context_tokens: Option<u64>,
    pub(super) lacks: Vec<Ability>,
    /// How hard a call may look for it.
    pub(super) complexity_up_to: Option<f64>,
    pub(super) has_examples: bool,
    /// Its arm of an experiment, and that arm's share.
    pub(super) arm: Option<(Arc<str>, f64)>,
    pub(super) room: Option<Arc<Room>>,
    /// Asks its model whether it answers.
    pub(super) probe: Option<Arc<TargetProbe>>,
    pub(super) live: Arc<Live>,
}

/// How a target is doing. Outlives a configuration if the next one has the same target.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) in_flight: AtomicUsize,
    pub(super) health: Health,
    pub(super) answered: AtomicU64,
    pub(super) failed: AtomicU64,
}

impl RouteTarget {
    /// The configuration is sound: an expression that can't be read was refused. `before` is the same target of the
    /// configuration before; how that one is doing says nothing if its provider has other settings now.
    pub(super) fn new(config: &TargetConfig, upstream: &Upstream, arms: &[Arm], before: Option<&Self>) -> Self {
        let name = format!("{}/{}", config.provider, config.model);
        let target = upstream.resolve(&name).map_err(|error| {
            let off = upstream.providers().into_iter().find(|provider| provider.name == config.provider);
            off.map_or_else(|| error.to_string(), |off| format!("provider `{}` is off: {}", off.name, off.why))
        });
        if let Err(why) = &target {
            tracing::warn!(target_name = %name, "target `{name}` gets no calls: {why}");
        }
        let provider =
            |target: &Result<Target, String>| target.as_ref().ok().map(|target| Arc::clone(&target.provider));
        let before = before.filter(|before| match (provider(&before.target), provider(&target)) {
            (Some(before), Some(now)) => Arc::ptr_eq(&before, &now),
            _ => false,
        });
        let room = config.max_concurrency.map(|most| {
            let most_waiting = config.max_queue.unwrap_or(MOST_WAITING);
            match before.and_then(|before| before.room.as_ref()) {
                None => Arc::new(Room::new(most, most_waiting)),
                Some(room) => {
                    room.resize(most, most_waiting);
                    Arc::clone(room)
                }
            }
        });
        let probe = config.probe.zip(target.as_ref().ok()).map(|(config, target)| {
            let same = before.and_then(|before| before.probe.as_ref()).filter(|before| before.is_of(config));
            same.map_or_else(|| Arc::new(TargetProbe::new(config, target)), Arc::clone)
        });
        Self {
            name,
            room,
            probe,
            live: before.map(|before| Arc::clone(&before.live)).unwrap_or_default(),
            target,
            weight: config.weight.unwrap_or(1.0),
            when: config.when.as_deref().and_then(|text| Expression::compile(text).ok()),
            context_tokens: config.context_tokens,
            lacks: config.lacks.clone(),
            complexity_up_to: config.complexity_up_to,
            has_examples: !config.examples.is_empty(),
            arm: arms.iter().find(|arm| Some(&*arm.name) == config.arm.as_deref()).map(Arm::share),
        }
    }

    /// Why it is only asked if nobody else can be. What its own model answers says more than what its provider does.
    pub(super) fn unwell(&self) -> Option<String> {
        match self.probe.as_ref().filter(|probe| probe.status().is_some()) {
            Some(probe) => probe.unwell(),
            None => self.target.as_ref().ok()?.provider.unwell(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.room.as_ref().is_none_or(|room| room.has_place())
    }
}
