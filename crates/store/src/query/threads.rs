//! Threads for queries. A task that yields at each batch can be stopped at any; one that is inside a
//! function of a user's SQL, or matches a costly pattern, can only be left alone until it comes back.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use signalbox_types::Answer;
use signalbox_types::seam::{BoxFuture, StoreError};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle;

use crate::error::internal;

/// Queries that run at once; more wait, and their time counts.
const RUNNING: usize = 8;
/// SQL statements that run at once, left-alone ones included.
const RUNNING_SQL: usize = 4;
/// How long a query waits for others to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// Threads that read files.
const READERS: usize = 16;
/// Planning recurses into expressions, and a user's SQL may nest deeply. Only what is used is mapped.
const STACK_BYTES: usize = 128 << 20;

/// What a query does, once it may.
pub(super) type Work = BoxFuture<'static, Result<Answer, StoreError>>;

/// Why there is no answer.
pub(super) enum Stopped {
    Failed(StoreError),
    Panicked,
}

/// Where queries run, and how many may.
pub(super) struct Threads {
    shared: Detached,
    per_query: usize,
    running: Arc<Semaphore>,
    running_sql: Arc<Semaphore>,
}

impl Threads {
    pub(super) fn start(per_query: usize) -> io::Result<Self> {
        Ok(Self {
            shared: Detached::start(Builder::new_multi_thread().worker_threads(per_query).thread_name("query"))?,
            per_query,
            running: Arc::new(Semaphore::new(RUNNING)),
            running_sql: Arc::new(Semaphore::new(RUNNING_SQL)),
        })
    }

    /// The threads that all queries share, for what is no query.
    pub(super) fn shared(&self) -> &Handle {
        &self.shared.handle
    }

    /// Runs it on threads that all queries share: nothing in it keeps a thread for long. It stops at its
    /// next batch when nobody waits for it any more.
    pub(super) async fn run(&self, work: Work) -> Result<Answer, Stopped> {
        let permit = acquire(&self.running).await?;
        let task = self.shared.spawn(Box::pin(async move {
            let _held = permit;
            work.await
        }));
        finished(task).await
    }

    /// Runs it on threads of its own. They end when nobody waits for it any more and its functions have
    /// come back; until then they count as running.
    pub(super) async fn run_alone(&self, work: Work) -> Result<Answer, Stopped> {
        let permit = acquire(&self.running_sql).await?;
        let mut threads = Builder::new_multi_thread();
        // Every thread keeps what is to be done at its end: the last one gives the permit back.
        threads.worker_threads(self.per_query).thread_name("sql").on_thread_stop(move || {
            let _held = &permit;
        });
        let threads = Detached::start(&mut threads).map_err(|error| Stopped::Failed(internal(error)))?;
        finished(threads.spawn(work)).await
    }
}

async fn acquire(running: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Stopped> {
    match tokio::time::timeout(PATIENCE, Arc::clone(running).acquire_owned()).await {
        Ok(permit) => permit.map_err(|error| Stopped::Failed(internal(error))),
        Err(_) => Err(Stopped::Failed(StoreError::Full { retry_after_s: 5 })),
    }
}

async fn finished(task: AbortOnDropHandle<Result<Answer, StoreError>>) -> Result<Answer, Stopped> {
    match task.await {
        Ok(answer) => answer.map_err(Stopped::Failed),
        Err(error) if error.is_panic() => Err(Stopped::Panicked),
        Err(error) => Err(Stopped::Failed(internal(error))),
    }
}

/// A runtime that is not waited for when it is dropped: that may take long, and must not be done inside
/// another one.
struct Detached {
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Detached {
    fn start(builder: &mut Builder) -> io::Result<Self> {
        let runtime = builder.thread_stack_size(STACK_BYTES).max_blocking_threads(READERS).enable_time().build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    fn spawn(&self, work: Work) -> AbortOnDropHandle<Result<Answer, StoreError>> {
        AbortOnDropHandle::new(self.handle.spawn(work))
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Threads {
        /// Returns once nothing runs any more.
        pub(in crate::query) async fn all_given_back(&self) {
            let all =
                async |running: &Semaphore, most: usize| running.acquire_many(most as u32).await.unwrap().forget();
            all(&self.running, RUNNING).await;
            all(&self.running_sql, RUNNING_SQL).await;
        }
    }

    #[tokio::test]
    async fn what_nobody_waits_for_ends_and_gives_its_place_back() {
        let threads = Threads::start(1).unwrap();
        for alone in [false, true] {
            let (started, begun) = tokio::sync::oneshot::channel();
            let endless: Work = Box::pin(async move {
                let _ = started.send(());
                std::future::pending().await
            });
            tokio::select! {
                _ = async { if alone { threads.run_alone(endless).await } else { threads.run(endless).await } } => panic!("it is endless"),
                begun = begun => begun.unwrap(),
            }
        }
        threads.all_given_back().await;
    }

    #[tokio::test]
    async fn a_stuck_statement_keeps_its_own_threads_only() {
        let threads = Threads::start(1).unwrap();
        let (go, wait) = std::sync::mpsc::sync_channel::<()>(1);
        let (started, begun) = tokio::sync::oneshot::channel();
        let stuck = threads.run_alone(Box::pin(async move {
            let _ = started.send(());
            // Never yields, as a loop inside a function would not.
            let _ = wait.recv();
            Ok(Answer::default())
        }));
        tokio::select! {
            _ = stuck => panic!("it is stuck"),
            begun = begun => begun.unwrap(),
        }
        assert_eq!(threads.running_sql.available_permits(), RUNNING_SQL - 1, "its thread is still busy");
        assert!(threads.run_alone(Box::pin(async { Ok(Answer::default()) })).await.is_ok(), "others go on");
        assert!(threads.run(Box::pin(async { Ok(Answer::default()) })).await.is_ok());
        drop(go);
        threads.all_given_back().await;
    }
}
