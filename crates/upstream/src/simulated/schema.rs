//! Values that fit a JSON Schema: arguments of tools, structured answers.

use serde_json::{Map, Value, json};

use super::text::Random;

const MAX_DEPTH: usize = 8;

/// A value for the schema. Strings are filled with the topics.
pub(crate) fn value(schema: &Value, topics: &[&str], random: &mut Random) -> Value {
    Maker { root: schema, topics, random }.value(schema, "", 0)
}

struct Maker<'a> {
    root: &'a Value,
    topics: &'a [&'a str],
    random: &'a mut Random,
}

impl Maker<'_> {
    fn value(&mut self, schema: &Value, name: &str, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return Value::Null;
        }
        if let Some(target) = schema["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
            let Some(found) = self.root.pointer(target).cloned() else { return Value::Null };
            return self.value(&found, name, depth + 1);
        }
        if let Some(fixed) = schema.get("const").or_else(|| schema.get("default").filter(|value| !value.is_null())) {
            return fixed.clone();
        }
        if let Some(choices) = schema["enum"].as_array().filter(|choices| !choices.is_empty()) {
            let place = self.random.below(choices.len() as u64) as usize;
            return choices.get(place).cloned().unwrap_or_default();
        }
        for several in ["anyOf", "oneOf", "allOf"] {
            if let Some(first) = schema[several].as_array().and_then(|all| all.first()) {
                return self.value(first, name, depth + 1);
            }
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.first().and_then(Value::as_str),
            kind => kind.as_str(),
        };
        // Gemini writes them in capitals.
        match kind.map(str::to_lowercase).as_deref() {
            Some("string") => self.string(schema, name).into(),
            Some("integer") => self.integer(schema).into(),
            Some("number") => self.number(schema),
            Some("boolean") => Value::Bool(self.random.below(2) == 0),
            Some("null") => Value::Null,
            Some("array") => self.array(schema, name, depth),
            _ if kind == Some("object") || schema["properties"].is_object() => self.object(schema, depth),
            _ => self.string(schema, name).into(),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let required = schema["required"].as_array();
        let empty = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&empty);
        let is_required = |name: &String| match required {
            Some(names) => names.iter().any(|one| one == name),
            // Without a list nothing is required, but a tool called with nothing looks odd.
            None => true,
        };
        let wanted: Vec<_> = properties.iter().filter(|(name, _)| is_required(name)).collect();
        let mut object: Map<String, Value> =
            wanted.into_iter().map(|(name, schema)| (name.clone(), self.value(schema, name, depth + 1))).collect();
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(name) {
                object.insert(name.to_owned(), self.topic().into());
            }
        }
        object.into()
    }

    fn array(&mut self, schema: &Value, name: &str, depth: usize) -> Value {
        let least = schema["minItems"].as_u64().unwrap_or(1).min(100);
        let most = schema["maxItems"].as_u64().unwrap_or(least + 1).clamp(least, 100);
        let count = least + self.random.below(most - least + 1);
        let items = &schema["items"];
        (0..count).map(|_| self.value(items, name, depth + 1)).collect::<Vec<_>>().into()
    }

    fn integer(&mut self, schema: &Value) -> i64 {
        let (least, most) = (limit(schema, "minimum", 1), limit(schema, "maximum", 0));
        let least = least.map_or(1, |least| least.ceil() as i64);
        let most = most.map_or_else(|| least.saturating_add(9), |most| most.floor() as i64).max(least);
        least.saturating_add(self.random.below(most.abs_diff(least).saturating_add(1)) as i64)
    }

    fn number(&mut self, schema: &Value) -> Value {
        let least = schema["minimum"].as_f64().or_else(|| schema["exclusiveMinimum"].as_f64()).unwrap_or(0.0);
        let most = schema["maximum"].as_f64().or_else(|| schema["exclusiveMaximum"].as_f64()).unwrap_or(least + 1.0);
        let number = least + (most - least) * (0.05 + 0.9 * self.random.fraction());
        json!((number * 1_000.0).round() / 1_000.0)
    }

    fn string(&mut self, schema: &Value, name: &str) -> String {
        let text = match schema["format"].as_str() {
            Some("date") => return format!("2026-0{}-1{}", 1 + self.random.below(9), self.random.below(10)),
            Some("date-time") => return format!("2026-0{}-10T09:30:00Z", 1 + self.random.below(9)),
            Some("time") => return "09:30:00Z".to_owned(),
            Some("email") => return "customer@example.com".to_owned(),
            Some("uri" | "url") => return format!("https://example.com/{}", self.random.below(1_000)),
            Some("uuid") => return format!("00000000-0000-4000-8000-{:012x}", self.random.below(1 << 48)),
            _ if name.to_lowercase().ends_with("id") => format!("{}", 1_000 + self.random.below(9_000)),
            _ if matches!(name, "query" | "q" | "question" | "search" | "text" | "prompt" | "answer" | "summary") => {
                if self.topics.is_empty() {
                    self.topic()
                } else {
                    self.topics.join(" ")
                }
            }
            _ => self.topic(),
        };
        let least = schema["minLength"].as_u64().unwrap_or(0).min(10_000) as usize;
        let most = schema["maxLength"].as_u64().unwrap_or(10_000) as usize;
        let padding = std::iter::repeat_n('x', least.saturating_sub(text.chars().count()));
        text.chars().chain(padding).take(most).collect()
    }

    fn topic(&mut self) -> String {
        if self.topics.is_empty() { "example".to_owned() } else { self.random.pick(self.topics).to_owned() }
    }
}

/// `minimum` or `maximum`, or what the exclusive one amounts to for whole numbers.
fn limit(schema: &Value, name: &str, step: i64) -> Option<f64> {
    let exclusive = if step > 0 { "exclusiveMinimum" } else { "exclusiveMaximum" };
    let by = if step > 0 { 1.0 } else { -1.0 };
    schema[name].as_f64().or_else(|| schema[exclusive].as_f64().map(|limit| limit + by))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &Value, holds: fn(&Value) -> bool) {
        for seed in 0..50 {
            let made = value(schema, &["Berlin", "weather"], &mut Random::new(seed));
            assert!(holds(&made), "{schema} gave {made}");
        }
    }

    #[test]
    fn values_fit_their_schema() {
        check(&json!({"type": "integer", "minimum": 3, "maximum": 4}), |v| matches!(v.as_i64(), Some(3 | 4)));
        check(&json!({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5}), |v| v == 4);
        check(&json!({"type": "number", "minimum": 0, "maximum": 1}), |v| (0.0..=1.0).contains(&v.as_f64().unwrap()));
        check(&json!({"type": ["string", "null"], "maxLength": 3}), |v| v.as_str().unwrap().len() <= 3);
        check(&json!({"enum": ["c", "f"]}), |v| v == "c" || v == "f");
        check(&json!({"type": "array", "items": {"type": "boolean"}, "minItems": 2}), |v| {
            v.as_array().unwrap().len() >= 2
        });
        check(&json!({"anyOf": [{"type": "null"}, {"type": "string"}]}), Value::is_null);
        check(&json!({"$ref": "#/$defs/a", "$defs": {"a": {"const": 7}}}), |v| v == 7);
        let nested = json!({
            "type": "object", "required": ["city", "when"],
            "properties": {
                "city": {"type": "string"}, "unit": {"type": "string"},
                "when": {"type": "object", "properties": {"day": {"type": "string", "format": "date"}}},
            },
        });
        check(&nested, |v| v["city"].is_string() && v["when"]["day"].is_string() && v.get("unit").is_none());
        check(&json!({"$ref": "#"}), Value::is_null);
    }
}
