//! Checks a document against the JSON Schema of the configuration, so that every problem is
//! reported at once and each knows its line.

use std::collections::BTreeSet;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::document::Document;
use super::problem::{Problem, nearest};

/// What the schema doesn't allow.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) problems: Vec<Problem>,
    /// JSON pointers of the values to leave out, so that the rest can be looked at.
    pub(super) pointers: BTreeSet<String>,
}

/// Everything in the document that the schema doesn't allow. Texts that spell numbers, and numbers where a text is
/// expected, are first read as what they are meant to be.
pub(super) fn check(document: &mut Document, schema: &Value) -> Faults {
    let mut faults = Faults::default();
    let validator = match jsonschema::validator_for(schema) {
        Ok(validator) => validator,
        Err(error) => {
            faults.problems.push(Problem::new(document.place(""), format!("the schema is broken: {error}")));
            return faults;
        }
    };
    let mut other_kinds = Vec::new();
    for error in validator.iter_errors(&document.value) {
        kinds(&error, &mut other_kinds);
    }
    for (pointer, expected) in other_kinds {
        document.reread(&pointer, &expected);
    }
    for error in validator.iter_errors(&document.value) {
        let pointer = error.instance_path().as_str();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                faults.pointers.extend(unexpected.iter().map(|name| inner(pointer, name)));
            }
            _ => {
                faults.pointers.insert(pointer.to_owned());
            }
        }
        explain(document, schema, &error, &mut faults.problems);
    }
    faults
}

/// The values that are of another kind than expected, and which kinds those are.
fn kinds(error: &ValidationError<'_>, found: &mut Vec<(String, Vec<&'static str>)>) {
    match error.kind() {
        ValidationErrorKind::Type { kind } => {
            found.push((error.instance_path().as_str().to_owned(), names(&format!("{kind:?}"))));
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            context.iter().flatten().for_each(|inner| kinds(inner, found));
        }
        _ => {}
    }
}

/// The JSON types that a kind of the schema library speaks of.
fn names(kind: &str) -> Vec<&'static str> {
    let kind = kind.to_lowercase();
    let all = ["string", "integer", "number", "boolean", "array", "object", "null"];
    all.into_iter().filter(|name| kind.contains(name)).collect()
}

/// The pointer of a field.
fn inner(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn explain(document: &Document, schema: &Value, error: &ValidationError<'_>, problems: &mut Vec<Problem>) {
    let pointer = error.instance_path().as_str();
    let place = document.place(pointer);
    let at = path(pointer);
    let problem = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = known_fields(schema, error);
            for name in unexpected {
                let place = document.place(&inner(pointer, name));
                problems.push(unknown_field(name, &at, &known, Problem::new(place, "")));
            }
            return;
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            Problem::new(place, format!("`{name}` is missing in {at}"))
        }
        ValidationErrorKind::Type { kind } => {
            let expected = names(&format!("{kind:?}"))
                .into_iter()
                .filter(|name| *name != "null")
                .map(|name| match name {
                    "array" => "a list",
                    "object" => "a mapping",
                    "string" => "text",
                    "integer" => "a whole number",
                    "number" => "a number",
                    _ => "true or false",
                })
                .collect::<Vec<_>>()
                .join(" or ");
            Problem::new(place, format!("{at} is {}; expected {expected}", kind_of(error.instance())))
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            wrong_word(error, &at, &options, Problem::new(place, ""))
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            // The branch that got furthest is the one that was meant.
            let depth = |branch: &&Vec<ValidationError<'static>>| {
                branch.iter().map(|error| error.instance_path().as_str().len()).max().unwrap_or(0)
            };
            let constants: Vec<&str> = context.iter().flatten().filter_map(constant).collect();
            if !constants.is_empty() && error.instance().is_string() {
                wrong_word(error, &at, &constants, Problem::new(place, ""))
            } else {
                let not_null = |branch: &&Vec<ValidationError<'static>>| {
                    !branch.iter().any(|error| format!("{:?}", error.kind()).contains("Null"))
                };
                for inner in context.iter().filter(not_null).max_by_key(depth).into_iter().flatten() {
                    explain(document, schema, inner, problems);
                }
                return;
            }
        }
        ValidationErrorKind::Pattern { .. } => {
            let expected = expectation(schema, error).unwrap_or_else(|| "another form".to_owned());
            Problem::new(place, format!("{at} has the wrong form; expected {expected}"))
        }
        ValidationErrorKind::Minimum { limit } => {
            Problem::new(place, format!("{at} is {}; expected at least {limit}", error.instance()))
        }
        ValidationErrorKind::Maximum { limit } => {
            Problem::new(place, format!("{at} is {}; expected at most {limit}", error.instance()))
        }
        _ => Problem::new(place, format!("{at}: {}", error.masked())),
    };
    problems.push(problem);
}

