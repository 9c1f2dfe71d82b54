//! Two samples of points in a space, such as embeddings, whose single numbers say nothing.

use serde_json::Value;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem, affordable, vector};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::special::{gamma_tail, normal_tail};

pub(crate) static MMD: About = About {
    name: "mmd",
    aliases: &["maximum_mean_discrepancy"],
    family: Family::Drift,
    summary: "How likely two samples of embeddings differ as much by chance.",
    formula: "p by permutation: (1 + orders of all points in which MMD² is at least as large) / (1 + permutations). \
              MMD² = mean k(x, x′) + mean k(y, y′) − 2 · mean k(x, y), without a point's own pair (unbiased), k = \
              exp(−|a − b|² / 2σ²), σ: median distance of two points of both samples unless `sigma` is set. `output` \
              and `reference` are lists of vectors, or of numbers.",
    source: "Gretton et al. 2012, https://jmlr.org/papers/v13/gretton12a.html",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range { low: 0.0, high: Some(2.0) },
    direction: Direction::Higher,
    threshold: 0.05,
    options: &[
        option("permutations", "200", "random orders, 19 to 10000"),
        option("sigma", "the median distance", "the width of the kernel, above 0"),
        option("seed", "7", "where the random numbers begin"),
        option(
            "tail",
            "permutation",
            "permutation; or gamma: p from the gamma distribution with the orders' mean, variance and skewness, which \
             goes below 1 / permutations",
        ),
        option("statistic", "false", "the value is MMD², 0 if below, where less is better: set --threshold, too"),
    ],
    make,
};

/// Points times points: tables of 32 MB.
const MOST_PAIRS: usize = 4_000_000;
/// Points times points times orders: some seconds.
const MOST_STEPS: usize = 2_000_000_000;

#[derive(Debug, Clone, Copy)]
struct Settings {
    permutations: usize,
    sigma: Option<f64>,
    seed: u64,
    statistic: bool,
    tail: Tail,
}

/// Where p comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Tail {
    /// The orders that are as far apart, counted.
    Permutation,
    /// A distribution of the orders' moments.
    Gamma,
}

fn make(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let sigma = if options.is_set("sigma") { Some(options.number("sigma", 1.0)?) } else { None };
    if let Some(sigma) = sigma.filter(|sigma| *sigma <= 0.0) {
        return Err(OptionProblem::new("sigma", format!("expected more than 0, found {sigma}")));
    }
    let settings = Settings {
        permutations: options.count("permutations", 200, 19, 10_000)?,
        sigma,
        seed: options.count("seed", 7, 0, usize::MAX)? as u64,
        statistic: options.flag("statistic", false)?,
        tail: options.choice(
            "tail",
            &[("permutation", Tail::Permutation), ("gamma", Tail::Gamma)],
            Tail::Permutation,
        )?,
    };
    Ok(Box::new(move |case: &Case| measure(case, settings)))
}

/// The points of both samples, each as long as the first of the first.
pub(super) fn points(case: &Case) -> Result<[Vec<Vec<f64>>; 2], Problem> {
    let mut width = None;
    let mut read = |input: Input| -> Result<Vec<Vec<f64>>, Problem> {
        let value = case.value(input)?;
        let list =
            value.as_array().ok_or_else(|| Problem::other(input.name(), "a list of vectors or numbers", value))?;
        if list.is_empty() {
            return Err(Problem::new(input.name(), "at least one vector or number", "an empty list"));
        }
        let mut points = Vec::with_capacity(list.len());
        for (at, item) in list.iter().enumerate() {
            let field = format!("{input}[{at}]");
            let point = match item {
                Value::Number(_) => item.as_f64().into_iter().collect(),
                other => vector(other, &field)?,
            };
            let width = *width.get_or_insert(point.len());
            if point.len() != width {
                return Err(Problem::new(field, format!("{width} numbers, as in output[0]"), point.len().to_string()));
            }
            points.push(point);
        }
        Ok(points)
    };
    Ok([read(Input::Output)?, read(Input::Reference)?])
}

