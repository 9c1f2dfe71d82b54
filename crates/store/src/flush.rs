//! Rows from memory to a sorted Parquet file.

use std::io::{self, BufWriter};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::compute::{SortColumn, concat, interleave_record_batch, lexsort_to_indices};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use signalbox_journal::fs::{File, Fs};
use signalbox_types::table::Table;

use crate::manifest::DataFile;
use crate::memtable::Chunk;
use crate::schema;

/// Rows that are brought in order at once: what a flush needs beside the memtable itself.
const SLICE_ROWS: usize = 4_096;

/// Writes the chunks, sorted, as file `number` of the table. When it returns, the file survives a
/// power loss; it is live once the manifest says so.
pub(crate) fn write_file(
    fs: &dyn Fs,
    folder: &Path,
    number: u64,
    table: &'static Table,
    chunks: &[Arc<Chunk>],
    seqs: (u64, u64),
) -> io::Result<DataFile> {
    let name = format!("{number:012}.parquet");
    let (path, tmp) = (folder.join(&name), folder.join(format!("{number:012}.tmp")));
    let batches: Vec<&RecordBatch> = chunks.iter().map(|chunk| &chunk.batch).collect();
    let order = sorted(table, &batches).map_err(io::Error::other)?;
    let writer = BufWriter::with_capacity(1 << 20, fs.create(&tmp)?);
    let mut file = write_rows(writer, table, &batches, &order)?;
    file.sync()?;
    fs.rename(&tmp, &path)?;
    fs.sync_dir(folder)?;
    Ok(DataFile {
        table: table.name.to_owned(),
        name,
        rows: order.len() as u64,
        bytes: fs.len(&path)?,
        time: (
            chunks.iter().map(|chunk| chunk.time.0).min().unwrap_or(i64::MIN),
            chunks.iter().map(|chunk| chunk.time.1).max().unwrap_or(i64::MAX),
        ),
        projects: (project(&batches, order.first()), project(&batches, order.last())),
        seqs,
        level: 0,
    })
}

fn write_rows(
    writer: BufWriter<Box<dyn File>>,
    table: &'static Table,
    batches: &[&RecordBatch],
    order: &[(usize, usize)],
) -> io::Result<Box<dyn File>> {
    let failed = |error: parquet::errors::ParquetError| match error {
        // The kind says whether the disk is full.
        parquet::errors::ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    };
    let mut parquet =
        ArrowWriter::try_new(writer, schema::of(table), Some(schema::writer_properties(table))).map_err(failed)?;
    for slice in order.chunks(SLICE_ROWS) {
        let rows = interleave_record_batch(batches, slice).map_err(io::Error::other)?;
        parquet.write(&rows).map_err(failed)?;
    }
    let writer = parquet.into_inner().map_err(failed)?;
    writer.into_inner().map_err(io::IntoInnerError::into_error)
}

/// Where the rows stand (batch, row), in the table's order.
fn sorted(table: &Table, batches: &[&RecordBatch]) -> Result<Vec<(usize, usize)>, ArrowError> {
    let places: Vec<(usize, usize)> =
        batches.iter().enumerate().flat_map(|(i, batch)| (0..batch.num_rows()).map(move |row| (i, row))).collect();
    let columns = table.sort.iter().map(|name| {
        let parts: Option<Vec<&dyn Array>> =
            batches.iter().map(|batch| batch.column_by_name(name).map(ArrayRef::as_ref)).collect();
        let parts = parts.ok_or_else(|| ArrowError::SchemaError(format!("`{}` has no column `{name}`", table.name)))?;
        Ok(SortColumn { values: concat(&parts)?, options: None })
    });
    let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
    let order = lexsort_to_indices(&columns, None)?;
    Ok(order.values().iter().map(|&at| places[at as usize]).collect())
}

fn project(batches: &[&RecordBatch], place: Option<&(usize, usize)>) -> String {
    let name = place.and_then(|&(batch, row)| {
        let projects = batches[batch].column_by_name("project_id")?.as_any().downcast_ref::<StringArray>()?;
        Some(projects.value(row).to_owned())
    });
    name.unwrap_or_default()
}
