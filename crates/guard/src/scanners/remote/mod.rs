//! What a service of one's own says of texts: a vendor's filter, a model on another machine. Asks nobody: who runs the guard
//! does, and gives the answers ([`Answers`]) before it looks.

pub mod answers;
pub mod format;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use signalbox_types::{Finding, Severity};

use self::answers::{Answers, Question, Reply, is_worth_asking};
use crate::options::{self, Maker, OptionProblem, Options};
use crate::scanner::{About, Hit, Replacement, Rule, Scanner, Text, rule};

/// Makes [`Remote`].
#[derive(Debug)]
pub struct RemoteMaker;

static ABOUT: About = About {
    name: "remote",
    summary: "What a service of your own, asked over HTTP within a deadline, says of a text.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: 0,
    hold: answers::MOST_BYTES + 4,
};

static RULES: &[Rule] = &[
    rule("flagged", Severity::High, "The remote check says that this must be looked at; its documents say why."),
    rule(
        "unchecked",
        Severity::High,
        "The remote check could not be made, and its policy lets nothing pass unchecked.",
    ),
];
const FLAGGED: &Rule = &RULES[0];
const UNCHECKED: &Rule = &RULES[1];

/// A caller waits for it.
const MOST_MS: u64 = 10_000;

/// What is done with a text of which the service says nothing in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum OnFailure {
    /// It passes; the span and `/metrics` tell.
    Allow,
    /// It doesn't.
    Block,
}

/// Whom to ask.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default)]
struct Asked {
    /// The name of the service, of those in `guard.services` of the configuration.
    service: String,
    /// How long it is waited for an answer, in milliseconds, 1 to 10,000. Default 300.
    deadline_ms: u64,
    /// What becomes of a text when no answer comes in time: `allow` lets it pass and notes that on the span, `block` refuses it, if
    /// the policy does more than flag. Default `allow`.
    on_failure: OnFailure,
    /// From which `score` on it is a finding, from 0 to 1. Default: what the service says itself (`flagged`).
    min_score: Option<f32>,
}

impl Default for Asked {
    fn default() -> Self {
        Self { service: String::new(), deadline_ms: 300, on_failure: OnFailure::Allow, min_score: None }
    }
}

impl Maker for RemoteMaker {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn schema(&self) -> Schema {
        schema_for!(Asked)
    }

    fn make(&self, options: &Options) -> Result<Arc<dyn Scanner>, OptionProblem> {
        let Asked { service, deadline_ms, on_failure, min_score } = options::read(options)?;
        if service.is_empty() {
            let message = "it is missing; name one of `guard.services` in the configuration";
            return Err(OptionProblem::new("service", message));
        }
        if !(1..=MOST_MS).contains(&deadline_ms) {
            return Err(OptionProblem::new(
                "deadline_ms",
                format_args!("expected 1 to {MOST_MS}, found {deadline_ms}"),
            ));
        }
        if let Some(found) = min_score.filter(|score| !(0.0..=1.0).contains(score)) {
            return Err(OptionProblem::new("min_score", format_args!("expected 0 to 1, found {found}")));
        }
        let question = Question {
            service: service.into(),
            deadline: Duration::from_millis(deadline_ms),
            closed: on_failure == OnFailure::Block,
        };
        Ok(Arc::new(Remote { question, min_score, answers: None }))
    }
}

/// Whether a hit of this rule says that nothing could be said.
pub(crate) fn is_failure(rule: &Rule) -> bool {
    rule == UNCHECKED
}

/// Whether a finding says that a remote check could not be made.
#[must_use]
pub fn is_unchecked(finding: &Finding) -> bool {
    finding.scanner == ABOUT.name && finding.rule == UNCHECKED.name
}

/// Says what a service said; until it is given that, that it was not asked.
#[derive(Debug)]
pub struct Remote {
    question: Question,
    min_score: Option<f32>,
    answers: Option<Arc<Answers>>,
}

