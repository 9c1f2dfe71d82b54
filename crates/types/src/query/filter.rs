//! Which rows a query means: a tree of comparisons.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{InvalidQuery, find_field};
use crate::object::object_only;
use crate::table::{ColumnType, SCORES, Table};

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Operator {
    /// Equal.
    #[serde(rename = "=")]
    Equal,
    /// Not equal, or absent.
    #[serde(rename = "!=")]
    NotEqual,
    /// Greater.
    #[serde(rename = ">")]
    Greater,
    /// Greater or equal.
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// Less.
    #[serde(rename = "<")]
    Less,
    /// Less or equal.
    #[serde(rename = "<=")]
    LessOrEqual,
    /// One of a list.
    #[serde(rename = "in")]
    In,
    /// None of a list, or absent.
    #[serde(rename = "not_in")]
    NotIn,
    /// The text occurs in it, in any letter case; in a list of texts: one item equals it.
    #[serde(rename = "contains")]
    Contains,
    /// The text starts with it.
    #[serde(rename = "starts_with")]
    StartsWith,
    /// Present.
    #[serde(rename = "exists")]
    Exists,
}

/// `{field, op, value}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// A column, or a key of a map column: `attributes.key`.
    pub field: String,
    /// How.
    pub op: Operator,
    /// With what: a scalar, or a list for `in` and `not_in`; nothing for `exists`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
}

/// A tree of comparisons: `{"all": […]}`, `{"any": […]}`, `{"not": …}`, `{"score": …}` or
/// `{"field", "op", "value"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Node", into = "Node")]
pub enum Filter {
    /// All of them hold.
    All(Vec<Filter>),
    /// At least one holds.
    Any(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// A score that fulfils this filter (on the table `scores`) judges the row's span or its whole trace.
    Score(Box<Filter>),
    /// A comparison.
    Compare(Comparison),
}

/// The JSON shape. One struct instead of an untagged enum, whose errors name nothing.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(as = Filter, description = "Which rows: one of `{\"all\": [...]}`, `{\"any\": [...]}`, `{\"not\": ...}`, `{\"score\": ...}` and `{\"field\", \"op\", \"value\"}`.")]
pub struct Node {
    /// All of them hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Node>>, no_recursion)]
    all: Option<Vec<Filter>>,
    /// At least one holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Node>>, no_recursion)]
    any: Option<Vec<Filter>>,
    /// It does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Node>, no_recursion)]
    not: Option<Box<Filter>>,
    /// A score that fulfils this filter, on columns of the table `scores`, judges the span or its whole trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Node>, no_recursion)]
    score: Option<Box<Filter>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    op: Option<Operator>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    value: Value,
}

object_only!(Node);

impl TryFrom<Node> for Filter {
    type Error = &'static str;

    fn try_from(node: Node) -> Result<Self, Self::Error> {
        let Node { all, any, not, score, field, op, value } = node;
        match (all, any, not, score, field, op) {
            (Some(all), None, None, None, None, None) => Ok(Self::All(all)),
            (None, Some(any), None, None, None, None) => Ok(Self::Any(any)),
            (None, None, Some(not), None, None, None) => Ok(Self::Not(not)),
            (None, None, None, Some(score), None, None) => Ok(Self::Score(score)),
            (None, None, None, None, Some(field), Some(op)) => Ok(Self::Compare(Comparison { field, op, value })),
            _ => Err(
                "a filter is one of {\"all\": […]}, {\"any\": […]}, {\"not\": …}, {\"score\": …} or {\"field\", \"op\", \"value\"}",
            ),
        }
    }
}

impl From<Filter> for Node {
    fn from(filter: Filter) -> Self {
        let mut node = Self { all: None, any: None, not: None, score: None, field: None, op: None, value: Value::Null };
        match filter {
            Filter::All(all) => node.all = Some(all),
            Filter::Any(any) => node.any = Some(any),
            Filter::Not(not) => node.not = Some(not),
            Filter::Score(score) => node.score = Some(score),
            Filter::Compare(Comparison { field, op, value }) => {
                (node.field, node.op, node.value) = (Some(field), Some(op), value);
            }
        }
        node
    }
}

impl Filter {
    /// `field = value`.
    pub fn equals(field: &str, value: impl Into<Value>) -> Self {
        Self::compare(field, Operator::Equal, value)
    }

