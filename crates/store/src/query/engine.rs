use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::cache::cache_manager::CacheManagerConfig;
use datafusion::execution::context::SessionState;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionConfig;
use futures_util::StreamExt;
use object_store::local::LocalFileSystem;
use signalbox_types::seam::StoreError;
use signalbox_types::table::Table;
use signalbox_types::{Answer, ProjectId, Query, Timestamp};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::AbortOnDropHandle;
use tracing::error;

use super::footers::Footers;
use super::threads::{Stopped, Threads};
use super::{export, merge, plan, scan, sql};
use crate::backend::embedded::Snapshot;
use crate::files::LiveFile;
use crate::memtable::bytes_of;
use crate::{OpenError, StoreConfig};

/// An answer is this large at most: it is turned into JSON in memory.
const ANSWER_BYTES: u64 = 64 << 20;
/// Rows of a batch. Fewer than DataFusion's 8192: with bodies of some 100 KB, a batch's text
/// column must stay far below 2 GiB.
const BATCH_ROWS: usize = 4_096;
/// Exports that run at once: they may take as long as their reader wants, so they don't share with queries.
const EXPORTS: usize = 4;

/// Functions that make much out of little in one step, and that nobody misses. Aliases go with them;
/// `guard` has those that stay.
const AMPLIFIERS: &[&str] =
    &["repeat", "lpad", "rpad", "array_repeat", "array_resize", "array_pad", "range", "generate_series"];

pub(crate) struct Engine {
    threads: Threads,
    state: SessionState,
    exports: Arc<Semaphore>,
    timeout: Duration,
}

impl Engine {
    pub(crate) fn start(dir: &Path, config: &StoreConfig) -> Result<Self, OpenError> {
        let failed = |error: &dyn std::fmt::Display| OpenError::Engine(error.to_string());
        let threads = Threads::start(config.query_threads()).map_err(|error| failed(&error))?;
        let environment = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(config.query_memory_bytes())))
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
            .with_cache_manager(CacheManagerConfig::default().with_metadata_cache_limit(config.metadata_cache_bytes()))
            .build_arc()
            .map_err(|error| failed(&error))?;
        let files = LocalFileSystem::new_with_prefix(dir).map_err(|error| failed(&error))?;
        let url = scan::files_url().map_err(|error| failed(&error))?;
        environment.register_object_store(url.as_ref(), Arc::new(files));
        let session = SessionConfig::new()
            .with_target_partitions(config.query_threads())
            .with_batch_size(BATCH_ROWS)
            .with_information_schema(false)
            .with_default_catalog_and_schema(sql::CATALOG, sql::SCHEMA)
            // An expression that stands in several places is calculated once, and planning then doubts
            // whether `x IS NOT TRUE` can be null: a filter said twice would be refused.
            .set_bool("datafusion.execution.skip_physical_aggregate_schema_check", true);
        let mut state = SessionStateBuilder::new()
            .with_config(session)
            .with_runtime_env(environment)
            .with_default_features()
            .build();
        for name in AMPLIFIERS {
            // The tables of the same names stay: they come batch by batch.
            state.deregister_udf(name).map_err(|error| failed(&error))?;
        }
        let exports = Arc::new(Semaphore::new(EXPORTS));
        Ok(Self { threads, state, exports, timeout: config.query_timeout() })
    }

    /// What it remembers of data files.
    pub(crate) fn footers(&self) -> Footers {
        Footers::new(self.state.runtime_env().cache_manager.get_file_metadata_cache())
    }

    /// Answers a checked query.
    pub(crate) async fn query(
        &self,
        project: &ProjectId,
        query: &Query,
        table: &'static Table,
        snapshot: Snapshot,
        scores: Snapshot,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let (state, project, query) = (self.state.clone(), project.clone(), query.clone());
        let work = async move { plan::answer(&state, &project, &query, table, &snapshot, &scores, now).await };
        self.in_time(self.threads.run(Box::pin(work))).await
    }

    /// Answers SQL over views of one project's tables.
    pub(crate) async fn sql(
        &self,
        project: &ProjectId,
        text: &str,
        tables: Vec<(&'static Table, Snapshot)>,
    ) -> Result<Answer, StoreError> {
        let (state, project, text) = (self.state.clone(), project.clone(), text.to_owned());
        let work = async move { sql::answer(state, &project, &text, tables).await };
        self.in_time(self.threads.run_alone(Box::pin(work))).await
    }

    /// Writes the rows of an export into `out`, on the query threads, until the handle is dropped.
    pub(crate) fn export(
        &self,
        rows: export::Rows,
        out: mpsc::Sender<Result<Bytes, StoreError>>,
    ) -> Result<AbortOnDropHandle<()>, StoreError> {
        let Ok(permit) = Arc::clone(&self.exports).try_acquire_owned() else {
            let problem = format!("{EXPORTS} exports are running already; try again when one has ended");
            return Err(StoreError::Limit(problem));
        };
        let state = self.state.clone();
        let task = async move {
            let _permit = permit;
            if let Err(error) = export::run(&state, &rows, &out).await {
                // Whoever reads may have gone.
                let _ = out.send(Err(error)).await;
            }
        };
        Ok(AbortOnDropHandle::new(self.threads.shared().spawn(Box::pin(task))))
    }

    /// Hands on all rows of these files that are not dead, in the table's order. Takes the caller's
    /// time and thread; may not be called from within the runtime.
    pub(crate) fn merge(
        &self,
        table: &Table,
        files: &[LiveFile],
        take: &mut dyn FnMut(RecordBatch) -> io::Result<()>,
    ) -> io::Result<()> {
        self.threads.shared().block_on(async {
            let mut rows = merge::merged(&self.state, table, files).map_err(io::Error::other)?;
            while let Some(batch) = rows.next().await {
                take(batch.map_err(io::Error::other)?)?;
            }
            Ok(())
        })
    }

    /// The time is taken out here: a task that never yields can't be interrupted, only left alone.
    async fn in_time(&self, running: impl Future<Output = Result<Answer, Stopped>>) -> Result<Answer, StoreError> {
        match tokio::time::timeout(self.timeout, running).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Stopped::Failed(error))) => Err(error),
            Ok(Err(Stopped::Panicked)) => {
                error!("a query panicked");
                let problem = "the query engine gave up on this query; simplify it or narrow its time range";
                Err(StoreError::Limit(problem.to_owned()))
            }
            Err(_) => Err(StoreError::Limit(format!(
                "the query takes longer than {} s; narrow its time range or add filters",
                self.timeout.as_secs()
            ))),
        }
    }
}

