//! Idle connections to one provider, the latest used first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// A task looks after them. Changed with `idle` locked.
    is_swept: AtomicBool,
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
        Self { idle: Mutex::default(), max_idle, is_swept: AtomicBool::new(false) }
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
        idle.push_back(candidate);
        let was_swept = self.is_swept.swap(true, Ordering::Relaxed);
        drop(idle);
        if !was_swept {
            self.sweep_later();
        }
    }

    /// Nobody looks after an idle connection, not even when the other side has closed it: what has
    /// been idle too long is closed here, also when no call comes any more. One task does it for all of them, and is
    /// not begun anew whenever the last one is taken: at each call, that would be.
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
                    pool.is_swept.store(false, Ordering::Relaxed);
                    return;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;
    use tokio::io::{DuplexStream, duplex};

    use super::*;
    use crate::client::Outgoing;

    async fn open() -> (Connection, DuplexStream) {
        let (ours, theirs) = duplex(64);
        let (sender, connection) = http1::handshake::<_, Outgoing>(TokioIo::new(ours)).await.unwrap();
        (Connection::new(sender, connection), theirs)
    }

    #[tokio::test(start_paused = true)]
    async fn one_task_looks_after_what_is_idle_however_often_it_is_taken() {
        let sweepers = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let pool = Arc::new(Pool::new(4));
        let (mut connection, _theirs) = open().await;
        for _ in 0..10 {
            pool.put(connection);
            connection = pool.take().unwrap();
        }
        assert_eq!(sweepers(), 1);
        pool.put(connection);
        tokio::time::sleep(MAX_IDLE_TIME * 3).await;
        assert_eq!((sweepers(), pool.waiting()), (0, 0));
        let (another, _theirs) = open().await;
        pool.put(another);
        assert_eq!((sweepers(), pool.waiting()), (1, 1));
    }
}
