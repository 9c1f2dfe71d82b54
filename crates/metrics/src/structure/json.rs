//! JSON: whether it can be read, fits a schema, has the fields and values that it should.

use std::cell::RefCell;
use std::rc::Rc;

use jsonschema::Validator;
use serde_json::Value;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::options::{OptionDoc, OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

const FENCES: OptionDoc = option("fences", "true", "take JSON out of a block of code (```json … ```)");

pub(crate) static JSON_VALID: About = About {
    name: "json_valid",
    aliases: &["is_json", "json_validity"],
    family: Family::Structure,
    summary: "Whether the answer is JSON.",
    formula: "1 if the answer, without spaces and the fences of a block of code around it, is one JSON value by RFC 8259, else 0.",
    source: "RFC 8259, https://www.rfc-editor.org/rfc/rfc8259",
    inputs: &[Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[FENCES],
    make: |options| json(options, |value, _| Ok(Outcome::of(true, format!("JSON, {}", crate::case::kind(value))))),
};

pub(crate) static JSON_SCHEMA: About = About {
    name: "json_schema",
    aliases: &["json_schema_valid", "schema_compliance"],
    family: Family::Structure,
    summary: "Whether the answer is JSON that fits the schema.",
    formula: "1 if the answer is JSON and valid by the schema in `schema`, drafts 4 to 2020-12 by its $schema (2020-12 if it has none), else 0. \
              References outside of the schema are an error.",
    source: "JSON Schema, https://json-schema.org/specification; equal to Python's jsonschema 4",
    inputs: &[Input::Output, Input::Schema],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[FENCES],
    make: |options| json(options, by_schema),
};

pub(crate) static FIELD_COMPLETENESS: About = About {
    name: "field_completeness",
    aliases: &["json_completeness"],
    family: Family::Structure,
    summary: "How many of the fields that the answer should have it has.",
    formula: "Share of the fields that the schema requires, or else of those of the reference, at any depth, that are there and not null, an empty text, \
              list or object. 1 if none is wanted, 0 if the answer is no JSON.",
    source: "Pipino, Lee and Wang 2002 (completeness), https://doi.org/10.1145/505248.506010",
    inputs: &[Input::Output],
    also: &[Input::Schema, Input::Reference],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[FENCES],
    make: |options| json(options, completeness),
};

pub(crate) static JSON_MATCH: About = About {
    name: "json_match",
    aliases: &["json_diff", "json_equal"],
    family: Family::Structure,
    summary: "How many values of the answer's JSON are those of the reference.",
    formula: "Leaves that are equal at the same path / leaves of either; objects without order, lists with, numbers by value. 0 if the answer is no JSON.",
    source: "Jaccard 1912 over the pairs of path and value",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[FENCES],
    make: |options| json(options, equality),
};

/// What a metric makes of the value.
type Judge = fn(&Value, &Case) -> Result<Outcome, Problem>;

fn json(options: &Options, judge: Judge) -> Result<Box<dyn Metric>, OptionProblem> {
    let fences = options.flag("fences", true)?;
    Ok(Box::new(move |case: &Case| match case.value(Input::Output)? {
        Value::String(text) => match serde_json::from_str(if fences { unfenced(text) } else { text.trim() }) {
            Ok(value) => judge(&value, case),
            Err(error) => Ok(Outcome::of(false, format!("not JSON: {error}"))),
        },
        // Whoever sends it as JSON has read it already.
        value => judge(value, case),
    }))
}

/// The inside of a block of code, if the text is one.
pub(crate) fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix("```").and_then(|text| text.strip_suffix("```")) else { return text };
    let Some((language, rest)) = inner.split_once('\n') else { return inner.trim() };
    let is_language = language.trim().chars().all(|char| char.is_alphanumeric() || matches!(char, '-' | '_' | '+'));
    if is_language { rest.trim() } else { inner.trim() }
}

/// Schemas that were read last: most often all cases have one, and reading it takes much longer than a value does.
const KEPT: usize = 8;

thread_local! {
    static VALIDATORS: RefCell<Vec<(Value, Rc<Validator>)>> = const { RefCell::new(Vec::new()) };
}

fn validator(schema: &Value) -> Result<Rc<Validator>, Problem> {
    VALIDATORS.with_borrow_mut(|kept| {
        if let Some(at) = kept.iter().position(|(known, _)| known == schema) {
            kept[..=at].rotate_right(1);
        } else {
            let made = jsonschema::validator_for(schema)
                .map_err(|error| Problem::new("schema", "a JSON Schema", format!("one that can't be used: {error}")))?;
            kept.truncate(KEPT - 1);
            kept.insert(0, (schema.clone(), Rc::new(made)));
        }
        Ok(Rc::clone(&kept[0].1))
    })
}

fn by_schema(value: &Value, case: &Case) -> Result<Outcome, Problem> {
    let validator = validator(case.value(Input::Schema)?)?;
    let reason = match validator.iter_errors(value).next() {
        None => return Ok(Outcome::of(true, "it fits the schema")),
        Some(error) => format!("`{}`: {error}", error.instance_path()),
    };
    Ok(Outcome::of(false, shortened(reason)))
}

/// A message may quote the whole value.
fn shortened(text: String) -> String {
    const MOST: usize = 300;
    if text.chars().count() <= MOST { text } else { text.chars().take(MOST).chain(['…']).collect() }
}

fn completeness(value: &Value, case: &Case) -> Result<Outcome, Problem> {
    let mut wanted = Vec::new();
    if let Some(schema) = case.find(Input::Schema) {
        required(schema, value, &mut String::new(), &mut wanted);
    } else {
        let reference = parsed(case)?;
        fields(&reference, Some(value), &mut String::new(), &mut wanted);
    }
    let missing: Vec<&String> = wanted.iter().filter(|(_, there)| !there).map(|(path, _)| path).collect();
    let share = if wanted.is_empty() { 1.0 } else { 1.0 - missing.len() as f64 / wanted.len() as f64 };
    let reason = match missing.first() {
        None => format!("all {} fields are there", wanted.len()),
        Some(path) => format!("{} of {} fields are missing, first `{path}`", missing.len(), wanted.len()),
    };
    Ok(Outcome::new(share, reason))
}

/// The reference, which may be JSON in a text.
fn parsed(case: &Case) -> Result<Value, Problem> {
    match case.value(Input::Reference)? {
        Value::String(text) => serde_json::from_str(unfenced(text))
            .map_err(|error| Problem::new("reference", "JSON", format!("a text that isn't: {error}"))),
        other => Ok(other.clone()),
    }
}

fn is_there(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(object)) => !object.is_empty(),
        Some(_) => true,
    }
}

