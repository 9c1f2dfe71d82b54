//! A drift check, as it is written in YAML and in JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_types::Query;
use signalbox_types::query::{Filter, find_field};
use signalbox_types::table::{ColumnType, SPANS};

use super::signal::Signal;
use super::space::MOST_TEXTS;
use crate::config::{Condition, Flapping, Grouping, Length, MonitorConfig, NoData, Problem, Severity, Threshold};

/// What a check's incidents are called after: `drift.` and its name.
pub(crate) const PREFIX: &str = "drift.";

/// A model's name may be so long.
const LONGEST_MODEL: usize = 200;

/// With what the current window is compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reference {
    /// It ends so long before the current window does. Default `7d`.
    pub ago: Length,
    /// How wide it is. Default `7d`.
    pub width: Length,
    /// A fixed time in place of `ago` and `width`: where it begins. Example: `2026-03-01T00:00:00Z`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub from: Option<signalbox_types::Timestamp>,
    /// … and where it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub to: Option<signalbox_types::Timestamp>,
}

impl Default for Reference {
    fn default() -> Self {
        Self { ago: Length::days(7), width: Length::days(7), from: None, to: None }
    }
}

/// Which parts of the reference are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Season {
    /// The same hours of the same days of the week: a Sunday is compared with Sundays.
    #[default]
    Week,
    /// The same hours of each day.
    Day,
    /// All of it.
    None,
}

/// Changes smaller than these are no drift, however sure they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MinEffect {
    /// Of numbers: the share of values that have moved (Smirnov's D). Default 0.15.
    pub numbers: f64,
    /// Of shares, such as refusals and errors: the difference. Default 0.05.
    pub rate: f64,
    /// Of categories, such as languages: the distance of Jensen and Shannon. Default 0.15.
    pub categories: f64,
    /// Of topics: the part of texts that a classifier tells apart for sure (2 · AUROC − 1). Default 0.25.
    pub topic: f64,
    /// Of embeddings: the root of MMD². Default 0.12.
    pub embedding: f64,
    /// Of the relation of inputs to a score: how far the means of segments have moved on average, in standard deviations. Default 0.3.
    pub concept: f64,
}

impl Default for MinEffect {
    fn default() -> Self {
        Self { numbers: 0.15, rate: 0.05, categories: 0.15, topic: 0.25, embedding: 0.12, concept: 0.3 }
    }
}

/// Whether the same sort of input is judged as it was: concept drift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Concept {
    /// The name of a score with numbers.
    pub score: String,
    /// A column of spans whose values are the sorts of input, or `input`: clusters of what was said to the model, found by
    /// themselves. Default `input`.
    #[serde(default = "input")]
    pub by: String,
}

fn input() -> String {
    super::concept::CLUSTERS.to_owned()
}

/// A comparison of what is now with what was, again and again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftConfig {
    /// Its name within the project: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Which spans, as in a `Query`. Default: calls of language models, `{field: kind, op: "=", value: llm}`. What tools and retrievers
    /// did is looked up with the same filter, without its `kind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub filter: Option<Filter>,
    /// What is compared. Default: all of which there is enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<Signal>,
    /// A model that makes embeddings, or a route to one, as callers of the gateway name it: then the signal `embedding` compares what
    /// inputs mean, not their letters. It is asked for 500 inputs of each side at most. Example: `openai/text-embedding-3-small`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding_model: Option<String>,
    /// Names of scores that are compared as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<String>,
    /// The window that is looked at; it ends a minute before now. Default `1d`.
    #[serde(default = "day")]
    pub current: Length,
    /// What it is compared with.
    #[serde(default)]
    pub reference: Reference,
    /// Which parts of the reference: `week` (the same hours of the week), `day` (the same hours of each day) or `none` (all of it).
    /// Default `week`; a fixed reference is always taken whole.
    #[serde(default)]
    pub season: Season,
    /// A column whose most frequent values are compared each by itself, too. Example: `prompt_name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment_by: Option<String>,
    /// Segments at most, those with the most rows. Default 10.
    #[serde(default = "ten")]
    pub max_segments: u32,
    /// How often. Default `1d`.
    #[serde(default = "day")]
    pub every: Length,
    /// Rows at most that are drawn from each side. Default 2000.
    #[serde(default = "two_thousand")]
    pub sample: u32,
    /// With fewer values on a side nothing is said. Default 100.
    #[serde(default = "hundred")]
    pub min_samples: u32,
    /// The share of false alarms among alarms, over all signals and segments of a comparison (Benjamini and Hochberg). Default 0.01.
    #[serde(default = "one_in_hundred")]
    pub false_discovery_rate: f64,
    /// Changes smaller than these are no drift, however sure they are.
    #[serde(default)]
    pub min_effect: MinEffect,
    /// Whether the same sort of input is judged as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concept: Option<Concept>,
    /// So many comparisons in a row must find it before it is an incident. Default 1.
    #[serde(default = "one", rename = "for")]
    pub for_: u32,
    /// How bad it is: `info`, `warning`, `error` or `critical`. Default `warning`.
    #[serde(default)]
    pub severity: Severity,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What to do, in Markdown, with values in `{{…}}` as in monitors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// Channels that are told at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<String>,
    /// The escalation that decides who is told when, in place of `notify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
    /// `false` switches it off. Default `true`.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn day() -> Length {
    Length::days(1)
}

