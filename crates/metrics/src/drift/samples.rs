//! A sample now, `output`, against one before, `reference`.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde_json::Value;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem, vector};
use crate::options::{OptionDoc, OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::special::{chi_square_tail, smirnov_tail};

const BINS: &[OptionDoc] = &[option("bins", "10", "intervals, 2 to 1000")];

macro_rules! two_samples {
    ($name:ident, $make:expr, $text:literal, $aliases:expr, $summary:literal, $formula:expr, $source:literal, $range:expr, $direction:ident, $threshold:literal, $options:expr) => {
        pub(crate) static $name: About = About {
            name: $text,
            aliases: $aliases,
            family: Family::Drift,
            summary: $summary,
            formula: $formula,
            source: $source,
            inputs: &[Input::Output, Input::Reference],
            also: &[],
            range: $range,
            direction: Direction::$direction,
            threshold: $threshold,
            options: $options,
            make: $make,
        };
    };
}

two_samples!(
    CHI_SQUARE,
    |options| make(options, chi_square),
    "chi_square",
    &["chi2", "chi_squared"],
    "How likely two samples of categories differ as much by chance.",
    "p of Pearson's test of homogeneity, χ² = Σ (observed − expected)² / expected over both samples' categories, without continuity correction; 1 if there is \
     one category. `output` and `reference` are lists of texts, or of whole numbers.",
    "Pearson 1900, https://doi.org/10.1080/14786440009463897; as scipy.stats.chi2_contingency(correction=False)",
    Range::UNIT,
    Higher,
    0.05,
    &[]
);
two_samples!(
    JENSEN_SHANNON,
    |options| binned(options, jensen_shannon),
    "jensen_shannon",
    &["js_distance", "jensen_shannon_distance"],
    "How far two distributions are apart, from 0 to 1.",
    "√((KL(P‖M) + KL(Q‖M)) / 2), M = (P + Q) / 2, to the base 2; P and Q: shares of the samples in `bins` intervals of equal width over both, or of \
     categories if they are texts.",
    "Lin 1991, https://doi.org/10.1109/18.61115; as scipy.spatial.distance.jensenshannon(base=2)",
    Range::UNIT,
    Lower,
    0.1,
    BINS
);
two_samples!(
    KS,
    kolmogorov_smirnov,
    "ks",
    &["kolmogorov_smirnov", "ks_test"],
    "How likely two samples of numbers differ as much by chance.",
    "p of the two-sided test on D = max |F₁ − F₂| of the empirical distributions: exact up to 25 million pairs, then Kolmogorov's limit. `output` and \
     `reference` are lists of numbers.",
    "Smirnov 1939; Hodges 1958, https://doi.org/10.1007/BF02589501; as scipy.stats.ks_2samp(method=\"exact\")",
    Range::UNIT,
    Higher,
    0.05,
    &[option("statistic", "false", "the value is D, where less is better: set --threshold, too")]
);
two_samples!(
    PSI,
    |options| binned(options, psi),
    "psi",
    &["population_stability_index"],
    "How much the distribution has moved: below 0.1 hardly, above 0.25 much.",
    "Σ (p − q) · ln(p / q) over `bins` intervals of equal width over both samples, or categories if they are texts; a share of nothing counts as 0.0001.",
    "Siddiqi 2006, Credit Risk Scorecards, ISBN 978-0-471-75451-0",
    Range::FROM_ZERO,
    Lower,
    0.1,
    BINS
);
two_samples!(
    WASSERSTEIN,
    |options| make(options, wasserstein),
    "wasserstein",
    &["earth_mover_distance", "wasserstein_distance"],
    "How far the sample's numbers have moved on average, in their own unit.",
    "∫ |F₁ − F₂| of the empirical distributions; divided by the reference's standard deviation if `normalised`. Lists of numbers.",
    "Vaserstein 1969; as scipy.stats.wasserstein_distance",
    Range::FROM_ZERO,
    Lower,
    0.1,
    &[option("normalised", "false", "divide by the standard deviation of the reference, n − 1 in its denominator")]
);

fn make(
    options: &Options,
    judge: fn(&Case, bool) -> Result<Outcome, Problem>,
) -> Result<Box<dyn Metric>, OptionProblem> {
    let flag = options.flag("normalised", false)?;
    Ok(Box::new(move |case: &Case| judge(case, flag)))
}

fn kolmogorov_smirnov(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let statistic = options.flag("statistic", false)?;
    Ok(Box::new(move |case: &Case| {
        let (one, two) = (sorted(case, Input::Output)?, sorted(case, Input::Reference)?);
        let (distance, p) = smirnov(&one, &two);
        let reason = format!("D = {distance:.4}, p = {p:.4}, {} against {} numbers", one.len(), two.len());
        Ok(Outcome::new(if statistic { distance } else { p }, reason))
    }))
}

/// The largest distance of the distributions of two sorted samples, and its p.
pub(super) fn smirnov(one: &[f64], two: &[f64]) -> (f64, f64) {
    let (mut i, mut j, mut distance) = (0, 0, 0.0_f64);
    let share = |at: usize, all: &[f64]| at as f64 / all.len() as f64;
    while let (Some(a), Some(b)) = (one.get(i), two.get(j)) {
        let least = a.min(*b);
        i += one[i..].iter().take_while(|value| **value <= least).count();
        j += two[j..].iter().take_while(|value| **value <= least).count();
        distance = distance.max((share(i, one) - share(j, two)).abs());
    }
    (distance, smirnov_tail(distance, one.len(), two.len()))
}

fn binned(options: &Options, distance: fn(&[(f64, f64)]) -> f64) -> Result<Box<dyn Metric>, OptionProblem> {
    let bins = options.count("bins", 10, 2, 1000)?;
    Ok(Box::new(move |case: &Case| {
        let shares = shares(case, bins)?;
        Ok(Outcome::new(distance(&shares).max(0.0), format!("over {} intervals or categories", shares.len())))
    }))
}

/// The numbers of a part, in order; at least one.
fn sorted(case: &Case, input: Input) -> Result<Vec<f64>, Problem> {
    sorted_numbers(case.value(input)?, input.name())
}

/// The numbers of a list, in order; at least one.
pub(super) fn sorted_numbers(value: &Value, field: &str) -> Result<Vec<f64>, Problem> {
    let mut numbers = vector(value, field)?;
    if numbers.is_empty() {
        return Err(Problem::new(field, "at least one number", "an empty list"));
    }
    numbers.sort_unstable_by(f64::total_cmp);
    Ok(numbers)
}

/// How often each category occurs, now and before: by name, so that sums come out the same.
pub(super) type Counts<'a> = Vec<(Cow<'a, str>, [f64; 2])>;

