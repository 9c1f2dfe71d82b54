//! What a request to evaluate says, and what is made of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use signalbox_evals::calibrate::{Examples, Labelled};
use signalbox_evals::judge::{self, Aggregate, Judge, JudgePlan, Rubric};
use signalbox_evals::safety::{find_metric, near_metric};
use signalbox_evals::{ByVectors, EmbeddingModel, embedding_model};
use signalbox_metrics::case::kind;
use signalbox_metrics::{Case, Measure, OptionProblem, Options};
use signalbox_types::seam::{Completer, Embedder};
use signalbox_types::{ProjectId, SpanId, TraceId};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::error::ApiError;

/// More in one request would hold its answer back for long: a caller sends several.
const MOST_CASES: usize = 10_000;
const MOST_METRICS: usize = 100;
/// Judgements of one request, and calls of models that all of it may take.
const MOST_JUDGEMENTS: usize = 200;
const MOST_CALLS: usize = 1_000;
const MOST_EXAMPLES: usize = 1_000;

/// What to measure, and with what.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "metrics": ["rouge1", {"name": "bleu", "options": {"tokenize": "intl"}, "threshold": 40},
        {"judge": "correctness", "model": "openai/gpt-4o-mini"}],
    "cases": [{"id": "1", "output": "The dog bit the man.", "reference": "The dog had bit the man."}]
}))]
pub(crate) struct EvaluateAsk {
    /// Metrics by name or with options, and judges.
    metrics: Vec<MetricAsk>,
    /// The answers, up to 10,000; with judges, up to 200 judgements in a request, with an embedding model up to 1,000. Each has an `id`, if the result shall have it, and what the metrics
    /// look at: `input`, `context`, `output`, `reference`, `tools`, `schema`, `logprobs`. `output_model` says who wrote the output,
    /// to warn of judges of the same family; `trace_id`, `span_id` and `session_id` what a stored score judges.
    #[schema(value_type = Vec<BTreeMap<String, Value>>)]
    cases: Vec<Map<String, Value>>,
    /// Store the scores: of each case, which then names a `trace_id` (and perhaps a `span_id`) or a `session_id`.
    #[serde(default)]
    pub(super) store: bool,
}

/// A metric with options.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricSetting {
    /// Its name.
    name: String,
    /// What is set of it. With an `embedding_model`, metrics that compare vectors take texts.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Value>)]
    options: Map<String, Value>,
    /// What passes, instead of its own threshold.
    threshold: Option<f64>,
}

/// A judge: a model that judges by a rubric. It is called through the gateway, as the project's own call.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JudgeSetting {
    /// A rubric by name (`GET /api/v1/rubrics`), or one of your own: `name`, `inputs`, `criteria`, `scale`, and what else those have.
    #[schema(value_type = Value)]
    judge: Value,
    /// The model or route that judges, as a caller of the gateway names it.
    model: Option<String>,
    /// Several of them, in its place.
    #[serde(default)]
    models: Vec<String>,
    /// What the scores are called, instead of the rubric's name.
    name: Option<String>,
    /// What passes, instead of the rubric's threshold.
    threshold: Option<f64>,
    /// So often each judge is asked.
    samples: Option<usize>,
    /// 0, unless a judge is asked several times; then 0.7.
    temperature: Option<f64>,
    /// The most that an answer may take.
    max_tokens: Option<u32>,
    /// How several opinions become one: `mean`, `median` or `majority`.
    #[schema(value_type = Option<String>)]
    aggregate: Option<Aggregate>,
    /// Two answers are shown in one order only.
    #[serde(default)]
    one_order: bool,
    /// The judge is told how long two answers are.
    #[serde(default)]
    tell_lengths: bool,
    /// Items that people judged, with their `label` and perhaps a `label_reason`: the judge sees those that are most like the case.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    examples: Vec<Map<String, Value>>,
    /// The embedding model or route that finds the examples by what they mean. Without it, or if it can't be asked, they are found by
    /// their letters, and in the second case the flag `examples_by_letters` says so.
    embedding_model: Option<String>,
}

