//! What a run leaves: a head line, then a line for each answer, as they came.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signalbox_metrics::Direction;

use super::config::Scored as Better;
use crate::Scored;

/// The first line of a result file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// What the file is: `signalbox-eval/1`.
    pub format: String,
    /// The suite's name.
    pub suite: String,
    /// Changes with datasets, targets and metrics.
    pub fingerprint: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// Answers that there will be.
    pub expected: usize,
    /// What is measured.
    pub metrics: Vec<MetricHeader>,
    /// The version of a stored dataset that all items are of, as `name@version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
}

/// What a metric of the run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricHeader {
    /// Its name in the suite.
    pub name: String,
    /// Which values are good.
    pub direction: Better,
}

/// What the file says it is.
pub(super) const FORMAT: &str = "signalbox-eval/1";

/// One answer, and what it is worth.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Who answered.
    pub target: String,
    /// To which item.
    pub id: String,
    /// The item's fields, without those that other lines of this say.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub item: Map<String, Value>,
    /// The answer.
    #[serde(default)]
    pub output: Value,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long the answer took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// What the answer and its judges cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// The answer is one of an earlier run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
    /// By metric.
    #[serde(default)]
    pub scores: BTreeMap<String, ScoreRow>,
}

impl Row {
    /// Something of it couldn't be had.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.error.is_some() || self.scores.values().any(|score| score.error.is_some())
    }

    /// A metric's value, or `latency_ms` or `cost_usd`.
    #[must_use]
    pub fn value(&self, metric: &str) -> Option<f64> {
        match (self.scores.get(metric), metric) {
            (Some(score), _) => score.value.or_else(|| score.passed.map(|passed| f64::from(u8::from(passed)))),
            (None, "latency_ms") => self.latency_ms,
            (None, "cost_usd") => self.cost_usd,
            (None, _) => None,
        }
    }

    /// A metric's verdict.
    #[must_use]
    pub fn passed(&self, metric: &str) -> Option<bool> {
        self.scores.get(metric)?.passed
    }
}

/// A score, or why there is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// How much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Which of several kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Good enough?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<bool>,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The places that decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Mark>,
    /// Why there is no score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A place in one of the texts, in bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// In which part of the case.
    pub input: String,
    /// From here.
    pub start: usize,
    /// Up to here.
    pub end: usize,
    /// What is the matter there.
    pub note: String,
}

impl From<Scored> for ScoreRow {
    fn from(scored: Scored) -> Self {
        let mark = |one: signalbox_metrics::Evidence| Mark {
            input: one.input.name().to_owned(),
            start: one.start,
            end: one.end,
            note: one.note,
        };
        Self {
            value: scored.value.filter(|value| value.is_finite()),
            label: scored.label,
            passed: scored.passed,
            reason: scored.reason,
            evidence: scored.evidence.into_iter().map(mark).collect(),
            error: None,
        }
    }
}

impl ScoreRow {
    /// No score.
    pub fn failed(error: impl Into<String>) -> Self {
        Self { error: Some(error.into()), ..Self::default() }
    }
}

/// A result file that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ResultProblem(String);

/// What a result file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its head.
    pub header: Header,
    /// Its rows.
    pub rows: Vec<Row>,
    /// So many bytes of the file are whole lines: a run that was interrupted goes on behind them.
    pub whole_bytes: usize,
}

impl Run {
    /// Reads a file. A last line that broke off is left out; of two rows of the same answer the later counts.
    ///
    /// # Errors
    /// It is no result file.
    pub fn parse(bytes: &[u8]) -> Result<Self, ResultProblem> {
        let whole_bytes = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let mut lines = bytes[..whole_bytes].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let head = lines.next().and_then(|line| serde_json::from_slice::<Header>(line).ok());
        let header = head.filter(|head| head.format == FORMAT).ok_or_else(|| {
            ResultProblem("this is no result file; `signalbox eval run` writes them (`--results FILE`)".to_owned())
        })?;
        let mut rows: Vec<Row> = Vec::new();
        let mut places: HashMap<(String, String), usize> = HashMap::new();
        for (at, line) in lines.enumerate() {
            let row: Row = serde_json::from_slice(line)
                .map_err(|error| ResultProblem(format!("line {} is no result: {error}", at + 2)))?;
            match places.get(&(row.target.clone(), row.id.clone())) {
                Some(place) => rows[*place] = row,
                None => {
                    places.insert((row.target.clone(), row.id.clone()), rows.len());
                    rows.push(row);
                }
            }
        }
        Ok(Self { header, rows, whole_bytes })
    }

    /// A run that begins.
    #[must_use]
    pub fn begin(
        suite: &str,
        fingerprint: String,
        started: String,
        expected: usize,
        metrics: Vec<MetricHeader>,
        dataset: Option<String>,
    ) -> Self {
        let (format, suite) = (FORMAT.to_owned(), suite.to_owned());
        let header = Header { format, suite, fingerprint, started, expected, metrics, dataset };
        Self { header, rows: Vec::new(), whole_bytes: 0 }
    }

    /// Who answered, in the order of their first answers.
    #[must_use]
    pub fn targets(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !names.contains(&row.target.as_str()) {
                names.push(&row.target);
            }
        }
        names
    }

    /// Which values of a metric are good.
    #[must_use]
    pub fn direction(&self, metric: &str) -> Direction {
        match self.header.metrics.iter().find(|one| one.name == metric) {
            Some(one) => one.direction.into(),
            // Time and money.
            None => Direction::Lower,
        }
    }
}

/// A short name for content: the first half of its BLAKE3 hash.
#[must_use]
pub fn content_hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().chars().take(32).collect()
}
