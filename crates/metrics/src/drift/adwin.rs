//! ADWIN: a window over a series that forgets what is older than the last change of its mean.

use std::collections::VecDeque;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input};
use crate::options::{OptionProblem, Options, option};
use crate::score::Metric;

use super::series::told;

pub(crate) static ADWIN: About = About {
    name: "adwin",
    aliases: &["adaptive_windowing"],
    family: Family::Drift,
    summary: "How often the mean of a series changes, at whatever pace.",
    formula: "Alarms of adaptive windowing: every `clock` numbers the window is cut where the means of its older and newer part differ by more than √(2m · σ² · δ′) + \
              2/3 · δ′ · m, m = 1/(n₀ − l + 1) + 1/(n₁ − l + 1), δ′ = ln(2 ln n / δ), l = `min_window_length`; after an alarm it begins anew. The window is kept as an \
              exponential histogram.",
    source: "Bifet and Gavaldà 2007, https://doi.org/10.1137/1.9781611972771.42; as river.drift.ADWIN 0.26",
    inputs: &[Input::Output],
    also: &[],
    range: Range::FROM_ZERO,
    direction: Direction::Lower,
    threshold: 0.0,
    options: &[
        option("delta", "0.002", "how likely a false alarm may be, above 0 and below 1"),
        option("clock", "32", "numbers between two looks"),
        option("max_buckets", "5", "sums of one size that are kept"),
        option("min_window_length", "5", "numbers that each part must have"),
        option("grace_period", "10", "numbers before the first look"),
    ],
    make,
};

#[derive(Debug, Clone, Copy)]
struct Settings {
    delta: f64,
    clock: usize,
    max_buckets: usize,
    least: usize,
    grace: usize,
}

fn make(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let delta = options.number("delta", 0.002)?;
    if delta <= 0.0 || delta >= 1.0 {
        return Err(OptionProblem::new("delta", format!("expected above 0 and below 1, found {delta}")));
    }
    let settings = Settings {
        delta,
        clock: options.count("clock", 32, 1, 1_000_000)?,
        max_buckets: options.count("max_buckets", 5, 1, 1_000)?,
        least: options.count("min_window_length", 5, 1, 1_000_000)?,
        grace: options.count("grace_period", 10, 1, 1_000_000)?,
    };
    Ok(Box::new(move |case: &Case| {
        let series = case.numbers(Input::Output)?;
        let mut window = Window::default();
        let mut alarms = Vec::new();
        for (at, value) in series.iter().enumerate() {
            if window.update(*value, settings) {
                alarms.push(at);
                window = Window::default();
            }
        }
        Ok(told(&alarms, series.len()))
    }))
}

/// The sum of some numbers, and the squares of their distances to their mean.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    total: f64,
    squares: f64,
}

/// Sums of 1, 2, 4, … numbers; of each size the oldest first.
#[derive(Debug, Default)]
struct Window {
    rows: Vec<VecDeque<Bucket>>,
    total: f64,
    squares: f64,
    width: usize,
    ticks: usize,
}

impl Window {
    fn update(&mut self, value: f64, settings: Settings) -> bool {
        self.insert(value, settings.max_buckets);
        self.ticks += 1;
        self.ticks.is_multiple_of(settings.clock) && self.width > settings.grace && self.detect(settings)
    }

    fn insert(&mut self, value: f64, max_buckets: usize) {
        if self.rows.is_empty() {
            self.rows.push(VecDeque::new());
        }
        self.width += 1;
        if self.width > 1 {
            let before = (self.width - 1) as f64;
            self.squares += before * (value - self.total / before).powi(2) / self.width as f64;
        }
        self.total += value;
        self.rows[0].push_back(Bucket { total: value, squares: 0.0 });
        let (mut row, mut size) = (0, 1.0_f64);
        // Two of a full row become one of the next.
        while self.rows.get(row).is_some_and(|buckets| buckets.len() > max_buckets) {
            let (Some(one), Some(two)) = (self.rows[row].pop_front(), self.rows[row].pop_front()) else { return };
            if self.rows.len() == row + 1 {
                self.rows.push(VecDeque::new());
            }
            let apart = size * size * (one.total / size - two.total / size).powi(2) / (2.0 * size);
            let joined = Bucket { total: one.total + two.total, squares: one.squares + two.squares + apart };
            self.rows[row + 1].push_back(joined);
            row += 1;
            size *= 2.0;
        }
    }

    fn detect(&mut self, settings: Settings) -> bool {
        let mut changed = false;
        while self.has_cut(settings) {
            changed = true;
            self.forget();
        }
        changed
    }

    /// Whether the means before and after some bucket differ by too much.
    fn has_cut(&self, settings: Settings) -> bool {
        let (mut older, mut newer) = (0, self.width);
        let (mut before, mut after) = (0.0, self.total);
        for (row, buckets) in self.rows.iter().enumerate().rev() {
            for (at, bucket) in buckets.iter().enumerate() {
                older += 1 << row;
                newer -= 1 << row;
                before += bucket.total;
                after -= bucket.total;
                if row == 0 && at + 1 == buckets.len() {
                    return false;
                }
                let apart = (before / older as f64 - after / newer as f64).abs();
                if newer >= settings.least && older >= settings.least && apart > self.bound(older, newer, settings) {
                    return true;
                }
            }
        }
        false
    }

    fn bound(&self, older: usize, newer: usize, settings: Settings) -> f64 {
        let part = |count: usize| 1.0 / (count - settings.least + 1) as f64;
        let width = self.width as f64;
        let delta = (2.0 * width.ln() / settings.delta).ln();
        let m = part(older) + part(newer);
        (2.0 * m * (self.squares / width) * delta).sqrt() + 2.0 / 3.0 * delta * m
    }

    /// Drops the oldest bucket.
    fn forget(&mut self) {
        let Some(row) = self.rows.len().checked_sub(1) else { return };
        if let Some(oldest) = self.rows[row].pop_front() {
            let size = 1_usize << row;
            self.width -= size;
            self.total -= oldest.total;
            let (n, width) = (size as f64, self.width as f64);
            let apart = oldest.total / n - self.total / width;
            self.squares -= oldest.squares + n * width * apart.powi(2) / (n + width);
        }
        while self.rows.last().is_some_and(VecDeque::is_empty) {
            self.rows.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// river 0.26 sees it at the same number.
    #[test]
    fn a_step_is_seen_and_none_is_not() {
        let noise = |at: usize| [0.3, -0.2, 0.1, -0.4, 0.2][at % 5];
        let reason = |levels: &[f64]| {
            let numbers: Vec<f64> = levels.iter().flat_map(|level| (0..100).map(move |at| level + noise(at))).collect();
            make(&Options::new()).unwrap().measure(&Case::new().with(Input::Output, numbers)).unwrap().reason
        };
        assert_eq!(reason(&[0.0, 0.0, 0.0]), "no change in 300 numbers");
        assert_eq!(reason(&[0.0, 2.0, 2.0]), "a change is seen at number 128 of 300");
    }
}
