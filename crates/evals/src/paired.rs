//! Two runs over the same items: how much one is better, and how sure that is.

use serde::Serialize;

use crate::stats::{self, Tail};

/// How sure intervals are.
const CONFIDENCE: f64 = 0.95;

/// A mean and where the true one lies in 95 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mean {
    /// Numbers.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// From here; `None` of one number.
    pub low: Option<f64>,
    /// Up to here.
    pub high: Option<f64>,
}

/// The mean of numbers with Student's interval; `None` of none.
#[must_use]
pub fn mean(numbers: &[f64]) -> Option<Mean> {
    let mean = stats::mean(numbers)?;
    let interval = stats::mean_interval(numbers, CONFIDENCE);
    Some(Mean { n: numbers.len(), mean, low: interval.map(|one| one.low), high: interval.map(|one| one.high) })
}

/// The mean of differences of pairs, and whether chance could have made it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The mean of the differences.
    pub mean: Mean,
    /// How often chance alone makes a difference as large, if there is none.
    pub p_value: f64,
    /// The true difference that four of five such comparisons would find; `None` if there is nothing to tell it by.
    pub detectable: Option<f64>,
}

/// So many signs are turned, so that a comparison takes a millisecond.
const FLIPPED: usize = 1_000_000;
/// Of more differences the mean is as good as normal, and tails are smaller than flips could show.
const FEW: usize = 500;
/// A fixed start: who asks twice gets the same answer.
const SEED: u64 = 0x5167_6e61_6c62_6f78;
/// How often a comparison is to find the difference that it is said to be able to find.
const POWER: f64 = 0.8;

/// Compares pairs by their differences; `None` of none.
///
/// The interval is Student's. The p-value is exact where a difference is −1, 0 or 1 (McNemar's test, binomial); else that of sign
/// flips, and of more than 500 differences the normal one of the mean. The same differences give the same answer.
#[must_use]
pub fn paired(differences: &[f64]) -> Option<Difference> {
    let mean = mean(differences)?;
    let error = stats::standard_error(differences);
    let is_verdict = differences.iter().all(|difference| *difference == 0.0 || difference.abs() == 1.0);
    let count = |test: fn(&&f64) -> bool| differences.iter().filter(test).count();
    let (up, down) = (count(|difference| **difference > 0.0), count(|difference| **difference < 0.0));
    let p_value = match error {
        _ if is_verdict => stats::mcnemar(up, down, Tail::Both),
        Some(error) if up + down > FEW && error > 0.0 => 2.0 * stats::normal_cdf(-(mean.mean / error).abs()),
        _ => stats::permutation_within(differences, Tail::Both, SEED, FLIPPED),
    };
    let detectable = error.filter(|error| *error > 0.0).map(|error| {
        let quantile = stats::student_quantile(0.5 + CONFIDENCE / 2.0, mean.n - 1);
        (quantile + stats::normal_quantile(POWER)) * error
    });
    Some(Difference { mean, p_value, detectable })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, within: f64) {
        assert!((found - expected).abs() <= within, "{found} is not {expected}");
    }

    #[test]
    fn quantiles_are_those_of_scipy() {
        // scipy.stats.t.ppf(0.975, degrees)
        for (degrees, expected) in
            [(1, 12.706204736), (5, 2.570581836), (11, 2.200985160), (30, 2.042272456), (1000, 1.962339081)]
        {
            near(stats::student_quantile(0.975, degrees), expected, 5e-6);
        }
    }

    #[test]
    fn a_mean_has_its_interval() {
        // scipy.stats.t.interval(0.95, 4, loc=3, scale=scipy.stats.sem([1, 2, 3, 4, 5]))
        let found = mean(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!((found.n, found.mean), (5, 3.0));
        near(found.low.unwrap(), 1.036_756_838_522_438, 1e-6);
        near(found.high.unwrap(), 4.963_243_161_477_562, 1e-6);
        assert_eq!(mean(&[2.0]), Some(Mean { n: 1, mean: 2.0, low: None, high: None }));
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn verdicts_are_compared_exactly() {
        // scipy.stats.binomtest(k, n).pvalue: 1 of 9, 0 of 3, 5 of 10
        let verdicts = |up: usize, down: usize| [vec![1.0; up], vec![-1.0; down], vec![0.0; 7]].concat();
        near(paired(&verdicts(8, 1)).unwrap().p_value, 0.0390625, 1e-12);
        near(paired(&verdicts(0, 3)).unwrap().p_value, 0.25, 1e-12);
        near(paired(&verdicts(5, 5)).unwrap().p_value, 1.0, 1e-12);
        near(paired(&verdicts(0, 0)).unwrap().p_value, 1.0, 1e-12);
        assert!(paired(&verdicts(6_000, 5_000)).unwrap().p_value < 1e-10, "thousands neither overflow nor vanish");
    }

    #[test]
    fn sign_flips_agree_with_all_of_them() {
        // All 2^6 flips of these: 2 sums are as large as the one found, so p = 2 / 64.
        let found = paired(&[0.1, 0.2, 0.15, 0.3, 0.05, 0.22]).unwrap();
        near(found.p_value, 0.03125, 0.006);
        assert_eq!(found, paired(&[0.1, 0.2, 0.15, 0.3, 0.05, 0.22]).unwrap());
        assert_eq!(paired(&[0.0, 0.0]).unwrap().p_value, 1.0);
    }

    #[test]
    fn many_differences_have_normal_tails() {
        // 2 * scipy.stats.norm.sf(z)
        for (z, expected) in
            [(0.0, 1.0), (1.0, 0.317_310_507_862_914_1), (-1.959_963_985, 0.05), (6.0, 1.973_175_290_075_396_6e-9)]
        {
            near(2.0 * stats::normal_cdf(-f64::abs(z)) / expected, 1.0, 1e-6);
        }
        let shifted: Vec<f64> = (0..2_000).map(|at| f64::from(at % 11) - 4.5).collect();
        let found = paired(&shifted).unwrap();
        assert!(found.p_value < 1e-9 && found.mean.mean > 0.4, "{found:?}");
    }

    /// Without a difference about 5 of 100 comparisons say that there is one, and 95 of 100 intervals hold the truth.
    #[test]
    fn false_alarms_and_coverage_are_what_is_promised() {
        let mut random = fastrand::Rng::with_seed(7);
        let (rounds, mut alarms, mut held) = (200, 0, 0);
        for _ in 0..rounds {
            let numbers: Vec<f64> =
                (0..40).map(|_| random.f64() * random.f64() - random.f64() * random.f64()).collect();
            let found = paired(&numbers).unwrap();
            alarms += usize::from(found.p_value < 0.05);
            held += usize::from(found.mean.low.unwrap() <= 0.0 && found.mean.high.unwrap() >= 0.0);
        }
        // Three standard deviations of a binomial share around 5 and 95 %.
        assert!((1..=19).contains(&alarms), "{alarms} of {rounds} false alarms");
        assert!((181..=199).contains(&held), "{held} of {rounds} intervals hold the truth");
    }

    #[test]
    fn several_questions_are_corrected_by_holm() {
        // statsmodels.stats.multitest.multipletests([0.01, 0.04, 0.03, 0.5], method="holm")
        let found = stats::holm(&[0.01, 0.04, 0.03, 0.5]);
        for (found, expected) in found.into_iter().zip([0.04, 0.09, 0.09, 0.5]) {
            near(found, expected, 1e-12);
        }
        assert!(stats::holm(&[]).is_empty());
    }
}
