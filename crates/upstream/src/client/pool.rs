//! Idle connections to one provider, the latest used first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::connection::Connection;

/// Shorter than what load balancers allow (60 s), so that we are rarely the one who finds a closed door.
const MAX_IDLE_TIME: Duration = Duration::from_secs(50);
/// So that a change of the provider's addresses is followed.
const MAX_AGE: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(crate) struct Pool {
    idle: Mutex<VecDeque<Idle>>,
    max_idle: usize,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

impl Idle {
    fn is_usable(&self, now: Instant) -> bool {
        self.connection.is_open()
            && now.duration_since(self.since) < MAX_IDLE_TIME
            && now.duration_since(self.connection.opened()) < MAX_AGE
    }
}

impl Pool {
    pub(crate) fn new(max_idle: usize) -> Self {
        Self { idle: Mutex::default(), max_idle }
    }

    /// How many connections wait for calls.
    pub(crate) fn waiting(&self) -> usize {
        let now = Instant::now();
        self.idle.lock().iter().filter(|candidate| candidate.is_usable(now)).count()
    }

    /// The connection that was used last, if it is not too old.
    pub(crate) fn take(&self) -> Option<Connection> {
        let now = Instant::now();
        let mut idle = self.idle.lock();
        while let Some(candidate) = idle.pop_back() {
            if candidate.is_usable(now) {
                return Some(candidate.connection);
            }
        }
        None
    }

    /// Keeps a connection whose answer was read to the end. The longest idle ones give way.
    pub(crate) fn put(self: &Arc<Self>, connection: Connection) {
        let now = Instant::now();
        let candidate = Idle { connection, since: now };
        if self.max_idle == 0 || !candidate.is_usable(now) {
            return;
        }
        let mut idle = self.idle.lock();
        while idle.front().is_some_and(|oldest| idle.len() >= self.max_idle || !oldest.is_usable(now)) {
            idle.pop_front();
        }
        let was_empty = idle.is_empty();
        idle.push_back(candidate);
        drop(idle);
        if was_empty {
            self.sweep_later();
        }
    }

    /// Nobody looks after an idle connection, not even when the other side has closed it: what has
    /// been idle too long is closed here, also when no call comes any more.
    fn sweep_later(self: &Arc<Self>) {
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(MAX_IDLE_TIME).await;
                let Some(pool) = pool.upgrade() else { return };
                let now = Instant::now();
                let mut idle = pool.idle.lock();
                idle.retain(|candidate| candidate.is_usable(now));
                if idle.is_empty() {
                    return;
                }
            }
        });
    }
}
