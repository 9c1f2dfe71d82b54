use super::*;

fn near(found: f64, expected: f64, within: f64) {
    assert!((found - expected).abs() <= within, "{found} is not {expected}");
}

#[test]
fn distributions_are_those_of_scipy() {
    near(normal_cdf(1.0), 0.841_344_746_068_543, 1e-14);
    near(normal_cdf(-4.0), 3.167_124_183_311_992e-5, 1e-17);
    near(normal_quantile(0.975), 1.959_963_984_540_054, 1e-12);
    near(normal_quantile(1e-6), -4.753_424_308_822_899, 1e-10);
    for (degrees, expected) in [
        (1, 12.706_204_736),
        (2, 4.302_652_730),
        (4, 2.776_445_105),
        (11, 2.200_985_160),
        (30, 2.042_272_456),
        (1000, 1.962_339_081),
    ] {
        near(student_quantile(0.975, degrees), expected, 2e-4 * expected);
    }
}

#[test]
fn intervals_are_the_published_ones() {
    // Brown, Cai and DasGupta (2001): Wilson of 0 of 10 and of 5 of 10.
    let none = wilson(0, 10, 0.95).unwrap();
    near(none.high, 0.277_532_8, 1e-6);
    assert_eq!(none.low, 0.0);
    near(wilson(5, 10, 0.95).unwrap().low, 0.236_593_1, 1e-6);
    // scipy.stats.t.interval(0.95, 4, loc=3, scale=scipy.stats.sem([1, 2, 3, 4, 5]))
    let student = mean_interval(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95).unwrap();
    near(student.low, 1.036_756_838_522_438, 1e-3);
    assert_eq!((mean_interval(&[1.0], 0.95), wilson(0, 0, 0.95), quantile(&[], 0.5)), (None, None, None));
    near(quantile(&[4.0, 1.0, 3.0, 2.0], 0.1).unwrap(), 1.3, 1e-12);
    // Tango (1998): 44 pairs, of which one was lost.
    let tango = tango_interval(0, 1, 44, 0.95).unwrap();
    near(tango.low, -0.118_077, 1e-6);
    near(tango.high, 0.059_393, 1e-6);
}

#[test]
fn verdicts_are_compared_exactly() {
    // scipy.stats.binomtest(1, 9), (0, 3), (5, 10)
    near(mcnemar(8, 1, Tail::Both), 0.039_062_5, 1e-12);
    near(mcnemar(0, 3, Tail::Both), 0.25, 1e-12);
    near(mcnemar(0, 3, Tail::Lower), 0.125, 1e-12);
    near(mcnemar(5, 5, Tail::Both), 1.0, 1e-12);
    near(mcnemar(0, 0, Tail::Lower), 1.0, 1e-12);
    assert!(mcnemar(5_000, 6_000, Tail::Lower) < 1e-10, "thousands neither overflow nor vanish");
    let (before, after) = ([Some(true), Some(true), Some(false), None], [Some(true), Some(false), None, Some(true)]);
    let found = compare_verdicts(&before, &after, &Plan::default()).unwrap();
    assert_eq!((found.pairs, found.unpaired, found.wins, found.ties, found.losses), (2, 2, 0, 1, 1));
    assert_eq!((found.before, found.after, found.difference), (1.0, 0.5, -0.5));
}

#[test]
fn few_differences_are_turned_in_every_way() {
    let found = [0.1, 0.2, 0.15, 0.3, 0.05, 0.22];
    near(permutation(&found, Tail::Both, 1), 2.0 / 64.0, 1e-12);
    near(permutation(&found.map(|one| -one), Tail::Lower, 1), 1.0 / 64.0, 1e-12);
    assert_eq!(permutation(&[0.0, 0.0], Tail::Both, 1), 1.0);
    let many: Vec<f64> = (0..40).map(|at| f64::from(at % 7) - 2.0).collect();
    assert_eq!(permutation(&many, Tail::Both, 5), permutation(&many, Tail::Both, 5), "the seed decides");
}

#[test]
fn several_questions_are_corrected_by_holm() {
    // statsmodels.stats.multitest.multipletests([0.01, 0.04, 0.03, 0.5], method="holm")
    for (found, expected) in holm(&[0.01, 0.04, 0.03, 0.5]).into_iter().zip([0.04, 0.09, 0.09, 0.5]) {
        near(found, expected, 1e-12);
    }
}

