//! Where inputs are points: by their letters, or by what they mean, as an embedding model says that is asked through the gateway.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use signalbox_types::ProjectId;
use signalbox_types::seam::{CompletionError, Embedder, MOST_EMBEDDED_TEXTS};

use super::words::{dot, vector};
use crate::watch::Watch;

/// Inputs of a side that a model is asked for at most.
pub(crate) const MOST_TEXTS: usize = 500;
/// Calls of one comparison that are under way at once.
const AT_ONCE: usize = 4;
/// A comparison waits so long for a model: others wait for it.
const PATIENCE: Duration = Duration::from_secs(120);
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
    /// Where a text is. `None`: the model wasn't asked for it.
    pub(crate) fn vector(&self, text: &str) -> Option<Cow<'_, [f64]>> {
        match self {
            Self::Letters => Some(Cow::Owned(vector(text))),
            Self::Meaning(vectors) => vectors.by_text.get(text).map(|one| Cow::Borrowed(one.as_slice())),
            Self::Closed(_) => None,
        }
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
    let mut told: String = problem.chars().take(LONGEST_ERROR).collect();
    if told.len() < problem.len() {
        told.push('…');
    }
    Space::Closed(format!(
        "the signal `embedding` could not be compared: {told} (the other signals were; the next comparison asks again)"
    ))
}

/// Asks for each text once.
async fn vectors(
    embedder: &dyn Embedder,
    project: &ProjectId,
    name: &str,
    mut texts: Vec<String>,
) -> Result<Vectors, CompletionError> {
    texts.sort();
    texts.dedup();
    // Inputs are beginnings of what was said: however many a call takes, they are short enough.
    let asked: Vec<_> = texts.chunks(MOST_EMBEDDED_TEXTS).map(|batch| embedder.embed(project, name, batch)).collect();
    let mut answers = stream::iter(asked).buffered(AT_ONCE);
    let (mut made, mut model) = (Vec::<Vec<f64>>::new(), None::<String>);
    while let Some(answer) = answers.next().await {
        let answer = answer.map_err(|error| error.of_embedding_model(name))?;
        let first = model.get_or_insert_with(|| answer.model.clone());
        let mut all = made.first().into_iter().chain(&answer.vectors);
        let width = all.next().map(Vec::len);
        if *first != answer.model || all.any(|one| Some(one.len()) != width) {
            return Err(CompletionError::of_two_embedding_models(name, first, &answer.model));
        }
        made.extend(answer.vectors);
    }
    drop(answers);
    made.iter_mut().for_each(|one| to_unit(one));
    let model = model.filter(|model| !model.is_empty()).unwrap_or_else(|| name.to_owned());
    Ok(Vectors { model, by_text: texts.into_iter().zip(made).collect() })
}

fn to_unit(vector: &mut [f64]) {
    let length = dot(vector, vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
}
