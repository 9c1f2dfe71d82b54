//! A service level objective, as it is written in YAML and in JSON, and what it asks.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_types::query::{Filter, Function, Measure, Operator};
use signalbox_types::table::{SCORES, SPAN_MINUTES, SPANS};
use signalbox_types::{ErrorClass, Query};

use super::condition::workbook;
use super::{
    BurnRate, BurnWindow, Condition, Flapping, Grouping, Length, MonitorConfig, NoData, Problem, Severity, ValueOf,
};

/// What the names of the monitors of objectives begin with.
pub(crate) const OF_OBJECTIVES: &str = "objective.";

/// What most events have to be, over a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveConfig {
    /// Its name within the project: letters, digits, `-`, `_` and `.`. Its monitor is called `objective.NAME`.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What is good.
    pub good: Good,
    /// Which rows count at all, as `filter` of a query: of spans, or of scores for `score`. Calls of models if it says nothing of
    /// `kind`. Not with `ratio`, whose query has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub filter: Option<Filter>,
    /// The share that must be good. Example: `0.999`. The rest is the error budget.
    pub objective: f64,
    /// Over which time, up to now. Default `30d`.
    #[serde(default = "month")]
    pub period: Length,
    /// Fewer bad events than this neither tell anybody nor freeze releases: where there is little traffic a single one can be many times the
    /// budget. Default 3.
    #[serde(default = "three")]
    pub min_bad: f64,
    /// At which rates of spending somebody is told. Default: those of `burn_rate` whose windows are no longer than the period.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<BurnWindow>,
    /// Whether releases are frozen when little of the budget is left. Default `true`.
    #[serde(default = "yes")]
    pub freeze: bool,
    /// With which part of the budget left they are, 0 to 1. Default 0: when it is spent.
    #[serde(default)]
    pub freeze_below: f64,
    /// What to do, in Markdown, as a monitor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// Channels that are told at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<String>,
    /// The escalation that decides who is told when, in place of `notify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
}

/// What is good. Exactly one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Good {
    /// A call that doesn't fail. Example: `{availability: {}}`.
    Availability(Availability),
    /// A call that doesn't fail and is over soon enough: `{latency: {under: 2s}}`. Those that fail don't count.
    Latency(Soon),
    /// An answer that begins soon enough: `{ttft: {under: 800ms}}`. Calls without a first token don't count.
    Ttft(Soon),
    /// A score that is high enough: `{score: {name: groundedness, at_least: 0.7}}`.
    Score(HighEnough),
    /// An answer that is cheap enough: `{cost: {under: 0.02}}`. Calls of unknown cost don't count.
    Cost(CheapEnough),
    /// Any two numbers of one query.
    Ratio(Box<Ratio>),
}

/// A call that doesn't fail.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Availability {
    /// Failures of these classes (`error_type`) are the caller's doing and don't count. Default: `invalid_request`, `unauthenticated`,
    /// `permission_denied`, `not_found`, `request_too_large`, `request_timeout`, `guardrail_blocked`, `cancelled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<Vec<String>>,
}

/// Soon enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Soon {
    /// What takes as long as this or longer is bad.
    pub under: Length,
}

/// High enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HighEnough {
    /// Which score.
    pub name: String,
    /// A lower value is bad. Absent: the score's own verdict (`passed`) decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
}

/// Cheap enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheapEnough {
    /// In dollars. What costs as much as this or more is bad.
    pub under: f64,
}

/// Two numbers of one query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// A `Query` with `measures` that count or sum, as a monitor has it, without `group_by`.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub query: Query,
    /// The measure of bad events. This one or `good`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bad: Option<String>,
    /// The measure of good events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<String>,
    /// The measure of all events.
    pub over: String,
}

fn month() -> Length {
    Length::days(30)
}

fn three() -> f64 {
    3.0
}

fn yes() -> bool {
    true
}

/// Failures that are the caller's doing.
const CALLERS: [ErrorClass; 8] = [
    ErrorClass::InvalidRequest,
    ErrorClass::Unauthenticated,
    ErrorClass::PermissionDenied,
    ErrorClass::NotFound,
    ErrorClass::RequestTooLarge,
    ErrorClass::RequestTimeout,
    ErrorClass::GuardrailBlocked,
    ErrorClass::Cancelled,
];

/// What is asked: rows that count, and those that are bad.
struct Asked {
    table: &'static str,
    /// Rows that count.
    rows: Vec<Filter>,
    bad: Filter,
}

fn milliseconds(length: Length) -> f64 {
    length.0.as_secs_f64() * 1_000.0
}

