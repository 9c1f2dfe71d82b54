//! Metrics that compare vectors, with an embedding model that makes them of texts.

use serde_json::Value;
use signalbox_metrics::vectors::{MODEL_OPTION, in_place, takes_model};
use signalbox_metrics::{About, Case, Direction, Input, Measure, OptionProblem, Options, Problem};
use signalbox_types::ScoreSource;
use signalbox_types::seam::BoxFuture;

use crate::embedding::EmbeddingModel;
use crate::{Scored, Scorer, ScorerError};

/// Texts of one case: two lists that are compared have no more.
const MOST_TEXTS: usize = 1_000;

/// The embedding model that is set of a metric, which is taken out of its options.
///
/// # Errors
/// It is something else than a name.
pub fn embedding_model(about: &About, options: &mut Options) -> Result<Option<String>, OptionProblem> {
    if !takes_model(about) {
        return Ok(None);
    }
    let name = options.text(MODEL_OPTION, "").map(str::to_owned)?;
    match options.take(MODEL_OPTION) {
        None => Ok(None),
        Some(_) if name.trim().is_empty() => {
            let problem = "expected a model or a route, such as `openai/text-embedding-3-small`, found nothing";
            Err(OptionProblem::new(MODEL_OPTION, problem))
        }
        Some(_) => Ok(Some(name)),
    }
}

/// A metric of the registry that compares vectors, and who makes them of texts.
#[derive(Debug)]
pub struct ByVectors {
    name: String,
    measure: Measure,
    model: EmbeddingModel,
}

impl ByVectors {
    /// A metric under a name of its own, without [`embedding_model`] among its options.
    pub fn new(name: impl Into<String>, measure: Measure, model: EmbeddingModel) -> Self {
        Self { name: name.into(), measure, model }
    }

    /// What it measures.
    #[must_use]
    pub fn about(&self) -> &'static About {
        self.measure.about()
    }

    /// Who makes the vectors.
    #[must_use]
    pub fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    async fn measured(&self, case: &Case) -> Result<Scored, ScorerError> {
        let mut texts = Vec::new();
        let mut collect = |text: &str| {
            texts.push(text.to_owned());
            Value::Null
        };
        in_place(self.about(), case, &mut collect)?;
        if texts.len() > MOST_TEXTS {
            let expected = format!("at most {MOST_TEXTS} texts to embed with those of `reference`");
            return Err(Problem::new("output", expected, texts.len().to_string()).into());
        }
        // Providers refuse what says nothing. It is like nothing: all zeros.
        texts.retain(|text| !text.trim().is_empty());
        let made = self.model.vectors(&texts).await?;
        let nothing = vec![0.0; made.vectors.first().map_or(1, Vec::len)];
        let mut vectors = made.vectors.into_iter();
        let mut vector_of = |text: &str| {
            let says_nothing = text.trim().is_empty();
            Value::from(if says_nothing { nothing.clone() } else { vectors.next().unwrap_or_default() })
        };
        let score = self.measure.score(&in_place(self.about(), case, &mut vector_of)?)?;
        let by = if made.model.is_empty() { self.model.name() } else { &made.model };
        Ok(Scored {
            value: Some(score.value),
            label: None,
            passed: Some(score.passed),
            reason: format!("{}; vectors by {by}", score.reason),
            evidence: score.evidence,
            cost: made.tally.cost,
        })
    }
}

impl Scorer for ByVectors {
    fn name(&self) -> &str {
        &self.name
    }

    fn inputs(&self) -> &[Input] {
        self.about().inputs
    }

    fn direction(&self) -> Direction {
        self.about().direction
    }

    fn source(&self) -> ScoreSource {
        ScoreSource::Code
    }