/// A metric by name, a metric with options, or a judge.
#[derive(Debug)]
pub(crate) enum MetricAsk {
    Local(MetricSetting),
    Judge(Box<JudgeSetting>),
}

/// By hand: an untagged enum forgets what was wrong.
impl<'de> Deserialize<'de> for MetricAsk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        match Value::deserialize(deserializer)? {
            Value::String(name) => Ok(Self::Local(MetricSetting { name, options: Map::new(), threshold: None })),
            value @ Value::Object(_) if value.get("judge").is_some() => {
                serde_json::from_value(value).map(Box::new).map(Self::Judge).map_err(D::Error::custom)
            }
            value @ Value::Object(_) => serde_json::from_value(value).map(Self::Local).map_err(D::Error::custom),
            other => {
                let found = kind(&other);
                Err(D::Error::custom(format_args!("expected a metric's name, or an object; found {found}")))
            }
        }
    }
}

impl PartialSchema for MetricAsk {
    fn schema() -> RefOr<Schema> {
        let name = ObjectBuilder::new().schema_type(Type::String).description(Some("A metric by name, as it is."));
        let with = Ref::from_schema_name("MetricSetting");
        let judge = Ref::from_schema_name("JudgeSetting");
        let doc = "A metric by name, a metric with options, or a judge.";
        OneOfBuilder::new().description(Some(doc)).item(name).item(with).item(judge).into()
    }
}

impl ToSchema for MetricAsk {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((MetricSetting::name().into_owned(), MetricSetting::schema()));
        schemas.push((JudgeSetting::name().into_owned(), JudgeSetting::schema()));
        MetricSetting::schemas(schemas);
        JudgeSetting::schemas(schemas);
    }
}

/// A metric that is ready to measure.
#[derive(Debug)]
pub(super) enum Metric {
    Local(Measure),
    ByVectors(Box<ByVectors>),
    Judge(Box<Judge>),
}

impl Metric {
    pub(super) fn name(&self) -> &str {
        use signalbox_evals::Scorer as _;
        match self {
            Self::Local(measure) => measure.about().name,
            Self::ByVectors(metric) => metric.name(),
            Self::Judge(judge) => judge.name(),
        }
    }
}

/// A case of a request.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: Value,
    pub(super) case: Case,
    pub(super) output_model: Option<String>,
    pub(super) trace_id: Option<TraceId>,
    pub(super) span_id: Option<SpanId>,
    pub(super) session_id: Option<String>,
}

/// Everything that a request asks for, checked.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) metrics: Vec<Metric>,
    pub(super) items: Vec<Item>,
}

/// Who is asked, and for whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Models<'a> {
    pub(super) project: &'a ProjectId,
    pub(super) completer: &'a Arc<dyn Completer>,
    pub(super) embedder: &'a Arc<dyn Embedder>,
}

impl Models<'_> {
    fn embedding(self, name: String) -> EmbeddingModel {
        EmbeddingModel::new(Arc::clone(self.embedder), self.project.clone(), name)
    }
}

pub(super) fn work(ask: EvaluateAsk, models: Models<'_>) -> Result<Work, ApiError> {
    for (field, found, most) in [("metrics", ask.metrics.len(), MOST_METRICS), ("cases", ask.cases.len(), MOST_CASES)] {
        if found == 0 || found > most {
            return Err(ApiError::invalid(field, format_args!("expected 1 to {most}, found {found}")));
        }
    }
    let metrics = ask.metrics.into_iter().enumerate().map(|(at, one)| match one {
        MetricAsk::Local(setting) => metric(at, setting, models),
        MetricAsk::Judge(setting) => judge(at, *setting, models).map(Box::new).map(Metric::Judge),
    });
    let metrics = metrics.collect::<Result<Vec<Metric>, ApiError>>()?;
    let (mut judges, mut calls) = (0, 0);
    for metric in &metrics {
        match metric {
            Metric::Judge(judge) => (judges, calls) = (judges + 1, calls + judge.calls()),
            Metric::ByVectors(_) => calls += 1,
            Metric::Local(_) => {}
        }
    }
    for (what, found, most) in [
        ("judgements", judges * ask.cases.len(), MOST_JUDGEMENTS),
        ("calls of models", calls * ask.cases.len(), MOST_CALLS),
    ] {
        if found > most {
            let problem = format!("{found} {what} are too many for one request; expected at most {most}");
            return Err(ApiError::invalid("cases", problem).hint("send several requests"));
        }
    }
    let store = ask.store;
    let items = ask.cases.into_iter().enumerate().map(|(at, fields)| item(at, fields, store));
    Ok(Work { metrics, items: items.collect::<Result<_, _>>()? })
}

