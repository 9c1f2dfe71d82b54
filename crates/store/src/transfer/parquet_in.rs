//! Parquet files of others as rows of a table.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde::de::IgnoredAny;
use signalbox_types::ProjectId;
use signalbox_types::query::InvalidQuery;
use signalbox_types::table::{Column, ColumnType, Table};

use super::import::{Piece, Places, no_column};
use super::value::shown;
use crate::rows::TableBatch;
use crate::schema;

/// Rows that are stored together.
const PIECE_ROWS: usize = 1_000;

/// A Parquet file, read for one project whatever project it names.
pub(crate) struct ParquetFile {
    table: &'static Table,
    project: ProjectId,
    reader: ParquetRecordBatchReader,
    rows: u64,
}

impl ParquetFile {
    /// Reads its footer.
    pub(crate) fn open(table: &'static Table, project: &ProjectId, file: File) -> Result<Self, InvalidQuery> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| no_parquet(&error))?;
        for field in builder.schema().fields() {
            if table.column(field.name()).is_none() {
                return Err(no_column(table, "schema", field.name()));
            }
        }
        let missing = |column: &&Column| {
            let wanted = !column.nullable && column.name != "project_id";
            wanted && builder.schema().field_with_name(column.name).is_err()
        };
        if let Some(column) = table.columns.iter().find(missing) {
            let problem = format!("every row of `{}` has it, and the file has no such column", table.name);
            return Err(InvalidQuery::new(format!("column {}", column.name), problem));
        }
        let reader = builder.with_batch_size(PIECE_ROWS).build().map_err(|error| no_parquet(&error))?;
        Ok(Self { table, project: project.clone(), reader, rows: 0 })
    }

    /// The next rows.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>, InvalidQuery> {
        let Some(batch) = self.reader.next() else { return Ok(None) };
        let batch = batch.map_err(|error| no_parquet(&error))?;
        let first = self.rows + 1;
        self.rows += batch.num_rows() as u64;
        let columns = self.table.columns.iter().map(|column| self.column(column, &batch, first));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let batch = RecordBatch::try_new(schema::shown(self.table), columns).map_err(|error| no_parquet(&error))?;
        Ok(Some(Piece { rows: TableBatch { table: self.table, batch }, places: Places::From(first) }))
    }

    fn column(&self, column: &'static Column, batch: &RecordBatch, first: u64) -> Result<ArrayRef, InvalidQuery> {
        let wanted = schema::data_type(column.ty);
        if column.name == "project_id" {
            let project = std::iter::repeat_n(Some(self.project.as_str()), batch.num_rows());
            return Ok(Arc::new(project.collect::<StringArray>()));
        }
        let Some(found) = batch.column_by_name(column.name) else {
            return Ok(new_null_array(&wanted, batch.num_rows()));
        };
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let array = cast_with_options(found, &wanted, &options).map_err(|error| {
            let problem = format!("expected {wanted}, found {} ({error})", found.data_type());
            InvalidQuery::new(format!("column {}", column.name), problem)
        })?;
        let at = |row: usize, problem: String| {
            InvalidQuery::new(format!("row {}, column {}", first + row as u64, column.name), problem)
        };
        if let Some(row) = (0..array.len()).find(|row| !column.nullable && array.is_null(*row)) {
            return Err(at(row, format!("every row of `{}` has it, and here it is absent", self.table.name)));
        }
        if column.ty == ColumnType::Json {
            let texts = array.as_string::<i32>();
            for (row, text) in texts.iter().enumerate() {
                let text = text.filter(|text| serde_json::from_str::<IgnoredAny>(text).is_err());
                if let Some(text) = text {
                    return Err(at(row, format!("expected JSON, found `{}`", shown(text))));
                }
            }
        }
        Ok(array)
    }
}

fn no_parquet(error: &dyn std::fmt::Display) -> InvalidQuery {
    InvalidQuery::new("file", format!("it can't be read as Parquet ({error})"))
}
