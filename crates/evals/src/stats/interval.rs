//! Where a true figure probably lies.

use serde::{Deserialize, Serialize};

use super::{mean, normal_cdf, normal_quantile, standard_error, student_quantile};

/// From where to where a true figure lies, in so many of 100 cases as the caller asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// From here.
    pub low: f64,
    /// Up to here.
    pub high: f64,
}

impl Interval {
    /// Whether a figure lies in it.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// Student's interval of a mean; `None` of fewer than two values.
#[must_use]
pub fn mean_interval(values: &[f64], confidence: f64) -> Option<Interval> {
    let (mean, error) = (mean(values)?, standard_error(values)?);
    let half = student_quantile(0.5 + confidence / 2.0, values.len() - 1) * error;
    Some(Interval { low: mean - half, high: mean + half })
}

/// Wilson's interval of a share (1927): it holds near 0 and 1 and for few cases, too. `None` of no case.
#[must_use]
pub fn wilson(passed: usize, all: usize, confidence: f64) -> Option<Interval> {
    if all == 0 {
        return None;
    }
    let (n, share, z) = (all as f64, passed as f64 / all as f64, normal_quantile(0.5 + confidence / 2.0));
    let (squared, scale) = (z * z, 1.0 + z * z / n);
    let middle = (share + squared / (2.0 * n)) / scale;
    let half = z / scale * (share * (1.0 - share) / n + squared / (4.0 * n * n)).sqrt();
    // At the ends the roots are 0 and 1, but for the last digit.
    let low = if passed == 0 { 0.0 } else { middle - half };
    let high = if passed == all { 1.0 } else { middle + half };
    Some(Interval { low: low.max(0.0), high: high.min(1.0) })
}

/// The bootstrap's interval of a mean, bias-corrected and accelerated (Efron 1987), widened for few values as Hesterberg (2015,
/// “What teachers should know about the bootstrap”, section 4.3) has it. `None` of fewer than two values.
#[must_use]
pub fn bootstrap_mean(values: &[f64], confidence: f64, resamples: usize, seed: u64) -> Option<Interval> {
    let n = values.len();
    let centre = mean(values).filter(|_| n > 1)?;
    let third: f64 = values.iter().map(|value| (centre - value).powi(3)).sum();
    let second: f64 = values.iter().map(|value| (centre - value).powi(2)).sum();
    if second == 0.0 {
        return Some(Interval { low: centre, high: centre });
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mut means: Vec<f64> =
        (0..resamples.max(100)).map(|_| (0..n).map(|_| values[random.usize(..n)]).sum::<f64>() / n as f64).collect();
    means.sort_by(f64::total_cmp);
    let below = means.partition_point(|mean| *mean < centre) + means.partition_point(|mean| *mean <= centre);
    let share = (below as f64 / 2.0 / means.len() as f64).clamp(1e-6, 1.0 - 1e-6);
    let (bias, acceleration) = (normal_quantile(share), -third / (6.0 * second.powf(1.5)));
    let wide = (n as f64 / (n - 1) as f64).sqrt() * student_quantile(0.5 + confidence / 2.0, n - 1);
    let end = |z: f64| {
        let moved = bias + (bias + z) / (1.0 - acceleration * (bias + z)).max(1e-3);
        sorted_quantile(&means, normal_cdf(moved))
    };
    Some(Interval { low: end(-wide), high: end(wide) })
}

/// The value below which a share of the values lies, between neighbours in proportion (Hyndman and Fan 1996, type 7). `None` of
/// nothing.
#[must_use]
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    (!sorted.is_empty()).then(|| sorted_quantile(&sorted, share))
}

fn sorted_quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (low, part) = (at.floor() as usize, at.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + part * (sorted[high] - sorted[low])
}
