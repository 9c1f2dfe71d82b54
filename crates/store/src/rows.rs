//! Records to Arrow record batches, whatever their table; and batches to bytes for the journal.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Decimal128Builder, Float64Builder, Int64Builder, ListBuilder, MapBuilder, MapFieldNames,
    RecordBatch, StringBuilder, TimestampMicrosecondBuilder, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, SchemaRef};
use arrow::error::ArrowError;
use arrow_ipc::CompressionType;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use bytes::{Buf, BufMut, Bytes};
use signalbox_types::Money;
use signalbox_types::table::{Cell, Column, ColumnType, Record, Table};

use crate::keys::{self, Key};
use crate::{said, schema};

/// Rows of one table.
#[derive(Debug, Clone)]
pub(crate) struct TableBatch {
    pub(crate) table: &'static Table,
    pub(crate) batch: RecordBatch,
}

/// Rows of one table, and who they are.
#[derive(Debug, Clone)]
pub(crate) struct KeyedBatch {
    pub(crate) table: &'static Table,
    pub(crate) batch: RecordBatch,
    /// One a row; none if the table's rows have no keys.
    pub(crate) keys: Vec<Key>,
}

impl TableBatch {
    pub(crate) fn keyed(self) -> Result<KeyedBatch, ArrowError> {
        let Self { table, batch } = self;
        Ok(KeyedBatch { table, keys: keys::of_batch(table, &batch)?, batch })
    }
}

/// The largest amount that a money column holds.
const MONEY_MAX: i128 = 10_i128.pow(schema::MONEY_PRECISION as u32) - 1;

/// Bytes that the texts of one column take at most.
const TEXT_MAX: usize = i32::MAX as usize;

enum ColumnBuilder {
    Text(StringBuilder),
    TextList(ListBuilder<StringBuilder>),
    TextMap(MapBuilder<StringBuilder, StringBuilder>),
    Int(Int64Builder),
    Float(Float64Builder),
    Money(Decimal128Builder),
    Bool(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
}

/// The records as rows of their table; `None` if there are none.
pub(crate) fn build<'a, R: Record + 'a>(
    records: impl IntoIterator<Item = &'a R>,
) -> Result<Option<TableBatch>, ArrowError> {
    let mut rows = RowsBuilder::stored(R::table());
    for record in records {
        let mut cells = Vec::with_capacity(rows.table.columns.len());
        record.cells(&mut cells);
        rows.push(cells)?;
    }
    rows.finish()
}

/// Rows of a table, gathered one by one.
pub(crate) struct RowsBuilder {
    table: &'static Table,
    schema: SchemaRef,
    columns: Vec<&'static Column>,
    builders: Vec<ColumnBuilder>,
    rows: usize,
}

impl RowsBuilder {
    /// Rows as they are stored.
    pub(crate) fn stored(table: &'static Table) -> Self {
        Self::with(table, schema::of(table), table.columns.iter().collect(), schema::stored_type)
    }

    /// Rows as files have them.
    pub(crate) fn shown(table: &'static Table) -> Self {
        Self::with(table, schema::shown(table), table.columns.iter().collect(), |column| column.ty)
    }

    /// Some columns of rows as they are stored.
    pub(crate) fn of_columns(table: &'static Table, names: &[&str]) -> Result<Self, ArrowError> {
        let schema = schema::of(table);
        let positions = names.iter().map(|name| schema.index_of(name)).collect::<Result<Vec<_>, _>>()?;
        let columns = positions.iter().map(|position| &table.columns[*position]).collect();
        Ok(Self::with(table, Arc::new(schema.project(&positions)?), columns, schema::stored_type))
    }

    fn with(
        table: &'static Table,
        schema: SchemaRef,
        columns: Vec<&'static Column>,
        ty: fn(&Column) -> ColumnType,
    ) -> Self {
        let builders = columns.iter().map(|column| ColumnBuilder::new(ty(column))).collect();
        Self { table, schema, columns, builders, rows: 0 }
    }