fn counts(case: &Case) -> Result<Counts<'_>, Problem> {
    let [now, before] = [Input::Output, Input::Reference];
    counted([(case.value(now)?, now.name()), (case.value(before)?, before.name())])
}

/// The categories of two lists, each with its field.
pub(super) fn counted<'a>(lists: [(&'a Value, &str); 2]) -> Result<Counts<'a>, Problem> {
    let mut counts: HashMap<Cow<'a, str>, [f64; 2], RandomState> = HashMap::default();
    for (which, (value, field)) in lists.into_iter().enumerate() {
        let list = value.as_array().ok_or_else(|| Problem::other(field, "a list", value))?;
        if list.is_empty() {
            return Err(Problem::new(field, "at least one value", "an empty list"));
        }
        for (at, item) in list.iter().enumerate() {
            let name = match item {
                Value::String(text) => Cow::Borrowed(text.as_str()),
                Value::Number(number) => Cow::Owned(number.to_string()),
                Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
                other => return Err(Problem::other(format!("{field}[{at}]"), "a text or a number", other)),
            };
            counts.entry(name).or_default()[which] += 1.0;
        }
    }
    let mut counts: Counts<'a> = counts.into_iter().collect();
    counts.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(counts)
}

/// The shares of intervals or categories, now and before.
fn shares(case: &Case, bins: usize) -> Result<Vec<(f64, f64)>, Problem> {
    let is_text = |input| case.find(input).and_then(|value| value.get(0)).is_some_and(Value::is_string);
    let pairs: Vec<(f64, f64)> = if is_text(Input::Output) || is_text(Input::Reference) {
        counts(case)?.into_iter().map(|(_, [now, before])| (now, before)).collect()
    } else {
        let (now, before) = (sorted(case, Input::Output)?, sorted(case, Input::Reference)?);
        let low = now[0].min(before[0]);
        let high = now[now.len() - 1].max(before[before.len() - 1]);
        let width = (high - low) / bins as f64;
        let edges: Vec<f64> = (1..bins).map(|at| low + width * at as f64).collect();
        let mut pairs = vec![(0.0, 0.0); bins];
        for value in now {
            pairs[edges.partition_point(|edge| *edge <= value)].0 += 1.0;
        }
        for value in before {
            pairs[edges.partition_point(|edge| *edge <= value)].1 += 1.0;
        }
        pairs
    };
    let (now, before) = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    Ok(pairs.into_iter().map(|pair| (pair.0 / now, pair.1 / before)).collect())
}

fn psi(shares: &[(f64, f64)]) -> f64 {
    const NOTHING: f64 = 0.0001;
    let some = |share: f64| if share == 0.0 { NOTHING } else { share };
    shares.iter().map(|(p, q)| (some(*p) - some(*q)) * (some(*p) / some(*q)).ln()).sum()
}

