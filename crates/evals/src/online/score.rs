//! Scores of spans: measured at once where that can be done, and what is to be asked of judges.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::json;
use signalbox_metrics::Case;
use signalbox_types::{Money, Score, Span, SpanId, Timestamp, TraceId};

use super::live::Live;
use super::make::Made;
use super::mapping;
use super::tracker::{Skip, Ticket};
use crate::{Scored, Scorer, ScorerError};

/// Evidence is kept up to this length.
const MOST_EVIDENCE_BYTES: usize = 8 << 10;

/// A span that a rule is to score.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) live: Arc<Live>,
    pub(super) span: Arc<Span>,
    /// What retrievers of its trace found.
    pub(super) found: Vec<String>,
    /// Names of scores that it has already.
    pub(super) has: HashSet<String>,
    /// The store has said that it meets the rule's filter: not all of it may have been read.
    pub(super) checked: bool,
}

/// A judge that is to be asked.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) live: Arc<Live>,
    pub(super) scorer: Arc<dyn Scorer>,
    pub(super) case: Arc<Case>,
    pub(super) span: Arc<Span>,
    pub(super) id: String,
    /// What is set aside for it.
    pub(super) reserved: Money,
    pub(super) ticket: Ticket,
}

/// What came of some spans.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) scores: Vec<Score>,
    pub(super) asks: Vec<Ask>,
}

/// Scores as much as can be scored without asking anybody. Takes its time: never on a thread that serves calls.
pub(super) fn measure(tasks: &[Task], now: Timestamp) -> Measured {
    let mut measured = Measured::default();
    for task in tasks {
        let Task { live, span, found, has, checked } = task;
        if !checked && !live.matches(span) {
            continue;
        }
        let case = Arc::new(mapping::case(span, &live.rule.mapping, found));
        for made in live.scorers.iter().filter(|made| !has.contains(made.name())) {
            if made.inputs().iter().any(|input| case.find(*input).is_none()) {
                live.tracker.skipped(Skip::NoInput);
                continue;
            }
            match made {
                Made::Fast(local) => match local.measure(&case) {
                    Ok(_) if !live.tracker.may_score(live.rule.budget, now) => live.tracker.skipped(Skip::Budget),
                    Ok(scored) => measured.scores.push(row(live, made, span, scored)),
                    Err(problem) => live.tracker.failed(now, format!("{}: {problem}", made.name())),
                },
                Made::Asks(scorer) => measured.asks.extend(ask(live, made, scorer, (&case, span), now)),
            }
        }
    }
    measured
}

fn ask(
    live: &Arc<Live>,
    made: &Made,
    scorer: &Arc<dyn Scorer>,
    (case, span): (&Arc<Case>, &Arc<Span>),
    now: Timestamp,
) -> Option<Ask> {
    let tracker = &live.tracker;
    let id = id(live, made.name(), &span.trace_id, &span.span_id);
    if !tracker.begin_asking(&id) {
        return None;
    }
    let reserved = tracker.reserve(live.rule.budget, now);
    let may = reserved.filter(|_| tracker.may_score(live.rule.budget, now));
    let Some(reserved) = may else {
        if let Some(reserved) = reserved {
            tracker.release(reserved);
        }
        tracker.skipped(Skip::Budget);
        tracker.end_asking(&id);
        return None;
    };
    let ticket = tracker.ticket(span.start_time);
    let (scorer, case, span) = (Arc::clone(scorer), Arc::clone(case), Arc::clone(span));
    Some(Ask { live: Arc::clone(live), scorer, case, span, id, reserved, ticket })
}

/// What a judge said, and whether another try may help if it said nothing.
#[derive(Debug)]
pub(super) enum Asked {
    Score(Box<Score>),
    Failed,
    Again,
}

impl Ask {
    /// Asks.
    pub(super) async fn ask(self, now: impl Fn() -> Timestamp) -> (Self, Asked) {
        let result = self.scorer.score(&self.case).await;
        let tracker = &self.live.tracker;
        let cost = result.as_ref().ok().and_then(|scored| scored.cost).unwrap_or(Money::ZERO);
        tracker.spend(self.reserved, cost, now());
        let asked = match result {
            Ok(scored) => {
                let made = Made::Asks(Arc::clone(&self.scorer));
                Asked::Score(Box::new(row(&self.live, &made, &self.span, scored)))
            }
            Err(error) => {
                tracker.failed(now(), format!("{}: {error}", self.scorer.name()));
                if may_help(&error) { Asked::Again } else { Asked::Failed }
            }
        };
        (self, asked)
    }
}

/// Whether the same question may be answered later.
fn may_help(error: &ScorerError) -> bool {
    use signalbox_types::ErrorClass::{
        Overloaded, RateLimited, UpstreamError, UpstreamOverloaded, UpstreamTimeout, UpstreamUnreachable,
    };
    let classes = [Overloaded, RateLimited, UpstreamError, UpstreamOverloaded, UpstreamTimeout, UpstreamUnreachable];
    matches!(error, ScorerError::Completion(error) if classes.contains(&error.class))
}

/// The id of a score: the same for whoever makes it, so that no span has one twice.
fn id(live: &Live, scorer: &str, trace: &TraceId, span: &SpanId) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(live.rule.name.as_bytes()).update(&[0]).update(scorer.as_bytes()).update(&[0]);
    hasher.update(&live.version.to_le_bytes()).update(trace.as_bytes()).update(span.as_bytes());
    let hex = hasher.finalize().to_hex();
    format!("online-{}", hex.get(..32).unwrap_or_default())
}

/// The record of a score. Its time is that of the span's end: of whatever else the same traffic is measured, it is told at
/// the same time, also when it is scored later.
fn row(live: &Live, made: &Made, span: &Span, scored: Scored) -> Score {
    let rate = live.rule.sample_rate;
    let id = id(live, made.name(), &span.trace_id, &span.span_id);
    let mut score = Score::new(live.project.clone(), id, made.name(), span.end_time);
    (score.trace_id, score.span_id) = (Some(span.trace_id), Some(span.span_id));
    score.session_id.clone_from(&span.session_id);
    (score.value, score.label, score.passed) = (scored.value, scored.label, scored.passed);
    score.source = made.source();
    score.reason = Some(scored.reason).filter(|reason| !reason.is_empty());
    score.author = Some(format!("rule {}", live.rule.name));
    let mut put = |key: &str, value: String| score.metadata.insert(key.to_owned(), value);
    put("rule", live.rule.name.clone());
    put("rule_version", live.version.to_string());
    put("sample_rate", rate.to_string());
    put("weight", (1.0 / rate).to_string());
    if let Some(cost) = scored.cost {
        put("cost", cost.to_string());
    }
    if !scored.evidence.is_empty() {
        let evidence = json!(scored.evidence).to_string();
        if evidence.len() <= MOST_EVIDENCE_BYTES {
            put("evidence", evidence);
        }
    }
    score
}
