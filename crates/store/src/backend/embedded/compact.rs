//! Merging files in the background: many small ones into few large ones, a day each, without the rows
//! that count no more. Rows are copied once a level, so about once for each factor of [`FAN_IN`].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{AsArray as _, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::take_record_batch;
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;
use signalbox_types::Timestamp;
use signalbox_types::seam::StoreError;
use signalbox_types::table::{ColumnRoom, Table};
use tracing::info;

use super::state::Shared;
use crate::error::internal;
use crate::files::{DataFileHandle, LiveFile};
use crate::manifest::{DataFile, day_of};
use crate::minutes::Companions;
use crate::query::Engine;
use crate::said;
use crate::writer::FileWriter;

/// So many files of a level make one of the next.
const FAN_IN: usize = 10;
/// Files that are this old are merged though they are fewer: nothing more comes for their day, or slowly.
const QUIET_MICROS: i64 = 10 * 60 * 1_000_000;
/// No file gets larger.
const FILE_BYTES: usize = 1 << 30;
/// A file is rewritten when this share of it is dead.
const DEAD_SHARE: f64 = 0.2;
/// Files that are written side by side at most; their buffers share [`BUFFER_BYTES`].
const OPEN_FILES: usize = 64;
const BUFFER_BYTES: usize = 128 << 20;

/// Files of one table that are to be merged.
#[derive(Debug)]
pub(super) struct Job {
    table: &'static Table,
    files: Vec<Arc<DataFileHandle>>,
    level: u32,
    /// Leave the bodies out.
    strip: bool,
    /// Sums of rows that are too old to be kept.
    sums: Vec<DataFile>,
}

impl Job {
    /// The same rows without their bodies.
    pub(super) fn strip(file: &LiveFile) -> Option<Self> {
        Self::rewrite(file).map(|job| Self { strip: true, ..job })
    }

    /// These stay beside what is written.
    pub(super) fn with_sums(self, sums: Vec<DataFile>) -> Self {
        Self { sums, ..self }
    }

    /// A rewrite of this file alone, so that its dead rows are gone from the disk.
    pub(super) fn rewrite(file: &LiveFile) -> Option<Self> {
        let meta = file.meta();
        let table = said::find_table(&meta.table)?;
        Some(Self {
            table,
            files: vec![Arc::clone(&file.handle)],
            level: meta.level,
            strip: meta.without_bodies,
            sums: Vec::new(),
        })
    }
}

/// What is most worth doing now.
fn choose(files: &[LiveFile], now: Timestamp, zeal: Zeal) -> Option<Job> {
    let thorough = zeal == Zeal::Thorough;
    let worn = |file: &&LiveFile| {
        let most = if thorough { 0.0 } else { file.meta().rows as f64 * DEAD_SHARE };
        file.dead_rows() > 0 && file.dead_rows() as f64 >= most
    };
    let companions = Companions::among(files);
    let merged = |file: &&LiveFile| !companions.has(file);
    for ((name, _, level), mut group) in groups(files.iter().filter(merged), thorough) {
        group.sort_by_key(|file| file.meta().written);
        let quiet = group.iter().all(|file| now.as_micros() - file.meta().written > QUIET_MICROS);
        let enough = if thorough || (quiet && level == 0) { 2 } else { FAN_IN };
        if group.len() >= enough {
            let files = group.into_iter().take(FAN_IN).map(|file| Arc::clone(&file.handle)).collect();
            return Some(Job {
                table: said::find_table(name)?,
                files,
                level: level + 1,
                strip: false,
                sums: Vec::new(),
            });
        }
    }
    files.iter().filter(merged).find(worn).and_then(Job::rewrite)
}

/// Files that can be merged with each other, by table, day and level.
type Groups<'a> = BTreeMap<(&'a str, Option<i64>, u32), Vec<&'a LiveFile>>;

fn groups<'a>(files: impl Iterator<Item = &'a LiveFile>, thorough: bool) -> Groups<'a> {
    let mut groups = Groups::new();
    for file in files.filter(|file| file.meta().bytes < FILE_BYTES as u64 / 2) {
        let meta = file.meta();
        // What was written from memory may hold several days; what was merged holds one.
        let day = (meta.level > 0).then(|| day_of(meta.time.0));
        let level = if thorough { meta.level.min(1) } else { meta.level };
        groups.entry((&meta.table, day, level)).or_default().push(file);
    }
    groups
}

