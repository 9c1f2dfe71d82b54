//! `suite.yaml`. The doc comments are the manual.

mod data;
mod metric;
mod short;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use signalbox_metrics::Direction;
use signalbox_types::time::parse_duration;

use super::document::Document;

pub use data::{DatasetConfig, Format, TracesConfig};
pub use metric::{JudgeConfig, MetricConfig, ProgramConfig};

/// One thing that is wrong with a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuiteProblem {
    /// Where, from 1.
    pub line: Option<usize>,
    /// The field with the way to it, or nothing.
    pub field: String,
    /// What was found, and what was expected.
    pub message: String,
}

impl fmt::Display for SuiteProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "`{}`: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for SuiteProblem {}

/// What is measured, by what, and what must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// What it is called in results.
    pub name: String,
    /// Where items come from.
    pub datasets: Vec<DatasetConfig>,
    /// Who answers.
    pub targets: Vec<TargetConfig>,
    /// What answers are measured by.
    pub metrics: Vec<MetricConfig>,
    /// Items at once. Default 8.
    #[serde(default = "eight")]
    pub concurrency: usize,
    /// So many items may fail (no answer, or a metric that couldn't be measured). Default 0.
    #[serde(default)]
    pub max_errors: usize,
    /// So often a target is asked again that can't be reached or is overloaded. Default 3.
    #[serde(default = "three")]
    pub retries: usize,
    /// For one answer. Example: `90s`. Default `60s`.
    #[serde(default = "minute", deserialize_with = "duration")]
    pub timeout: Duration,
    /// Fields of items by whose values reports are split, too. Example: `[language]`.
    #[serde(default)]
    pub segments: Vec<String>,
    /// What must hold.
    #[serde(default)]
    pub gates: Vec<GateConfig>,
    /// Tells results of another suite apart.
    #[serde(skip)]
    pub fingerprint: String,
}

/// Who answers: one of `recorded`, `model`, `http` and `command`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// What it is called in results.
    pub name: String,
    /// The answers stand in this field of the items.
    #[serde(default)]
    pub recorded: Option<String>,
    /// A model or a route.
    #[serde(default)]
    pub model: Option<ModelTarget>,
    /// An endpoint that takes and gives JSON.
    #[serde(default)]
    pub http: Option<HttpTarget>,
    /// A program, started for each item.
    #[serde(default)]
    pub command: Option<CommandTarget>,
}

/// A model through a Signalbox, or whatever speaks OpenAI's chat API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelTarget {
    /// The model or the route.
    pub model: String,
    /// What is asked; `{{field}}` is a field of the item. Default `{{input}}`.
    #[serde(default = "input")]
    pub prompt: String,
    /// What is said before.
    #[serde(default)]
    pub system: Option<String>,
    /// Default: the model's.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// Default: the model's.
    #[serde(default)]
    pub max_tokens: Option<u32>,
    /// Default: none.
    #[serde(default)]
    pub seed: Option<i64>,
    /// Default: the Signalbox on this machine, `http://127.0.0.1:7300/v1`.
    #[serde(default)]
    pub base_url: Option<String>,
    /// The environment variable that has the key. Default: `SIGNALBOX_KEY` without `base_url`, else none.
    #[serde(default)]
    pub key_env: Option<String>,
}

/// An endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTarget {
    /// Where; POST. `${NAME}` is an environment variable.
    pub url: String,
    /// `${NAME}` is an environment variable.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The JSON that is sent; `{{field}}` in its texts is a field of the item, alone in a text it keeps its type.
    pub body: Value,
    /// Where the answer stands in the JSON that comes back: `/choices/0/message/content`. Default: all of it.
    #[serde(default)]
    pub answer: Option<String>,
}

/// A program: the item as JSON on its standard input, the answer on its standard output.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandTarget {
    /// The program and its arguments; no shell. It runs in the suite's folder.
    pub run: Vec<String>,
    /// It writes JSON, and the answer stands there. Default: what it writes is the answer.
    #[serde(default)]
    pub answer: Option<String>,
}

/// Which values are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scored {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

impl From<Scored> for Direction {
    fn from(scored: Scored) -> Self {
        match scored {
            Scored::Higher => Self::Higher,
            Scored::Lower => Self::Lower,
        }
    }
}

/// What must hold of a metric: conditions like `">= 0.8"`, `no_regression`, or both.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateConfig {
    /// A metric of the suite, or `latency_ms` or `cost_usd`.
    pub metric: String,
    /// One target. Default: each.
    pub target: Option<String>,
    /// Of the mean.
    pub mean: Option<String>,
    /// Of the share of answers that pass.
    pub pass_rate: Option<String>,
    /// Of the value below which 1 of 100 lie.
    pub p1: Option<String>,
    /// 5 of 100.
    pub p5: Option<String>,
    /// 10 of 100.
    pub p10: Option<String>,
    /// 25 of 100.
    pub p25: Option<String>,
    /// Half.
    pub p50: Option<String>,
    /// 75 of 100.
    pub p75: Option<String>,
    /// 90 of 100.
    pub p90: Option<String>,
    /// 95 of 100.
    pub p95: Option<String>,
    /// 99 of 100.
    pub p99: Option<String>,
    /// Of the least value.
    pub min: Option<String>,
    /// Of the largest value.
    pub max: Option<String>,
    /// It must hold of the whole 95 % interval of `mean` or `pass_rate`, not only of what was found.
    pub confident: bool,
    /// Items with these fields only: `{language: de}`.
    #[serde(rename = "where")]
    pub segment: Map<String, Value>,
    /// For each value of this field by itself.
    pub by: Option<String>,
    /// It may not be worse than in the run of `--baseline`: `true`, or `{margin, alpha, on, prove}`.
    pub no_regression: Option<Regression>,
}

