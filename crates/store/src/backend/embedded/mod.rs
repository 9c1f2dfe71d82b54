//! The store on one machine: journal → memory → Parquet, queried by DataFusion.

mod backup;
mod commit;
mod compact;
mod erase;
mod index;
mod open;
mod retention;
mod snapshot;
mod state;
mod transfer;
mod unsaid;
mod watch;

use std::collections::HashSet;
use std::fs::File;
use std::hash::Hash;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use signalbox_journal::fs::{Fs, Real};
use signalbox_types::seam::{
    Arrival, BackupReport, BoxFuture, BoxStream, Clock, Erase, Erased, EventStore, Export, FileFormat, Imported,
    StoreError, StoreStats,
};
use signalbox_types::table::{ALL, FindingRow, SCORES, SPAN_MINUTES};
use signalbox_types::{Answer, CountOnce, Events, FieldValues, ProjectId, Query, Span};
use thread_priority::{ThreadPriority, ThreadPriorityValue, set_current_thread_priority};
use tokio::sync::{OwnedRwLockReadGuard, oneshot};
use tracing::{error, warn};

use crate::error::{closed, internal};
use crate::limit::shorten;
use crate::memtable::bytes_of;
use crate::query::Engine;
use crate::rows::{self, KeyedBatch, TableBatch};
use crate::said::{self, Learned};
use crate::{OpenError, StoreConfig};

pub(crate) use commit::ROWS;
use compact::Zeal;
pub(crate) use open::lock;
pub(crate) use snapshot::Snapshot;
use state::Shared;

/// Appends that may wait to be written.
const WAITING_APPENDS: usize = 1_024;
/// How often the flush thread looks at the age of what is in memory.
const FLUSH_CHECK: Duration = Duration::from_secs(1);
/// How often the merging thread looks whether there is something to do.
const COMPACT_CHECK: Duration = Duration::from_secs(2);
/// How often an append that waits for room looks whether there is some.
const ROOM_CHECK: Duration = Duration::from_millis(200);
/// How often rows are looked for whose time is over.
const EXPIRE_EVERY: Duration = Duration::from_secs(600);
/// How often what queries remember of files is forgotten where none has asked for it since the last time.
const FORGET_EVERY: Duration = Duration::from_secs(120);
/// How long it leaves the disk alone after a failure.
const FLUSH_RETRY: Duration = Duration::from_secs(10);
/// Making rows of more events than these is worth a thread of its own.
const INLINE_EVENTS: usize = 32;
/// Priorities of work in the background, of 0 to 99, where 50 is that of all others. Merging must keep up: each
/// file more is another one to look into for every row that comes.
const MERGING: u8 = 36;
const INDEXING: u8 = 0;

/// The embedded event store: one data folder, one process.
pub struct Store {
    shared: Arc<Shared>,
    engine: Arc<Engine>,
    once: Mutex<CountOnce>,
    appends: Mutex<Option<SyncSender<commit::Append>>>,
    commit_thread: Mutex<Option<JoinHandle<()>>>,
    flush_thread: Mutex<Option<JoinHandle<()>>>,
    compact_thread: Mutex<Option<JoinHandle<()>>>,
    index_thread: Mutex<Option<JoinHandle<()>>>,
    /// Locked as long as it is open.
    _lock: File,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("dir", &self.shared.dir).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the data folder, making one if there is none, and brings back what the journal holds.
    ///
    /// # Errors
    /// Another process has it open, it can't be written to, or something in it is damaged.
    pub fn open(dir: &Path, config: StoreConfig, clock: Arc<dyn Clock>) -> Result<Arc<Self>, OpenError> {
        Self::open_on(Arc::new(Real), dir, config, clock)
    }

    /// Opens it with all writing done through `fs`, so that tests can make the disk fail.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(
        fs: Arc<dyn Fs>,
        dir: &Path,
        config: StoreConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, OpenError> {
        let (dir, lock) = open::lock(dir)?;
        let engine = Arc::new(Engine::start(&dir, &config)?);
        let mut shared = open::recover(fs, dir, config, clock)?;
        shared.footers = engine.footers();
        let shared = Arc::new(shared);
        let (appends, receiver) = sync_channel(WAITING_APPENDS);
        let commit_thread = spawn("store-commit", &shared, move |shared| commit::run(shared, &receiver))?;
        let flush_thread = spawn("store-flush", &shared, |shared| flush_when_due(shared))?;
        let compact_thread = spawn("store-compact", &shared, {
            let engine = Arc::clone(&engine);
            move |shared| {
                step_back(MERGING);
                compact_when_due(shared, &engine);
            }
        })?;
        let index_thread = spawn("store-index", &shared, |shared| {
            step_back(INDEXING);
            index::index_when_due(shared);
        })?;
        Ok(Arc::new(Self {
            shared,
            engine,
            compact_thread: Mutex::new(Some(compact_thread)),
            once: Mutex::default(),
            appends: Mutex::new(Some(appends)),
            commit_thread: Mutex::new(Some(commit_thread)),
            flush_thread: Mutex::new(Some(flush_thread)),
            index_thread: Mutex::new(Some(index_thread)),
            _lock: lock,
        }))
    }