/// Files that will be merged as soon as there is time.
pub(super) fn merged_soon(files: &[LiveFile]) -> impl Iterator<Item = &LiveFile> {
    let groups = groups(files.iter(), false).into_values();
    groups.filter(|group| group.len() >= FAN_IN).flatten()
}

/// How much is worth doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zeal {
    /// What saves more than it costs.
    Thrifty,
    /// All that can be merged, and every dead row.
    Thorough,
}

/// Does what is most worth doing now. Says whether there was anything.
pub(super) fn step(shared: &Shared, engine: &Engine, zeal: Zeal) -> Result<bool, StoreError> {
    let _one_at_a_time = shared.merging.lock();
    // Nothing may hold the files while they are merged: they are removed when nobody reads them.
    let job = choose(&shared.state.read().files, shared.clock.now(), zeal);
    match job {
        Some(job) => run(shared, engine, job).map(|()| true),
        None => Ok(false),
    }
}

/// Merges the files of a job, with `merging` held. Queries and writers go on meanwhile.
pub(super) fn run(shared: &Shared, engine: &Engine, job: Job) -> Result<(), StoreError> {
    let started = shared.clock.elapsed();
    let Job { table, files: mut gone, level, strip, sums } = job;
    let (began, files) = {
        let mut state = shared.state.write();
        // As they are now: rows may have died since the job was chosen.
        let same = |file: &&LiveFile| gone.iter().any(|handle| Arc::ptr_eq(handle, &file.handle));
        let files: Vec<LiveFile> = state.files.iter().filter(same).cloned().collect();
        let companions = Companions::among(&state.files);
        gone.extend(files.iter().filter_map(|file| companions.of(file)).map(|file| Arc::clone(&file.handle)));
        (state.begin_job(), files)
    };
    let strip = strip || files.iter().all(|file| file.meta().without_bodies);
    let written = write(shared, engine, table, &files, level, strip);
    let of_table = |file: &&DataFile| file.table == table.name;
    let rows = written.iter().flatten().filter(of_table).map(|file| file.rows).sum::<u64>();
    let result = match written {
        Ok(written) => shared.replace_files(began, &gone, [written, sums].concat(), None),
        Err(error) => {
            let ended = shared.state.write().end_job(began, &mut []);
            Err(ended.err().unwrap_or(error))
        }
    };
    result.map_err(internal)?;
    drop((files, gone));
    shared.remove_unread();
    let took_ms = shared.clock.elapsed().saturating_sub(started).as_millis() as u64;
    info!(table = table.name, level, rows, took_ms, "merged data files");
    Ok(())
}

fn write(
    shared: &Shared,
    engine: &Engine,
    table: &'static Table,
    files: &[LiveFile],
    level: u32,
    strip: bool,
) -> io::Result<Vec<DataFile>> {
    let seqs = files.iter().map(|file| file.meta().seqs).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0, 0));
    let mut days = Days { shared, table, level, strip, seqs, open: BTreeMap::new(), done: Vec::new() };
    if files.iter().any(|file| file.alive() > 0) {
        engine.merge(table, files, &mut |batch| days.write(&batch))?;
    }
    days.finish()
}

/// A file for each day.
struct Days<'a> {
    shared: &'a Shared,
    table: &'static Table,
    level: u32,
    strip: bool,
    seqs: (u64, u64),
    open: BTreeMap<i64, FileWriter<'a>>,
    done: Vec<DataFile>,
}