/// Runs a plan to its end, or up to what an answer may hold.
pub(super) async fn collect(
    state: &SessionState,
    plan: Arc<dyn ExecutionPlan>,
    refused: fn(DataFusionError) -> StoreError,
) -> Result<Vec<RecordBatch>, StoreError> {
    let mut stream = execute_stream(plan, state.task_ctx()).map_err(refused)?;
    let (mut batches, mut bytes) = (Vec::new(), 0);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(refused)?;
        bytes += bytes_of(&batch);
        if bytes > ANSWER_BYTES {
            let problem = format!("the answer is larger than {} MB; select fewer columns or rows", ANSWER_BYTES >> 20);
            return Err(StoreError::Limit(problem));
        }
        batches.push(batch);
    }
    Ok(batches)
}

/// What only a fault of ours, or a lack of memory, can cause.
pub(super) fn failed(error: DataFusionError) -> StoreError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => out_of_memory(),
        _ => StoreError::Internal(error.strip_backtrace()),
    }
}

pub(super) fn out_of_memory() -> StoreError {
    StoreError::Limit(
        "the query needs more memory than queries may use; narrow its time range, or group by fewer values".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaks() -> Result<Answer, StoreError> {
        panic!("on purpose")
    }

    fn engine(timeout_s: u32) -> (tempfile::TempDir, Engine) {
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig { query_timeout_s: timeout_s, ..StoreConfig::default() };
        let engine = Engine::start(dir.path(), &config).unwrap();
        (dir, engine)
    }

    #[tokio::test]
    async fn a_stuck_query_and_a_panic_are_told() {
        let (_dir, engine) = engine(1);
        let (go, wait) = std::sync::mpsc::sync_channel::<()>(1);
        let stuck = engine.threads.run_alone(Box::pin(async move {
            // Never yields, as a loop inside a function would not.
            let _ = wait.recv();
            breaks()
        }));
        let error = engine.in_time(stuck).await.unwrap_err();
        assert!(matches!(&error, StoreError::Limit(text) if text.contains("longer than 1 s")), "{error:?}");
        drop(go);
        let error = engine.in_time(engine.threads.run(Box::pin(async { breaks() }))).await.unwrap_err();
        assert!(matches!(&error, StoreError::Limit(text) if text.contains("gave up")), "{error:?}");
    }

    /// A real plan, dropped while it counts: all its tasks end, on all threads.
    #[tokio::test]
    async fn a_dropped_statement_ends_at_its_next_batch() {
        let (_dir, engine) = engine(600);
        let endless = "SELECT value % 7 AS n, count(*) FROM generate_series(1, 1000000000000) GROUP BY n";
        let project = ProjectId::new("p");
        let begun = tokio::time::timeout(Duration::from_millis(300), engine.sql(&project, endless, Vec::new()));
        assert!(begun.await.is_err(), "it is endless");
        let given_back = tokio::time::timeout(Duration::from_secs(60), engine.threads.all_given_back());
        assert!(given_back.await.is_ok());
    }
}
