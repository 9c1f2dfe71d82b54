//! A test that may be looked at after every window. It is an e-detector (Shin, Ramdas and Rinaldo, "E-detectors", 2022): for each of
//! several possible changes, M ← (M + 1) · e with e the window's likelihood ratio of that change against the reference. As long as
//! nothing has changed the expected M grows by no more than one a window, so that a limit of c is crossed after c windows or more on
//! average, whatever the data look like.
//!
//! For values between 0 and 1 with mean m, E exp(tY) ≤ 1 − m + m·exp(t) (the exponential is convex), so the likelihood ratio of
//! coin tosses holds for their means, too: nothing is assumed of the distribution.

use serde::{Deserialize, Serialize};
use signalbox_types::Timestamp;

use super::{Judgement, Outcome, Point, shown};
use crate::config::{Length, Sequential};

/// Possible changes, as differences of log odds.
const STEPS: [f64; 10] = [0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.1, 1.5, 2.2];

/// What has been gathered of a series: a statistic for each possible change, downwards and upwards.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evidence {
    lower: Vec<f64>,
    upper: Vec<f64>,
    /// The end of the last window that counted: each counts once.
    read_to: Timestamp,
}

impl Evidence {
    fn take(&mut self, reference: f64, good: f64, samples: f64, most: f64) {
        for (sign, statistics) in [(-1.0, &mut self.lower), (1.0, &mut self.upper)] {
            statistics.resize(STEPS.len(), 0.0);
            for (step, statistic) in STEPS.iter().zip(statistics) {
                let odds = (reference / (1.0 - reference)).ln() + sign * step;
                let changed = 1.0 / (1.0 + (-odds).exp());
                let log =
                    good * (changed / reference).ln() + (samples - good) * ((1.0 - changed) / (1.0 - reference)).ln();
                // Bounded, so that what is over is soon known to be.
                *statistic = ((*statistic + 1.0) * log.clamp(-700.0, 700.0).exp()).min(most);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn total(&self) -> f64 {
        self.lower.iter().chain(&self.upper).sum()
    }

    fn strength(&self, sequential: &Sequential) -> f64 {
        let mean = |statistics: &[f64]| statistics.iter().sum::<f64>() / STEPS.len() as f64;
        let sides = [(sequential.side.lower(), &self.lower), (sequential.side.upper(), &self.upper)];
        let watched: Vec<f64> = sides.iter().filter(|(watched, _)| *watched).map(|(_, one)| mean(one)).collect();
        watched.iter().sum::<f64>() / watched.len().max(1) as f64
    }
}

pub(super) fn judge(
    sequential: &Sequential,
    window: Length,
    point: &Point,
    end: Timestamp,
    evidence: &mut Evidence,
) -> Judgement {
    let limit = sequential.false_alarm_every.0.as_secs_f64() / window.0.as_secs_f64().max(1.0);
    let [least, most] = sequential.range;
    let unit = |value: f64| ((value - least) / (most - least)).clamp(0.0, 1.0);
    // Only windows that don't overlap are evidence of their own.
    let fresh = evidence.read_to <= end.minus(window.0);
    if fresh {
        let samples = point.over.unwrap_or(point.samples);
        evidence.take(unit(sequential.reference), unit(point.value) * samples, samples, limit * 20.0);
        evidence.read_to = end;
    }
    let strength = evidence.strength(sequential);
    let outcome = match strength {
        _ if !fresh => Outcome::Hold,
        strong if strong >= limit => Outcome::Breach,
        weak if weak < limit / 10.0 => Outcome::Clear,
        _ => Outcome::Between,
    };
    let text = format!(
        "{} against {}; evidence {} of {} that it has changed",
        shown(point.value),
        shown(sequential.reference),
        shown(strength),
        shown(limit)
    );
    Judgement::new(outcome, text).of(point.value, Some(sequential.reference))
}