fn constant<'a>(error: &'a ValidationError<'_>) -> Option<&'a str> {
    match error.kind() {
        ValidationErrorKind::Constant { expected_value } => expected_value.as_str(),
        _ => None,
    }
}

fn unknown_field(name: &str, at: &str, known: &[String], mut problem: Problem) -> Problem {
    problem.message = format!("unknown field `{name}` in {at}");
    let known_list = known.join(", ");
    problem.hint(match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? Known fields: {known_list}"),
        None => format!("known fields: {known_list}"),
    })
}

fn wrong_word(error: &ValidationError<'_>, at: &str, options: &[&str], mut problem: Problem) -> Problem {
    let list = options.join(", ");
    let Some(written) = error.instance().as_str() else {
        problem.message = format!("{at} is {}; expected one of {list}", kind_of(error.instance()));
        return problem;
    };
    // Where some write the key itself.
    if error.instance_path().as_str().ends_with("/auth") {
        problem.message = format!("{at} is another word; expected one of {list}");
        return problem.hint("a key belongs into `api_key`, or better into an environment variable".to_owned());
    }
    problem.message = format!("{at} is `{written}`; expected one of {list}");
    match nearest(written, options.iter().copied()) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem,
    }
}

/// The fields of the object that refused an unknown one: its schema is where the keyword stands.
fn known_fields(schema: &Value, error: &ValidationError<'_>) -> Vec<String> {
    let keyword = error.schema_path().as_str();
    let object = keyword.strip_suffix("/additionalProperties").unwrap_or(keyword);
    let properties = schema.pointer(object).and_then(|object| object.get("properties")).and_then(Value::as_object);
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

/// The description and examples that stand beside the keyword which refused the value.
fn expectation(schema: &Value, error: &ValidationError<'_>) -> Option<String> {
    let (object, _) = error.schema_path().as_str().rsplit_once('/')?;
    let object = schema.pointer(object)?;
    let examples: Vec<String> =
        object.get("examples")?.as_array()?.iter().filter_map(Value::as_str).map(|text| format!("`{text}`")).collect();
    let description = object.get("description").and_then(Value::as_str).unwrap_or("something").trim_end_matches('.');
    // It stands within a sentence here.
    let mut letters = description.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase()).unwrap_or_default();
    Some(format!("{first}{}, e.g. {}", letters.as_str(), examples.join(" or ")))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// `/providers/0/name` as `providers[0].name`.
pub(super) fn path(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        if step.chars().all(|c| c.is_ascii_digit()) && !step.is_empty() {
            path.push_str(&format!("[{step}]"));
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&step);
        }
    }
    if path.is_empty() { "the file".to_owned() } else { format!("`{path}`") }
}

/// `providers[0].name` as `/providers/0/name`.
pub(super) fn pointer_of(path: &str) -> String {
    path.split(['.', '[']).map(|step| format!("/{}", step.trim_end_matches(']'))).collect()
}
