//! What may be concluded from figures: intervals, tests for pairs, and how small a difference a set can show at all.
//!
//! Everything is deterministic: where chance is drawn, the seed is the caller's. Sources stand at each function.

mod interval;
mod normal;
mod paired;
#[cfg(test)]
mod tests;
mod verdicts;

pub use interval::{Interval, bootstrap_mean, mean_interval, quantile, wilson};
pub use normal::{normal_cdf, normal_quantile, student_quantile};
pub use paired::{Comparison, Plan, Tail, Test, compare, compare_verdicts, holm, permutation};
pub use verdicts::{mcnemar, tango, tango_interval};

/// The mean; `None` of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard error of the mean; `None` of fewer than two.
pub(crate) fn standard_error(values: &[f64]) -> Option<f64> {
    let n = values.len();
    let mean = mean(values).filter(|_| n > 1)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (n - 1) as f64 / n as f64).sqrt())
}
