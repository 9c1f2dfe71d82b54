//! What each condition says of a series: pure functions of numbers. Nothing here asks or remembers anything by itself.

mod absence;
mod baseline;
mod burn_rate;
mod change;
mod composite;
mod sequential;
#[cfg(test)]
mod tests;
mod threshold;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use signalbox_types::Timestamp;

use crate::config::{Condition, Length, MonitorConfig, Severity};

pub(crate) use baseline::Nature;
pub use baseline::{Band, Model, Observation};
pub(crate) use burn_rate::bad;
pub(crate) use composite::judge as composite;
pub use sequential::Evidence;

/// What a window of a series came to.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Point {
    /// The number that is watched.
    pub value: f64,
    /// What was divided, or the value itself.
    pub of: f64,
    /// What it was divided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<f64>,
    /// How many rows there were.
    pub samples: f64,
}

/// A window that a condition looks at: it ends `ago` before the evaluated one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// How long before.
    pub ago: Duration,
    /// How wide.
    pub width: Duration,
}

/// What an evaluation found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WindowOutcome)]
pub enum Outcome {
    /// It is wrong.
    Breach,
    /// Not wrong, and not right enough to end what has begun.
    Between,
    /// It is right.
    Clear,
    /// Too little to tell: everything stays as it was.
    Hold,
    /// There is no data.
    NoData,
}

/// What an evaluation found, with the numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// In a word.
    pub outcome: Outcome,
    /// The value.
    pub value: Option<f64>,
    /// The limit that was, or would have been, crossed.
    pub limit: Option<f64>,
    /// What was usual, where that is known.
    pub band: Option<Band>,
    /// For people: what was compared with what.
    pub text: String,
    /// How bad, where the condition knows.
    pub severity: Option<Severity>,
}

impl Judgement {
    pub(crate) fn new(outcome: Outcome, text: impl Into<String>) -> Self {
        Self { outcome, value: None, limit: None, band: None, text: text.into(), severity: None }
    }

    fn of(self, value: f64, limit: Option<f64>) -> Self {
        Self { value: Some(value), limit, ..self }
    }

    pub(crate) fn no_data() -> Self {
        Self::new(Outcome::NoData, "there is no data")
    }
}

/// What is known beside the windows.
#[derive(Debug, Default)]
pub struct Beside<'a> {
    /// When the evaluated window ends.
    pub end: Timestamp,
    /// What was learned of the series.
    pub model: Option<&'a Model>,
    /// What was learned of its longer windows, where the condition looks at such, and when that which is evaluated ends.
    pub longer: Option<(&'a Model, Timestamp)>,
    /// When the series was last over: windows that begin before that still hold what was told of.
    pub recovered_at: Option<Timestamp>,
    /// What a sequential test has gathered of it.
    pub evidence: Option<&'a mut Evidence>,
}

/// The windows that a monitor's condition looks at; the first is the evaluated one.
#[must_use]
pub fn needs(monitor: &MonitorConfig) -> Vec<Need> {
    let window = Need { ago: Duration::ZERO, width: monitor.window.0 };
    match &monitor.condition {
        Condition::Threshold(_) | Condition::Absence(_) | Condition::Sequential(_) => vec![window],
        Condition::Baseline(baseline) => {
            let longer = baseline.longer.map(|width| Need { ago: Duration::ZERO, width: width.0 });
            std::iter::once(window).chain(longer).collect()
        }
        Condition::Change(change) => vec![window, Need { ago: change::ago(change, monitor.window), ..window }],
        Condition::Composite(_) => Vec::new(),
        Condition::BurnRate(burn) => burn_rate::needs(burn),
    }
}

/// What the condition says of a series, given its windows in the order of [`needs`].
#[must_use]
pub fn judge(monitor: &MonitorConfig, points: &[Option<Point>], beside: Beside<'_>) -> Judgement {
    if let Condition::Absence(absence) = &monitor.condition {
        return absence::judge(absence, monitor.window, points.first().copied().flatten());
    }
    if let Condition::BurnRate(burn) = &monitor.condition {
        // Each pair of windows has rows of its own: an hour without calls says nothing of the days around it.
        return match points.iter().all(Option::is_none) {
            true => Judgement::no_data(),
            false => burn_rate::judge(burn, monitor.min_samples as f64, points),
        };
    }
    if let Condition::Baseline(baseline) = &monitor.condition {
        return baseline::judge(monitor, baseline, points, &beside);
    }
    let Some(Some(point)) = points.first() else { return Judgement::no_data() };
    if let Some(scarce) = too_few(monitor, point) {
        return scarce;
    }
    match &monitor.condition {
        Condition::Threshold(threshold) => threshold::judge(threshold, point.value),
        Condition::Change(change) => change::judge(change, point, points.get(1).copied().flatten()),
        Condition::Sequential(sequential) => match beside.evidence {
            Some(evidence) => sequential::judge(sequential, monitor.window, point, beside.end, evidence),
            None => Judgement::new(Outcome::Hold, "nothing was gathered"),
        },
        Condition::Absence(_) | Condition::Baseline(_) | Condition::Composite(_) | Condition::BurnRate(_) => {
            Judgement::new(Outcome::Hold, "it looks at something else")
        }
    }
}

/// What is said of a window with too few rows to say anything.
fn too_few(monitor: &MonitorConfig, point: &Point) -> Option<Judgement> {
    let text = || format!("only {} rows, fewer than {}", point.samples, monitor.min_samples);
    (point.samples < monitor.min_samples as f64).then(|| Judgement::new(Outcome::Hold, text()).of(point.value, None))
}

/// The middle of a window, which decides what was usual then.
pub(crate) fn middle(end: Timestamp, window: Length) -> Timestamp {
    end.minus(window.0 / 2)
}

/// A number as people read it: four digits that say something, without trailing zeros.
#[must_use]
pub(crate) fn shown(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs();
    if size >= 1e15 || (size > 0.0 && size < 1e-6) {
        return format!("{value:.3e}");
    }
    let digits = if size == 0.0 { 0.0 } else { size.log10().floor() };
    let decimals = (3.0 - digits).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}
