//! The one question that UI, API, CLI and jobs ask. A query never names a project: the project is
//! given beside it, by who is asking.

mod answer;
mod filter;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::TimeRange;
use crate::table::{self, Column, ColumnType, Table};

pub use answer::{Answer, AnswerColumn};
pub use filter::{Comparison, Filter, Operator};

/// Rows a query answers unless it asks for fewer or more.
pub const DEFAULT_LIMIT: u32 = 100;
/// Rows a query may ask for at most.
pub const MAX_LIMIT: u32 = 10_000;

/// A question to the event store: rows (`select`), or numbers (`measures`, by `group_by` and `bucket`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
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
    /// Text that must occur, in any letter case, in one of the searchable columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Columns to answer, for a query without measures; all hot ones if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub select: Vec<String>,
    /// Numbers to calculate; with them the answer has a row for each group and bucket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<Measure>,
    /// Columns (or `attributes.key`) to group by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<String>,
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
            bucket: None,
            order: Vec::new(),
            limit: None,
            cursor: None,
        }
    }
}

/// A number to calculate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// How.
    #[serde(rename = "fn")]
    pub function: Function,
    /// Of what; `count` may leave it out to count rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Only over these rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<filter::Node>)]
    pub filter: Option<Filter>,
    /// Its name in the answer; `fn_column` if absent.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

impl Measure {
    /// Its name in the answer.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.alias, &self.column) {
            (Some(alias), _) => alias.clone(),
            (None, Some(column)) => format!("{}_{column}", self.function.as_str()),
            (None, None) => self.function.as_str().to_owned(),
        }
    }
}

/// How a measure is calculated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// Rows, or rows where the column is present.
    Count,
    /// Different values (approximate above some thousands).
    Unique,
    /// Sum.
    Sum,
    /// Mean.
    Avg,
    /// Least.
    Min,
    /// Greatest.
    Max,
    /// Median (t-digest).
    P50,
    /// 90th percentile (t-digest).
    P90,
    /// 95th percentile (t-digest).
    P95,
    /// 99th percentile (t-digest).
    P99,
}

impl Function {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Unique => "unique",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
        }
    }

    /// The quantile it is, if one.
    #[must_use]
    pub fn quantile(self) -> Option<f64> {
        match self {
            Self::P50 => Some(0.50),
            Self::P90 => Some(0.90),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
            _ => None,
        }
    }
}

