//! Rows that are in the journal but not yet in files.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::{concat_batches, max, min};
use arrow::error::ArrowError;
use signalbox_types::table::Table;

use crate::rows::TableBatch;

/// Small batches are joined when there are so many, so that a query meets few of them.
const JOIN: usize = 16;

/// A batch of rows and what is known of it.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) batch: RecordBatch,
    pub(crate) bytes: u64,
    /// Microseconds, both inclusive.
    pub(crate) time: (i64, i64),
}

/// What was published between two flushes.
#[derive(Debug, Default)]
pub(crate) struct Memtable {
    tables: BTreeMap<&'static str, (&'static Table, Vec<Arc<Chunk>>)>,
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
    fn new(table: &Table, batch: RecordBatch) -> Self {
        let times = batch.column_by_name(table.time_column);
        let times = times.and_then(|column| column.as_any().downcast_ref::<TimestampMicrosecondArray>());
        let time = times.and_then(|times| Some((min(times)?, max(times)?)));
        Self { bytes: bytes_of(&batch), time: time.unwrap_or((i64::MIN, i64::MAX)), batch }
    }
}

impl Memtable {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Takes the rows of journal record `seq`. Called in the order of the numbers.
    pub(crate) fn push(&mut self, seq: u64, batches: Vec<TableBatch>, now: Duration) -> Result<(), ArrowError> {
        if self.is_empty() {
            self.seqs.0 = seq;
            self.since = now;
        }
        self.seqs.1 = seq;
        for TableBatch { table, batch } in batches {
            let chunk = Chunk::new(table, batch);
            self.rows += chunk.batch.num_rows() as u64;
            self.bytes += chunk.bytes;
            let (_, chunks) = self.tables.entry(table.name).or_insert_with(|| (table, Vec::new()));
            chunks.push(Arc::new(chunk));
            // A row is copied three times at most: into chunks of some dozen, some hundred, some thousand.
            join_last(table, chunks, 64)?;
            join_last(table, chunks, 1_024)?;
        }
        Ok(())
    }

    pub(crate) fn chunks(&self, table: &Table) -> &[Arc<Chunk>] {
        self.tables.get(table.name).map_or(&[], |(_, chunks)| chunks)
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = (&'static Table, &[Arc<Chunk>])> {
        self.tables.values().map(|(table, chunks)| (*table, chunks.as_slice()))
    }
}

/// Joins the last chunks if [`JOIN`] of them have fewer rows than this.
fn join_last(table: &Table, chunks: &mut Vec<Arc<Chunk>>, fewer_than: usize) -> Result<(), ArrowError> {
    let small = chunks.iter().rev().take(JOIN).take_while(|chunk| chunk.batch.num_rows() < fewer_than).count();
    if small < JOIN {
        return Ok(());
    }
    let start = chunks.len() - JOIN;
    let schema = chunks[start].batch.schema();
    let joined = concat_batches(&schema, chunks[start..].iter().map(|chunk| &chunk.batch))?;
    chunks.truncate(start);
    chunks.push(Arc::new(Chunk::new(table, joined)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use signalbox_testkit::builders::llm_span;
    use signalbox_types::Timestamp;
    use signalbox_types::table::{FINDINGS, SPANS};

    use super::*;
    use crate::rows;

    #[test]
    fn many_small_batches_become_few() {
        let mut memtable = Memtable::default();
        for seq in 1..=2_000 {
            let span = llm_span("p", seq, "m", Timestamp::from_micros(0), seq);
            memtable.push(seq, vec![rows::build([&span]).unwrap().unwrap()], Duration::ZERO).unwrap();
        }
        let chunks = memtable.chunks(&SPANS);
        assert!(chunks.len() < 64, "{}", chunks.len());
        assert_eq!(chunks.iter().map(|chunk| chunk.batch.num_rows()).sum::<usize>(), 2_000);
        assert_eq!((memtable.rows, memtable.seqs), (2_000, (1, 2_000)));
        assert_eq!(chunks[0].time.0, 1_000);
        assert!(chunks.windows(2).all(|pair| pair[0].time.1 < pair[1].time.0), "order is kept");
        assert!(memtable.chunks(&FINDINGS).is_empty());
    }
}
