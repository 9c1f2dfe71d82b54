//! What is wrong with a configuration file, where, and what would help.

use std::fmt;

/// A line and column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// One thing that is wrong. Never carries a value that may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) place: Place,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(super) fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// All that is wrong with a file.
#[derive(Debug)]
pub(crate) struct Problems {
    pub(crate) file: String,
    pub(crate) all: Vec<Problem>,
}

impl Problems {
    /// Each with its place and its hint.
    pub(crate) fn texts(&self) -> impl Iterator<Item = String> {
        self.all.iter().map(|problem| {
            let Place { line, column } = problem.place;
            let hint = problem.hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
            format!("{}:{line}:{column}: {}{hint}", self.file, problem.message)
        })
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, text) in self.texts().enumerate() {
            if i > 0 {
                f.write_str("\n\n")?;
            }
            f.write_str(&text)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The known name that is nearest to what was written, if one is near.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(written, name), name));
    scored.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
