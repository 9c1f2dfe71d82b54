use std::collections::BTreeMap;

use serde_json::Value;

use super::BoxFuture;
use crate::{ErrorClass, Message, Money, ProjectId, TraceId, Usage};

/// One call of a language model on our own behalf: a judge, a label, a canary.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// A model or a route, as a caller of the gateway names it.
    pub model: String,
    /// What is said.
    pub messages: Vec<Message>,
    /// The answer must be JSON that this schema allows.
    pub schema: Option<Value>,
    /// `gen_ai.request.temperature`.
    pub temperature: Option<f64>,
    /// `gen_ai.request.max_tokens`.
    pub max_tokens: Option<u32>,
    /// `gen_ai.request.seed`.
    pub seed: Option<i64>,
    /// What the call's span says besides.
    pub metadata: BTreeMap<String, String>,
}

/// What the model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Completed {
    /// Its text.
    pub text: String,
    /// The model that answered, as the provider names it.
    pub model: String,
    /// What it used.
    pub usage: Usage,
    /// What that cost, if its price is known.
    pub cost: Option<Money>,
    /// The trace in which the call is recorded, if it is.
    pub trace_id: Option<TraceId>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompletionError {
    /// Its class.
    pub class: ErrorClass,
    /// For people.
    pub message: String,
    /// When the other side wants to be asked again, in seconds.
    pub retry_after_s: Option<u64>,
}

impl CompletionError {
    /// One that doesn't say when to ask again.
    #[must_use]
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), retry_after_s: None }
    }
}

/// Asks a language model. Real code goes through the gateway, so that limits, budgets and records
/// hold for our own calls as for anybody's; tests have scripted answers.
pub trait Completer: Send + Sync + std::fmt::Debug {
    /// Asks once; who wants to try again, asks again.
    fn complete<'a>(
        &'a self,
        project: &'a ProjectId,
        ask: Completion,
    ) -> BoxFuture<'a, Result<Completed, CompletionError>>;
}
