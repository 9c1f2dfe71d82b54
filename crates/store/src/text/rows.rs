//! The texts of rows: what searches look into.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use arrow::array::{Array, AsArray, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::TimestampMicrosecondType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelector};
use roaring::RoaringBitmap;
use signalbox_text::{Matcher, json};
use signalbox_types::table::{ColumnType, Table};

use crate::manifest::{DataFile, day_of};
use crate::said::{Bodies, Reference, Window, each_reference, said_first};

/// Rows that are read at once: bodies may have 100 KB each.
const BATCH_ROWS: usize = 256;

/// How a text is read.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Json,
    Message,
}

/// The texts of some rows.
pub(super) struct Columns<'a> {
    rows: usize,
    columns: Vec<(&'a StringArray, Kind)>,
    /// What is kept by hash …
    references: Vec<&'a ListArray>,
    /// … of which this is known.
    body: &'a dyn Fn(u128) -> Option<&'a str>,
}

/// The searchable columns that are kept by hash.
fn references<'a>(table: &Table, batch: &'a RecordBatch) -> Vec<&'a ListArray> {
    let columns = table.columns.iter().filter(|column| column.searchable && column.by_hash);
    columns.filter_map(|column| batch.column_by_name(column.name)?.as_list_opt::<i32>()).collect()
}

impl<'a> Columns<'a> {
    pub(super) fn of(table: &Table, batch: &'a RecordBatch, body: &'a dyn Fn(u128) -> Option<&'a str>) -> Self {
        let searchable = table.columns.iter().filter(|column| column.searchable);
        // A column that is newer than the file has no text in it.
        let columns = searchable.filter_map(|column| {
            let texts = batch.column_by_name(column.name)?.as_string_opt::<i32>()?;
            Some((texts, if column.ty == ColumnType::Json { Kind::Json } else { Kind::Text }))
        });
        Self { rows: batch.num_rows(), columns: columns.collect(), references: references(table, batch), body }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// All texts of a row, one after another, with a sign between them that is in no word.
    pub(super) fn texts(&self, row: usize, into: &mut String) {
        into.clear();
        each_text(&self.stored(row), &mut |text| {
            into.push_str(text);
            into.push('\0');
        });
    }

    /// The numbers of the rows that the matcher's search is answered by.
    pub(super) fn find(
        &self,
        matcher: &mut Matcher<'_>,
        numbers: impl Iterator<Item = u32>,
        found: &mut RoaringBitmap,
    ) {
        for (number, row) in numbers.zip(0..self.rows) {
            let stored = self.stored(row);
            if !matcher.may_match(stored.iter().map(|(text, _)| *text)) {
                continue;
            }
            matcher.start();
            each_text(&stored, &mut |text| matcher.read(text));
            if matcher.matches() {
                found.insert(number);
            }
        }
    }

    /// The texts as they are stored. Of messages those that the row says first: what
    /// a session says again with every call is found where it was said.
    fn stored(&self, row: usize) -> Vec<(&'a str, Kind)> {
        let present = self.columns.iter().filter(|(texts, _)| texts.is_valid(row));
        let mut stored: Vec<_> = present.map(|(texts, kind)| (texts.value(row), *kind)).collect();
        for column in &self.references {
            each_reference(column, row, |reference| match reference {
                Reference::Message { hash, first: true, .. } => {
                    stored.extend((self.body)(hash).map(|body| (body, Kind::Message)));
                }
                Reference::Inline(json) => stored.push((json, Kind::Json)),
                Reference::Message { .. } | Reference::Whole { .. } => {}
            });
        }
        stored
    }
}

fn each_text(stored: &[(&str, Kind)], each: &mut dyn FnMut(&str)) {
    for (text, kind) in stored {
        match kind {
            Kind::Text => each(text),
            Kind::Json => json::each_text(text, each),
            Kind::Message => json::each_text_of_message(text, each),
        }
    }
}

/// The columns that texts are read from.
pub(super) fn columns(table: &Table) -> Vec<&'static str> {
    let names = table.columns.iter().filter(|column| column.searchable).map(|column| column.name);
    names.chain(["project_id", table.time_column]).collect()
}

/// Rows that stand side by side in a file.
pub(super) struct Stretch {
    pub(super) rows: Range<u32>,
    /// When the first and the last of them was.
    pub(super) time: (i64, i64),
}

/// Reads the texts of a file or a stretch of it, some rows at a time.
pub(super) fn each_batch(
    dir: &Path,
    file: &DataFile,
    stretch: Option<&Stretch>,
    table: &Table,
    bodies: Option<&Bodies>,
    mut each: impl FnMut(&Columns<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(File::open(dir.join(file.relative_path()))?)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns(table));
    if let Some(Stretch { rows, .. }) = stretch {
        let before = RowSelector::skip(rows.start as usize);
        builder = builder.with_row_selection(vec![before, RowSelector::select(rows.len())].into());
    }
    let time = stretch.map_or(file.time, |stretch| stretch.time);
    let mut window = bodies.map(|bodies| Window::open(bodies, time)).transpose()?;
    for batch in builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()? {
        let batch = batch.map_err(io::Error::other)?;
        if let Some(window) = &mut window {
            read_on(table, window, &batch)?;
        }
        let body = |hash| window.as_ref().and_then(|window| window.body(hash));
        each(&Columns::of(table, &batch, &body))?;
    }
    Ok(())
}

/// Reads what the rows say.
fn read_on(table: &Table, window: &mut Window<'_>, batch: &RecordBatch) -> io::Result<()> {
    let Some((projects, times)) = places(table, batch) else {
        return Err(io::Error::other(format!("a file of `{}` without its columns", table.name)));
    };
    let Some(last) = batch.num_rows().checked_sub(1) else { return Ok(()) };
    window.go_on(&(projects.value(last).to_owned(), times.value(last)), &said_in(table, batch, |_| true))
}

/// What rows say first, as far as it is asked for: project, hash and day.
pub(super) fn said_in<'a>(
    table: &Table,
    batch: &'a RecordBatch,
    wanted: impl Fn(u128) -> bool,
) -> Vec<(&'a str, u128, i64)> {
    let Some((projects, times)) = places(table, batch) else { return Vec::new() };
    let (references, mut said) = (references(table, batch), Vec::new());
    for row in 0..batch.num_rows() {
        said_first(&references, row, |hash| {
            said.extend(wanted(hash).then(|| (projects.value(row), hash, day_of(times.value(row)))));
        });
    }
    said
}

fn places<'a>(table: &Table, batch: &'a RecordBatch) -> Option<(&'a StringArray, &'a TimestampMicrosecondArray)> {
    let projects = batch.column_by_name("project_id")?.as_string_opt::<i32>()?;
    Some((projects, batch.column_by_name(table.time_column)?.as_primitive_opt::<TimestampMicrosecondType>()?))
}
