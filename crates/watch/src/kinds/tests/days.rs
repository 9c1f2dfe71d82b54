//! What is harder to know than the noise of one window: days that differ, hours with little traffic, jobs, slow and small faults.

use super::*;
use crate::config::Baseline;

/// Slower all day long, or faster, as days are.
const MOODY: Simulated = Simulated {
    nature: Nature::Amount,
    make: |random, window| {
        let mood = 0.2 * normal(&mut Rng::with_seed(window / 288 + 1_000));
        point((400.0 + traffic(window)) * (0.08 * normal(random) + mood).exp())
    },
};

/// Failures that are more frequent for hours, or less.
const RESTLESS: Simulated = Simulated {
    nature: Nature::Share,
    make: |random, window| {
        let all = traffic(window).round();
        let share_bad = 0.01 * (0.5 * normal(&mut Rng::with_seed(window / 12 + 2_000))).exp();
        let bad = (0..all as u64).filter(|_| random.f64() < share_bad).count() as f64;
        share(bad, all)
    },
};

#[test]
fn days_that_differ_make_no_alarms() {
    for (name, simulated) in [("latency", MOODY), ("errors", RESTLESS)] {
        for weeks in [2, 4] {
            let mut random = Rng::with_seed(12);
            let model = simulated.learn(&mut random, weeks);
            let alarms = simulated.alarms(&mut random, &model, 12);
            assert!(alarms <= 6, "{name}: {alarms} false alarms in 12 weeks after {weeks} weeks of history");
        }
    }
}

#[test]
fn fewer_rows_say_less() {
    let mut random = Rng::with_seed(13);
    // The mean of so many: a hundred by day, four by night.
    let rows = |window: u64| if (window / 12) % 24 < 12 { 4.0 } else { 100.0 };
    let observe = |window: u64| {
        let value = 500.0 * (0.5 * normal(&mut random) / f64::sqrt(rows(window))).exp();
        observed(window, Point { samples: rows(window), ..point(value) })
    };
    let history: Vec<Observation> = (0..4 * 2_016).map(observe).collect();
    let model = Model::learn(&history, Nature::Amount, WIDTH).unwrap();
    let width = |window: u64, samples: f64| {
        let band = model.band(time(window), samples, &Baseline::default());
        (band.high / band.center).ln()
    };
    let (night, day) = (4 * 2_016 + 3 * 12, 4 * 2_016 + 18 * 12);
    // Four standard deviations of the mean of so many.
    for (window, samples, expected) in [(day, 100.0, 0.2), (night, 4.0, 1.0), (day, 4.0, 1.0), (day, 1.0, 2.0)] {
        let found = width(window, samples);
        assert!((0.75..1.35).contains(&(found / expected)), "{samples} rows: {found}, expected {expected}");
    }
}

#[test]
fn jobs_begin_at_the_hour() {
    // Windows of half an hour; from 1:00 to 3:00 a job.
    let half_hour = Duration::from_secs(1_800);
    let at = |hours: f64| Timestamp::from_micros(START).plus(Duration::from_secs_f64(hours * 3_600.0));
    let working = |hours: f64| if (1.0..3.0).contains(&hours.rem_euclid(24.0)) { 1_000.0 } else { 20.0 };
    let mut random = Rng::with_seed(14);
    let observe = |window: u64| {
        let begin = window as f64 / 2.0;
        let value = working(begin) * (0.05 * normal(&mut random)).exp();
        Observation { at: at(begin + 0.25), point: Point { samples: value, ..point(value) } }
    };
    let history: Vec<Observation> = (0..28 * 48).map(observe).collect();
    let model = Model::learn(&history, Nature::Amount, half_hour).unwrap();
    // Asked more often than a window is long: some are half before, half in it.
    for minute in 0..24 * 60 {
        let middle = 28.0 * 24.0 + f64::from(minute) / 60.0;
        let minutes = (0..30).map(|one| working(middle - 0.25 + f64::from(one) / 60.0));
        let value = minutes.sum::<f64>() / 30.0;
        let band = model.band(at(middle), value, &Baseline::default());
        assert!(band.low < value && value < band.high, "minute {minute}: {value} in {band:?}");
    }
    assert!(model.band(at(28.0 * 24.0 + 2.0), 2_000.0, &Baseline::default()).high < 2_000.0);
    assert!(model.band(at(28.0 * 24.0 + 5.0), 40.0, &Baseline::default()).high < 40.0);
}

#[test]
fn longer_windows_see_what_short_ones_cannot() {
    let monitor = MonitorConfig { min_samples: 20, ..monitor(json!({"baseline": {"longer": "1h", "side": "upper"}})) };
    assert_eq!(needs(&monitor).iter().map(|need| need.width.as_secs()).collect::<Vec<_>>(), [300, 3_600]);
    let mut random = Rng::with_seed(15);
    let mut learned = |width: Duration, noise: f64| {
        let observe = |window: u32| Observation {
            at: Timestamp::from_micros(START).plus(width * window + width / 2),
            point: point(500.0 * (noise * normal(&mut random)).exp()),
        };
        let history: Vec<Observation> = (0..4 * 168).map(observe).collect();
        Model::learn(&history, Nature::Amount, width).unwrap()
    };
    let (short, longer) = (learned(WIDTH * 4, 0.2), learned(WIDTH * 12, 0.05));
    let end = time(6 * 2_016);
    let judged = |short_point: Option<Point>, longer_point: Option<Point>, recovered_at: Option<Timestamp>| {
        let beside =
            Beside { end, model: Some(&short), longer: Some((&longer, end)), recovered_at, ..Beside::default() };
        let judged = judge(&monitor, &[short_point, longer_point], beside);
        (judged.outcome, judged.text)
    };
    let outcome = |short: f64, longer: f64| judged(Some(point(short)), Some(point(longer)), None).0;
    let few = Some(Point { samples: 5.0, ..point(900.0) });
    assert_eq!(outcome(510.0, 510.0), Outcome::Clear);
    // Too little for the short one, and goes on.
    assert_eq!(outcome(750.0, 750.0), Outcome::Breach);
    assert_eq!(outcome(2_000.0, 510.0), Outcome::Breach);
    // Over: the longer one only remembers it.
    assert_eq!(outcome(510.0, 750.0), Outcome::Clear);
    // Too few rows for the short one.
    let (found, text) = judged(few, Some(point(750.0)), None);
    assert_eq!(found, Outcome::Breach);
    assert!(text.ends_with(" over 1h"), "{text}");
    assert_eq!(judged(few, Some(point(510.0)), None).0, Outcome::Clear);
    // That was told of, and is over: it has to be out of the window before anything is told again.
    let before = |minutes: u64| Some(end.minus(Length::minutes(minutes).0));
    assert_eq!(judged(few, Some(point(750.0)), before(59)).0, Outcome::Hold);
    assert_eq!(judged(few, Some(point(750.0)), before(60)).0, Outcome::Breach);
    assert_eq!(judged(few, few, None).0, Outcome::Hold);
    assert_eq!(judged(None, Some(point(750.0)), None).0, Outcome::NoData);
}