/// Fields that a schema requires of a value, with whether they are there.
fn required(schema: &Value, value: &Value, path: &mut String, wanted: &mut Vec<(String, bool)>) {
    let properties = schema.get("properties");
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        wanted.push((format!("{path}/{name}"), is_there(value.get(name))));
    }
    for (name, below) in properties.and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = value.get(name) {
            within(path, name, |path| required(below, value, path, wanted));
        }
    }
    if let (Some(below), Some(items)) = (schema.get("items"), value.as_array()) {
        for (at, item) in items.iter().enumerate() {
            within(path, &at.to_string(), |path| required(below, item, path, wanted));
        }
    }
}

/// Fields of a reference, with whether they are there.
fn fields(reference: &Value, value: Option<&Value>, path: &mut String, wanted: &mut Vec<(String, bool)>) {
    match reference {
        Value::Object(object) => {
            for (name, below) in object {
                let value = value.and_then(|value| value.get(name));
                wanted.push((format!("{path}/{name}"), is_there(value) || !is_there(Some(below))));
                within(path, name, |path| fields(below, value, path, wanted));
            }
        }
        Value::Array(list) => {
            for (at, below) in list.iter().enumerate() {
                within(path, &at.to_string(), |path| {
                    fields(below, value.and_then(|value| value.get(at)), path, wanted)
                });
            }
        }
        _ => {}
    }
}

fn within(path: &mut String, name: &str, work: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push('/');
    path.push_str(name);
    work(path);
    path.truncate(length);
}

fn equality(value: &Value, case: &Case) -> Result<Outcome, Problem> {
    let reference = parsed(case)?;
    let mut counts = Leaves::default();
    counts.compare(Some(value), Some(&reference), &mut String::new());
    let share = if counts.all == 0 { 1.0 } else { counts.equal as f64 / counts.all as f64 };
    let reason = match counts.first {
        None => format!("all {} values are equal", counts.all),
        Some(path) => format!("{} of {} values are equal; `{path}` isn't", counts.equal, counts.all),
    };
    Ok(Outcome::new(share, reason))
}

#[derive(Default)]
struct Leaves {
    equal: usize,
    all: usize,
    first: Option<String>,
}

