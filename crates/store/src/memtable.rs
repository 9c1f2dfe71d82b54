//! Rows that are in the journal but not yet in files.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::{concat_batches, filter_record_batch, max, min};
use arrow::error::ArrowError;
use roaring::RoaringBitmap;
use signalbox_types::table::{Identity, Table};

use crate::keys::{Key, KeyMap};
use crate::rows::KeyedBatch;
use crate::said::{MESSAGES, hash_of};

/// Small batches are joined when there are so many, so that a query meets few of them.
const JOIN: usize = 16;

/// A batch of rows and what is known of it.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) batch: RecordBatch,
    pub(crate) bytes: u64,
    /// Microseconds, both inclusive.
    pub(crate) time: (i64, i64),
    /// The place of its first row among the table's rows in this memtable.
    pub(crate) first: u32,
    /// Of bodies: which hash stands in which row, sorted; made when it is first asked for.
    hashes: OnceLock<Vec<(u128, u32)>>,
}

/// Rows that count no more, by their place in a file or in a table's rows in memory.
pub(crate) type Dead = Arc<RoaringBitmap>;

/// The rows of one table.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) table: &'static Table,
    pub(crate) chunks: Vec<Arc<Chunk>>,
    rows: u32,
    /// Where the rows of a key are: one after another.
    keys: KeyMap<Range<u32>>,
    pub(crate) dead: Dead,
}

/// What was published between two flushes.
#[derive(Debug, Default)]
pub(crate) struct Memtable {
    tables: BTreeMap<&'static str, Rows>,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Journal records in it, both inclusive; meaningless while it is empty.
    pub(crate) seqs: (u64, u64),
    /// When its first row came, by `Clock::elapsed`.
    pub(crate) since: Duration,
}

/// Bytes of the rows themselves: `get_array_memory_size` counts shared buffers once a column.
pub(crate) fn bytes_of(batch: &RecordBatch) -> u64 {
    let sizes = batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or(0));
    sizes.sum::<usize>() as u64
}

impl Chunk {
    pub(crate) fn new(table: &Table, batch: RecordBatch, first: u32) -> Self {
        let times = batch.column_by_name(table.time_column);
        let times = times.and_then(|column| column.as_any().downcast_ref::<TimestampMicrosecondArray>());
        let time = times.and_then(|times| Some((min(times)?, max(times)?)));
        let time = time.unwrap_or((i64::MIN, i64::MAX));
        Self { bytes: bytes_of(&batch), time, batch, first, hashes: OnceLock::new() }
    }

    /// Which hash of a body stands in which of its rows, sorted; none if its table has no bodies.
    pub(crate) fn hashes(&self) -> &[(u128, u32)] {
        self.hashes.get_or_init(|| {
            let column = self.batch.column_by_name("hash").and_then(|column| column.as_string_opt::<i32>());
            let texts = column.into_iter().flatten().zip(0..);
            let mut hashes: Vec<_> = texts.filter_map(|(text, row)| Some((hash_of(text?)?, row))).collect();
            hashes.sort_unstable();
            hashes
        })
    }

    /// Its rows without the dead ones.
    pub(crate) fn alive(&self, dead: Option<&RoaringBitmap>) -> Result<RecordBatch, ArrowError> {
        let end = self.first.saturating_add(u32::try_from(self.batch.num_rows()).unwrap_or(u32::MAX));
        let Some(dead) = dead.filter(|dead| dead.range_cardinality(self.first..end) > 0) else {
            return Ok(self.batch.clone());
        };
        let keep: BooleanArray = (self.first..end).map(|row| Some(!dead.contains(row))).collect();
        filter_record_batch(&self.batch, &keep)
    }
}

impl Rows {
    fn new(table: &'static Table) -> Self {
        Self { table, chunks: Vec::new(), rows: 0, keys: KeyMap::default(), dead: Dead::default() }
    }

    /// Where the rows of a key are, if there are any.
    pub(crate) fn find(&self, key: Key) -> Option<Range<u32>> {
        self.keys.get(&key).cloned()
    }

    /// The rows of a key count no more. Says whether there were any.
    pub(crate) fn kill(&mut self, key: Key) -> bool {
        let Some(rows) = self.keys.remove(&key) else { return false };
        Arc::make_mut(&mut self.dead).insert_range(rows);
        true
    }

