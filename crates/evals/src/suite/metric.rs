//! Metrics of a suite: rows of the file become scorers.

use std::fmt;

use serde_json::Value;
use signalbox_metrics::{Case, Direction, Input, Measure, Options};

use super::config::{JudgeConfig, MetricConfig, ProgramConfig, SuiteProblem};
use super::derived::{Derived, Seen};
use super::result::{MetricHeader, ScoreRow};
use super::wasm::Module;
use crate::judge::Judge;
use crate::safety::{find_metric, near_metric};
use crate::{ByVectors, EmbeddingModel, Local, Scored, Scorer, embedding_model};

/// A metric that is ready to measure.
#[derive(Debug)]
pub struct Metric {
    /// What it is called in results.
    pub name: String,
    /// Which values are good.
    pub direction: Direction,
    /// How it measures.
    pub made: Made,
}

/// How a metric measures.
pub enum Made {
    /// At once, on whatever thread.
    Local(Local),
    /// By asking somebody else.
    Asked(Box<dyn Scorer>),
    /// From what others found.
    Derived(Derived),
    /// By a module of WebAssembly, with what passes.
    Module(Module, Option<f64>),
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(local) => local.fmt(f),
            Self::Asked(scorer) => scorer.fmt(f),
            Self::Derived(derived) => derived.fmt(f),
            Self::Module(module, _) => module.fmt(f),
        }
    }
}

/// What whoever runs the suite gives: scorers that ask somebody else, and files.
pub trait Others {
    /// A program that measures.
    ///
    /// # Errors
    /// It can't be used.
    fn program(&self, name: &str, config: &ProgramConfig, direction: Direction) -> Result<Box<dyn Scorer>, String>;

    /// A model that judges.
    ///
    /// # Errors
    /// There is no such rubric, or the model can't be asked.
    fn judge(&self, config: &JudgeConfig) -> Result<Judge, String>;

    /// An embedding model, which makes vectors of texts for a metric that compares these.
    ///
    /// # Errors
    /// Nobody can be asked.
    fn embedding_model(&self, name: &str) -> Result<EmbeddingModel, String>;

    /// The bytes of a module of WebAssembly.
    ///
    /// # Errors
    /// The file can't be read.
    fn module(&self, path: &str) -> Result<Vec<u8>, String>;
}

impl Metric {
    /// What results say of it.
    #[must_use]
    pub fn header(&self) -> MetricHeader {
        let direction = match self.direction {
            Direction::Higher => super::config::Scored::Higher,
            Direction::Lower => super::config::Scored::Lower,
        };
        MetricHeader { name: self.name.clone(), direction }
    }

    /// The score, if this can be said at once.
    #[must_use]
    pub fn measure(&self, seen: &Seen<'_>) -> Option<ScoreRow> {
        match &self.made {
            Made::Local(local) => Some(local.measure(seen.case).map_or_else(failed, ScoreRow::from)),
            Made::Derived(derived) => Some(derived.score(seen).map_or_else(failed, ScoreRow::from)),
            Made::Module(module, threshold) => {
                let scored = module.score(seen.case).map(|scored| judged(scored, self.direction, *threshold));
                Some(scored.map_or_else(failed, ScoreRow::from))
            }
            Made::Asked(_) => None,
        }
    }
}

fn failed(problem: impl ToString) -> ScoreRow {
    ScoreRow::failed(problem.to_string())
}

