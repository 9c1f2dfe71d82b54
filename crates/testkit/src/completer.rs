use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use signalbox_types::seam::{BoxFuture, Completed, Completer, Completion, CompletionError};
use signalbox_types::{ErrorClass, Money, ProjectId, Usage};

/// What an answer used and what it cost.
const USAGE: Usage = Usage {
    input_tokens: Some(10),
    output_tokens: Some(2),
    cache_read_tokens: None,
    cache_write_tokens: None,
    reasoning_tokens: None,
};
const COST: Money = Money::from_picos(5);

type Rule = fn(&Completion) -> String;

/// A language model that says what it was told to, in order or by a rule, and keeps what it was asked. Its own name for a
/// model is the asked one with `-0613` behind.
#[derive(Debug, Default)]
pub struct ScriptedCompleter {
    answers: Mutex<VecDeque<Result<String, CompletionError>>>,
    rule: Mutex<Option<Rule>>,
    asked: Mutex<Vec<(ProjectId, Completion)>>,
}

impl ScriptedCompleter {
    /// With answers, in order.
    pub fn new<T: Into<String>>(answers: impl IntoIterator<Item = T>) -> Arc<Self> {
        let scripted = Self::default();
        answers.into_iter().for_each(|answer| scripted.say(answer));
        Arc::new(scripted)
    }

    /// With a rule, which answers whatever no answer is left for.
    #[must_use]
    pub fn ruled(rule: Rule) -> Arc<Self> {
        let scripted = Self::default();
        scripted.answer_by(rule);
        Arc::new(scripted)
    }

    /// From now on, what no answer is left for is answered by a rule.
    pub fn answer_by(&self, rule: Rule) {
        *self.rule.lock() = Some(rule);
    }

    /// One more answer.
    pub fn say(&self, answer: impl Into<String>) {
        self.answers.lock().push_back(Ok(answer.into()));
    }

    /// One more failure.
    pub fn fail(&self, class: ErrorClass, message: &str) {
        let error = CompletionError::new(class, message);
        self.answers.lock().push_back(Err(error));
    }

    /// What it was asked, in order.
    pub fn asked(&self) -> Vec<Completion> {
        self.asked.lock().iter().map(|(_, ask)| ask.clone()).collect()
    }

    /// For whom it was asked, in order.
    pub fn asked_for(&self) -> Vec<ProjectId> {
        self.asked.lock().iter().map(|(project, _)| project.clone()).collect()
    }
}

impl Completer for ScriptedCompleter {
    fn complete<'a>(
        &'a self,
        project: &'a ProjectId,
        ask: Completion,
    ) -> BoxFuture<'a, Result<Completed, CompletionError>> {
        let unscripted = || CompletionError::new(ErrorClass::Internal, "no answer is left");
        let next = self.answers.lock().pop_front();
        let answer = next.or_else(|| self.rule.lock().map(|rule| Ok(rule(&ask)))).unwrap_or_else(|| Err(unscripted()));
        let model = format!("{}-0613", ask.model);
        self.asked.lock().push((project.clone(), ask));
        let answer = answer.map(|text| Completed { text, model, usage: USAGE, cost: Some(COST), trace_id: None });
        Box::pin(std::future::ready(answer))
    }
}
