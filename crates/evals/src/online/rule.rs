//! What a project wants scored of its traffic.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signalbox_types::query::{Filter, InvalidQuery};
use signalbox_types::table::SPANS;
use signalbox_types::{ProjectId, Query};

use super::make::{Made, Workshop};
use super::mapping;

const MOST_NAME_CHARS: usize = 64;
const MOST_SCORERS: usize = 50;

/// Which spans are scored, how many of them, and by what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OnlineRuleConfig)]
pub struct Rule {
    /// Its name: letters, digits, `-`, `_` and `.`. Scores carry it as `metadata.rule`.
    #[schema(example = "answers-are-json", min_length = 1, max_length = 64)]
    pub name: String,
    /// Whether it scores what arrives.
    #[serde(default = "yes")]
    pub on: bool,
    /// Which spans; all calls of language models if absent. It can't ask for scores: what arrives has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<signalbox_types::query::FilterSchema>)]
    pub filter: Option<Filter>,
    /// The part of all traces that is scored, above 0 and up to 1. Whole traces are in or out, and the same ones each
    /// time: a higher rate adds to them.
    #[serde(default = "all")]
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub sample_rate: f64,
    /// What it may use up on a day (UTC).
    #[serde(default)]
    pub budget: Budget,
    /// What gives the scores.
    pub scorers: Vec<ScorerConfig>,
    /// Where a scorer's inputs stand in a span, for those that stand elsewhere than usual: `attributes.KEY`, or a JSON
    /// pointer such as `/input/question` or `/output_messages/0/parts/0/content`. By the input's name: `input`, `output`,
    /// `context`, `reference`, `tools`, `schema`, `logprobs`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mapping: BTreeMap<String, String>,
}

/// What a rule may use up on a day. What comes after that isn't scored, and counted.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OnlineBudget)]
pub struct Budget {
    /// US dollars for models that judge or make vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd_per_day: Option<f64>,
    /// Scores of any kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores_per_day: Option<u64>,
}

/// A metric with its options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OnlineScorer)]
pub struct ScorerConfig {
    /// The metric's name, as `GET /api/v1/metrics` lists it.
    #[schema(example = "json_valid")]
    pub metric: String,
    /// The name of its scores; the metric's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is set of the metric.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub options: Map<String, Value>,
    /// What passes, instead of the metric's own threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
}

impl ScorerConfig {
    /// The name of its scores.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.metric)
    }
}

/// Why a rule can't be used: the field and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {problem}")]
pub struct RuleProblem {
    /// The field, e.g. `scorers[0].options.pattern`.
    pub field: String,
    /// What is wrong and what was expected.
    pub problem: String,
}

impl RuleProblem {
    /// A problem with a field.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

fn yes() -> bool {
    true
}

fn all() -> f64 {
    1.0
}

impl Rule {
    /// Its scorers, if all of it can be used.
    ///
    /// # Errors
    /// The first thing that can't, with the field.
    pub fn scorers(&self, workshop: &Workshop, project: &ProjectId) -> Result<Vec<Made>, RuleProblem> {
        self.check()?;
        let made = self.scorers.iter().enumerate().map(|(at, config)| {
            let place = format!("scorers[{at}]");
            workshop
                .make(project, config)
                .map_err(|RuleProblem { field, problem }| RuleProblem { field: format!("{place}.{field}"), problem })
        });
        made.collect()
    }

