//! An item: a JSON object in its one canonical form, and what it is called.

use serde_json::{Map, Number, Value};

use super::name::check_name;

/// An item has at most so many bytes as canonical JSON.
pub const MAX_ITEM_BYTES: usize = 1024 * 1024;
const MAX_ID_CHARS: usize = 200;
/// Of an id that is made from the content.
const ID_BYTES: usize = 8;
/// Beyond it, JavaScript and others can't tell whole numbers apart.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// BLAKE3 of an item's body.
pub(crate) type Hash = [u8; 32];

/// What an item was made from. Erasures reach it by any of the three.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Source {
    pub(crate) trace_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) user_id: Option<String>,
}

/// An item that is fit to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetItem {
    pub(crate) id: String,
    pub(crate) hash: Hash,
    /// Canonical JSON without the id.
    pub(crate) body: String,
    pub(crate) split: Option<String>,
    pub(crate) source: Source,
    pub(crate) fields: Value,
}

impl DatasetItem {
    /// Takes an object. `id` names it (text or a whole number; made from the content if absent); `split` says which
    /// split it belongs to; `source` what it was made from. Every other field is kept as it is.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn new(mut fields: Map<String, Value>) -> Result<Self, String> {
        let id = match fields.shift_remove("id") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(id.trim().to_owned()),
            Some(Value::Number(id)) => Some(id.to_string()),
            Some(_) => return Err("`id` is no text; expected e.g. \"refund-17\"".to_owned()),
        };
        if let Some(id) = &id
            && (id.is_empty() || id.chars().count() > MAX_ID_CHARS || id.chars().any(char::is_control))
        {
            return Err(format!("`id` must have 1 to {MAX_ID_CHARS} characters without line breaks"));
        }
        // Absent and `null` say the same, and files in columns can't tell them apart.
        fields.retain(|_, value| !value.is_null());
        let split = match fields.get("split") {
            None => None,
            Some(Value::String(split)) => {
                check_name("split", split)?;
                Some(split.clone())
            }
            Some(_) => return Err("`split` is no text; expected e.g. \"test\"".to_owned()),
        };
        let source = source(fields.get("source"))?;
        if fields.keys().all(|field| matches!(field.as_str(), "split" | "source")) {
            return Err(
                "it says nothing; expected at least one field such as `input`, `output` or `reference`".to_owned()
            );
        }
        let fields = canonical(Value::Object(fields));
        let body = fields.to_string();
        if body.len() > MAX_ITEM_BYTES {
            return Err(format!("it has {} bytes; an item has at most {MAX_ITEM_BYTES}", body.len()));
        }
        let hash = *blake3::hash(body.as_bytes()).as_bytes();
        let id = id.unwrap_or_else(|| hex(&hash[..ID_BYTES]));
        Ok(Self { id, hash, body, split, source, fields })
    }

    /// What it is called in its dataset.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// BLAKE3 of its canonical form, in hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        hex(&self.hash)
    }

    /// Its fields without the id.
    #[must_use]
    pub fn fields(&self) -> &Value {
        &self.fields
    }
}

fn source(value: Option<&Value>) -> Result<Source, String> {
    let Some(value) = value else { return Ok(Source::default()) };
    let Value::Object(source) = value else {
        return Err("`source` is no object; expected e.g. {\"trace_id\": …, \"span_id\": …}".to_owned());
    };
    let text = |field: &str| match source.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`source.{field}` is no text")),
    };
    let trace_id = text("trace_id")?.map(|id| id.to_lowercase());
    Ok(Source { trace_id, session_id: text("session_id")?, user_id: text("user_id")? })
}

/// Keys in order, whole numbers without a fraction: the same text for what means the same.
pub(crate) fn canonical(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut pairs: Vec<(String, Value)> =
                object.into_iter().map(|(key, value)| (key, canonical(value))).collect();
            pairs.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Object(pairs.into_iter().collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(canonical).collect()),
        Value::Number(number) => Value::Number(whole(&number).unwrap_or(number)),
        value => value,
    }
}

fn whole(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() < MAX_EXACT)?;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and within the range")]
    let whole = float as i64;
    Some(whole.into())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(value: Value) -> Result<DatasetItem, String> {
        let Value::Object(fields) = value else { panic!("no object") };
        DatasetItem::new(fields)
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        let one = item(json!({"input": {"b": 1, "a": [1.0, 2.5]}, "metadata": null})).unwrap();
        let two = item(json!({"id": "x", "input": {"a": [1, 2.5], "b": 1.0}})).unwrap();
        assert_eq!((one.hash, one.body.as_str()), (two.hash, r#"{"input":{"a":[1,2.5],"b":1}}"#));
        assert_eq!((one.id(), two.id()), (one.hash().get(..16).unwrap(), "x"));
        assert_ne!(one.hash, item(json!({"input": {"a": [2.5, 1], "b": 1}})).unwrap().hash, "lists are in order");
        assert_eq!(item(json!({"id": 17, "input": "a"})).unwrap().id(), "17");
    }

    #[test]
    fn refusals_name_the_field() {
        let check = |value: Value, problem: &str| {
            let error = item(value.clone()).unwrap_err();
            assert!(error.contains(problem), "{value}: {error}");
        };
        check(json!({}), "says nothing");
        check(json!({"id": "a", "split": "test", "source": {}}), "says nothing");
        check(json!({"id": ["a"], "input": "x"}), "`id` is no text");
        check(json!({"id": " ", "input": "x"}), "`id` must have");
        check(json!({"input": "x", "split": "a b"}), "`split`");
        check(json!({"input": "x", "split": 1}), "`split` is no text");
        check(json!({"input": "x", "source": "t"}), "`source` is no object");
        check(json!({"input": "x", "source": {"user_id": 7}}), "`source.user_id` is no text");
        check(json!({"input": "x".repeat(MAX_ITEM_BYTES)}), "at most 1048576");
    }
}