    /// Takes a row: a cell for each column.
    pub(crate) fn push(&mut self, cells: Vec<Cell<'_>>) -> Result<(), ArrowError> {
        if cells.len() != self.builders.len() {
            let (name, expected) = (self.table.name, self.builders.len());
            let problem = format!("a row of `{name}` has {} cells, not {expected}", cells.len());
            return Err(ArrowError::InvalidArgumentError(problem));
        }
        for ((builder, cell), column) in self.builders.iter_mut().zip(cells).zip(&self.columns) {
            builder.push(cell, column)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// The rows; `None` if there are none.
    pub(crate) fn finish(self) -> Result<Option<TableBatch>, ArrowError> {
        let (table, schema, rows) = (self.table, Arc::clone(&self.schema), self.rows);
        if rows == 0 {
            return Ok(None);
        }
        Ok(Some(TableBatch { table, batch: RecordBatch::try_new(schema, self.arrays())? }))
    }

    pub(crate) fn arrays(self) -> Vec<ArrayRef> {
        self.builders.into_iter().map(ColumnBuilder::finish).collect()
    }
}

impl ColumnBuilder {
    fn new(ty: ColumnType) -> Self {
        let data_type = schema::data_type(ty);
        match ty {
            ColumnType::Text | ColumnType::Json => Self::Text(StringBuilder::new()),
            ColumnType::TextList => {
                Self::TextList(ListBuilder::new(StringBuilder::new()).with_field(schema::list_item()))
            }
            ColumnType::TextMap => {
                let names =
                    MapFieldNames { entry: "key_value".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
                let builder = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
                Self::TextMap(builder.with_values_field(Field::new("value", DataType::Utf8, true)))
            }
            ColumnType::Int => Self::Int(Int64Builder::new()),
            ColumnType::Float => Self::Float(Float64Builder::new()),
            ColumnType::Money => Self::Money(Decimal128Builder::new().with_data_type(data_type)),
            ColumnType::Bool => Self::Bool(BooleanBuilder::new()),
            ColumnType::Time => Self::Time(TimestampMicrosecondBuilder::new().with_data_type(data_type)),
        }
    }

    fn push(&mut self, cell: Cell<'_>, column: &Column) -> Result<(), ArrowError> {
        match (self, cell) {
            // A builder panics when its text passes 2 GiB.
            (Self::Text(builder), Cell::Text(text)) if builder.values_slice().len() + text.len() > TEXT_MAX => {
                let problem = format!("the texts of `{}` take more than 2 GB; append fewer at once", column.name);
                return Err(ArrowError::InvalidArgumentError(problem));
            }
            (Self::Text(builder), Cell::Text(text)) => builder.append_value(text),
            (Self::TextList(builder), Cell::TextList(items)) => {
                builder.append_value(items.iter().map(Some));
            }
            (Self::TextMap(builder), Cell::TextMap(map)) => {
                for (key, value) in map.iter() {
                    builder.keys().append_value(key);
                    builder.values().append_value(value);
                }
                builder.append(true)?;
            }
            (Self::Int(builder), Cell::Int(int)) => builder.append_value(int),
            (Self::Float(builder), Cell::Float(float)) => builder.append_value(float),
            (Self::Money(builder), Cell::Money(money)) => builder.append_value(in_range(money)),
            (Self::Bool(builder), Cell::Bool(bool)) => builder.append_value(bool),
            (Self::Time(builder), Cell::Time(time)) => builder.append_value(time.as_micros()),
            (builder, Cell::Null) => builder.push_null()?,
            (_, cell) => {
                let problem = format!("`{}` is declared as {:?}, but a record gives {cell:?}", column.name, column.ty);
                return Err(ArrowError::InvalidArgumentError(problem));
            }
        }
        Ok(())
    }

    fn push_null(&mut self) -> Result<(), ArrowError> {
        match self {
            Self::Text(builder) => builder.append_null(),
            Self::TextList(builder) => builder.append_null(),
            Self::TextMap(builder) => builder.append(false)?,
            Self::Int(builder) => builder.append_null(),
            Self::Float(builder) => builder.append_null(),
            Self::Money(builder) => builder.append_null(),
            Self::Bool(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
        }
        Ok(())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::TextList(mut builder) => Arc::new(builder.finish()),
            Self::TextMap(mut builder) => Arc::new(builder.finish()),
            Self::Int(mut builder) => Arc::new(builder.finish()),
            Self::Float(mut builder) => Arc::new(builder.finish()),
            Self::Money(mut builder) => Arc::new(builder.finish()),
            Self::Bool(mut builder) => Arc::new(builder.finish()),
            Self::Time(mut builder) => Arc::new(builder.finish()),
        }
    }
}

fn in_range(money: Money) -> i128 {
    money.as_picos().clamp(-MONEY_MAX, MONEY_MAX)
}

/// One journal record: for each table `name length u8 | name | length u32 | Arrow IPC stream (LZ4)`.
/// One for all, so that a crash leaves all tables of a commit or none.
pub(crate) fn encode(batches: &[KeyedBatch]) -> Result<Bytes, ArrowError> {
    let mut out = Vec::new();
    for KeyedBatch { table, batch, keys: _ } in batches {
        let mut stream = Vec::new();
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
        let mut writer = StreamWriter::try_new_with_options(&mut stream, &batch.schema(), options)?;
        writer.write(batch)?;
        writer.finish()?;
        drop(writer);
        out.put_u8(u8::try_from(table.name.len()).unwrap_or(u8::MAX));
        out.put_slice(table.name.as_bytes());
        let length = u32::try_from(stream.len())
            .map_err(|_| ArrowError::IpcError("a commit takes more than 4 GiB".to_owned()))?;
        out.put_u32_le(length);
        out.put_slice(&stream);
    }
    Ok(out.into())
}

pub(crate) fn decode(mut payload: Bytes) -> Result<Vec<TableBatch>, ArrowError> {
    let cut = || ArrowError::IpcError("the record ends too early".to_owned());
    let mut batches = Vec::new();
    while payload.has_remaining() {
        let length = usize::from(payload.get_u8());
        if payload.len() < length + 4 {
            return Err(cut());
        }
        let name = payload.split_to(length);
        let length = payload.get_u32_le() as usize;
        if payload.len() < length {
            return Err(cut());
        }
        let stream = payload.split_to(length);
        let name = String::from_utf8_lossy(&name);
        let table = said::find_table(&name)
            .ok_or_else(|| ArrowError::IpcError(format!("there is no table `{name}`; a newer version wrote it")))?;
        for batch in StreamReader::try_new(Cursor::new(stream), None)? {
            batches.push(TableBatch { table, batch: adapt(table, &batch?)? });
        }
    }
    Ok(batches)
}

/// A batch that an older version wrote, as the table is declared now.
fn adapt(table: &'static Table, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = schema::of(table);
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
        Some(_) if table.column(field.name()).is_some_and(|column| column.by_hash) => {
            Err(ArrowError::CastError("an older version wrote what was said in spans".to_owned()))
        }
        Some(column) => cast(column, field.data_type()),
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(schema, columns)
}

#[cfg(test)]
mod tests {
    use signalbox_testkit::builders::llm_span;
    use signalbox_types::table::SPANS;
    use signalbox_types::{Span, Timestamp};

    use super::*;

    fn spans() -> Vec<Span> {
        (0..5).map(|n| llm_span("p", n, "sim/small", Timestamp::from_micros(1), n)).collect()
    }

    #[test]
    fn a_commit_round_trips() {
        let batch = said::stored(&spans()).keyed().unwrap();
        let payload = encode(&[batch.clone(), batch.clone()]).unwrap();
        let back = decode(payload.clone()).unwrap();
        assert_eq!(back.len(), 2);
        assert_eq!(back[1].batch, batch.batch);
        for length in 0..payload.len() / 2 - 1 {
            assert!(length == 0 || decode(payload.slice(..length)).is_err(), "{length}");
        }
    }

    #[test]
    fn no_records_no_batch() {
        assert!(build::<Span>(&[]).unwrap().is_none());
    }

    #[test]
    fn columns_that_are_new_are_absent_in_old_batches() {
        let batch = said::stored(&spans()).batch;
        let model = SPANS.position("model").unwrap();
        let without: Vec<usize> = (0..batch.num_columns()).filter(|&i| i != model).collect();
        let adapted = adapt(&SPANS, &batch.project(&without).unwrap()).unwrap();
        assert_eq!(adapted.column(model).null_count(), 5);
        assert_eq!(adapted.schema(), batch.schema());
    }
}
