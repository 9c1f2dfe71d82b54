//! Gemini's `Schema` (OpenAPI 3.0's subset) → JSON Schema. The other way nothing is to be done: the API takes JSON
//! Schema in fields of its own.

use serde_json::{Map, Value};

use super::fields::camel;

/// Deeper ones are passed on as they are; the provider refuses them.
const DEEPEST: usize = 64;

pub(super) fn to_json_schema(schema: Value) -> Value {
    convert(schema, 0)
}

fn convert(schema: Value, depth: usize) -> Value {
    let Value::Object(fields) = schema else { return schema };
    if depth > DEEPEST {
        return Value::Object(fields);
    }
    let mut out = Map::new();
    let mut nullable = false;
    for (name, value) in fields {
        match (camel(&name).as_ref(), value) {
            ("type", Value::String(kind)) => {
                out.insert("type".into(), kind.to_lowercase().into());
            }
            ("nullable", value) => nullable = value == Value::Bool(true),
            // Says in which order to write the properties, which the order of `properties` says too.
            ("propertyOrdering", _) => {}
            // The API's own word for "one of these".
            ("format", value) if value == "enum" => {}
            ("properties" | "$defs" | "defs", Value::Object(inner)) => {
                let inner = inner.into_iter().map(|(name, one)| (name, convert(one, depth + 1)));
                out.insert(if name == "properties" { name } else { "$defs".into() }, Value::Object(inner.collect()));
            }
            ("items" | "additionalProperties", value) => {
                out.insert(camel(&name).into_owned(), convert(value, depth + 1));
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(all)) => {
                let all = all.into_iter().map(|one| convert(one, depth + 1)).collect();
                out.insert(camel(&name).into_owned(), Value::Array(all));
            }
            // 64-bit numbers are strings in protobuf's JSON.
            (limit, Value::String(number)) if is_limit(limit) => {
                let number = number.parse::<u64>().map_or(Value::String(number), Value::from);
                out.insert(limit.to_owned(), number);
            }
            (camel, value) => {
                out.insert(camel.to_owned(), value);
            }
        }
    }
    if nullable && let Some(kind) = out.get_mut("type") {
        *kind = Value::Array(vec![kind.take(), "null".into()]);
    }
    Value::Object(out)
}

fn is_limit(name: &str) -> bool {
    matches!(name, "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties")
}