impl Days<'_> {
    fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        if self.shared.closed.load(Ordering::Acquire) {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "the event store is being closed"));
        }
        let batch = if self.strip { without_bodies(self.table, batch)? } else { batch.clone() };
        for (day, rows) in by_day(self.table, &batch).map_err(io::Error::other)? {
            self.make_room(day)?;
            let writer = match self.open.entry(day) {
                Entry::Occupied(open) => open.into_mut(),
                Entry::Vacant(vacant) => {
                    let number = self.shared.number();
                    let mut writer = FileWriter::create(&self.shared.place(), self.table, number, self.level)?;
                    if self.strip {
                        writer.without_bodies();
                    }
                    vacant.insert(writer)
                }
            };
            writer.write(&rows)?;
            let full = writer.bytes() > FILE_BYTES;
            if full && let Some(writer) = self.open.remove(&day) {
                self.done.extend(writer.finish(self.seqs)?);
            }
        }
        self.keep_in_memory()
    }

    /// Times may be anything: files of another day are closed early rather than too many open.
    fn make_room(&mut self, day: i64) -> io::Result<()> {
        if self.open.len() < OPEN_FILES || self.open.contains_key(&day) {
            return Ok(());
        }
        if let Some((_, writer)) = self.open.pop_first() {
            self.done.extend(writer.finish(self.seqs)?);
        }
        Ok(())
    }

    fn keep_in_memory(&mut self) -> io::Result<()> {
        let buffered: usize = self.open.values().map(FileWriter::buffered).sum();
        if buffered < BUFFER_BYTES {
            return Ok(());
        }
        let largest = self.open.values_mut().max_by_key(|writer| writer.buffered());
        largest.map_or(Ok(()), FileWriter::end_row_group)
    }

    fn finish(mut self) -> io::Result<Vec<DataFile>> {
        while let Some((_, writer)) = self.open.pop_first() {
            self.done.extend(writer.finish(self.seqs)?);
        }
        Ok(self.done)
    }
}

fn by_day(table: &Table, batch: &RecordBatch) -> Result<Vec<(i64, RecordBatch)>, ArrowError> {
    let times = batch.column_by_name(table.time_column);
    let times = times.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let Some(times) = times else { return Ok(vec![(0, batch.clone())]) };
    let mut days: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for (row, time) in (0..).zip(times.values()) {
        days.entry(day_of(*time)).or_default().push(row);
    }
    if days.len() == 1 {
        return Ok(days.into_keys().map(|day| (day, batch.clone())).collect());
    }
    let take = |(day, rows): (i64, Vec<u32>)| Ok((day, take_record_batch(batch, &UInt32Array::from(rows))?));
    days.into_iter().map(take).collect()
}

/// The rows with nothing in their bodies.
fn without_bodies(table: &Table, batch: &RecordBatch) -> io::Result<RecordBatch> {
    let columns = table.columns.iter().zip(batch.columns()).map(|(column, values)| {
        if column.room == ColumnRoom::Body && column.nullable {
            new_null_array(values.data_type(), values.len())
        } else {
            Arc::clone(values)
        }
    });
    RecordBatch::try_new(batch.schema(), columns.collect()).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use signalbox_testkit::ManualClock;
    use signalbox_testkit::builders::llm_span;
    use signalbox_types::ProjectId;
    use signalbox_types::seam::{Clock as _, EventStore};

    use super::super::Store;
    use crate::StoreConfig;

    #[tokio::test]
    async fn nothing_is_remembered_of_files_that_were_merged() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let start = clock.now();
        let store = Store::open(dir.path(), StoreConfig::default(), clock).unwrap();
        let project = ProjectId::new("p");
        let ask = || store.sql(&project, "SELECT name FROM spans WHERE duration_ms > 0");
        for round in 0..4 {
            let spans: Vec<_> = (0..5).map(|n| llm_span("p", round * 5 + n, "sim/small", start, n)).collect();
            store.append(spans.into()).await.unwrap();
            store.flush().await.unwrap();
        }
        assert_eq!(ask().await.unwrap().rows.len(), 20);
        let before = store.shared.footers.len();
        assert!(before >= 4, "{before} of four files are remembered");
        store.compact().await.unwrap();
        assert_eq!(ask().await.unwrap().rows.len(), 20);
        let files = store.shared.state.read().files.len();
        assert!(files < before && store.shared.footers.len() <= files, "{} of {files}", store.shared.footers.len());
    }

    #[tokio::test]
    async fn files_that_nobody_asks_for_are_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let start = clock.now();
        let store = Store::open(dir.path(), StoreConfig::default(), clock).unwrap();
        let project = ProjectId::new("p");
        let ask =
            async || store.sql(&project, "SELECT name FROM spans WHERE duration_ms > 0").await.unwrap().rows.len();
        store.append(vec![llm_span("p", 1, "sim/small", start, 1)].into()).await.unwrap();
        store.flush().await.unwrap();
        let footers = &store.shared.footers;
        assert_eq!((ask().await, footers.len() > 0), (1, true));
        footers.forget_unasked();
        assert!(footers.len() > 0, "it was asked for since it is there");
        ask().await;
        footers.forget_unasked();
        assert!(footers.len() > 0, "and again");
        footers.forget_unasked();
        assert_eq!((footers.len(), ask().await), (0, 1));
    }
}
