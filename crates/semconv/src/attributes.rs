use std::collections::BTreeMap;

use serde_json::Value;

/// Larger texts are not looked into for JSON.
const MAX_JSON_BYTES: usize = 16 << 20;

/// Attributes by name, and the tolerant ways to read them: emitters send numbers as texts, lists as
/// JSON and structures as strings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Attributes(BTreeMap<String, Value>);

impl Attributes {
    /// Sets one; of two with the same name the later one counts.
    pub fn insert(&mut self, key: impl Into<String>, value: Value) {
        self.0.insert(key.into(), value);
    }

    /// The value, unless it is null or an empty text.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    /// There is one of this name, whatever its value.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// All as texts: a text as it is, anything else as JSON.
    #[must_use]
    pub fn to_texts(&self) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.0.iter().map(|(key, value)| (key.clone(), text(value))).collect()
    }

    /// Those whose name starts with `prefix`, with the rest of the name.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0
            .range(prefix.to_owned()..)
            .map_while(move |(key, value)| key.strip_prefix(prefix).map(|rest| (rest, value)))
    }

    /// There is one whose name starts with `prefix`.
    #[must_use]
    pub fn has_under(&self, prefix: &str) -> bool {
        self.under(prefix).next().is_some()
    }

    /// The first of these that is there, as text.
    #[must_use]
    pub fn text(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| self.get(key)).and_then(scalar_text)
    }

    /// The first of these that is a count; `12`, `12.0` and `"12"` are, `-1` and `"many"` are not.
    #[must_use]
    pub fn count(&self, keys: &[&str]) -> Option<u64> {
        keys.iter().find_map(|key| count(self.get(key)?))
    }

    /// The first of these that is a finite number.
    #[must_use]
    pub fn number(&self, keys: &[&str]) -> Option<f64> {
        let number = |value: &Value| match value {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_f64(),
        };
        keys.iter().find_map(|key| number(self.get(key)?).filter(|number: &f64| number.is_finite()))
    }

    /// Whether the first of these that is there says yes.
    #[must_use]
    pub fn flag(&self, keys: &[&str]) -> bool {
        let yes = |value: &Value| match value {
            Value::Bool(yes) => *yes,
            Value::String(text) => text.eq_ignore_ascii_case("true") || text == "1",
            value => value.as_u64() == Some(1),
        };
        keys.iter().find_map(|key| self.get(key)).is_some_and(yes)
    }

    /// The first of these that is there, as a list of texts.
    #[must_use]
    pub fn texts(&self, keys: &[&str]) -> Vec<String> {
        match keys.iter().find_map(|key| self.get(key)).map(unpacked) {
            Some(Value::Array(items)) => items.iter().filter_map(scalar_text).collect(),
            Some(value) => scalar_text(&value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// The first of these that is there; a text that holds a JSON object or list is read as that,
    /// once.
    #[must_use]
    pub fn json(&self, keys: &[&str]) -> Option<Value> {
        keys.iter().find_map(|key| self.get(key)).map(unpacked)
    }
}

impl FromIterator<(String, Value)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(attributes: I) -> Self {
        Self(attributes.into_iter().collect())
    }
}

impl IntoIterator for Attributes {
    type Item = (String, Value);
    type IntoIter = std::collections::btree_map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A text that holds a JSON object or list as that; anything else as it is. Never looks into the
/// texts within: what a user wrote stays a text. serde_json bounds the depth (128).
pub(crate) fn unpacked(value: &Value) -> Value {
    value.as_str().and_then(packed_json).unwrap_or_else(|| value.clone())
}

/// The JSON object or list in a text.
pub(crate) fn packed_json(text: &str) -> Option<Value> {
    let text = text.trim();
    let looks_like_it = text.starts_with(['{', '[']) && text.ends_with(['}', ']']);
    if !looks_like_it || text.len() > MAX_JSON_BYTES {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// How an attribute is kept: text as it is, anything else as JSON.
pub(crate) fn kept_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}

fn count(value: &Value) -> Option<u64> {
    let whole = |number: f64| (number.fract() == 0.0 && (0.0..9e15).contains(&number)).then_some(number as u64);
    match value {
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(value: Value) -> Attributes {
        Attributes::from_iter([("k".to_owned(), value)])
    }

    #[test]
    fn counts_in_every_spelling() {
        for value in [json!(12), json!(12.0), json!("12"), json!(" 12 "), json!("12.0")] {
            assert_eq!(one(value.clone()).count(&["missing", "k"]), Some(12), "{value}");
        }
        for value in [json!(-1), json!("many"), json!(1.5), json!(null), json!([12]), json!("1e300"), json!("NaN")] {
            assert_eq!(one(value.clone()).count(&["k"]), None, "{value}");
        }
    }

    #[test]
    fn lists_and_structures_in_texts() {
        assert_eq!(one(json!(["a", 1])).texts(&["k"]), ["a", "1"]);
        assert_eq!(one(json!("[\"a\",\"b\"]")).texts(&["k"]), ["a", "b"]);
        assert_eq!(one(json!("stop")).texts(&["k"]), ["stop"]);
        assert_eq!(one(json!("{\"a\":\"{\\\"b\\\":1}\"}")).json(&["k"]), Some(json!({"a": "{\"b\":1}"})));
        assert_eq!(one(json!("{broken")).json(&["k"]), Some(json!("{broken")));
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(one(json!(deep.clone())).json(&["k"]), Some(json!(deep)), "too deep: stays a text");
    }

    #[test]
    fn prefixes() {
        let attributes: Attributes =
            ["a", "a.b", "a.c", "ab", "b"].into_iter().map(|key| (key.to_owned(), json!(1))).collect();
        assert_eq!(attributes.under("a.").map(|(rest, _)| rest).collect::<Vec<_>>(), ["b", "c"]);
        assert!(!attributes.has_under("c"));
    }
}
