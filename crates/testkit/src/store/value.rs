//! Rows as JSON values, and how they compare.

use std::cmp::Ordering;

use serde_json::Value;
use signalbox_text::{Highlight, Matcher, TextQuery, json};
use signalbox_types::Timestamp;
use signalbox_types::query::{Comparison, Filter, Operator};
use signalbox_types::table::{Cell, ColumnType, SCORES, Table};

/// A row: one JSON value a column, and the scores that judge it.
#[derive(Debug, Clone)]
pub(super) struct Row(Vec<Value>, Vec<Row>);

impl Row {
    pub(super) fn new(cells: Vec<Cell<'_>>) -> Self {
        Self(cells.into_iter().map(value_of).collect(), Vec::new())
    }

    /// Those of these scores that judge its span or its whole trace come along with it.
    pub(super) fn judged_by(mut self, table: &Table, scores: &[Row]) -> Self {
        let (trace, span) = (self.field(table, "trace_id"), self.field(table, "span_id"));
        let judges = |score: &&Row| {
            let judged = score.field(&SCORES, "span_id");
            !trace.is_null() && score.field(&SCORES, "trace_id") == trace && (judged.is_null() || judged == span)
        };
        self.1 = scores.iter().filter(judges).cloned().collect();
        self
    }

    /// The value of a field: a column, or a key of a map column.
    pub(super) fn field(&self, table: &Table, name: &str) -> Value {
        if let Some(position) = table.position(name) {
            return self.0[position].clone();
        }
        let keyed = name.split_once('.').and_then(|(column, key)| self.0[table.position(column)?].get(key).cloned());
        keyed.unwrap_or(Value::Null)
    }

    /// The value as a query answers it: JSON columns parsed.
    pub(super) fn answer(&self, table: &Table, name: &str) -> Value {
        let value = self.field(table, name);
        let is_json = table.column(name).is_some_and(|column| column.ty == ColumnType::Json);
        match value.as_str() {
            Some(text) if is_json => serde_json::from_str(text).unwrap_or(value),
            _ => value,
        }
    }

    pub(super) fn matches(&self, table: &Table, filter: &Filter) -> bool {
        match filter {
            Filter::All(filters) => filters.iter().all(|filter| self.matches(table, filter)),
            Filter::Any(filters) => filters.iter().any(|filter| self.matches(table, filter)),
            Filter::Not(filter) => !self.matches(table, filter),
            Filter::Score(filter) => self.1.iter().any(|score| score.matches(&SCORES, filter)),
            Filter::Compare(comparison) => self.compares(table, comparison),
        }
    }

    fn compares(&self, table: &Table, comparison: &Comparison) -> bool {
        let found = self.field(table, &comparison.field);
        let wanted = &comparison.value;
        let ordering = || order_present(&found, wanted);
        match comparison.op {
            Operator::Exists => !found.is_null(),
            Operator::Equal => ordering() == Some(Ordering::Equal),
            Operator::NotEqual => ordering() != Some(Ordering::Equal),
            Operator::Greater => ordering() == Some(Ordering::Greater),
            Operator::GreaterOrEqual => ordering().is_some_and(Ordering::is_ge),
            Operator::Less => ordering() == Some(Ordering::Less),
            Operator::LessOrEqual => ordering().is_some_and(Ordering::is_le),
            Operator::In => is_one_of(&found, wanted),
            Operator::NotIn => !is_one_of(&found, wanted),
            Operator::Contains => match (&found, wanted.as_str()) {
                (Value::Array(items), Some(_)) => items.contains(wanted),
                (Value::String(text), Some(wanted)) => contains(text, wanted),
                _ => false,
            },
            Operator::StartsWith => {
                found.as_str().zip(wanted.as_str()).is_some_and(|(text, start)| text.starts_with(start))
            }
        }
    }

    /// Whether the texts of its searchable columns answer a search.
    pub(super) fn answers(&self, table: &Table, query: &TextQuery) -> bool {
        let mut matcher = Matcher::new(query);
        self.each_text(table, &mut |_, text| matcher.read(text));
        matcher.matches()
    }

    pub(super) fn highlight(&self, table: &Table, query: &TextQuery) -> Value {
        let mut highlight = Highlight::new(query);
        self.each_text(table, &mut |column, text| highlight.read(column, text));
        highlight.finish()
    }

    fn each_text(&self, table: &Table, each: &mut dyn FnMut(&'static str, &str)) {
        for (column, value) in table.columns.iter().zip(&self.0).filter(|(column, _)| column.searchable) {
            let Some(text) = value.as_str() else { continue };
            match column.ty {
                ColumnType::Json => json::each_text(text, &mut |text| each(column.name, text)),
                _ => each(column.name, text),
            }
        }
    }
}

fn contains(text: &str, wanted: &str) -> bool {
    text.to_lowercase().contains(&wanted.to_lowercase())
}

fn is_one_of(found: &Value, wanted: &Value) -> bool {
    wanted.as_array().is_some_and(|items| items.iter().any(|item| order_present(found, item) == Some(Ordering::Equal)))
}

/// How two values of one column compare; `None` if either is absent.
pub(super) fn order_present(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => match (left.parse::<Timestamp>(), right.parse::<Timestamp>()) {
            (Ok(left), Ok(right)) => Some(left.cmp(&right)),
            _ => Some(left.cmp(right)),
        },
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn value_of(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Text(text) => text.into_owned().into(),
        Cell::TextList(items) => items.into_owned().into(),
        Cell::TextMap(map) => map.iter().map(|(key, value)| (key.clone(), Value::from(value.clone()))).collect(),
        Cell::Int(int) => int.into(),
        Cell::Float(float) => float.into(),
        Cell::Money(money) => money.as_dollars().into(),
        Cell::Bool(bool) => bool.into(),
        Cell::Time(time) => time.to_string().into(),
    }
}
