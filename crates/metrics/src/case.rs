//! What is measured: one answer, and what belongs to it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A part of a case. The name is the field's name in JSON lines and in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// What was asked.
    Input,
    /// What the answer must be true to: a text, or a list of texts.
    Context,
    /// The answer.
    Output,
    /// The answer as it should be; several if any will do.
    Reference,
    /// The tools that could be called, with the schemas of their arguments.
    Tools,
    /// A JSON Schema.
    Schema,
    /// Logarithms of the probabilities of the answer's tokens, to the base e.
    Logprobs,
}

/// All parts, in the order in which people read them.
pub const INPUTS: [Input; 7] =
    [Input::Input, Input::Context, Input::Output, Input::Reference, Input::Tools, Input::Schema, Input::Logprobs];

impl Input {
    /// The field's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Context => "context",
            Self::Output => "output",
            Self::Reference => "reference",
            Self::Tools => "tools",
            Self::Schema => "schema",
            Self::Logprobs => "logprobs",
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a case can't be measured: the field, what was expected there and what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: expected {expected}, found {found}")]
pub struct Problem {
    /// The field, with the way into it: `reference[2].name`.
    pub field: String,
    /// What should stand there.
    pub expected: String,
    /// What does.
    pub found: String,
}

impl Problem {
    /// A problem with a field.
    pub fn new(field: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { field: field.into(), expected: expected.into(), found: found.into() }
    }

    /// A field that holds something else.
    pub fn other(field: impl Into<String>, expected: impl Into<String>, found: &Value) -> Self {
        Self::new(field, expected, kind(found))
    }
}

/// Refuses work that grows with the product of two lengths before it takes minutes or gigabytes.
///
/// # Errors
/// There is more of it than `most`.
pub(crate) fn affordable(input: Input, left: usize, right: usize, most: usize) -> Result<(), Problem> {
    if left.saturating_mul(right) <= most {
        return Ok(());
    }
    let expected = format!("at most {most} comparisons, as of two parts of {} each", most.isqrt());
    Err(Problem::new(input.name(), expected, format!("{left} × {right}")))
}

/// What a value is, for people.
#[must_use]
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// One answer with what belongs to it. `null` is as good as nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Case {
    values: [Option<Value>; INPUTS.len()],
}

impl Case {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a part set.
    #[must_use]
    pub fn with(mut self, input: Input, value: impl Into<Value>) -> Self {
        self.values[input as usize] = Some(value.into()).filter(|value| !value.is_null());
        self
    }

    /// Takes the known fields of an object and leaves the others.
    #[must_use]
    pub fn take(fields: &mut Map<String, Value>) -> Self {
        let mut case = Self::new();
        for input in INPUTS {
            case.values[input as usize] = fields.remove(input.name()).filter(|value| !value.is_null());
        }
        case
    }

    /// A part, if it is there.
    #[must_use]
    pub fn find(&self, input: Input) -> Option<&Value> {
        self.values[input as usize].as_ref()
    }

    /// A part of any kind.
    ///
    /// # Errors
    /// It isn't there.
    pub fn value(&self, input: Input) -> Result<&Value, Problem> {
        self.find(input).ok_or_else(|| Problem::new(input.name(), expected(input), "nothing"))
    }

    /// A part that is one text.
    ///
    /// # Errors
    /// It isn't there, or is something else.
    pub fn text(&self, input: Input) -> Result<&str, Problem> {
        let value = self.value(input)?;
        value.as_str().ok_or_else(|| Problem::other(input.name(), "a text", value))
    }

    /// A part that is a text or a list of texts.
    ///
    /// # Errors
    /// It isn't there, or is something else, or is an empty list.
    pub fn texts(&self, input: Input) -> Result<Vec<&str>, Problem> {
        match self.value(input)? {
            Value::String(text) => Ok(vec![text]),
            Value::Array(list) if !list.is_empty() => {
                let text = |(at, value): (usize, &'_ Value)| {
                    let field = || format!("{input}[{at}]");
                    value.as_str().map(str::to_owned).ok_or_else(|| Problem::other(field(), "a text", value))
                };
                // The first that is no text is told; then all are borrowed.
                list.iter().enumerate().map(text).collect::<Result<Vec<_>, _>>()?;
                Ok(list.iter().filter_map(Value::as_str).collect())
            }
            Value::Array(_) => Err(Problem::new(input.name(), "a text or a list of texts", "an empty list")),
            other => Err(Problem::other(input.name(), "a text or a list of texts", other)),
        }
    }

    /// A part that is a vector of numbers or a list of such.
    ///
    /// # Errors
    /// It isn't there, or is something else, or is an empty list.
    pub fn vectors(&self, input: Input) -> Result<Vec<Vec<f64>>, Problem> {
        const EXPECTED: &str = "a vector of numbers, or a list of such";
        let value = self.value(input)?;
        let list = value.as_array().ok_or_else(|| Problem::other(input.name(), EXPECTED, value))?;
        match list.first() {
            None => Err(Problem::new(input.name(), EXPECTED, "an empty list")),
            Some(Value::Array(_)) => {
                list.iter().enumerate().map(|(at, one)| vector(one, &format!("{input}[{at}]"))).collect()
            }
            Some(_) => Ok(vec![self.numbers(input)?]),
        }
    }

    /// A part that is a list of numbers.
    ///
    /// # Errors
    /// It isn't there, or is something else, or one of them is no number.
    pub fn numbers(&self, input: Input) -> Result<Vec<f64>, Problem> {
        vector(self.value(input)?, input.name())
    }
}

/// A list of numbers that stands in a field.
pub(crate) fn vector(value: &Value, field: &str) -> Result<Vec<f64>, Problem> {
    let list = value.as_array().ok_or_else(|| Problem::other(field, "a list of numbers", value))?;
    let number = |(at, value): (usize, &Value)| {
        value.as_f64().ok_or_else(|| Problem::other(format!("{field}[{at}]"), "a number", value))
    };
    list.iter().enumerate().map(number).collect()
}

const fn expected(input: Input) -> &'static str {
    match input {
        Input::Input => "what was asked",
        Input::Context => "the source, as a text or a list of texts",
        Input::Output => "the answer to measure",
        Input::Reference => "the right answer, or a list of right ones",
        Input::Tools => "a list of tools",
        Input::Schema => "a JSON Schema",
        Input::Logprobs => "a list of logarithms of probabilities",
    }
}
