//! What the parts of the store share, and the one lock under which rows move from memory to files.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arrow::error::ArrowError;
use parking_lot::{Condvar, Mutex, RwLock};
use roaring::RoaringBitmap;
use signalbox_journal::fs::Fs;
use signalbox_journal::{AppendError, Journal};
use signalbox_types::seam::{Clock, StoreError, StoreStats};
use signalbox_types::table::{Identity, Table};
use signalbox_types::{Span, TopValues};
use tokio::sync::{OwnedRwLockReadGuard, RwLock as RwLockOfAppends, broadcast};
use tracing::{error, info, warn};

use crate::StoreConfig;
use crate::error::refused;
use crate::files::{DataFileHandle, LiveFile};
use crate::flush::write_file;
use crate::keys::Key;
use crate::manifest::{self, DataFile, Manifest};
use crate::memtable::{Dead, Memtable};
use crate::query::Footers;
use crate::rows::KeyedBatch;
use crate::said::{self, MESSAGES, Recent};
use crate::text::TextIndexes;
use crate::values;
use crate::writer::Place;

/// Spans that may wait for those who watch: of several appends that are committed together.
const ARRIVALS: usize = 8_192;

/// Where rows are.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Takes new rows.
    pub(super) active: Memtable,
    /// Being written to files.
    pub(super) frozen: Option<Arc<Memtable>>,
    /// Rows of `frozen` that count no more, by table.
    pub(super) frozen_dead: BTreeMap<&'static str, Dead>,
    pub(super) files: Vec<LiveFile>,
    /// What is on disk.
    pub(super) manifest: Arc<Manifest>,
    /// Keys that were replaced in files or in `frozen` since the first of the running jobs began that
    /// write files: in what those write, they are dead too.
    replaced: Vec<(&'static str, Key)>,
    jobs: usize,
}

impl State {
    /// Takes rows of journal record `seq`; who was there before under their keys counts no more.
    pub(super) fn publish(&mut self, seq: u64, mut batches: Vec<KeyedBatch>, now: Duration) -> Result<(), ArrowError> {
        self.active.begin(seq, now);
        // What belongs to replaced rows must go before what comes with the new ones.
        batches.sort_by_key(|keyed| matches!(keyed.table.identity, Identity::BelongsTo(_)));
        for keyed in batches {
            if matches!(keyed.table.identity, Identity::Replaced) {
                self.replace(keyed.table, &keyed.keys);
            }
            self.active.push(keyed)?;
        }
        Ok(())
    }

    fn replace(&mut self, table: &'static Table, keys: &[Key]) {
        let replaced = self.kill(table, keys);
        if replaced.is_empty() {
            return;
        }
        let belongs = |other: &&Table| matches!(other.identity, Identity::BelongsTo(owner) if owner == table);
        for other in said::tables().filter(belongs) {
            self.kill(other, &replaced);
        }
    }

    /// The rows of these keys count no more, wherever they are. Says of which keys there were any.
    fn kill(&mut self, table: &'static Table, keys: &[Key]) -> Vec<Key> {
        // The rows of a key that count are in one place.
        let is_active = |key: &Key| self.active.of_mut(table).is_some_and(|rows| rows.kill(*key));
        let (mut killed, others): (Vec<Key>, Vec<Key>) = keys.iter().copied().partition(is_active);
        let mut elsewhere = vec![false; others.len()];
        if let Some(frozen) = self.frozen.as_ref().and_then(|frozen| frozen.of(table)) {
            let dead = self.frozen_dead.entry(table.name).or_default();
            for (place, rows) in (0..).zip(&others).filter_map(|(place, key)| Some((place, frozen.find(*key)?))) {
                elsewhere[place] |= Arc::make_mut(dead).insert_range(rows) > 0;
            }
        }
        for file in self.files.iter_mut().filter(|file| file.meta().table == table.name) {
            match file.find_all(&others) {
                Ok(rows) if rows.is_empty() => {}
                Ok(rows) => {
                    rows.iter().for_each(|(place, _)| elsewhere[*place] = true);
                    file.kill(rows.into_iter().map(|(_, row)| row));
                }
                Err(error) => error!(%error, "the keys of a data file can't be read: a row may count twice"),
            }
        }
        let killed_elsewhere =
            others.into_iter().zip(elsewhere).filter(|(_, elsewhere)| *elsewhere).map(|(key, _)| key);
        for key in killed_elsewhere {
            if self.jobs > 0 {
                self.replaced.push((table.name, key));
            }
            killed.push(key);
        }
        killed
    }

