//! What of a span a scorer looks at.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use signalbox_metrics::case::INPUTS;
use signalbox_metrics::{Case, Input};
use signalbox_types::{Message, Part, Role, Span};

use super::rule::RuleProblem;

/// Attributes in which applications say by themselves what an answer must be true to.
const CONTEXT_ATTRIBUTES: [&str; 4] = ["context", "metadata.context", "rag.context", "retrieval.context"];
/// Where a retriever's document has its text.
const TEXT_FIELDS: [&str; 6] = ["content", "page_content", "text", "document", "body", "snippet"];
const ATTRIBUTES: &str = "attributes.";

/// Whether a place can be one.
pub(super) fn check(input: &str, place: &str) -> Result<(), RuleProblem> {
    if INPUTS.iter().all(|one| one.name() != input) {
        let names: Vec<_> = INPUTS.iter().map(|one| one.name()).collect();
        let problem = format!("there is no such input; expected one of {}", names.join(", "));
        return Err(RuleProblem::new(format!("mapping.{input}"), problem));
    }
    let attribute = place.strip_prefix(ATTRIBUTES).is_some_and(|key| !key.is_empty());
    let field = place.strip_prefix('/').and_then(|rest| rest.split('/').next());
    if attribute || field.is_some_and(|field| FIELDS.contains(&field)) {
        return Ok(());
    }
    let problem = format!(
        "expected `attributes.KEY`, or a JSON pointer that begins with one of /{}; found `{place}`",
        FIELDS.join(", /")
    );
    Err(RuleProblem::new(format!("mapping.{input}"), problem))
}

const FIELDS: [&str; 7] = ["input", "output", "input_messages", "output_messages", "tools", "attributes", "name"];

/// Whether the context is to be looked for in the trace: a scorer wants one, and nobody said where it is.
pub(super) fn wants_trace(mapping: &BTreeMap<String, String>, mut inputs: impl Iterator<Item = Input>) -> bool {
    !mapping.contains_key(Input::Context.name()) && inputs.any(|input| input == Input::Context)
}

/// The case of a span. `found` is what retrievers of its trace found.
pub(super) fn case(span: &Span, mapping: &BTreeMap<String, String>, found: &[String]) -> Case {
    let mut case = Case::new();
    for input in INPUTS {
        let value = match mapping.get(input.name()) {
            Some(place) => at(span, place, input),
            None => usual(span, input, found),
        };
        if let Some(value) = value {
            case = case.with(input, value);
        }
    }
    case
}

fn usual(span: &Span, input: Input, found: &[String]) -> Option<Value> {
    match input {
        Input::Input => {
            let said = last_said(&span.input_messages);
            said.map(Value::from).or_else(|| span.input.clone().map(as_text))
        }
        Input::Output => {
            let said = span.output_messages.last().and_then(answered);
            said.or_else(|| span.output.clone().map(as_text))
        }
        Input::Context => context(span, found),
        Input::Tools => (!span.tools.is_empty()).then(|| json!(span.tools)),
        // Nobody sends these by a name that all agree on.
        Input::Reference | Input::Schema | Input::Logprobs => None,
    }
}

/// The last thing that the user said, or whoever else spoke last.
fn last_said(messages: &[Message]) -> Option<String> {
    let by_user = messages.iter().rev().find(|message| message.role == Role::User);
    by_user.or_else(|| messages.last()).map(Message::readable)
}

/// What was answered: its text, or the calls of tools if there is none.
fn answered(message: &Message) -> Option<Value> {
    let texts: Vec<&str> = message.parts.iter().filter_map(text_of).collect();
    if !texts.is_empty() {
        return Some(texts.join("\n").into());
    }
    let calls: Vec<Value> = message
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::ToolCall { name, arguments, .. } => Some(json!({"name": name, "arguments": arguments})),
            _ => None,
        })
        .collect();
    (!calls.is_empty()).then_some(Value::Array(calls))
}

