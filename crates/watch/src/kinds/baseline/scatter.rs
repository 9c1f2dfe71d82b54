//! How far from the middle windows are by themselves: the fewer rows they have, the farther.

use signalbox_types::Timestamp;

use super::hours::{HOURS, hour_of};

/// So many windows are taken together, at least, to say how far those with so many rows are.
const TOGETHER: usize = 30;
const MOST_SIZES: usize = 12;
/// An hour with so many windows is believed half.
const TRUST: f64 = 20.0;
/// An hour isn't held to be much quieter than others.
const QUIETEST: f64 = 0.7;

/// A window and how far from what was expected it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Off {
    pub(super) at: Timestamp,
    pub(super) rows: f64,
    pub(super) off: f64,
}

/// What was learned of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scatter {
    /// The variance that more rows don't make smaller …
    steady: f64,
    /// … and that which they do, of a single row.
    by_row: f64,
    /// Of windows with fewer rows than this nothing is known.
    least: f64,
    /// How much more or less it is at an hour of the week.
    ratios: Vec<f64>,
}

impl Scatter {
    pub(super) fn learn(mut offs: Vec<Off>) -> Self {
        offs.sort_by(|one, other| one.rows.total_cmp(&other.rows));
        let sizes = (offs.len() / TOGETHER).clamp(1, MOST_SIZES);
        let points: Vec<(f64, f64)> = offs
            .chunks(offs.len().div_ceil(sizes).max(1))
            .map(|alike| {
                let deviation = deviation(alike.iter().map(|one| one.off));
                (1.0 / alike[alike.len() / 2].rows.max(1.0), deviation * deviation)
            })
            .collect();
        let first = fitted(&points, |(_, variance)| variance);
        // What is far is far by chance more often than what is near: weights by what was fitted, not by what was found.
        let (steady, by_row) = fitted(&points, |(row, _)| first.0 + first.1 * row);
        let least = points.first().map_or(1.0, |(row, _)| 1.0 / row);
        let mut scatter = Self { steady, by_row, least, ratios: vec![1.0; HOURS] };
        scatter.ratios = scatter.by_hour(&offs);
        scatter
    }

    /// A standard deviation.
    pub(super) fn spread(&self, at: Timestamp, rows: f64) -> f64 {
        self.of_rows(rows) * self.ratios[hour_of(at)]
    }

    fn of_rows(&self, rows: f64) -> f64 {
        let rows = rows.max(1.0);
        let beyond = (self.least / rows).max(1.0);
        ((self.steady + self.by_row / rows.max(self.least)) * beyond).sqrt()
    }

    /// By hour of the day, leaning on all; by hour of the week, leaning on that. In variances.
    fn by_hour(&self, offs: &[Off]) -> Vec<f64> {
        let level = |groups: usize, parents: &[f64]| -> Vec<f64> {
            let mut own = vec![Vec::new(); groups];
            for one in offs {
                let usual = self.of_rows(one.rows);
                if usual > 0.0 {
                    own[hour_of(one.at) % groups].push(one.off / usual);
                }
            }
            let lean = |hour: usize| {
                let own = &own[hour % groups];
                let weight = own.len() as f64 / (own.len() as f64 + TRUST);
                let ratio = deviation(own.iter().copied());
                (weight * ratio * ratio + (1.0 - weight) * parents[hour] * parents[hour]).sqrt().max(QUIETEST)
            };
            (0..HOURS).map(lean).collect()
        };
        let of_day = level(24, &[1.0; HOURS]);
        level(HOURS, &of_day)
    }
}

/// A standard deviation that one fault in five doesn't spoil, and that sees more of a tail than the median does: four of five are nearer
/// than 1.28 of it, where the noise is normal.
fn deviation(offs: impl Iterator<Item = f64>) -> f64 {
    let mut far: Vec<f64> = offs.map(f64::abs).collect();
    if far.is_empty() {
        return 0.0;
    }
    let place = (far.len() * 4 / 5).min(far.len() - 1);
    let (_, found, _) = far.select_nth_unstable_by(place, f64::total_cmp);
    *found / 1.281_6
}

/// The line through points (one over the number of rows, variance) with neither part below zero, each point counting by how well its
/// variance is known, which goes with its square.
fn fitted(points: &[(f64, f64)], size: impl Fn((f64, f64)) -> f64) -> (f64, f64) {
    let [mut all, mut row, mut row_row, mut variance, mut row_variance] = [0.0; 5];
    for point in points {
        let weight = size(*point).max(1e-9).powi(-2);
        all += weight;
        row += weight * point.0;
        row_row += weight * point.0 * point.0;
        variance += weight * point.1;
        row_variance += weight * point.0 * point.1;
    }
    let determinant = all * row_row - row * row;
    if determinant <= 1e-6 * all * row_row {
        return (variance / all, 0.0);
    }
    let steady = (row_row * variance - row * row_variance) / determinant;
    let by_row = (all * row_variance - row * variance) / determinant;
    if by_row < 0.0 {
        (variance / all, 0.0)
    } else if steady < 0.0 {
        (0.0, row_variance / row_row)
    } else {
        (steady, by_row)
    }
}
