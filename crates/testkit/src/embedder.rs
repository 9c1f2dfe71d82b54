use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use signalbox_types::seam::{BoxFuture, CompletionError, Embedded, Embedder};
use signalbox_types::{ErrorClass, Money, ProjectId, Usage};

/// What a text costs.
const COST_PICOS: i128 = 3;

type Rule = fn(&str) -> Vec<f64>;

/// An embedding model that makes vectors by a rule, fails when it was told to, and keeps what it was asked. Its own name for a
/// model is the asked one with `-0613` behind. Each text uses one token.
#[derive(Debug)]
pub struct ScriptedEmbedder {
    rule: Rule,
    failures: Mutex<VecDeque<CompletionError>>,
    models: Mutex<VecDeque<String>>,
    asked: Mutex<Vec<(ProjectId, String, Vec<String>)>>,
}

impl Default for ScriptedEmbedder {
    /// Two texts are the nearer the more of their letters are the same.
    fn default() -> Self {
        let letters = |text: &str| -> Vec<f64> {
            let count = |letter: u8| text.bytes().filter(|byte| byte.eq_ignore_ascii_case(&letter)).count() as f64;
            (b'a'..=b'z').map(count).collect()
        };
        Self { rule: letters, failures: Mutex::default(), models: Mutex::default(), asked: Mutex::default() }
    }
}

impl ScriptedEmbedder {
    /// With a rule.
    #[must_use]
    pub fn ruled(rule: Rule) -> Arc<Self> {
        Arc::new(Self { rule, ..Self::default() })
    }

    /// The next call fails.
    pub fn fail(&self, class: ErrorClass, message: &str) {
        let error = CompletionError::new(class, message);
        self.failures.lock().push_back(error);
    }

    /// The next call is answered by this model, as a route does that goes elsewhere.
    pub fn answer_as(&self, model: &str) {
        self.models.lock().push_back(model.to_owned());
    }

    /// What it was asked, in order: for whom, the model, the texts.
    pub fn asked(&self) -> Vec<(ProjectId, String, Vec<String>)> {
        self.asked.lock().clone()
    }
}

impl Embedder for ScriptedEmbedder {
    fn embed<'a>(
        &'a self,
        project: &'a ProjectId,
        model: &'a str,
        texts: &'a [String],
    ) -> BoxFuture<'a, Result<Embedded, CompletionError>> {
        self.asked.lock().push((project.clone(), model.to_owned(), texts.to_vec()));
        if let Some(error) = self.failures.lock().pop_front() {
            return Box::pin(std::future::ready(Err(error)));
        }
        let count = texts.len() as u64;
        let embedded = Embedded {
            vectors: texts.iter().map(|text| (self.rule)(text)).collect(),
            model: self.models.lock().pop_front().unwrap_or_else(|| format!("{model}-0613")),
            usage: Usage { input_tokens: Some(count), ..Usage::default() },
            cost: Some(Money::from_picos(COST_PICOS * i128::from(count))),
        };
        Box::pin(std::future::ready(Ok(embedded)))
    }
}
