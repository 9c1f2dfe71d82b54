//! What is usual at this hour of the week, from history: robust, so that the faults in it don't count; leaning on what is known of
//! that hour on other days where there is little history; as wide as days differ that weren't learned from; and never narrower than
//! chance alone makes it at the traffic there is.

mod hours;
mod scatter;
mod share;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use signalbox_types::Timestamp;

use super::{Beside, Judgement, Outcome, Point, middle, shown};
use crate::config::{Baseline, MonitorConfig};
use hours::{Hours, Middle, Window};
use scatter::{Off, Scatter};

/// Windows of history without which nothing is said.
const LEAST_WINDOWS: usize = 24;
/// The first and the last of them are at least so far apart: who knows the night only takes every morning for a fault.
const LEAST_SPAN: Duration = Duration::from_secs(23 * 3_600);
/// Nothing is steadier than this, relatively.
const STEADIEST: f64 = 0.02;
/// What so much of the band holds, in its middle, is well by itself, whatever a longer window still has of what was before.
const MIDDLE: f64 = 0.25;

/// A window of history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Its middle.
    pub at: Timestamp,
    /// What it came to.
    pub point: Point,
}

/// What kind of number it is: how it scatters follows from that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    /// A share of counts, between 0 and 1.
    Share,
    /// A number of rows.
    Count,
    /// Anything else.
    Amount,
}

/// What was usual.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = UsualBand)]
pub struct Band {
    /// Below this it is unusual.
    pub low: f64,
    /// The middle.
    pub center: f64,
    /// Above this it is unusual.
    pub high: f64,
}

/// What was learned of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    nature: Nature,
    scale: Scale,
    hours: Hours,
    noise: Noise,
}

/// Where numbers scatter alike whatever their size: amounts by logarithm, as far as none is negative.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    Plain,
    Log { shift: f64 },
}

/// How far from the middle it is by itself.
#[derive(Debug, Clone, PartialEq)]
enum Noise {
    /// Of shares: how much the odds change, beside chance.
    Restless(f64),
    /// On the scale.
    Scatter(Scatter),
}

impl Scale {
    fn to(self, value: f64) -> f64 {
        match self {
            Self::Plain => value,
            Self::Log { shift } => (value.max(0.0) + shift).ln(),
        }
    }

    fn back(self, scaled: f64) -> f64 {
        match self {
            Self::Plain => scaled,
            Self::Log { shift } => (scaled.exp() - shift).max(0.0),
        }
    }
}

impl Model {
    /// Learns from the windows of history, which are so wide; `None` if there are too few.
    pub(crate) fn learn(history: &[Observation], nature: Nature, width: Duration) -> Option<Self> {
        let (first, last) = (history.first()?.at, history.last()?.at);
        if history.len() < LEAST_WINDOWS || last.since(first) < LEAST_SPAN {
            return None;
        }
        let mut values: Vec<f64> = history.iter().map(|one| one.point.value).collect();
        let typical = median(&mut values);
        let scale = match nature {
            Nature::Share => Scale::Plain,
            _ if values.iter().any(|value| *value < 0.0) => Scale::Plain,
            Nature::Count => Scale::Log { shift: (typical * 0.05).max(1.0) },
            Nature::Amount if typical > 0.0 => Scale::Log { shift: typical * 0.05 },
            Nature::Amount => Scale::Plain,
        };
        let window = |one: &Observation| Window {
            at: one.at,
            value: scale.to(one.point.value),
            of: one.point.of,
            over: one.point.over.unwrap_or(one.point.samples),
        };
        let windows: Vec<Window> = history.iter().map(window).collect();
        let kind = if nature == Nature::Share { Middle::Pooled } else { Middle::Median };
        let expected = hours::expected(&windows, kind, scale, width);
        let noise = match nature {
            Nature::Share => Noise::Restless(share::restlessness(&windows, &expected)),
            Nature::Count | Nature::Amount => {
                let off = |(one, expected): (&Window, &f64)| Off {
                    at: one.at,
                    rows: rows(nature, scale, *expected, one.over),
                    off: one.value - expected,
                };
                Noise::Scatter(Scatter::learn(windows.iter().zip(&expected).map(off).collect()))
            }
        };
        let hours = Hours::learn(&windows.iter().collect::<Vec<_>>(), kind, scale, width);
        Some(Self { nature, scale, hours, noise })
    }