    /// A job that writes files begins: what it is told to pass to [`State::end_job`].
    pub(super) fn begin_job(&mut self) -> usize {
        if self.jobs == 0 {
            self.replaced.clear();
        }
        self.jobs += 1;
        self.replaced.len()
    }

    /// It has ended. In what it wrote, rows are dead that were replaced meanwhile.
    pub(super) fn end_job(&mut self, began: usize, written: &mut [LiveFile]) -> io::Result<()> {
        self.jobs -= 1;
        self.bury(began, written)
    }

    /// Marks rows of what a job wrote as dead that were replaced since it began.
    fn bury(&self, began: usize, written: &mut [LiveFile]) -> io::Result<()> {
        for (table, key) in self.replaced.get(began..).unwrap_or_default() {
            for file in written.iter_mut().filter(|file| file.meta().table == *table) {
                let rows = file.find(*key)?;
                if !rows.is_empty() {
                    file.kill(rows);
                }
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) fs: Arc<dyn Fs>,
    pub(super) dir: PathBuf,
    pub(super) config: StoreConfig,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) state: RwLock<State>,
    pub(super) journal: Journal,
    pub(super) texts: Arc<TextIndexes>,
    /// What queries remember of files that have not gone.
    pub(super) footers: Footers,
    /// Fields and their frequent values.
    pub(super) values: Mutex<TopValues>,
    /// What was said lately.
    pub(super) recent: Mutex<Recent>,
    /// Held by appends from what they know of others to their end; erasing waits for them.
    pub(super) saying: Arc<RwLockOfAppends<()>>,
    /// Held while the texts of files are indexed: one at a time.
    pub(super) indexing: Mutex<()>,
    pub(super) live: broadcast::Sender<Arc<Span>>,
    pub(super) appended_rows: AtomicU64,
    pub(super) waiting_appends: AtomicU64,
    pub(super) waiting_bytes: AtomicU64,
    pub(super) closed: AtomicBool,
    /// Held while rows are written to files: one flush at a time.
    pub(super) flushing: Mutex<()>,
    /// Held while files are merged: one merge at a time.
    pub(super) merging: Mutex<()>,
    /// Held from reading the manifest to replacing it.
    committing: Mutex<()>,
    /// Files that no manifest names any more, until no query reads them.
    pub(super) let_go: Mutex<Vec<Arc<DataFileHandle>>>,
    next_file: AtomicU64,
    file_bytes: AtomicU64,
    /// Somebody wants a flush; waited for with `flush_wanted`.
    pub(super) flush_signal: Mutex<FlushSignal>,
    pub(super) flush_wanted: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct FlushSignal {
    pub(super) full: bool,
    pub(super) stop: bool,
}

impl Shared {
    pub(super) fn new(
        fs: Arc<dyn Fs>,
        dir: PathBuf,
        config: StoreConfig,
        clock: Arc<dyn Clock>,
        state: State,
        journal: Journal,
        texts: TextIndexes,
    ) -> Self {
        let next_file = AtomicU64::new(state.manifest.next_file);
        let file_bytes = AtomicU64::new(state.files.iter().map(|file| file.meta().bytes).sum());
        Self {
            fs,
            dir,
            config,
            clock,
            state: RwLock::new(state),
            journal,
            texts: Arc::new(texts),
            footers: Footers::default(),
            values: Mutex::default(),
            recent: Mutex::default(),
            saying: Arc::default(),
            indexing: Mutex::default(),
            live: broadcast::channel(ARRIVALS).0,
            appended_rows: AtomicU64::new(0),
            waiting_appends: AtomicU64::new(0),
            waiting_bytes: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            flushing: Mutex::default(),
            merging: Mutex::default(),
            committing: Mutex::default(),
            let_go: Mutex::default(),
            next_file,
            file_bytes,
            flush_signal: Mutex::default(),
            flush_wanted: Condvar::new(),
        }
    }

    /// Why nothing can be written now, if so.
    pub(super) fn check_writable(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(crate::error::closed());
        }
        self.journal.check().map_err(refused)?;
        if let Some(most) = self.config.max_disk_bytes() {
            let used = self.journal.stats().bytes + self.file_bytes.load(Ordering::Relaxed);
            if used >= most {
                return Err(StoreError::Disk(format!(
                    "it takes {} GB, all of `store.max_disk_gb`; raise that, or shorten `store.retention`",
                    used >> 30
                )));
            }
        }
        let state = self.state.read();
        let frozen = state.frozen.as_ref().map_or(0, |frozen| frozen.bytes);
        if state.active.bytes + frozen > self.config.memory_limit_bytes() {
            return Err(StoreError::Full { retry_after_s: 5 });
        }
        Ok(())
    }

    /// Counts an append of so many bytes as waiting, if there is room.
    pub(super) fn enter(&self, bytes: u64) -> Result<(), StoreError> {
        let before = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.waiting_appends.fetch_add(1, Ordering::Relaxed);
        // One append always fits, however large.
        if before > 0 && before + bytes > self.config.flush_bytes() {
            self.leave(bytes);
            return Err(StoreError::Full { retry_after_s: 1 });
        }
        Ok(())
    }

    /// Held by an append from what it knows of others to its end.
    pub(super) async fn no_erasing(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.saying).read_owned().await
    }

