//! A table's declaration as Arrow and Parquet see it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use signalbox_types::Money;
use signalbox_types::table::{Column, ColumnRoom, ColumnType, Table};

use crate::said::{self, MESSAGES};

/// In a field's metadata: what the column holds, so that answers to SQL know JSON from text.
pub(crate) const TYPE_KEY: &str = "signalbox.type";

/// Digits of a money column.
pub(crate) const MONEY_PRECISION: u8 = 38;
/// Rows of a row group. A look-up decodes pages, whatever the group, while what is remembered of a file grows with the
/// number of its groups: 32 KB each, of spans.
const ROW_GROUP_ROWS: usize = 65_536;
/// … or of this size, packed: whoever writes a file or merges ten has that much of each in memory.
const ROW_GROUP_BYTES: usize = 8 << 20;
/// Files that will soon be merged are packed fast, merged ones small: a sixth smaller for twice the time.
const ZSTD_FAST: i32 = 1;
const ZSTD_SMALL: i32 = 3;
/// Rows of a page, so that the page index can skip most of a row group.
const PAGE_ROWS: usize = 2_048;
/// … or bytes: whoever looks a row up unpacks a page of each column.
const PAGE_BYTES: usize = 192 << 10;
/// Of what was said: single bodies are looked up, all over a file.
const BODY_PAGE_BYTES: usize = 64 << 10;
/// Most of a dictionary: who reads one row of a column unpacks all of it, and ids, previews and the like
/// would fill one with values of a single row each.
const DICTIONARY_BYTES: usize = 64 << 10;
/// Rows after which a page may end.
const PAGE_STEP: usize = 256;

static SCHEMAS: LazyLock<BTreeMap<&'static str, SchemaRef>> =
    LazyLock::new(|| said::tables().map(|table| (table.name, build(table, stored_type))).collect());

/// The Arrow schema of a table as it is stored.
pub(crate) fn of(table: &Table) -> SchemaRef {
    SCHEMAS.get(table.name).map_or_else(|| build(table, stored_type), Arc::clone)
}

/// The Arrow schema of a table as queries and files see it.
pub(crate) fn shown(table: &Table) -> SchemaRef {
    build(table, |column| column.ty)
}

fn build(table: &Table, ty: fn(&Column) -> ColumnType) -> SchemaRef {
    Arc::new(Schema::new(table.columns.iter().map(|column| field(column, ty(column))).collect::<Fields>()))
}

/// What a column holds on disk and in memory: references in place of what is kept by hash.
pub(crate) fn stored_type(column: &Column) -> ColumnType {
    if column.by_hash { ColumnType::TextList } else { column.ty }
}

fn field(column: &Column, ty: ColumnType) -> Field {
    let field = Field::new(column.name, data_type(ty), column.nullable);
    match ty {
        ColumnType::Json => field.with_metadata(HashMap::from([(TYPE_KEY.to_owned(), "json".to_owned())])),
        _ => field,
    }
}

/// Names of inner fields are those of the Parquet specification: other engines insist on them.
pub(crate) fn data_type(ty: ColumnType) -> DataType {
    match ty {
        ColumnType::Text | ColumnType::Json => DataType::Utf8,
        ColumnType::TextList => DataType::List(Arc::new(list_item())),
        ColumnType::TextMap => DataType::Map(Arc::new(map_entry()), false),
        ColumnType::Int => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Money => DataType::Decimal128(MONEY_PRECISION, Money::SCALE as i8),
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Time => DataType::Timestamp(TimeUnit::Microsecond, Some(utc())),
    }
}

pub(crate) fn utc() -> Arc<str> {
    "UTC".into()
}

pub(crate) fn list_item() -> Field {
    Field::new("element", DataType::Utf8, true)
}

fn map_entry() -> Field {
    let fields = [Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)];
    Field::new("key_value", DataType::Struct(fields.into_iter().collect()), false)
}

/// What hangs on something is looked up by its id, too.
const REFERENCES: &[&str] = &["trace_id", "span_id", "session_id"];

/// Columns that rows are looked up by: their values are many, and few rows share one.
pub(crate) fn look_up_columns(table: &Table) -> impl Iterator<Item = &'static str> + '_ {
    // Bodies are found by their keys alone.
    let ids = table.columns.iter().filter(|column| column.ty == ColumnType::Text && table.name != MESSAGES.name);
    ids.map(|column| column.name).filter(|name| table.key.contains(name) || REFERENCES.contains(name))
}

pub(crate) fn writer_properties(table: &Table, level: u32) -> WriterProperties {
    let zstd = if level == 0 { ZSTD_FAST } else { ZSTD_SMALL };
    let mut properties = WriterProperties::builder()
        .set_created_by("signalbox".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(zstd).unwrap_or_default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_data_page_size_limit(if *table == MESSAGES { BODY_PAGE_BYTES } else { PAGE_BYTES })
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_write_batch_size(PAGE_STEP)
        .set_statistics_enabled(EnabledStatistics::Page);
    for name in look_up_columns(table) {
        properties = properties
            .set_column_bloom_filter_enabled(ColumnPath::from(name), true)
            .set_column_bloom_filter_max_ndv(ColumnPath::from(name), ROW_GROUP_ROWS as u64);
    }
    // Every body is another text: neither a dictionary nor a least value helps to find one.
    for column in
        table.columns.iter().filter(|column| column.room == ColumnRoom::Body && stored_type(column) == ColumnType::Json)
    {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(column.name), false)
            .set_column_statistics_enabled(ColumnPath::from(column.name), EnabledStatistics::None);
    }
    properties.build()
}

#[cfg(test)]
mod tests {
    use signalbox_types::table::{SCORES, SPANS};

    use super::*;

    #[test]
    fn every_table_has_a_schema() {
        for table in said::tables() {
            let schema = of(table);
            assert_eq!(schema.fields().len(), table.columns.len());
            assert_eq!(schema.field(0).name(), "project_id");
        }
    }

    #[test]
    fn spans_are_looked_up_by_ids() {
        assert_eq!(look_up_columns(&SPANS).collect::<Vec<_>>(), ["trace_id", "span_id", "session_id"]);
        assert_eq!(look_up_columns(&SCORES).collect::<Vec<_>>(), ["id", "trace_id", "span_id", "session_id"]);
    }
}
