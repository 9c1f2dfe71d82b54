//! Metrics: which there are, and what they say of answers.

mod examples;
#[cfg(test)]
mod tests;

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signalbox_evals::safety::{every_metric, find_metric, near_metric};
use signalbox_metrics::{About, Case, Direction, Family, Input, Measure, Options};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;

/// More in one request would hold its answer back for long: a caller sends several.
const MOST_CASES: usize = 10_000;
const MOST_METRICS: usize = 100;

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

/// What to measure, and with what.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "metrics": ["rouge1", {"name": "bleu", "options": {"tokenize": "intl"}, "threshold": 40}],
    "cases": [{"id": "1", "output": "The dog bit the man.", "reference": "The dog had bit the man."}]
}))]
pub(crate) struct EvaluateAsk {
    /// Metrics by name, or with options.
    metrics: Vec<MetricAsk>,
    /// The answers, up to 10,000. Each has an `id`, if the result shall have it, and what the metrics look at: `input`, `context`, `output`,
    /// `reference`, `tools`, `schema`, `logprobs`.
    #[schema(value_type = Vec<BTreeMap<String, Value>>)]
    cases: Vec<Map<String, Value>>,
}

/// A metric, by name or with options.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(crate) enum MetricAsk {
    /// As it is.
    Name(String),
    /// With something set.
    With(MetricSetting),
}

/// A metric with options.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricSetting {
    /// Its name.
    name: String,
    /// What is set of it.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Value>)]
    options: Map<String, Value>,
    /// What passes, instead of its own threshold.
    threshold: Option<f64>,
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

/// What one metric says of one case.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MetricScore {
    /// The metric's name.
    metric: &'static str,
    /// The value; absent if the case couldn't be measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
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
    /// Microseconds that it took.
    us: f64,
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
/// Every metric that runs without a model: what it needs, its formula and where that comes from.
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
/// What metrics say of one answer or of many. Nothing is stored or sent on, and no model is asked. A case that a metric can't measure has an
/// `error` in place of a value; the others are measured all the same.
#[utoipa::path(post, path = "/api/v1/evaluate", operation_id = "evaluate", tag = "Evaluation", request_body = EvaluateAsk,
    responses((status = 200, description = "A score for each case and metric.", body = EvaluateAnswer)))]
pub(crate) async fn evaluate(_: Caller, Json(ask): Json<EvaluateAsk>) -> Result<Json<EvaluateAnswer>, ApiError> {
    for (field, found, most) in [("metrics", ask.metrics.len(), MOST_METRICS), ("cases", ask.cases.len(), MOST_CASES)] {
        if found == 0 || found > most {
            return Err(ApiError::invalid(field, format_args!("expected 1 to {most}, found {found}")));
        }
    }
    let metrics = ask.metrics.into_iter().enumerate().map(|(at, metric)| made(at, metric));
    let metrics = metrics.collect::<Result<Vec<Measure>, ApiError>>()?;
    // Many or long texts take their time: beside the runtime, so that nobody's stream waits for them.
    let measured = tokio::task::spawn_blocking(move || measure(&metrics, ask.cases));
    measured.await.map(Json).map_err(|error| ApiError::internal(&error))
}

fn made(at: usize, ask: MetricAsk) -> Result<Measure, ApiError> {
    let (name, options, threshold) = match ask {
        MetricAsk::Name(name) => (name, Map::new(), None),
        MetricAsk::With(setting) => (setting.name, setting.options, setting.threshold),
    };
    let Some(about) = find_metric(&name) else {
        let hint = match near_metric(&name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`GET /api/v1/metrics` lists all".to_owned(),
        };
        let problem = format!("no metric is called `{name}`");
        return Err(ApiError::invalid(format!("metrics[{at}]"), problem).hint(hint));
    };
    let options: Options = options.into_iter().collect();
    Measure::new(about, &options, threshold)
        .map_err(|problem| ApiError::invalid(format!("metrics[{at}].options.{}", problem.name), problem.problem))
}

fn measure(metrics: &[Measure], cases: Vec<Map<String, Value>>) -> EvaluateAnswer {
    let began = Instant::now();
    let each = |mut fields: Map<String, Value>| {
        let id = fields.remove("id").unwrap_or_default();
        let case = Case::take(&mut fields);
        CaseResult { id, scores: metrics.iter().map(|metric| score(metric, &case)).collect() }
    };
    let results = cases.into_iter().map(each).collect();
    EvaluateAnswer { us: micros(began), results }
}

fn score(metric: &Measure, case: &Case) -> MetricScore {
    let began = Instant::now();
    let found = metric.score(case);
    let mut told = MetricScore {
        metric: metric.about().name,
        value: None,
        passed: None,
        reason: None,
        error: None,
        evidence: Vec::new(),
        us: micros(began),
    };
    match found {
        Err(problem) => told.error = Some(problem.to_string()),
        Ok(score) => {
            told.value = Some(score.value);
            told.passed = Some(score.passed);
            told.reason = Some(score.reason);
            let places = score.evidence.into_iter();
            let place = |one: signalbox_metrics::Evidence| MetricEvidence {
                input: one.input,
                start: one.start,
                end: one.end,
                note: one.note,
            };
            told.evidence = places.map(place).collect();
        }
    }
    told
}

/// No clock tells more than tenths.
fn micros(began: Instant) -> f64 {
    (began.elapsed().as_secs_f64() * 1e7).round() / 10.0
}
