//! Many tests at once: p values put right, so that one of many isn't taken for news by chance.

/// How p values are put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// Not at all.
    None,
    /// Each by the number of tests. Bonferroni 1936.
    Bonferroni,
    /// The least by the number of tests, the next by one less, and so on: no false alarm in all of them, never weaker than
    /// Bonferroni's. Holm 1979, <https://www.jstor.org/stable/4615733>.
    Holm,
    /// A share of false alarms among all alarms. Benjamini and Hochberg 1995, <https://doi.org/10.1111/j.2517-6161.1995.tb02031.x>.
    BenjaminiHochberg,
}

/// Their names.
pub const CORRECTIONS: &[(&str, Correction)] = &[
    ("none", Correction::None),
    ("bonferroni", Correction::Bonferroni),
    ("holm", Correction::Holm),
    ("benjamini_hochberg", Correction::BenjaminiHochberg),
];

/// The p values, put right, in their order: compare them with the level for all tests together.
#[must_use]
pub fn adjusted(p_values: &[f64], correction: Correction) -> Vec<f64> {
    let count = p_values.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = p_values.to_vec();
    match correction {
        Correction::None => {}
        Correction::Bonferroni => adjusted.iter_mut().for_each(|p| *p *= count as f64),
        Correction::Holm => {
            let mut most = 0.0_f64;
            for (rank, at) in order.into_iter().enumerate() {
                most = most.max(p_values[at] * (count - rank) as f64);
                adjusted[at] = most;
            }
        }
        Correction::BenjaminiHochberg => {
            let mut least = f64::INFINITY;
            for (rank, at) in order.into_iter().enumerate().rev() {
                least = least.min(p_values[at] * count as f64 / (rank + 1) as f64);
                adjusted[at] = least;
            }
        }
    }
    adjusted.iter_mut().for_each(|p| *p = p.min(1.0));
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::near;

    fn check(correction: Correction, expected: [f64; 4]) {
        let found = adjusted(&[0.01, 0.04, 0.03, 0.005], correction);
        found.into_iter().zip(expected).for_each(|(one, other)| near(one, other));
    }

    /// Figures of R's `p.adjust`.
    #[test]
    fn agrees_with_r() {
        check(Correction::None, [0.01, 0.04, 0.03, 0.005]);
        check(Correction::Bonferroni, [0.04, 0.16, 0.12, 0.02]);
        check(Correction::Holm, [0.03, 0.06, 0.06, 0.02]);
        check(Correction::BenjaminiHochberg, [0.02, 0.04, 0.04, 0.02]);
        assert_eq!(adjusted(&[], Correction::Holm), [] as [f64; 0]);
        assert_eq!(adjusted(&[0.6, 0.7], Correction::Bonferroni), [1.0, 1.0]);
    }
}