/// An order of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// A column of the answer.
    pub by: String,
    /// Greatest first.
    #[serde(default)]
    pub desc: bool,
}

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

    /// The table, once every name and value in the query was checked against it.
    ///
    /// # Errors
    /// The first thing that can't be answered, with the place and what was expected.
    pub fn check(&self) -> Result<&'static Table, InvalidQuery> {
        let table = table::find(&self.table).ok_or_else(|| {
            let names: Vec<_> = table::ALL.iter().map(|table| table.name).collect();
            InvalidQuery::new(
                "table",
                format!("there is no table `{}`; expected one of {}", self.table, names.join(", ")),
            )
        })?;
        for (i, name) in self.select.iter().enumerate() {
            find_field(table, name, || format!("select[{i}]"))?;
        }
        for (i, name) in self.group_by.iter().enumerate() {
            let column = find_field(table, name, || format!("group_by[{i}]"))?;
            if column.ty == ColumnType::Json {
                return Err(InvalidQuery::new(
                    format!("group_by[{i}]"),
                    format!("`{name}` holds JSON, which can't be grouped by"),
                ));
            }
        }
        if let Some(filter) = &self.filter {
            filter.check(table, "filter")?;
        }
        for (i, measure) in self.measures.iter().enumerate() {
            check_measure(table, measure, &format!("measures[{i}]"))?;
        }
        self.bucket_width()?;
        self.check_shape()?;
        self.check_order(table)?;
        Ok(table)
    }

    /// The width of the buckets, if any.
    ///
    /// # Errors
    /// The text is no duration of at least one second.
    pub fn bucket_width(&self) -> Result<Option<Duration>, InvalidQuery> {
        let Some(text) = &self.bucket else { return Ok(None) };
        match crate::time::parse_duration(text) {
            Some(width) if width >= Duration::from_secs(1) => Ok(Some(width)),
            _ => Err(InvalidQuery::new(
                "bucket",
                format!("`{text}` is no bucket width; expected e.g. `1m`, `1h` or `1d`, at least `1s`"),
            )),
        }
    }

    fn check_shape(&self) -> Result<(), InvalidQuery> {
        if self.measures.is_empty() && !(self.group_by.is_empty() && self.bucket.is_none()) {
            return Err(InvalidQuery::new(
                "measures",
                "`group_by` and `bucket` need at least one measure, e.g. {\"fn\": \"count\"}",
            ));
        }
        if !self.measures.is_empty() && !self.select.is_empty() {
            return Err(InvalidQuery::new(
                "select",
                "a query has either `select` (rows) or `measures` (numbers), not both",
            ));
        }
        if self.cursor.is_some() && !(self.measures.is_empty() && self.order.is_empty()) {
            return Err(InvalidQuery::new(
                "cursor",
                "only rows in default order (newest first) can be paged by cursor",
            ));
        }
        let limit = self.rows_at_most();
        if limit == 0 || limit > MAX_LIMIT {
            return Err(InvalidQuery::new("limit", format!("{limit} is out of range; expected 1 to {MAX_LIMIT}")));
        }
        Ok(())
    }

    fn check_order(&self, table: &Table) -> Result<(), InvalidQuery> {
        for (i, order) in self.order.iter().enumerate() {
            if self.measures.is_empty() {
                find_field(table, &order.by, || format!("order[{i}].by"))?;
                continue;
            }
            let mut names: Vec<String> =
                self.measures.iter().map(Measure::name).chain(self.group_by.iter().cloned()).collect();
            names.extend(self.bucket.is_some().then(|| "bucket".to_owned()));
            if !names.contains(&order.by) {
                let problem = format!("there is no `{}` in the answer; expected one of {}", order.by, names.join(", "));
                return Err(InvalidQuery::new(format!("order[{i}].by"), problem));
            }
        }
        Ok(())
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

fn check_measure(table: &Table, measure: &Measure, place: &str) -> Result<(), InvalidQuery> {
    if let Some(filter) = &measure.filter {
        filter.check(table, &format!("{place}.filter"))?;
    }
    let Some(name) = &measure.column else {
        return match measure.function {
            Function::Count => Ok(()),
            function => {
                Err(InvalidQuery::new(format!("{place}.column"), format!("`{}` needs a column", function.as_str())))
            }
        };
    };
    let column = find_field(table, name, || format!("{place}.column"))?;
    let numeric = matches!(column.ty, ColumnType::Int | ColumnType::Float | ColumnType::Money);
    let fits = match measure.function {
        Function::Count | Function::Unique => true,
        Function::Min | Function::Max => numeric || matches!(column.ty, ColumnType::Time | ColumnType::Text),
        _ => numeric,
    };
    if fits {
        return Ok(());
    }
    let problem =
        format!("`{}` can't be calculated of `{name}`; it needs a column of numbers", measure.function.as_str());
    Err(InvalidQuery::new(format!("{place}.column"), problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expect: &str) {
        let problem = match serde_json::from_str::<Query>(json) {
            Ok(query) => query.check().map_or_else(|error| error.to_string(), |table| table.name.to_owned()),
            Err(error) => error.to_string(),
        };
        assert!(problem.contains(expect), "{json}: {problem}");
    }

    #[test]
    fn good_queries() {
        check("{}", "spans");
        check(r#"{"table":"findings"}"#, "findings");
        check(r#"{"measures":[{"fn":"p95","column":"duration_ms"}],"group_by":["model"],"bucket":"1m"}"#, "spans");
        check(r#"{"filter":{"not":{"score":{"field":"value","op":"<","value":0.5}}}}"#, "spans");
        check(r#"{"filter":{"field":"attributes.http.route","op":"=","value":"/x"}}"#, "spans");
        check(
            r#"{"filter":{"all":[{"field":"status","op":"in","value":["error"]},{"not":{"field":"model","op":"exists"}}]}}"#,
            "spans",
        );
    }

    #[test]
    fn bad_queries_say_where_and_what_was_expected() {
        check(r#"{"table":"span"}"#, "expected one of findings, logs, metric_points, scores, spans");
        check(r#"{"selekt":[]}"#, "unknown field `selekt`");
        check(r#"{"select":["modle"]}"#, "`select[0]`: `spans` has no column `modle`");
        check(r#"{"measures":[{"fn":"avg","column":"model"}]}"#, "`measures[0].column`");
        check(r#"{"measures":[{"fn":"avg"}]}"#, "needs a column");
        check(r#"{"group_by":["model"]}"#, "need at least one measure");
        check(r#"{"bucket":"1 minute","measures":[{"fn":"count"}]}"#, "no bucket width");
        check(r#"{"limit":0}"#, "1 to 10000");
        check(r#"{"filter":{"all":[{"field":"duration_ms","op":">","value":"slow"}]}}"#, "`filter.all[0].value`");
        check(r#"{"filter":{"field":"model"}}"#, "op");
        check(
            r#"{"filter":{"score":{"field":"model","op":"exists"}}}"#,
            "`filter.score.field`: `scores` has no column",
        );
        check(r#"{"table":"scores","filter":{"score":{"all":[]}}}"#, "rows of `scores` have no scores");
        check(r#"{"filter":{"score":{"score":{"all":[]}}}}"#, "`filter.score.score`: rows of `scores`");
        check(r#"{"filter":{"score":{"all":[]},"field":"model","op":"exists"}}"#, "a filter is one of");
    }
}
