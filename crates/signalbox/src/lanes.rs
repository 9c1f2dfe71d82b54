//! Threads that serve connections, one a processor, each with a runtime of its own.
//!
//! One runtime for all would wake another thread for most of what a socket says, and that is a sixth of what a call costs.
//! A connection stays with its lane; what takes long is done elsewhere (see `App::answer`).

use std::sync::Arc;
use std::thread;

use signalbox_upstream::lane;
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Lanes {
    first: Lane,
    others: Vec<Lane>,
    _stop: DropGuard,
}

#[derive(Debug)]
struct Lane {
    runtime: Handle,
    /// As many as there are connections, and one.
    places: Arc<()>,
}

impl Lanes {
    /// # Errors
    /// The system gives no thread, or nothing to wait for sockets with.
    pub(crate) fn start() -> std::io::Result<Self> {
        let stop = CancellationToken::new();
        let first = Lane::start(1, stop.clone())?;
        let others = (2..=lane::count()).map(|number| Lane::start(number, stop.clone())).collect::<Result<_, _>>()?;
        Ok(Self { first, others, _stop: stop.drop_guard() })
    }

    /// Where to spawn what serves the next connection, and the place that it holds for as long as it lasts.
    pub(crate) fn emptiest(&self) -> (&Handle, Arc<()>) {
        let taken = |lane: &&Lane| Arc::strong_count(&lane.places);
        let lane = self.others.iter().min_by_key(taken).filter(|other| taken(other) < taken(&&self.first));
        let lane = lane.unwrap_or(&self.first);
        (&lane.runtime, Arc::clone(&lane.places))
    }
}

impl Lane {
    fn start(number: usize, stop: CancellationToken) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        thread::Builder::new().name(format!("lane-{number}")).spawn(move || {
            lane::enter(number);
            runtime.block_on(stop.cancelled());
        })?;
        Ok(Self { runtime: handle, places: Arc::new(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_are_spread_and_each_stays_on_one_thread() {
        let lanes = Lanes::start().unwrap();
        let mut held = Vec::new();
        let all = || std::iter::once(&lanes.first).chain(&lanes.others);
        for _ in 0..all().count() * 2 {
            let (runtime, place) = lanes.emptiest();
            let on = |runtime: &Handle| runtime.spawn(async { thread::current().id() });
            assert_eq!(on(runtime).await.unwrap(), on(runtime).await.unwrap());
            held.push(place);
        }
        assert!(all().all(|lane| Arc::strong_count(&lane.places) == 3));
        held.pop();
        assert_eq!(all().filter(|lane| Arc::strong_count(&lane.places) == 2).count(), 1);
    }

    #[tokio::test]
    async fn they_end_with_what_they_serve() {
        let lanes = Lanes::start().unwrap();
        let (runtime, place) = lanes.emptiest();
        let served = runtime.spawn(async move {
            let _place = place;
            std::future::pending::<()>().await;
        });
        drop(lanes);
        assert!(served.await.unwrap_err().is_cancelled());
    }
}