/// Makes the metrics of a suite.
///
/// # Errors
/// All that is wrong with them; fields are named from `metrics` on, without lines.
pub fn make_all(rows: &[MetricConfig], others: &dyn Others) -> Result<Vec<Metric>, Vec<SuiteProblem>> {
    let (mut made, mut problems) = (Vec::<Metric>::new(), Vec::new());
    for (at, row) in rows.iter().enumerate() {
        let outcome = match make(row, &made, others) {
            Ok(metric) if made.iter().any(|other| other.name == metric.name) => {
                Err(("as", format!("another metric is called `{}`; say `as`", metric.name)))
            }
            Ok(metric) if matches!(metric.name.as_str(), "latency_ms" | "cost_usd") => {
                Err(("as", format!("`{}` is what an answer took; choose another name", metric.name)))
            }
            outcome => outcome,
        };
        match outcome {
            Ok(metric) => made.push(metric),
            Err((field, message)) => {
                let field = if field.is_empty() { format!("metrics[{at}]") } else { format!("metrics[{at}].{field}") };
                problems.push(SuiteProblem { line: None, field, message });
            }
        }
    }
    if problems.is_empty() { Ok(made) } else { Err(problems) }
}

/// The kinds of metrics: one branch each.
fn make(row: &MetricConfig, above: &[Metric], others: &dyn Others) -> Result<Metric, (&'static str, String)> {
    let kinds = [
        row.metric.is_some(),
        row.expression.is_some(),
        row.command.is_some(),
        row.wasm.is_some(),
        row.judge.is_some(),
        row.weighted.is_some(),
        row.all.is_some(),
        row.any.is_some(),
        row.when.is_some(),
    ];
    if kinds.iter().filter(|is| **is).count() != 1 {
        let kinds = "`metric`, `judge`, `expression`, `command`, `wasm`, `weighted`, `all`, `any` and `when`";
        return Err(("", format!("expected exactly one of {kinds}")));
    }
    let named = |kind: &str| row.name.clone().ok_or_else(|| ("", format!("`{kind}` needs a name: `as`")));
    let direction = row.direction.map_or(Direction::Higher, Direction::from);
    let known = |field: &'static str, name: &str| match above.iter().find(|metric| metric.name == name) {
        Some(metric) => Ok(metric.direction),
        None => Err((field, format!("there is no metric `{name}` above it"))),
    };
    if row.metric.is_none() && !row.options.is_empty() {
        return Err(("options", "only a metric by name has options".to_owned()));
    }
    let passing = (direction, row.threshold);
    let (name, direction, made) = if let Some(name) = &row.metric {
        return by_name(name, row, others);
    } else if let Some(config) = &row.judge {
        return judge(config, row, others);
    } else if let Some(path) = &row.wasm {
        let bytes = others.module(path).map_err(|problem| ("wasm", problem))?;
        let module = Module::new(&bytes).map_err(|problem| ("wasm", format!("`{path}`: {problem}")))?;
        return Ok(Metric { name: named("wasm")?, direction, made: Made::Module(module, row.threshold) });
    } else if let Some(text) = &row.expression {
        let derived = Derived::expression(text, passing).map_err(|problem| ("expression", problem))?;
        (named("expression")?, direction, derived)
    } else if let Some(program) = &row.command {
        let name = named("command")?;
        let scorer = others.program(&name, program, direction).map_err(|problem| ("command", problem))?;
        let made = Made::Asked(match row.threshold {
            Some(threshold) => Box::new(Thresholded { scorer, threshold }),
            None => scorer,
        });
        return Ok(Metric { name, direction, made });
    } else if let Some(weights) = &row.weighted {
        for (name, weight) in weights {
            known("weighted", name)?;
            if !(weight.is_finite() && *weight > 0.0) {
                return Err(("weighted", format!("the weight of `{name}` is {weight}; expected more than 0")));
            }
        }
        (named("weighted")?, direction, Derived::weighted(weights.clone(), passing))
    } else if let Some((field, names)) =
        row.all.as_ref().map(|all| ("all", all)).or_else(|| row.any.as_ref().map(|any| ("any", any)))
    {
        names.iter().try_for_each(|name| known(field, name).map(|_| ()))?;
        (named(field)?, Direction::Higher, Derived::verdicts(names.clone(), field == "all"))
    } else {
        let then = row.then.clone().ok_or_else(|| ("when", "`when` needs `then`".to_owned()))?;
        let direction = known("then", &then)?;
        if let Some(other) = &row.otherwise {
            known("else", other)?;
        }
        let condition = row.when.as_deref().unwrap_or_default();
        let derived = Derived::conditional(condition, then, row.otherwise.clone());
        (named("when")?, direction, derived.map_err(|problem| ("when", problem))?)
    };
    Ok(Metric { name, direction, made: Made::Derived(made) })
}

