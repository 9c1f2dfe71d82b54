//! One series of numbers, oldest first, in `output`: where it changes.

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

pub(crate) static CUSUM: About = About {
    name: "cusum",
    aliases: &[],
    family: Family::Drift,
    summary: "How often a series leaves its level for good.",
    formula: "Alarms of the two-sided tabular CUSUM: S⁺ = max(0, S⁺ + z − k), S⁻ = max(0, S⁻ − z − k), alarm above h, then from 0 again; z: distance to the mean \
              of the reference (or of the first `warmup` numbers, which then raise none) in its standard deviations.",
    source: "Page 1954, https://doi.org/10.1093/biomet/41.1-2.100; Montgomery, Introduction to Statistical Quality Control, section 9.1",
    inputs: &[Input::Output],
    also: &[Input::Reference],
    range: Range::FROM_ZERO,
    direction: Direction::Lower,
    threshold: 0.0,
    options: &[
        option("k", "0.5", "half of the shift that matters, in standard deviations"),
        option("h", "5", "how much must gather for an alarm, in standard deviations"),
        option("warmup", "30", "numbers that show the level if there is no reference, at least 2"),
    ],
    make: cusum,
};

pub(crate) static PAGE_HINKLEY: About = About {
    name: "page_hinkley",
    aliases: &["page-hinkley"],
    family: Family::Drift,
    summary: "How often the mean of a series changes.",
    formula: "Alarms of Page and Hinkley's test, both ways: m = α · m + (x − mean so far) ∓ δ; alarm when it is `threshold` above its least (below its most); \
              then it begins anew.",
    source: "Page 1954, https://doi.org/10.1093/biomet/41.1-2.100; as river.drift.PageHinkley 0.26",
    inputs: &[Input::Output],
    also: &[],
    range: Range::FROM_ZERO,
    direction: Direction::Lower,
    threshold: 0.0,
    options: &[
        option("min_instances", "30", "numbers before the first alarm"),
        option("delta", "0.005", "a change that doesn't matter"),
        option("threshold", "50", "how much must gather for an alarm"),
        option("alpha", "0.9999", "how much of the past stays, 0 to 1"),
    ],
    make: page_hinkley,
};

/// The alarms' places, told.
pub(super) fn told(alarms: &[usize], all: usize) -> Outcome {
    const MOST: usize = 10;
    let reason = if alarms.is_empty() {
        format!("no change in {all} numbers")
    } else {
        let shown: Vec<String> = alarms.iter().take(MOST).map(|at| (at + 1).to_string()).collect();
        let more = if alarms.len() > MOST { ", …" } else { "" };
        format!("a change is seen at number {}{more} of {all}", shown.join(", "))
    };
    Outcome::new(alarms.len() as f64, reason)
}

fn cusum(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let (k, h) = (options.number("k", 0.5)?, options.number("h", 5.0)?);
    if k < 0.0 || h <= 0.0 {
        return Err(OptionProblem::new(if k < 0.0 { "k" } else { "h" }, "expected more than 0"));
    }
    let warmup = options.count("warmup", 30, 2, 1_000_000)?;
    Ok(Box::new(move |case: &Case| {
        let series = case.numbers(Input::Output)?;
        let before = match case.find(Input::Reference) {
            Some(_) => case.numbers(Input::Reference)?,
            None => series.iter().take(warmup).copied().collect(),
        };
        let first = if case.find(Input::Reference).is_some() { 0 } else { before.len() };
        let (mean, deviation) = level(&before);
        let (mut up, mut down) = (0.0_f64, 0.0_f64);
        let mut alarms = Vec::new();
        for (at, value) in series.iter().enumerate().skip(first) {
            let z = (value - mean) / deviation;
            up = (up + z - k).max(0.0);
            down = (down - z - k).max(0.0);
            if up > h || down > h {
                alarms.push(at);
                (up, down) = (0.0, 0.0);
            }
        }
        Ok(told(&alarms, series.len()))
    }))
}

/// Mean and standard deviation; of numbers that are all the same, a deviation that makes any other a change.
fn level(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len().max(1) as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / (count - 1.0).max(1.0)).sqrt();
    (mean, if deviation > 0.0 { deviation } else { (mean.abs() * 1e-9).max(1e-12) })
}

fn page_hinkley(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let least = options.count("min_instances", 30, 1, 1_000_000)?;
    let (delta, threshold) = (options.number("delta", 0.005)?, options.number("threshold", 50.0)?);
    let alpha = options.number("alpha", 0.9999)?;
    if !(0.0..=1.0).contains(&alpha) {
        return Err(OptionProblem::new("alpha", format!("expected 0 to 1, found {alpha}")));
    }
    Ok(Box::new(move |case: &Case| {
        let series = case.numbers(Input::Output)?;
        let mut alarms = Vec::new();
        let mut test = PageHinkley::default();
        for (at, value) in series.iter().enumerate() {
            test.update(*value, alpha, delta);
            if test.count >= least && (test.up - test.least > threshold || test.most - test.down > threshold) {
                alarms.push(at);
                test = PageHinkley::default();
            }
        }
        Ok(told(&alarms, series.len()))
    }))
}

struct PageHinkley {
    count: usize,
    mean: f64,
    up: f64,
    down: f64,
    least: f64,
    most: f64,
}

impl Default for PageHinkley {
    fn default() -> Self {
        // The most begins at −1, as in river: a first step down of less than that is none.
        Self { count: 0, mean: 0.0, up: 0.0, down: 0.0, least: f64::INFINITY, most: -1.0 }
    }
}

impl PageHinkley {
    fn update(&mut self, value: f64, alpha: f64, delta: f64) {
        self.count += 1;
        self.mean += (value - self.mean) / self.count as f64;
        let off = value - self.mean;
        self.up = alpha * self.up + off - delta;
        self.down = alpha * self.down + off + delta;
        self.least = self.least.min(self.up);
        self.most = self.most.max(self.down);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};

    fn series(levels: &[f64]) -> Case {
        let noise = |at: usize| [0.3, -0.2, 0.1, -0.4, 0.2][at % 5];
        let numbers = levels.iter().flat_map(|level| (0..100).map(move |at| level + noise(at)));
        Case::new().with(Input::Output, numbers.collect::<Vec<f64>>())
    }

    #[test]
    fn a_step_is_seen_and_none_is_not() {
        near(value_with(&PAGE_HINKLEY, &Options::new(), &series(&[0.0, 0.0, 0.0])), 0.0);
        let outcome = page_hinkley(&Options::new()).unwrap().measure(&series(&[0.0, 5.0])).unwrap();
        // river 0.26 says so, too.
        assert_eq!(outcome.reason, "a change is seen at number 111 of 200");
        near(value_with(&CUSUM, &Options::new(), &series(&[0.0, 0.0])), 0.0);
        assert!(value_with(&CUSUM, &Options::new(), &series(&[0.0, 1.0])) >= 1.0);
    }

    /// Montgomery's example (table 9.1): mean 10, deviation 1, a shift by 1 after the 20th; the alarm comes at the 29th.
    #[test]
    fn the_textbook_example() {
        let numbers = vec![
            9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40, 10.08, 9.37,
            10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62, 11.31, 10.52,
        ];
        let reference = vec![9.0, 11.0, 10.0, 9.0, 11.0];
        let case = Case::new().with(Input::Output, numbers).with(Input::Reference, reference);
        let outcome = cusum(&Options::new()).unwrap().measure(&case).unwrap();
        assert_eq!(outcome.reason, "a change is seen at number 29 of 30");
    }
}
