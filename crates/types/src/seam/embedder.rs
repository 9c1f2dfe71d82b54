use super::{BoxFuture, CompletionError};
use crate::{ErrorClass, Money, ProjectId, Usage};

/// Texts that one call takes: so many do even with the providers that take the fewest.
pub const MOST_EMBEDDED_TEXTS: usize = 96;

/// What an embedding model made of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// One for each text, in order; all of one length, which isn't 0, and of finite numbers.
    pub vectors: Vec<Vec<f64>>,
    /// The model that answered, as the provider names it. Vectors of two models can't be compared.
    pub model: String,
    /// What it used.
    pub usage: Usage,
    /// What that cost, if its price is known.
    pub cost: Option<Money>,
}

/// Asks an embedding model on our own behalf. As with a [`super::Completer`], real code goes through the gateway, so that limits,
/// guardrails and records hold for it; tests have scripted vectors.
pub trait Embedder: Send + Sync + std::fmt::Debug {
    /// Asks once for 1 to [`MOST_EMBEDDED_TEXTS`] texts, none of which is empty; other numbers are refused without asking anybody.
    /// `model` is a model or a route, as a caller of the gateway names it.
    fn embed<'a>(
        &'a self,
        project: &'a ProjectId,
        model: &'a str,
        texts: &'a [String],
    ) -> BoxFuture<'a, Result<Embedded, CompletionError>>;
}

impl CompletionError {
    /// What an `embedding_model` of that name failed with, and what to do about it.
    #[must_use]
    pub fn of_embedding_model(self, name: &str) -> Self {
        let hint = match self.class {
            ErrorClass::NotFound | ErrorClass::InvalidRequest => {
                "; `embedding_model` names a model that makes embeddings, or a route to one, such as \
                 `openai/text-embedding-3-small`"
            }
            _ => "",
        };
        let message = format!("`{name}` gave no embeddings: {}{hint}", self.message);
        Self { message, ..self }
    }

    /// Two models answered to the name of an `embedding_model`, as of a route that went elsewhere.
    #[must_use]
    pub fn of_two_embedding_models(name: &str, one: &str, other: &str) -> Self {
        let message = format!(
            "`{name}` was answered by two models, `{one}` and `{other}`, whose vectors can't be compared; as \
             `embedding_model` name a model, or a route with one"
        );
        Self::new(ErrorClass::UpstreamError, message)
    }
}
