//! Whatever gives scores: a metric, a judge, a program.

use std::fmt;

use serde::Serialize;
use signalbox_metrics::{Case, Direction, Evidence, Input, Measure, Problem};
use signalbox_types::seam::{BoxFuture, CompletionError};
use signalbox_types::{Money, ScoreSource};

/// What a scorer says of a case. It has a value, a label or a verdict, or several of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scored {
    /// How much; its range is the scorer's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Which of several kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Good enough?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed: Option<bool>,
    /// Why, for people.
    pub reason: String,
    /// The places that decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// What asking for it cost, if a model was asked and its price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
}

/// Why there is no score.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ScorerError {
    /// The case lacks something, or has something else in its place.
    #[error(transparent)]
    Case(#[from] Problem),
    /// The model that judges could not be asked.
    #[error(transparent)]
    Completion(#[from] CompletionError),
    /// What the scorer said isn't a score.
    #[error("{0}")]
    Answer(String),
}

/// Gives a score for a case: a metric, a judge, a program.
pub trait Scorer: Send + Sync + fmt::Debug {
    /// What it is called in results; two of a suite never have the same name.
    fn name(&self) -> &str;

    /// What a case must have.
    fn inputs(&self) -> &[Input];

    /// Which values are good.
    fn direction(&self) -> Direction;

    /// What its scores are recorded as.
    fn source(&self) -> ScoreSource;

    /// Scores one case.
    fn score<'a>(&'a self, case: &'a Case) -> BoxFuture<'a, Result<Scored, ScorerError>>;
}

/// A metric of the registry.
#[derive(Debug)]
pub struct Local {
    name: String,
    measure: Measure,
}

impl Local {
    /// A metric under a name of its own.
    pub fn new(name: impl Into<String>, measure: Measure) -> Self {
        Self { name: name.into(), measure }
    }

    /// The score, at once.
    ///
    /// # Errors
    /// The case lacks something, or has something else in its place.
    pub fn measure(&self, case: &Case) -> Result<Scored, Problem> {
        let score = self.measure.score(case)?;
        Ok(Scored {
            value: Some(score.value),
            label: None,
            passed: Some(score.passed),
            reason: score.reason,
            evidence: score.evidence,
            cost: None,
        })
    }
}

impl Scorer for Local {
    fn name(&self) -> &str {
        &self.name
    }

    fn inputs(&self) -> &[Input] {
        self.measure.about().inputs
    }

    fn direction(&self) -> Direction {
        self.measure.about().direction
    }

    fn source(&self) -> ScoreSource {
        ScoreSource::Code
    }

    fn score<'a>(&'a self, case: &'a Case) -> BoxFuture<'a, Result<Scored, ScorerError>> {
        Box::pin(std::future::ready(self.measure(case).map_err(ScorerError::from)))
    }
}

#[cfg(test)]
mod tests {
    use signalbox_metrics::{Options, registry};

    use super::*;

    #[tokio::test]
    async fn a_metric_of_the_registry_is_a_scorer() {
        let about = registry::find("exact_match").unwrap();
        let scorer = Local::new("same", Measure::new(about, &Options::default(), None).unwrap());
        let case = Case::new().with(Input::Output, "yes").with(Input::Reference, "yes");
        let scored = scorer.score(&case).await.unwrap();
        assert_eq!((scored.value, scored.passed), (Some(1.0), Some(true)));
        let missing = scorer.score(&Case::new().with(Input::Output, "yes")).await.unwrap_err();
        assert!(missing.to_string().contains("`reference`"), "{missing}");
    }
}