    pub(super) fn leave(&self, bytes: u64) {
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.waiting_appends.fetch_sub(1, Ordering::Relaxed);
    }

    /// Makes the rows of a journal record visible. Called on the journal's thread, in order.
    pub(super) fn publish(&self, seq: u64, batches: Vec<KeyedBatch>) {
        let counted = batches.iter().filter(|keyed| *keyed.table != MESSAGES);
        let rows: usize = counted.map(|keyed| keyed.batch.num_rows()).sum();
        let now = self.clock.elapsed();
        let (pushed, bytes) = {
            let mut state = self.state.write();
            (state.publish(seq, batches, now), state.active.bytes)
        };
        if let Err(error) = pushed {
            // The rows are there, only in more batches than need be.
            error!(%error, "can't join batches in memory");
        }
        self.appended_rows.fetch_add(rows as u64, Ordering::Relaxed);
        if bytes >= self.config.flush_bytes() {
            self.flush_signal.lock().full = true;
            self.flush_wanted.notify_all();
        }
    }

    /// Rows in memory are old enough, or enough, for a file.
    pub(super) fn flush_is_due(&self) -> bool {
        let state = self.state.read();
        let Some(age) = (!state.active.is_empty()).then(|| self.clock.elapsed().saturating_sub(state.active.since))
        else {
            return state.frozen.is_some();
        };
        let bytes = state.active.bytes;
        state.frozen.is_some()
            || bytes >= self.config.flush_bytes()
            || age >= self.config.flush_after() && bytes >= self.config.worth_a_file_bytes()
            || age >= self.config.flush_at_latest()
    }

