//! Asks services of one's own about the texts of a call, before the guard looks at them: all at once, within the deadline that each
//! policy sets. What was answered lately is remembered, and who fails again and again is left alone for a while.

mod gate;
mod memory;

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use http::header::CONTENT_TYPE;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use signalbox_guard::{Answers, Guard, Judgement, Question, ServiceConfig, format};
use signalbox_types::seam::Clock;
use signalbox_types::{Place, Secret};
use signalbox_upstream::Poster;
use tokio::time::Instant;

pub(crate) use gate::Gate;
pub(crate) use memory::Memory;
use memory::Who;

use crate::metrics::Word;

/// So many texts, and bytes of texts, go in one request.
const MOST_TEXTS: usize = 64;
const MOST_TEXT_BYTES: usize = 256 << 10;
/// So many texts of a call are asked about at once; more is more than anybody answers in time.
const MOST_PIECES: usize = 2_048;
/// More of an answer isn't read.
const MOST_ANSWER_BYTES: usize = 1 << 20;

/// Texts that services were asked about, by what came of it.
pub(crate) type Asked = Family<AskedLabels, Counter>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct AskedLabels {
    service: Word,
    outcome: &'static str,
}

/// Who asks, and remembers.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(crate) memory: Arc<Memory>,
    pub(crate) poster: Arc<Poster>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) asked: Asked,
}

/// Why there is no judgement, and what it counts as.
struct Failure {
    outcome: &'static str,
    reason: Arc<str>,
}

impl Asker {
    /// Has these texts answered as far as this guard asks about them here. Ends at the latest with the last deadline.
    pub(crate) async fn ask_whole(&self, guard: &Guard, place: Place, texts: &[Arc<str>], answers: &Answers) {
        let mut pieces: Vec<Arc<str>> = Vec::new();
        for text in texts {
            match answers.piece(text, 0, false) == Some(text.len()) {
                true => pieces.extend(answers.pieces(text).next().map(|_| Arc::clone(text))),
                false => pieces.extend(answers.pieces(text).map(Arc::<str>::from)),
            }
        }
        self.ask(guard, place, &pieces, answers).await;
    }

    /// Has these pieces answered.
    pub(crate) async fn ask(&self, guard: &Guard, place: Place, pieces: &[Arc<str>], answers: &Answers) {
        let began = Instant::now();
        let questions = guard.questions(place);
        join_all(questions.iter().map(|question| self.put(guard, question, place, pieces, answers))).await;
        answers.waited(began.elapsed());
    }

    async fn put(&self, guard: &Guard, question: &Question, place: Place, pieces: &[Arc<str>], answers: &Answers) {
        let services = &guard.config().services;
        let Some(service) = services.iter().find(|service| *service.name == *question.service) else {
            let reason = "none of this name is configured (`guard.services`)";
            return self.fail(question, pieces, answers, &failure("unknown", reason), false);
        };
        let who = Who::of(service);
        let mut new: Vec<Arc<str>> = Vec::new();
        let mut seen = HashSet::new();
        for piece in pieces.iter().filter(|piece| seen.insert(Arc::clone(piece)) && !answers.has(question, piece)) {
            match self.memory.recall(&who, place, piece, self.clock.elapsed()) {
                Some(judgement) => {
                    self.count(question, "remembered", 1);
                    answers.put(question, Arc::clone(piece), Ok(judgement));
                }
                None => new.push(Arc::clone(piece)),
            }
        }
        if new.is_empty() {
            return;
        }
        if new.len() > MOST_PIECES {
            let reason = format!("{} texts are more than it is asked about at once", new.len());
            return self.fail(question, &new, answers, &failure("too_many", &reason), true);
        }
        if !self.memory.may_ask(&who, self.clock.elapsed()) {
            let reason = "it has failed again and again and is left alone for some seconds";
            return self.fail(question, &new, answers, &failure("left_alone", reason), true);
        }
        let batches = batches(&new);
        join_all(batches.into_iter().map(|batch| self.post(service, &who, question, place, batch, answers))).await;
    }