    fn check(&self) -> Result<(), RuleProblem> {
        check_name("name", &self.name)?;
        if !(self.sample_rate > 0.0 && self.sample_rate <= 1.0) {
            let problem = format!("expected a number above 0 and up to 1, found {}", self.sample_rate);
            return Err(RuleProblem::new("sample_rate", problem));
        }
        if let Some(usd) = self.budget.usd_per_day.filter(|usd| !usd.is_finite() || *usd < 0.0) {
            return Err(RuleProblem::new("budget.usd_per_day", format!("expected dollars, 0 or more, found {usd}")));
        }
        if self.scorers.is_empty() || self.scorers.len() > MOST_SCORERS {
            let problem = format!("expected 1 to {MOST_SCORERS} scorers, found {}", self.scorers.len());
            return Err(RuleProblem::new("scorers", problem));
        }
        for (at, scorer) in self.scorers.iter().enumerate() {
            check_name(&format!("scorers[{at}].name"), scorer.name())?;
            if self.scorers.iter().take(at).any(|before| before.name() == scorer.name()) {
                let problem =
                    format!("`{}` is taken by another scorer; give this one a `name` of its own", scorer.name());
                return Err(RuleProblem::new(format!("scorers[{at}].name"), problem));
            }
        }
        for (input, place) in &self.mapping {
            mapping::check(input, place)?;
        }
        let query = Query { filter: self.filter.clone(), ..Query::of(&SPANS) };
        query.check().map_err(|InvalidQuery { field, problem }| RuleProblem { field, problem })?;
        if self.filter.as_ref().is_some_and(Filter::asks_for_scores) {
            return Err(RuleProblem::new("filter", "a span that arrives has no scores yet; leave `score` out"));
        }
        Ok(())
    }

    /// The filter that spans must meet, also in the store: calls of language models if the rule says nothing.
    #[must_use]
    pub fn wanted(&self) -> Filter {
        self.filter.clone().unwrap_or_else(|| Filter::equals("kind", "llm"))
    }
}

fn check_name(field: &str, name: &str) -> Result<(), RuleProblem> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !(1..=MOST_NAME_CHARS).contains(&name.len()) || !name.chars().all(fits) {
        let problem = format!("expected 1 to {MOST_NAME_CHARS} letters, digits, `-`, `_` or `.`");
        return Err(RuleProblem::new(field, problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(rule: Value) -> String {
        let rule: Rule = serde_json::from_value(rule).unwrap();
        rule.scorers(&Workshop::default(), &ProjectId::new("p")).unwrap_err().to_string()
    }

    #[test]
    fn what_a_rule_leaves_out_is_all_calls_of_models() {
        let rule: Rule = serde_json::from_value(json!({"name": "r", "scorers": [{"metric": "json_valid"}]})).unwrap();
        assert!(rule.on && rule.sample_rate == 1.0 && rule.budget == Budget::default());
        assert_eq!(rule.wanted(), Filter::equals("kind", "llm"));
        assert_eq!(rule.scorers(&Workshop::default(), &ProjectId::new("p")).unwrap().len(), 1);
    }

    #[test]
    fn a_problem_names_the_field_and_what_was_expected() {
        let scorers = json!([{"metric": "json_valid"}]);
        let check = |rule: Value, field: &str, words: &str| {
            let found = problem(rule);
            assert!(found.starts_with(&format!("`{field}`")) && found.contains(words), "{found}");
        };
        check(json!({"name": "a b", "scorers": scorers}), "name", "letters");
        check(json!({"name": "r", "scorers": scorers, "sample_rate": 0}), "sample_rate", "above 0");
        check(json!({"name": "r", "scorers": []}), "scorers", "1 to 50");
        check(json!({"name": "r", "scorers": [{"metric": "jsn_valid"}]}), "scorers[0].metric", "`json_valid`");
        check(
            json!({"name": "r", "scorers": [{"metric": "json_valid"}, {"metric": "json_valid"}]}),
            "scorers[1].name",
            "taken",
        );
        check(
            json!({"name": "r", "scorers": [{"metric": "bleu", "options": {"tokenise": "intl"}}]}),
            "scorers[0].options.tokenise",
            "did you mean `tokenize`",
        );
        let filter = json!({"field": "modle", "op": "exists"});
        check(json!({"name": "r", "scorers": scorers, "filter": filter}), "filter.field", "modle");
        let filter = json!({"score": {"field": "name", "op": "exists"}});
        check(json!({"name": "r", "scorers": scorers, "filter": filter}), "filter", "no scores yet");
        check(
            json!({"name": "r", "scorers": scorers, "mapping": {"inputs": "/input"}}),
            "mapping.inputs",
            "input, context",
        );
        check(json!({"name": "r", "scorers": scorers, "mapping": {"input": "input"}}), "mapping.input", "JSON pointer");
        check(
            json!({"name": "r", "scorers": scorers, "budget": {"usd_per_day": -1}}),
            "budget.usd_per_day",
            "0 or more",
        );
    }
}