fn metric(at: usize, setting: MetricSetting, models: Models<'_>) -> Result<Metric, ApiError> {
    let MetricSetting { name, options, threshold } = setting;
    let Some(about) = find_metric(&name) else {
        let hint = match (near_metric(&name), judge::find(&name)) {
            (_, Some(rubric)) => {
                format!("a rubric is called so: {{\"judge\": \"{}\", \"model\": \"…\"}}", rubric.name)
            }
            (Some(near), None) => format!("did you mean `{near}`?"),
            (None, None) => "`GET /api/v1/metrics` lists all".to_owned(),
        };
        let problem = format!("no metric is called `{name}`");
        return Err(ApiError::invalid(format!("metrics[{at}]"), problem).hint(hint));
    };
    let wrong =
        |problem: OptionProblem| ApiError::invalid(format!("metrics[{at}].options.{}", problem.name), problem.problem);
    let mut options: Options = options.into_iter().collect();
    let model = embedding_model(about, &mut options).map_err(wrong)?;
    let measure = Measure::new(about, &options, threshold).map_err(wrong)?;
    Ok(match model {
        Some(model) => Metric::ByVectors(Box::new(ByVectors::new(about.name, measure, models.embedding(model)))),
        None => Metric::Local(measure),
    })
}

fn judge(at: usize, setting: JudgeSetting, models: Models<'_>) -> Result<Judge, ApiError> {
    let rubric = rubric(at, setting.judge)?;
    let judging: Vec<String> = setting.model.into_iter().chain(setting.models).collect();
    if judging.is_empty() {
        let hint = "`model` is the model or the route that judges, as a caller of the gateway names it";
        return Err(ApiError::invalid(format!("metrics[{at}].model"), "a judge needs a model").hint(hint));
    }
    let mut plan = JudgePlan {
        samples: setting.samples.unwrap_or(1),
        temperature: setting.temperature,
        max_tokens: setting.max_tokens,
        aggregate: setting.aggregate,
        one_order: setting.one_order,
        tell_lengths: setting.tell_lengths,
        metadata: BTreeMap::from([("signalbox.judge".to_owned(), rubric.name.clone())]),
        ..JudgePlan::of("")
    };
    plan.models = judging;
    plan.examples = examples(at, setting.examples, setting.embedding_model, &rubric, models)?;
    let made = Judge::new(rubric, plan, Arc::clone(models.completer), models.project.clone());
    let mut made = made.map_err(|problem| {
        let field = match problem.field.as_str() {
            "model" | "samples" | "temperature" | "aggregate" => format!("metrics[{at}].{}", problem.field),
            field => format!("metrics[{at}].judge.{field}"),
        };
        ApiError::invalid(field, problem.problem)
    })?;
    if let Some(name) = setting.name {
        if name.trim().is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
            return Err(ApiError::invalid(format!("metrics[{at}].name"), "expected 1 to 200 characters in one line"));
        }
        made = made.named(name);
    }
    Ok(match setting.threshold {
        Some(threshold) => made.passing(threshold),
        None => made,
    })
}