/// What is a regression.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Regression {
    /// A loss of so much doesn't matter. Default 0.
    pub margin: f64,
    /// How often the gate may be wrong. Default 0.05.
    pub alpha: f64,
    /// `value` or `passed`. Default: values, or verdicts if all values are 0 or 1.
    pub on: Option<On>,
    /// `regression`: the gate fails if a loss beyond the margin is proven. `no_regression`: it fails unless it is proven that no such loss
    /// occurred (non-inferiority), and needs a margin. Default `regression`.
    pub prove: Proof,
}

impl Default for Regression {
    fn default() -> Self {
        Self { margin: 0.0, alpha: 0.05, on: None, prove: Proof::Regression }
    }
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// Values.
    Value,
    /// Verdicts.
    Passed,
}

/// Who has to prove what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// That it got worse.
    Regression,
    /// That it didn't.
    NoRegression,
}

impl Suite {
    /// Reads a suite.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Vec<SuiteProblem>> {
        let mut document = Document::parse(text).map_err(|problem| vec![problem])?;
        short::spell_out(&mut document.value);
        let problem = |field: String, message: String| SuiteProblem { line: document.line(&field), field, message };
        let suite: Result<Self, _> = serde_path_to_error::deserialize(&document.value);
        let mut suite = suite.map_err(|error| {
            let field = error.path().to_string();
            vec![problem(if field == "." { String::new() } else { field }, error.inner().to_string())]
        })?;
        let shown = ["datasets", "targets", "metrics"].map(|field| document.value[field].to_string());
        suite.fingerprint = super::result::content_hash(shown.join("\n").as_bytes());
        let problems: Vec<_> = suite.problems().into_iter().map(|(field, message)| problem(field, message)).collect();
        if problems.is_empty() { Ok(suite) } else { Err(problems) }
    }

    /// The lines of problems that were found later, in the text that the suite was read from.
    #[must_use]
    pub fn placed(&self, text: &str, mut problems: Vec<SuiteProblem>) -> Vec<SuiteProblem> {
        if let Ok(document) = Document::parse(text) {
            problems.iter_mut().for_each(|problem| problem.line = document.line(&problem.field));
        }
        problems
    }

    /// What only the whole can tell.
    fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut wrong = |field: String, message: &str| found.push((field, message.to_owned()));
        for (field, is_empty) in [
            ("name", self.name.is_empty()),
            ("datasets", self.datasets.is_empty()),
            ("targets", self.targets.is_empty()),
            ("metrics", self.metrics.is_empty()),
        ] {
            if is_empty {
                wrong(field.to_owned(), "expected at least one, found nothing");
            }
        }
        if !(1..=1_000).contains(&self.concurrency) {
            wrong("concurrency".to_owned(), "expected 1 to 1000");
        }
        for (at, dataset) in self.datasets.iter().enumerate() {
            for (field, message) in dataset.problems() {
                let dot = if field.is_empty() { "" } else { "." };
                wrong(format!("datasets[{at}]{dot}{field}"), message);
            }
        }
        for (at, target) in self.targets.iter().enumerate() {
            let TargetConfig { name, recorded, model, http, command } = target;
            let kinds = [recorded.is_some(), model.is_some(), http.is_some(), command.is_some()];
            if kinds.iter().filter(|is| **is).count() != 1 {
                wrong(format!("targets[{at}]"), "expected exactly one of `recorded`, `model`, `http` and `command`");
            }
            if self.targets.iter().take(at).any(|other| other.name == *name) {
                wrong(format!("targets[{at}].name"), "another target has this name");
            }
            if command.as_ref().is_some_and(|command| command.run.is_empty()) {
                wrong(format!("targets[{at}].command.run"), "expected a program, found nothing");
            }
            let pointers = [
                http.as_ref().and_then(|one| one.answer.as_ref()),
                command.as_ref().and_then(|one| one.answer.as_ref()),
            ];
            if pointers.into_iter().flatten().any(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
                wrong(format!("targets[{at}]"), "`answer` is a JSON pointer, for example `/data/text`");
            }
        }
        found.extend(super::gate::problems(self));
        found
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text)
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| serde::de::Error::custom(format!("expected a duration like `90s`, found `{text}`")))
}

fn eight() -> usize {
    8
}

fn three() -> usize {
    3
}

fn minute() -> Duration {
    Duration::from_secs(60)
}

fn input() -> String {
    "{{input}}".to_owned()
}
