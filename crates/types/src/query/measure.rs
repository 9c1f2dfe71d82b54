//! The numbers that a query calculates.

use serde::{Deserialize, Serialize};

use super::{Filter, InvalidQuery, filter, find_field};
use crate::object::object_only;
use crate::table::{ColumnType, Table};

/// A number to calculate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Measure {
    /// How.
    #[serde(rename = "fn")]
    pub function: Function,
    /// Of what; `count` and `rate` may leave it out to count rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Which quantile, from 0 to 1; only for `quantile`. 0.999 is what one value in a thousand exceeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<f64>,
    /// Only over these rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<filter::Node>)]
    pub filter: Option<Filter>,
    /// Its name in the answer; `fn_column` if absent (`quantile_0.999_column`).
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

object_only!(Measure);

/// How a measure is calculated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// Rows, or rows where the column is present.
    Count,
    /// Different values. Exact: more than fit in the memory of a query are refused, never estimated.
    Unique,
    /// Sum.
    Sum,
    /// Mean.
    Avg,
    /// Least.
    Min,
    /// Greatest.
    Max,
    /// Rows, or the sum of the column, per second of the bucket; without buckets, of the time range.
    Rate,
    /// The quantile `q`. This and the next four come from a t-digest: not exact above some hundred values.
    /// Of all values, the part below the answer is `q` give or take 0.01, and much closer near 0 and 1.
    Quantile,
    /// Median.
    P50,
    /// 90th percentile.
    P90,
    /// 95th percentile.
    P95,
    /// 99th percentile.
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
            Self::Rate => "rate",
            Self::Quantile => "quantile",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
        }
    }

    /// The answer is a number of rows or values, whatever the column holds.
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, Self::Count | Self::Unique)
    }
}

impl Measure {
    /// This function of a column, or of rows.
    #[must_use]
    pub fn of(function: Function, column: Option<&str>) -> Self {
        Self { function, column: column.map(str::to_owned), q: None, filter: None, alias: None }
    }

    /// With this name in the answer.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { alias: Some(name.to_owned()), ..self }
    }

    /// Its name in the answer.
    #[must_use]
    pub fn name(&self) -> String {
        if let Some(alias) = &self.alias {
            return alias.clone();
        }
        let q = self.q.map(|q| q.to_string());
        let parts = [Some(self.function.as_str()), q.as_deref(), self.column.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join("_")
    }

    /// The quantile it is, if one.
    #[must_use]
    pub fn quantile(&self) -> Option<f64> {
        match self.function {
            Function::Quantile => self.q,
            Function::P50 => Some(0.50),
            Function::P90 => Some(0.90),
            Function::P95 => Some(0.95),
            Function::P99 => Some(0.99),
            _ => None,
        }
    }

    /// What its values are: type and unit.
    #[must_use]
    pub fn answers(&self, table: &Table) -> (ColumnType, Option<String>) {
        let column = self.column.as_deref().and_then(|name| table.column(name));
        let unit = column.and_then(|column| column.unit);
        let fraction = self.function == Function::Avg || self.quantile().is_some();
        match column {
            _ if self.function.counts() => (ColumnType::Int, None),
            _ if self.function == Function::Rate => {
                (ColumnType::Float, Some(format!("{}/s", unit.unwrap_or_default())))
            }
            Some(column) if column.ty == ColumnType::Int && fraction => (ColumnType::Float, unit.map(str::to_owned)),
            Some(column) => (column.ty, unit.map(str::to_owned)),
            None => (ColumnType::Text, None),
        }
    }

    pub(super) fn check(&self, table: &Table, place: &str) -> Result<(), InvalidQuery> {
        if let Some(filter) = &self.filter {
            filter.check(table, &format!("{place}.filter"))?;
        }
        if self.alias.as_deref() == Some("") {
            return Err(InvalidQuery::new(format!("{place}.as"), "is empty; name the number, or leave `as` out"));
        }
        self.check_q(&format!("{place}.q"))?;
        let word = self.function.as_str();
        self.check_sums(table, place)?;
        let Some(name) = &self.column else {
            return match self.function {
                Function::Count | Function::Rate => Ok(()),
                _ => Err(InvalidQuery::new(format!("{place}.column"), format!("`{word}` needs a column"))),
            };
        };
        let column = find_field(table, name, || format!("{place}.column"))?;
        // A key of a map column is text, whatever stands in it.
        let ty = if column.name == name { column.ty } else { ColumnType::Text };
        let numeric = matches!(ty, ColumnType::Int | ColumnType::Float | ColumnType::Money);
        let fits = match self.function {
            Function::Count | Function::Unique => true,
            Function::Min | Function::Max => numeric || matches!(ty, ColumnType::Time | ColumnType::Text),
            _ => numeric,
        };
        if fits {
            return Ok(());
        }
        let hint = match self.function {
            Function::Rate => ", or none to count rows",
            _ => "",
        };
        let problem = format!("`{word}` can't be calculated of `{name}`; it needs a column of numbers{hint}");
        Err(InvalidQuery::new(format!("{place}.column"), problem))
    }

    /// Of sums only some can be calculated.
    fn check_sums(&self, table: &Table, place: &str) -> Result<(), InvalidQuery> {
        let Some(sums) = table.sums else { return Ok(()) };
        let problem = match self.function {
            Function::Sum | Function::Rate => return Ok(()),
            Function::Unique | Function::Min | Function::Max => None,
            _ => self.column.as_deref().filter(|name| table.column(name).is_some_and(|column| column.summed)),
        };
        let word = self.function.as_str();
        let problem = match (self.function, problem) {
            (Function::Unique | Function::Min | Function::Max, _) => {
                format!("`{word}` can't be calculated of sums; ask `{}` for it", sums.of.name)
            }
            (_, Some(name)) => {
                format!("`{word}` can't be calculated of `{name}`, which holds sums; expected `sum` or `rate`")
            }
            (_, None) => return Ok(()),
        };
        Err(InvalidQuery::new(format!("{place}.fn"), problem))
    }

    fn check_q(&self, place: &str) -> Result<(), InvalidQuery> {
        let problem = match (self.function, self.q) {
            (Function::Quantile, Some(q)) if (0.0..=1.0).contains(&q) => return Ok(()),
            (Function::Quantile, Some(q)) => format!("{q} is out of range; expected 0 to 1, e.g. 0.999"),
            (Function::Quantile, None) => "`quantile` needs to know which one; add e.g. \"q\": 0.999".to_owned(),
            (_, None) => return Ok(()),
            (function, Some(_)) => {
                format!("`{}` takes no `q`; use {{\"fn\": \"quantile\"}} or leave it out", function.as_str())
            }
        };
        Err(InvalidQuery::new(place, problem))
    }
}