    /// Writes all rows that are in memory to files.
    ///
    /// # Errors
    /// The disk fails; the rows stay in memory and in the journal.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || shared.flush()).await.map_err(internal)?
    }

    /// Indexes the texts of all files that have no index yet, which else happens in the background.
    ///
    /// # Errors
    /// The disk fails; searches read the files instead.
    pub async fn index(&self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let indexed = tokio::task::spawn_blocking(move || index::index_missing(&shared, true));
        indexed.await.map_err(internal)?.map_err(internal)
    }

    /// Takes no more rows, writes what waits and what is in memory to files. Queries go on.
    ///
    /// # Errors
    /// The disk fails; what was acknowledged is in the journal nevertheless.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.shared.closed.store(true, Ordering::Release);
        drop(self.appends.lock().take());
        let commit_thread = self.commit_thread.lock().take();
        let flush_thread = self.flush_thread.lock().take();
        let compact_thread = self.compact_thread.lock().take();
        let index_thread = self.index_thread.lock().take();
        let shared = Arc::clone(&self.shared);
        let closed = tokio::task::spawn_blocking(move || {
            join(commit_thread);
            stop_jobs(&shared, [flush_thread, compact_thread]);
            stop_indexing(&shared, index_thread);
            shared.flush()
        });
        closed.await.map_err(internal)?
    }

    /// Merges all files that can be merged and drops every row that counts no more.
    ///
    /// # Errors
    /// The disk fails; the files stay as they are.
    pub async fn compact(&self) -> Result<(), StoreError> {
        let (shared, engine) = (Arc::clone(&self.shared), Arc::clone(&self.engine));
        let compacted = tokio::task::spawn_blocking(move || {
            while compact::step(&shared, &engine, Zeal::Thorough)? {}
            Ok(())
        });
        compacted.await.map_err(internal)?
    }

    /// Removes rows whose time is over, which otherwise happens every ten minutes.
    ///
    /// # Errors
    /// The disk fails.
    pub async fn expire(&self) -> Result<(), StoreError> {
        let (shared, engine) = (Arc::clone(&self.shared), Arc::clone(&self.engine));
        tokio::task::spawn_blocking(move || retention::expire(&shared, &engine)).await.map_err(internal)?
    }

    async fn append_events(&self, mut events: Events, patience: Duration) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        self.shared.check_writable()?;
        self.once.lock().mark(&mut events.spans);
        let no_erasing = self.shared.no_erasing().await;
        let (spans, batches, learned) = if events.len() <= INLINE_EVENTS {
            make_rows(&self.shared, events)?
        } else {
            let shared = Arc::clone(&self.shared);
            tokio::task::spawn_blocking(move || make_rows(&shared, events)).await.map_err(internal)??
        };
        let watched = self.shared.live.receiver_count() > 0;
        let spans = if watched { spans.into_iter().map(Arc::new).collect() } else { Vec::new() };
        self.append_rows(batches, learned, no_erasing, spans, patience).await
    }

    /// Appends rows to a store that was found writable, and waits so long for room; `spans` are shown to those who watch.
    async fn append_rows(
        &self,
        batches: Vec<KeyedBatch>,
        learned: Learned,
        no_erasing: OwnedRwLockReadGuard<()>,
        spans: Vec<Arc<Span>>,
        mut patience: Duration,
    ) -> Result<(), StoreError> {
        let bytes = batches.iter().map(|table| bytes_of(&table.batch)).sum();
        let (done, appended) = oneshot::channel();
        let mut append = commit::Append { batches, bytes, spans, learned, no_erasing, done };
        while let Err((refused, error)) = self.offer(append) {
            let is_full = matches!(error, StoreError::Full { .. });
            let Some(left) = patience.checked_sub(ROOM_CHECK).filter(|_| is_full) else { return Err(error) };
            warn!("the event store is full, waiting");
            tokio::time::sleep(ROOM_CHECK).await;
            (append, patience) = (*refused, left);
        }
        appended.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Hands an append to the thread that writes, or back to who made it.
    fn offer(&self, append: commit::Append) -> Result<(), (Box<commit::Append>, StoreError)> {
        let bytes = append.bytes;
        if let Err(error) = self.shared.enter(bytes) {
            return Err((Box::new(append), error));
        }
        let sent = match self.appends.lock().as_ref() {
            None => Err((append, closed())),
            Some(appends) => appends.try_send(append).map_err(|error| match error {
                TrySendError::Full(append) => (append, StoreError::Full { retry_after_s: 1 }),
                TrySendError::Disconnected(append) => (append, closed()),
            }),
        };
        sent.map_err(|(append, error)| {
            self.shared.leave(bytes);
            (Box::new(append), error)
        })
    }
}

