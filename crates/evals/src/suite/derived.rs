//! Metrics that look at what others found: sums, verdicts, conditions and expressions.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cel::{Context, Env, Program, Value as Cel};
use serde_json::{Map, Value};
use signalbox_guard::condition::fields as cel_fields;
use signalbox_metrics::{Case, Direction};

use super::metric::case_of;
use super::result::Row;
use crate::Scored;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));
/// What an expression may name.
const NAMES: [&str; 9] =
    ["item", "output", "input", "context", "reference", "scores", "passed", "latency_ms", "cost_usd"];
/// A longer one is a program.
const MOST_BYTES: usize = 4_000;

/// What a metric sees of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The case.
    pub case: &'a Case,
    /// The row so far.
    pub row: &'a Row,
}

impl Row {
    /// The case that metrics measure.
    #[must_use]
    pub fn case(&self) -> Case {
        case_of(&self.item, &self.output)
    }
}

/// A metric of metrics.
#[derive(Debug)]
pub struct Derived {
    rule: Rule,
    direction: Direction,
    threshold: Option<f64>,
}

#[derive(Debug)]
enum Rule {
    Weighted(BTreeMap<String, f64>),
    Verdicts { names: Vec<String>, all: bool },
    Conditional { condition: Expression, then: String, otherwise: Option<String> },
    Expression(Expression),
}

type Passing = (Direction, Option<f64>);

impl Derived {
    pub(super) fn weighted(weights: BTreeMap<String, f64>, (direction, threshold): Passing) -> Self {
        Self { rule: Rule::Weighted(weights), direction, threshold }
    }

    pub(super) fn verdicts(names: Vec<String>, all: bool) -> Self {
        Self { rule: Rule::Verdicts { names, all }, direction: Direction::Higher, threshold: None }
    }

    pub(super) fn conditional(condition: &str, then: String, otherwise: Option<String>) -> Result<Self, String> {
        let rule = Rule::Conditional { condition: Expression::compile(condition)?, then, otherwise };
        Ok(Self { rule, direction: Direction::Higher, threshold: None })
    }

    pub(super) fn expression(text: &str, (direction, threshold): Passing) -> Result<Self, String> {
        Ok(Self { rule: Rule::Expression(Expression::compile(text)?), direction, threshold })
    }

    /// The score.
    ///
    /// # Errors
    /// A metric that it needs has none, or the expression fails.
    pub(super) fn score(&self, seen: &Seen<'_>) -> Result<Scored, String> {
        let row = seen.row;
        let has_value = |name: &str| row.value(name).ok_or_else(|| format!("`{name}` has no value"));
        match &self.rule {
            Rule::Weighted(weights) => {
                let (mut sum, mut parts) = (0.0, Vec::new());
                for (name, weight) in weights {
                    let value = has_value(name)?;
                    sum += weight * value;
                    parts.push(format!("{name} {value:.4} × {weight}"));
                }
                Ok(self.scored(sum / weights.values().sum::<f64>(), parts.join(", ")))
            }
            Rule::Verdicts { names, all } => {
                let (mut passed, mut failed) = (Vec::new(), Vec::new());
                for name in names {
                    let verdict = row.passed(name).ok_or_else(|| format!("`{name}` has no verdict"))?;
                    if verdict { passed.push(name.as_str()) } else { failed.push(name.as_str()) }
                }
                let good = if *all { failed.is_empty() } else { !passed.is_empty() };
                let reason = match (failed.is_empty(), passed.is_empty()) {
                    (true, _) => "all pass".to_owned(),
                    (_, true) => "none passes".to_owned(),
                    _ => format!("{} fail, {} pass", failed.join(", "), passed.join(", ")),
                };
                Ok(verdict(good, reason))
            }
            Rule::Conditional { condition, then, otherwise } => {
                let holds = match condition.run(seen)? {
                    Cel::Bool(holds) => holds,
                    other => return Err(format!("the condition gives {}, not true or false", other.type_of())),
                };
                let Some(name) = (if holds { Some(then) } else { otherwise.as_ref() }) else {
                    let reason = "the condition doesn't hold".to_owned();
                    return Ok(Scored {
                        value: None,
                        label: None,
                        passed: None,
                        reason,
                        evidence: Vec::new(),
                        cost: None,
                    });
                };
                let score = row.scores.get(name).filter(|score| score.error.is_none());
                let score = score.ok_or_else(|| format!("`{name}` has no score"))?;
                let reason = format!("as {name}: {}", score.reason);
                let (label, passed) = (score.label.clone(), score.passed);
                Ok(Scored { value: score.value, label, passed, reason, evidence: Vec::new(), cost: None })
            }
            Rule::Expression(expression) => match expression.run(seen)? {
                Cel::Bool(holds) => Ok(verdict(holds, if holds { "holds" } else { "doesn't hold" }.to_owned())),
                Cel::Int(number) => Ok(self.scored(number as f64, String::new())),
                Cel::UInt(number) => Ok(self.scored(number as f64, String::new())),
                Cel::Float(number) if number.is_finite() => Ok(self.scored(number, String::new())),
                Cel::Float(number) => Err(format!("the expression gives {number}")),
                other => Err(format!("the expression gives {}, neither a number nor true or false", other.type_of())),
            },
        }
    }