    fn push(&mut self, batch: RecordBatch, keys: &[Key]) -> Result<u64, ArrowError> {
        let first = self.rows;
        let replaces = matches!(self.table.identity, Identity::Replaced);
        for (row, key) in (first..).zip(keys) {
            if replaces {
                self.kill(*key);
            }
            let run = self.keys.entry(*key).or_insert(row..row);
            *run = run.start.min(row)..row + 1;
        }
        self.rows = first.saturating_add(u32::try_from(batch.num_rows()).unwrap_or(u32::MAX));
        let chunk = Chunk::new(self.table, batch, first);
        let bytes = chunk.bytes;
        self.chunks.push(Arc::new(chunk));
        // A row is copied three times at most: into chunks of some dozen, some hundred, some thousand.
        join_last(self.table, &mut self.chunks, 64)?;
        join_last(self.table, &mut self.chunks, 1_024)?;
        Ok(bytes)
    }
}

impl Memtable {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Takes the rows of journal record `seq`. Called in the order of the numbers.
    pub(crate) fn begin(&mut self, seq: u64, now: Duration) {
        if self.is_empty() {
            self.seqs.0 = seq;
            self.since = now;
        }
        self.seqs.1 = seq;
    }

    /// Takes rows. Whom they replace is the caller's to find first.
    pub(crate) fn push(&mut self, keyed: KeyedBatch) -> Result<(), ArrowError> {
        let KeyedBatch { table, batch, keys } = keyed;
        // Bodies never come alone, and nobody knows of them.
        self.rows += if *table == MESSAGES { 0 } else { batch.num_rows() as u64 };
        let rows = self.tables.entry(table.name).or_insert_with(|| Rows::new(table));
        self.bytes += rows.push(batch, &keys)?;
        Ok(())
    }

    pub(crate) fn of_mut(&mut self, table: &Table) -> Option<&mut Rows> {
        self.tables.get_mut(table.name)
    }

    pub(crate) fn of(&self, table: &Table) -> Option<&Rows> {
        self.tables.get(table.name)
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = &Rows> {
        self.tables.values()
    }
}

/// Joins the last chunks if [`JOIN`] of them have fewer rows than this.
fn join_last(table: &Table, chunks: &mut Vec<Arc<Chunk>>, fewer_than: usize) -> Result<(), ArrowError> {
    let small = chunks.iter().rev().take(JOIN).take_while(|chunk| chunk.batch.num_rows() < fewer_than).count();
    if small < JOIN {
        return Ok(());
    }
    let start = chunks.len() - JOIN;
    let (schema, first) = (chunks[start].batch.schema(), chunks[start].first);
    let joined = concat_batches(&schema, chunks[start..].iter().map(|chunk| &chunk.batch))?;
    chunks.truncate(start);
    chunks.push(Arc::new(Chunk::new(table, joined, first)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use signalbox_testkit::builders::llm_span;
    use signalbox_types::Timestamp;
    use signalbox_types::table::{FINDINGS, SPANS};

    use super::*;
    use crate::said;

    #[test]
    fn many_small_batches_become_few() {
        let mut memtable = Memtable::default();
        for seq in 1..=2_000 {
            let span = llm_span("p", seq, "m", Timestamp::from_micros(0), seq);
            memtable.begin(seq, Duration::ZERO);
            memtable.push(said::stored(&[span]).keyed().unwrap()).unwrap();
        }
        let rows = memtable.of(&SPANS).unwrap();
        let chunks = &rows.chunks;
        assert!(chunks.len() < 64, "{}", chunks.len());
        assert_eq!(chunks.iter().map(|chunk| chunk.batch.num_rows()).sum::<usize>(), 2_000);
        assert_eq!((memtable.rows, memtable.seqs), (2_000, (1, 2_000)));
        assert_eq!(chunks[0].time.0, 1_000);
        assert!(chunks.windows(2).all(|pair| pair[0].time.1 < pair[1].time.0), "order is kept");
        assert!(memtable.of(&FINDINGS).is_none());
        let span = llm_span("p", 700, "m", Timestamp::from_micros(0), 700);
        let key = said::stored(&[span]).keyed().unwrap().keys[0];
        assert_eq!(rows.find(key), Some(699..700));
        let chunk = chunks.iter().rfind(|chunk| chunk.first <= 699).unwrap();
        let dead = RoaringBitmap::from([699, 1_999]);
        assert_eq!(chunk.alive(Some(&dead)).unwrap().num_rows(), chunk.batch.num_rows() - 1);
    }
}
