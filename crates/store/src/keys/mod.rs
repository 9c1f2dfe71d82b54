//! Who a row is: its key as 96 bits, by which later versions find earlier ones and look-ups find rows
//! without reading columns.

mod bloom;
mod file;

use std::hash::{BuildHasherDefault, Hasher};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;
use signalbox_types::table::{Identity, Table};

pub(crate) use file::{FileKeys, KeyWriter};

/// The key of a row within all projects. Two rows of different keys share one by chance once in 10²⁸ pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    /// Of the first key column alone (a trace, a message), so that rows can be found by it.
    pub(crate) first: u64,
    /// Of the project and the other key columns.
    pub(crate) rest: u32,
}

impl Key {
    /// For filters: one number of which all bits count.
    fn mixed(self) -> u64 {
        self.first ^ u64::from(self.rest).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

/// Keys are hashes already.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Plain(u64);

impl Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, number: u64) {
        self.0 ^= number;
    }

    fn write_u128(&mut self, number: u128) {
        self.0 ^= (number >> 64) as u64 ^ number as u64;
    }

    fn write_u32(&mut self, number: u32) {
        self.0 ^= u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

pub(crate) type KeyMap<V> = std::collections::HashMap<Key, V, BuildHasherDefault<Plain>>;
pub(crate) type KeySet = std::collections::HashSet<Key, BuildHasherDefault<Plain>>;

/// The hash of a value of the first key column.
pub(crate) fn first_of(value: &str) -> u64 {
    let hash = blake3::hash(value.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

/// What follows the first part in the key of a row of a project, whose other key column is this number.
pub(crate) fn rest_of(project: &str, number: i64) -> u32 {
    let mut hasher = blake3::Hasher::new();
    feed_text(&mut hasher, project);
    feed_number(&mut hasher, number);
    rest_hash(&hasher)
}

/// Whether rows of this table have keys here.
pub(crate) fn has_keys(table: &Table) -> bool {
    !matches!(table.identity, Identity::Appended)
}

/// The columns that make a row's key. Rows that belong to a row of another table have that row's key.
fn columns(table: &'static Table) -> &'static [&'static str] {
    match table.identity {
        Identity::BelongsTo(owner) => owner.key,
        Identity::Replaced | Identity::Appended => table.key,
    }
}

/// The keys of all rows, if the table's rows have keys.
pub(crate) fn of_batch(table: &'static Table, batch: &RecordBatch) -> Result<Vec<Key>, ArrowError> {
    if !has_keys(table) {
        return Ok(Vec::new());
    }
    let column = |name: &str| {
        batch
            .column_by_name(name)
            .ok_or_else(|| ArrowError::SchemaError(format!("`{}` has no column `{name}`", table.name)))
    };
    let names = columns(table);
    let (first, rest) =
        names.split_first().ok_or_else(|| ArrowError::SchemaError(format!("`{}` has no key", table.name)))?;
    let first = column(first)?;
    let mut others = vec![column("project_id")?];
    for name in rest {
        others.push(column(name)?);
    }
    let mut keys = Vec::with_capacity(batch.num_rows());
    let mut last: Option<(usize, u64)> = None;
    for row in 0..batch.num_rows() {
        // Neighbours often share it: the spans of a trace come together.
        let first_hash = match last {
            Some((other, hash)) if same(first, other, row) => hash,
            _ => hash_of(first, row),
        };
        last = Some((row, first_hash));
        let mut hasher = blake3::Hasher::new();
        for array in &others {
            feed(&mut hasher, array, row);
        }
        keys.push(Key { first: first_hash, rest: rest_hash(&hasher) });
    }
    Ok(keys)
}

fn feed_text(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&[1]);
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

fn feed_number(hasher: &mut blake3::Hasher, number: i64) {
    hasher.update(&[2]);
    hasher.update(&number.to_le_bytes());
}

fn rest_hash(hasher: &blake3::Hasher) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..4]);
    u32::from_le_bytes(bytes)
}

fn same(array: &ArrayRef, left: usize, right: usize) -> bool {
    array.as_string_opt::<i32>().is_some_and(|texts| texts.value(left) == texts.value(right))
}

fn hash_of(array: &ArrayRef, row: usize) -> u64 {
    array.as_string_opt::<i32>().map_or(0, |texts| first_of(texts.value(row)))
}

fn feed(hasher: &mut blake3::Hasher, array: &ArrayRef, row: usize) {
    if array.is_null(row) {
        hasher.update(&[0]);
        return;
    }
    match array.data_type() {
        DataType::Utf8 => feed_text(hasher, array.as_string::<i32>().value(row)),
        DataType::Int64 => feed_number(hasher, array.as_primitive::<Int64Type>().value(row)),
        // Declarations have keys of texts and whole numbers; a test keeps that.
        _ => {
            hasher.update(&[3]);
        }
    }
}

#[cfg(test)]
mod tests {
    use signalbox_testkit::builders::llm_span;
    use signalbox_types::Timestamp;
    use signalbox_types::table::{ColumnType, SPANS};

    use super::*;
    use crate::said;

    #[test]
    fn keys_are_of_texts_and_whole_numbers() {
        for table in crate::said::tables().filter(|table| has_keys(table)) {
            let (first, rest) = columns(table).split_first().unwrap();
            assert_eq!(table.column(first).unwrap().ty, ColumnType::Text, "{}", table.name);
            for name in rest {
                assert!(matches!(table.column(name).unwrap().ty, ColumnType::Text | ColumnType::Int), "{name}");
            }
        }
    }

    #[test]
    fn project_trace_and_span_make_a_key() {
        let span = |project: &str, n| llm_span(project, n, "m", Timestamp::from_micros(0), n);
        let spans = [span("p", 1), span("p", 2), span("q", 1), span("p", 1)];
        let keys = of_batch(&SPANS, &said::stored(&spans).batch).unwrap();
        assert_eq!(keys[0], keys[3]);
        assert_eq!(keys[0].first, keys[2].first);
        assert_ne!(keys[0].rest, keys[2].rest);
        assert_ne!(keys[0], keys[1]);
        assert_eq!(keys[0].first, first_of(&spans[0].trace_id.to_string()));
    }
}
