//! Metrics and judges: which there are, and what they say of answers.

mod ask;
mod examples;
pub(crate) mod rubrics;
mod scored;
mod stored;
#[cfg(test)]
mod tests;

use std::time::Instant;

use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value};
use signalbox_evals::judge::FlagKind;
use signalbox_evals::safety::every_metric;
use signalbox_metrics::{About, Direction, Family, Input};
use signalbox_types::{Money, TraceId};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

use ask::EvaluateAsk;

/// Every metric.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Metrics {
    /// By family, then by name.
    metrics: Vec<MetricAbout>,
}

/// A metric.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MetricAbout {
    /// Its name.
    #[schema(example = "rouge1")]
    name: &'static str,
    /// Other names that it answers to.
    aliases: Vec<&'static str>,
    /// What it looks at: `text`, `structure`, `retrieval`, `grounding`, `agent`, `drift`, `safety`.
    #[schema(value_type = String)]
    family: Family,
    /// What it measures, in a line.
    summary: &'static str,
    /// How the value comes about, and its limits.
    formula: &'static str,
    /// Where that was published, or whose behaviour it follows.
    source: &'static str,
    /// What a case must have.
    #[schema(value_type = Vec<String>)]
    inputs: &'static [Input],
    /// What it uses if a case has it.
    #[schema(value_type = Vec<String>)]
    optional_inputs: &'static [Input],
    /// The least value; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<f64>,
    /// The highest value; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<f64>,
    /// Which values are good: `higher` or `lower`.
    #[schema(value_type = String)]
    direction: Direction,
    /// What passes, unless the request says otherwise; inclusive.
    threshold: f64,
    /// What can be set.
    options: Vec<MetricOption>,
    /// A case to try it with: each of its inputs in the shape that it takes.
    #[schema(value_type = BTreeMap<String, Value>)]
    example: Map<String, Value>,
}

/// What can be set of a metric.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MetricOption {
    /// Its name.
    name: &'static str,
    /// What holds if it isn't set.
    default: &'static str,
    /// What it does, and which values there are.
    doc: &'static str,
}

/// What the metrics say.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct EvaluateAnswer {
    /// Microseconds that all of it took.
    us: f64,
    /// Each case, in the order of the request.
    results: Vec<CaseResult>,
}

/// What the metrics say of one case.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CaseResult {
    /// The case's own.
    #[serde(skip_serializing_if = "Value::is_null")]
    #[schema(value_type = Option<Value>)]
    id: Value,
    /// A score for each metric, in the order of the request.
    scores: Vec<MetricScore>,
}

/// What one metric or judge says of one case.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct MetricScore {
    /// The metric's name.
    metric: String,
    /// The value; absent if the case couldn't be measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    /// Which of several kinds, of a judge that tells kinds apart; of two answers `first`, `second` or `tie`.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// Good enough?
    #[serde(skip_serializing_if = "Option::is_none")]
    passed: Option<bool>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Why it couldn't be measured: the field, what was expected there, what was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The places that decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<MetricEvidence>,
    /// What a judge adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    judgement: Option<JudgementDetail>,
    /// What an embedding model cost, if one was asked and its price is known; what a judge cost stands in `judgement`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<Money>,
    /// The id of the score, if it was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    score_id: Option<String>,
    /// Microseconds that it took.
    us: f64,
}

/// What a judge adds to a score.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct JudgementDetail {
    /// How far the opinions agree, from 0 to 1; absent if there is one only.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<f64>,
    /// What to know of it.
    flags: Vec<JudgementFlag>,
    /// Calls of models.
    calls: usize,
    /// What they cost; absent if the price of one isn't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<Money>,
    /// Input tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    input_tokens: Option<u64>,
    /// Output tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens: Option<u64>,
    /// Each opinion; one for each time that a model was asked.
    opinions: Vec<JudgeOpinion>,
}

/// Something to know of a judgement.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct JudgementFlag {
    /// Which: `position_disagreement`, `longer_won`, `self_preference`, `unverified_quotes`, `repaired`, `setting_refused`,
    /// `no_majority`, `judge_failed`, `examples_by_letters`.
    #[schema(value_type = String)]
    kind: FlagKind,
    /// For people.
    message: String,
}

/// What one judge said once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct JudgeOpinion {
    /// The model, as it was asked for.
    model: String,
    /// The model that answered, as its provider names it.
    answered_by: String,
    /// How much.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    /// Which kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// Why.
    reason: String,
    /// The traces that its calls are recorded in.
    trace_ids: Vec<TraceId>,
}

/// A place that decided.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MetricEvidence {
    /// The part of the case that it is in.
    #[schema(value_type = String)]
    input: Input,
    /// Bytes of UTF-8 before it.
    start: usize,
    /// Bytes of UTF-8 up to its end.
    end: usize,
    /// What is the matter there.
    note: String,
}

/// List the metrics.
///
/// Every metric that runs without a judge: what it needs, its formula and where that comes from.
#[utoipa::path(get, path = "/api/v1/metrics", operation_id = "list_metrics", tag = "Evaluation",
    responses((status = 200, description = "Every metric.", body = Metrics)))]
pub(crate) async fn list(_: Caller) -> Json<Metrics> {
    Json(Metrics { metrics: every_metric().map(described).collect() })
}

fn described(about: &'static About) -> MetricAbout {
    let options = about.options.iter();
    MetricAbout {
        name: about.name,
        aliases: about.aliases.to_vec(),
        family: about.family,
        summary: about.summary,
        formula: about.formula,
        source: about.source,
        inputs: about.inputs,
        optional_inputs: about.also,
        low: Some(about.range.low).filter(|low| low.is_finite()),
        high: about.range.high,
        direction: about.direction,
        threshold: about.threshold,
        options: options.map(|one| MetricOption { name: one.name, default: one.default, doc: one.doc }).collect(),
        example: examples::example(about),
    }
}

/// Evaluate answers.
///
/// What metrics say of one answer or of many; with `judge`, what a model says by a rubric. A judge is called through the gateway, as a call of the
/// project: by its routes, under its policies, recorded and priced; so is an embedding model that a metric's options name. What texts say is sent to these
/// models; without them nothing is sent on. Nothing
/// is stored unless `store` is set. A case that can't be measured has an `error` in place of a value; the others are measured all the same.
#[utoipa::path(post, path = "/api/v1/evaluate", operation_id = "evaluate", tag = "Evaluation", request_body = EvaluateAsk,
    responses((status = 200, description = "A score for each case and metric.", body = EvaluateAnswer)))]
pub(crate) async fn evaluate(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(ask): Json<EvaluateAsk>,
) -> Result<Json<EvaluateAnswer>, ApiError> {
    let began = Instant::now();
    let store = ask.store;
    let models = ask::Models { project: &caller.project, completer: &app.completer, embedder: &app.embedder };
    let work = ask::work(ask, models)?;
    let (work, mut scores) = scored::all(work, app.judging()).await?;
    if store {
        let kept = stored::scores(&work, &mut scores, &caller.project, app.clock.now());
        app.store.append(kept.into()).await?;
    }
    let results = work.items.into_iter().zip(scores).map(|(item, scores)| CaseResult { id: item.id, scores });
    let results = results.collect();
    Ok(Json(EvaluateAnswer { us: micros(began), results }))
}

/// No clock tells more than tenths.
fn micros(began: Instant) -> f64 {
    (began.elapsed().as_secs_f64() * 1e7).round() / 10.0
}
