//! What is usual at this hour of the week, from history: robust, so that the faults in it don't count; leaning on what is known of
//! that hour on other days where there is little history; and never narrower than chance alone makes it at the traffic there was.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use signalbox_types::Timestamp;

use super::{Judgement, Outcome, Point, shown};
use crate::config::Baseline;

/// Windows of history without which nothing is said.
const LEAST_WINDOWS: usize = 24;
/// The first and the last of them are at least so far apart: who knows the night only takes every morning for a fault.
const LEAST_SPAN: Duration = Duration::from_secs(23 * 3_600);
const HOURS: usize = 168;
/// What makes a median absolute deviation a standard deviation, where the noise is normal.
const CONSISTENT: f64 = 1.4826;
/// Nothing is steadier than this, relatively.
const STEADIEST: f64 = 0.02;

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
    /// By hour of the week, from Thursday 00:00 UTC, as the epoch has it.
    centers: Vec<f64>,
    spreads: Vec<f64>,
}

/// Where numbers scatter alike whatever their size: amounts by logarithm, as far as none is negative.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    Plain,
    Log { shift: f64 },
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
    /// Learns from the windows of history; `None` if there are too few.
    pub(crate) fn learn(history: &[Observation], nature: Nature) -> Option<Self> {
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
        let scaled: Vec<(Timestamp, f64)> = history.iter().map(|one| (one.at, scale.to(one.point.value))).collect();
        let centers = centers(&scaled);
        let mut model = Self { nature, scale, centers, spreads: Vec::new() };
        model.spreads = model.learn_spreads(&scaled);
        Some(model)
    }

    /// The band that a window with so many rows should lie in.
    #[must_use]
    pub fn band(&self, at: Timestamp, samples: f64, baseline: &Baseline) -> Band {
        let center = self.center(at);
        let plain = self.scale.back(center);
        let spread = self.spreads[hour_of(at)].max(self.chance(plain, samples));
        let half = baseline.sensitivity * spread;
        let (low, high) = (self.scale.back(center - half), self.scale.back(center + half));
        let (mut low, mut high) = (low.min(plain - baseline.min_deviation), high.max(plain + baseline.min_deviation));
        match self.nature {
            Nature::Share => (low, high) = (low.max(0.0), high.min(1.0)),
            Nature::Count => low = low.max(0.0),
            Nature::Amount => {}
        }
        Band { low, center: plain, high }
    }

    /// How much chance alone scatters it, on this scale.
    fn chance(&self, center: f64, samples: f64) -> f64 {
        match (self.nature, self.scale) {
            (Nature::Share, _) => {
                let samples = samples.max(1.0);
                // Agresti and Coull's: a share that was never seen to be anything but 0 may still be more.
                let share = (center.clamp(0.0, 1.0) * samples + 1.0) / (samples + 2.0);
                (share * (1.0 - share) / samples).sqrt()
            }
            (Nature::Count, Scale::Log { shift }) => (center.max(1.0).sqrt() / (center + shift)).max(STEADIEST),
            (Nature::Count, Scale::Plain) => center.abs().max(1.0).sqrt(),
            (Nature::Amount, Scale::Log { .. }) => STEADIEST,
            (Nature::Amount, Scale::Plain) => center.abs() * STEADIEST,
        }
    }

    /// What is usual, going from hour to hour without steps.
    fn center(&self, at: Timestamp) -> f64 {
        let hours = at.as_micros() as f64 / 3.6e9 - 0.5;
        let (whole, part) = (hours.floor(), hours - hours.floor());
        let at = |hour: f64| self.centers[(hour.rem_euclid(HOURS as f64)) as usize % HOURS];
        at(whole) * (1.0 - part) + at(whole + 1.0) * part
    }

    fn learn_spreads(&self, scaled: &[(Timestamp, f64)]) -> Vec<f64> {
        let mut by_hour = vec![Vec::new(); HOURS];
        let mut all = Vec::with_capacity(scaled.len());
        for (at, value) in scaled {
            let off = (value - self.center(*at)).abs();
            by_hour[hour_of(*at)].push(off);
            all.push(off);
        }
        let general = median(&mut all) * CONSISTENT;
        // In variances: a quiet hour of which little is known is not trusted to be so quiet.
        let lean = |own: &mut Vec<f64>| {
            let weight = own.len() as f64 / (own.len() as f64 + 20.0);
            let spread = median(own) * CONSISTENT;
            (weight * spread * spread + (1.0 - weight) * general * general).sqrt()
        };
        by_hour.iter_mut().map(lean).collect()
    }
}

/// Medians by hour of the week, leaning on the same hour of days of the same sort (working days, weekends), on that of all days and
/// on all of history, the more the fewer days there are.
fn centers(scaled: &[(Timestamp, f64)]) -> Vec<f64> {
    let mut all: Vec<f64> = scaled.iter().map(|(_, value)| *value).collect();
    let general = median(&mut all);
    let lean = |count: usize, key: &dyn Fn(usize) -> usize, parent: &dyn Fn(usize) -> f64, trust: f64| {
        let mut groups = vec![(Vec::new(), Vec::new()); count];
        for (at, value) in scaled {
            let (values, days) = &mut groups[key(hour_of(*at))];
            values.push(*value);
            let day = at.as_secs().div_euclid(86_400);
            if days.last() != Some(&day) {
                days.push(day);
            }
        }
        let mut centers = vec![f64::NAN; HOURS];
        for (hour, center) in centers.iter_mut().enumerate() {
            let (values, days) = &mut groups[key(hour)];
            days.sort_unstable();
            days.dedup();
            let weight = days.len() as f64 / (days.len() as f64 + trust);
            *center =
                if values.is_empty() { parent(hour) } else { weight * median(values) + (1.0 - weight) * parent(hour) };
        }
        centers
    };
    let of_day = lean(24, &|hour| hour % 24, &|_| general, 1.0);
    let of_sort = lean(48, &|hour| hour % 24 + 24 * usize::from(is_weekend(hour)), &|hour| of_day[hour], 1.0);
    lean(HOURS, &|hour| hour, &|hour| of_sort[hour], 0.5)
}

fn hour_of(at: Timestamp) -> usize {
    usize::try_from(at.as_secs().div_euclid(3_600).rem_euclid(HOURS as i64)).unwrap_or_default()
}

/// The epoch began on a Thursday.
fn is_weekend(hour: usize) -> bool {
    matches!(hour / 24, 2 | 3)
}

fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    let (_, found, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    *found
}

pub(super) fn judge(baseline: &Baseline, point: &Point, model: Option<&Model>, at: Timestamp) -> Judgement {
    let Some(model) = model else {
        return Judgement::new(Outcome::Hold, "there is too little history to know what is usual")
            .of(point.value, None);
    };
    let band = model.band(at, point.over.unwrap_or(point.samples), baseline);
    let within = |part: f64| {
        let low = band.center - (band.center - band.low) * part;
        let high = band.center + (band.high - band.center) * part;
        let (too_low, too_high) =
            (point.value < low && baseline.side.lower(), point.value > high && baseline.side.upper());
        !too_low && !too_high
    };
    let (outcome, word) = match (within(1.0), within(baseline.recover)) {
        (false, _) => (Outcome::Breach, "outside"),
        (true, false) => (Outcome::Between, "at the edge of"),
        (true, true) => (Outcome::Clear, "within"),
    };
    let text = format!("{} {word} the usual {} to {}", shown(point.value), shown(band.low), shown(band.high));
    let limit = if point.value < band.center { band.low } else { band.high };
    Judgement { band: Some(band), ..Judgement::new(outcome, text).of(point.value, Some(limit)) }
}