    /// The band that a window with so many rows should lie in.
    #[must_use]
    pub fn band(&self, at: Timestamp, samples: f64, baseline: &Baseline) -> Band {
        let between = self.hours.between(at);
        let (least, most) = (self.scale.back(between.0), self.scale.back(between.1));
        let (low, high) = match &self.noise {
            Noise::Restless(restless) => share::limits(between, samples.max(1.0), baseline.sensitivity, *restless),
            Noise::Scatter(scatter) => {
                let center = self.hours.center(at);
                let usual = scatter.spread(at, rows(self.nature, self.scale, center, samples));
                let half = baseline.sensitivity * usual.max(self.chance(self.scale.back(center)));
                (self.scale.back(between.0 - half), self.scale.back(between.1 + half))
            }
        };
        let (mut low, mut high) = (low.min(least - baseline.min_deviation), high.max(most + baseline.min_deviation));
        match self.nature {
            Nature::Share => (low, high) = (low.max(0.0), high.min(1.0)),
            Nature::Count => low = low.max(0.0),
            Nature::Amount => {}
        }
        Band { low, center: self.scale.back(self.hours.center(at)), high }
    }

    /// How much it scatters at least, on this scale: chance alone moves a count, and no amount is known more exactly than this.
    fn chance(&self, center: f64) -> f64 {
        match (self.nature, self.scale) {
            (Nature::Count, Scale::Log { shift }) => (center.max(1.0).sqrt() / (center + shift)).max(STEADIEST),
            (Nature::Count, Scale::Plain) => center.abs().max(1.0).sqrt(),
            (_, Scale::Log { .. }) => STEADIEST,
            (_, Scale::Plain) => center.abs() * STEADIEST,
        }
    }
}

/// The rows that decide how far a window may be off: of a count those that were to be expected, as it would be its own excuse.
fn rows(nature: Nature, scale: Scale, expected: f64, samples: f64) -> f64 {
    if nature == Nature::Count { scale.back(expected) } else { samples }
}

fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    let (_, found, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    *found
}

/// What the windows of a series say: the short one, and the longer one if there is one. Either can find something wrong; what is over in
/// the short one is over.
pub(super) fn judge(
    monitor: &MonitorConfig,
    baseline: &Baseline,
    points: &[Option<Point>],
    beside: &Beside<'_>,
) -> Judgement {
    let point = |place: usize| points.get(place).copied().flatten();
    let short = judge_one(monitor, baseline, point(0), beside.model, middle(beside.end, monitor.window));
    let Some(width) = baseline.longer else { return short };
    // It still holds what was told of and is over.
    if beside.recovered_at.is_some_and(|at| beside.end.minus(width.0) < at) {
        return short;
    }
    let (model, end) = beside.longer.map_or((None, beside.end), |(model, end)| (Some(model), end));
    let longer = judge_one(monitor, baseline, point(1), model, middle(end, width));
    let longer = Judgement { text: format!("{} over {width}", longer.text), ..longer };
    let longer_counts = match (short.outcome, longer.outcome) {
        (Outcome::Breach | Outcome::NoData, _) | (_, Outcome::Hold | Outcome::NoData) => false,
        (Outcome::Hold, _) => true,
        (Outcome::Clear, Outcome::Breach | Outcome::Between) => !is_in_the_middle(baseline, &short),
        (_, outcome) => outcome == Outcome::Breach,
    };
    if longer_counts { longer } else { short }
}

fn is_in_the_middle(baseline: &Baseline, judged: &Judgement) -> bool {
    let known = judged.band.zip(judged.value);
    known.is_some_and(|(band, value)| is_within(baseline, band, value, MIDDLE))
}

/// Whether a value is in so much of a band, to the sides that count.
fn is_within(baseline: &Baseline, band: Band, value: f64, part: f64) -> bool {
    let low = band.center - (band.center - band.low) * part;
    let high = band.center + (band.high - band.center) * part;
    let is_below = value < low && baseline.side.lower();
    let is_above = value > high && baseline.side.upper();
    !is_below && !is_above
}

fn judge_one(
    monitor: &MonitorConfig,
    baseline: &Baseline,
    point: Option<Point>,
    model: Option<&Model>,
    at: Timestamp,
) -> Judgement {
    let Some(point) = point else { return Judgement::no_data() };
    if let Some(scarce) = super::too_few(monitor, &point) {
        return scarce;
    }
    let Some(model) = model else {
        return Judgement::new(Outcome::Hold, "there is too little history to know what is usual")
            .of(point.value, None);
    };
    let band = model.band(at, point.over.unwrap_or(point.samples), baseline);
    let within = |part: f64| is_within(baseline, band, point.value, part);
    let (outcome, word) = match (within(1.0), within(baseline.recover)) {
        (false, _) => (Outcome::Breach, "outside"),
        (true, false) => (Outcome::Between, "at the edge of"),
        (true, true) => (Outcome::Clear, "within"),
    };
    let text = format!("{} {word} the usual {} to {}", shown(point.value), shown(band.low), shown(band.high));
    let limit = if point.value < band.center { band.low } else { band.high };
    Judgement { band: Some(band), ..Judgement::new(outcome, text).of(point.value, Some(limit)) }
}