fn rubric(at: usize, judge: Value) -> Result<Rubric, ApiError> {
    let field = || format!("metrics[{at}].judge");
    match judge {
        Value::String(name) => judge::find(&name).cloned().ok_or_else(|| {
            let hint = match judge::near(&name) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`GET /api/v1/rubrics` lists all; a rubric of your own is an object".to_owned(),
            };
            ApiError::invalid(field(), format!("no rubric is called `{name}`")).hint(hint)
        }),
        value @ Value::Object(_) => serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { field() } else { format!("{}.{path}", field()) };
            ApiError::invalid(field, error.into_inner())
        }),
        other => {
            let problem = format!("expected the name of a rubric, or a rubric; found {}", kind(&other));
            Err(ApiError::invalid(field(), problem))
        }
    }
}

fn examples(
    at: usize,
    examples: Vec<Map<String, Value>>,
    embedding_model: Option<String>,
    rubric: &Rubric,
    models: Models<'_>,
) -> Result<Option<Arc<Examples>>, ApiError> {
    if examples.len() > MOST_EXAMPLES {
        let problem = format!("expected at most {MOST_EXAMPLES}, found {}", examples.len());
        return Err(ApiError::invalid(format!("metrics[{at}].examples"), problem));
    }
    let wrong = |problem: &str| Err(ApiError::invalid(format!("metrics[{at}].embedding_model"), problem));
    match embedding_model {
        Some(name) if name.trim().is_empty() => wrong("expected an embedding model or a route to one, found nothing"),
        Some(_) if examples.is_empty() => wrong("it finds `examples` by what they mean, and there are none"),
        None if examples.is_empty() => Ok(None),
        Some(name) => {
            let found = Examples::new(corrections(at, examples, rubric)?);
            Ok(Some(Arc::new(found.by_meaning(models.embedding(name)))))
        }
        None => Ok(Some(Arc::new(Examples::new(corrections(at, examples, rubric)?)))),
    }
}

fn corrections(
    at: usize,
    examples: Vec<Map<String, Value>>,
    rubric: &Rubric,
) -> Result<Vec<signalbox_evals::calibrate::Correction>, ApiError> {
    let mut corrections = Vec::with_capacity(examples.len());
    for (place, fields) in examples.into_iter().enumerate() {
        let field = format!("metrics[{at}].examples[{place}]");
        let wrong = |problem: String| ApiError::invalid(field.clone(), problem);
        let correction = Labelled::take(fields).and_then(|labelled| labelled.correction(rubric)).map_err(wrong)?;
        let none = || wrong("expected a `label`, or `labels` of which one has a majority".to_owned());
        corrections.push(correction.ok_or_else(none)?);
    }
    Ok(corrections)
}

fn item(at: usize, mut fields: Map<String, Value>, store: bool) -> Result<Item, ApiError> {
    let mut text = |name: &str| match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => {
            Err(ApiError::invalid(format!("cases[{at}].{name}"), format!("expected a text, found {}", kind(&other))))
        }
    };
    let (trace, span, session_id, output_model) =
        (text("trace_id")?, text("span_id")?, text("session_id")?, text("output_model")?);
    let wrong = |name: &str, error: &dyn std::fmt::Display| ApiError::invalid(format!("cases[{at}].{name}"), error);
    let mut item = Item {
        id: fields.remove("id").unwrap_or_default(),
        case: Case::take(&mut fields),
        output_model,
        trace_id: None,
        span_id: None,
        session_id,
    };
    // Who stores nothing may have anything there.
    if !store {
        return Ok(item);
    }
    item.trace_id = trace.map(|id| id.parse().map_err(|error| wrong("trace_id", &error))).transpose()?;
    item.span_id = span.map(|id| id.parse().map_err(|error| wrong("span_id", &error))).transpose()?;
    if item.trace_id.is_none() && item.session_id.is_none() {
        let problem = "to be stored, a score judges a trace or a session; expected `trace_id` or `session_id`";
        return Err(ApiError::invalid(format!("cases[{at}].trace_id"), problem));
    }
    if item.span_id.is_some() && item.trace_id.is_none() {
        let problem = "a span is named together with its trace; expected `trace_id` as well";
        return Err(ApiError::invalid(format!("cases[{at}].span_id"), problem));
    }
    Ok(item)
}
