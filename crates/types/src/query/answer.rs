//! What a query answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A table of JSON values.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Answer {
    /// The columns, in the order of each row's values.
    pub columns: Vec<AnswerColumn>,
    /// The rows. Times are RFC 3339, money is a number of dollars.
    #[schema(value_type = Vec<Vec<Value>>)]
    pub rows: Vec<Vec<Value>>,
    /// Where the next page starts, if there may be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How long the store took, in milliseconds.
    pub elapsed_ms: f64,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AnswerColumn {
    /// Its name.
    pub name: String,
    /// text, text_list, text_map, json, int, float, money, bool or time.
    #[serde(rename = "type")]
    pub ty: String,
    /// Its unit, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

impl Answer {
    /// The rows as objects by column name; absent values are left out.
    pub fn objects(&self) -> impl Iterator<Item = serde_json::Map<String, Value>> + '_ {
        self.rows.iter().map(|row| {
            let named = self.columns.iter().map(|column| column.name.clone()).zip(row.iter().cloned());
            named.filter(|(_, value)| !value.is_null()).collect()
        })
    }

    /// The place of a column.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}
