//! Judges in rules: a rubric that comes along, and the model that judges by it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use signalbox_types::ProjectId;
use signalbox_types::seam::Completer;

use super::make::MakeScorer;
use super::rule::{RuleProblem, ScorerConfig};
use crate::Scorer;
use crate::judge::{self, Judge, JudgePlan};

/// What is set of a judge.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JudgeOptions {
    model: String,
    #[serde(default = "once")]
    samples: usize,
    temperature: Option<f64>,
    max_tokens: Option<u32>,
}

fn once() -> usize {
    1
}

/// Makes judges: scorers with a `model` among their options, whose `metric` is the name of a rubric.
#[must_use]
pub fn judges(completer: Arc<dyn Completer>) -> Arc<MakeScorer> {
    Arc::new(move |project, config| config.options.contains_key("model").then(|| made(&completer, project, config)))
}

fn made(
    completer: &Arc<dyn Completer>,
    project: &ProjectId,
    config: &ScorerConfig,
) -> Result<Arc<dyn Scorer>, RuleProblem> {
    let Some(rubric) = judge::find(&config.metric) else {
        let hint = judge::near(&config.metric).map(|near| format!("; did you mean `{near}`?"));
        let problem = format!(
            "a `model` judges by a rubric, and none is called `{}`{} (`GET /api/v1/rubrics` lists them)",
            config.metric,
            hint.unwrap_or_default()
        );
        return Err(RuleProblem::new("metric", problem));
    };
    let options: Map<String, Value> = config.options.clone();
    let options: JudgeOptions = serde_json::from_value(Value::Object(options))
        .map_err(|error| RuleProblem::new("options", error.to_string()))?;
    let plan = JudgePlan {
        samples: options.samples,
        temperature: options.temperature,
        max_tokens: options.max_tokens,
        ..JudgePlan::of(options.model)
    };
    let judge = Judge::new(rubric.clone(), plan, Arc::clone(completer), project.clone())
        .map_err(|error| RuleProblem::new(format!("options.{}", error.field), error.problem))?
        .named(config.name());
    let judge = match config.threshold {
        Some(threshold) => judge.passing(threshold),
        None => judge,
    };
    Ok(Arc::new(judge))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use signalbox_testkit::ScriptedCompleter;

    use super::*;

    fn make(scorer: Value) -> Option<Result<Arc<dyn Scorer>, RuleProblem>> {
        let config: ScorerConfig = serde_json::from_value(scorer).unwrap();
        judges(Arc::<ScriptedCompleter>::default())(&ProjectId::new("p"), &config)
    }

    #[test]
    fn a_model_makes_a_judge_and_a_metric_stays_one() {
        assert!(make(json!({"metric": "faithfulness"})).is_none());
        let judge = make(json!({"metric": "faithfulness", "name": "judged", "options": {"model": "m"}}));
        assert_eq!(judge.unwrap().unwrap().name(), "judged");
        let problem = |scorer| make(scorer).unwrap().unwrap_err();
        assert_eq!(problem(json!({"metric": "faithfulnes", "options": {"model": "m"}})).field, "metric");
        assert_eq!(
            problem(json!({"metric": "tone", "options": {"model": "m", "samples": 0}})).field,
            "options.samples"
        );
        let unknown = problem(json!({"metric": "tone", "options": {"model": "m", "sample": 2}}));
        assert!(unknown.problem.contains("sample"), "{unknown:?}");
    }
}
