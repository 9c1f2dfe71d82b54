//! The texts of rows: what searches look into.

use std::fs::File;
use std::io;
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use roaring::RoaringBitmap;
use signalbox_text::{Matcher, json};
use signalbox_types::table::{ColumnType, Table};

use crate::manifest::DataFile;

/// Rows that are read at once: bodies may have 100 KB each.
const BATCH_ROWS: usize = 256;

/// The searchable columns of some rows.
pub(super) struct Columns<'a> {
    rows: usize,
    /// With whether it holds JSON.
    columns: Vec<(&'a StringArray, bool)>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(table: &Table, batch: &'a RecordBatch) -> Self {
        let searchable = table.columns.iter().filter(|column| column.searchable);
        // A column that is newer than the file has no text in it.
        let columns = searchable.filter_map(|column| {
            let texts = batch.column_by_name(column.name)?.as_string_opt::<i32>()?;
            Some((texts, column.ty == ColumnType::Json))
        });
        Self { rows: batch.num_rows(), columns: columns.collect() }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// All texts of a row.
    pub(super) fn texts(&self, row: usize) -> Vec<String> {
        let mut texts = Vec::new();
        self.each(row, &mut |text| texts.push(text.to_owned()));
        texts
    }

    /// The numbers of the rows that the matcher's search is answered by, counted from `first_row`.
    pub(super) fn find(&self, matcher: &mut Matcher<'_>, first_row: u32, found: &mut RoaringBitmap) {
        for (number, row) in (first_row..).zip(0..self.rows) {
            if !matcher.may_match(self.stored(row).map(|(text, _)| text)) {
                continue;
            }
            matcher.start();
            self.each(row, &mut |text| matcher.read(text));
            if matcher.matches() {
                found.insert(number);
            }
        }
    }

    fn each(&self, row: usize, each: &mut dyn FnMut(&str)) {
        for (text, is_json) in self.stored(row) {
            if is_json { json::each_text(text, each) } else { each(text) }
        }
    }

    fn stored(&self, row: usize) -> impl Iterator<Item = (&'a str, bool)> {
        let present = self.columns.iter().filter(move |(texts, _)| texts.is_valid(row));
        present.map(move |(texts, is_json)| (texts.value(row), *is_json))
    }
}

/// Reads the searchable columns of a file, some rows at a time.
pub(super) fn each_batch(
    dir: &Path,
    file: &DataFile,
    table: &Table,
    mut each: impl FnMut(&Columns<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(dir.join(file.relative_path()))?)?;
    let names = table.columns.iter().filter(|column| column.searchable).map(|column| column.name);
    let mask = ProjectionMask::columns(builder.parquet_schema(), names);
    for batch in builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()? {
        let batch = batch.map_err(io::Error::other)?;
        each(&Columns::of(table, &batch))?;
    }
    Ok(())
}
