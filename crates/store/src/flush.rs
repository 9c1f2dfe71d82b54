//! Rows from memory to a sorted Parquet file.

use std::io;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{SortColumn, concat, interleave_record_batch, lexsort_to_indices};
use arrow::error::ArrowError;
use roaring::RoaringBitmap;
use signalbox_types::table::Table;

use crate::manifest::DataFile;
use crate::memtable::{Chunk, Rows};
use crate::writer::{FileWriter, Place};

/// Rows that are brought in order at once: what a flush needs beside the memtable itself.
const SLICE_ROWS: usize = 4_096;

/// Writes the rows that are not dead, sorted, as one file and perhaps its companion; none if there are
/// none. When it returns, they survive a power loss; they are live once the manifest says so.
pub(crate) fn write_file(
    place: &Place<'_>,
    number: u64,
    rows: &Rows,
    dead: &RoaringBitmap,
    seqs: (u64, u64),
) -> io::Result<Vec<DataFile>> {
    let batches: Vec<&RecordBatch> = rows.chunks.iter().map(|chunk| &chunk.batch).collect();
    let order = sorted(rows.table, &rows.chunks, dead).map_err(io::Error::other)?;
    if order.is_empty() {
        return Ok(Vec::new());
    }
    let mut writer = FileWriter::create(place, rows.table, number, 0)?;
    for slice in order.chunks(SLICE_ROWS) {
        writer.write(&interleave_record_batch(&batches, slice).map_err(io::Error::other)?)?;
    }
    writer.finish(seqs)
}

/// Where the rows that count stand (chunk, row), in the table's order.
fn sorted(table: &Table, chunks: &[Arc<Chunk>], dead: &RoaringBitmap) -> Result<Vec<(usize, usize)>, ArrowError> {
    let mut places = Vec::new();
    for (i, chunk) in chunks.iter().enumerate() {
        places.extend((0..chunk.batch.num_rows()).map(|row| (i, row)));
    }
    let columns = table.sort.iter().map(|name| {
        let parts: Option<Vec<&dyn Array>> =
            chunks.iter().map(|chunk| chunk.batch.column_by_name(name).map(ArrayRef::as_ref)).collect();
        let parts = parts.ok_or_else(|| ArrowError::SchemaError(format!("`{}` has no column `{name}`", table.name)))?;
        Ok(SortColumn { values: concat(&parts)?, options: None })
    });
    let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
    let order = lexsort_to_indices(&columns, None)?;
    // The chunks lie one after another, so a row's place among them is the one that `dead` has.
    Ok(order.values().iter().filter(|at| !dead.contains(**at)).map(|&at| places[at as usize]).collect())
}