impl EventStore for Store {
    fn append(&self, events: Events) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.append_events(events, Duration::ZERO))
    }

    fn append_within(&self, events: Events, patience: Duration) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.append_events(events, patience))
    }

    fn query<'a>(&'a self, project: &'a ProjectId, query: &'a Query) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move {
            let started = self.shared.clock.elapsed();
            let table = query.check()?;
            let snapshot = self.shared.snapshot(table).map_err(internal)?;
            let scores = self.shared.snapshot(&SCORES).map_err(internal)?;
            let now = self.shared.clock.now();
            let mut answer = self.engine.query(project, query, table, snapshot, scores, now).await?;
            answer.elapsed_ms = self.since(started);
            Ok(answer)
        })
    }

    fn sql<'a>(&'a self, project: &'a ProjectId, sql: &'a str) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move {
            let started = self.shared.clock.elapsed();
            // To sum up what is in memory takes longer than most queries.
            let minutes = sql.to_ascii_lowercase().contains(SPAN_MINUTES.name);
            let tables = ALL.iter().filter(|table| minutes || ***table != SPAN_MINUTES);
            let tables = tables.map(|table| Ok((*table, self.shared.snapshot(table)?)));
            let tables = tables.collect::<io::Result<_>>().map_err(internal)?;
            let mut answer = self.engine.sql(project, sql, tables).await?;
            answer.elapsed_ms = self.since(started);
            Ok(answer)
        })
    }

    fn watch(&self, project: &ProjectId) -> BoxStream<Arc<Span>> {
        watch::of_project(&self.shared.live, project)
    }

    fn watch_all(&self) -> BoxStream<Arrival> {
        watch::of_all(&self.shared.live)
    }

    fn erase<'a>(&'a self, project: &'a ProjectId, what: &'a Erase) -> BoxFuture<'a, Result<Erased, StoreError>> {
        let (shared, engine) = (Arc::clone(&self.shared), Arc::clone(&self.engine));
        let (project, what) = (project.clone(), what.clone());
        Box::pin(async move {
            let erased = tokio::task::spawn_blocking(move || erase::erase(&shared, &engine, &project, &what));
            erased.await.map_err(internal)?
        })
    }

    fn fields(&self, project: &ProjectId, field: Option<&str>) -> Vec<FieldValues> {
        self.shared.values.lock().list(project, field)
    }

    fn stats(&self) -> StoreStats {
        self.shared.stats()
    }

    fn backup<'a>(&'a self, dir: &'a Path) -> BoxFuture<'a, Result<BackupReport, StoreError>> {
        Box::pin(backup::backup(self, dir))
    }

    fn export<'a>(
        &'a self,
        project: &'a ProjectId,
        export: &'a Export,
    ) -> BoxFuture<'a, Result<BoxStream<Result<Bytes, StoreError>>, StoreError>> {
        Box::pin(transfer::export(self, project, export))
    }

    fn import<'a>(
        &'a self,
        project: &'a ProjectId,
        table: &'a str,
        format: FileFormat,
        file: BoxStream<io::Result<Bytes>>,
    ) -> BoxFuture<'a, Result<Imported, StoreError>> {
        Box::pin(transfer::import(self, project, table, format, file))
    }
}

impl Store {
    fn since(&self, started: Duration) -> f64 {
        self.shared.clock.elapsed().saturating_sub(started).as_secs_f64() * 1_000.0
    }
}

impl Drop for Store {
    /// As a crash would, but in order: what waits is still written to the journal; what is in memory
    /// stays there.
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        drop(self.appends.get_mut().take());
        join(self.commit_thread.get_mut().take());
        stop_jobs(&self.shared, [self.flush_thread.get_mut().take(), self.compact_thread.get_mut().take()]);
        stop_indexing(&self.shared, self.index_thread.get_mut().take());
        // Before the lock on the folder is given up.
        self.shared.journal.close();
    }
}

