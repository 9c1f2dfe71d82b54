mod days;

use std::f64::consts::TAU;

use fastrand::Rng;
use serde_json::{Value, json};

use super::baseline::Nature;
use super::*;
use crate::config::{BurnRate, Composite};

fn monitor(condition: Value) -> MonitorConfig {
    let query = json!({"measures": [{"fn": "count", "as": "bad"}, {"fn": "count", "as": "all"}, {"fn": "avg", "column": "duration_ms"}]});
    let monitor = json!({"name": "m", "query": query, "value": {"of": "bad", "over": "all"}, "condition": condition});
    serde_json::from_value(monitor).unwrap()
}

fn point(value: f64) -> Point {
    Point { value, of: value, over: None, samples: 100.0 }
}

fn share(bad: f64, all: f64) -> Point {
    Point { value: bad / all, of: bad, over: Some(all), samples: all }
}

fn outcome(monitor: &MonitorConfig, points: &[Option<Point>]) -> Outcome {
    judge(monitor, points, Beside::default()).outcome
}

#[test]
fn thresholds_with_another_one_on_the_way_back() {
    use Outcome::{Between, Breach, Clear};
    let check = |condition: Value, expected: &[(f64, Outcome)]| {
        let monitor = monitor(json!({"threshold": condition}));
        for (value, expected) in expected {
            assert_eq!(outcome(&monitor, &[Some(point(*value))]), *expected, "{value} {condition}");
        }
    };
    check(json!({"above": 5}), &[(5.1, Breach), (5.0, Clear)]);
    check(json!({"above": 5, "recover": 3}), &[(5.1, Breach), (4.0, Between), (3.0, Between), (2.9, Clear)]);
    check(json!({"below": 5, "recover": 8}), &[(4.9, Breach), (7.0, Between), (8.1, Clear)]);
    check(json!({"above": 5, "below": 1}), &[(6.0, Breach), (0.5, Breach), (3.0, Clear)]);
    let monitor = monitor(json!({"threshold": {"above": 5}}));
    assert_eq!(outcome(&monitor, &[None]), Outcome::NoData);
    let scarce = MonitorConfig { min_samples: 101, ..monitor };
    assert_eq!(outcome(&scarce, &[Some(point(6.0))]), Outcome::Hold);
}

#[test]
fn change_looks_at_an_earlier_window() {
    let up = monitor(json!({"change": {"above": 0.5, "against": "last_week", "min_base": 10}}));
    assert_eq!(needs(&up)[1].ago, Length::days(7).0);
    let judged = judge(&up, &[Some(point(31.0)), Some(point(20.0))], Beside::default());
    assert_eq!((judged.outcome, judged.text.as_str()), (Outcome::Breach, "31 after 20 a week before (+55 %)"));
    assert_eq!(outcome(&up, &[Some(point(30.0)), Some(point(20.0))]), Outcome::Clear);
    assert_eq!(outcome(&up, &[Some(point(30.0)), Some(point(9.0))]), Outcome::Hold);
    assert_eq!(outcome(&up, &[Some(point(30.0)), None]), Outcome::Hold);
    let down = monitor(json!({"change": {"below": -0.5}}));
    assert_eq!(needs(&down)[1].ago, Length::minutes(5).0);
    assert_eq!(outcome(&down, &[Some(point(9.0)), Some(point(20.0))]), Outcome::Breach);
    assert_eq!(outcome(&down, &[None, Some(point(20.0))]), Outcome::NoData);
}

#[test]
fn absence_needs_no_data() {
    let monitor = monitor(json!({"absence": {}}));
    assert_eq!(outcome(&monitor, &[None]), Outcome::Breach);
    assert_eq!(outcome(&monitor, &[Some(point(0.0))]), Outcome::Clear);
}

#[test]
fn composites_take_others_together() {
    let composite = Composite { all: vec!["a".into(), "b".into()], none: vec!["c".into()] };
    let check = |fires: [Option<bool>; 3], expected: Outcome| {
        let found =
            super::composite(&composite, |name| fires[["a", "b", "c"].iter().position(|one| *one == name).unwrap()]);
        assert_eq!(found.outcome, expected, "{fires:?} {}", found.text);
    };
    check([Some(true), Some(true), Some(false)], Outcome::Breach);
    check([Some(true), Some(false), Some(false)], Outcome::Clear);
    check([Some(true), Some(true), Some(true)], Outcome::Clear);
    check([Some(true), None, Some(false)], Outcome::Hold);
}

