//! What a monitor calls wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Length;
use super::monitor::Severity;

/// When a series of a monitor is wrong. Exactly one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The value is above or below a fixed number. Example: `{threshold: {above: 0.05, recover: 0.03}}`.
    Threshold(Threshold),
    /// The value leaves the band of what is usual at this hour of the week, learned from history.
    Baseline(Baseline),
    /// The value has changed too much against an earlier window.
    Change(Change),
    /// There are too few rows.
    Absence(Absence),
    /// Other monitors fire, and others don't.
    Composite(Composite),
    /// The mean or the proportion has moved off a reference, by a test that may be looked at as often as one likes.
    Sequential(Sequential),
    /// An error budget is spent too fast, over several windows at once.
    BurnRate(BurnRate),
}

impl Condition {
    /// Its word in the configuration.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Threshold(_) => "threshold",
            Self::Baseline(_) => "baseline",
            Self::Change(_) => "change",
            Self::Absence(_) => "absence",
            Self::Composite(_) => "composite",
            Self::Sequential(_) => "sequential",
            Self::BurnRate(_) => "burn_rate",
        }
    }
}

/// A fixed limit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Above this it is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// Below this it is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// What was wrong is right again only beyond this: less than `above`, or more than `below`. Default: the limit itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recover: Option<f64>,
}

/// Which departures count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Too much.
    Upper,
    /// Too little.
    Lower,
    /// Either.
    #[default]
    Both,
}

impl Side {
    /// Too much counts.
    #[must_use]
    pub fn upper(self) -> bool {
        self != Self::Lower
    }

    /// Too little counts.
    #[must_use]
    pub fn lower(self) -> bool {
        self != Self::Upper
    }
}

/// A band around what is usual at this hour of the week: medians of history, leaning on the same hour of other days where there is little
/// of it, and as wide as the days of history are off from what the others would have made one expect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Baseline {
    /// Half the width of the band, in robust standard deviations. Smaller finds more, and more that is nothing. Default 4.
    pub sensitivity: f64,
    /// Which departures count: `upper`, `lower` or `both`. Default `both`.
    pub side: Side,
    /// How much history is learned from. Default `28d`.
    pub history: Length,
    /// How often it is learned anew; what past incidents of this monitor covered is left out. Default `24h`.
    pub relearn: Length,
    /// The band is at least so wide on each side, in the value's own unit: differences that nobody would get up for. Default 0.
    pub min_deviation: f64,
    /// What was wrong is right again within this part of the band. Default 0.8.
    pub recover: f64,
    /// A longer window that is looked at as well, with a band of its own. It finds what is too small, comes too slowly or has too few
    /// rows for `window`; that it goes on, the short one must say, as far as it has rows enough. Example: `1h`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longer: Option<Length>,
}

impl Default for Baseline {
    fn default() -> Self {
        Self {
            sensitivity: 4.0,
            side: Side::Both,
            history: Length::days(28),
            relearn: Length::hours(24),
            min_deviation: 0.0,
            recover: 0.8,
            longer: None,
        }
    }
}

/// What a window is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The window before it.
    #[default]
    Previous,
    /// The same window a day before.
    LastDay,
    /// The same window a week before.
    LastWeek,
}

/// A rate of change.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Wrong if it has grown by more than this part: 0.5 is half as much again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// Wrong if it has changed by less than this part: -0.5 is half of it gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// With what it is compared: `previous`, `last_day` or `last_week`. Default `previous`.
    #[serde(default)]
    pub against: Against,
    /// An earlier value smaller than this says nothing. Default 0.
    #[serde(default)]
    pub min_base: f64,
}

/// Too few rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Absence {
    /// Wrong with fewer rows in the window than this. Default 1.
    pub fewer_than: f64,
}

impl Default for Absence {
    fn default() -> Self {
        Self { fewer_than: 1.0 }
    }
}

/// Other monitors of the project.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Composite {
    /// All of these fire (any of their series).
    pub all: Vec<String>,
    /// None of these does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub none: Vec<String>,
}

/// A test that looks at every window and keeps its word on false alarms all the same (an e-detector).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sequential {
    /// The mean or proportion that is right.
    pub reference: f64,
    /// Which departures count. Default `both`.
    #[serde(default)]
    pub side: Side,
    /// Least and greatest possible value of one sample. Default `[0, 1]`.
    #[serde(default = "zero_to_one")]
    pub range: [f64; 2],
    /// As long as nothing has changed, false alarms are on average at least so far apart. Default `90d`.
    #[serde(default = "quarter")]
    pub false_alarm_every: Length,
}

fn zero_to_one() -> [f64; 2] {
    [0.0, 1.0]
}

fn quarter() -> Length {
    Length::days(90)
}

/// A service level objective. The monitor's value is the share of bad events: `value: {of: bad, over: all}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BurnRate {
    /// The share of events that must be good. Example: `0.999`.
    pub objective: f64,
    /// Over which time. Default `30d`.
    #[serde(default = "month")]
    pub period: Length,
    /// Which rates of spending are wrong. Default: those of Google's SRE workbook, 14.4 over 1h and 5m, 6 over 6h and 30m (both
    /// critical), 3 over 1d and 2h, 1 over 3d and 6h (both warning).
    #[serde(default = "workbook")]
    pub windows: Vec<BurnWindow>,
    /// `true`: the monitor's value is the share of good events. Default `false`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub good: bool,
    /// Fewer bad events than this in the long window are no reason to tell anybody: where there is little traffic a single one can
    /// be many times the budget. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub min_bad: f64,
}

fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

/// Wrong if the budget is spent at this rate both over the long and over the short window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BurnWindow {
    /// The window that says that it matters.
    pub long: Length,
    /// The window that says that it goes on.
    pub short: Length,
    /// So many times as fast as would spend the budget by the end of the period.
    pub factor: f64,
    /// How bad that is. Default: the monitor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

fn month() -> Length {
    Length::days(30)
}

pub(super) fn workbook() -> Vec<BurnWindow> {
    let window = |long, short, factor, severity| BurnWindow { long, short, factor, severity: Some(severity) };
    vec![
        window(Length::hours(1), Length::minutes(5), 14.4, Severity::Critical),
        window(Length::hours(6), Length::minutes(30), 6.0, Severity::Critical),
        window(Length::days(1), Length::hours(2), 3.0, Severity::Warning),
        window(Length::days(3), Length::hours(6), 1.0, Severity::Warning),
    ]
}
