//! Where a page ended. It names the last row and not a number of rows, so that what arrives meanwhile
//! shifts nothing; and where the time range began, so that time which goes on takes nothing away.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use datafusion::logical_expr::{Expr, ident, lit};
use serde_json::Value;
use signalbox_types::Timestamp;
use signalbox_types::query::InvalidQuery;
use signalbox_types::table::{ColumnType, Table};

use super::filter::time_literal;

/// The page before, as the next one needs it.
pub(super) struct Cursor {
    /// Where its time range began.
    pub(super) from: Timestamp,
    /// The rows after its last, in default order.
    pub(super) after: Expr,
}

/// Time and key: what orders rows without doubt.
pub(super) fn identity(table: &Table) -> impl Iterator<Item = &'static str> + use<> {
    [table.time_column].into_iter().chain(table.key.iter().copied())
}

/// The text that names this row.
pub(super) fn of(from: Timestamp, last: &[Value]) -> Option<String> {
    let bytes = serde_json::to_vec(&(from.as_micros(), last)).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

impl Cursor {
    pub(super) fn read(text: &str, table: &Table) -> Result<Self, InvalidQuery> {
        Self::parse(text, table).ok_or_else(|| {
            let problem =
                "is not the `next_cursor` of an answer to this query; send that one, or none for the first page";
            InvalidQuery::new("cursor", problem)
        })
    }

    fn parse(text: &str, table: &Table) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (from, last): (i64, Vec<Value>) = serde_json::from_slice(&bytes).ok()?;
        let names: Vec<&str> = identity(table).collect();
        if last.len() != names.len() {
            return None;
        }
        let mut after = lit(false);
        for (name, value) in names.into_iter().zip(&last).rev() {
            let value = match (table.column(name)?.ty, value) {
                (ColumnType::Time, Value::String(time)) => time_literal(time.parse().ok()?),
                (ColumnType::Text, Value::String(text)) => lit(text.as_str()),
                (ColumnType::Int, Value::Number(number)) => lit(number.as_i64()?),
                _ => return None,
            };
            let equal = ident(name).eq(value.clone()).and(after);
            after = ident(name).lt(value.clone()).or(equal);
            if name == table.time_column {
                // Said again by itself, so that files and row groups can be skipped by it.
                after = ident(name).lt_eq(value).and(after);
            }
        }
        Some(Self { from: Timestamp::from_micros(from), after })
    }
}