/// The burn rates of the workbook (chapter 5, table 5-8), objective 99.9 %.
#[test]
fn budgets_by_several_windows_at_once() {
    let monitor = monitor(json!({"burn_rate": {"objective": 0.999}}));
    let Condition::BurnRate(burn) = &monitor.condition else { panic!() };
    let factors: Vec<f64> = burn.windows.iter().map(|window| window.factor).collect();
    assert_eq!(factors, [14.4, 6.0, 3.0, 1.0]);
    assert_eq!(
        needs(&monitor).iter().map(|need| need.width.as_secs()).collect::<Vec<_>>(),
        [3_600, 300, 21_600, 1_800, 86_400, 7_200, 259_200, 21_600]
    );
    // Rates of errors over the long and the short window of each pair, in units of the budget.
    let check = |rates: [f64; 8], expected: Option<Severity>| {
        let points: Vec<Option<Point>> = rates.iter().map(|rate| Some(share(rate * 100.0, 100_000.0))).collect();
        let judged = judge(&monitor, &points, Beside::default());
        assert_eq!(judged.outcome == Outcome::Breach, expected.is_some(), "{rates:?} {}", judged.text);
        assert_eq!(judged.severity, expected, "{rates:?}");
    };
    check([0.5; 8], None);
    check([15.0, 15.0, 3.0, 15.0, 1.0, 8.0, 0.4, 3.0], Some(Severity::Critical));
    // Over already: the short window says so.
    check([15.0, 0.0, 3.0, 1.0, 1.0, 2.0, 0.9, 1.0], None);
    // Slowly, for days.
    check([1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.2, 1.5], Some(Severity::Warning));
    // The same numbers, of which the monitor watches the good ones.
    let good = self::monitor(json!({"burn_rate": {"objective": 0.999, "good": true}}));
    let points =
        [15.0, 15.0, 3.0, 15.0, 1.0, 8.0, 0.4, 3.0].map(|rate| Some(share(100_000.0 - rate * 100.0, 100_000.0)));
    assert_eq!(judge(&good, &points, Beside::default()).severity, Some(Severity::Critical));
    // Two failures among fifty calls are forty times the budget, and still two failures.
    let few = self::monitor(json!({"burn_rate": {"objective": 0.999, "min_bad": 3}}));
    for (bad, expected) in [(2.0, Outcome::Clear), (3.0, Outcome::Breach)] {
        let points = [Some(share(bad, 50.0)); 8];
        assert_eq!(judge(&few, &points, Beside::default()).outcome, expected);
    }
    // A quiet hour hides nothing of the days before.
    let mut points = [Some(share(400.0, 100_000.0)); 8];
    (points[0], points[1]) = (None, None);
    assert_eq!(judge(&few, &points, Beside::default()).severity, Some(Severity::Warning));
    assert_eq!(judge(&few, &[None; 8], Beside::default()).outcome, Outcome::NoData);
    let missing = BurnRate { windows: burn.windows[..1].to_vec(), ..burn.clone() };
    assert_eq!(super::burn_rate::judge(&missing, 0.0, &[None, None]).outcome, Outcome::Clear);
}

const START: i64 = 1_790_000_000_000_000 / 604_800_000_000 * 604_800_000_000;
const WINDOW: u64 = 300;
const WIDTH: Duration = Duration::from_secs(WINDOW);

fn time(window: u64) -> Timestamp {
    Timestamp::from_micros(START).plus(Duration::from_secs(window * WINDOW))
}

fn observed(window: u64, point: Point) -> Observation {
    Observation { at: time(window).plus(WIDTH / 2), point }
}