/// A metric of the registry, with an embedding model if one is named.
fn by_name(name: &str, row: &MetricConfig, others: &dyn Others) -> Result<Metric, (&'static str, String)> {
    if row.direction.is_some() {
        return Err(("direction", format!("`{name}` knows which values are good")));
    }
    let about = find_metric(name).ok_or_else(|| {
        let hint = match near_metric(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`signalbox eval metric --list` has all".to_owned(),
        };
        ("metric", format!("no metric is called `{name}`; {hint}"))
    })?;
    let mut options: Options = row.options.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let model = embedding_model(about, &mut options).map_err(|problem| ("options", problem.to_string()))?;
    let measure = Measure::new(about, &options, row.threshold).map_err(|problem| ("options", problem.to_string()))?;
    let name = row.name.clone().unwrap_or_else(|| name.to_owned());
    let made = match model {
        Some(model) => {
            let model = others.embedding_model(&model).map_err(|problem| ("options", problem))?;
            Made::Asked(Box::new(ByVectors::new(name.clone(), measure, model)))
        }
        None => Made::Local(Local::new(name.clone(), measure)),
    };
    Ok(Metric { made, name, direction: about.direction })
}

/// The rubric knows which values are good, and what passes if the suite doesn't say it.
fn judge(config: &JudgeConfig, row: &MetricConfig, others: &dyn Others) -> Result<Metric, (&'static str, String)> {
    if row.direction.is_some() {
        return Err(("direction", "the rubric knows which values are good".to_owned()));
    }
    if config.model.is_none() && config.models.is_empty() {
        return Err(("judge", "who judges? Give a `model`, or several `models`".to_owned()));
    }
    let mut judge = others.judge(config).map_err(|problem| ("judge", problem))?;
    if let Some(name) = &row.name {
        judge = judge.named(name);
    }
    if let Some(threshold) = row.threshold {
        judge = judge.passing(threshold);
    }
    let (name, direction) = (judge.name().to_owned(), judge.direction());
    Ok(Metric { name, direction, made: Made::Asked(Box::new(judge)) })
}

fn judged(mut scored: Scored, direction: Direction, threshold: Option<f64>) -> Scored {
    if let (Some(value), Some(threshold)) = (scored.value, threshold) {
        scored.passed = Some(direction.passes(value, threshold));
    }
    scored
}

/// A scorer whose verdict is the suite's.
#[derive(Debug)]
struct Thresholded {
    scorer: Box<dyn Scorer>,
    threshold: f64,
}

impl Scorer for Thresholded {
    fn name(&self) -> &str {
        self.scorer.name()
    }

    fn inputs(&self) -> &[Input] {
        self.scorer.inputs()
    }

    fn direction(&self) -> Direction {
        self.scorer.direction()
    }

    fn source(&self) -> signalbox_types::ScoreSource {
        self.scorer.source()
    }

    fn score<'a>(&'a self, case: &'a Case) -> signalbox_types::seam::BoxFuture<'a, Result<Scored, crate::ScorerError>> {
        Box::pin(async move {
            let scored = self.scorer.score(case).await?;
            Ok(judged(scored, self.direction(), Some(self.threshold)))
        })
    }
}

/// The case of an item and its answer.
#[must_use]
pub(super) fn case_of(item: &serde_json::Map<String, Value>, output: &Value) -> Case {
    let mut fields = item.clone();
    fields.insert(Input::Output.name().to_owned(), output.clone());
    Case::take(&mut fields)
}
