//! What a rule would do, before it is saved.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use signalbox_metrics::case::INPUTS;
use signalbox_types::query::{Function, Measure};
use signalbox_types::seam::{EventStore, StoreError};
use signalbox_types::table::SPANS;
use signalbox_types::{ProjectId, Query, Span, SpanId, Timestamp, TraceId};

use super::live::{is_own, wants_trace};
use super::make::Made;
use super::mapping;
use super::read;
use super::rule::Rule;

const DAY: Duration = Duration::from_secs(86_400);
const EXAMPLES: usize = 3;
/// Calls of evaluation itself may be among the newest.
const LOOKED_AT: u32 = 20;
const MOST_CHARS: usize = 2_000;

/// What a rule would do.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = OnlinePreview)]
pub struct Preview {
    /// Spans of the last 24 hours that meet the filter.
    pub matched: u64,
    /// How many of them the sample would have, about.
    pub sampled: u64,
    /// The newest of them.
    pub examples: Vec<Example>,
}

/// A span, and what scorers would see and say of it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = OnlineExample)]
pub struct Example {
    /// Its trace.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// Its name.
    pub name: String,
    /// When it began.
    pub start_time: Timestamp,
    /// What scorers see, cut where it is long.
    #[schema(value_type = Object)]
    pub inputs: Map<String, Value>,
    /// What each would say.
    pub scores: Vec<ExampleScore>,
}

/// What a scorer would say.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = OnlineExampleScore)]
pub struct ExampleScore {
    /// Its name.
    pub name: String,
    /// The value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Good enough?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed: Option<bool>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why there is no score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a rule would do. Judges aren't asked: that costs money.
///
/// # Errors
/// The store can't answer.
pub async fn preview(
    store: &dyn EventStore,
    project: &ProjectId,
    rule: &Rule,
    scorers: Vec<Made>,
    now: Timestamp,
) -> Result<Preview, StoreError> {
    let time = read::between(now.minus(DAY), now.plus(Duration::from_micros(1)));
    let measures =
        vec![Measure { function: Function::Count, column: None, q: None, filter: None, alias: Some("n".to_owned()) }];
    let count = Query { time, filter: Some(rule.wanted()), measures, ..Query::of(&SPANS) };
    let answer = store.query(project, &count).await?;
    let matched = answer.rows.first().and_then(|row| row.first()).and_then(Value::as_u64).unwrap_or_default();
    let mut spans = read::newest(store, project, rule.wanted(), time, LOOKED_AT).await?;
    spans.retain(|span| !is_own(span));
    spans.truncate(EXAMPLES);
    let contexts = match wants_trace(rule, &scorers) {
        true => read::contexts(store, project, &spans.iter().collect::<Vec<_>>()).await?,
        false => read::Contexts::new(),
    };
    let (rule, scorers) = (Arc::new(rule.clone()), Arc::new(scorers));
    let sampled = (matched as f64 * rule.sample_rate).round() as u64;
    let examples = tokio::task::spawn_blocking(move || {
        spans.iter().map(|span| example(span, &rule, &scorers, &read::known(&contexts, span))).collect()
    });
    let examples = examples.await.map_err(|failed| StoreError::Internal(failed.to_string()))?;
    Ok(Preview { matched, sampled, examples })
}

fn example(span: &Span, rule: &Rule, scorers: &[Made], found: &[String]) -> Example {
    let case = mapping::case(span, &rule.mapping, found);
    let scores = scorers.iter().map(|made| {
        let mut score =
            ExampleScore { name: made.name().to_owned(), value: None, passed: None, reason: None, error: None };
        match made {
            Made::Asks(_) => score.error = Some("it is asked once the rule is on".to_owned()),
            Made::Fast(local) => match local.measure(&case) {
                Ok(scored) => {
                    (score.value, score.passed, score.reason) = (scored.value, scored.passed, Some(scored.reason));
                }
                Err(problem) => score.error = Some(problem.to_string()),
            },
        }
        score
    });
    // What some scorer looks at, and what there is besides.
    let wanted: HashSet<&str> = scorers.iter().flat_map(Made::inputs).map(|input| input.name()).collect();
    let inputs = INPUTS.iter().filter_map(|input| {
        let value = case.find(*input);
        let shown = value.is_some() || wanted.contains(input.name());
        shown.then(|| (input.name().to_owned(), value.map(shorten).unwrap_or_default()))
    });
    Example {
        trace_id: span.trace_id,
        span_id: span.span_id,
        name: span.name.clone(),
        start_time: span.start_time,
        inputs: inputs.collect(),
        scores: scores.collect(),
    }
}

/// A value as an example shows it.
fn shorten(value: &Value) -> Value {
    let cut = |text: &str| match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    };
    match value {
        Value::String(text) => cut(text).into(),
        Value::Array(items) => items.iter().take(20).map(shorten).collect(),
        Value::Object(_) => {
            let text = value.to_string();
            if text.len() > MOST_CHARS { cut(&text).into() } else { value.clone() }
        }
        other => other.clone(),
    }
}
