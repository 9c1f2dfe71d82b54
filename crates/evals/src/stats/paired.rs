//! The same cases twice: is one better, by how much, how sure, and what could have been seen at all?

use serde::{Deserialize, Serialize};

use super::verdicts::{mcnemar, tango_interval, tango_lower};
use super::{Interval, bootstrap_mean, mean, normal_quantile, standard_error, student_quantile};

/// Which differences count as extreme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Those that are worse.
    Lower,
    /// Worse and better ones.
    Both,
}

/// How two runs are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// How sure the interval is.
    pub confidence: f64,
    /// How often the one-sided tests may be wrong.
    pub alpha: f64,
    /// A loss of so much doesn't matter; 0 or more.
    pub margin: f64,
    /// More is better. Otherwise signs are turned for the tests, not in the figures.
    pub higher_is_better: bool,
    /// Of whatever is drawn.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { confidence: 0.95, alpha: 0.05, margin: 0.0, higher_is_better: true, seed: 20_240_229 }
    }
}

/// By which test a p-value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// McNemar's exact test of verdicts.
    Mcnemar,
    /// Tango's score test of verdicts, with a margin.
    Tango,
    /// Sign flips of differences, all of them or many.
    Permutation,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Cases with a figure in both runs.
    pub pairs: usize,
    /// Cases with a figure in one of them only.
    pub unpaired: usize,
    /// The mean of the pairs before.
    pub before: f64,
    /// The mean of the pairs after.
    pub after: f64,
    /// After less before.
    pub difference: f64,
    /// Where the true difference lies; `None` of one pair.
    pub interval: Option<Interval>,
    /// Pairs that got better.
    pub wins: usize,
    /// Pairs that stayed.
    pub ties: usize,
    /// Pairs that got worse.
    pub losses: usize,
    /// By which test.
    pub test: Test,
    /// How often chance makes a difference as large, either way, if there is none.
    pub p_value: f64,
    /// How often chance makes a loss as large, if the true loss is the margin. Small: a regression is proven.
    pub p_worse: f64,
    /// How often chance makes a result as good, if the true loss is the margin. Small: it is proven to be no worse than that.
    pub p_no_worse: f64,
    /// The loss beyond the margin that four of five such comparisons would find; `None` if there is nothing to tell it by.
    pub detectable: Option<f64>,
}

/// Compares values. The interval is the bootstrap's, the tests flip signs: exact for pairs that could as well have been
/// exchanged (Fisher 1935), close for many pairs otherwise. `None` of no pair.
#[must_use]
pub fn compare(before: &[Option<f64>], after: &[Option<f64>], plan: &Plan) -> Option<Comparison> {
    let (pairs, unpaired) = pairs(before, after);
    let differences: Vec<f64> = pairs.iter().map(|(before, after)| after - before).collect();
    let difference = mean(&differences)?;
    let sign = if plan.higher_is_better { 1.0 } else { -1.0 };
    let beyond = |turn: f64| -> Vec<f64> { differences.iter().map(|one| turn * (sign * one + plan.margin)).collect() };
    let error = standard_error(&differences).filter(|error| *error > 0.0);
    let detectable = error.map(|error| {
        let degrees = pairs.len() - 1;
        (student_quantile(1.0 - plan.alpha, degrees) + normal_quantile(0.8)) * error
    });
    let (wins, losses) = won(&differences, sign);
    Some(Comparison {
        pairs: pairs.len(),
        unpaired,
        before: pairs.iter().map(|pair| pair.0).sum::<f64>() / pairs.len() as f64,
        after: pairs.iter().map(|pair| pair.1).sum::<f64>() / pairs.len() as f64,
        difference,
        interval: bootstrap_mean(&differences, plan.confidence, resamples(pairs.len()), plan.seed),
        wins,
        ties: pairs.len() - wins - losses,
        losses,
        test: Test::Permutation,
        p_value: permutation(&differences, Tail::Both, plan.seed),
        p_worse: permutation(&beyond(1.0), Tail::Lower, plan.seed),
        p_no_worse: permutation(&beyond(-1.0), Tail::Lower, plan.seed),
        detectable,
    })
}

