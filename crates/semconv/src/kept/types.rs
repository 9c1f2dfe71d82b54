//! Attributes are kept as texts. A text looks like what it most likely was: `null`, `true`, `12` and
//! `["a",1]` like a value of that type, as long as serde would write it so; anything else like a
//! text. What a text doesn't look like is noted.

use serde_json::value::RawValue;
use serde_json::{Number, Value};

/// In notes: a text, though it looks like another type.
const TEXT: &str = "text";
/// In notes: JSON, though it looks like a text.
pub(super) const JSON: &str = "json";

/// Longer ones are no number that serde writes.
const MAX_NUMBER_BYTES: usize = 32;

/// The note for a value that its text doesn't look like.
pub(super) fn unlike_its_text(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) => looks_like(text).is_some().then_some(TEXT),
        Value::Array(items) => items.iter().any(|item| item.is_array() || item.is_object()).then_some(JSON),
        Value::Object(_) => Some(JSON),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The value that was kept as this text, with this note.
pub(super) fn read(text: &str, note: Option<&str>) -> Value {
    let value = match note {
        Some(TEXT) => None,
        Some(JSON) => serde_json::from_str(text).ok(),
        _ => looks_like(text),
    };
    value.unwrap_or_else(|| text.into())
}

/// What it looks like, if not like a text.
fn looks_like(text: &str) -> Option<Value> {
    if text.starts_with('[') { list(text) } else { scalar(text) }
}

fn list(text: &str) -> Option<Value> {
    // Lists of structures are JSON that an emitter wrote into a text.
    if !text.ends_with(']') || text.starts_with("[{") || text.starts_with("[[") {
        return None;
    }
    let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    let item = |item: &&RawValue| match item.get() {
        text if text.starts_with('"') => serde_json::from_str(text).ok(),
        text => scalar(text),
    };
    let list = Value::Array(items.iter().map(item).collect::<Option<_>>()?);
    let written = list.to_string();
    (written == text).then_some(list)
}

fn scalar(text: &str) -> Option<Value> {
    match text.as_bytes() {
        b"null" => Some(Value::Null),
        b"true" => Some(Value::Bool(true)),
        b"false" => Some(Value::Bool(false)),
        [b'-' | b'0'..=b'9', ..] if text.len() <= MAX_NUMBER_BYTES => {
            let whole = || text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
            // Not by serde: it may be off by the last bit.
            let number = whole().ok().or_else(|| Number::from_f64(text.parse().ok()?))?;
            let written = number.to_string();
            (written == text).then_some(Value::Number(number))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_texts_look_like() {
        let check = |text: &str, expected: Value| assert_eq!(read(text, None), expected, "{text}");
        check("12", json!(12));
        check("-1", json!(-1));
        check("18446744073709551615", json!(u64::MAX));
        check("0.1", json!(0.1));
        check("true", json!(true));
        check("null", json!(null));
        check("[\"a\",1,0.30000000000000004,null]", json!(["a", 1, 0.300_000_000_000_000_04, null]));
        check("[]", json!([]));
        for text in
            ["", "a", "007", "1e5", "1.50", "-", "+1", "inf", "NaN", " 1", "[1, 2]", "[1", "[[1]]", "[{}]", "{}"]
        {
            check(text, json!(text));
        }
    }

    #[test]
    fn notes_only_where_the_text_misleads() {
        let check = |value: Value, expected: Option<&str>| {
            assert_eq!(unlike_its_text(&value), expected, "{value}");
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            assert_eq!(read(&text, expected), value, "read back");
        };
        for value in [json!("a"), json!(1.0), json!(null), json!(["a", 1.5]), json!("{\"a\":1}"), json!("[{\"a\":1}]")]
        {
            check(value, None);
        }
        for text in ["42", "true", "null", "[1]", "[\"a\"]"] {
            check(json!(text), Some(TEXT));
        }
        check(json!({"a": 1}), Some(JSON));
        check(json!([[1]]), Some(JSON));
    }
}
