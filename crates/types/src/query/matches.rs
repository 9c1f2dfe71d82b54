//! A filter on one row in memory. Means the same as in the store: absent values meet `!=` and
//! `not_in` only, text is compared as it is except by `contains`.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::{Comparison, Filter, Operator};
use crate::Timestamp;
use crate::table::{Cell, Table};

impl Filter {
    /// Whether a row in memory fulfils it; it was checked against the table before. What just came has no scores yet:
    /// a filter that asks for some is fulfilled by none.
    #[must_use]
    pub fn matches(&self, table: &Table, cells: &[Cell<'_>]) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.matches(table, cells)),
            Self::Any(filters) => filters.iter().any(|filter| filter.matches(table, cells)),
            Self::Not(filter) => !filter.matches(table, cells),
            Self::Score(_) => false,
            Self::Compare(comparison) => compares(&field(table, cells, &comparison.field), comparison),
        }
    }
}

/// The value of a field: a column, or a key of a map column.
fn field<'a>(table: &Table, cells: &'a [Cell<'_>], name: &str) -> Cow<'a, Cell<'a>> {
    if let Some(cell) = table.position(name).and_then(|position| cells.get(position)) {
        return Cow::Borrowed(cell);
    }
    let keyed = name.split_once('.').and_then(|(column, key)| match cells.get(table.position(column)?)? {
        Cell::TextMap(map) => map.get(key).map(|text| Cell::Text(Cow::Borrowed(text.as_str()))),
        _ => None,
    });
    Cow::Owned(keyed.unwrap_or(Cell::Null))
}

fn compares(found: &Cell<'_>, comparison: &Comparison) -> bool {
    let wanted = &comparison.value;
    let ordering = || order(found, wanted);
    let is_one_of =
        || wanted.as_array().is_some_and(|items| items.iter().any(|item| order(found, item) == Some(Ordering::Equal)));
    match comparison.op {
        Operator::Exists => *found != Cell::Null,
        Operator::Equal => ordering() == Some(Ordering::Equal),
        Operator::NotEqual => ordering() != Some(Ordering::Equal),
        Operator::Greater => ordering() == Some(Ordering::Greater),
        Operator::GreaterOrEqual => ordering().is_some_and(Ordering::is_ge),
        Operator::Less => ordering() == Some(Ordering::Less),
        Operator::LessOrEqual => ordering().is_some_and(Ordering::is_le),
        Operator::In => is_one_of(),
        Operator::NotIn => !is_one_of(),
        Operator::Contains => match (found, wanted.as_str()) {
            (Cell::TextList(items), Some(wanted)) => items.iter().any(|item| item == wanted),
            (Cell::Text(text), Some(wanted)) => text.to_lowercase().contains(&wanted.to_lowercase()),
            _ => false,
        },
        Operator::StartsWith => {
            matches!((found, wanted.as_str()), (Cell::Text(text), Some(start)) if text.starts_with(start))
        }
    }
}

/// How a cell compares with a value; `None` if it is absent.
fn order(found: &Cell<'_>, wanted: &Value) -> Option<Ordering> {
    match found {
        Cell::Text(text) => wanted.as_str().map(|wanted| text.as_ref().cmp(wanted)),
        Cell::Int(int) => match wanted.as_i64() {
            Some(wanted) => Some(int.cmp(&wanted)),
            None => (*int as f64).partial_cmp(&wanted.as_f64()?),
        },
        Cell::Float(float) => float.partial_cmp(&wanted.as_f64()?),
        Cell::Money(money) => money.as_dollars().partial_cmp(&wanted.as_f64()?),
        Cell::Bool(bool) => wanted.as_bool().map(|wanted| bool.cmp(&wanted)),
        Cell::Time(time) => {
            wanted.as_str().and_then(|text| text.parse::<Timestamp>().ok()).map(|wanted| time.cmp(&wanted))
        }
        Cell::Null | Cell::TextList(_) | Cell::TextMap(_) => None,
    }
}