#[test]
fn less_may_be_better() {
    let (before, after) = ([Some(3.0); 20], [Some(2.0); 20]);
    let found = compare(&before, &after, &Plan { higher_is_better: false, ..Plan::default() }).unwrap();
    assert_eq!((found.wins, found.losses, found.difference), (20, 0, -1.0));
    assert!(found.p_worse > 0.99 && found.p_no_worse < 0.001, "{found:?}");
}

/// Of so many rounds at most a share, give or take three standard deviations.
fn at_most(count: usize, rounds: usize, share: f64) {
    let (expected, spread) = (share * rounds as f64, (share * (1.0 - share) * rounds as f64).sqrt());
    assert!(count as f64 <= expected + 3.0 * spread, "{count} of {rounds}, expected {expected:.1}");
}

/// Two runs of the same system: nothing has changed, and values are skewed as scores are.
#[test]
fn false_alarms_about_values_are_as_rare_as_promised_and_intervals_hold_the_truth() {
    let mut random = fastrand::Rng::with_seed(7);
    for (size, rounds) in [(12, 400), (40, 120)] {
        let (mut alarms, mut missed, mut marginal) = (0, 0, 0);
        for seed in 0..rounds {
            let mut run = || -> Vec<Option<f64>> { (0..size).map(|_| Some(random.f64().powi(3))).collect() };
            let (before, after) = (run(), run());
            let found = compare(&before, &after, &Plan { seed, ..Plan::default() }).unwrap();
            alarms += usize::from(found.p_worse <= 0.05);
            missed += usize::from(!found.interval.unwrap().holds(0.0));
            // A true loss of exactly the margin.
            let lower: Vec<_> = after.iter().map(|value| value.map(|value| value - 0.1)).collect();
            let found = compare(&before, &lower, &Plan { seed, margin: 0.1, ..Plan::default() }).unwrap();
            marginal += usize::from(found.p_no_worse <= 0.05);
        }
        let rounds = usize::try_from(rounds).unwrap();
        at_most(alarms, rounds, 0.05);
        at_most(missed, rounds, 0.05);
        at_most(marginal, rounds, 0.05);
    }
}

#[test]
fn false_alarms_about_verdicts_are_as_rare_as_promised_and_intervals_hold_the_truth() {
    let mut random = fastrand::Rng::with_seed(11);
    let rounds = 2_000;
    for (size, share) in [(15, 0.5), (40, 0.9), (200, 0.8)] {
        let (mut alarms, mut missed, mut unseen) = (0, 0, 0);
        for _ in 0..rounds {
            let mut run = |share: f64| -> Vec<_> { (0..size).map(|_| Some(random.f64() < share)).collect() };
            let (before, after) = (run(share), run(share));
            let found = compare_verdicts(&before, &after, &Plan::default()).unwrap();
            alarms += usize::from(found.p_worse <= 0.05);
            missed += usize::from(!found.interval.unwrap().holds(0.0));
            unseen += usize::from(
                wilson(before.iter().filter(|one| **one == Some(true)).count(), size, 0.95)
                    .is_some_and(|interval| !interval.holds(share)),
            );
        }
        at_most(alarms, rounds, 0.05);
        at_most(missed, rounds, 0.05);
        // Wilson's coverage is 95 % on average and swings by some points with the share (Brown, Cai and DasGupta 2001).
        at_most(unseen, rounds, 0.075);
    }
}

/// What is said to be detectable is found in four of five runs.
#[test]
fn a_detectable_loss_is_detected() {
    let mut random = fastrand::Rng::with_seed(3);
    let noise = |random: &mut fastrand::Rng| (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    // The standard error of 50 differences of standard deviation 1.
    let loss = (student_quantile(0.95, 49) + normal_quantile(0.8)) / 50_f64.sqrt();
    let found = (0..200)
        .filter(|seed| {
            let differences: Vec<f64> = (0..50).map(|_| noise(&mut random) - loss).collect();
            permutation(&differences, Tail::Lower, *seed) <= 0.05
        })
        .count();
    assert!((142..=178).contains(&found), "{found} of 200");
}