    fn scored(&self, value: f64, reason: String) -> Scored {
        let passed = self.threshold.map(|threshold| self.direction.passes(value, threshold));
        Scored { value: Some(value), label: None, passed, reason, evidence: Vec::new(), cost: None }
    }
}

fn verdict(good: bool, reason: String) -> Scored {
    let value = Some(f64::from(u8::from(good)));
    Scored { value, label: None, passed: Some(good), reason, evidence: Vec::new(), cost: None }
}

/// A compiled expression. Bounded: no loops but over lists of the item, no I/O.
#[derive(Debug)]
struct Expression(Program);

impl Expression {
    fn compile(text: &str) -> Result<Self, String> {
        if text.len() > MOST_BYTES {
            return Err(format!("it is longer than {MOST_BYTES} bytes"));
        }
        let program = ENVIRONMENT.compile(text).map_err(|errors| {
            let told = errors.to_string();
            format!("it is no expression: {}", told.lines().next().unwrap_or_default())
        })?;
        // `tags.exists(tag, …)` brings a name of its own.
        let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let known = |name: &&str| NAMES.contains(name) || dense.contains(&format!("({name},"));
        let unknown = program.references().variables().into_iter().find(|name| !known(name)).map(str::to_owned);
        match unknown {
            Some(name) => Err(format!("it names `{name}`; known: {}", NAMES.join(", "))),
            None => Ok(Self(program)),
        }
    }

    fn run(&self, seen: &Seen<'_>) -> Result<Cel, String> {
        let row = seen.row;
        let field = |name: &str| row.item.get(name).cloned().unwrap_or_default();
        let number = |value: f64| serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number);
        let numbers = row.scores.keys().filter_map(|name| Some((name.clone(), number(row.value(name)?))));
        let verdicts = row.scores.iter().filter_map(|(name, score)| Some((name.clone(), Value::Bool(score.passed?))));
        let mut all = Map::new();
        all.insert("item".to_owned(), Value::Object(row.item.clone()));
        all.insert("output".to_owned(), row.output.clone());
        for name in ["input", "context", "reference"] {
            all.insert(name.to_owned(), field(name));
        }
        all.insert("scores".to_owned(), Value::Object(numbers.collect()));
        all.insert("passed".to_owned(), Value::Object(verdicts.collect()));
        all.insert("latency_ms".to_owned(), number(row.latency_ms.unwrap_or(0.0)));
        all.insert("cost_usd".to_owned(), number(row.cost_usd.unwrap_or(0.0)));
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        for (name, value) in all {
            let one: Map<String, Value> = [("value".to_owned(), value)].into_iter().collect();
            let Cel::Map(map) = cel_fields(&one) else { continue };
            if let Some(value) = map.map.values().next() {
                context.add_variable_from_value(name, value.clone());
            }
        }
        self.0.execute(&context).map_err(|error| format!("the expression failed: {error}"))
    }
}
