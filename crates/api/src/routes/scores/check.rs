//! What was sent as scores: every refusal names the field.

use std::collections::HashMap;

use serde_json::Value;
use signalbox_types::{ProjectId, Score, Timestamp, TraceId};

use super::{NewScore, NewScores};
use crate::error::ApiError;

/// Scores of one request at most.
pub(super) const MAX_SCORES: usize = 1_000;
/// Characters of what scores are listed and grouped by.
const MAX_CHARS: usize = 200;
const MAX_METADATA: usize = 100;

pub(super) fn scores(sent: NewScores, project: &ProjectId, now: Timestamp) -> Result<Vec<Score>, ApiError> {
    match sent {
        NewScores::One(one) => Ok(vec![score(*one, project, now, "")?]),
        NewScores::Many(many) => {
            if many.is_empty() || many.len() > MAX_SCORES {
                let problem = format!("it has {} scores; expected 1 to {MAX_SCORES}", many.len());
                return Err(ApiError::invalid("[]", problem));
            }
            let each = many.into_iter().enumerate();
            let scores: Vec<Score> =
                each.map(|(i, one)| score(one, project, now, &format!("[{i}]."))).collect::<Result<_, _>>()?;
            // Which of them would count is anybody's guess.
            let mut first = HashMap::new();
            for (i, score) in scores.iter().enumerate() {
                if let Some(before) = first.insert(score.id.as_str(), i) {
                    return Err(ApiError::invalid(format!("[{i}].id"), format!("it is the id of [{before}] as well")));
                }
            }
            Ok(scores)
        }
    }
}

fn score(sent: NewScore, project: &ProjectId, now: Timestamp, place: &str) -> Result<Score, ApiError> {
    let wrong = |field: &str, problem: &str| Err(ApiError::invalid(format!("{place}{field}"), problem));
    let texts = [
        ("id", sent.id.as_deref()),
        ("session_id", sent.session_id.as_deref()),
        ("name", Some(sent.name.as_str())),
        ("label", sent.label.as_deref()),
        ("author", sent.author.as_deref()),
    ];
    for (field, text) in texts {
        let Some(text) = text else { continue };
        if text.trim().is_empty() {
            return wrong(field, "it is empty");
        }
        if text.chars().count() > MAX_CHARS {
            return wrong(field, &format!("it is longer than {MAX_CHARS} characters"));
        }
        if text.chars().any(char::is_control) {
            return wrong(field, "it has control characters");
        }
    }
    if sent.trace_id.is_none() && sent.session_id.is_none() {
        return wrong("trace_id", "a score judges a trace or a session; expected `trace_id` or `session_id`");
    }
    if sent.span_id.is_some() && sent.trace_id.is_none() {
        return wrong("span_id", "a span is named together with its trace; expected `trace_id` as well");
    }
    if sent.value.is_none() && sent.label.is_none() && sent.passed.is_none() {
        return wrong("value", "a score says something; expected `value`, `label` or `passed`");
    }
    if sent.metadata.len() > MAX_METADATA {
        return wrong("metadata", &format!("it has {} keys; expected {MAX_METADATA} at most", sent.metadata.len()));
    }
    // A UUIDv7, as trace ids are.
    let id = sent.id.unwrap_or_else(|| TraceId::new().to_string());
    let mut score = Score::new(project.clone(), id, sent.name, sent.time.unwrap_or(now));
    (score.trace_id, score.span_id, score.session_id) = (sent.trace_id, sent.span_id, sent.session_id);
    (score.value, score.label, score.passed) = (sent.value, sent.label, sent.passed);
    (score.source, score.reason, score.author) = (sent.source, sent.reason, sent.author);
    score.metadata = sent.metadata.into_iter().map(|(key, value)| (key, kept(value))).collect();
    Ok(score)
}

/// A text as it is, anything else as JSON.
fn kept(value: Value) -> String {
    match value {
        Value::String(text) => text,
        value => value.to_string(),
    }
}