fn measure(case: &Case, settings: Settings) -> Result<Outcome, Problem> {
    let [now, before] = points(case)?;
    let own = now.len();
    let all: Vec<Vec<f64>> = now.into_iter().chain(before).collect();
    let orders = if settings.statistic { 1 } else { settings.permutations };
    affordable(Input::Output, all.len(), all.len(), MOST_PAIRS)?;
    affordable(Input::Output, all.len() * all.len(), orders, MOST_STEPS)?;
    let kernel = Kernel::of(&all, settings.sigma);
    let mut order: Vec<usize> = (0..all.len()).collect();
    let found = kernel.discrepancy(&order, own);
    let told = format!("MMD² = {found:.6}, σ = {:.4}, {own} against {} points", kernel.sigma, all.len() - own);
    if settings.statistic {
        return Ok(Outcome::new(found.clamp(0.0, 2.0), told));
    }
    let mut random = Random(settings.seed);
    let mut by_chance = Vec::with_capacity(settings.permutations);
    for _ in 0..settings.permutations {
        random.shuffle(&mut order);
        by_chance.push(kernel.discrepancy(&order, own));
    }
    // Orders that only swap equal points are as large; rounding doesn't decide.
    let as_large = by_chance.iter().filter(|value| **value >= found - 1e-12).count();
    let p = match settings.tail {
        Tail::Permutation => (1 + as_large) as f64 / (1 + settings.permutations) as f64,
        Tail::Gamma => pearson_tail(found, &by_chance),
    };
    Ok(Outcome::new(p, format!("{told}, p = {p:.4}")))
}

/// The probability of a value at least as large under the gamma distribution (Pearson's type III) with the values' mean, variance and
/// skewness: MMD² under no change is a weighted sum of chi-squared variables, which it follows closely (Gretton et al. 2009, "A fast,
/// consistent kernel two-sample test").
fn pearson_tail(value: f64, values: &[f64]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let moment = |power: i32| values.iter().map(|one| (one - mean).powi(power)).sum::<f64>() / count;
    let deviation = moment(2).sqrt();
    // All orders alike, but for rounding.
    if deviation <= 1e-12 {
        return if value > mean + 1e-12 { 1.0 / (1.0 + count) } else { 1.0 };
    }
    let (z, skewness) = ((value - mean) / deviation, moment(3) / deviation.powi(3));
    // Next to no skewness is the normal distribution.
    if skewness < 0.05 {
        return normal_tail(z);
    }
    let shape = 4.0 / (skewness * skewness);
    gamma_tail(shape, shape + shape.sqrt() * z)
}

/// How alike any two points are.
struct Kernel {
    values: Vec<f64>,
    count: usize,
    sigma: f64,
}

impl Kernel {
    fn of(points: &[Vec<f64>], sigma: Option<f64>) -> Self {
        let count = points.len();
        let mut squares = vec![0.0; count * count];
        let mut distances = Vec::with_capacity(count * count.saturating_sub(1) / 2);
        for (i, one) in points.iter().enumerate() {
            for (j, other) in points.iter().enumerate().take(i) {
                let square: f64 = one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum();
                squares[i * count + j] = square;
                squares[j * count + i] = square;
                distances.push(square);
            }
        }
        let sigma = sigma.unwrap_or_else(|| median(&mut distances).sqrt());
        // All the same: then every pair is as alike.
        let sigma = if sigma > 0.0 { sigma } else { 1.0 };
        let mut values = squares;
        for i in 0..count {
            values[i * count + i] = 1.0;
            for j in 0..i {
                let value = (-values[i * count + j] / (2.0 * sigma * sigma)).exp();
                values[i * count + j] = value;
                values[j * count + i] = value;
            }
        }
        Self { values, count, sigma }
    }

    /// MMD² between the first points of an order and the others; 0 of fewer than two on a side.
    fn discrepancy(&self, order: &[usize], own: usize) -> f64 {
        let (one, two) = order.split_at(own.min(order.len()));
        if one.len() < 2 || two.len() < 2 {
            return 0.0;
        }
        let sum = |rows: &[usize], columns: &[usize]| -> f64 {
            rows.iter()
                .map(|row| columns.iter().map(|column| self.values[row * self.count + column]).sum::<f64>())
                .sum()
        };
        let (m, n) = (one.len() as f64, two.len() as f64);
        // Each point is as like itself as can be: 1.
        let within = (sum(one, one) - m) / (m * (m - 1.0)) + (sum(two, two) - n) / (n * (n - 1.0));
        within - 2.0 * sum(one, two) / (m * n)
    }
}