fn ten() -> u32 {
    10
}

fn two_thousand() -> u32 {
    2_000
}

fn hundred() -> u32 {
    100
}

fn one_in_hundred() -> f64 {
    0.01
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

impl DriftConfig {
    /// Reads one. An error names the field.
    ///
    /// # Errors
    /// It is none, or says what can't be done: all of it.
    pub fn read(value: &serde_json::Value) -> Result<Self, Vec<Problem>> {
        let read = serde_path_to_error::deserialize::<_, Self>(value);
        let place = |path: String| if path == "." { "drift".to_owned() } else { path };
        let check =
            read.map_err(|error| vec![Problem::new(place(error.path().to_string()), error.inner().to_string())])?;
        let problems = check.problems();
        if problems.is_empty() { Ok(check) } else { Err(problems) }
    }

    /// Which spans.
    pub(crate) fn calls(&self) -> Filter {
        self.filter.clone().unwrap_or_else(|| Filter::equals("kind", "llm"))
    }

    /// What its incidents take their settings from: a monitor that is never asked anything.
    pub(crate) fn monitor(&self) -> MonitorConfig {
        MonitorConfig {
            actions: Vec::new(),
            name: format!("{PREFIX}{}", self.name),
            description: self.description.clone(),
            query: None,
            value: None,
            window: self.current,
            every: self.every,
            delay: Length::default(),
            min_samples: 0,
            no_data: NoData::Keep,
            condition: Condition::Threshold(Threshold::default()),
            for_: self.for_,
            recover_for: 1,
            flapping: Flapping { fires: 0, ..Flapping::default() },
            severity: self.severity,
            owner: self.owner.clone(),
            runbook: self.runbook.clone(),
            labels: BTreeMap::new(),
            notify: self.notify.clone(),
            escalation: self.escalation.clone(),
            group: Grouping::Monitor,
            auto_resolve: true,
            max_series: 1_000,
            enabled: self.enabled,
        }
    }

    /// All that can't be done as it is written.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut report = |field: &str, message: String| problems.push(Problem::new(field, message));
        if let Some(problem) = crate::config::name_problem(&self.name) {
            report("name", problem);
        } else if self.name == "test" {
            report("name", "`test` is what `/api/v1/drift/test` is called; expected another name".to_owned());
        }
        let query = Query { filter: self.filter.clone(), ..Query::default() };
        if let Err(error) = query.check() {
            report(&error.field, error.problem);
        }
        for (field, length, least, most) in [
            ("current", self.current, Length::minutes(5), Length::days(31)),
            ("every", self.every, Length::minutes(5), Length::days(31)),
        ] {
            if length < least || length > most {
                report(field, format!("is {length}; expected {least} to {most}"));
            }
        }
        self.check_reference(&mut report);
        for (field, number, least, most) in [
            ("sample", self.sample, 50, 10_000),
            ("min_samples", self.min_samples, 20, 10_000),
            ("max_segments", self.max_segments, 1, 20),
            ("for", self.for_, 1, 100),
        ] {
            if !(least..=most).contains(&number) {
                report(field, format!("is {number}; expected {least} to {most}"));
            }
        }
        if self.min_samples > self.sample {
            report("min_samples", format!("is more than `sample` ({}), so nothing would ever be said", self.sample));
        }
        if !(self.false_discovery_rate > 0.0 && self.false_discovery_rate <= 0.2) {
            let problem = format!("is {}; expected more than 0, at most 0.2", self.false_discovery_rate);
            report("false_discovery_rate", problem);
        }
        let MinEffect { numbers, rate, categories, topic, embedding, concept } = self.min_effect;
        for (field, effect) in [
            ("numbers", numbers),
            ("rate", rate),
            ("categories", categories),
            ("topic", topic),
            ("embedding", embedding),
            ("concept", concept),
        ] {
            if !(0.0..=10.0).contains(&effect) {
                report(&format!("min_effect.{field}"), format!("is {effect}; expected 0 or more"));
            }
        }
        if let Some(model) = &self.embedding_model {
            self.check_model(model, &mut report);
        }
        if self.scores.len() > 10 {
            report("scores", format!("are {}; expected at most 10", self.scores.len()));
        }
        if let Some(column) = &self.segment_by {
            check_column("segment_by", column, &mut report);
        }
        if let Some(concept) = self.concept.as_ref().filter(|concept| concept.by != super::concept::CLUSTERS) {
            check_column("concept.by", &concept.by, &mut report);
        }
        if self.escalation.is_some() && !self.notify.is_empty() {
            report("notify", "stands beside `escalation`, which says who is told; leave one of them out".to_owned());
        }
        problems
    }

    fn check_model(&self, model: &str, report: &mut impl FnMut(&str, String)) {
        if model.trim().is_empty() || model.chars().count() > LONGEST_MODEL {
            let problem = format!(
                "expected a model or a route, of 1 to {LONGEST_MODEL} characters, e.g. `openai/text-embedding-3-small`"
            );
            report("embedding_model", problem);
        }
        if !self.signals.is_empty() && !self.signals.contains(&Signal::Embedding) {
            report(
                "embedding_model",
                "is for the signal `embedding`, which `signals` leaves out; add it there".to_owned(),
            );
        }
        if self.min_samples as usize > MOST_TEXTS {
            let problem = format!(
                "is {}, but an `embedding_model` is asked for {MOST_TEXTS} inputs of a side at most, so nothing would ever be said of \
                 `embedding`",
                self.min_samples
            );
            report("min_samples", problem);
        }
    }

    fn check_reference(&self, report: &mut impl FnMut(&str, String)) {
        let Reference { ago, width, from, to } = &self.reference;
        match (from, to) {
            (None, None) => {
                if *width < self.current || *width > Length::days(366) {
                    let least = self.current;
                    report(
                        "reference.width",
                        format!("is {width}; expected at least `current` ({least}), at most 366d"),
                    );
                }
                if *ago < self.current || *ago > Length::days(366) {
                    let least = self.current;
                    report("reference.ago", format!("is {ago}; expected at least `current` ({least}), at most 366d"));
                }
                if let Some(period) = self.season.period()
                    && self.parts(signalbox_types::Timestamp::from_micros(0)).is_empty()
                {
                    let problem = format!(
                        "holds no time of the same season as the current window; with `season: {}` make `ago` or `width` a \
                         multiple of {period}, or say `season: none`",
                        if self.season == Season::Week { "week" } else { "day" },
                    );
                    report("reference.width", problem);
                }
            }
            (Some(from), Some(to)) if from < to => {}
            (Some(_), Some(_)) => report("reference.to", "is not after `from`".to_owned()),
            (None, Some(_)) => report("reference.from", "is missing beside `to`".to_owned()),
            (Some(_), None) => report("reference.to", "is missing beside `from`".to_owned()),
        }
    }
}

