//! What can be set of a metric. From the command line everything comes as text, from the API as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// An option in the docs.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct OptionDoc {
    /// Its name.
    pub name: &'static str,
    /// What holds if it isn't set.
    pub default: &'static str,
    /// What it does and which values there are.
    pub doc: &'static str,
}

/// An option of the docs.
#[must_use]
pub const fn option(name: &'static str, default: &'static str, doc: &'static str) -> OptionDoc {
    OptionDoc { name, default, doc }
}

/// Why a metric can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("option `{name}`: {problem}")]
pub struct OptionProblem {
    /// The option.
    pub name: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl OptionProblem {
    /// A problem with an option.
    pub fn new(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { name: name.into(), problem: problem.into() }
    }
}

/// Options by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options(BTreeMap<String, Value>);

impl FromIterator<(String, Value)> for Options {
    fn from_iter<T: IntoIterator<Item = (String, Value)>>(pairs: T) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl Options {
    /// None set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Takes one out.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Whether every option is one of the metric's.
    pub(crate) fn known(&self, metric: &str, docs: &[OptionDoc]) -> Result<(), OptionProblem> {
        let Some(name) = self.0.keys().find(|name| docs.iter().all(|doc| doc.name != name.as_str())) else {
            return Ok(());
        };
        let names: Vec<_> = docs.iter().map(|doc| doc.name).collect();
        let problem = match nearest(name, &names) {
            _ if names.is_empty() => format!("`{metric}` has no options"),
            Some(near) => format!("`{metric}` has no such option; did you mean `{near}`?"),
            None => format!("`{metric}` has no such option; it has {}", names.join(", ")),
        };
        Err(OptionProblem::new(name, problem))
    }

    /// Whether it is set.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Yes or no.
    ///
    /// # Errors
    /// It is something else.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, OptionProblem> {
        match self.0.get(name) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if matches!(text.as_str(), "true" | "yes" | "1") => Ok(true),
            Some(Value::String(text)) if matches!(text.as_str(), "false" | "no" | "0") => Ok(false),
            Some(other) => Err(OptionProblem::new(name, format!("expected true or false, found {other}"))),
        }
    }

    /// A number.
    pub(crate) fn number(&self, name: &str, default: f64) -> Result<f64, OptionProblem> {
        let value = match self.0.get(name) {
            None => return Ok(default),
            Some(Value::String(text)) => text.parse().ok(),
            Some(other) => other.as_f64(),
        };
        value.filter(|number: &f64| number.is_finite()).ok_or_else(|| {
            let found = self.0.get(name).unwrap_or(&Value::Null);
            OptionProblem::new(name, format!("expected a number, found {found}"))
        })
    }

    /// A whole number within bounds.
    pub(crate) fn count(&self, name: &str, default: usize, least: usize, most: usize) -> Result<usize, OptionProblem> {
        let value = match self.0.get(name) {
            None => return Ok(default),
            Some(Value::String(text)) => text.parse::<usize>().ok(),
            Some(other) => other.as_u64().and_then(|number| usize::try_from(number).ok()),
        };
        value.filter(|number| (least..=most).contains(number)).ok_or_else(|| {
            let found = self.0.get(name).unwrap_or(&Value::Null);
            OptionProblem::new(name, format!("expected a whole number from {least} to {most}, found {found}"))
        })
    }

    /// A text.
    ///
    /// # Errors
    /// It is something else.
    pub fn text<'a>(&'a self, name: &str, default: &'a str) -> Result<&'a str, OptionProblem> {
        match self.0.get(name) {
            None => Ok(default),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(OptionProblem::new(name, format!("expected a text, found {other}"))),
        }
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)], default: T) -> Result<T, OptionProblem> {
        if !self.is_set(name) {
            return Ok(default);
        }
        let word = self.text(name, "")?;
        choices.iter().find(|(choice, _)| *choice == word).map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            OptionProblem::new(name, format!("expected one of {}, found `{word}`", words.join(", ")))
        })
    }
}

/// The name that was probably meant.
#[must_use]
pub fn nearest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let near = names.iter().map(|other| (strsim::damerau_levenshtein(name, other), *other)).min()?;
    (near.0 <= 1 + name.len() / 4).then_some(near.1)
}
