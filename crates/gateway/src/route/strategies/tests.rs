use proptest::prelude::*;
use signalbox_types::Money;

use super::*;

const ALL: [StrategyName; 10] = [
    StrategyName::Cheapest,
    StrategyName::Complexity,
    StrategyName::Experiment,
    StrategyName::LeastBusy,
    StrategyName::LeastLatency,
    StrategyName::Priority,
    StrategyName::RoundRobin,
    StrategyName::Semantic,
    StrategyName::Sticky,
    StrategyName::Weighted,
];

const NAMES: [&str; 6] = ["a/m", "b/m", "c/m", "d/m", "e/m", "f/m"];

fn target(place: usize) -> TargetState<'static> {
    TargetState { name: NAMES[place], weight: 1.0, ..TargetState::default() }
}

prop_compose! {
    fn any_targets()(
        all in prop::collection::vec((0.0..5.0_f64, 0_usize..9, prop::option::of(0.0..9_000.0_f64), prop::option::of(0_i128..1_000_000), (prop::option::of(0.0..1.0_f64), prop::option::of(0.0..1.0_f64), prop::option::of((0_usize..3, 0.0..5.0_f64)))), 0..6),
    ) -> Vec<TargetState<'static>> {
        let state = |(place, (weight, in_flight, latency_ms, cost, (complexity_up_to, similarity, arm)))| {
            let (cost, arm) = (Option::map(cost, Money::from_picos), Option::map(arm, |(name, weight): (usize, f64)| (NAMES[name], weight)));
            TargetState { weight, in_flight, latency_ms, cost, complexity_up_to, similarity, arm, ..target(place) }
        };
        all.into_iter().enumerate().map(state).collect()
    }
}

proptest! {
    #[test]
    fn every_strategy_orders_every_target_once_and_is_pure(
        targets in any_targets(), draw: u64, turn: u64, session in prop::option::of("[a-z]{0,9}"),
        complexity in prop::option::of(0.0..1.0_f64),
    ) {
        let complexity = complexity.map(|score| (score, "x"));
        let session = session.as_deref();
        let call = Facts { session, unit: session, draw, turn, complexity, route: "r", min_similarity: 0.1 };
        for name in ALL {
            let picks = find(name).order(&call, &targets);
            let mut places = picks.order.clone();
            places.sort_unstable();
            prop_assert_eq!(places, (0..targets.len()).collect::<Vec<_>>(), "{:?}", name);
            prop_assert_eq!(picks, find(name).order(&call, &targets));
        }
    }

    #[test]
    fn who_has_no_weight_comes_last(targets in any_targets(), draw: u64) {
        let mut targets = targets;
        targets.insert(0, TargetState { weight: 0.0, name: NAMES[5], ..TargetState::default() });
        targets.iter_mut().skip(1).for_each(|target| target.weight += 0.1);
        for name in [StrategyName::Weighted, StrategyName::Sticky, StrategyName::LeastBusy] {
            let picks = find(name).order(&Facts { draw, ..Facts::default() }, &targets);
            prop_assert_eq!(picks.order.last(), Some(&0), "{:?}", name);
        }
    }

    #[test]
    fn only_the_sessions_of_a_lost_target_move(session in "[a-z]{1,12}", lost in 0_usize..4) {
        let call = Facts { session: Some(&session), ..Facts::default() };
        let all: Vec<_> = (0..4).map(target).collect();
        let before = find(StrategyName::Sticky).order(&call, &all).order;
        let left: Vec<_> = (0..4).filter(|place| *place != lost).collect();
        let states: Vec<_> = left.iter().map(|place| target(*place)).collect();
        let after = find(StrategyName::Sticky).order(&call, &states).order;
        let after: Vec<_> = after.into_iter().map(|place| left[place]).collect();
        let expected: Vec<_> = before.into_iter().filter(|place| *place != lost).collect();
        prop_assert_eq!(after, expected);
    }
}

