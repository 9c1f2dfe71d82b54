//! Tool calls in whatever shape they come: OpenAI's, Anthropic's, Google's, Berkeley's, plain, or as Python writes them.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::case::{Case, Input, Problem};

use super::python;

/// One call, as it was made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) arguments: Map<String, Value>,
}

/// One call, as it should be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) arguments: Map<String, Value>,
    /// Each argument is a list of values that will do; `""` among them means that it may be left out (Berkeley's form).
    pub(super) alternatives: bool,
}

const SHAPE: &str = "a list of calls, each {\"name\", \"arguments\"} or as a provider writes it";

/// The calls of the answer.
pub(super) fn made(case: &Case) -> Result<Vec<Call>, Problem> {
    each(case, Input::Output, |item, field| {
        if let Some(call) = plain(item) {
            return Ok(Call { name: call.0, arguments: arguments(call.1, field)? });
        }
        match item.as_object().filter(|object| object.len() == 1).and_then(|object| object.iter().next()) {
            Some((name, value @ (Value::Object(_) | Value::String(_)))) => {
                Ok(Call { name: name.clone(), arguments: arguments(Some(value), field)? })
            }
            _ => Err(Problem::other(field, SHAPE, item)),
        }
    })
}

/// The calls that should be.
pub(super) fn wanted(case: &Case) -> Result<Vec<Wanted>, Problem> {
    each(case, Input::Reference, |item, field| {
        if let Some(call) = plain(item) {
            return Ok(Wanted { name: call.0, arguments: arguments(call.1, field)?, alternatives: false });
        }
        match item.as_object().filter(|object| object.len() == 1).and_then(|object| object.iter().next()) {
            Some((name, value @ Value::Object(_))) => {
                let arguments = arguments(Some(value), field)?;
                let alternatives = arguments.values().all(Value::is_array);
                Ok(Wanted { name: name.clone(), arguments, alternatives })
            }
            _ => Err(Problem::other(field, SHAPE, item)),
        }
    })
}

/// Steps of a trajectory: calls, or only their names.
pub(super) fn steps(case: &Case, input: Input) -> Result<Vec<Call>, Problem> {
    each(case, input, step)
}

/// One step: a call, or only its name.
pub(super) fn step(item: &Value, field: &str) -> Result<Call, Problem> {
    if let Value::String(name) = item {
        return Ok(Call { name: name.clone(), arguments: Map::new() });
    }
    let Some((name, value)) = plain(item) else {
        return Err(Problem::other(field, "a name, or {\"name\", \"arguments\"}", item));
    };
    Ok(Call { name, arguments: arguments(value, field)? })
}

fn each<T>(case: &Case, input: Input, read: impl Fn(&Value, &str) -> Result<T, Problem>) -> Result<Vec<T>, Problem> {
    let value = list(case.value(input)?, input)?;
    let items: &[Value] = match value.as_ref() {
        Value::Array(items) => items,
        // An assistant's message as OpenAI has it.
        Value::Object(object) => match object.get("tool_calls") {
            Some(Value::Array(items)) => items,
            _ => std::slice::from_ref(value.as_ref()),
        },
        other => return Err(Problem::other(input.name(), SHAPE, other)),
    };
    items.iter().enumerate().map(|(at, item)| read(item, &format!("{input}[{at}]"))).collect()
}

/// A text is read as JSON, or else as Python.
pub(super) fn list(value: &Value, input: Input) -> Result<Cow<'_, Value>, Problem> {
    let Value::String(text) = value else { return Ok(Cow::Borrowed(value)) };
    let text = fenced(text.trim());
    if text.is_empty() {
        return Ok(Cow::Owned(Value::Array(Vec::new())));
    }
    if let Ok(value @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(text) {
        return Ok(Cow::Owned(value));
    }
    if let Some(calls) = python::calls(text) {
        return Ok(Cow::Owned(Value::Array(calls)));
    }
    // Prose is an answer without a call.
    if input == Input::Output {
        return Ok(Cow::Owned(Value::Array(Vec::new())));
    }
    Err(Problem::new(input.name(), SHAPE, "a text that is neither JSON nor calls as Python writes them"))
}

/// What stands between the fences of a block of code, if the text is one.
fn fenced(text: &str) -> &str {
    let Some(inner) = text.strip_prefix("```").and_then(|text| text.strip_suffix("```")) else { return text };
    inner.split_once('\n').map_or(inner, |(_, inner)| inner).trim()
}

/// Name and arguments as providers and most people write them.
fn plain(item: &Value) -> Option<(String, Option<&Value>)> {
    let outer = item.as_object()?;
    let inner = ["function", "functionCall", "function_call"].into_iter().find_map(|key| outer.get(key)?.as_object());
    let object = inner.unwrap_or(outer);
    let name = object.get("name").or_else(|| object.get("tool_name")).and_then(Value::as_str)?;
    let arguments = ["arguments", "input", "args", "parameters"].into_iter().find_map(|key| object.get(key));
    Some((name.to_owned(), arguments))
}

fn arguments(value: Option<&Value>, field: &str) -> Result<Map<String, Value>, Problem> {
    let field = || format!("{field}.arguments");
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(arguments)) => Ok(arguments.clone()),
        // OpenAI sends them as a text. What can't be read is a call whose arguments are wrong, not a wrong case.
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Object(arguments)) => Ok(arguments),
            _ if text.trim().is_empty() => Ok(Map::new()),
            _ => Ok(Map::from_iter([("(not JSON)".to_owned(), Value::String(text.clone()))])),
        },
        Some(other) => Err(Problem::other(field(), "an object", other)),
    }
}

/// The schema of a tool's arguments, by the tool's name.
pub(super) fn schema<'a>(case: &'a Case, name: &str) -> Option<&'a Map<String, Value>> {
    let tools = case.find(Input::Tools)?.as_array()?;
    let tool = tools
        .iter()
        .map(|tool| tool.get("function").unwrap_or(tool))
        .find(|tool| tool.get("name").and_then(Value::as_str).is_some_and(|other| same_name(other, name)))?;
    ["parameters", "input_schema", "inputSchema"].into_iter().find_map(|key| tool.get(key)?.as_object())
}

/// Some providers allow no dots in names, so callers write underscores.
pub(super) fn same_name(left: &str, right: &str) -> bool {
    left == right || left.replace('.', "_") == right.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_shape_is_the_same_call() {
        let shapes = [
            json!([{"name": "f", "arguments": {"a": 1}}]),
            json!({"name": "f", "arguments": {"a": 1}}),
            json!([{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}]),
            json!({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{\"a\": 1}"}}]}),
            json!([{"type": "tool_use", "name": "f", "input": {"a": 1}}]),
            json!([{"functionCall": {"name": "f", "args": {"a": 1}}}]),
            json!([{"f": {"a": 1}}]),
            json!("[{\"name\": \"f\", \"arguments\": {\"a\": 1}}]"),
            json!("```python\n[f(a=1)]\n```"),
        ];
        for shape in shapes {
            let calls = made(&Case::new().with(Input::Output, shape.clone())).unwrap();
            assert_eq!(calls.len(), 1, "{shape}");
            assert_eq!((calls[0].name.as_str(), &calls[0].arguments["a"]), ("f", &json!(1)), "{shape}");
        }
        assert_eq!(made(&Case::new().with(Input::Output, "I can't do that.")).unwrap(), []);
        let problem = made(&Case::new().with(Input::Output, json!([1]))).unwrap_err();
        assert_eq!(problem.field, "output[0]");
    }
}
