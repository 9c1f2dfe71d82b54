//! Idle connections to one provider, the latest used first, each with the lane that opened it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::connection::Connection;
use crate::lane;

/// Shorter than what load balancers allow (60 s), so that we are rarely the one who finds a closed door.
const MAX_IDLE_TIME: Duration = Duration::from_secs(50);
/// So that a change of the provider's addresses is followed.
const MAX_AGE: Duration = Duration::from_secs(600);

/// How long a connection must have been idle before a lane that has none takes another lane's: under load each lane comes
/// to have its own, and with a call now and then there needn't be one per lane.
const RESTED: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Pool {
    /// One for each lane, before them the one of all other threads.
    shelves: Box<[Shelf]>,
}

/// Idle connections of one lane. Apart in memory, so that lanes don't slow each other down.
#[derive(Debug)]
#[repr(align(128))]
struct Shelf {
    idle: Mutex<VecDeque<Idle>>,
    most: usize,
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
        let lanes = lane::count();
        let most = |number: usize| if number == 0 { max_idle } else { max_idle.div_ceil(lanes) };
        Self { shelves: (0..=lanes).map(|number| Shelf::new(most(number))).collect() }
    }

    /// How many connections wait for calls.
    pub(crate) fn waiting(&self) -> usize {
        let now = Instant::now();
        let usable = |shelf: &Shelf| shelf.idle.lock().iter().filter(|candidate| candidate.is_usable(now)).count();
        self.shelves.iter().map(usable).sum()
    }

    /// The connection that this lane used last, if it is not too old; else one that its own lane hasn't needed for a
    /// while, or that was opened in advance.
    pub(crate) fn take(&self) -> Option<Connection> {
        let (now, own) = (Instant::now(), lane::current());
        if let Some(connection) = self.shelves.get(own).and_then(|shelf| shelf.newest(now)) {
            return Some(connection);
        }
        let others = self.shelves.iter().enumerate().filter(|(number, _)| *number != own);
        others.filter_map(|(number, shelf)| shelf.oldest(now, if number == 0 { Duration::ZERO } else { RESTED })).next()
    }

    /// Keeps a connection whose answer was read to the end. The longest idle ones give way.
    pub(crate) fn put(self: &Arc<Self>, connection: Connection) {
        let home = connection.home();
        if self.shelves.get(home).is_some_and(|shelf| shelf.put(connection)) {
            self.sweep_later(home);
        }
    }

    /// Nobody looks after an idle connection, not even when the other side has closed it: what has
    /// been idle too long is closed here, also when no call comes any more. One task does it for all of a shelf, and is
    /// not begun anew whenever the last one is taken: at each call, that would be.
    fn sweep_later(self: &Arc<Self>, number: usize) {
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(MAX_IDLE_TIME).await;
                let Some(pool) = pool.upgrade() else { return };
                if pool.shelves.get(number).is_none_or(Shelf::is_empty_once_swept) {
                    return;
                }
            }
        });
    }
}

impl Shelf {
    fn new(most: usize) -> Self {
        Self { idle: Mutex::default(), most, is_swept: AtomicBool::new(false) }
    }

    fn newest(&self, now: Instant) -> Option<Connection> {
        let mut idle = self.idle.lock();
        while let Some(candidate) = idle.pop_back() {
            if candidate.is_usable(now) {
                return Some(candidate.connection);
            }
        }
        None
    }

    fn oldest(&self, now: Instant, rested: Duration) -> Option<Connection> {
        let mut idle = self.idle.lock();
        while idle.front().is_some_and(|oldest| !oldest.is_usable(now)) {
            idle.pop_front();
        }
        idle.pop_front_if(|oldest| now.duration_since(oldest.since) >= rested).map(|taken| taken.connection)
    }

    /// Whether somebody has to begin to look after what is here.
    fn put(&self, connection: Connection) -> bool {
        let now = Instant::now();
        let candidate = Idle { connection, since: now };
        if self.most == 0 || !candidate.is_usable(now) {
            return false;
        }
        let mut idle = self.idle.lock();
        while idle.front().is_some_and(|oldest| idle.len() >= self.most || !oldest.is_usable(now)) {
            idle.pop_front();
        }
        idle.push_back(candidate);
        !self.is_swept.swap(true, Ordering::Relaxed)
    }

    fn is_empty_once_swept(&self) -> bool {
        let now = Instant::now();
        let mut idle = self.idle.lock();
        idle.retain(|candidate| candidate.is_usable(now));
        if idle.is_empty() {
            self.is_swept.store(false, Ordering::Relaxed);
        }
        idle.is_empty()
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

    /// As if another thread did it.
    async fn on_lane<T>(number: usize, work: impl Future<Output = T>) -> T {
        lane::enter(number);
        let done = work.await;
        lane::enter(0);
        done
    }

    #[tokio::test(start_paused = true)]
    async fn connections_go_back_to_the_lane_that_opened_them_and_help_out_when_rested() {
        let pool = Arc::new(Pool::new(4));
        let (first, _theirs) = on_lane(1, open()).await;
        pool.put(first);
        assert!(pool.take().is_none(), "it may be needed where it is from");
        tokio::time::advance(RESTED).await;
        let lent = pool.take().unwrap();
        pool.put(lent);
        assert!(on_lane(1, async { pool.take() }).await.is_some(), "it went home");
        let (in_advance, _theirs) = open().await;
        pool.put(in_advance);
        assert!(on_lane(1, async { pool.take() }).await.is_some(), "what nobody's lane opened is everybody's");
    }
}