fn jensen_shannon(shares: &[(f64, f64)]) -> f64 {
    let part = |p: f64, mean: f64| if p > 0.0 { p * (p / mean).log2() } else { 0.0 };
    let sum: f64 = shares.iter().map(|(p, q)| part(*p, (p + q) / 2.0) + part(*q, (p + q) / 2.0)).sum();
    (sum / 2.0).max(0.0).sqrt()
}

fn chi_square(case: &Case, _: bool) -> Result<Outcome, Problem> {
    let (statistic, degrees, p) = homogeneity(&counts(case)?);
    Ok(Outcome::new(p, format!("χ² = {statistic:.4}, {degrees} degrees of freedom")))
}

/// Pearson's χ², its degrees of freedom and p.
pub(super) fn homogeneity(counts: &Counts<'_>) -> (f64, usize, f64) {
    let sum = |which: usize| counts.iter().map(|(_, pair)| pair[which]).sum::<f64>();
    let (now, before) = (sum(0), sum(1));
    let all = now + before;
    let off = |observed: f64, expected: f64| (observed - expected).powi(2) / expected;
    let of = |[a, b]: [f64; 2]| off(a, (a + b) * now / all) + off(b, (a + b) * before / all);
    let statistic: f64 = counts.iter().map(|(_, pair)| of(*pair)).sum();
    let degrees = counts.len().saturating_sub(1);
    (statistic, degrees, chi_square_tail(statistic, degrees))
}

fn wasserstein(case: &Case, normalised: bool) -> Result<Outcome, Problem> {
    let (now, before) = (sorted(case, Input::Output)?, sorted(case, Input::Reference)?);
    let (mut i, mut j, mut different, mut distance) = (0, 0, 0_usize, 0.0_f64);
    let mut last = f64::NAN;
    let share = |at: usize, all: &[f64]| at as f64 / all.len() as f64;
    while let Some(value) = least(now.get(i), before.get(j)) {
        if different > 0 {
            distance += (value - last) * (share(i, &now) - share(j, &before)).abs();
        }
        i += now[i..].iter().take_while(|other| **other <= value).count();
        j += before[j..].iter().take_while(|other| **other <= value).count();
        (last, different) = (value, different + 1);
    }
    if normalised {
        let mean = before.iter().sum::<f64>() / before.len() as f64;
        let squares: f64 = before.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (squares / (before.len().max(2) - 1) as f64).sqrt();
        distance /= if deviation > 0.0 { deviation } else { 1.0 };
    }
    Ok(Outcome::new(distance, format!("over {different} different numbers")))
}

/// The lesser of two that may be there.
fn least(one: Option<&f64>, two: Option<&f64>) -> Option<f64> {
    match (one, two) {
        (Some(a), Some(b)) => Some(a.min(*b)),
        (one, two) => one.or(two).copied(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conformance::{near, value_with};

    fn check(about: &'static About, options: Options, output: Value, reference: Value, expected: f64) {
        let case = Case::new().with(Input::Output, output).with(Input::Reference, reference);
        near(value_with(about, &options, &case), expected);
    }

    /// Figures of SciPy 1.17.
    #[test]
    fn agrees_with_scipy() {
        let (one, two) = (|| json!([1.0, 2.0, 3.0, 4.0]), || json!([3.0, 4.0, 5.0, 6.0]));
        check(&KS, Options::new().with("statistic", true), one(), two(), 0.5);
        check(&KS, Options::new(), one(), two(), 0.771_428_571_428_571_5);
        check(&WASSERSTEIN, Options::new(), json!([0, 1, 3]), json!([5, 6, 8]), 5.0);
        check(&WASSERSTEIN, Options::new(), json!([3.4, 3.9, 7.5, 7.8]), json!([4.5, 1.4]), 2.7);
        check(
            &CHI_SQUARE,
            Options::new(),
            json!(["a", "a", "b"]),
            json!(["a", "b", "b", "c"]),
            0.459_425_824_035_926_7,
        );
        check(&JENSEN_SHANNON, Options::new(), json!(["a"]), json!(["b"]), 1.0);
        check(&JENSEN_SHANNON, Options::new(), json!(["a", "b"]), json!(["a"]), 0.557_923_045_284_143_8);
        check(
            &PSI,
            Options::new(),
            json!(["a", "a", "a", "b"]),
            json!(["a", "b"]),
            0.25 * 1.5_f64.ln() - 0.25 * 0.5_f64.ln(),
        );
    }

    #[test]
    fn nothing_can_not_be_compared() {
        let case = Case::new().with(Input::Output, json!([])).with(Input::Reference, json!([1]));
        let problem = Metric::measure(kolmogorov_smirnov(&Options::new()).unwrap().as_ref(), &case).unwrap_err();
        assert_eq!(problem.to_string(), "`output`: expected at least one number, found an empty list");
    }
}
