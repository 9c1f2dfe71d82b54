//! `{{field}}` in texts: fields of an item, `{{user.name}}` and `{{tags.0}}` within them.

use serde_json::{Map, Value};

/// A text with the fields in place. What is no text is written as JSON.
///
/// # Errors
/// The item has no such field.
pub fn render(template: &str, fields: &Map<String, Value>) -> Result<String, String> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((name, after)) = behind.split_once("}}") else { break };
        out.push_str(before);
        match find(name.trim(), fields)? {
            Value::String(text) => out.push_str(text),
            other => out.push_str(&other.to_string()),
        }
        rest = after;
    }
    Ok(out + rest)
}

/// JSON with the fields in place. A field alone in a text keeps its type.
///
/// # Errors
/// The item has no such field.
pub fn render_value(template: &Value, fields: &Map<String, Value>) -> Result<Value, String> {
    Ok(match template {
        Value::String(text) => match alone(text) {
            Some(name) => find(name, fields)?.clone(),
            None => Value::String(render(text, fields)?),
        },
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| render_value(item, fields)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => {
            let inner = map.iter().map(|(name, value)| Ok((name.clone(), render_value(value, fields)?)));
            Value::Object(inner.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

fn alone(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{")).then(|| inner.trim())
}

fn find<'a>(name: &str, fields: &'a Map<String, Value>) -> Result<&'a Value, String> {
    let whole = fields.get(name).filter(|value| !value.is_null());
    let mut steps = name.split('.');
    let within = || {
        let first = fields.get(steps.next()?)?;
        steps.try_fold(first, |value, step| match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            other => other.get(step),
        })
    };
    whole.or_else(within).filter(|value| !value.is_null()).ok_or_else(|| {
        let known: Vec<_> = fields.keys().map(String::as_str).collect();
        format!("the item has no field `{name}`, which the template names; it has {}", known.join(", "))
    })
}