fn check_column(field: &str, name: &str, report: &mut impl FnMut(&str, String)) {
    match find_field(&SPANS, name, || field.to_owned()) {
        Err(error) => report(&error.field, error.problem),
        Ok(column) => {
            let ty = if column.name == name { column.ty } else { ColumnType::Text };
            if !matches!(ty, ColumnType::Text | ColumnType::Bool | ColumnType::Int) {
                report(field, format!("`{name}` has too many values to be segments; expected a column of texts"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(more: serde_json::Value) -> Vec<String> {
        let mut check = json!({"name": "d"});
        check.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        DriftConfig::read(&check).err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (more, expected) in [
            (json!({}), ""),
            (json!({"reference": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-08T00:00:00Z"}}), ""),
            (json!({"season": "day", "reference": {"ago": "1d", "width": "7d"}, "current": "1h", "every": "5m"}), ""),
            (json!({"every": "1m"}), "`every`: is 1m; expected 5m to 31d"),
            (json!({"name": "test"}), "`name`: `test` is what"),
            (json!({"signals": ["tokens"]}), "`signals[0]`: unknown variant `tokens`"),
            (json!({"reference": {"ago": "8d", "width": "2d"}}), "`reference.width`: holds no time of the same season"),
            (json!({"reference": {"from": "2026-01-01T00:00:00Z"}}), "`reference.to`: is missing beside `from`"),
            (json!({"segment_by": "modell"}), "`segment_by`: `spans` has no column `modell`"),
            (json!({"segment_by": "input_messages"}), "`segment_by`: `input_messages` has too many values"),
            (json!({"filter": {"field": "kinds", "op": "=", "value": 1}}), "`filter.field`: `spans` has no column"),
            (json!({"min_samples": 3000}), "`min_samples`: is more than `sample` (2000)"),
            (json!({"false_discovery_rate": 0.0}), "`false_discovery_rate`: is 0; expected"),
            (json!({"concept": {"score": "quality", "by": "nothing"}}), "`concept.by`: `spans` has no column"),
            (json!({"embedding_model": "sim/embed", "signals": ["embedding"]}), ""),
            (json!({"embedding_model": " "}), "`embedding_model`: expected a model or a route"),
            (json!({"embedding_model": "m", "signals": ["topic"]}), "`embedding_model`: is for the signal `embedding`"),
            (json!({"embedding_model": "m", "min_samples": 501}), "`min_samples`: is 501, but an `embedding_model`"),
        ] {
            let found = problems(more.clone());
            match expected {
                "" => assert_eq!(found, [] as [String; 0], "{more}"),
                expected => assert!(found.len() == 1 && found[0].starts_with(expected), "{more}: {found:?}"),
            }
        }
    }
}
