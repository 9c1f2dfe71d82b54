//! Vectors of texts, as an embedding model makes them: each text once, in batches that providers take.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use signalbox_types::seam::{CompletionError, Embedder, MOST_EMBEDDED_TEXTS};
use signalbox_types::{ErrorClass, ProjectId};

use crate::judge::Tally;

/// Batches of one question that are under way at once.
const AT_ONCE: usize = 4;
/// Providers bound the tokens of a call, too: this much is within what they take, in any language.
const MOST_BATCH_BYTES: usize = 256 << 10;

/// An embedding model, and for whom it is asked.
#[derive(Debug, Clone)]
pub struct EmbeddingModel {
    embedder: Arc<dyn Embedder>,
    project: ProjectId,
    name: String,
}

/// What a model made of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    /// One for each text, in order, all of one length.
    pub vectors: Vec<Vec<f64>>,
    /// The model that answered, as its provider names it; empty if there was nothing to ask.
    pub model: String,
    /// What asking took.
    pub tally: Tally,
}

impl EmbeddingModel {
    /// A model or a route by its name.
    pub fn new(embedder: Arc<dyn Embedder>, project: ProjectId, name: impl Into<String>) -> Self {
        Self { embedder, project, name: name.into() }
    }

    /// As it is asked for.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The vectors of texts, none of which is empty.
    ///
    /// # Errors
    /// The model could not be asked for one of them, or two models answered.
    pub async fn vectors(&self, texts: &[String]) -> Result<Vectors, CompletionError> {
        let (mut each, mut places) = (Vec::<String>::new(), HashMap::<&str, usize>::new());
        for text in texts {
            places.entry(text).or_insert_with(|| {
                each.push(text.clone());
                each.len() - 1
            });
        }
        let asked: Vec<_> =
            batches(&each).into_iter().map(|batch| self.embedder.embed(&self.project, &self.name, batch)).collect();
        let (mut made, mut model, mut tally) = (Vec::<Vec<f64>>::new(), String::new(), Tally::default());
        let mut answers = stream::iter(asked).buffered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            let answer = answer.map_err(|error| error.of_embedding_model(&self.name))?;
            let is_alike =
                |one: &Vec<f64>| answer.model == model && answer.vectors.iter().all(|other| other.len() == one.len());
            if !made.first().is_none_or(is_alike) {
                return Err(CompletionError::of_two_embedding_models(&self.name, &model, &answer.model));
            }
            tally += &Tally { calls: 1, cost: answer.cost, usage: answer.usage, trace_ids: Vec::new() };
            model = answer.model;
            made.extend(answer.vectors);
        }
        drop(answers);
        let of = |text: &String| places.get(text.as_str()).and_then(|at| made.get(*at)).cloned();
        let vectors: Option<Vec<Vec<f64>>> = texts.iter().map(of).collect();
        let few = || {
            let message = format!("`{}` gave fewer vectors than there are texts", self.name);
            CompletionError::new(ErrorClass::UpstreamError, message)
        };
        Ok(Vectors { vectors: vectors.ok_or_else(few)?, model, tally })
    }
}

/// Runs of texts that one call takes.
fn batches(texts: &[String]) -> Vec<&[String]> {
    let (mut all, mut rest) = (Vec::new(), texts);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take(MOST_EMBEDDED_TEXTS).take_while(|text| {
            bytes += text.len();
            bytes <= MOST_BATCH_BYTES
        });
        // A text that is longer than that goes alone: its provider says whether it is too long.
        let (batch, others) = rest.split_at(fits.count().max(1));
        all.push(batch);
        rest = others;
    }
    all
}

#[cfg(test)]
mod tests {
    use signalbox_testkit::ScriptedEmbedder;
    use signalbox_types::Money;

    use super::*;

    fn model(embedder: &Arc<ScriptedEmbedder>) -> EmbeddingModel {
        EmbeddingModel::new(Arc::<ScriptedEmbedder>::clone(embedder) as Arc<dyn Embedder>, ProjectId::new("p"), "m")
    }

    fn numbered(count: usize) -> Vec<String> {
        (0..count).map(|at| format!("text {at}")).collect()
    }

    #[tokio::test]
    async fn each_text_is_asked_once_and_in_batches() {
        let embedder = ScriptedEmbedder::ruled(|text| vec![text.len() as f64, 1.0]);
        let mut texts = numbered(MOST_EMBEDDED_TEXTS + 4);
        texts.extend(numbered(3));
        let told = model(&embedder).vectors(&texts).await.unwrap();
        assert_eq!(told.vectors.len(), texts.len());
        assert!(told.vectors.iter().zip(&texts).all(|(vector, text)| vector[0] == text.len() as f64));
        let asked: Vec<usize> = embedder.asked().iter().map(|(_, _, texts)| texts.len()).collect();
        assert_eq!(asked, [MOST_EMBEDDED_TEXTS, 4]);
        assert_eq!((told.model.as_str(), told.tally.calls), ("m-0613", 2));
        assert_eq!((told.tally.cost, told.tally.usage.input_tokens), (Some(Money::from_picos(300)), Some(100)));
        assert!(model(&embedder).vectors(&[]).await.unwrap().vectors.is_empty());
        assert_eq!(embedder.asked().len(), 2, "nothing to ask is not asked");
    }

    #[test]
    fn batches_are_bounded_by_bytes_too() {
        let long = "x".repeat(MOST_BATCH_BYTES / 2);
        let texts = [long.clone(), long.clone(), "y".to_owned(), format!("{long}{long}{long}"), "z".to_owned()];
        let sizes: Vec<usize> = batches(&texts).iter().map(|batch| batch.len()).collect();
        assert_eq!(sizes, [2, 1, 1, 1]);
    }

    #[tokio::test]
    async fn errors_say_what_to_do() {
        let embedder = Arc::<ScriptedEmbedder>::default();
        embedder.fail(ErrorClass::NotFound, "no provider is called `m`");
        let error = model(&embedder).vectors(&numbered(1)).await.unwrap_err();
        let words = "`m` gave no embeddings: no provider is called `m`; `embedding_model` names a model that makes";
        assert!(error.message.starts_with(words) && error.class == ErrorClass::NotFound, "{error}");
        embedder.fail(ErrorClass::RateLimited, "slow down");
        let error = model(&embedder).vectors(&numbered(1)).await.unwrap_err();
        assert_eq!(error.message, "`m` gave no embeddings: slow down");
        embedder.answer_as("other");
        let error = model(&embedder).vectors(&numbered(MOST_EMBEDDED_TEXTS + 1)).await.unwrap_err();
        assert!(error.message.contains("two models, `other` and `m-0613`"), "{error}");
    }
}
