//! Answers that must be JSON, and of a given shape.
//!
//! Whether a text is JSON is known at its end, so a stream with a policy that blocks is held back until then. What is longer
//! than [`MOST_BYTES`] is not read.

mod place;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jsonschema::{PatternOptions, ValidationError, Validator};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use serde_json::Value;
use signalbox_types::Severity;

use crate::options::{self, Maker, OptionProblem, Options};
use crate::scanner::{About, Hit, Replacement, Rule, Scanner, Text, rule};

/// Makes [`JsonShape`].
#[derive(Debug)]
pub struct JsonSchemaMaker;

static ABOUT: About = About {
    name: "json_schema",
    summary: "Answers that are no JSON, or not of the shape that a schema gives.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: 0,
    hold: MOST_BYTES + 4,
};

static RULES: &[Rule] = &[
    rule(
        "not_json",
        Severity::Medium,
        "A text that can't be read as JSON; ask for JSON alone, or for a structured output.",
    ),
    rule("too_long", Severity::Low, "A text that is too long to be read as JSON here; ask for less at once."),
    rule("wrong_shape", Severity::Medium, "JSON that the policy's schema doesn't allow; show the model the schema."),
];
const NOT_JSON: &Rule = &RULES[0];
const TOO_LONG: &Rule = &RULES[1];
const WRONG_SHAPE: &Rule = &RULES[2];

/// A longer text is not read.
const MOST_BYTES: usize = 256 * 1024;
/// Of where in a text something is wrong, so much is told.
const MOST_PATH_BYTES: usize = 120;

/// What an answer must be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default)]
struct Shape {
    /// A JSON schema (draft 4 to 2020-12, without references to other documents). Without one, any JSON will do.
    /// Example: `{type: object, required: [city]}`.
    schema: Option<Value>,
    /// Take JSON inside a Markdown fence, too.
    fence: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self { schema: None, fence: true }
    }
}

impl Maker for JsonSchemaMaker {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn schema(&self) -> Schema {
        schema_for!(Shape)
    }

    fn make(&self, options: &Options) -> Result<Arc<dyn Scanner>, OptionProblem> {
        let Shape { schema, fence } = options::read(options)?;
        let validator = schema.as_ref().map(|schema| compile(schema, "schema")).transpose()?;
        Ok(Arc::new(JsonShape { validator, fence }))
    }
}

/// Compiles a schema; `path` is where it stands in the options.
pub(crate) fn compile(schema: &Value, path: &str) -> Result<Validator, OptionProblem> {
    // Patterns on finite automata: none can be made to take long.
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
    options.build(schema).map_err(|error| {
        let at = error.instance_path().to_string();
        OptionProblem::new(path, format_args!("no JSON schema: {}{error}", if at.is_empty() { at } else { at + ": " }))
    })
}

/// Which keyword of a schema is not kept, and where in the text; never what stands there.
pub(crate) fn told(error: &ValidationError<'_>) -> String {
    let mut place = error.instance_path().to_string();
    place.truncate(place.floor_char_boundary(MOST_PATH_BYTES));
    let place = if place.is_empty() { "the whole".to_owned() } else { format!("`{place}`") };
    format!("{place} breaks `{}`", error.schema_path())
}

/// Reads a text as JSON.
#[derive(Debug)]
pub struct JsonShape {
    validator: Option<Validator>,
    fence: bool,
}

/// What is wrong with a text.
struct Wrong {
    rule: &'static Rule,
    start: usize,
    end: usize,
    detail: String,
}

impl Scanner for JsonShape {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// Thoughts and arguments of tools have shapes of their own.
    fn is_for_answers(&self) -> bool {
        true
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let whole = text.as_str();
        // It was judged before.
        if text.base() + text.from() > 0 {
            return whole.len();
        }
        let mut hit = |rule, start, end| {
            hits.push(Hit { rule, start, end, confidence: 1.0, replacement: Replacement::Mark });
        };
        if whole.len() > MOST_BYTES {
            hit(TOO_LONG, whole.floor_char_boundary(MOST_BYTES), whole.ceil_char_boundary(MOST_BYTES + 1));
            return whole.len();
        }
        if text.is_open() {
            return 0;
        }
        if let Some(wrong) = self.judge(whole) {
            hit(wrong.rule, wrong.start, wrong.end);
        }
        whole.len()
    }

    fn explain(&self, text: &str, hit: &Hit) -> Option<String> {
        let is_read = hit.rule != TOO_LONG && text.len() <= MOST_BYTES;
        self.judge(text).filter(|_| is_read).map(|wrong| wrong.detail)
    }
}

impl JsonShape {
    fn judge(&self, text: &str) -> Option<Wrong> {
        let inner = if self.fence { without_fence(text) } else { text }.trim();
        if inner.is_empty() && text.is_empty() {
            return None;
        }
        let start = inner.as_ptr() as usize - text.as_ptr() as usize;
        let end = if inner.is_empty() { text.len() } else { start + inner.len() };
        let value: Value = match serde_json::from_str(inner) {
            Ok(value) => value,
            Err(error) => {
                let at = start + offset(inner, error.line(), error.column());
                let from = text.floor_char_boundary(at.min(end.saturating_sub(1)));
                let what = if error.is_eof() { "it ends too early" } else { "it is no JSON from there on" };
                let detail = format!("line {}, column {}: {what}", error.line(), error.column());
                return Some(Wrong { rule: NOT_JSON, start: from, end, detail });
            }
        };
        let error = self.validator.as_ref()?.iter_errors(&value).next()?;
        let place = place::of(inner, error.instance_path().as_str()).unwrap_or(0..inner.len());
        let (start, end) = (start + place.start, start + place.end);
        Some(Wrong { rule: WRONG_SHAPE, start, end, detail: told(&error) })
    }
}

/// What stands between a line of three backticks and another, if that is all there is.
fn without_fence(text: &str) -> &str {
    let inner = text.trim().strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    inner.and_then(|inner| inner.split_once('\n')).map_or(text, |(_, inner)| inner)
}

/// The offset of a place that is told by line and column, both from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    before + column.saturating_sub(1)
}