fn firsts(name: StrategyName, targets: &[TargetState<'_>], calls: u64) -> Vec<usize> {
    let mut firsts = vec![0; targets.len()];
    for number in 0..calls {
        let call = Facts { draw: number, turn: number, ..Facts::default() };
        firsts[find(name).order(&call, targets).order[0]] += 1;
    }
    firsts
}

#[test]
fn weights_are_shares() {
    let targets = [TargetState { weight: 3.0, ..target(0) }, target(1)];
    for name in [StrategyName::Weighted, StrategyName::Sticky] {
        let firsts = firsts(name, &targets, 10_000);
        assert!((7_200..7_800).contains(&firsts[0]), "{name:?}: {firsts:?}");
    }
}

#[test]
fn turns_are_even() {
    assert_eq!(firsts(StrategyName::RoundRobin, &[target(0), target(1), target(2)], 30), [10, 10, 10]);
}

#[test]
fn the_best_comes_first() {
    let check = |name: StrategyName, targets: &[TargetState<'_>], expected: &[usize], reason: &str| {
        let picks = find(name).order(&Facts::default(), targets);
        assert_eq!((picks.order.as_slice(), &*picks.reason), (expected, reason), "{name:?}");
    };
    let fast = |place, ms, in_flight| TargetState { latency_ms: ms, in_flight, ..target(place) };
    let latency = StrategyName::LeastLatency;
    check(latency, &[fast(0, Some(300.0), 0), fast(1, Some(100.0), 0)], &[1, 0], "100 ms of late");
    check(latency, &[fast(0, Some(300.0), 0), fast(1, Some(100.0), 3)], &[0, 1], "300 ms of late");
    check(latency, &[fast(0, Some(300.0), 0), fast(1, None, 0)], &[1, 0], "not measured of late");
    let busy = |place, in_flight, weight| TargetState { in_flight, weight, ..target(place) };
    check(StrategyName::LeastBusy, &[busy(0, 5, 1.0), busy(1, 4, 1.0)], &[1, 0], "4 calls in flight");
    check(StrategyName::LeastBusy, &[busy(0, 5, 2.0), busy(1, 4, 1.0)], &[0, 1], "5 calls in flight");
    let cost = |place, picos: Option<i128>| TargetState { cost: picos.map(Money::from_picos), ..target(place) };
    check(
        StrategyName::Cheapest,
        &[cost(0, None), cost(1, Some(2_000_000_000)), cost(2, Some(1_000_000_000))],
        &[2, 1, 0],
        "about $0.001",
    );
}

#[test]
fn the_weakest_that_is_good_enough_comes_first() {
    let upto = |place, limit| TargetState { complexity_up_to: limit, ..target(place) };
    let targets = [upto(0, Some(0.2)), upto(1, None), upto(2, Some(0.5))];
    let order = |complexity| {
        let call = Facts { complexity, ..Facts::default() };
        find(StrategyName::Complexity).order(&call, &targets)
    };
    assert_eq!(order(Some((0.1, "0.10: x"))).order, [0, 2, 1]);
    assert_eq!(order(Some((0.2, "x"))).order, [0, 2, 1]);
    assert_eq!(order(Some((0.3, "x"))).order, [2, 1, 0]);
    assert_eq!(order(Some((0.9, "x"))).order, [1, 2, 0]);
    assert_eq!(order(Some((0.1, "0.10: x"))).reason, "complexity 0.10: x");
    assert_eq!(order(None).order, [0, 1, 2]);
}

#[test]
fn the_most_alike_comes_first_and_the_rest_goes_to_who_has_no_examples() {
    let alike = |place, similarity| TargetState { similarity, ..target(place) };
    let order = |likes: [Option<f64>; 3]| {
        let targets: Vec<_> = likes.into_iter().enumerate().map(|(place, like)| alike(place, like)).collect();
        find(StrategyName::Semantic).order(&Facts { min_similarity: 0.1, ..Facts::default() }, &targets).order
    };
    assert_eq!(order([Some(0.2), None, Some(0.6)]), [2, 0, 1]);
    assert_eq!(order([Some(0.02), None, Some(0.05)]), [1, 2, 0]);
    assert_eq!(order([Some(0.0), Some(0.0), Some(0.0)]), [0, 1, 2]);
}

#[test]
fn arms_are_shares_of_callers_and_a_greater_weight_moves_them_one_way() {
    let arm = |place, name, weight| TargetState { arm: Some((name, weight)), ..target(place) };
    let arms = |new: f64| [("old", 90.0), ("new", new)];
    let count = |new: f64| {
        let of = |unit: u64| {
            let unit = format!("user-{unit}");
            let call = Facts { unit: Some(&unit), route: "chat", ..Facts::default() };
            let [old, new] = arms(new);
            let targets = [arm(0, old.0, old.1), arm(1, new.0, new.1), arm(2, new.0, new.1)];
            let picks = find(StrategyName::Experiment).order(&call, &targets);
            let assigned = assigned(&call, arms(new.1).into_iter()).unwrap();
            // Within an arm, as they are listed.
            assert_eq!(picks.order, if assigned == "old" { vec![0, 1, 2] } else { vec![1, 2, 0] });
            assigned == "new"
        };
        (0..5_000).map(of).collect::<Vec<_>>()
    };
    let (few, more) = (count(10.0), count(30.0));
    let share = |all: &[bool]| all.iter().filter(|one| **one).count();
    assert!((400..600).contains(&share(&few)), "{}", share(&few));
    assert!((1_100..1_400).contains(&share(&more)), "{}", share(&more));
    assert!(few.iter().zip(&more).all(|(before, after)| !before || *after), "nobody moves back");
    assert_eq!(share(&count(0.0)), 0);
    // Another route draws anew.
    let of = |route| {
        assigned(&Facts { unit: Some("user-1"), route, ..Facts::default() }, [("a", 1.0), ("b", 1.0)].into_iter())
    };
    assert!((0..50).any(|number| of(Box::leak(format!("r{number}").into_boxed_str())) != of("r0")));
}