impl Leaves {
    fn compare(&mut self, one: Option<&Value>, two: Option<&Value>, path: &mut String) {
        match (one, two) {
            (Some(Value::Object(a)), Some(Value::Object(b))) if !(a.is_empty() && b.is_empty()) => {
                for (name, value) in a {
                    within(path, name, |path| self.compare(Some(value), b.get(name), path));
                }
                for (name, value) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
                    within(path, name, |path| self.compare(None, Some(value), path));
                }
            }
            (Some(Value::Array(a)), Some(Value::Array(b))) if !(a.is_empty() && b.is_empty()) => {
                for at in 0..a.len().max(b.len()) {
                    within(path, &at.to_string(), |path| self.compare(a.get(at), b.get(at), path));
                }
            }
            _ => {
                let same = match (one, two) {
                    (Some(Value::Number(a)), Some(Value::Number(b))) => a == b || a.as_f64() == b.as_f64(),
                    _ => one == two,
                };
                self.equal += usize::from(same);
                // Where the kinds differ, all that is below either counts.
                self.all += if same { 1 } else { leaves(one).max(leaves(two)) };
                if !same && self.first.is_none() {
                    self.first = Some(path.clone());
                }
            }
        }
    }
}

fn leaves(value: Option<&Value>) -> usize {
    match value {
        None => 0,
        Some(Value::Object(object)) => object.values().map(|value| leaves(Some(value))).sum::<usize>().max(1),
        Some(Value::Array(list)) => list.iter().map(|value| leaves(Some(value))).sum::<usize>().max(1),
        Some(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conformance::{near, value_with};

    fn check(about: &'static About, output: Value, other: (Input, Value), expected: f64) {
        let case = Case::new().with(Input::Output, output).with(other.0, other.1);
        near(value_with(about, &Options::new(), &case), expected);
    }

    #[test]
    fn valid_with_and_without_fences() {
        let none = || (Input::Input, Value::Null);
        check(&JSON_VALID, json!("{\"a\": 1}"), none(), 1.0);
        check(&JSON_VALID, json!("```json\n[1]\n```"), none(), 1.0);
        check(&JSON_VALID, json!("{'a': 1}"), none(), 0.0);
        check(&JSON_VALID, json!("{\"a\": 1} and more"), none(), 0.0);
        check(&JSON_VALID, json!({"a": 1}), none(), 1.0);
    }

    #[test]
    fn fits_a_schema() {
        let schema = || {
            (
                Input::Schema,
                json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 2}}}),
            )
        };
        check(&JSON_SCHEMA, json!("{\"a\": 2}"), schema(), 1.0);
        check(&JSON_SCHEMA, json!("{\"a\": 1}"), schema(), 0.0);
        check(&JSON_SCHEMA, json!("{}"), schema(), 0.0);
        let case = Case::new().with(Input::Output, "{}").with(Input::Schema, json!({"type": 3}));
        assert_eq!(by_schema(&json!({}), &case).unwrap_err().field, "schema");
    }

    #[test]
    fn many_schemas_in_turn_are_not_mistaken_for_each_other() {
        // Some that are kept, some that were, in no order.
        for at in (0..300_i64).map(|at| at * at * 7 % 23) {
            let schema = json!({"type": "integer", "minimum": at});
            check(&JSON_SCHEMA, json!(at), (Input::Schema, schema.clone()), 1.0);
            check(&JSON_SCHEMA, json!(at - 1), (Input::Schema, schema), 0.0);
        }
    }

    #[test]
    fn fields_and_values() {
        let schema = json!({"required": ["a", "b"], "properties": {"b": {"required": ["c", "d"]}}});
        check(&FIELD_COMPLETENESS, json!({"a": "", "b": {"c": 1}}), (Input::Schema, schema), 0.5);
        let reference = || (Input::Reference, json!({"a": 1, "b": [1, {"c": 2}], "e": null}));
        check(&FIELD_COMPLETENESS, json!({"a": 1, "b": [1, {}]}), reference(), 0.75);
        check(&JSON_MATCH, json!({"b": [1.0, {"c": 2}], "a": 1, "e": null}), reference(), 1.0);
        check(&JSON_MATCH, json!({"a": 2, "b": [1, {"c": 2}], "x": 0}), reference(), 2.0 / 5.0);
        check(&JSON_MATCH, json!("no"), reference(), 0.0);
    }
}
