//! Where inputs are points: by their letters, or by what they mean, as an embedding model says that is asked through the gateway.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use signalbox_types::seam::{CompletionError, Embedded, Embedder, MOST_EMBEDDED_TEXTS};
use signalbox_types::{ErrorClass, ProjectId};

use super::words::{dot, vector};
use crate::watch::Watch;

/// Inputs of a side that a model is asked for at most.
pub(crate) const MOST_TEXTS: usize = 500;
/// Calls of one comparison that are under way at once.
const AT_ONCE: usize = 4;
/// A comparison waits so long for a model: others wait for it.
const PATIENCE: Duration = Duration::from_secs(120);
/// Calls that are made again without what a policy blocks.
const MOST_AGAIN: usize = 50;
/// Of what a provider says so much is told.
const LONGEST_ERROR: usize = 400;

/// How inputs become points.
#[derive(Debug, Default)]
pub(crate) enum Space {
    /// By letters in a row; no model is asked.
    #[default]
    Letters,
    /// By a model.
    Meaning(Vectors),
    /// A model should have been asked, and could not be: why.
    Closed(String),
}

/// What a model made of the inputs of both sides.
#[derive(Debug)]
pub(crate) struct Vectors {
    /// The model that answered.
    model: String,
    /// By text, each of length 1, since what a vector means is where it points to.
    by_text: HashMap<String, Vec<f64>>,
}

impl Space {
    /// Where a text is. `None`: the model made nothing of it.
    pub(crate) fn vector(&self, text: &str) -> Option<Cow<'_, [f64]>> {
        match self {
            Self::Letters => Some(Cow::Owned(vector(text))),
            Self::Meaning(vectors) => vectors.by_text.get(text).map(|one| Cow::Borrowed(one.as_slice())),
            Self::Closed(_) => None,
        }
    }

    /// Whether a text is anywhere in it.
    pub(crate) fn has(&self, text: &str) -> bool {
        if let Self::Meaning(vectors) = self { vectors.by_text.contains_key(text) } else { true }
    }

    /// Why nothing can be said in it.
    pub(crate) fn problem(&self) -> Option<&str> {
        if let Self::Closed(problem) = self { Some(problem) } else { None }
    }

    /// By whom, as the end of a sentence.
    pub(crate) fn by(&self) -> String {
        if let Self::Meaning(vectors) = self { format!(", by `{}`", vectors.model) } else { String::new() }
    }
}

impl Watch {
    /// With somebody to ask embedding models, for drift checks that name one.
    #[must_use]
    pub fn with_embedder(mut self, embedder: Arc<dyn Embedder>) -> Self {
        self.embedder = Some(embedder);
        self
    }

    /// Where these texts are, by a model. That it can't be asked is told, and leaves other signals alone.
    pub(crate) async fn space(&self, project: &ProjectId, model: &str, texts: Vec<String>) -> Space {
        let Some(embedder) = &self.embedder else {
            return closed(&format!("there is no gateway here to ask `{model}`"));
        };
        match tokio::time::timeout(PATIENCE, vectors(&**embedder, project, model, texts)).await {
            Ok(Ok(vectors)) => Space::Meaning(vectors),
            Ok(Err(error)) => closed(&error.message),
            Err(_) => closed(&format!(
                "`{model}` gave no embeddings within {} s; see on the page Providers how its provider is, or name another model",
                PATIENCE.as_secs()
            )),
        }
    }
}

fn closed(problem: &str) -> Space {
    Space::Closed(format!(
        "the signal `embedding` could not be compared: {} (the other signals were; the next comparison asks again)",
        beginning(problem, 2 * LONGEST_ERROR)
    ))
}

fn beginning(text: &str, most: usize) -> String {
    let mut told: String = text.chars().take(most).collect();
    if told.len() < text.len() {
        told.push('…');
    }
    told
}

/// Asks for each text once. Those that a policy blocks are left out: a call that is blocked is made again in halves.
async fn vectors(
    embedder: &dyn Embedder,
    project: &ProjectId,
    name: &str,
    mut texts: Vec<String>,
) -> Result<Vectors, CompletionError> {
    texts.sort();
    texts.dedup();
    let (mut by_text, mut known) = (HashMap::new(), None::<(String, usize)>);
    // Inputs are beginnings of what was said: however many a call takes, they are short enough.
    let mut waiting: Vec<&[String]> = texts.chunks(MOST_EMBEDDED_TEXTS).collect();
    let mut calls = waiting.len() + MOST_AGAIN;
    while !waiting.is_empty() {
        calls = calls.checked_sub(waiting.len()).ok_or_else(|| blocked(name))?;
        let asked: Vec<_> = waiting.drain(..).map(|batch| ask(embedder, project, name, batch)).collect();
        let mut answers = stream::iter(asked).buffered(AT_ONCE);
        while let Some((batch, answer)) = answers.next().await {
            let Some(answer) = answer? else {
                if batch.len() > 1 {
                    let (one, other) = batch.split_at(batch.len() / 2);
                    waiting.extend([one, other]);
                }
                continue;
            };
            for (text, mut vector) in batch.iter().zip(answer.vectors) {
                let (model, width) = known.get_or_insert_with(|| (answer.model.clone(), vector.len()));
                if *model != answer.model || *width != vector.len() {
                    let (one, other) = (beginning(model, LONGEST_ERROR), beginning(&answer.model, LONGEST_ERROR));
                    return Err(CompletionError::of_two_embedding_models(name, &one, &other));
                }
                to_unit(&mut vector);
                by_text.insert(text.clone(), vector);
            }
        }
    }
    let (model, _) = known.ok_or_else(|| blocked(name))?;
    Ok(Vectors { model: if model.is_empty() { name.to_owned() } else { beginning(&model, LONGEST_ERROR) }, by_text })
}

/// Asks for a batch; `None` if a policy blocked it.
async fn ask<'a>(
    embedder: &dyn Embedder,
    project: &ProjectId,
    name: &str,
    batch: &'a [String],
) -> (&'a [String], Result<Option<Embedded>, CompletionError>) {
    let answer = match embedder.embed(project, name, batch).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.class == ErrorClass::GuardrailBlocked => Ok(None),
        Err(error) => {
            let message = beginning(&error.message, LONGEST_ERROR);
            Err(CompletionError { message, ..error }.of_embedding_model(name))
        }
    };
    (batch, answer)
}

fn blocked(name: &str) -> CompletionError {
    let message = "policies block so many of the inputs; give the check a `filter` that leaves those out".to_owned();
    CompletionError::new(ErrorClass::GuardrailBlocked, message).of_embedding_model(name)
}

fn to_unit(vector: &mut [f64]) {
    let length = dot(vector, vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
}
