//! A monitor, as it is written in YAML and in JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use signalbox_types::Query;
use signalbox_types::query::{Function, Measure};

use super::{ActionConfig, Composite, Condition, Length, Problem};

/// How bad it is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = IncidentSeverity)]
pub enum Severity {
    /// For the record.
    Info,
    /// Somebody should look during working hours.
    #[default]
    Warning,
    /// Something is broken.
    Error,
    /// Somebody must get up.
    Critical,
}

impl Severity {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// What no data means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoData {
    /// All is well.
    Ok,
    /// Something is wrong.
    Alert,
    /// What was known before still holds.
    #[default]
    Keep,
}

/// What makes one incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// All series of the monitor that fire at a time.
    #[default]
    Monitor,
    /// Each series that fires.
    Series,
}

/// Which of the query's numbers is watched.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueOf {
    /// The name of a measure.
    pub of: String,
    /// The name of another one that it is divided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
}

/// When a series that comes and goes is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Flapping {
    /// A series that has begun to fire so many times … Default 3; 0 switches it off.
    pub fires: u32,
    /// … within this time … Default `1h`.
    pub within: Length,
    /// … is over only after this long without anything wrong. Default `30m`.
    pub hold: Length,
}

impl Default for Flapping {
    fn default() -> Self {
        Self { fires: 3, within: Length::hours(1), hold: Length::minutes(30) }
    }
}

/// A question that is asked again and again, and when its answer is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitorConfig {
    /// Its name within the project: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is asked: a `Query` with `measures`, as `POST /api/v1/query` takes it, without `time`, `bucket` and `order`. Each
    /// combination of its `group_by` is a series. Absent only for `composite`.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "without_time")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub query: Option<Query>,
    /// Which number is watched. Default: the first measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<ValueOf>,
    /// Over which time it is asked. Default `5m`.
    #[serde(default = "five_minutes")]
    pub window: Length,
    /// How often. Default `1m`.
    #[serde(default = "minute")]
    pub every: Length,
    /// Windows end so long before now, for data that comes late. Default `30s`.
    #[serde(default = "half_a_minute")]
    pub delay: Length,
    /// Windows with fewer rows say nothing. Default 0.
    #[serde(default)]
    pub min_samples: u64,
    /// What no data means: `ok`, `alert` or `keep`. Default `keep`. Where rows are counted, none is zero, which is data.
    #[serde(default)]
    pub no_data: NoData,
    /// When it is wrong.
    pub condition: Condition,
    /// So many evaluations in a row must find it wrong before it fires. Default 1.
    #[serde(default = "one", rename = "for")]
    pub for_: u32,
    /// So many in a row must find it right before it is over. Default 2.
    #[serde(default = "two")]
    pub recover_for: u32,
    /// When a series that comes and goes is held.
    #[serde(default)]
    pub flapping: Flapping,
    /// How bad it is: `info`, `warning`, `error` or `critical`. Default `warning`.
    #[serde(default)]
    pub severity: Severity,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What to do, in Markdown. `{{value}}`, `{{limit}}`, `{{monitor}}`, `{{severity}}`, `{{owner}}`, `{{since}}` and
    /// `{{labels.model}}` are filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// Labels of its incidents, beside those of the series.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Channels that are told at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<String>,
    /// The escalation that decides who is told when, in place of `notify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
    /// What can be done from the incident's page, or by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionConfig>,
    /// What makes one incident: `monitor` or `series`. Default `monitor`.
    #[serde(default)]
    pub group: Grouping,
    /// Whether an incident ends by itself when nothing fires any more. Default `true`.
    #[serde(default = "yes")]
    pub auto_resolve: bool,
    /// Series at most; those with the most rows are watched. Default 100.
    #[serde(default = "hundred")]
    pub max_series: u32,
    /// `false` switches it off. Default `true`.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn five_minutes() -> Length {
    Length::minutes(5)
}

fn minute() -> Length {
    Length::minutes(1)
}

fn half_a_minute() -> Length {
    Length::seconds(30)
}

fn one() -> u32 {
    1
}

fn two() -> u32 {
    2
}

fn hundred() -> u32 {
    100
}

fn yes() -> bool {
    true
}

impl MonitorConfig {
    /// What stands for a monitor where others have found out: it asks nothing itself.
    pub(crate) fn outside(name: String) -> Self {
        Self {
            name,
            description: None,
            query: None,
            value: None,
            window: five_minutes(),
            every: minute(),
            delay: half_a_minute(),
            min_samples: 0,
            no_data: NoData::default(),
            condition: Condition::Composite(Composite { all: Vec::new(), none: Vec::new() }),
            for_: one(),
            recover_for: two(),
            flapping: Flapping::default(),
            severity: Severity::default(),
            owner: None,
            runbook: None,
            labels: BTreeMap::new(),
            notify: Vec::new(),
            escalation: None,
            actions: Vec::new(),
            group: Grouping::default(),
            auto_resolve: yes(),
            max_series: hundred(),
            enabled: yes(),
        }
    }

    /// Reads one. An error names the field.
    ///
    /// # Errors
    /// It is none, or says what can't be done: all of it.
    pub fn read(value: &serde_json::Value) -> Result<Self, Vec<Problem>> {
        let monitor: Self = super::check::read(value, "monitor")?;
        let problems = monitor.problems();
        if problems.is_empty() { Ok(monitor) } else { Err(problems) }
    }

    /// The measure that is watched, and the one that it is divided by.
    #[must_use]
    pub fn watched(&self) -> Option<(&Measure, Option<&Measure>)> {
        let query = self.query.as_ref()?;
        let named = |name: &str| query.measures.iter().find(|measure| measure.name() == name);
        match &self.value {
            None => query.measures.first().map(|first| (first, None)),
            Some(ValueOf { of, over: None }) => Some((named(of)?, None)),
            Some(ValueOf { of, over: Some(over) }) => Some((named(of)?, Some(named(over)?))),
        }
    }

    /// Its value is a sum of rows, so that none is zero and windows can be added up.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let adds = |measure: &Measure| matches!(measure.function, Function::Count | Function::Sum);
        self.watched().is_some_and(|(of, over)| adds(of) && over.is_none_or(adds))
    }

    /// No rows are a value of zero.
    #[must_use]
    pub fn none_is_zero(&self) -> bool {
        let zero = |measure: &Measure| {
            matches!(measure.function, Function::Count | Function::Unique | Function::Sum | Function::Rate)
        };
        self.watched().is_some_and(|(of, over)| over.is_none() && zero(of))
    }

    /// How often it is really asked: a sequential test looks at each window once.
    #[must_use]
    pub fn interval(&self) -> Length {
        match self.condition {
            Condition::Sequential(_) => self.window,
            _ => self.every,
        }
    }

    /// All that can't be done as it is written.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        super::check::monitor(self)
    }
}

/// A query without the time that stands in every one, but that nobody has written: a monitor's `window` says when.
fn without_time<S: Serializer>(query: &Option<Query>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut written = serde_json::to_value(query).map_err(serde::ser::Error::custom)?;
    if let Some(fields) = written.as_object_mut() {
        fields.remove("time");
    }
    written.serialize(serializer)
}
