//! What a metric says.

use std::fmt;

use serde::Serialize;

use crate::about::About;
use crate::case::{Case, Input, Problem};
use crate::options::{OptionProblem, Options};

/// A metric that is ready to measure.
///
/// It is pure: the same case gives the same outcome, and nothing but the case counts. A value lies in the range that its
/// [`About`] declares; empty texts are measured, too. Any `Fn(&Case) -> Result<Outcome, Problem>` is one.
pub trait Metric: Send + Sync {
    /// Measures one case.
    ///
    /// # Errors
    /// The case lacks something, or has something else in its place.
    fn measure(&self, case: &Case) -> Result<Outcome, Problem>;
}

impl<F: Fn(&Case) -> Result<Outcome, Problem> + Send + Sync> Metric for F {
    fn measure(&self, case: &Case) -> Result<Outcome, Problem> {
        self(case)
    }
}

/// A value and what it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The value, in the declared range.
    pub value: f64,
    /// Why, for people; one line.
    pub reason: String,
    /// The places that decided.
    pub evidence: Vec<Evidence>,
}

impl Outcome {
    /// A value with its reason and no place.
    pub fn new(value: f64, reason: impl Into<String>) -> Self {
        Self { value, reason: reason.into(), evidence: Vec::new() }
    }

    /// 1 or 0.
    pub fn of(yes: bool, reason: impl Into<String>) -> Self {
        Self::new(f64::from(u8::from(yes)), reason)
    }
}

/// A place in one of the texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// In which part of the case.
    pub input: Input,
    /// Bytes before it.
    pub start: usize,
    /// Bytes up to its end.
    pub end: usize,
    /// What is the matter there.
    pub note: String,
}

/// What came out, and whether that is good enough. `types::Score` is the record of one, for a span or a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The value, in the declared range.
    pub value: f64,
    /// Good enough?
    pub passed: bool,
    /// Why, for people; one line.
    pub reason: String,
    /// The places that decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// A metric of the registry with its options and its threshold.
pub struct Measure {
    about: &'static About,
    threshold: f64,
    metric: Box<dyn Metric>,
}

impl fmt::Debug for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measure").field("name", &self.about.name).field("threshold", &self.threshold).finish()
    }
}

impl Measure {
    /// Makes one.
    ///
    /// # Errors
    /// An option is unknown, or has a value that it can't have.
    pub fn new(about: &'static About, options: &Options, threshold: Option<f64>) -> Result<Self, OptionProblem> {
        options.known(about.name, about.options)?;
        let metric = (about.make)(options)?;
        Ok(Self { about, threshold: threshold.unwrap_or(about.threshold), metric })
    }

    /// What it is.
    #[must_use]
    pub fn about(&self) -> &'static About {
        self.about
    }

    /// Measures one case.
    ///
    /// # Errors
    /// The case lacks something, or has something else in its place.
    pub fn score(&self, case: &Case) -> Result<Score, Problem> {
        for input in self.about.inputs {
            case.value(*input)?;
        }
        let Outcome { value, mut reason, evidence } = self.metric.measure(case)?;
        // What a case holds may be quoted; a reason stays one line.
        if reason.contains(char::is_control) {
            reason = reason.replace(char::is_control, " ");
        }
        Ok(Score { value, passed: self.about.direction.passes(value, self.threshold), reason, evidence })
    }
}