fn text_of(part: &Part) -> Option<&str> {
    match part {
        Part::Text { content } | Part::Refusal { content } if !content.is_empty() => Some(content),
        _ => None,
    }
}

/// What the answer must be true to: what the application says it is, what retrievers found, or else the instructions.
fn context(span: &Span, found: &[String]) -> Option<Value> {
    let said = CONTEXT_ATTRIBUTES.iter().find_map(|key| span.attributes.get(*key));
    if let Some(text) = said {
        return Some(structured(text, Input::Context));
    }
    if !found.is_empty() {
        return Some(found.into());
    }
    let system: Vec<String> = span
        .input_messages
        .iter()
        .filter(|message| message.role == Role::System)
        .map(Message::readable)
        .filter(|text| !text.is_empty())
        .collect();
    (!system.is_empty()).then(|| system.into())
}

/// Whether an application says by itself what the answer must be true to.
pub(super) fn says_context(span: &Span) -> bool {
    CONTEXT_ATTRIBUTES.iter().any(|key| span.attributes.contains_key(*key))
}

/// The texts of what a retriever found.
pub(super) fn texts_of(output: &Value) -> Vec<String> {
    match output {
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Array(_) | Value::Object(_))) => texts_of(&inner),
            _ => vec![text.clone()],
        },
        Value::Array(items) => items.iter().flat_map(texts_of).collect(),
        Value::Object(fields) => {
            let text = TEXT_FIELDS.iter().find_map(|name| fields.get(*name)).map(texts_of);
            let listed = || fields.get("documents").or_else(|| fields.get("results")).map(texts_of);
            text.or_else(listed).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// What stands at a place of a span.
fn at(span: &Span, place: &str, input: Input) -> Option<Value> {
    if let Some(key) = place.strip_prefix(ATTRIBUTES) {
        return span.attributes.get(key).map(|text| structured(text, input));
    }
    let rest = place.strip_prefix('/')?;
    let (field, pointer) = rest.split_once('/').map_or((rest, None), |(field, rest)| (field, Some(rest)));
    let value: Cow<'_, Value> = match field {
        "input" => Cow::Borrowed(span.input.as_ref()?),
        "output" => Cow::Borrowed(span.output.as_ref()?),
        "input_messages" => Cow::Owned(json!(span.input_messages)),
        "output_messages" => Cow::Owned(json!(span.output_messages)),
        "tools" => Cow::Owned(json!(span.tools)),
        "name" => Cow::Owned(span.name.clone().into()),
        "attributes" => {
            let rest = pointer?;
            let (key, deeper) = rest.split_once('/').map_or((rest, None), |(key, rest)| (key, Some(rest)));
            let text = span.attributes.get(&key.replace("~1", "/").replace("~0", "~"))?;
            return match deeper {
                None => Some(structured(text, input)),
                Some(deeper) => serde_json::from_str::<Value>(text).ok()?.pointer(&format!("/{deeper}")).cloned(),
            };
        }
        _ => return None,
    };
    let found = match pointer {
        None => value.into_owned(),
        Some(pointer) => {
            let pointer = format!("/{pointer}");
            match &*value {
                // A text that is JSON is gone into as if it were no text.
                Value::String(text) => serde_json::from_str::<Value>(text).ok()?.pointer(&pointer)?.clone(),
                value => value.pointer(&pointer)?.clone(),
            }
        }
    };
    Some(if matches!(input, Input::Input | Input::Output) { as_text(found) } else { found })
}

/// Objects as text, as a metric of texts wants them. A list of calls stays one.
fn as_text(value: Value) -> Value {
    if value.is_object() { value.to_string().into() } else { value }
}

/// A text that holds JSON is what it holds, where a metric may want a list or an object.
fn structured(text: &str, input: Input) -> Value {
    let plain = matches!(input, Input::Input | Input::Output);
    if plain || !text.trim_start().starts_with(['[', '{']) {
        return text.into();
    }
    match serde_json::from_str(text) {
        Ok(value) if input == Input::Context => {
            Some(texts_of(&value)).filter(|texts| !texts.is_empty()).map(Value::from)
        }
        Ok(value) => Some(value),
        Err(_) => None,
    }
    .unwrap_or_else(|| text.into())
}

