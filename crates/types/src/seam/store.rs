use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use serde::{Deserialize, Serialize};

use super::transfer::{BackupReport, Export, FileFormat, Imported};
use crate::query::InvalidQuery;
use crate::{Answer, Events, FieldValues, ProjectId, Query, Span};

/// A boxed future, so that the seam is object-safe.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// A boxed stream.
pub type BoxStream<T> = Pin<Box<dyn Stream<Item = T> + Send>>;

/// Why the store could not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The query is wrong; the caller can mend it.
    #[error(transparent)]
    Query(#[from] InvalidQuery),
    /// The SQL is wrong or not allowed; the caller can mend it.
    #[error("{0}")]
    Sql(String),
    /// The query needs more time, memory or rows than one query may have.
    #[error("{0}")]
    Limit(String),
    /// There is no room for more writes now; try again.
    #[error("the event store can't take more now; try again in {retry_after_s} s")]
    Full {
        /// When to try again, in seconds.
        retry_after_s: u32,
    },
    /// The disk is full or failing: nothing more is accepted until it is mended; reading goes on.
    #[error("the event store can't write: {0}")]
    Disk(String),
    /// A fault of the store.
    #[error("the event store failed: {0}")]
    Internal(String),
}

/// How the store is, for `/metrics` and the status page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct StoreStats {
    /// Rows in memory, not yet in files.
    pub memtable_rows: u64,
    /// Bytes in memory, about.
    pub memtable_bytes: u64,
    /// Bytes of log on disk.
    pub journal_bytes: u64,
    /// Data files.
    pub files: u64,
    /// Bytes of data files.
    pub file_bytes: u64,
    /// Rows appended since start.
    pub appended_rows: u64,
    /// Appends waiting to be written.
    pub waiting_appends: u64,
    /// The disk failed; writes are refused.
    pub read_only: bool,
}

/// What [`EventStore::watch_all`] tells.
#[derive(Debug, Clone)]
pub enum Arrival {
    /// A span of any project was appended.
    Span(Arc<Span>),
    /// So many were appended that the reader was too slow for.
    Missed(u64),
}

/// What is to be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Erase {
    /// Everything of this end user (`user.id`).
    UserId(String),
    /// Everything of this session (`gen_ai.conversation.id`).
    SessionId(String),
    /// Everything of this trace.
    TraceId(String),
}

/// What was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Erased {
    /// Spans.
    pub spans: u64,
    /// Rows of other tables that hung on them.
    pub other_rows: u64,
    /// Files that were written anew without them.
    pub files: u64,
    /// Their bytes are gone from the disk: from files, keys, index and journal. If not, something still
    /// reads them; they go as soon as it has ended.
    pub complete: bool,
}

/// Where events live. What `append` took survives a crash and is visible to the next query.
pub trait EventStore: Send + Sync + std::fmt::Debug {
    /// Stores events of any projects (spans with their findings), and marks which spans count in
    /// sums ([`crate::CountOnce`]). Resolves once they are on disk.
    /// All of them are taken, or none.
    fn append(&self, events: Events) -> BoxFuture<'_, Result<(), StoreError>>;

    /// [`EventStore::append`] for who can't send again: a store that has no room waits so long for some.
    fn append_within(&self, events: Events, _patience: Duration) -> BoxFuture<'_, Result<(), StoreError>> {
        self.append(events)
    }

    /// Answers a query about one project.
    fn query<'a>(&'a self, project: &'a ProjectId, query: &'a Query) -> BoxFuture<'a, Result<Answer, StoreError>>;

    /// Answers read-only SQL over the tables of one project; other projects' rows don't exist in it.
    fn sql<'a>(&'a self, project: &'a ProjectId, sql: &'a str) -> BoxFuture<'a, Result<Answer, StoreError>>;

    /// Spans of one project as they are appended. A slow reader misses some rather than hold the
    /// store up.
    fn watch(&self, project: &ProjectId) -> BoxStream<Arc<Span>>;

    /// Spans of all projects as they are appended, for a reader that must know what it missed: a slow one is
    /// told how many, rather than hold the store up.
    fn watch_all(&self) -> BoxStream<Arrival> {
        Box::pin(Nothing)
    }

    /// Removes everything of a user, a session or a trace of one project, so that its bytes are gone.
    /// What arrives afterwards is kept.
    fn erase<'a>(&'a self, project: &'a ProjectId, what: &'a Erase) -> BoxFuture<'a, Result<Erased, StoreError>>;

    /// The fields that spans of a project have, without their values; or one of them with its most frequent
    /// values. Counted while spans are written: what was erased takes all of its project's counts with it.
    fn fields(&self, _project: &ProjectId, _field: Option<&str>) -> Vec<FieldValues> {
        Vec::new()
    }

    /// How the store is.
    fn stats(&self) -> StoreStats;

    /// Copies everything, of all projects, into a folder: one that is empty, or that has an earlier
    /// backup of this store, which stays whole until the new one is. Reading and writing go on.
    fn backup<'a>(&'a self, _dir: &'a Path) -> BoxFuture<'a, Result<BackupReport, StoreError>> {
        Box::pin(async { Err(keeps_no_files()) })
    }

    /// Rows of one project as a file, piece by piece, as they are now. Dropping the stream ends it. An
    /// error in the stream means that the file is not whole.
    fn export<'a>(
        &'a self,
        _project: &'a ProjectId,
        _export: &'a Export,
    ) -> BoxFuture<'a, Result<BoxStream<Result<Bytes, StoreError>>, StoreError>> {
        Box::pin(async { Err(keeps_no_files()) })
    }

    /// Takes rows in from a file, into one project whatever the file says. They replace rows of the same
    /// key. What stands before a row that is refused has been taken.
    fn import<'a>(
        &'a self,
        _project: &'a ProjectId,
        _table: &'a str,
        _format: FileFormat,
        _file: BoxStream<io::Result<Bytes>>,
    ) -> BoxFuture<'a, Result<Imported, StoreError>> {
        Box::pin(async { Err(keeps_no_files()) })
    }
}

/// The arrivals at a store that tells of none.
struct Nothing;

impl Stream for Nothing {
    type Item = Arrival;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Arrival>> {
        Poll::Ready(None)
    }
}

fn keeps_no_files() -> StoreError {
    StoreError::Limit("this event store keeps everything in memory: it has no files".to_owned())
}
