//! The one question that UI, API, CLI and jobs ask. A query never names a project: the project is
//! given beside it, by who is asking.

mod answer;
mod check;
mod filter;
mod matches;
mod measure;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::TimeRange;
use crate::object::object_only;
use crate::table::{self, Column, ColumnType, Table};

pub use answer::{Answer, AnswerColumn};
pub use filter::{Comparison, Filter, Node as FilterSchema, Operator};
pub use measure::{Function, Measure};

/// Rows a query answers unless it asks for fewer or more.
pub const DEFAULT_LIMIT: u32 = 100;
/// Rows a query may ask for at most.
pub const MAX_LIMIT: u32 = 10_000;
/// Groups that `top` may ask for at most.
pub const MAX_TOP: u32 = 100;
/// The column of buckets in an answer.
pub const BUCKET: &str = "bucket";
/// What a query with `top` calls the groups that are none of the greatest, and the column that
/// tells their row from that of a group which is really called so.
pub const OTHER: &str = "other";

/// May be selected in a search for rows: where a row answers it, as `{column, snippet, ranges}`. The ranges
/// are those of the hits within the snippet, in characters.
pub const SEARCH_HIGHLIGHT: &str = "search_highlight";

/// A question to the event store: rows (`select`), or numbers (`measures`, by `group_by` and `bucket`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Query {
    /// `spans`, `scores`, `logs`, `metric_points` or `findings`.
    #[serde(default = "spans")]
    pub table: String,
    /// When; the last hour if absent.
    #[serde(default)]
    pub time: TimeRange,
    /// Which rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<filter::Node>)]
    pub filter: Option<Filter>,
    /// What must occur in the searchable columns, in any letter case: words (all of them), `"a phrase"`,
    /// `pre*`, `-without`, `this OR that`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Columns to answer, for a query without measures; all hot ones if empty. With `search` also
    /// `search_highlight`: a piece of text that shows a hit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub select: Vec<String>,
    /// Numbers to calculate; with them the answer has a row for each group and bucket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<Measure>,
    /// Columns (or `attributes.key`) to group by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<String>,
    /// Only so many groups (1 to 100), the greatest over the whole time range by the first measure, or the first
    /// by `order`; the rows of all others make one more group. That one's texts are `other`, its other groups are
    /// absent, and a column `other`, after the groups, is true in its rows. They come last (within their bucket).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<u32>,
    /// Width of time buckets, e.g. `1m`, `1h`, `1d`; adds a first column `bucket`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// Order; by default newest first, with buckets oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<Order>,
    /// Rows at most (100 if absent, 10 000 at most).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the answer before: the rows after its last. Only for rows in default order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

fn spans() -> String {
    table::SPANS.name.to_owned()
}

/// The newest spans of the last hour.
impl Default for Query {
    fn default() -> Self {
        Self {
            table: spans(),
            time: TimeRange::default(),
            filter: None,
            search: None,
            select: Vec::new(),
            measures: Vec::new(),
            group_by: Vec::new(),
            top: None,
            bucket: None,
            order: Vec::new(),
            limit: None,
            cursor: None,
        }
    }
}

/// An order of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Order {
    /// A column of the answer.
    pub by: String,
    /// Greatest first.
    #[serde(default)]
    pub desc: bool,
}

object_only!(Query, Order);

/// A query that can't be answered, and what would help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {problem}")]
pub struct InvalidQuery {
    /// Where in the query, e.g. `measures[0].column`.
    pub field: String,
    /// What is wrong, and what was expected.
    pub problem: String,
}

impl InvalidQuery {
    /// At this place, with this problem.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

impl Query {
    /// A query of this table for everything in the last hour.
    #[must_use]
    pub fn of(table: &Table) -> Self {
        Self { table: table.name.to_owned(), ..Self::default() }
    }

    /// Rows at most.
    #[must_use]
    pub fn rows_at_most(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }
}

/// The column that a field names: a column, or a key of a map column (`attributes.key`).
///
/// # Errors
/// There is none of that name.
pub fn find_field(table: &Table, name: &str, place: impl FnOnce() -> String) -> Result<&'static Column, InvalidQuery> {
    if let Some(column) = table.column(name) {
        return Ok(column);
    }
    let map = name.split_once('.').and_then(|(column, key)| table.column(column).filter(|_| !key.is_empty()));
    if let Some(column) = map.filter(|column| column.ty == ColumnType::TextMap) {
        return Ok(column);
    }
    let names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
    let problem = format!("`{}` has no column `{name}`; columns: {}", table.name, names.join(", "));
    Err(InvalidQuery::new(place(), problem))
}
