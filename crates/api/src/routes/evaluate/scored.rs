//! Measures what there is to measure: metrics beside the runtime, those who ask a model a few at once.

use std::time::Instant;

use futures_util::{StreamExt as _, stream};
use signalbox_evals::judge::{Judge, Judgement};
use signalbox_evals::{ByVectors, Scorer as _};
use signalbox_metrics::{Case, Evidence, Measure};
use tokio::sync::Semaphore;

use super::ask::{Item, Metric, Work};
use super::{JudgeOpinion, JudgementDetail, JudgementFlag, MetricEvidence, MetricScore, micros};
use crate::error::ApiError;

/// Questions of one request to models that are under way at once.
const AT_ONCE: usize = 8;

/// A score for each case and metric, in the order of the request.
pub(super) async fn all(work: Work, judging: &Semaphore) -> Result<(Work, Vec<Vec<MetricScore>>), ApiError> {
    // Many or long texts take their time: beside the runtime, so that nobody's stream waits for them.
    let measured = tokio::task::spawn_blocking(move || {
        let of_case = |item: &Item| work.metrics.iter().map(|metric| measured(metric, &item.case)).collect();
        let scores: Vec<Vec<MetricScore>> = work.items.iter().map(of_case).collect();
        (work, scores)
    });
    let (work, mut scores) = measured.await.map_err(|error| ApiError::internal(&error))?;
    let asking = work.metrics.iter().enumerate().filter(|(_, metric)| !matches!(metric, Metric::Local(_)));
    let asking: Vec<(usize, &Metric)> = asking.collect();
    let pairs =
        work.items.iter().enumerate().flat_map(|(case, item)| asking.iter().map(move |asking| (case, item, *asking)));
    let asked = pairs.map(|(case, item, (at, metric))| async move {
        // The semaphore is never closed: without a permit nobody would be kept waiting for ever.
        let _permit = judging.acquire().await;
        let score = match metric {
            Metric::Judge(judge) => judged(judge, item).await,
            Metric::ByVectors(metric) => by_vectors(metric, &item.case).await,
            Metric::Local(measure) => by_code(measure.about().name.to_owned(), measure, &item.case),
        };
        (case, at, score)
    });
    let mut asked = stream::iter(asked.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
    while let Some((case, metric, score)) = asked.next().await {
        if let Some(place) = scores.get_mut(case).and_then(|scores: &mut Vec<MetricScore>| scores.get_mut(metric)) {
            *place = score;
        }
    }
    drop(asked);
    Ok((work, scores))
}

fn measured(metric: &Metric, case: &Case) -> MetricScore {
    let name = metric.name().to_owned();
    match metric {
        Metric::Local(measure) => by_code(name, measure, case),
        // Comes later.
        Metric::Judge(_) | Metric::ByVectors(_) => MetricScore { metric: name, ..MetricScore::default() },
    }
}

fn by_code(metric: String, measure: &Measure, case: &Case) -> MetricScore {
    let began = Instant::now();
    let found = measure.score(case);
    let told = MetricScore { metric, us: micros(began), ..MetricScore::default() };
    match found {
        Err(problem) => MetricScore { error: Some(problem.to_string()), ..told },
        Ok(score) => MetricScore {
            value: Some(score.value),
            passed: Some(score.passed),
            reason: Some(score.reason),
            evidence: places(score.evidence),
            ..told
        },
    }
}

async fn by_vectors(metric: &ByVectors, case: &Case) -> MetricScore {
    let began = Instant::now();
    let found = metric.score(case).await;
    let told = MetricScore { metric: metric.name().to_owned(), us: micros(began), ..MetricScore::default() };
    match found {
        Err(error) => MetricScore { error: Some(error.to_string()), ..told },
        Ok(scored) => MetricScore {
            value: scored.value,
            passed: scored.passed,
            reason: Some(scored.reason),
            evidence: places(scored.evidence),
            cost_usd: scored.cost,
            ..told
        },
    }
}

async fn judged(judge: &Judge, item: &Item) -> MetricScore {
    let began = Instant::now();
    let found = judge.judge_written_by(&item.case, item.output_model.as_deref()).await;
    let metric = judge.name().to_owned();
    let told = MetricScore { metric, us: micros(began), ..MetricScore::default() };
    match found {
        Err(error) => MetricScore { error: Some(error.to_string()), ..told },
        Ok(judgement) => by_judge(judgement, told),
    }
}

fn by_judge(judgement: Judgement, told: MetricScore) -> MetricScore {
    let Judgement { value, label, passed, reason, evidence, agreement, flags, tally, opinions } = judgement;
    let flags = flags.into_iter().map(|flag| JudgementFlag { kind: flag.kind, message: flag.message });
    let opinions = opinions.into_iter().map(|one| JudgeOpinion {
        model: one.model,
        answered_by: one.answered_by,
        value: one.value,
        label: one.label,
        reason: one.reason,
        trace_ids: one.tally.trace_ids,
    });
    let detail = JudgementDetail {
        agreement,
        flags: flags.collect(),
        calls: tally.calls,
        cost_usd: tally.cost,
        input_tokens: tally.usage.input_tokens,
        output_tokens: tally.usage.output_tokens,
        opinions: opinions.collect(),
    };
    let (reason, evidence) = (Some(reason), places(evidence));
    MetricScore { value, label, passed, reason, evidence, judgement: Some(detail), ..told }
}

fn places(evidence: Vec<Evidence>) -> Vec<MetricEvidence> {
    let place = |one: Evidence| MetricEvidence { input: one.input, start: one.start, end: one.end, note: one.note };
    evidence.into_iter().map(place).collect()
}
