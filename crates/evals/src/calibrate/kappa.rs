//! Who said what beside whom, and how much of it isn't chance.

use serde::Serialize;

/// How often one rater said this where another said that. Rows are the first's (people's), columns the second's (the judge's).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// What may be said, in its order.
    pub labels: Vec<String>,
    /// By row and column.
    pub counts: Vec<Vec<u64>>,
}

/// What a disagreement weighs in kappa, by the distance of the labels in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// All the same: for labels without an order.
    None,
    /// The distance.
    Linear,
    /// Its square.
    Quadratic,
}

impl Confusion {
    /// From pairs of places in `labels`. A place that there isn't is left out.
    #[must_use]
    pub fn new(labels: Vec<String>, pairs: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let counts = vec![vec![0; labels.len()]; labels.len()];
        let mut confusion = Self { labels, counts };
        confusion.add(pairs);
        confusion
    }

    pub(super) fn add(&mut self, pairs: impl IntoIterator<Item = (usize, usize)>) {
        for (row, column) in pairs {
            if let Some(cell) = self.counts.get_mut(row).and_then(|row| row.get_mut(column)) {
                *cell += 1;
            }
        }
    }

    /// All pairs.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// How often one label was said by the first, by the second, and by both.
    pub(super) fn margins(&self, at: usize) -> (u64, u64, u64) {
        let cell =
            |row: usize, column: usize| self.counts.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0);
        let all = 0..self.labels.len();
        (all.clone().map(|column| cell(at, column)).sum(), all.map(|row| cell(row, at)).sum(), cell(at, at))
    }

    /// The share of pairs that say the same. `None` of none.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        let same: u64 = (0..self.labels.len()).map(|at| self.margins(at).2).sum();
        let total = self.total();
        (total > 0).then(|| same as f64 / total as f64)
    }

    /// Cohen's kappa (Cohen 1960; weighted: Cohen 1968), as scikit-learn's `cohen_kappa_score`: 1 if they always agree, 0 if as often as
    /// by chance. `None` if there is nothing to disagree about: no pairs, or one label only.
    #[must_use]
    pub fn kappa(&self, weights: Weights) -> Option<f64> {
        let total = self.total() as f64;
        let margins: Vec<(f64, f64)> = (0..self.labels.len())
            .map(|at| self.margins(at))
            .map(|(row, column, _)| (row as f64, column as f64))
            .collect();
        let (mut seen, mut expected) = (0.0, 0.0);
        for (at, (row, line)) in margins.iter().zip(&self.counts).enumerate() {
            for (to, (column, count)) in margins.iter().zip(line).enumerate() {
                let distance = at.abs_diff(to) as f64;
                let weight = match weights {
                    Weights::None => f64::from(u8::from(at != to)),
                    Weights::Linear => distance,
                    Weights::Quadratic => distance * distance,
                };
                seen += weight * *count as f64;
                expected += weight * row.0 * column.1 / total;
            }
        }
        (total > 0.0 && expected > 0.0).then(|| 1.0 - seen / expected)
    }
}

/// Fleiss' kappa (Fleiss 1971) of any number of raters. Each item has how often each label was given to it; every item by as many
/// raters, at least two. `None` if that isn't so, or if only one label was ever given.
#[must_use]
pub fn fleiss_kappa(items: &[Vec<u64>]) -> Option<f64> {
    let raters: u64 = items.first()?.iter().sum();
    if raters < 2 || items.iter().any(|item| item.iter().sum::<u64>() != raters) {
        return None;
    }
    let (count, each) = (items.len() as f64, raters as f64);
    let alike =
        |item: &Vec<u64>| item.iter().map(|n| *n as f64 * (*n as f64 - 1.0)).sum::<f64>() / (each * (each - 1.0));
    let seen = items.iter().map(alike).sum::<f64>() / count;
    let labels = items.iter().map(Vec::len).max()?;
    let share = |label: usize| items.iter().filter_map(|item| item.get(label)).sum::<u64>() as f64 / (count * each);
    let expected: f64 = (0..labels).map(share).map(|share| share * share).sum();
    (expected < 1.0).then(|| (seen - expected) / (1.0 - expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs from how often each occurs.
    fn confusion(one: &[(usize, usize)], other: &[(usize, usize)]) -> Confusion {
        let spread = |runs: &[(usize, usize)]| -> Vec<usize> {
            runs.iter().flat_map(|(label, count)| std::iter::repeat_n(*label, *count)).collect()
        };
        let labels = ["0", "1", "2"].map(str::to_owned).to_vec();
        Confusion::new(labels, spread(one).into_iter().zip(spread(other)))
    }

    #[track_caller]
    fn near(found: Option<f64>, expected: f64, digits: i32) {
        let found = found.unwrap();
        assert!((found - expected).abs() < 0.5 * 10f64.powi(-digits), "{found} isn't {expected}");
    }

    /// What scikit-learn's own tests check `cohen_kappa_score` by (`sklearn/metrics/tests/test_classification.py`), after Artstein and
    /// Poesio 2008, "Inter-Coder Agreement for Computational Linguistics", Tables 1 and 4.
    #[test]
    fn kappa_is_scikit_learns() {
        let two = confusion(&[(0, 40), (1, 60)], &[(0, 20), (1, 20), (0, 10), (1, 50)]);
        near(two.kappa(Weights::None), 0.348, 3);
        let three = confusion(&[(0, 46), (1, 44), (2, 10)], &[(0, 52), (1, 32), (2, 16)]);
        near(three.kappa(Weights::None), 0.8013, 4);
        let weighted = confusion(&[(0, 46), (1, 44), (2, 10)], &[(0, 50), (1, 40), (2, 10)]);
        near(weighted.kappa(Weights::None), 0.9315, 4);
        near(weighted.kappa(Weights::Linear), 0.9412, 4);
        near(weighted.kappa(Weights::Quadratic), 0.9541, 4);
    }

    /// The table of Fleiss 1971 as Wikipedia has it: 14 raters, 10 subjects, 5 labels, kappa 0.210.
    #[test]
    fn fleiss_is_as_published() {
        let items: Vec<Vec<u64>> = [
            [0, 0, 0, 0, 14],
            [0, 2, 6, 4, 2],
            [0, 0, 3, 5, 6],
            [0, 3, 9, 2, 0],
            [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0],
            [3, 2, 6, 3, 0],
            [2, 5, 3, 2, 2],
            [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7],
        ]
        .map(Vec::from)
        .to_vec();
        near(fleiss_kappa(&items), 0.210, 3);
        assert_eq!(fleiss_kappa(&[vec![3, 0], vec![3, 0]]), None, "one label only");
        assert_eq!(fleiss_kappa(&[vec![3, 0], vec![1, 1]]), None, "not by as many raters");
        assert_eq!(fleiss_kappa(&[]), None);
    }

    #[test]
    fn without_anything_to_disagree_about_there_is_no_kappa() {
        assert_eq!(confusion(&[(1, 5)], &[(1, 5)]).kappa(Weights::None), None);
        assert_eq!(confusion(&[], &[]).kappa(Weights::Linear), None);
        assert_eq!(confusion(&[], &[]).accuracy(), None);
        assert_eq!(confusion(&[(1, 4)], &[(1, 3), (0, 1)]).accuracy(), Some(0.75));
    }
}
