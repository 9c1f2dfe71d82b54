//! What an experiment, a run, an item of it and a score are. The API speaks these words as they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signalbox_types::{KeyId, Money, Timestamp};

/// Runs under one name: the same question, asked again and again.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Experiment {
    /// Its name; one of a kind in the project.
    pub name: String,
    /// When its first run began.
    pub created_at: Timestamp,
    /// How many runs it has.
    pub runs: u64,
    /// The run that others are compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Results still come in.
    Running,
    /// All of it was measured.
    Finished,
    /// It broke off by itself.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl RunStatus {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(super) fn read(word: &str) -> Self {
        match word {
            "running" => Self::Running,
            "finished" => Self::Finished,
            "cancelled" => Self::Cancelled,
            _ => Self::Failed,
        }
    }
}

/// Which values of a metric are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunDirection {
    /// More is better.
    #[default]
    Higher,
    /// Less is better.
    Lower,
}

/// A metric or judge that a run measures by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunMetric {
    /// What its scores are called.
    #[schema(example = "faithfulness")]
    pub name: String,
    /// Which values are good.
    #[serde(default)]
    pub direction: RunDirection,
    /// What passes, itself included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// What is set of it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = BTreeMap<String, Value>)]
    pub options: Map<String, Value>,
}

/// What is known of a run before it begins.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunAbout {
    /// What people call it.
    #[schema(example = "prompt v7, gpt-4o-mini")]
    pub name: String,
    /// What was asked, as `name@version`; absent if the items came from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "gold@12")]
    pub dataset: Option<String>,
    /// The version of a dataset of this project that this meant when the run began; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_version: Option<String>,
    /// What answered: a prompt version, a model, a route, an endpoint, a command.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(example = "route chat")]
    pub target: String,
    /// What it is measured by.
    pub metrics: Vec<RunMetric>,
    /// Whatever else was set: the model's parameters, the prompt's text.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = BTreeMap<String, Value>)]
    pub config: Map<String, Value>,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The commit of git that it ran on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Who or what started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

/// Whose runs are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunsOf {
    /// An experiment's.
    pub experiment: Option<String>,
    /// Those that asked the items of a dataset, of whichever version.
    pub dataset: Option<String>,
    /// Those that asked the items of this version, by its id.
    pub dataset_version: Option<String>,
}

impl RunsOf {
    /// Those of an experiment.
    pub fn experiment(name: impl Into<String>) -> Self {
        Self { experiment: Some(name.into()), ..Self::default() }
    }
}

/// A run of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Run {
    /// Its id: the sender's, or one of ours.
    pub id: String,
    /// The experiment that it belongs to.
    pub experiment: String,
    /// How it stands.
    pub status: RunStatus,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// The key that sent it.
    #[schema(value_type = String)]
    pub actor: KeyId,
    /// What it is.
    #[serde(flatten)]
    pub about: RunAbout,
    /// Items so far.
    pub items: u64,
    /// Items with an error, or with a score that doesn't pass.
    pub failed_items: u64,
    /// A fingerprint of the ids of its items: runs with the same one answered the same items. Absent while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_hash: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What came out. Absent while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<RunSummary>,
}

/// What came out of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunSummary {
    /// Each metric, in the order of the run's list; what wasn't announced there follows by name.
    pub metrics: Vec<MetricSummary>,
    /// Items without an answer.
    pub errors: u64,
    /// Milliseconds that an answer took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Spread>,
    /// Tokens of the inputs, of all items that tell them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens of the outputs, of all items that tell them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// What all items cost that tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// The fields by which its items can be told apart, with the number of different values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub segments: BTreeMap<String, u64>,
}

/// What a metric says of a whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MetricSummary {
    /// Its name.
    pub metric: String,
    /// Items that it couldn't measure.
    pub errors: u64,
    /// Its values. A score that has a verdict and no value counts as 1 or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Spread>,
    /// The share that passes, of the items that have a verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_rate: Option<f64>,
    /// How often each label was given; the 20 most frequent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, u64>,
}

/// How numbers lie. Quantiles between two values are interpolated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Spread {
    /// How many.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, n − 1 in its denominator; absent of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd: Option<f64>,
    /// The least.
    pub min: f64,
    /// A tenth lies below it.
    pub p10: f64,
    /// A quarter lies below it.
    pub p25: f64,
    /// Half lies below it.
    pub p50: f64,
    /// Three quarters lie below it.
    pub p75: f64,
    /// Nine tenths lie below it.
    pub p90: f64,
    /// The greatest.
    pub max: f64,
}

/// One item of a run: what was asked, what came out, and what it is worth.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunItem {
    /// The id of the item; the same in every run that asks it.
    pub item_id: String,
    /// What was asked, or how it begins: 4,000 characters are kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub input: String,
    /// What should have come out: 4,000 characters are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What came out: 32,000 characters are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Why nothing came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Milliseconds that the answer took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Tokens of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// What the answer cost, in dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// The trace of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// What tells items apart: a language, a topic, a difficulty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub segments: BTreeMap<String, String>,
    /// What it is worth, by the names of metrics.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scores: BTreeMap<String, RunScore>,
}

/// What a metric says of an item: a value, a label or a verdict, or several of them; or why it can't say anything.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunScore {
    /// How much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Which of several kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Good enough?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<bool>,
    /// Why: 2,000 characters are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it can't say anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The places that decided; 50 are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<RunEvidence>,
}

impl RunScore {
    /// What is calculated with: the value, or else the verdict as 1 or 0.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        self.value.or_else(|| self.passed.map(|passed| f64::from(u8::from(passed))))
    }
}

/// A place that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunEvidence {
    /// The part of the case that it is in, e.g. `output`.
    pub input: String,
    /// Bytes of UTF-8 before it.
    pub start: usize,
    /// Bytes of UTF-8 up to its end.
    pub end: usize,
    /// What is the matter there.
    #[serde(default)]
    pub note: String,
}

/// The numbers of an item, without its texts: what runs are compared by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ItemNumbers {
    /// The id of the item.
    pub item_id: String,
    /// Nothing came out.
    pub is_error: bool,
    /// Milliseconds that the answer took.
    pub latency_ms: Option<f64>,
    /// Tokens of the input.
    pub input_tokens: Option<u64>,
    /// Tokens of the output.
    pub output_tokens: Option<u64>,
    /// What the answer cost.
    pub cost: Option<Money>,
    /// What tells items apart.
    pub segments: BTreeMap<String, String>,
    /// Scores without their reasons and evidence, by metric.
    pub scores: BTreeMap<String, RunScore>,
}

/// What a page of a run's items is sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemOrder {
    /// Their ids.
    Id,
    /// How long the answer took.
    Latency,
    /// What it cost.
    Cost,
    /// How many tokens it took.
    Tokens,
    /// What a metric says.
    Score(String),
}

/// Which items of a run are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemsAsk {
    /// What they are sorted by; what is unknown comes last.
    pub order: ItemOrder,
    /// The greatest first.
    pub descending: bool,
    /// Only those with an error or a score that doesn't pass.
    pub failed: bool,
    /// How many are left out at the beginning.
    pub offset: u64,
    /// How many at most.
    pub limit: u32,
}
