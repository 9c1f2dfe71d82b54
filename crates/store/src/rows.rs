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
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use bytes::{Buf, BufMut, Bytes};
use lz4_flex::block;
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

/// Bytes that a text takes, as a first guess.
const TEXT_BYTES: usize = 16;

/// Rows of files that are read at once, about.
const FILE_ROWS: usize = 1_024;

/// What a journal record begins with whose rest is packed: no table has a name of no letters. Older versions packed each
/// buffer of each column on its own.
const PACKED: u8 = 0;

/// Text that repeats itself gets no smaller than by this.
const MOST_PACKED: usize = 255;

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
    let mut records = records.into_iter().peekable();
    if records.peek().is_none() {
        return Ok(None);
    }
    let mut rows = RowsBuilder::stored(R::table(), records.size_hint().0);
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
    /// Rows as they are stored; about so many.
    pub(crate) fn stored(table: &'static Table, expected: usize) -> Self {
        Self::with(table, schema::of(table), table.columns.iter().collect(), schema::stored_type, expected)
    }

    /// Rows as files have them.
    pub(crate) fn shown(table: &'static Table) -> Self {
        Self::with(table, schema::shown(table), table.columns.iter().collect(), |column| column.ty, FILE_ROWS)
    }

    /// Some columns of rows as they are stored; about so many.
    pub(crate) fn of_columns(table: &'static Table, names: &[&str], expected: usize) -> Result<Self, ArrowError> {
        let schema = schema::of(table);
        let positions = names.iter().map(|name| schema.index_of(name)).collect::<Result<Vec<_>, _>>()?;
        let columns = positions.iter().map(|position| &table.columns[*position]).collect();
        Ok(Self::with(table, Arc::new(schema.project(&positions)?), columns, schema::stored_type, expected))
    }

    fn with(
        table: &'static Table,
        schema: SchemaRef,
        columns: Vec<&'static Column>,
        ty: fn(&Column) -> ColumnType,
        expected: usize,
    ) -> Self {
        let builders = columns.iter().map(|column| ColumnBuilder::new(ty(column), expected)).collect();
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
    /// With room for so many rows: most batches are small, and Arrow's own guess is a thousand for each column.
    fn new(ty: ColumnType, rows: usize) -> Self {
        let data_type = schema::data_type(ty);
        let text = || StringBuilder::with_capacity(rows, rows * TEXT_BYTES);
        match ty {
            ColumnType::Text | ColumnType::Json => Self::Text(text()),
            ColumnType::TextList => {
                Self::TextList(ListBuilder::with_capacity(text(), rows).with_field(schema::list_item()))
            }
            ColumnType::TextMap => {
                let names =
                    MapFieldNames { entry: "key_value".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
                let builder = MapBuilder::with_capacity(Some(names), text(), text(), rows);
                Self::TextMap(builder.with_values_field(Field::new("value", DataType::Utf8, true)))
            }
            ColumnType::Int => Self::Int(Int64Builder::with_capacity(rows)),
            ColumnType::Float => Self::Float(Float64Builder::with_capacity(rows)),
            ColumnType::Money => Self::Money(Decimal128Builder::with_capacity(rows).with_data_type(data_type)),
            ColumnType::Bool => Self::Bool(BooleanBuilder::with_capacity(rows)),
            ColumnType::Time => Self::Time(TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(data_type)),
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

/// One journal record: `0 | length u32 | LZ4 block`, and in it for each table `name length u8 | name | length u32 | Arrow
/// IPC stream`. One for all, so that a crash leaves all tables of a commit or none.
pub(crate) fn encode(batches: &[KeyedBatch]) -> Result<Bytes, ArrowError> {
    let mut plain = Vec::new();
    for KeyedBatch { table, batch, keys: _ } in batches {
        plain.put_u8(u8::try_from(table.name.len()).unwrap_or(u8::MAX));
        plain.put_slice(table.name.as_bytes());
        let begin = plain.len() + size_of::<u32>();
        plain.put_u32_le(0);
        let mut writer = StreamWriter::try_new(&mut plain, &batch.schema())?;
        writer.write(batch)?;
        writer.finish()?;
        drop(writer);
        let length = length_of(plain.len() - begin)?;
        plain[begin - size_of::<u32>()..begin].copy_from_slice(&length.to_le_bytes());
    }
    let mut out = Vec::with_capacity(1 + size_of::<u32>() + plain.len() / 2);
    out.put_u8(PACKED);
    out.put_u32_le(length_of(plain.len())?);
    let begin = out.len();
    out.resize(begin + block::get_maximum_output_size(plain.len()), 0);
    let packed =
        block::compress_into(&plain, &mut out[begin..]).map_err(|error| ArrowError::IpcError(error.to_string()))?;
    out.truncate(begin + packed);
    // It may wait for the disk for a while.
    out.shrink_to_fit();
    Ok(out.into())
}

fn length_of(bytes: usize) -> Result<u32, ArrowError> {
    u32::try_from(bytes).map_err(|_| ArrowError::IpcError("a commit takes more than 4 GiB".to_owned()))
}

/// What is in a record, whether it is packed as a whole or not.
fn unpack(mut payload: Bytes) -> Result<Bytes, ArrowError> {
    if payload.first() != Some(&PACKED) {
        return Ok(payload);
    }
    payload.advance(1);
    let cut = || ArrowError::IpcError("the record ends too early".to_owned());
    let length = payload.try_get_u32_le().map_err(|_| cut())? as usize;
    if length > payload.len().saturating_mul(MOST_PACKED) {
        return Err(cut());
    }
    let plain = block::decompress(&payload, length).map_err(|error| ArrowError::IpcError(error.to_string()))?;
    if plain.len() == length { Ok(plain.into()) } else { Err(cut()) }
}

pub(crate) fn decode(payload: Bytes) -> Result<Vec<TableBatch>, ArrowError> {
    let mut payload = unpack(payload)?;
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
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::IpcWriteOptions;
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

    /// As versions before 0.1 wrote it.
    fn packed_by_buffer(keyed: &KeyedBatch) -> Bytes {
        let mut stream = Vec::new();
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).unwrap();
        let mut writer = StreamWriter::try_new_with_options(&mut stream, &keyed.batch.schema(), options).unwrap();
        writer.write(&keyed.batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        let mut out = Vec::new();
        out.put_u8(keyed.table.name.len() as u8);
        out.put_slice(keyed.table.name.as_bytes());
        out.put_u32_le(stream.len() as u32);
        out.put_slice(&stream);
        out.into()
    }

    #[test]
    fn records_of_older_versions_are_read() {
        let batch = said::stored(&spans()).keyed().unwrap();
        let old = packed_by_buffer(&batch);
        assert_eq!(decode(old.clone()).unwrap()[0].batch, batch.batch);
        assert!(encode(&[batch]).unwrap().len() < old.len());
    }

    #[test]
    fn a_record_that_promises_more_than_it_holds_takes_no_memory() {
        let mut out = vec![PACKED];
        out.put_u32_le(u32::MAX);
        out.put_slice(&[0; 64]);
        assert!(decode(out.into()).is_err());
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