impl Good {
    /// Its word in the configuration.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Availability(_) => "availability",
            Self::Latency(_) => "latency",
            Self::Ttft(_) => "ttft",
            Self::Score(_) => "score",
            Self::Cost(_) => "cost",
            Self::Ratio(_) => "ratio",
        }
    }

    /// The table whose columns a filter may name; none for what has a query of its own.
    pub(super) fn table(&self) -> Option<&'static str> {
        match self {
            Self::Score(_) => Some(SCORES.name),
            Self::Ratio(_) => None,
            _ => Some(SPANS.name),
        }
    }

    fn asked(&self, filter: Option<&Filter>) -> Option<Asked> {
        let calls = || {
            let of_models = !filter.is_some_and(|filter| mentions(filter, "kind"));
            of_models.then(|| Filter::equals("kind", "llm")).into_iter().collect::<Vec<Filter>>()
        };
        let fine = || Filter::compare("status", Operator::NotEqual, "error");
        let there = |field: &str| Filter::compare(field, Operator::Exists, serde_json::Value::Null);
        let minutes = || if sums_suffice(filter) { SPAN_MINUTES.name } else { SPANS.name };
        let mut asked = match self {
            Self::Availability(Availability { ignore }) => {
                let ignored =
                    ignore.clone().unwrap_or_else(|| CALLERS.iter().map(|class| class.as_str().to_owned()).collect());
                let ours = Filter::compare("error_type", Operator::NotIn, ignored);
                let mut rows = calls();
                rows.push(ours);
                Asked { table: minutes(), rows, bad: Filter::equals("status", "error") }
            }
            Self::Latency(Soon { under }) => {
                let mut rows = calls();
                rows.push(fine());
                let late = Filter::compare("duration_ms", Operator::GreaterOrEqual, milliseconds(*under));
                Asked { table: minutes(), rows, bad: late }
            }
            Self::Ttft(Soon { under }) => {
                let mut rows = calls();
                rows.push(there("ttft_ms"));
                let late = Filter::compare("ttft_ms", Operator::GreaterOrEqual, milliseconds(*under));
                Asked { table: SPANS.name, rows, bad: late }
            }
            Self::Cost(CheapEnough { under }) => {
                let mut rows = calls();
                rows.extend([fine(), Filter::equals("counted", true), there("cost")]);
                let dear = Filter::compare("cost", Operator::GreaterOrEqual, *under);
                Asked { table: SPANS.name, rows, bad: dear }
            }
            Self::Score(HighEnough { name, at_least }) => {
                let (judged, bad) = match at_least {
                    Some(least) => ("value", Filter::compare("value", Operator::Less, *least)),
                    None => ("passed", Filter::equals("passed", false)),
                };
                Asked { table: SCORES.name, rows: vec![Filter::equals("name", name.as_str()), there(judged)], bad }
            }
            Self::Ratio(_) => return None,
        };
        asked.rows.extend(filter.cloned());
        Some(asked)
    }
}

/// Whether a filter says something of a field.
fn mentions(filter: &Filter, field: &str) -> bool {
    match filter {
        Filter::All(filters) | Filter::Any(filters) => filters.iter().any(|one| mentions(one, field)),
        Filter::Not(one) => mentions(one, field),
        Filter::Score(_) => false,
        Filter::Compare(comparison) => comparison.field == field,
    }
}

/// Whether sums by minute, which cost a fraction, have all that a filter looks at.
fn sums_suffice(filter: Option<&Filter>) -> bool {
    let measures = vec![Measure::of(Function::Count, None)];
    Query { filter: filter.cloned(), measures, ..Query::of(&SPAN_MINUTES) }.check().is_ok()
}

impl ObjectiveConfig {
    /// Reads one. An error names the field.
    ///
    /// # Errors
    /// It is none, or says what can't be done: all of it.
    pub fn read(value: &serde_json::Value) -> Result<Self, Vec<Problem>> {
        let objective: Self = super::check::read(value, "objective")?;
        let problems = objective.problems();
        if problems.is_empty() { Ok(objective) } else { Err(problems) }
    }

    /// All that can't be done as it is written.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        super::check_objective::problems(self)
    }

    /// The name of its monitor.
    #[must_use]
    pub fn monitor_name(&self) -> String {
        format!("{OF_OBJECTIVES}{}", self.name)
    }

    /// What is watched: the share of bad events, over several windows at once.
    #[must_use]
    pub fn monitor(&self) -> MonitorConfig {
        let (query, of, over, good) = self.share();
        let windows = match self.windows.is_empty() {
            true => workbook().into_iter().filter(|window| window.long <= self.period).collect(),
            false => self.windows.clone(),
        };
        let condition =
            BurnRate { objective: self.objective, period: self.period, windows, good, min_bad: self.min_bad };
        MonitorConfig {
            actions: Vec::new(),
            name: self.monitor_name(),
            description: self.description.clone(),
            query: Some(query),
            value: Some(ValueOf { of, over: Some(over) }),
            window: Length::minutes(5),
            every: Length::minutes(1),
            delay: Length::seconds(30),
            min_samples: 0,
            // Where nothing happens no budget is spent.
            no_data: NoData::Ok,
            condition: Condition::BurnRate(condition),
            for_: 1,
            recover_for: 2,
            flapping: Flapping::default(),
            severity: Severity::Warning,
            owner: self.owner.clone(),
            runbook: self.runbook.clone(),
            labels: BTreeMap::from([("objective".to_owned(), self.name.clone())]),
            notify: self.notify.clone(),
            escalation: self.escalation.clone(),
            group: Grouping::Monitor,
            auto_resolve: true,
            max_series: 1,
            enabled: true,
        }
    }

    /// A query, the names of its numbers, and whether the first one counts what is good.
    fn share(&self) -> (Query, String, String, bool) {
        if let Some(asked) = self.good.asked(self.filter.as_ref()) {
            let count = |name: &str| Measure::of(Function::Count, None).named(name);
            let measures = vec![Measure { filter: Some(asked.bad), ..count("bad") }, count("all")];
            let table = asked.table.to_owned();
            let query = Query { table, filter: Some(Filter::All(asked.rows)), measures, ..Query::default() };
            return (query, "bad".to_owned(), "all".to_owned(), false);
        }
        let Good::Ratio(ratio) = &self.good else {
            return (Query::default(), String::new(), String::new(), false);
        };
        let Ratio { query, bad, good, over } = &**ratio;
        match bad {
            Some(bad) => (query.clone(), bad.clone(), over.clone(), false),
            None => (query.clone(), good.clone().unwrap_or_default(), over.clone(), true),
        }
    }
}