    /// A comparison.
    pub fn compare(field: &str, op: Operator, value: impl Into<Value>) -> Self {
        Self::Compare(Comparison { field: field.to_owned(), op, value: value.into() })
    }

    /// Whether it looks at scores, which come after what they judge.
    #[must_use]
    pub fn asks_for_scores(&self) -> bool {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().any(Self::asks_for_scores),
            Self::Not(filter) => filter.asks_for_scores(),
            Self::Score(_) => true,
            Self::Compare(_) => false,
        }
    }

    pub(super) fn check(&self, table: &Table, place: &str) -> Result<(), InvalidQuery> {
        match self {
            Self::All(filters) => check_each(filters, table, &format!("{place}.all")),
            Self::Any(filters) => check_each(filters, table, &format!("{place}.any")),
            Self::Not(filter) => filter.check(table, &format!("{place}.not")),
            Self::Score(filter) => {
                let place = format!("{place}.score");
                let judged =
                    table.name != SCORES.name && ["trace_id", "span_id"].iter().all(|id| table.column(id).is_some());
                if !judged {
                    return Err(InvalidQuery::new(
                        place,
                        format!("rows of `{}` have no scores; `spans` have", table.name),
                    ));
                }
                filter.check(&SCORES, &place)
            }
            Self::Compare(comparison) => comparison.check(table, place),
        }
    }
}

fn check_each(filters: &[Filter], table: &Table, place: &str) -> Result<(), InvalidQuery> {
    filters.iter().enumerate().try_for_each(|(i, filter)| filter.check(table, &format!("{place}[{i}]")))
}

impl Comparison {
    fn check(&self, table: &Table, place: &str) -> Result<(), InvalidQuery> {
        let column = find_field(table, &self.field, || format!("{place}.field"))?;
        let keyed = column.name != self.field;
        let ty = if keyed { ColumnType::Text } else { column.ty };
        let wrong = |expected: &str| {
            let problem = format!("`{}` doesn't fit `{}`; expected {expected}", self.value, self.field);
            Err(InvalidQuery::new(format!("{place}.value"), problem))
        };
        match self.op {
            Operator::Exists => Ok(()),
            Operator::In | Operator::NotIn => match &self.value {
                Value::Array(items) if items.iter().all(|item| fits(ty, item)) => Ok(()),
                _ => wrong(&format!("a list of {}", expected(ty))),
            },
            Operator::Contains | Operator::StartsWith if !self.value.is_string() => wrong("text"),
            Operator::Contains if matches!(ty, ColumnType::Text | ColumnType::Json | ColumnType::TextList) => Ok(()),
            Operator::StartsWith if ty == ColumnType::Text => Ok(()),
            Operator::Contains | Operator::StartsWith => {
                Err(InvalidQuery::new(format!("{place}.op"), format!("`{}` holds no text", self.field)))
            }
            _ if matches!(ty, ColumnType::TextList | ColumnType::TextMap) => {
                let problem = format!("`{}` can only be compared by `contains` and `exists`", self.field);
                Err(InvalidQuery::new(format!("{place}.op"), problem))
            }
            _ if fits(ty, &self.value) => Ok(()),
            _ => wrong(expected(ty)),
        }
    }
}

fn fits(ty: ColumnType, value: &Value) -> bool {
    match ty {
        ColumnType::Text | ColumnType::Json | ColumnType::TextList | ColumnType::TextMap => value.is_string(),
        ColumnType::Int | ColumnType::Float | ColumnType::Money => value.is_number(),
        ColumnType::Bool => value.is_boolean(),
        ColumnType::Time => value.as_str().is_some_and(|text| text.parse::<crate::Timestamp>().is_ok()),
    }
}

fn expected(ty: ColumnType) -> &'static str {
    match ty {
        ColumnType::Text | ColumnType::Json | ColumnType::TextList | ColumnType::TextMap => "text",
        ColumnType::Int | ColumnType::Float | ColumnType::Money => "a number",
        ColumnType::Bool => "true or false",
        ColumnType::Time => "an RFC 3339 time",
    }
}
