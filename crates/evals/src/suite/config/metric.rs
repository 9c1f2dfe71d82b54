//! What a suite measures answers by.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Scored;
use crate::judge::{Aggregate, JudgePlan};

/// What answers are measured by: a metric by name, or one of `judge`, `expression`, `command`, `wasm`,
/// `weighted`, `all`, `any` and `when`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricConfig {
    /// A metric that `signalbox eval metric --list` has.
    pub metric: Option<String>,
    /// What it is called in results. Default: the metric's name.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// What can be set of the metric.
    pub options: Map<String, Value>,
    /// What passes. Default: the metric's; without one there is no verdict.
    pub threshold: Option<f64>,
    /// Whether `higher` or `lower` values are good. Default `higher`; a metric by name knows.
    pub direction: Option<Scored>,
    /// CEL over `item`, `output`, `input`, `context`, `reference`, `scores`, `passed`, `latency_ms` and `cost_usd`: a number, or
    /// true or false.
    pub expression: Option<String>,
    /// A program: the case as JSON on its standard input; `{"value", "passed", "reason"}` on its standard output.
    pub command: Option<ProgramConfig>,
    /// A module of WebAssembly, from the suite's folder: it gets the case as JSON and gives what a `command` writes.
    pub wasm: Option<String>,
    /// A model that judges by a rubric. What is said of it may stand beside it: `{judge: tone, model: openai/gpt-4o-mini}`.
    pub judge: Option<JudgeConfig>,
    /// The mean of the values of metrics above, by weight.
    pub weighted: Option<BTreeMap<String, f64>>,
    /// All of these metrics above pass.
    pub all: Option<Vec<String>>,
    /// One of these metrics above passes.
    pub any: Option<Vec<String>>,
    /// If this CEL condition holds, the score is that of `then`, otherwise that of `else`.
    pub when: Option<String>,
    /// A metric above.
    pub then: Option<String>,
    /// A metric above; without it there is no score.
    #[serde(rename = "else")]
    pub otherwise: Option<String>,
}

/// A program that measures.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramConfig {
    /// The program and its arguments; no shell. It runs in the suite's folder.
    pub run: Vec<String>,
}

/// A model that judges, or several.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeConfig {
    /// A rubric by name (`signalbox eval judge --list`), or a file of one from the suite's folder.
    pub rubric: String,
    /// The model or the route that judges.
    #[serde(default)]
    pub model: Option<String>,
    /// Several make a panel.
    #[serde(default)]
    pub models: Vec<String>,
    /// So often each is asked. Default 1.
    #[serde(default = "once")]
    pub samples: usize,
    /// Default 0, or 0.7 with several samples.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// Default: the model's.
    #[serde(default)]
    pub max_tokens: Option<u32>,
    /// How several opinions become one: `mean`, `median` or `majority`. Default: by the scale.
    #[serde(default)]
    pub aggregate: Option<Aggregate>,
    /// Two answers are shown in one order only.
    #[serde(default)]
    pub one_order: bool,
    /// Of two answers, the judge is told how long they are.
    #[serde(default)]
    pub tell_lengths: bool,
    /// The model that wrote what is judged, to warn of a judge of its family.
    #[serde(default)]
    pub judged_model: Option<String>,
    /// A file of the suite's folder, with lines that have a `label` of people: the judge is shown those that are most like an answer.
    #[serde(default)]
    pub examples: Option<String>,
    /// The embedding model or route that finds the examples by what they mean. Default: they are found by their letters.
    #[serde(default)]
    pub embedding_model: Option<String>,
    /// Default: the Signalbox that is asked.
    #[serde(default)]
    pub base_url: Option<String>,
    /// The environment variable that has the key. Default: `SIGNALBOX_KEY` without `base_url`, else none.
    #[serde(default)]
    pub key_env: Option<String>,
}

impl JudgeConfig {
    /// How the judge is asked.
    #[must_use]
    pub fn plan(&self) -> JudgePlan {
        JudgePlan {
            models: self.model.iter().chain(&self.models).cloned().collect(),
            samples: self.samples,
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            aggregate: self.aggregate,
            one_order: self.one_order,
            tell_lengths: self.tell_lengths,
            judged_model: self.judged_model.clone(),
            ..JudgePlan::of("")
        }
    }
}

fn once() -> usize {
    1
}