#[cfg(test)]
mod tests {
    use signalbox_testkit::builders::llm_span;
    use signalbox_types::Timestamp;

    use super::*;

    fn span() -> Span {
        llm_span("p", 1, "m", Timestamp::from_micros(0), 0)
    }

    fn check(span: &Span, mapping: &[(&str, &str)], found: &[&str], input: Input, expected: Value) {
        let mapping = mapping.iter().map(|(input, place)| ((*input).to_owned(), (*place).to_owned())).collect();
        let found: Vec<String> = found.iter().map(|text| (*text).to_owned()).collect();
        let case = case(span, &mapping, &found);
        assert_eq!(case.find(input).cloned().unwrap_or_default(), expected, "{input}");
    }

    #[test]
    fn the_usual_places() {
        let mut span = span();
        span.input_messages.insert(0, Message::text(Role::System, "Be brief."));
        check(&span, &[], &[], Input::Input, json!("Question 1 about Zürich"));
        check(&span, &[], &[], Input::Output, json!("Answer 1"));
        check(&span, &[], &[], Input::Context, json!(["Be brief."]));
        check(&span, &[], &["A doc."], Input::Context, json!(["A doc."]));
        check(&span, &[], &[], Input::Reference, Value::Null);
        span.attributes.insert("context".to_owned(), r#"[{"page_content": "B"}, "C"]"#.to_owned());
        check(&span, &[], &["A doc."], Input::Context, json!(["B", "C"]));
        span.output_messages[0].parts =
            vec![Part::ToolCall { id: None, name: "add".to_owned(), arguments: json!({"a": 1}) }];
        check(&span, &[], &[], Input::Output, json!([{"name": "add", "arguments": {"a": 1}}]));
        span.output_messages.clear();
        span.output = Some(json!({"answer": 42}));
        check(&span, &[], &[], Input::Output, json!(r#"{"answer":42}"#));
    }

    #[test]
    fn places_that_a_rule_names() {
        let mut span = span();
        span.input = Some(json!({"question": "Why?", "docs": ["x", "y"]}));
        span.output = Some(json!(r#"{"answer": {"text": "So."}}"#));
        span.attributes.insert("gold".to_owned(), "Because.".to_owned());
        span.attributes.insert("a/b".to_owned(), r#"{"c": ["d"]}"#.to_owned());
        check(&span, &[("input", "/input/question")], &[], Input::Input, json!("Why?"));
        check(&span, &[("context", "/input/docs")], &["no"], Input::Context, json!(["x", "y"]));
        check(&span, &[("output", "/output/answer/text")], &[], Input::Output, json!("So."));
        check(&span, &[("reference", "attributes.gold")], &[], Input::Reference, json!("Because."));
        check(&span, &[("reference", "/attributes/a~1b/c/0")], &[], Input::Reference, json!("d"));
        check(&span, &[("schema", "attributes.a/b")], &[], Input::Schema, json!({"c": ["d"]}));
        check(&span, &[("output", "/output_messages/0/parts/0/content")], &[], Input::Output, json!("Answer 1"));
        check(&span, &[("reference", "attributes.none")], &[], Input::Reference, Value::Null);
    }

    #[test]
    fn what_retrievers_found_in_any_shape() {
        let check = |output: Value, expected: &[&str]| assert_eq!(texts_of(&output), expected, "{output}");
        check(json!([{"id": "1", "content": "a"}, {"text": "b"}, "c"]), &["a", "b", "c"]);
        check(json!({"documents": [{"document": {"text": "a"}}]}), &["a"]);
        check(json!("[{\"content\": \"a\"}]"), &["a"]);
        check(json!("plain"), &["plain"]);
        check(json!([{"id": "1", "score": 0.5}]), &[]);
    }
}
