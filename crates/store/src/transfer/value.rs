//! Texts of files to cells of rows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use signalbox_types::table::{Cell, Column, ColumnType};
use signalbox_types::{Money, Timestamp};

/// Shown of a value that is wrong.
const SHOWN_CHARS: usize = 60;

/// The cell that a JSON value makes.
pub(super) fn of_json(column: &Column, raw: &str) -> Result<Cell<'static>, String> {
    if raw == "null" {
        return Ok(Cell::Null);
    }
    let wrong = |expected: &str| format!("expected {expected}, found `{}`", shown(raw));
    match column.ty {
        ColumnType::Text => text(raw).map(owned).ok_or_else(|| wrong("a text")),
        ColumnType::Json => Ok(owned(raw.to_owned())),
        ColumnType::Time | ColumnType::Money if raw.starts_with('"') => {
            let inner = text(raw).ok_or_else(|| wrong("a text"))?;
            of_text(column, &inner)
        }
        _ => of_text(column, raw),
    }
}

/// The cell that a text in a CSV file makes.
pub(super) fn of_text(column: &Column, text: &str) -> Result<Cell<'static>, String> {
    let wrong = |expected: &str| format!("expected {expected}, found `{}`", shown(text));
    match column.ty {
        ColumnType::Text => Ok(owned(text.to_owned())),
        ColumnType::Json => match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => Ok(owned(text.to_owned())),
            Err(error) => Err(format!("expected JSON, found `{}` ({error})", shown(text))),
        },
        ColumnType::TextList => {
            let items: Option<Vec<String>> = serde_json::from_str(text).ok();
            items.map(|items| Cell::TextList(Cow::Owned(items))).ok_or_else(|| wrong("a JSON list of texts"))
        }
        ColumnType::TextMap => {
            let map: Option<BTreeMap<String, String>> = serde_json::from_str(text).ok();
            map.map(|map| Cell::TextMap(Cow::Owned(map))).ok_or_else(|| wrong("a JSON object of texts"))
        }
        ColumnType::Int => whole(text).map(Cell::Int).ok_or_else(|| wrong("a whole number")),
        ColumnType::Float => text.parse().map(Cell::Float).map_err(|_| wrong("a number")),
        ColumnType::Money => {
            money(text).map(Cell::Money).ok_or_else(|| wrong("an amount in dollars, with up to 12 decimals"))
        }
        ColumnType::Bool => match () {
            () if text.eq_ignore_ascii_case("true") => Ok(Cell::Bool(true)),
            () if text.eq_ignore_ascii_case("false") => Ok(Cell::Bool(false)),
            () => Err(wrong("true or false")),
        },
        ColumnType::Time => {
            text.parse::<Timestamp>().map(Cell::Time).map_err(|_| wrong("a time such as `2026-11-24T08:00:00Z`"))
        }
    }
}

/// The start of a text, for messages.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn owned(text: String) -> Cell<'static> {
    Cell::Text(Cow::Owned(text))
}

fn text(raw: &str) -> Option<String> {
    serde_json::from_str(raw).ok()
}

/// Also `3.0`: where some are absent, data frames make fractions of whole numbers.
fn whole(text: &str) -> Option<i64> {
    let fraction = || {
        let number: f64 = text.parse().ok()?;
        let exact = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
        exact.then_some(number as i64)
    };
    text.parse().ok().or_else(fraction)
}

/// To the last decimal; only with an exponent it is read as a float.
fn money(text: &str) -> Option<Money> {
    let scale = Money::SCALE as usize;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return text.parse().ok().and_then(Money::from_dollars);
    }
    let (kept, cut) = fraction.split_at(fraction.len().min(scale));
    if cut.bytes().any(|byte| byte != b'0') {
        return text.parse().ok().and_then(Money::from_dollars);
    }
    let picos: i128 = format!("{whole}{kept:0<scale$}").parse().ok()?;
    Some(Money::from_picos(if negative { -picos } else { picos }))
}

#[cfg(test)]
mod tests {
    use signalbox_types::table::SPANS;

    use super::*;

    #[test]
    fn amounts_are_exact() {
        let check = |text: &str, picos: Option<i128>| assert_eq!(money(text).map(Money::as_picos), picos, "{text}");
        check("0.0000000375", Some(37_500));
        check("12.50", Some(12_500_000_000_000));
        check("-1", Some(-1_000_000_000_000));
        check("123456789012345678901.000000000001", Some(123_456_789_012_345_678_901_000_000_000_001));
        check("3.75e-8", Some(37_500));
        check("", None);
        check("1,5", None);
        check(".", None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let column = |name| SPANS.column(name).unwrap();
        assert_eq!(of_text(column("input_tokens"), "3.0"), Ok(Cell::Int(3)));
        assert_eq!(of_json(column("cost"), "null"), Ok(Cell::Null));
        assert_eq!(of_json(column("cost"), "\"0.5\""), Ok(Cell::Money(Money::from_picos(500_000_000_000))));
        assert_eq!(of_text(column("streaming"), "True"), Ok(Cell::Bool(true)));
        let time = of_text(column("start_time"), "2026-11-24 08:00:00+00:00").unwrap();
        assert_eq!(time, Cell::Time("2026-11-24T08:00:00Z".parse().unwrap()));
        let error = of_json(column("input_tokens"), "\"many\"").unwrap_err();
        assert_eq!(error, "expected a whole number, found `\"many\"`");
        assert!(of_text(column("input_messages"), "[").unwrap_err().contains("expected JSON"));
        assert!(of_json(column("name"), "7").unwrap_err().contains("expected a text"));
    }
}
