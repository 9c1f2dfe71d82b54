//! A target of a route: who it is, which calls it takes, and how it is doing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use signalbox_upstream::{Target, Upstream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::config::TargetConfig;
use super::expression::Expression;
use super::health::Health;
use super::needs::Ability;

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
    pub(super) room: Option<Room>,
    pub(super) in_flight: AtomicUsize,
    pub(super) health: Health,
    pub(super) answered: AtomicU64,
    pub(super) failed: AtomicU64,
}

impl RouteTarget {
    /// The configuration is sound: an expression that can't be read was refused.
    pub(super) fn new(config: &TargetConfig, upstream: &Upstream) -> Self {
        let name = format!("{}/{}", config.provider, config.model);
        let target = upstream.resolve(&name).map_err(|error| {
            let off = upstream.providers().into_iter().find(|provider| provider.name == config.provider);
            off.map_or_else(|| error.to_string(), |off| format!("provider `{}` is off: {}", off.name, off.why))
        });
        if let Err(why) = &target {
            tracing::warn!(target_name = %name, "target `{name}` gets no calls: {why}");
        }
        Self {
            name,
            target,
            weight: config.weight.unwrap_or(1.0),
            when: config.when.as_deref().and_then(|text| Expression::compile(text).ok()),
            context_tokens: config.context_tokens,
            lacks: config.lacks.clone(),
            room: config.max_concurrency.map(|most| Room::new(most, config.max_queue.unwrap_or(MOST_WAITING))),
            in_flight: AtomicUsize::new(0),
            health: Health::default(),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.room.as_ref().is_none_or(|room| room.permits.available_permits() > 0)
    }
}

/// How many calls a target gets at once, and the line of those that wait for it: first come, first served.
#[derive(Debug)]
pub(super) struct Room {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// Too many wait already.
    LineFull,
    /// It took too long.
    TooSlow,
}

impl Room {
    fn new(most: usize, most_waiting: usize) -> Self {
        let permits = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { permits, waiting: AtomicUsize::new(0), most_waiting }
    }

    pub(super) fn try_take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }

    pub(super) async fn take(&self, longest: Duration) -> Result<OwnedSemaphorePermit, NoRoom> {
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.most_waiting {
            return Err(NoRoom::LineFull);
        }
        let permit = tokio::time::timeout(longest, Arc::clone(&self.permits).acquire_owned()).await;
        drop(waiting);
        permit.ok().and_then(Result::ok).ok_or(NoRoom::TooSlow)
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// Leaves the line, also when its caller hangs up.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
