//! Whether a value is one of those that will do, and whether it has the type that the tool's schema wants.

use serde_json::{Map, Value};

/// Whether a value is the same as one that will do. Texts are compared as the Berkeley leaderboard does: without case, spaces
/// and `,./-_*^`. Below a list of alternatives, the fields of objects are lists of alternatives as well.
pub(super) fn matches(value: &Value, wanted: &Value, alternatives: bool) -> bool {
    match (value, wanted) {
        (Value::String(value), Value::String(wanted)) => value == wanted || standard(value) == standard(wanted),
        (Value::Number(value), Value::Number(wanted)) => value == wanted || value.as_f64() == wanted.as_f64(),
        (Value::Array(value), Value::Array(wanted)) => {
            value.len() == wanted.len() && value.iter().zip(wanted).all(|(a, b)| matches(a, b, alternatives))
        }
        (Value::Object(value), Value::Object(wanted)) => {
            value.keys().all(|key| wanted.contains_key(key))
                && wanted.iter().all(|(key, wanted)| match value.get(key) {
                    Some(value) if alternatives => any(value, wanted),
                    Some(value) => matches(value, wanted, false),
                    None => alternatives && may_be_left_out(wanted),
                })
        }
        _ => value == wanted,
    }
}

/// Whether a value is one of several that will do.
pub(super) fn any(value: &Value, wanted: &Value) -> bool {
    let Value::Array(list) = wanted else { return matches(value, wanted, true) };
    if list.iter().any(|wanted| matches(value, wanted, true)) {
        return true;
    }
    // Inside of objects, a list may be the value itself.
    value.is_array() && !list.iter().any(Value::is_array) && matches(value, wanted, true)
}

/// Whether the alternatives say so, or there is none.
pub(super) fn may_be_left_out(wanted: &Value) -> bool {
    wanted.as_array().is_some_and(|list| list.is_empty() || list.iter().any(|value| value.as_str() == Some("")))
}

fn standard(text: &str) -> String {
    let kept = text.chars().filter(|char| !matches!(char, ' ' | ',' | '.' | '/' | '-' | '_' | '*' | '^'));
    kept.flat_map(char::to_lowercase).map(|char| if char == '\'' { '"' } else { char }).collect()
}

/// Whether a value has the type that the schema of an argument names, in JSON Schema's words or in Python's.
pub(super) fn has_type(value: &Value, schema: Option<&Value>) -> bool {
    let named = |name: &str| match name {
        "string" => value.is_string(),
        "integer" | "int" | "long" => value.is_i64() || value.is_u64(),
        "float" | "number" | "double" => value.is_number(),
        "boolean" | "bool" => value.is_boolean(),
        "array" | "list" | "tuple" => value.is_array(),
        "object" | "dict" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    };
    match schema.and_then(|schema| schema.get("type")) {
        Some(Value::String(name)) => named(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(named),
        _ => true,
    }
}

/// Whether one of the alternatives is of the value's type: then the reference knows better than the schema.
pub(super) fn has_type_of_any(value: &Value, wanted: &Value) -> bool {
    let same = |other: &Value| {
        std::mem::discriminant(other) == std::mem::discriminant(value) && other.is_f64() == value.is_f64()
    };
    let list = wanted.as_array();
    list.is_some_and(|list| list.iter().any(|other| other.as_str() != Some("") && same(other)))
}

/// The schema of one argument.
pub(super) fn property<'a>(schema: Option<&'a Map<String, Value>>, name: &str) -> Option<&'a Value> {
    schema?.get("properties")?.get(name)
}

/// The arguments that the schema wants.
pub(super) fn required(schema: Option<&Map<String, Value>>) -> impl Iterator<Item = &str> {
    let list = schema.and_then(|schema| schema.get("required")).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn alternatives() {
        assert!(any(&json!("new york, NY"), &json!(["New York NY", "NYC"])));
        assert!(any(&json!(5), &json!([5.0])));
        assert!(!any(&json!("5"), &json!([5])));
        assert!(any(&json!(["A", "b"]), &json!([["a", "b"]])));
        assert!(!any(&json!(["b", "a"]), &json!([["a", "b"]])), "lists are in order");
        assert!(any(&json!({"a": 1}), &json!([{"a": [1, 2], "b": ["", 3]}])));
        assert!(!any(&json!({"a": 1, "c": 1}), &json!([{"a": [1]}])));
        assert!(any(&json!([{"a": 2}]), &json!([[{"a": [1, 2]}]])));
        assert!(any(&json!({"a": [1, 2]}), &json!([{"a": [1, 2]}])));
        assert!(may_be_left_out(&json!(["", 1])) && may_be_left_out(&json!([])) && !may_be_left_out(&json!([1])));
    }

    #[test]
    fn types() {
        let schema = json!({"type": "integer"});
        assert!(has_type(&json!(5), Some(&schema)) && !has_type(&json!(5.0), Some(&schema)));
        assert!(has_type(&json!(5), Some(&json!({"type": "float"}))));
        assert!(has_type(&json!(null), Some(&json!({"type": ["string", "null"]}))));
        assert!(has_type(&json!({}), Some(&json!({"type": "any"}))) && has_type(&json!({}), None));
    }
}
