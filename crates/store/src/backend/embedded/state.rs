//! What the parts of the store share, and the one lock under which rows move from memory to files.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex, RwLock};
use signalbox_journal::fs::Fs;
use signalbox_journal::{AppendError, Journal};
use signalbox_types::Span;
use signalbox_types::seam::{Clock, StoreError, StoreStats};
use signalbox_types::table::Table;
use tokio::sync::broadcast;
use tracing::{error, info};

use crate::StoreConfig;
use crate::error::refused;
use crate::flush::write_file;
use crate::manifest::{self, DataFile, FILES, Manifest};
use crate::memtable::{Chunk, Memtable};
use crate::rows::TableBatch;

/// Where rows are.
#[derive(Debug)]
pub(super) struct State {
    /// Takes new rows.
    pub(super) active: Memtable,
    /// Being written to files.
    pub(super) frozen: Option<Arc<Memtable>>,
    pub(super) manifest: Arc<Manifest>,
}

/// All rows of a table at one moment: what a query reads, whatever happens meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) files: Vec<Arc<DataFile>>,
    pub(crate) chunks: Vec<Arc<Chunk>>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) fs: Arc<dyn Fs>,
    pub(super) dir: PathBuf,
    pub(super) config: StoreConfig,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) state: RwLock<State>,
    pub(super) journal: Journal,
    pub(super) live: broadcast::Sender<Arc<Span>>,
    pub(super) appended_rows: AtomicU64,
    pub(super) waiting_appends: AtomicU64,
    pub(super) waiting_bytes: AtomicU64,
    pub(super) closed: AtomicBool,
    /// Held while rows are written to files: one flush at a time.
    flushing: Mutex<()>,
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
    ) -> Self {
        Self {
            fs,
            dir,
            config,
            clock,
            state: RwLock::new(state),
            journal,
            live: broadcast::channel(1_024).0,
            appended_rows: AtomicU64::new(0),
            waiting_appends: AtomicU64::new(0),
            waiting_bytes: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            flushing: Mutex::default(),
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

    pub(super) fn leave(&self, bytes: u64) {
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.waiting_appends.fetch_sub(1, Ordering::Relaxed);
    }

    /// Makes the rows of a journal record visible. Called on the journal's thread, in order.
    pub(super) fn publish(&self, seq: u64, batches: Vec<TableBatch>) {
        let rows: usize = batches.iter().map(|table| table.batch.num_rows()).sum();
        let now = self.clock.elapsed();
        let (pushed, bytes) = {
            let mut state = self.state.write();
            (state.active.push(seq, batches, now), state.active.bytes)
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

    pub(super) fn snapshot(&self, table: &Table) -> Snapshot {
        let state = self.state.read();
        let frozen = state.frozen.as_deref().map_or(&[][..], |frozen| frozen.chunks(table));
        let files = state.manifest.files.iter().filter(|file| file.table == table.name);
        Snapshot {
            files: files.cloned().collect(),
            chunks: frozen.iter().chain(state.active.chunks(table)).cloned().collect(),
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
            let frozen = {
                let mut state = self.state.write();
                // What an earlier flush could not write goes first.
                let again = state.frozen.is_some();
                if !again && state.active.is_empty() {
                    return Ok(());
                }
                let State { active, frozen, .. } = &mut *state;
                (again, Arc::clone(frozen.get_or_insert_with(|| Arc::new(std::mem::take(active)))))
            };
            let (again, frozen) = frozen;
            self.write_out(&frozen)?;
            if !again {
                return Ok(());
            }
        }
    }

    fn write_out(&self, frozen: &Memtable) -> Result<(), StoreError> {
        let started = self.clock.elapsed();
        let before = Arc::clone(&self.state.read().manifest);
        let mut next_file = before.next_file;
        let mut added = Vec::new();
        for (table, chunks) in frozen.tables() {
            let folder = self.dir.join(FILES).join(table.name);
            let file = write_file(&*self.fs, &folder, next_file, table, chunks, frozen.seqs);
            added.push(file.map_err(|error| flush_failed(&error))?);
            next_file += 1;
        }
        let low_seq = frozen.seqs.1 + 1;
        let after = Arc::new(before.after_flush(added, low_seq, next_file));
        manifest::commit(&*self.fs, &self.dir, &after).map_err(|error| flush_failed(&error))?;
        {
            let mut state = self.state.write();
            state.manifest = after;
            state.frozen = None;
        }
        self.journal.trim(low_seq);
        let took_ms = self.clock.elapsed().saturating_sub(started).as_millis() as u64;
        info!(rows = frozen.rows, bytes = frozen.bytes, took_ms, "wrote rows from memory to files");
        Ok(())
    }

    pub(super) fn stats(&self) -> StoreStats {
        let journal = self.journal.stats();
        let state = self.state.read();
        let frozen = state.frozen.as_ref().map_or((0, 0), |frozen| (frozen.rows, frozen.bytes));
        StoreStats {
            memtable_rows: state.active.rows + frozen.0,
            memtable_bytes: state.active.bytes + frozen.1,
            journal_bytes: journal.bytes,
            files: state.manifest.files.len() as u64,
            file_bytes: state.manifest.files.iter().map(|file| file.bytes).sum(),
            appended_rows: self.appended_rows.load(Ordering::Relaxed),
            waiting_appends: self.waiting_appends.load(Ordering::Relaxed),
            read_only: matches!(journal.failed, Some(AppendError::DiskFull(_) | AppendError::Io(_))),
        }
    }
}

fn flush_failed(error: &std::io::Error) -> StoreError {
    StoreError::Disk(format!("rows can't be written to files ({error}); they stay in memory and in the journal"))
}