/// Of squares the square of their roots' median: the middle one, or the mean of the two in the middle; 0 of none.
fn median(squares: &mut [f64]) -> f64 {
    let middle = squares.len() / 2;
    let is_odd = squares.len() % 2 == 1;
    if squares.is_empty() {
        return 0.0;
    }
    let (below, high, _) = squares.select_nth_unstable_by(middle, f64::total_cmp);
    let low = if is_odd { *high } else { below.iter().copied().fold(0.0, f64::max) };
    f64::midpoint(low.sqrt(), high.sqrt()).powi(2)
}

/// SplitMix64 (Steele, Lea and Flood 2014): the same seed gives the same orders.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn shuffle(&mut self, order: &mut [usize]) {
        for at in (1..order.len()).rev() {
            let other = ((u128::from(self.next()) * (at as u128 + 1)) >> 64) as usize;
            order.swap(at, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conformance::{near, value_with};

    fn grid(from: f64) -> Value {
        (0..24).map(|at| json!([from + f64::from(at % 5), from + f64::from(at / 5)])).collect()
    }

    fn case(now: Value, before: Value) -> Case {
        Case::new().with(Input::Output, now).with(Input::Reference, before)
    }

    /// By hand: σ = 1, k of points one apart is e^−½.
    #[test]
    fn of_four_points() {
        let options = Options::new().with("statistic", true).with("sigma", 1);
        let k = |distance: f64| (-distance * distance / 2.0).exp();
        let expected = k(1.0) + k(1.0) - 2.0 * (k(10.0) + k(11.0) + k(9.0) + k(10.0)) / 4.0;
        near(value_with(&MMD, &options, &case(json!([0, 1]), json!([10, 11]))), expected);
        // The median of 1, 1, 9, 10, 10 and 11 is 9.5.
        let free = Options::new().with("statistic", true);
        let fixed = free.clone().with("sigma", 9.5);
        let both = || case(json!([0, 1]), json!([10, 11]));
        near(value_with(&MMD, &free, &both()), value_with(&MMD, &fixed, &both()));
    }

    #[test]
    fn a_move_is_seen_and_none_is_not() {
        near(value_with(&MMD, &Options::new(), &case(grid(0.0), grid(3.0))), 1.0 / 201.0);
        assert!(value_with(&MMD, &Options::new(), &case(grid(0.0), grid(0.0))) > 0.5);
        near(value_with(&MMD, &Options::new(), &case(json!([1]), json!([2]))), 1.0);
    }

    /// Of samples of one distribution, one in twenty is below 0.05, not more.
    #[test]
    fn false_alarms_are_as_rare_as_they_should_be() {
        let mut random = Random(42);
        let mut sample = || -> Value {
            (0..12).map(|_| json!([(random.next() >> 11) as f64, (random.next() >> 11) as f64])).collect()
        };
        let options = Options::new().with("permutations", 39);
        let alarms = (0..400).filter(|_| value_with(&MMD, &options, &case(sample(), sample())) <= 0.05).count();
        // Expected 20, deviation 4.4.
        assert!((5..=36).contains(&alarms), "{alarms}");
    }

    #[test]
    fn a_gamma_tail_agrees_with_the_orders_and_goes_further() {
        let mut random = Random(3);
        let mut sample = |by: f64| -> Value {
            (0..30)
                .map(|_| json!([by + random.next() as f64 / u64::MAX as f64, random.next() as f64 / u64::MAX as f64]))
                .collect()
        };
        let gamma = Options::new().with("tail", "gamma");
        let many = Options::new().with("permutations", 2000);
        let mut alarms = 0;
        for _ in 0..60 {
            let (now, before) = (sample(0.0), sample(0.0));
            let close = value_with(&MMD, &gamma, &case(now.clone(), before.clone()));
            let exact = value_with(&MMD, &many, &case(now, before));
            assert!((close - exact).abs() < 0.08, "{close} {exact}");
            alarms += i32::from(close <= 0.05);
        }
        assert!(alarms <= 9, "{alarms}");
        assert!(value_with(&MMD, &gamma, &case(sample(1.0), sample(0.0))) < 1e-6);
        near(value_with(&MMD, &gamma, &case(json!([1, 1, 1]), json!([1, 1, 1]))), 1.0);
    }

    #[test]
    fn vectors_of_two_lengths_are_told() {
        let problem = points(&case(json!([[1, 2]]), json!([[1, 2], [1]]))).unwrap_err().to_string();
        assert_eq!(problem, "`reference[1]`: expected 2 numbers, as in output[0], found 1");
    }
}