    fn score<'a>(&'a self, case: &'a Case) -> BoxFuture<'a, Result<Scored, ScorerError>> {
        Box::pin(self.measured(case))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use signalbox_metrics::registry;
    use signalbox_testkit::ScriptedEmbedder;
    use signalbox_types::seam::Embedder;
    use signalbox_types::{ErrorClass, Money, ProjectId};

    use super::*;

    /// Knows cats from cars, whatever they are called.
    fn kinds(text: &str) -> Vec<f64> {
        let has = |words: &[&str]| f64::from(u8::from(words.iter().any(|word| text.contains(word))));
        vec![has(&["cat", "tom"]), has(&["car", "lorry"])]
    }

    fn scorer(metric: &str, embedder: &Arc<ScriptedEmbedder>) -> ByVectors {
        let about = registry::find(metric).unwrap();
        let mut options = Options::new().with(MODEL_OPTION, "vectors");
        let name = embedding_model(about, &mut options).unwrap().unwrap();
        let asked: Arc<dyn Embedder> = Arc::<ScriptedEmbedder>::clone(embedder);
        let model = EmbeddingModel::new(asked, ProjectId::new("p"), name);
        ByVectors::new("alike", Measure::new(about, &options, None).unwrap(), model)
    }

    async fn value(metric: &str, output: Value, reference: Value) -> f64 {
        let scorer = scorer(metric, &ScriptedEmbedder::ruled(kinds));
        let case = Case::new().with(Input::Output, output).with(Input::Reference, reference);
        scorer.score(&case).await.unwrap().value.unwrap()
    }

    #[tokio::test]
    async fn texts_are_compared_by_what_they_mean() {
        let metric = "embedding_similarity";
        assert_eq!(value(metric, json!("a cat"), json!("the tom")).await, 1.0);
        assert_eq!(value(metric, json!("a cat"), json!(["a lorry", "the tom"])).await, 1.0);
        assert_eq!(value(metric, json!("a cat"), json!("a lorry")).await, 0.0);
        assert_eq!(value(metric, json!([1, 0]), json!([2, 0])).await, 1.0, "vectors stay vectors");
        assert_eq!(value(metric, json!(" "), json!("a cat")).await, 0.0, "what says nothing is like nothing");
        assert_eq!(value("list_match", json!("- a lorry\n- a cat"), json!(["tom", "car"])).await, 1.0);
        assert_eq!(value("list_match", json!(["a lorry"]), json!(["tom", "cat"])).await, 0.0);
    }

    #[tokio::test]
    async fn what_it_took_is_told_and_what_goes_wrong_is_an_error() {
        let embedder = ScriptedEmbedder::ruled(kinds);
        let scorer = scorer("embedding_similarity", &embedder);
        let case = Case::new().with(Input::Output, "a cat").with(Input::Reference, json!(["a cat", "a tom"]));
        let scored = scorer.score(&case).await.unwrap();
        assert_eq!((scored.cost, scored.passed), (Some(Money::from_picos(6)), Some(true)));
        assert_eq!(scored.reason, "nearest to 1 of 2, 2 numbers each; vectors by vectors-0613");
        assert_eq!((scorer.name(), scorer.source()), ("alike", ScoreSource::Code));
        embedder.fail(ErrorClass::RateLimited, "the budget is spent");
        let error = scorer.score(&case).await.unwrap_err().to_string();
        assert_eq!(error, "`vectors` gave no embeddings: the budget is spent");
        let asked = embedder.asked().len();
        let missing = scorer.score(&Case::new().with(Input::Output, "a cat")).await.unwrap_err().to_string();
        assert!(missing.starts_with("`reference`: expected"), "{missing}");
        let many: Vec<Value> = (0..=MOST_TEXTS).map(|at| json!(format!("cat {at}"))).collect();
        let many = scorer.score(&Case::new().with(Input::Output, "a cat").with(Input::Reference, many)).await;
        assert!(many.unwrap_err().to_string().contains("at most 1000 texts"));
        assert_eq!(embedder.asked().len(), asked, "nobody is asked in vain");
    }

    #[test]
    fn the_option_is_a_name() {
        let about = registry::find("embedding_similarity").unwrap();
        let of = |value: Value| embedding_model(about, &mut Options::new().with(MODEL_OPTION, value));
        assert_eq!(of(json!("m")), Ok(Some("m".to_owned())));
        assert!(of(json!(" ")).unwrap_err().problem.contains("expected a model or a route"));
        assert!(of(json!(3)).unwrap_err().problem.contains("expected a text"));
        assert_eq!(embedding_model(about, &mut Options::new()), Ok(None));
        let bleu = registry::find("bleu").unwrap();
        assert_eq!(embedding_model(bleu, &mut Options::new().with(MODEL_OPTION, "m")), Ok(None), "bleu refuses it");
    }
}
