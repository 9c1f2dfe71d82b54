//! What is said of a run, for programs, forges and people. Tables on a terminal are the command line's.

mod html;
mod junit;
mod markdown;

pub use html::html;
pub use junit::junit;
pub use markdown::markdown;

use serde_json::{Value, json};

use super::gate::{Judged, compare_runs};
use super::result::Run;
use super::summary::{Summary, summarise};
use crate::stats::{Comparison, holm};

/// Everything that reports say.
#[derive(Debug)]
pub struct Report<'a> {
    /// The run.
    pub run: &'a Run,
    /// Its figures.
    pub summaries: Vec<Summary>,
    /// Its gates.
    pub judged: Judged,
    /// The run beside its baseline: target, metric, comparison.
    pub changes: Vec<Change>,
    /// So many answers may fail.
    pub max_errors: usize,
}

/// A metric beside its baseline.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Change {
    /// Whose answers.
    pub target: String,
    /// The metric.
    pub metric: String,
    /// More is better.
    pub higher_is_better: bool,
    /// The comparison.
    pub comparison: Comparison,
    /// Its p-value after Holm's correction over all metrics of all targets.
    pub p_adjusted: f64,
}

impl Change {
    /// `better`, `worse`, or nothing if chance explains it.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match self.p_adjusted <= 0.05 {
            false => "",
            true if (self.comparison.difference > 0.0) == self.higher_is_better => "better",
            true => "worse",
        }
    }
}

/// Two runs side by side, with Holm's correction over all of it.
#[must_use]
pub fn changes(before: &Run, after: &Run) -> Vec<Change> {
    let all = compare_runs(before, after);
    let adjusted = holm(&all.iter().map(|(.., found)| found.p_value).collect::<Vec<_>>());
    let change = |((target, metric, comparison), p_adjusted): ((String, String, Comparison), f64)| Change {
        higher_is_better: after.direction(&metric) == signalbox_metrics::Direction::Higher,
        target,
        metric,
        comparison,
        p_adjusted,
    };
    all.into_iter().zip(adjusted).map(change).collect()
}

impl<'a> Report<'a> {
    /// Of a run.
    #[must_use]
    pub fn new(run: &'a Run, judged: Judged, baseline: Option<&Run>, segments: &[String], max_errors: usize) -> Self {
        let changes = baseline.map(|before| changes(before, run)).unwrap_or_default();
        Self { run, summaries: summarise(run, segments), judged, changes, max_errors }
    }

    /// Answers of which something couldn't be had.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.run.rows.iter().filter(|row| row.failed()).count()
    }

    /// More failed than may.
    #[must_use]
    pub fn too_many_failed(&self) -> bool {
        self.failed() > self.max_errors
    }

    /// In one word.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match (self.too_many_failed(), self.judged.passed()) {
            (true, _) => "errors",
            (false, false) => "failed",
            (false, true) => "passed",
        }
    }

    /// All but the rows.
    #[must_use]
    pub fn json(&self) -> Value {
        let head = &self.run.header;
        json!({
            "suite": head.suite, "started": head.started, "verdict": self.verdict(), "answers": self.run.rows.len(),
            "expected": head.expected, "failed": self.failed(), "max_errors": self.max_errors, "gates": self.judged.gates,
            "targets": self.summaries, "changes": self.changes,
        })
    }
}

/// A figure for people.
fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}
