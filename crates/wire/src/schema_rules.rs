//! What providers demand of the JSON Schema of an answer, beyond what JSON Schema does.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Deeper ones are passed on as they are; the provider refuses them.
const DEEPEST: usize = 64;
/// What stands below a word: schemas by name, one schema, or a list of them.
const NAMED: &[&str] = &["properties", "$defs", "definitions"];
const SINGLE: &[&str] = &["items"];
const LISTED: &[&str] = &["anyOf", "oneOf", "allOf"];

/// Whether OpenAI takes the schema with `strict: true`: every object closed, every property required, and no word that
/// isn't surely known there.
pub(crate) fn fits_openai(schema: &Value) -> bool {
    schema.get("type") == Some(&Value::from("object")) && is_strict(schema, 0)
}

fn is_strict(schema: &Value, depth: usize) -> bool {
    const KNOWN: &[&str] =
        &["type", "properties", "required", "additionalProperties", "title", "description", "enum", "const", "$ref"];
    let Value::Object(fields) = schema else { return false };
    let known = |name: &str| {
        KNOWN.contains(&name) || NAMED.contains(&name) || SINGLE.contains(&name) || (name == "anyOf" && depth > 0)
    };
    if depth > DEEPEST || !fields.keys().all(|name| known(name)) {
        return false;
    }
    if describes_object(fields)
        && (fields.get("additionalProperties") != Some(&Value::Bool(false)) || !needs_all(fields))
    {
        return false;
    }
    below(fields).all(|one| is_strict(one, depth + 1))
}

/// Every property must be there.
fn needs_all(fields: &Map<String, Value>) -> bool {
    let required = fields.get("required").and_then(Value::as_array);
    let needs = |name: &String| required.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(name)));
    fields.get("properties").and_then(Value::as_object).is_none_or(|all| all.keys().all(needs))
}

fn below(fields: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    fields.iter().flat_map(|(name, value)| -> Vec<&Value> {
        match value {
            Value::Object(all) if NAMED.contains(&name.as_str()) => all.values().collect(),
            Value::Array(all) if LISTED.contains(&name.as_str()) => all.iter().collect(),
            one if SINGLE.contains(&name.as_str()) => vec![one],
            _ => Vec::new(),
        }
    })
}

fn describes_object(fields: &Map<String, Value>) -> bool {
    match fields.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        _ => fields.contains_key("properties"),
    }
}

/// The schema with `additionalProperties: false` on every object, which Anthropic demands; `None` if an object asks for
/// properties that it doesn't name.
pub(crate) fn closed(schema: &Value) -> Option<Cow<'_, Value>> {
    let mut closed = schema.clone();
    close(&mut closed, 0)?;
    Some(if closed == *schema { Cow::Borrowed(schema) } else { Cow::Owned(closed) })
}

fn close(schema: &mut Value, depth: usize) -> Option<()> {
    let Value::Object(fields) = schema else { return Some(()) };
    if depth > DEEPEST {
        return Some(());
    }
    if !matches!(fields.get("additionalProperties"), None | Some(Value::Bool(false))) {
        return None;
    }
    if describes_object(fields) {
        fields.insert("additionalProperties".into(), false.into());
    }
    for (name, value) in fields {
        match value {
            Value::Object(all) if NAMED.contains(&name.as_str()) => {
                all.values_mut().try_for_each(|one| close(one, depth + 1))?;
            }
            Value::Array(all) if LISTED.contains(&name.as_str()) => {
                all.iter_mut().try_for_each(|one| close(one, depth + 1))?;
            }
            one if SINGLE.contains(&name.as_str()) => close(one, depth + 1)?,
            _ => {}
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_is_strict_if_every_object_is_closed_and_needs_all_that_it_names() {
        let person = |inner: Value| json!({"type": "object", "properties": {"a": inner}, "required": ["a"], "additionalProperties": false});
        let open = json!({"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]});
        let optional =
            json!({"type": "object", "properties": {"b": {"type": "string"}}, "additionalProperties": false});
        assert!(fits_openai(&person(json!({"type": ["string", "null"], "enum": ["x", null]}))));
        assert!(fits_openai(&person(
            json!({"type": "array", "items": person(json!({"anyOf": [{"type": "number"}]}))})
        )));
        for inner in
            [open.clone(), optional, json!({"type": "array", "items": open}), json!({"type": "string", "minLength": 2})]
        {
            assert!(!fits_openai(&person(inner.clone())), "{inner}");
        }
        assert!(!fits_openai(&json!({"type": "array", "items": {"type": "string"}})));
        assert!(!fits_openai(&json!(true)));
    }

    #[test]
    fn every_object_is_closed_and_a_property_may_have_the_name_of_a_word() {
        let open = json!({
            "type": "object",
            "properties": {"properties": {"type": ["object", "null"], "properties": {}}, "items": {"type": "array", "items": {"type": "object"}}},
            "$defs": {"a": {"anyOf": [{"type": "object"}, {"type": "string"}]}},
        });
        let expect = json!({
            "type": "object", "additionalProperties": false,
            "properties": {
                "properties": {"type": ["object", "null"], "properties": {}, "additionalProperties": false},
                "items": {"type": "array", "items": {"type": "object", "additionalProperties": false}},
            },
            "$defs": {"a": {"anyOf": [{"type": "object", "additionalProperties": false}, {"type": "string"}]}},
        });
        assert_eq!(*closed(&open).unwrap(), expect);
        assert!(matches!(closed(&expect), Some(Cow::Borrowed(_))));
        for more in [json!(true), json!({"type": "string"})] {
            let inner = json!({"type": "array", "items": {"type": "object", "additionalProperties": more}});
            assert_eq!(closed(&json!({"type": "object", "properties": {"a": inner}})), None);
        }
    }
}
