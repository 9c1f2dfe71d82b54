use serde_json::{Map, Value};
use signalbox_types::ToolDefinition;

use crate::attributes::unpacked;

/// The tool definitions in a value: a list or one; OpenAI's, Anthropic's or the conventions'; as
/// JSON in a text or not.
pub(crate) fn tools(value: &Value) -> Vec<ToolDefinition> {
    match unpacked(value) {
        Value::Array(items) => items.iter().filter_map(|item| tool(&unpacked(item))).collect(),
        other => tool(&other).into_iter().collect(),
    }
}

fn tool(value: &Value) -> Option<ToolDefinition> {
    let object = value.as_object()?;
    let function = object.get("function").and_then(Value::as_object).unwrap_or(object);
    let text = |object: &Map<String, Value>, key| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let schema = ["parameters", "input_schema", "inputSchema", "json_schema"].iter().find_map(|key| function.get(*key));
    Some(ToolDefinition {
        // Tools that a provider runs itself have a type and no name.
        name: text(function, "name").or_else(|| text(object, "type"))?,
        description: text(function, "description"),
        parameters: schema.map(unpacked).unwrap_or_default(),
        strict: function.get("strict").and_then(Value::as_bool),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn definitions_of_many_houses() {
        let expected = json!([{"name": "f", "description": "d", "parameters": {"type": "object"}}]);
        for value in [
            json!([{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}]),
            json!([{"name": "f", "description": "d", "input_schema": {"type": "object"}}]),
            json!(
                "[{\"type\":\"function\",\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}]"
            ),
            json!(["{\"name\":\"f\",\"description\":\"d\",\"parameters\":\"{\\\"type\\\":\\\"object\\\"}\"}"]),
        ] {
            assert_eq!(json!(tools(&value)), expected, "{value}");
        }
        assert_eq!(json!(tools(&json!([{"type": "web_search"}, 7, null]))), json!([{"name": "web_search"}]));
    }
}
