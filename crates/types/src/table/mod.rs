//! Event tables, each declared once: names, types, order and meaning of its columns. Storage
//! layout, API field list and UI filters all follow from the declaration; adding a column is one
//! line here and one in `cells`.

mod findings;
mod logs;
mod metric_points;
mod scores;
mod span_minutes;
mod spans;

use std::borrow::Cow;

use serde::Serialize;

use crate::{Money, Timestamp};

pub use findings::{FINDINGS, FindingRow};
pub use logs::LOGS;
pub use metric_points::METRIC_POINTS;
pub use scores::SCORES;
pub use span_minutes::{MINUTE_TEXTS, MINUTE_TOKENS, Minute, MinuteRow, Minutes, SPAN_MINUTES};
pub use spans::{SPANS, Said};

/// Previews are cut to so many characters.
pub const PREVIEW_CHARS: usize = 120;

/// Every table. Sorted by name.
pub static ALL: &[&Table] = &[&FINDINGS, &LOGS, &METRIC_POINTS, &SCORES, &SPAN_MINUTES, &SPANS];

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
    /// What is said is said again with every later call: the store keeps each message once, and by its hash in rows.
    #[serde(skip)]
    pub by_hash: bool,
    /// It holds the sum over all that the row stands for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub summed: bool,
    /// Unit, for axis and column titles.
    pub unit: Option<&'static str>,
    /// What it means, and its OpenTelemetry name where there is one.
    pub doc: &'static str,
}

impl Column {
    /// A column that lists may show.
    #[must_use]
    pub const fn hot(name: &'static str, ty: ColumnType, doc: &'static str) -> Self {
        Self {
            name,
            ty,
            room: ColumnRoom::Hot,
            nullable: true,
            searchable: false,
            by_hash: false,
            summed: false,
            unit: None,
            doc,
        }
    }

    /// A column of any size.
    #[must_use]
    pub const fn body(name: &'static str, ty: ColumnType, doc: &'static str) -> Self {
        Self {
            name,
            ty,
            room: ColumnRoom::Body,
            nullable: true,
            searchable: false,
            by_hash: false,
            summed: false,
            unit: None,
            doc,
        }
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

    /// Kept once, whoever says it again.
    #[must_use]
    pub const fn by_hash(mut self) -> Self {
        self.by_hash = true;
        self
    }

    /// It holds the sum over all that the row stands for.
    #[must_use]
    pub const fn summed(mut self) -> Self {
        self.summed = true;
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
    /// What was said in spans.
    Bodies,
    /// Scores: few, and worth as much in a year. For ever.
    Scores,
    /// Log records.
    Logs,
    /// Data points of metrics.
    Metrics,
    /// What others were summed up to. For ever.
    Aggregates,
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

/// Of what the rows of a table are sums. The store makes them: nothing is appended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sums {
    /// The table whose rows are summed up.
    pub of: &'static Table,
    /// The column that says how many a row stands for: `count` is its sum, and quantiles weigh by it.
    pub weight: &'static str,
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
    /// Of what its rows are sums, if they are.
    #[serde(skip)]
    pub sums: Option<Sums>,
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

    pub(crate) fn map(value: &'a std::collections::BTreeMap<String, String>) -> Self {
        if value.is_empty() { Self::Null } else { Self::TextMap(Cow::Borrowed(value)) }
    }

    pub(crate) fn json<T: Serialize>(present: bool, value: &T) -> Self {
        if !present {
            return Self::Null;
        }
        serde_json::to_string(value).map_or(Self::Null, Self::owned)
    }
}

/// A text as a preview; absent if it is empty.
fn cut(text: String) -> Cell<'static> {
    if text.is_empty() {
        return Cell::Null;
    }
    match text.char_indices().nth(PREVIEW_CHARS) {
        None => Cell::owned(text),
        Some((end, _)) => Cell::owned(format!("{}…", text.get(..end).unwrap_or_default())),
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
    use crate::{LogRecord, MetricPoint, ProjectId, Score, Span, SpanId, TraceId};

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
            for name in table.key {
                assert!(!table.column(name).is_some_and(|column| column.nullable), "{}.{name} names rows", table.name);
            }
        }
    }

    /// The least record there may be.
    fn fits<R: Record>(record: &R) {
        let mut cells = Vec::new();
        record.cells(&mut cells);
        let table = R::table();
        assert_eq!(cells.len(), table.columns.len(), "{}", table.name);
        for (cell, column) in cells.iter().zip(table.columns) {
            assert!(column.nullable || *cell != Cell::Null, "{}.{} is absent", table.name, column.name);
            let fits = match cell {
                Cell::Null => true,
                Cell::Text(_) => matches!(column.ty, ColumnType::Text | ColumnType::Json),
                Cell::TextList(_) => column.ty == ColumnType::TextList,
                Cell::TextMap(_) => column.ty == ColumnType::TextMap,
                Cell::Int(_) => column.ty == ColumnType::Int,
                Cell::Float(_) => column.ty == ColumnType::Float,
                Cell::Money(_) => column.ty == ColumnType::Money,
                Cell::Bool(_) => column.ty == ColumnType::Bool,
                Cell::Time(_) => column.ty == ColumnType::Time,
            };
            assert!(fits, "{}.{} is {:?}, not {cell:?}", table.name, column.name, column.ty);
        }
    }

    #[test]
    fn the_least_record_of_every_table_fits() {
        let (project, time) = (ProjectId::new("p"), Timestamp::from_micros(1));
        fits(&Span::new(project.clone(), TraceId::new(), SpanId::new(), "chat", time));
        fits(&Score::new(project.clone(), "s", "helpfulness", time));
        fits(&LogRecord::new(project.clone(), "l", time));
        fits(&MetricPoint::new(project, "m", "tokens", time));
    }

    #[test]
    fn every_cell_of_a_full_record_fits() {
        let (project, time) = (ProjectId::new("p"), Timestamp::from_micros(1));
        let map = std::collections::BTreeMap::from([("k".to_owned(), "v".to_owned())]);
        let mut score = Score::new(project.clone(), "s", "helpfulness", time);
        (score.trace_id, score.span_id) = (Some(TraceId::new()), Some(SpanId::new()));
        (score.value, score.passed, score.label) = (Some(0.5), Some(true), Some("fair".to_owned()));
        score.metadata.clone_from(&map);
        fits(&score);
        let mut log = LogRecord::new(project.clone(), "l", time);
        (log.body, log.severity_number, log.observed_time) = (Some("said".into()), Some(9), Some(time));
        (log.attributes, log.resource_attributes) = (map.clone(), map.clone());
        fits(&log);
        let mut point = MetricPoint::new(project, "m", "tokens", time);
        (point.value, point.count, point.sum, point.min, point.max) = (Some(1.0), Some(1), Some(1.0), Some(1.0), None);
        (point.start_time, point.monotonic, point.attributes) = (Some(time), Some(true), map);
        (point.buckets, point.exemplars) = (Some(serde_json::json!({})), Some(serde_json::json!([])));
        fits(&point);
    }

    #[test]
    fn previews_cut_between_characters() {
        let Cell::Text(text) = cut("é".repeat(PREVIEW_CHARS + 1)) else { panic!("no preview") };
        assert_eq!(text.chars().count(), PREVIEW_CHARS + 1);
        assert!(text.ends_with('…'));
        assert_eq!(cut(String::new()), Cell::Null);
    }
}