/// A normal deviate (Box and Muller).
fn normal(random: &mut Rng) -> f64 {
    (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (TAU * random.f64()).cos()
}

/// Traffic as people make it: by day and night, less at weekends.
fn traffic(window: u64) -> f64 {
    let hour = (window * WINDOW) as f64 / 3_600.0;
    let day = (hour / 24.0).floor() as i64 % 7;
    let by_hour = 1.0 + 0.7 * ((hour % 24.0 - 15.0) / 24.0 * TAU).cos();
    200.0 * by_hour * if matches!(day, 2 | 3) { 0.35 } else { 1.0 }
}

struct Simulated {
    nature: Nature,
    make: fn(&mut Rng, u64) -> Point,
}

const LATENCY: Simulated = Simulated {
    nature: Nature::Amount,
    // Slower under load, with a long tail.
    make: |random, window| point((400.0 + traffic(window)) * (0.12 * normal(random)).exp()),
};
const CALLS: Simulated = Simulated {
    nature: Nature::Count,
    make: |random, window| {
        let mean = traffic(window) * (0.05 * normal(random)).exp();
        let count = (mean + mean.sqrt() * normal(random)).round().max(0.0);
        Point { value: count, of: count, over: None, samples: count }
    },
};
const ERRORS: Simulated = Simulated {
    nature: Nature::Share,
    make: |random, window| {
        let all = traffic(window).round();
        let bad = (0..all as u64).filter(|_| random.f64() < 0.01).count() as f64;
        share(bad, all)
    },
};

impl Simulated {
    fn learn(&self, random: &mut Rng, weeks: u64) -> Model {
        let history: Vec<Observation> =
            (0..weeks * 2_016).map(|window| observed(window, (self.make)(random, window))).collect();
        Model::learn(&history, self.nature, WIDTH).unwrap()
    }

    /// How often two windows in a row are outside of the band in so many weeks.
    fn alarms(&self, random: &mut Rng, model: &Model, weeks: u64) -> u64 {
        let monitor = monitor(json!({"baseline": {}}));
        let mut before = false;
        let mut alarms = 0;
        for window in 4 * 2_016..(4 + weeks) * 2_016 {
            let beside = Beside { end: time(window + 1), model: Some(model), ..Beside::default() };
            let out = judge(&monitor, &[Some((self.make)(random, window))], beside).outcome == Outcome::Breach;
            alarms += u64::from(out && before);
            before = out;
        }
        alarms
    }
}

#[test]
fn baselines_are_quiet_on_healthy_traffic() {
    for (name, simulated) in [("latency", LATENCY), ("calls", CALLS), ("errors", ERRORS)] {
        let mut random = Rng::with_seed(7);
        let model = simulated.learn(&mut random, 4);
        let alarms = simulated.alarms(&mut random, &model, 12);
        assert!(alarms <= 2, "{name}: {alarms} false alarms in 12 weeks");
    }
}

#[test]
fn little_history_makes_no_alarms_either() {
    for (name, simulated) in [("latency", LATENCY), ("calls", CALLS), ("errors", ERRORS)] {
        let mut random = Rng::with_seed(8);
        let model = simulated.learn(&mut random, 2);
        let alarms = simulated.alarms(&mut random, &model, 12);
        assert!(alarms <= 12, "{name}: {alarms} false alarms in 12 weeks");
    }
}

#[test]
fn baselines_find_what_a_person_would() {
    let monitor = monitor(json!({"baseline": {}}));
    let breaches = |simulated: &Simulated, factor: f64| {
        let mut random = Rng::with_seed(9);
        let model = simulated.learn(&mut random, 4);
        let faults = (0..100).map(|fault| 4 * 2_016 + fault * 19).filter(|window| {
            let mut point = (simulated.make)(&mut random, *window);
            (point.value, point.of) = (point.value * factor, point.of * factor);
            let beside = Beside { end: time(*window + 1), model: Some(&model), ..Beside::default() };
            judge(&monitor, &[Some(point)], beside).outcome == Outcome::Breach
        });
        faults.count()
    };
    assert!(breaches(&LATENCY, 2.0) >= 95, "{}", breaches(&LATENCY, 2.0));
    assert!(breaches(&CALLS, 0.3) >= 95, "{}", breaches(&CALLS, 0.3));
    assert!(breaches(&CALLS, 0.0) == 100);
    assert!(breaches(&CALLS, 3.0) >= 95, "{}", breaches(&CALLS, 3.0));
}

#[test]
fn faults_in_history_are_not_learned() {
    let mut random = Rng::with_seed(3);
    let make = |random: &mut Rng, window: u64| {
        let mut one = (LATENCY.make)(random, window);
        // A day of something broken in each week but the last.
        if window / 2_016 < 3 && (window / 288) % 7 == 5 {
            one.value *= 10.0;
        }
        one
    };
    let history: Vec<Observation> = (0..4 * 2_016).map(|window| observed(window, make(&mut random, window))).collect();
    let model = Model::learn(&history[2_016..], Nature::Amount, WIDTH).unwrap();
    let baseline = crate::config::Baseline::default();
    let at = time(4 * 2_016 + 3 * 288 + 150);
    let band = model.band(at, 100.0, &baseline);
    // Those days are 5,000: less than half of that is an alarm. Days like them widen the band all the same.
    assert!(band.high < 2_200.0 && band.low > 100.0, "{band:?}");
    // With a floor that a person has set.
    let wide = model.band(at, 100.0, &crate::config::Baseline { min_deviation: 5_000.0, ..baseline });
    assert!(wide.high >= 5_000.0, "{wide:?}");
}

#[test]
fn a_share_that_was_always_zero_allows_for_chance() {
    let history: Vec<Observation> = (0..2_016).map(|window| observed(window, share(0.0, 20.0))).collect();
    let model = Model::learn(&history, Nature::Share, WIDTH).unwrap();
    let baseline = crate::config::Baseline::default();
    assert!(model.band(time(3_000), 20.0, &baseline).high > 0.1);
    assert!(model.band(time(3_000), 2_000.0, &baseline).high < 0.01);
    assert!(Model::learn(&history[..20], Nature::Share, WIDTH).is_none());
    // Not before it has seen a whole day.
    assert!(Model::learn(&history[..270], Nature::Share, WIDTH).is_none());
    assert!(Model::learn(&history[..288], Nature::Share, WIDTH).is_some());
}

/// Windows until the alarm, of at most so many.
fn run(monitor: &MonitorConfig, random: &mut Rng, share_good: f64, most: u64) -> Option<u64> {
    let mut evidence = Evidence::default();
    (0..most).find(|window| {
        let good = (0..20).filter(|_| random.f64() < share_good).count() as f64;
        let beside = Beside { end: time(*window + 1), evidence: Some(&mut evidence), ..Beside::default() };
        judge(monitor, &[Some(share(good, 20.0))], beside).outcome == Outcome::Breach
    })
}

#[test]
fn sequential_tests_keep_their_word_on_false_alarms() {
    // One in 200 windows on average, at most.
    let monitor = monitor(json!({"sequential": {"reference": 0.9, "side": "lower", "false_alarm_every": "1000m"}}));
    let mut random = Rng::with_seed(11);
    let most = 1_500;
    let runs: Vec<u64> = (0..60).map(|_| run(&monitor, &mut random, 0.9, most).unwrap_or(most)).collect();
    let mean = runs.iter().sum::<u64>() as f64 / runs.len() as f64;
    assert!(mean >= 200.0, "a false alarm every {mean} windows");
    // And finds a change soon.
    let found: Vec<u64> = (0..50).map(|_| run(&monitor, &mut random, 0.75, most).unwrap_or(most)).collect();
    let mean = found.iter().sum::<u64>() as f64 / found.len() as f64;
    assert!(mean <= 8.0, "found after {mean} windows");
    // The other way isn't asked about.
    assert!((0..50).filter(|_| run(&monitor, &mut random, 1.0, 200).is_some()).count() == 0);
}

#[test]
fn sequential_tests_count_each_window_once_and_know_when_it_is_over() {
    let monitor = monitor(json!({"sequential": {"reference": 0.5, "false_alarm_every": "1000m"}}));
    let mut evidence = Evidence::default();
    let mut step = |window: u64, good: f64| {
        let beside = Beside { end: time(window), evidence: Some(&mut evidence), ..Beside::default() };
        judge(&monitor, &[Some(share(good, 20.0))], beside).outcome
    };
    assert_eq!(step(1, 10.0), Outcome::Clear);
    assert_eq!(step(1, 20.0), Outcome::Hold);
    assert_eq!((2..5).map(|window| step(window, 19.0)).next_back(), Some(Outcome::Breach));
    let over = (5..=15).find(|window| step(*window, 10.0) == Outcome::Clear).unwrap();
    let written = serde_json::to_string(&evidence).unwrap();
    // But for the last digit of some numbers.
    let mut read: Evidence = serde_json::from_str(&written).unwrap();
    assert!((read.total() / evidence.total() - 1.0).abs() < 1e-12, "{written}");
    let beside = Beside { end: time(over), evidence: Some(&mut read), ..Beside::default() };
    assert_eq!(judge(&monitor, &[Some(share(20.0, 20.0))], beside).outcome, Outcome::Hold);
}

#[test]
fn numbers_as_people_read_them() {
    for (value, text) in [
        (0.0, "0"),
        (1.0, "1"),
        (0.012345, "0.01235"),
        (1234.6, "1235"),
        (99.95, "99.95"),
        (1e9, "1000000000"),
        (-3.0, "-3"),
        (1e-9, "1.000e-9"),
    ] {
        assert_eq!(shown(value), text);
    }
}
