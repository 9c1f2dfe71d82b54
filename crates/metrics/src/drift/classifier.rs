//! Whether a classifier can tell two samples apart: of numbers, of vectors, or of texts.

use std::collections::HashMap;

use serde_json::Value;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::points::points;
use super::special::normal_tail;

pub(crate) static CLASSIFIER_TWO_SAMPLE: About = About {
    name: "classifier_two_sample",
    aliases: &["classifier_two_sample_test", "c2st", "domain_classifier"],
    family: Family::Drift,
    summary: "How likely a classifier tells two samples apart as well by chance.",
    formula: "A naive Bayes classifier learns from the first, third, … item of each sample (normal distributions of \
              each number; of texts their words in lower case, add-one smoothing); one-sided p of Mann and Whitney's \
              test, with ties and without continuity correction, of its scores for the others. 1 of fewer than two \
              items a sample. It sees other means and spreads of each number, not how numbers go together.",
    source: "Lopez-Paz and Oquab 2017, https://arxiv.org/abs/1610.06545; as scikit-learn's GaussianNB and \
             MultinomialNB with scipy.stats.mannwhitneyu",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 0.05,
    options: &[option(
        "statistic",
        "false",
        "the value is the AUROC, where 0.5 is chance and less is better: set --threshold, too",
    )],
    make,
};

fn make(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let statistic = options.flag("statistic", false)?;
    Ok(Box::new(move |case: &Case| {
        let is_text = |input| case.find(input).and_then(|value| value.get(0)).is_some_and(Value::is_string);
        let scores = if is_text(Input::Output) || is_text(Input::Reference) {
            by_words(&case.texts(Input::Output)?, &case.texts(Input::Reference)?)
        } else {
            let [now, before] = points(case)?;
            by_numbers(&now, &before)
        };
        let (area, p) = mann_whitney(&scores);
        let told = format!("AUROC = {area:.4} over {} and {} items, p = {p:.4}", scores[0].len(), scores[1].len());
        Ok(Outcome::new(if statistic { area } else { p }, told))
    }))
}

/// For what the classifier hasn't seen of each sample: how much more it looks like the first.
type Scores = [Vec<f64>; 2];

fn seen<T>(sample: &[T]) -> impl Iterator<Item = &T> {
    sample.iter().step_by(2)
}

fn unseen<T>(sample: &[T]) -> impl Iterator<Item = &T> {
    sample.iter().skip(1).step_by(2)
}

fn by_numbers(now: &[Vec<f64>], before: &[Vec<f64>]) -> Scores {
    let width = now.first().map_or(0, Vec::len);
    let all: Vec<&Vec<f64>> = seen(now).chain(seen(before)).collect();
    // As scikit-learn: a billionth of the largest variance, so that none is 0.
    let floor = 1e-9 * moments(&all, width).into_iter().map(|(_, variance)| variance).fold(0.0, f64::max);
    let learn = |sample: &[Vec<f64>]| -> Vec<(f64, f64)> {
        let part: Vec<&Vec<f64>> = seen(sample).collect();
        moments(&part, width)
            .into_iter()
            .map(|(mean, variance)| (mean, (variance + floor).max(f64::MIN_POSITIVE)))
            .collect()
    };
    let models = [learn(now), learn(before)];
    let likelihood = |point: &[f64], model: &[(f64, f64)]| -> f64 {
        point
            .iter()
            .zip(model)
            .map(|(x, (mean, variance))| -0.5 * (variance.ln() + (x - mean).powi(2) / variance))
            .sum()
    };
    let score = |point: &Vec<f64>| likelihood(point, &models[0]) - likelihood(point, &models[1]);
    [unseen(now).map(score).collect(), unseen(before).map(score).collect()]
}

