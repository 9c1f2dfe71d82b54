//! Means and rates over what was sampled, so that they are those of all traffic.
//!
//! A span that was taken with a chance of 1 in 20 stands for 20: its score weighs 1 / rate (Horvitz and Thompson, 1952). A
//! mean divides by the sum of the weights (Hájek, 1971), so that it stays in the range of the values. Whole traces are in a
//! sample or not, and their spans are alike: the variance is that of the traces' sums (Taylor's linearisation of the ratio,
//! as Särndal, Swensson and Wretman, *Model Assisted Survey Sampling*, 1992, section 5.7), without a correction for a finite
//! population: what is asked for is how good answers are, not only how good these were.

use std::collections::HashMap;
use std::hash::Hash;

/// The 97.5th percentile of the normal distribution: intervals hold 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// A value of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted<C> {
    /// The value.
    pub value: f64,
    /// For how many it stands: 1 / rate.
    pub weight: f64,
    /// With which others it was taken: its trace.
    pub cluster: C,
}

/// A weighted mean and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The mean (Hájek).
    pub mean: f64,
    /// The variance of that mean; `None` from fewer than two traces.
    pub variance: Option<f64>,
    /// Values.
    pub values: usize,
    /// How many traces of equal weights would say as much (Kish).
    pub effective: f64,
}

/// The weighted mean of some values, and its variance. `None` if there are none.
#[must_use]
pub fn spread<C: Hash + Eq + Copy>(values: &[Weighted<C>]) -> Option<Spread> {
    let total: f64 = values.iter().map(|one| one.weight).sum();
    if total <= 0.0 {
        return None;
    }
    let mean = values.iter().map(|one| one.weight * one.value).sum::<f64>() / total;
    let mut clusters: HashMap<C, (f64, f64)> = HashMap::new();
    for one in values {
        let (residual, weight) = clusters.entry(one.cluster).or_default();
        *residual += one.weight * (one.value - mean);
        *weight += one.weight;
    }
    let count = clusters.len() as f64;
    let squares: f64 = clusters.values().map(|(residual, _)| residual * residual).sum();
    let variance = (clusters.len() > 1).then(|| count / (count - 1.0) * squares / (total * total));
    let weights: f64 = clusters.values().map(|(_, weight)| weight * weight).sum();
    Some(Spread { mean, variance, values: values.len(), effective: total * total / weights })
}

/// Where the mean of everything lies, with 95 % confidence.
#[must_use]
pub fn mean_interval(mean: f64, variance: f64) -> (f64, f64) {
    let half = Z * variance.max(0.0).sqrt();
    (mean - half, mean + half)
}

/// Where the rate of everything lies, with 95 % confidence: Wilson's interval for as many traces as would say as much.
#[must_use]
pub fn rate_interval(rate: f64, variance: f64, effective: f64) -> (f64, f64) {
    let binomial = rate * (1.0 - rate);
    // Where all are alike the variance says nothing; then it is what so many equal ones would say.
    let size = if binomial > 0.0 && variance > 0.0 { binomial / variance } else { effective }.max(1.0);
    let (square, centre) = (Z * Z, rate + Z * Z / (2.0 * size));
    let half = Z * (binomial / size + square / (4.0 * size * size)).sqrt();
    let whole = 1.0 + square / size;
    (((centre - half) / whole).max(0.0), ((centre + half) / whole).min(1.0))
}

#[cfg(test)]
mod tests {
    use signalbox_testkit::builders::trace_id;

    use super::super::sample::takes;
    use super::*;

    #[test]
    fn a_worked_example() {
        let values: Vec<_> = [(1.0, 1.0, 0), (0.0, 1.0, 1), (1.0, 2.0, 2)]
            .map(|(value, weight, cluster)| Weighted { value, weight, cluster })
            .to_vec();
        let spread = spread(&values).unwrap();
        assert!((spread.mean - 0.75).abs() < 1e-12);
        // Residuals 0.25, -0.75, 0.5; 3/2 of the sum of their squares over 16.
        assert!((spread.variance.unwrap() - 1.5 * 0.875 / 16.0).abs() < 1e-12);
        assert!((spread.effective - 16.0 / 6.0).abs() < 1e-12);
        let (low, high) = rate_interval(1.0, 0.0, 10.0);
        assert!((low - 0.7225).abs() < 1e-3 && (high - 1.0).abs() < 1e-9, "Wilson at 10 of 10: {low}");
        assert!(super::spread::<u8>(&[]).is_none());
    }

    /// Traffic whose second half is worse; each trace has several spans that are alike. Of the first half a tenth is taken,
    /// of the second half: the rate was raised in between.
    fn traffic() -> Vec<(u64, f64, f64)> {
        let mut all = Vec::new();
        for trace in 0..3_000_u64 {
            let late = trace >= 1_500;
            let mut noise = fastrand::Rng::with_seed(trace);
            let good = if late { 0.5 } else { 0.9 } + (noise.f64() - 0.5) * 0.4;
            for _ in 0..1 + trace % 4 {
                all.push((trace, f64::from(u8::from(noise.f64() < good)), if late { 0.5 } else { 0.1 }));
            }
        }
        all
    }

    #[test]
    fn estimates_are_those_of_all_traffic_and_intervals_hold() {
        let all = traffic();
        let truth = all.iter().map(|(_, value, _)| value).sum::<f64>() / all.len() as f64;
        let (runs, mut sum, mut naive, mut held, mut counted) = (400, 0.0, 0.0, 0, 0.0);
        for run in 0..runs {
            // Each rule draws its own sample.
            let rule = format!("rule-{run}");
            let taken: Vec<_> = all
                .iter()
                .filter(|(trace, _, rate)| takes(&rule, &trace_id(*trace), *rate))
                .map(|(trace, value, rate)| Weighted { value: *value, weight: 1.0 / rate, cluster: *trace })
                .collect();
            let spread = spread(&taken).unwrap();
            sum += spread.mean;
            naive += taken.iter().map(|one| one.value).sum::<f64>() / taken.len() as f64;
            counted += taken.iter().map(|one| one.weight).sum::<f64>();
            let (low, high) = rate_interval(spread.mean, spread.variance.unwrap(), spread.effective);
            held += u32::from(low <= truth && truth <= high);
        }
        let runs = f64::from(runs);
        assert!((sum / runs - truth).abs() < 0.005, "{} against {truth}", sum / runs);
        assert!((counted / runs / all.len() as f64 - 1.0).abs() < 0.01, "how many spans there were");
        assert!((naive / runs - truth).abs() > 0.08, "without weights it is wrong: {}", naive / runs);
        assert!(f64::from(held) / runs >= 0.94, "{held} of {runs} intervals hold the truth");
    }
}
