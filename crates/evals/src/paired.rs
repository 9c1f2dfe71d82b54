//! Two runs over the same items: how much one is better, and how sure that is.

use serde::Serialize;

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
    let n = numbers.len();
    if n == 0 {
        return None;
    }
    let mean = numbers.iter().sum::<f64>() / n as f64;
    let half = standard_error(numbers, mean).map(|error| t_975(n - 1) * error);
    Some(Mean { n, mean, low: half.map(|half| mean - half), high: half.map(|half| mean + half) })
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

/// So many sign flips at most; of longer lists fewer, so that a comparison takes a millisecond.
const FLIPS: usize = 10_000;
const FLIPPED: usize = 1_000_000;
/// Of more differences the mean is as good as normal, and tails are smaller than flips could show.
const FEW: usize = 500;
/// The quantile of the normal distribution below which four fifths lie.
const Z_80: f64 = 0.841_621_233_572_914_3;

/// Compares pairs by their differences; `None` of none.
///
/// The interval is Student's. The p-value is exact where a difference is −1, 0 or 1 (McNemar's test, binomial); else that of random sign
/// flips (Fisher's permutation test for pairs; Phipson and Smyth 2010 for the + 1), and of more than 500 differences the normal one of the
/// mean. The same differences give the same answer.
#[must_use]
pub fn paired(differences: &[f64]) -> Option<Difference> {
    let mean = mean(differences)?;
    let error = standard_error(differences, mean.mean);
    let is_verdict = differences.iter().all(|difference| *difference == 0.0 || difference.abs() == 1.0);
    // Ties stay ties, however they are flipped.
    let moved: Vec<f64> = differences.iter().copied().filter(|difference| *difference != 0.0).collect();
    let p_value = match error {
        _ if is_verdict => mcnemar(differences),
        Some(error) if moved.len() > FEW && error > 0.0 => two_tails(mean.mean / error),
        _ => sign_flips(&moved),
    };
    let detectable = error.filter(|error| *error > 0.0).map(|error| (t_975(mean.n - 1) + Z_80) * error);
    Some(Difference { mean, p_value, detectable })
}

/// Holm's correction (1979): p-values for several questions at once, of which at most 5 in 100 sets have a false alarm at 0.05.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values.get(*a).partial_cmp(&p_values.get(*b)).unwrap_or(std::cmp::Ordering::Equal));
    let mut adjusted = vec![1.0_f64; p_values.len()];
    let mut least = 0.0_f64;
    for (rank, at) in order.into_iter().enumerate() {
        if let (Some(p), Some(slot)) = (p_values.get(at), adjusted.get_mut(at)) {
            least = least.max(p * (p_values.len() - rank) as f64).min(1.0);
            *slot = least;
        }
    }
    adjusted
}

fn standard_error(numbers: &[f64], mean: f64) -> Option<f64> {
    let n = numbers.len();
    if n < 2 {
        return None;
    }
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    Some((squares / (n - 1) as f64 / n as f64).sqrt())
}

/// Twice the smaller tail of the binomial distribution over the pairs that differ.
fn mcnemar(differences: &[f64]) -> f64 {
    let up = differences.iter().filter(|difference| **difference > 0.0).count();
    let down = differences.iter().filter(|difference| **difference < 0.0).count();
    let (few, all) = (up.min(down), up + down);
    // The logarithm of each term from the one before: factorials of thousands fit no float.
    let mut term = -(all as f64) * std::f64::consts::LN_2;
    let mut tail = term.exp();
    for k in 1..=few {
        term += ((all - k + 1) as f64 / k as f64).ln();
        tail += term.exp();
    }
    (2.0 * tail).min(1.0)
}

fn sign_flips(moved: &[f64]) -> f64 {
    let found = moved.iter().sum::<f64>().abs();
    let slack = 1e-9 * moved.iter().map(|difference| difference.abs()).sum::<f64>();
    let flips = (FLIPPED / moved.len().max(1)).min(FLIPS);
    // A fixed start: who asks twice gets the same answer.
    let mut random = fastrand::Rng::with_seed(0x5167_6e61_6c62_6f78);
    let mut as_large = 0_usize;
    for _ in 0..flips {
        let mut sum = 0.0;
        for chunk in moved.chunks(64) {
            let signs = random.u64(..);
            for (bit, difference) in chunk.iter().enumerate() {
                sum += f64::from_bits(difference.to_bits() ^ (((signs >> bit) & 1) << 63));
            }
        }
        as_large += usize::from(sum.abs() >= found - slack);
    }
    (as_large + 1) as f64 / (flips + 1) as f64
}

/// How much of the normal distribution lies as far out: the complementary error function by its Chebyshev fit (Press et al., Numerical
/// Recipes, `erfcc`; its relative error is below 1.2e-7 everywhere).
fn two_tails(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * x);
    let fit = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let sum = fit.iter().rev().fold(0.0, |sum, term| sum * t + term);
    (t * (-x * x + sum).exp()).min(1.0)
}

/// The quantile of Student's distribution below which 97.5 % lie: tabled where few degrees of freedom make the series of Cornish and Fisher
/// (Abramowitz and Stegun 26.7.5) too rough.
fn t_975(degrees: usize) -> f64 {
    const TABLE: [f64; 10] = [
        12.706_204_736,
        4.302_652_730,
        3.182_446_305,
        2.776_445_105,
        2.570_581_836,
        2.446_911_851,
        2.364_624_252,
        2.306_004_135,
        2.262_157_163,
        2.228_138_852,
    ];
    if let Some(tabled) = degrees.checked_sub(1).and_then(|at| TABLE.get(at)) {
        return *tabled;
    }
    let (z, v) = (1.959_963_984_540_054_f64, degrees.max(1) as f64);
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    let fourth = 79.0 * z.powi(9) + 776.0 * z.powi(7) + 1482.0 * z.powi(5) - 1920.0 * z.powi(3) - 945.0 * z;
    z + first / v + second / v.powi(2) + third / v.powi(3) + fourth / 92_160.0 / v.powi(4)
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
            near(t_975(degrees), expected, 5e-6);
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
            near(two_tails(z) / expected, 1.0, 1e-6);
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
        let found = holm(&[0.01, 0.04, 0.03, 0.5]);
        for (found, expected) in found.into_iter().zip([0.04, 0.09, 0.09, 0.5]) {
            near(found, expected, 1e-12);
        }
        assert!(holm(&[]).is_empty());
    }
}