    /// Writes all rows that are in memory now to files.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.flushing.lock();
        loop {
            let (again, frozen) = {
                let mut state = self.state.write();
                // What an earlier flush could not write goes first.
                let again = state.frozen.is_some();
                if !again && state.active.is_empty() {
                    return Ok(());
                }
                if !again {
                    let active = std::mem::take(&mut state.active);
                    let dead = active.tables().map(|rows| (rows.table.name, Arc::clone(&rows.dead)));
                    state.frozen_dead = dead.collect();
                    state.frozen = Some(Arc::new(active));
                }
                (again, state.frozen.as_ref().map(Arc::clone).unwrap_or_default())
            };
            self.write_out(&frozen)?;
            if !again {
                return Ok(());
            }
        }
    }

    fn write_out(&self, frozen: &Memtable) -> Result<(), StoreError> {
        let started = self.clock.elapsed();
        let (began, dead) = {
            let mut state = self.state.write();
            (state.begin_job(), state.frozen_dead.clone())
        };
        let nothing = Dead::default();
        let written = frozen.tables().map(|rows| {
            let dead = dead.get(rows.table.name).unwrap_or(&nothing);
            write_file(&self.place(), self.number(), rows, dead, frozen.seqs)
        });
        let low_seq = frozen.seqs.1 + 1;
        let written = written.collect::<io::Result<Vec<_>>>();
        let committed = written.and_then(|written| self.replace_files(began, &[], written.concat(), Some(low_seq)));
        committed.map_err(|error| flush_failed(&error))?;
        self.journal.trim(low_seq);
        self.save_values();
        let took_ms = self.clock.elapsed().saturating_sub(started).as_millis() as u64;
        info!(rows = frozen.rows, bytes = frozen.bytes, took_ms, "wrote rows from memory to files");
        Ok(())
    }

    pub(super) fn save_values(&self) {
        let values = self.values.lock().clone();
        if let Err(error) = values::save(&*self.fs, &self.dir, &values) {
            warn!(%error, "the frequent values of fields can't be kept, trying again with the next flush");
        }
    }

    pub(super) fn place(&self) -> Place<'_> {
        Place { fs: &*self.fs, dir: &self.dir, now: self.clock.now() }
    }

    /// A number for a new file.
    pub(super) fn number(&self) -> u64 {
        self.next_file.fetch_add(1, Ordering::Relaxed)
    }

    /// Ends a job: `written` takes the place of `gone`, on disk and for queries. With `flushed`, what
    /// was frozen is in `written`, and the journal is needed from that record on.
    pub(super) fn replace_files(
        &self,
        began: usize,
        gone: &[Arc<DataFileHandle>],
        written: Vec<DataFile>,
        flushed: Option<u64>,
    ) -> io::Result<()> {
        let _one_at_a_time = self.committing.lock();
        let is_gone = |file: &LiveFile| gone.iter().any(|handle| Arc::ptr_eq(handle, &file.handle));
        let committed = self.commit_files(began, &is_gone, &written, flushed);
        let mut state = self.state.write();
        let (manifest, mut added) = match committed {
            Ok(committed) => committed,
            Err(error) => {
                state.end_job(began, &mut [])?;
                return Err(error);
            }
        };
        let settled = state.end_job(began, &mut added);
        state.files.retain(|file| !is_gone(file));
        state.files.extend(added);
        self.file_bytes.store(state.files.iter().map(|file| file.meta().bytes).sum(), Ordering::Relaxed);
        state.manifest = Arc::new(manifest);
        if flushed.is_some() {
            state.frozen = None;
            state.frozen_dead.clear();
        }
        drop(state);
        self.let_go.lock().extend(gone.iter().cloned());
        settled
    }

    fn commit_files(
        &self,
        began: usize,
        is_gone: &dyn Fn(&LiveFile) -> bool,
        written: &[DataFile],
        flushed: Option<u64>,
    ) -> io::Result<(Manifest, Vec<LiveFile>)> {
        let mut added = Vec::new();
        for meta in written {
            let table = said::find_table(&meta.table).ok_or_else(|| io::Error::other("a file of no table"))?;
            added.push(LiveFile::new(&self.dir, table, meta.clone())?);
        }
        let (before, mut files) = {
            let state = self.state.read();
            // What replaced them may be in a file already, and no more in the journal: then only the
            // manifest can say after a crash that they are dead.
            state.bury(began, &mut added)?;
            let kept = state.files.iter().filter(|file| !is_gone(file)).map(LiveFile::stored);
            (Arc::clone(&state.manifest), kept.collect::<io::Result<Vec<DataFile>>>()?)
        };
        for file in &added {
            files.push(file.stored()?);
        }
        let low_seq = flushed.unwrap_or(before.low_seq);
        let manifest = before.next(files, low_seq, self.next_file.load(Ordering::Relaxed));
        manifest::commit(&*self.fs, &self.dir, &manifest)?;
        Ok((manifest, added))
    }

    /// These rows of a file count no more, for all queries from now on; for good once a manifest says so.
    pub(super) fn kill_rows(&self, file: &LiveFile, rows: &RoaringBitmap) {
        let mut state = self.state.write();
        let live = state.files.iter_mut().find(|other| Arc::ptr_eq(&other.handle, &file.handle));
        if let Some(live) = live {
            live.kill(rows);
        }
    }

    /// Removes files that no manifest names and no query reads any more.
    pub(super) fn remove_unread(&self) {
        let mut let_go = self.let_go.lock();
        let (unread, read) = let_go.drain(..).partition(|handle| Arc::strong_count(handle) == 1);
        *let_go = read;
        drop(let_go);
        let unread: Vec<Arc<DataFileHandle>> = unread;
        for handle in unread {
            self.texts.remove(&handle.meta);
            self.footers.forget(&handle.meta);
            if let Err(error) = LiveFile::remove(&*self.fs, &self.dir, &handle) {
                warn!(%error, file = %handle.meta.relative_path(), "can't remove a file that was merged into others");
            }
        }
    }

    pub(super) fn stats(&self) -> StoreStats {
        let journal = self.journal.stats();
        let state = self.state.read();
        let frozen = state.frozen.as_ref().map_or((0, 0), |frozen| (frozen.rows, frozen.bytes));
        StoreStats {
            memtable_rows: state.active.rows + frozen.0,
            memtable_bytes: state.active.bytes + frozen.1,
            journal_bytes: journal.bytes,
            files: state.files.len() as u64,
            file_bytes: self.file_bytes.load(Ordering::Relaxed),
            appended_rows: self.appended_rows.load(Ordering::Relaxed),
            waiting_appends: self.waiting_appends.load(Ordering::Relaxed),
            read_only: matches!(journal.failed, Some(AppendError::DiskFull(_) | AppendError::Io(_))),
        }
    }
}

fn flush_failed(error: &std::io::Error) -> StoreError {
    StoreError::Disk(format!("rows can't be written to files ({error}); they stay in memory and in the journal"))
}
