//! Shares of counts. Chance alone scatters them, the more the fewer there are and not evenly to both sides; and what they are shares of
//! changes by itself, which is a factor of the odds.

use super::hours::Window;

/// What was never seen may happen all the same: a part of an event in each window.
const UNSEEN: f64 = 0.2;
/// Windows that are so many times as far off as they should be, in variances, count no more than this: faults that nobody knows of.
const FARTHEST: f64 = 12.0;
const MEDIAN_OF_CHI_SQUARED: f64 = 0.455;

/// How much the odds change by themselves, as the standard deviation of their logarithm, given what was expected of each window: what is
/// left of how far they are when chance has had its part.
pub(super) fn restlessness(windows: &[Window], expected: &[f64]) -> f64 {
    let off = |(one, expected): (&Window, &f64)| {
        let share = held(*expected, one.over);
        let variance = one.over * share * (1.0 - share);
        (one.of - one.over * share).powi(2) / variance
    };
    let counted = || windows.iter().zip(expected).filter(|(one, _)| one.over > 1.0);
    let offs: Vec<f64> = counted().map(off).collect();
    if offs.is_empty() {
        return 0.0;
    }
    let farthest = FARTHEST * (super::median(&mut offs.clone()) / MEDIAN_OF_CHI_SQUARED).max(1.0);
    let more: f64 = offs.iter().map(|off| off.min(farthest) - 1.0).sum();
    let (pairs, of, over) = counted()
        .fold((0.0, 0.0, 0.0), |(pairs, of, over), (one, _)| (pairs + one.over - 1.0, of + one.of, over + one.over));
    // Two of a window are alike more often than two of any, by so much.
    let alike = (more / pairs).clamp(0.0, 1.0);
    let share = held(of / over, over);
    let rare = share.min(1.0 - share);
    (alike * (1.0 - rare) / rare).ln_1p().sqrt()
}

/// Between what a share of so many is usual, if it should be between these two.
pub(super) fn limits((low, high): (f64, f64), samples: f64, sensitivity: f64, restless: f64) -> (f64, f64) {
    let above = |share: f64| {
        let share = held(share, samples);
        let by_chance = chance(share, samples, sensitivity);
        if by_chance >= 1.0 {
            return 1.0;
        }
        let far = (odds(by_chance) - odds(share)).hypot(sensitivity * restless);
        1.0 / (1.0 + (-odds(share) - far).exp())
    };
    (1.0 - above(1.0 - low), above(high))
}

/// The share that chance doesn't reach, to so many standard deviations of the root of the deviance, which is normal also where the
/// counts are small (McCullagh and Nelder 1989, with half a count for continuity). 1 if even all of them may be chance.
fn chance(share: f64, samples: f64, sensitivity: f64) -> f64 {
    let reached = |found: f64| {
        let part = |found: f64, share: f64| if found > 0.0 { found * (found / share).ln() } else { 0.0 };
        2.0 * samples * (part(found, share) + part(1.0 - found, 1.0 - share)) < sensitivity * sensitivity
    };
    if reached(1.0 - 0.5 / samples) {
        return 1.0;
    }
    let (mut low, mut high) = (share, 1.0);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if reached(middle) { low = middle } else { high = middle }
    }
    (high + 0.5 / samples).min(1.0)
}

fn held(share: f64, samples: f64) -> f64 {
    let least = (UNSEEN / samples.max(1.0)).min(0.5);
    share.clamp(least, 1.0 - least)
}

fn odds(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How likely it is that more than this part of so many are, if each is with this probability.
    fn more_than(part: f64, share: f64, samples: f64) -> f64 {
        let (mut one, mut sum) = ((samples * (-share).ln_1p()).exp(), 0.0);
        for count in 0..=samples as u64 {
            let count = count as f64;
            if count > part * samples {
                sum += one;
            }
            one *= (samples - count) / (count + 1.0) * share / (1.0 - share);
        }
        sum
    }

    #[test]
    fn limits_are_where_chance_ends() {
        // Four standard deviations of a normal number, to one side.
        let promised = 3.17e-5;
        for (share, samples) in
            [(0.005, 60.0), (0.01, 20.0), (0.01, 100.0), (0.05, 200.0), (0.3, 50.0), (0.5, 200.0), (0.9, 300.0)]
        {
            let (low, high) = limits((share, share), samples, 4.0, 0.0);
            let (least, most) = (1.0 - low, high);
            for (limit, share) in [(most, share), (least, 1.0 - share)] {
                let (beyond, nearly) =
                    (more_than(limit, share, samples), more_than(limit - 2.0 / samples, share, samples));
                assert!(beyond < 1.3 * promised, "{share} of {samples}: {beyond} beyond {limit}");
                assert!(limit >= 1.0 || nearly > 0.7 * promised, "{share} of {samples}: {nearly} near {limit}");
            }
        }
    }

    #[test]
    fn odds_that_change_by_themselves_make_room() {
        let (low, high) = limits((0.01, 0.01), 1e6, 4.0, 0.4);
        // A factor of e^(4 · 0.4) each way.
        assert!((0.046..0.050).contains(&high) && (0.001_9..0.002_1).contains(&low), "{low} {high}");
    }
}
