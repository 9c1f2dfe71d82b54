//! Idle connections to one provider, the latest used first.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use parking_lot::Mutex;
use tokio::time::Instant;

/// Shorter than what load balancers allow (60 s), so that we are rarely the one who finds a closed door.
const MAX_IDLE_TIME: Duration = Duration::from_secs(50);
/// So that a change of the provider's addresses is followed.
const MAX_AGE: Duration = Duration::from_secs(600);

/// A connection on which one call at a time can be made. Dropping it closes it, a call in flight included.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    opened: Instant,
}

impl Connection {
    pub(crate) fn new(sender: SendRequest<Full<Bytes>>) -> Self {
        Self { sender, opened: Instant::now() }
    }
}

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
        !self.connection.sender.is_closed()
            && now.duration_since(self.since) < MAX_IDLE_TIME
            && now.duration_since(self.connection.opened) < MAX_AGE
    }
}

impl Pool {
    pub(crate) fn new(max_idle: usize) -> Self {
        Self { idle: Mutex::default(), max_idle }
    }

    /// The connection that was used last, if it still looks alive.
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
    pub(crate) fn put(&self, connection: Connection) {
        let now = Instant::now();
        let candidate = Idle { connection, since: now };
        if !candidate.is_usable(now) {
            return;
        }
        let mut idle = self.idle.lock();
        while idle.front().is_some_and(|oldest| idle.len() >= self.max_idle || !oldest.is_usable(now)) {
            idle.pop_front();
        }
        if self.max_idle > 0 {
            idle.push_back(candidate);
        }
    }
}
