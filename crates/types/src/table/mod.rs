//! Event tables, each declared once: names, types, order and meaning of its columns. Storage
//! layout, API field list and UI filters all follow from the declaration; adding a column is one
//! line here and one in `cells`.

mod findings;
mod spans;

use std::borrow::Cow;

use serde::Serialize;

use crate::{Money, Timestamp};

pub use findings::{FINDINGS, FindingRow};
pub use spans::{PREVIEW_CHARS, SPANS};

/// Every table. Sorted by name.
pub static ALL: &[&Table] = &[&FINDINGS, &SPANS];

/// The table of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Table> {
    ALL.iter().copied().find(|table| table.name == name)
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// A list of texts.
    TextList,
    /// Text keys to text values; a key is addressed as `column.key`.
    TextMap,
    /// JSON, stored as text and answered as JSON.
    Json,
    /// A 64-bit whole number.
    Int,
    /// A 64-bit float.
    Float,
    /// US dollars, a decimal with 12 places.
    Money,
    /// True or false.
    Bool,
    /// A point in time, microseconds UTC.
    Time,
}

/// Which room of a table a column lives in: lists never read bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnRoom {
    /// Small; part of lists unless a query selects others.
    Hot,
    /// Of any size; only read when named.
    Body,
}

/// A column of an event table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Column {
    /// Its name in queries, answers and files.
    pub name: &'static str,
    /// What it holds.
    #[serde(rename = "type")]
    pub ty: ColumnType,
    /// Hot or body.
    pub room: ColumnRoom,
    /// May be absent.
    pub nullable: bool,
    /// Free-text search looks here.
    pub searchable: bool,
    /// Unit, for axis and column titles.
    pub unit: Option<&'static str>,
    /// What it means, and its OpenTelemetry name where there is one.
    pub doc: &'static str,
}

impl Column {
    /// A column that lists may show.
    #[must_use]
    pub const fn hot(name: &'static str, ty: ColumnType, doc: &'static str) -> Self {
        Self { name, ty, room: ColumnRoom::Hot, nullable: true, searchable: false, unit: None, doc }
    }

    /// A column of any size.
    #[must_use]
    pub const fn body(name: &'static str, ty: ColumnType, doc: &'static str) -> Self {
        Self { name, ty, room: ColumnRoom::Body, nullable: true, searchable: false, unit: None, doc }
    }

    /// Every row has it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.nullable = false;
        self
    }

    /// Free-text search looks here.
    #[must_use]
    pub const fn searchable(mut self) -> Self {
        self.searchable = true;
        self
    }

    /// With this unit.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }
}

/// How long rows are kept, by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Retention {
    /// Spans and what hangs on them.
    Spans,
}

/// What another row of the same key means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Identity {
    /// A later version of the row: it replaces the earlier one.
    Replaced,
    /// Rows belong to the row of this table that their first columns name: a later version of that row
    /// brings its own, and the earlier ones are gone.
    BelongsTo(&'static Table),
    /// Rows have no name: each one counts.
    Appended,
}

/// An event table.
#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Table {
    /// Its name in queries.
    pub name: &'static str,
    /// What a row is.
    pub doc: &'static str,
    /// Its columns; the first is always `project_id`.
    pub columns: &'static [Column],
    /// The column that time ranges apply to.
    pub time_column: &'static str,
    /// Files are sorted by these.
    pub sort: &'static [&'static str],
    /// These name a row within a project.
    pub key: &'static [&'static str],
    /// What another row of the same key means.
    #[serde(skip)]
    pub identity: Identity,
    /// How long rows are kept.
    pub retention: Retention,
}

impl Table {
    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Its place in a row.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// A value in a row, in the order of the table's columns.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// Absent.
    Null,
    /// For [`ColumnType::Text`] and [`ColumnType::Json`].
    Text(Cow<'a, str>),
    /// For [`ColumnType::TextList`].
    TextList(Cow<'a, [String]>),
    /// For [`ColumnType::TextMap`].
    TextMap(Cow<'a, std::collections::BTreeMap<String, String>>),
    /// For [`ColumnType::Int`].
    Int(i64),
    /// For [`ColumnType::Float`].
    Float(f64),
    /// For [`ColumnType::Money`].
    Money(Money),
    /// For [`ColumnType::Bool`].
    Bool(bool),
    /// For [`ColumnType::Time`].
    Time(Timestamp),
}

impl<'a> Cell<'a> {
    pub(crate) fn text(value: Option<&'a str>) -> Self {
        value.map_or(Self::Null, |text| Self::Text(Cow::Borrowed(text)))
    }

    pub(crate) fn owned(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }

    pub(crate) fn count(value: Option<u64>) -> Self {
        value.map_or(Self::Null, |count| Self::Int(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    pub(crate) fn json<T: Serialize>(present: bool, value: &T) -> Self {
        if !present {
            return Self::Null;
        }
        serde_json::to_string(value).map_or(Self::Null, Self::owned)
    }
}

/// Something that is a row of a table.
pub trait Record {
    /// The table.
    fn table() -> &'static Table;

    /// Appends one cell for each column, in the table's order.
    fn cells<'a>(&'a self, out: &mut Vec<Cell<'a>>);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_hold_together() {
        assert!(ALL.is_sorted_by_key(|table| table.name));
        for table in ALL {
            assert_eq!(table.columns[0].name, "project_id", "{}", table.name);
            for name in table.sort.iter().chain(table.key).chain([&table.time_column]) {
                assert!(table.column(name).is_some(), "{}.{name}", table.name);
            }
            let mut names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.columns.len(), "{}: a name twice", table.name);
        }
    }
}
