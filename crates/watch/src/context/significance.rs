//! Whether a share has grown by more than chance would make it.

/// How probable it is that two samples of these sizes differ so much or more, if the share is the same in both: a likelihood ratio test
/// (Wilks 1938), whose statistic is chi-square distributed with one degree of freedom. Sizes may be fractions: effective ones.
pub(super) fn two_shares(share: f64, size: f64, share_before: f64, size_before: f64) -> f64 {
    let (hits, hits_before) = (share * size, share_before * size_before);
    let pooled = (hits + hits_before) / (size + size_before);
    let part = |observed: f64, expected: f64| {
        if observed > 0.0 && expected > 0.0 { observed * (observed / expected).ln() } else { 0.0 }
    };
    let ratio = part(hits, size * pooled)
        + part(size - hits, size * (1.0 - pooled))
        + part(hits_before, size_before * pooled)
        + part(size_before - hits_before, size_before * (1.0 - pooled));
    // 2·ratio is chi-square(1): its tail is erfc of the root of half of it.
    erfc(ratio.max(0.0).sqrt())
}

/// Probabilities, each corrected for how many there are (Holm 1979), so that one false find among all is improbable. `of` may be more
/// than are given: others that were looked at and were less remarkable than all of these.
pub(super) fn holm(probabilities: &[f64], of: usize) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    let at = |place: usize| probabilities.get(place).copied().unwrap_or(1.0);
    order.sort_by(|one, other| at(*one).total_cmp(&at(*other)));
    let mut corrected = vec![1.0; probabilities.len()];
    let mut greatest = 0.0_f64;
    for (rank, place) in order.into_iter().enumerate() {
        greatest = greatest.max((at(place) * of.saturating_sub(rank).max(1) as f64).min(1.0));
        if let Some(slot) = corrected.get_mut(place) {
            *slot = greatest;
        }
    }
    corrected
}

/// The complementary error function of what isn't negative: by its series below 2.5, by its continued fraction above (DLMF 7.6.2, 7.9.1).
fn erfc(x: f64) -> f64 {
    let bell = (-x * x).exp();
    if x < 2.5 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        return (1.0 - std::f64::consts::FRAC_2_SQRT_PI * bell * sum).max(0.0);
    }
    let fraction = (1..=60).rev().fold(x, |below, k| x + f64::from(k) / 2.0 / below);
    bell / (fraction * std::f64::consts::PI.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_the_one_of_the_tables() {
        // Abramowitz and Stegun, table 7.1, and Wolfram's values for the tail.
        for (x, expected) in [
            (0.0, 1.0),
            (0.5, 0.479_500_122_186_953_5),
            (1.0, 0.157_299_207_050_285_1),
            (2.0, 0.004_677_734_981_047_266),
            (3.0, 2.209_049_699_858_544e-5),
            (5.0, 1.537_459_794_428_035e-12),
        ] {
            assert!((erfc(x) - expected).abs() <= 1e-10 * expected, "{x}: {}", erfc(x));
        }
    }

    #[test]
    fn shares_of_few_rows_prove_nothing() {
        // 2·ratio of 3.841 is 5 %: chi-square with one degree of freedom.
        assert!((erfc((3.841_f64 / 2.0).sqrt()) - 0.05).abs() < 1e-4);
        assert!(two_shares(0.5, 4.0, 0.1, 10.0) > 0.05);
        assert!(two_shares(0.84, 100.0, 0.12, 100.0) < 1e-20);
        assert!((two_shares(0.3, 1_000.0, 0.3, 50.0) - 1.0).abs() < 1e-6);
        assert!(two_shares(1.0, 30.0, 0.0, 30.0) < 1e-10 && two_shares(1.0, 30.0, 1.0, 30.0) > 0.99);
    }

    #[test]
    fn many_looks_need_more_evidence() {
        assert_eq!(holm(&[0.04, 0.01, 0.03], 3), [0.06, 0.03, 0.06]);
        assert_eq!(holm(&[0.01], 100), [1.0]);
        assert_eq!(holm(&[], 5), Vec::<f64>::new());
    }
}
