//! Two verdicts of each of many cases.

use super::{Interval, Tail, normal_cdf, normal_quantile};

/// McNemar's exact test: how often chance alone makes so uneven a split of the cases whose verdict changed.
/// [`Tail::Lower`] asks for more losses than gains only.
#[must_use]
pub fn mcnemar(gained: usize, lost: usize, tail: Tail) -> f64 {
    let all = gained + lost;
    let few = match tail {
        Tail::Lower => gained,
        Tail::Both => gained.min(lost),
    };
    // The logarithm of each term from the one before: factorials of thousands fit no float.
    let mut term = -(all as f64) * std::f64::consts::LN_2;
    let mut sum = term.exp();
    for k in 1..=few {
        term += ((all - k + 1) as f64 / k as f64).ln();
        sum += term.exp();
    }
    match tail {
        Tail::Lower => sum.min(1.0),
        Tail::Both => (2.0 * sum).min(1.0),
    }
}

/// Tango's score (1998) of the difference of two paired shares: how many standard deviations what was found lies from `difference`.
/// Of `all` pairs so many were `gained`, so many `lost`.
#[must_use]
pub fn tango(gained: usize, lost: usize, all: usize, difference: f64) -> f64 {
    let (b, c, n, d) = (gained as f64, lost as f64, all as f64, difference.clamp(-1.0, 1.0));
    let (first, second) = (2.0 * n, -b - c + (2.0 * n - b + c) * d);
    let third = -c * d * (1.0 - d);
    let share = ((second * second - 4.0 * first * third).max(0.0).sqrt() - second) / (2.0 * first);
    let variance = n * (2.0 * share + d * (1.0 - d));
    let distance = b - c - n * d;
    if variance <= 1e-12 {
        return if distance.abs() < 1e-9 { 0.0 } else { f64::INFINITY.copysign(distance) };
    }
    distance / variance.sqrt()
}

/// The differences of two paired shares that Tango's score allows. `None` of no pair.
#[must_use]
pub fn tango_interval(gained: usize, lost: usize, all: usize, confidence: f64) -> Option<Interval> {
    if all == 0 {
        return None;
    }
    let (found, z) = ((gained as f64 - lost as f64) / all as f64, normal_quantile(0.5 + confidence / 2.0));
    let end = |mut inside: f64, mut outside: f64| {
        for _ in 0..60 {
            let middle = (inside + outside) / 2.0;
            if tango(gained, lost, all, middle).abs() <= z { inside = middle } else { outside = middle }
        }
        inside
    };
    Some(Interval { low: end(found, -1.0), high: end(found, 1.0) })
}

/// How often chance makes a difference as low as what was found, if the true one is `difference` (one-sided, by Tango's score).
pub(super) fn tango_lower(gained: usize, lost: usize, all: usize, difference: f64) -> f64 {
    normal_cdf(tango(gained, lost, all, difference))
}
