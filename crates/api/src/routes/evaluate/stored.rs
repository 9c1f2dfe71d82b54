//! Scores as they are stored: of a trace, a span or a session.

use std::collections::BTreeMap;

use serde::Serialize;
use signalbox_types::{ProjectId, Score, ScoreSource, Timestamp, TraceId};

use super::MetricScore;
use super::ask::{Item, Metric, Work};

/// What there is to store; each told its id. What couldn't be measured isn't stored.
pub(super) fn scores(work: &Work, scores: &mut [Vec<MetricScore>], project: &ProjectId, now: Timestamp) -> Vec<Score> {
    let mut kept = Vec::new();
    for (item, scores) in work.items.iter().zip(scores) {
        for (metric, score) in work.metrics.iter().zip(scores).filter(|(_, score)| score.error.is_none()) {
            let id = TraceId::new().to_string();
            score.score_id = Some(id.clone());
            kept.push(one(item, metric, score, Score::new(project.clone(), id, score.metric.clone(), now)));
        }
    }
    kept
}

fn one(item: &Item, metric: &Metric, told: &MetricScore, mut score: Score) -> Score {
    (score.trace_id, score.span_id, score.session_id) = (item.trace_id, item.span_id, item.session_id.clone());
    (score.value, score.label, score.passed) = (told.value, told.label.clone(), told.passed);
    score.reason.clone_from(&told.reason);
    let metadata = &mut score.metadata;
    if !told.evidence.is_empty() {
        put(metadata, "evidence", &told.evidence);
    }
    match metric {
        Metric::Local(measure) => {
            put(metadata, "metric", &measure.about().name);
            score.source = ScoreSource::Code;
        }
        Metric::ByVectors(by_vectors) => {
            put(metadata, "metric", &by_vectors.about().name);
            put(metadata, "embedding_model", &by_vectors.model().name());
            if let Some(cost) = told.cost_usd {
                put(metadata, "cost_usd", &cost);
            }
            score.source = ScoreSource::Code;
        }
        Metric::Judge(judge) => {
            put(metadata, "rubric", &judge.rubric().name);
            if let Some(detail) = &told.judgement {
                if let Some(agreement) = detail.agreement {
                    put(metadata, "agreement", &agreement);
                }
                if !detail.flags.is_empty() {
                    put(metadata, "flags", &detail.flags);
                }
                if let Some(cost) = detail.cost_usd {
                    put(metadata, "cost_usd", &cost);
                }
                let traces: Vec<&TraceId> = detail.opinions.iter().flat_map(|one| &one.trace_ids).collect();
                if !traces.is_empty() {
                    put(metadata, "judged_in", &traces);
                }
            }
            score.author = Some(judge.plan().models.join(", "));
            score.source = ScoreSource::Judge;
        }
    }
    score
}

/// Texts as they are, anything else as JSON.
fn put(metadata: &mut BTreeMap<String, String>, name: &str, value: &impl Serialize) {
    let text = match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => return,
    };
    metadata.insert(name.to_owned(), text);
}