impl Scanner for Remote {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// There is nothing to build, and nobody to ask yet.
    fn warm(&self) {}

    fn question(&self) -> Option<&Question> {
        Some(&self.question)
    }

    fn answered(&self, answers: &Arc<Answers>) -> Option<Arc<dyn Scanner>> {
        let (question, min_score) = (self.question.clone(), self.min_score);
        Some(Arc::new(Self { question, min_score, answers: Some(Arc::clone(answers)) }))
    }

    fn waited(&self) -> Duration {
        self.answers.as_ref().map(|answers| answers.took()).unwrap_or_default()
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let whole = text.as_str();
        let Some(answers) = &self.answers else {
            // Nobody asks where this runs.
            let rest = whole.get(text.from()..).unwrap_or_default();
            let first = rest.chars().next().map_or(0, char::len_utf8);
            if first > 0 && text.base() + text.from() == 0 {
                self.unchecked(0, first, hits);
            }
            return whole.len();
        };
        let mut at = text.from();
        while let Some(end) = answers.piece(whole, at, text.is_open()) {
            let piece = whole.get(at..end).unwrap_or_default();
            if is_worth_asking(piece) {
                match answers.get(&self.question, piece) {
                    Some(reply) => self.judge(&reply, at, end, hits),
                    // The answer is on its way.
                    None if text.is_open() => return at,
                    None => self.unchecked(at, end, hits),
                }
            }
            at = end;
        }
        at
    }

    fn score(&self, text: Text<'_>, _hits: &[Hit]) -> f32 {
        let Some(answers) = &self.answers else { return 0.0 };
        let said = answers.pieces(text.as_str()).filter_map(|piece| answers.get(&self.question, piece)?.ok());
        said.map(|judgement| judgement.score).fold(0.0, f32::max)
    }

    fn explain(&self, _text: &str, hit: &Hit) -> Option<String> {
        let service = &self.question.service;
        if is_failure(hit.rule) {
            let failures = self.answers.as_ref().map(|answers| answers.failures()).unwrap_or_default();
            let reason = failures.into_iter().find(|(failed, _)| failed == service).map(|(_, reason)| reason);
            return Some(format!("service `{service}`: {}", reason.as_deref().unwrap_or("it was not asked")));
        }
        Some(match kind(&hit.replacement) {
            Some(kind) => format!("service `{service}`: {kind}"),
            None => format!("service `{service}`"),
        })
    }
}

impl Remote {
    fn judge(&self, reply: &Reply, start: usize, end: usize, hits: &mut Vec<Hit>) {
        let Ok(judgement) = reply else { return self.unchecked(start, end, hits) };
        let is_found = self.min_score.map_or(judgement.flagged, |least| judgement.score >= least);
        if !is_found {
            return;
        }
        let mut hit = |start, end, replacement| {
            hits.push(Hit { rule: FLAGGED, start, end, confidence: judgement.score, replacement });
        };
        if judgement.spans.is_empty() {
            return hit(start, end, Replacement::Mark);
        }
        for (range, kind) in &judgement.spans {
            let replacement = kind.as_ref().map_or(Replacement::Mark, |kind| Replacement::Text(mark(kind)));
            hit(start + range.start, start + range.end, replacement);
        }
    }

    fn unchecked(&self, start: usize, end: usize, hits: &mut Vec<Hit>) {
        if self.question.closed {
            hits.push(Hit { rule: UNCHECKED, start, end, confidence: 1.0, replacement: Replacement::Mark });
        }
    }
}

/// What stands in the place of a kind of thing.
fn mark(kind: &str) -> String {
    format!("[REDACTED:{kind}]")
}

/// The kind that such a mark was made of.
fn kind(replacement: &Replacement) -> Option<&str> {
    let Replacement::Text(text) = replacement else { return None };
    text.strip_prefix("[REDACTED:")?.strip_suffix(']')
}
