//! Scorers of rules that ask a model: judges, a rubric that comes along and the model that judges by it; metrics that compare
//! vectors, and the model that makes them of texts.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use signalbox_metrics::{Measure, OptionProblem, Options};
use signalbox_types::ProjectId;
use signalbox_types::seam::{Completer, Embedder};

use super::make::MakeScorer;
use super::rule::{RuleProblem, ScorerConfig};
use crate::judge::{self, Judge, JudgePlan};
use crate::safety::find_metric;
use crate::{ByVectors, EmbeddingModel, Scorer, embedding_model};

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

/// Makes scorers that ask a model. With a `model` among their options these are judges, and `metric` is the name of a rubric; with an
/// `embedding_model`, metrics that compare vectors.
#[must_use]
pub fn asking(completer: Arc<dyn Completer>, embedder: Arc<dyn Embedder>) -> Arc<MakeScorer> {
    Arc::new(move |project, config| {
        if config.options.contains_key("model") {
            return Some(made(&completer, project, config));
        }
        by_vectors(&embedder, project, config).transpose()
    })
}

/// `None` if no embedding model is named, or the metric takes none.
fn by_vectors(
    embedder: &Arc<dyn Embedder>,
    project: &ProjectId,
    config: &ScorerConfig,
) -> Result<Option<Arc<dyn Scorer>>, RuleProblem> {
    let wrong = |problem: OptionProblem| RuleProblem::new(format!("options.{}", problem.name), problem.problem);
    let Some(about) = find_metric(&config.metric) else { return Ok(None) };
    let mut options: Options = config.options.clone().into_iter().collect();
    let Some(name) = embedding_model(about, &mut options).map_err(wrong)? else { return Ok(None) };
    let measure = Measure::new(about, &options, config.threshold).map_err(wrong)?;
    let model = EmbeddingModel::new(Arc::clone(embedder), project.clone(), name);
    Ok(Some(Arc::new(ByVectors::new(config.name(), measure, model))))
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
    use signalbox_metrics::{Case, Input};
    use signalbox_testkit::{ScriptedCompleter, ScriptedEmbedder};

    use super::*;

    fn make(scorer: Value) -> Option<Result<Arc<dyn Scorer>, RuleProblem>> {
        let config: ScorerConfig = serde_json::from_value(scorer).unwrap();
        asking(Arc::<ScriptedCompleter>::default(), Arc::<ScriptedEmbedder>::default())(&ProjectId::new("p"), &config)
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

    #[tokio::test]
    async fn an_embedding_model_makes_vectors_for_a_metric_that_compares_them() {
        let options = json!({"embedding_model": "m"});
        let scorer = make(json!({"metric": "semantic_similarity", "name": "alike", "options": options}));
        let scorer = scorer.unwrap().unwrap();
        let case = Case::new().with(Input::Output, "cat").with(Input::Reference, "tac");
        let scored = scorer.score(&case).await.unwrap();
        assert!(scorer.name() == "alike" && scored.value > Some(0.999) && scored.cost.is_some(), "{scored:?}");
        assert!(make(json!({"metric": "embedding_similarity"})).is_none());
        assert!(
            make(json!({"metric": "bleu", "options": options})).is_none(),
            "the registry says that it has no such option"
        );
        let problem = make(json!({"metric": "list_match", "options": {"embedding_model": 3}})).unwrap().unwrap_err();
        assert_eq!(problem.field, "options.embedding_model");
    }
}