fn make_rows(shared: &Shared, events: Events) -> Result<(Vec<Span>, Vec<KeyedBatch>, Learned), StoreError> {
    let mut spans = last_versions(events.spans, |span| (span.project_id.clone(), span.trace_id, span.span_id));
    let most = (shared.config.max_field_kb as usize) << 10;
    spans.iter_mut().for_each(|span| shorten(span, most));
    let scores = last_versions(events.scores, |score| (score.project_id.clone(), score.id.clone()));
    let logs = last_versions(events.logs, |log| (log.project_id.clone(), log.id.clone()));
    let points = last_versions(events.metric_points, |point| (point.project_id.clone(), point.id.clone()));
    shared.values.lock().count(&spans);
    let findings: Vec<FindingRow> = spans.iter().flat_map(FindingRow::of).collect();
    let split = said::split(&shared.recent, &spans).map_err(internal)?;
    let others = [rows::build(&findings), rows::build(&scores), rows::build(&logs), rows::build(&points)];
    let others = others.into_iter().collect::<Result<Vec<_>, _>>().map_err(internal)?;
    let batches = [split.spans, split.messages].into_iter().chain(others).flatten();
    let keyed = batches.map(TableBatch::keyed).collect::<Result<_, _>>();
    Ok((spans, keyed.map_err(internal)?, split.learned))
}

/// Of several events with one name, the last.
fn last_versions<E, N: Eq + Hash>(mut events: Vec<E>, name: impl Fn(&E) -> N) -> Vec<E> {
    if events.len() < 2 {
        return events;
    }
    let mut seen = HashSet::new();
    let last: Vec<bool> = events.iter().rev().map(|event| seen.insert(name(event))).collect();
    let mut last = last.into_iter().rev();
    events.retain(|_| last.next().unwrap_or(true));
    events
}

fn spawn(
    name: &str,
    shared: &Arc<Shared>,
    run: impl FnOnce(&Arc<Shared>) + Send + 'static,
) -> Result<JoinHandle<()>, OpenError> {
    let shared_there = Arc::clone(shared);
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&shared_there));
    spawned.map_err(|source| OpenError::NotWritable { dir: shared.dir.clone(), source })
}

/// Work of this thread can wait: who takes rows and answers queries goes first.
fn step_back(to: u8) {
    let priority = ThreadPriorityValue::try_from(to).map_or(ThreadPriority::Min, ThreadPriority::Crossplatform);
    if let Err(error) = set_current_thread_priority(priority) {
        warn!(?error, "work in the background can't give way to other work");
    }
}

fn join(thread: Option<JoinHandle<()>>) {
    if let Some(Err(_)) = thread.map(JoinHandle::join) {
        error!("a thread of the event store panicked");
    }
}

fn stop_jobs(shared: &Shared, threads: [Option<JoinHandle<()>>; 2]) {
    shared.flush_signal.lock().stop = true;
    shared.flush_wanted.notify_all();
    threads.into_iter().for_each(join);
}

fn compact_when_due(shared: &Shared, engine: &Engine) {
    let mut wait = COMPACT_CHECK;
    let mut next_expiry = None;
    let mut next_forgetting = shared.clock.elapsed() + FORGET_EVERY;
    loop {
        {
            let mut signal = shared.flush_signal.lock();
            if !signal.stop {
                shared.flush_wanted.wait_for(&mut signal, wait);
            }
            if signal.stop {
                return;
            }
        }
        wait = COMPACT_CHECK;
        if shared.clock.elapsed() >= next_forgetting {
            next_forgetting = shared.clock.elapsed() + FORGET_EVERY;
            shared.footers.forget_unasked();
        }
        if next_expiry.is_none_or(|next| shared.clock.elapsed() >= next) {
            next_expiry = Some(shared.clock.elapsed() + EXPIRE_EVERY);
            if let Err(error) = retention::expire(shared, engine) {
                warn!(%error, "can't remove rows whose time is over, trying again later");
            }
        }
        loop {
            match compact::step(shared, engine, Zeal::Thrifty) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    warn!(%error, "can't merge data files, trying again soon");
                    wait = FLUSH_RETRY;
                    break;
                }
            }
        }
        shared.remove_unread();
    }
}

fn stop_indexing(shared: &Shared, thread: Option<JoinHandle<()>>) {
    shared.texts.stop();
    if let Some(thread) = &thread {
        thread.thread().unpark();
    }
    join(thread);
}

fn flush_when_due(shared: &Shared) {
    let mut wait = FLUSH_CHECK;
    loop {
        {
            let mut signal = shared.flush_signal.lock();
            if !(signal.stop || signal.full) {
                shared.flush_wanted.wait_for(&mut signal, wait);
            }
            if signal.stop {
                return;
            }
            signal.full = false;
        }
        wait = FLUSH_CHECK;
        if shared.flush_is_due()
            && let Err(error) = shared.flush()
        {
            warn!(%error, "can't write rows from memory to files, trying again soon");
            wait = FLUSH_RETRY;
        }
    }
}