    async fn post(
        &self,
        service: &ServiceConfig,
        who: &Who,
        question: &Question,
        place: Place,
        batch: &[Arc<str>],
        answers: &Answers,
    ) {
        let body = Bytes::from(format::request(place, batch));
        let mut headers: Vec<(String, Secret)> =
            vec![(CONTENT_TYPE.to_string(), Secret::new("application/json".into()))];
        headers.extend(service.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        let posted = self.poster.post(&service.url, &headers, body, MOST_ANSWER_BYTES);
        let judged = match tokio::time::timeout(question.deadline, posted).await {
            Err(_) => Err(failure("timeout", &format!("no answer within {} ms", question.deadline.as_millis()))),
            Ok(Err(reason)) => Err(failure("error", &reason)),
            Ok(Ok(posted)) if posted.status != 200 => {
                Err(failure("error", &format!("it answered with status {}", posted.status)))
            }
            Ok(Ok(posted)) => format::read(&posted.body, batch).map_err(|reason| failure("error", &reason)),
        };
        let now = self.clock.elapsed();
        match judged {
            Ok(judgements) => {
                self.memory.went_well(who);
                self.count(question, "answered", batch.len());
                for (piece, judgement) in batch.iter().zip(judgements) {
                    let judgement: Arc<Judgement> = Arc::new(judgement);
                    self.memory.keep(who, place, piece, Arc::clone(&judgement), now);
                    answers.put(question, Arc::clone(piece), Ok(judgement));
                }
            }
            Err(failure) => {
                self.memory.failed(who, now);
                self.fail(question, batch, answers, &failure, true);
            }
        }
    }

    fn fail(&self, question: &Question, pieces: &[Arc<str>], answers: &Answers, failure: &Failure, is_known: bool) {
        let service = &question.service;
        tracing::debug!(%service, reason = %failure.reason, "a remote check could not be made");
        // A project may name what there isn't: that makes no label.
        let name = if is_known { Arc::clone(service) } else { "".into() };
        let labels = AskedLabels { service: Word(name), outcome: failure.outcome };
        self.asked.get_or_create(&labels).inc_by(pieces.len() as u64);
        for piece in pieces {
            answers.put(question, Arc::clone(piece), Err(Arc::clone(&failure.reason)));
        }
    }

    fn count(&self, question: &Question, outcome: &'static str, texts: usize) {
        let labels = AskedLabels { service: Word(Arc::clone(&question.service)), outcome };
        self.asked.get_or_create(&labels).inc_by(texts as u64);
    }
}

fn failure(outcome: &'static str, reason: &str) -> Failure {
    Failure { outcome, reason: reason.into() }
}

/// What goes in one request each.
fn batches(pieces: &[Arc<str>]) -> Vec<&[Arc<str>]> {
    let (mut batches, mut first, mut bytes) = (Vec::new(), 0, 0);
    for (place, piece) in pieces.iter().enumerate() {
        if place > first && (place - first >= MOST_TEXTS || bytes + piece.len() > MOST_TEXT_BYTES) {
            batches.extend(pieces.get(first..place));
            (first, bytes) = (place, 0);
        }
        bytes += piece.len();
    }
    batches.extend(pieces.get(first..).filter(|rest| !rest.is_empty()));
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_bounded() {
        let lengths = |pieces: Vec<Arc<str>>| batches(&pieces).iter().map(|batch| batch.len()).collect::<Vec<_>>();
        let text = |bytes: usize| Arc::<str>::from("x".repeat(bytes));
        assert!(lengths(Vec::new()).is_empty());
        assert_eq!(lengths(vec![text(1); 130]), [64, 64, 2]);
        assert_eq!(lengths(vec![text(200 << 10), text(100 << 10), text(1 << 20), text(1)]), [1, 1, 1, 1]);
    }
}