/// Compares verdicts: McNemar's exact test, with a margin Tango's score, and his interval. `None` of no pair.
#[must_use]
pub fn compare_verdicts(before: &[Option<bool>], after: &[Option<bool>], plan: &Plan) -> Option<Comparison> {
    let (pairs, unpaired) = pairs(before, after);
    let all = pairs.len();
    if all == 0 {
        return None;
    }
    let count = |wanted: (bool, bool)| pairs.iter().filter(|pair| **pair == wanted).count();
    let (gained, lost) = (count((false, true)), count((true, false)));
    let share = |passed: usize| passed as f64 / all as f64;
    let stayed = count((true, true));
    let worse_than_margin = tango_lower(gained, lost, all, -plan.margin);
    let (test, p_worse) = match plan.margin > 0.0 {
        true => (Test::Tango, worse_than_margin),
        false => (Test::Mcnemar, mcnemar(gained, lost, Tail::Lower)),
    };
    let p_no_worse = if plan.margin > 0.0 { 1.0 - worse_than_margin } else { mcnemar(lost, gained, Tail::Lower) };
    // With few changes the test needs so many losses and no gain, whatever the share says.
    let needed = (plan.alpha.ln() / 0.5_f64.ln()).ceil();
    let change = share((gained + lost).max(1)).sqrt() / (all as f64).sqrt();
    let by_share = (normal_quantile(1.0 - plan.alpha) + normal_quantile(0.8)) * change;
    Some(Comparison {
        pairs: all,
        unpaired,
        before: share(stayed + lost),
        after: share(stayed + gained),
        difference: share(gained) - share(lost),
        interval: tango_interval(gained, lost, all, plan.confidence),
        wins: gained,
        ties: all - gained - lost,
        losses: lost,
        test,
        p_value: mcnemar(gained, lost, Tail::Both),
        p_worse,
        p_no_worse,
        detectable: Some(by_share.max(needed / all as f64)),
    })
}

/// So many pairs are flipped in every way.
const EXACT: usize = 14;
/// Otherwise so many ways, and fewer of long lists, so that a comparison takes no longer.
const FLIPS: usize = 10_000;
const FLIPPED: usize = 50_000_000;

/// Fisher's permutation test of pairs: how many of the ways to turn signs give a mean as low, or as far from 0. All ways for few
/// differences, otherwise drawn ones with what was found among them (Phipson and Smyth 2010).
#[must_use]
pub fn permutation(differences: &[f64], tail: Tail, seed: u64) -> f64 {
    // Ties stay ties, however they are turned.
    let moved: Vec<f64> = differences.iter().copied().filter(|one| *one != 0.0).collect();
    let slack = 1e-9 * moved.iter().map(|one| one.abs()).sum::<f64>();
    let found: f64 = moved.iter().sum();
    let is_as_far = |sum: f64| match tail {
        Tail::Lower => sum <= found + slack,
        Tail::Both => sum.abs() >= found.abs() - slack,
    };
    if moved.len() <= EXACT {
        let all = 1_u32 << moved.len();
        let sum = |signs: u32| -> f64 {
            moved.iter().enumerate().map(|(bit, one)| if signs >> bit & 1 == 1 { -one } else { *one }).sum()
        };
        let far = (0..all).filter(|signs| is_as_far(sum(*signs))).count();
        return far as f64 / f64::from(all);
    }
    let flips = (FLIPPED / moved.len()).clamp(500, FLIPS);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut far = 0_usize;
    for _ in 0..flips {
        let mut sum = 0.0;
        for chunk in moved.chunks(64) {
            let signs = random.u64(..);
            for (bit, one) in chunk.iter().enumerate() {
                sum += if signs >> bit & 1 == 1 { *one } else { -one };
            }
        }
        far += usize::from(is_as_far(sum));
    }
    (far + 1) as f64 / (flips + 1) as f64
}

/// Holm's correction (1979): p-values of several questions at once, so that any false alarm among all of them is as rare as
/// one of a single question.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![1.0_f64; p_values.len()];
    let mut least = 0.0_f64;
    for (rank, at) in order.into_iter().enumerate() {
        least = least.max(p_values[at] * (p_values.len() - rank) as f64).min(1.0);
        adjusted[at] = least;
    }
    adjusted
}

fn pairs<T: Copy>(before: &[Option<T>], after: &[Option<T>]) -> (Vec<(T, T)>, usize) {
    let both = before.iter().zip(after);
    let unpaired = both.clone().filter(|(before, after)| before.is_some() != after.is_some()).count();
    (both.filter_map(|(before, after)| Some(((*before)?, (*after)?))).collect(), unpaired)
}

fn won(differences: &[f64], sign: f64) -> (usize, usize) {
    // The last digits of a sum are no victory.
    let side = |wanted: f64| differences.iter().filter(|one| *one * sign * wanted > 1e-9).count();
    (side(1.0), side(-1.0))
}

fn resamples(pairs: usize) -> usize {
    (20_000_000 / pairs.max(1)).clamp(500, 4_000)
}