/// Mean and variance of each number.
fn moments(points: &[&Vec<f64>], width: usize) -> Vec<(f64, f64)> {
    let count = points.len().max(1) as f64;
    (0..width)
        .map(|at| {
            let mean = points.iter().map(|point| point[at]).sum::<f64>() / count;
            (mean, points.iter().map(|point| (point[at] - mean).powi(2)).sum::<f64>() / count)
        })
        .collect()
}

fn by_words(now: &[&str], before: &[&str]) -> Scores {
    let mut counts: HashMap<String, [f64; 2]> = HashMap::new();
    let mut sums = [0.0; 2];
    for (kind, sample) in [now, before].into_iter().enumerate() {
        for text in seen(sample) {
            for word in words(text) {
                counts.entry(word).or_default()[kind] += 1.0;
                sums[kind] += 1.0;
            }
        }
    }
    let known = counts.len() as f64;
    let score = |text: &&str| -> f64 {
        let weight = |word: String| {
            // A word that wasn't seen says nothing.
            let count = counts.get(&word)?;
            Some(((count[0] + 1.0) / (sums[0] + known)).ln() - ((count[1] + 1.0) / (sums[1] + known)).ln())
        };
        words(text).filter_map(weight).sum()
    };
    [unseen(now).map(score).collect(), unseen(before).map(score).collect()]
}

/// Runs of letters and digits, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// The area under the curve, and how likely one as large is by chance.
fn mann_whitney(scores: &Scores) -> (f64, f64) {
    let (m, n) = (scores[0].len() as f64, scores[1].len() as f64);
    if m == 0.0 || n == 0.0 {
        return (0.5, 1.0);
    }
    let mut all: Vec<(f64, bool)> =
        scores[0].iter().map(|score| (*score, true)).chain(scores[1].iter().map(|score| (*score, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties, mut place) = (0.0, 0.0, 0.0);
    for run in all.chunk_by(|a, b| a.0 == b.0) {
        let length = run.len() as f64;
        // All of a tie have the mean of its places, from 1.
        let rank = place + f64::midpoint(length, 1.0);
        ranks += rank * run.iter().filter(|(_, is_now)| *is_now).count() as f64;
        ties += length * length * length - length;
        place += length;
    }
    let u = ranks - m * (m + 1.0) / 2.0;
    let all = m + n;
    let variance = m * n / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)).max(1.0));
    let p = if variance > 0.0 { normal_tail((u - m * n / 2.0) / variance.sqrt()) } else { 1.0 };
    (u / (m * n), p)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conformance::{near, value_with};

    fn check(now: Value, before: Value, area: f64) -> f64 {
        let case = Case::new().with(Input::Output, now).with(Input::Reference, before);
        near(value_with(&CLASSIFIER_TWO_SAMPLE, &Options::new().with("statistic", true), &case), area);
        value_with(&CLASSIFIER_TWO_SAMPLE, &Options::new(), &case)
    }

    fn numbers(from: i32, by: i32) -> Value {
        (0..40).map(|at| json!([from + by * (at % 10), 5])).collect()
    }

    #[test]
    fn samples_that_differ_are_told_apart() {
        assert!(check(numbers(0, 1), numbers(100, 1), 1.0) < 1e-6);
        near(check(json!([1]), json!([2]), 0.5), 1.0);
        near(check(json!([3, 3, 3, 3]), json!([3, 3, 3, 3]), 0.5), 1.0);
    }

    #[test]
    fn texts_by_their_words() {
        let texts = |words: &str| -> Value { (0..20).map(|at| json!(format!("{words} number {at}"))).collect() };
        assert!(check(texts("refund my Order"), texts("reset my password"), 1.0) < 1e-3);
    }

    /// Figures of `scipy.stats.mannwhitneyu(alternative="greater", method="asymptotic", use_continuity=False)` 1.17.
    #[test]
    fn agrees_with_scipy() {
        let (area, p) = mann_whitney(&[vec![1.0, 3.0, 5.0, 5.0], vec![1.0, 2.0, 4.0]]);
        near(area, 8.5 / 12.0);
        near(p, 0.184_032_753_152_742_3);
    }
}
