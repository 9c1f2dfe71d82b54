//! What was usual by hour of the week.

use std::time::Duration;

use signalbox_types::Timestamp;

use super::{Scale, median};

pub(super) const HOURS: usize = 168;
/// In microseconds.
const HOUR: i64 = 3_600_000_000;
/// History is cut into so many parts, each of whole days, of which each is held against what the others say.
const PARTS: usize = 10;
/// Where a count is the middle of so many, half of the windows tell of the share; where there are fewer, only all of them together.
const COUNTABLE: f64 = 5.0;
/// So many of a hundred windows to each side may be faults that nobody knows of.
const TRIMMED: usize = 3;
/// Rare events say so much less of an hour the fewer there were: with so many it is believed half.
const RARE: f64 = 10.0;

/// A window of history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Its middle.
    pub(super) at: Timestamp,
    /// What it came to, on the scale of the model.
    pub(super) value: f64,
    /// What was divided, where something is.
    pub(super) of: f64,
    /// What it was divided by, or how many rows there were.
    pub(super) over: f64,
}

/// Which number stands for several windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Middle {
    /// Half of them are above.
    Median,
    /// The share of all that they counted: of rare events most windows have none.
    Pooled,
}

impl Middle {
    fn of(self, windows: &mut [&Window]) -> f64 {
        let middle =
            |number: &dyn Fn(&Window) -> f64| median(&mut windows.iter().map(|one| number(one)).collect::<Vec<_>>());
        let countable = || middle(&|one| one.of) >= COUNTABLE && middle(&|one| one.over - one.of) >= COUNTABLE;
        if self == Self::Median || countable() {
            return middle(&|one| one.value);
        }
        windows.sort_by(|one, other| one.value.total_cmp(&other.value));
        let cut = windows.len() * TRIMMED / 100;
        let kept = &windows[cut..windows.len() - cut];
        let (of, over) = kept.iter().fold((0.0, 0.0), |(of, over), one| (of + one.of, over + one.over));
        if over > 0.0 { of / over } else { 0.0 }
    }

    /// How far they are to be believed, beside the number of days.
    fn trust(self, windows: &[&Window]) -> f64 {
        if self == Self::Median {
            return 1.0;
        }
        let (of, rest) = windows.iter().fold((0.0, 0.0), |(of, rest), one| (of + one.of, rest + one.over - one.of));
        let events: f64 = of.min(rest).max(0.0);
        events / (events + RARE)
    }
}

/// The middles by hour of the week, from Thursday 00:00 UTC, as the epoch has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hours {
    scale: Scale,
    width: Duration,
    centers: Vec<f64>,
}

impl Hours {
    /// Middles by hour of the week, leaning on the same hour of days of the same sort (working days, weekends), on that of all days
    /// and on all of history, the more the fewer days there are. The windows are in the order of time.
    pub(super) fn learn(windows: &[&Window], middle: Middle, scale: Scale, width: Duration) -> Self {
        let lean = |groups: usize, key: &dyn Fn(usize) -> usize, parent: &dyn Fn(usize) -> f64, trust: f64| {
            let mut own: Vec<Vec<&Window>> = vec![Vec::new(); groups];
            for one in windows {
                for hour in touched(one.at, width) {
                    let group = &mut own[key(of_week(hour))];
                    if !group.last().is_some_and(|last| std::ptr::eq(*last, *one)) {
                        group.push(one);
                    }
                }
            }
            let summed_up = |mut group: Vec<&Window>| {
                let mut days: Vec<i64> = group.iter().map(|one| day_of(one.at)).collect();
                days.dedup();
                let weight = days.len() as f64 / (days.len() as f64 + trust) * middle.trust(&group);
                (!group.is_empty()).then(|| (weight, middle.of(&mut group)))
            };
            let own: Vec<Option<(f64, f64)>> = own.into_iter().map(summed_up).collect();
            let leaning = |hour: usize| match own[key(hour)] {
                Some((weight, center)) => weight * center + (1.0 - weight) * parent(hour),
                None => parent(hour),
            };
            (0..HOURS).map(leaning).collect::<Vec<f64>>()
        };
        let general = middle.of(&mut windows.to_vec());
        let of_day = lean(24, &|hour| hour % 24, &|_| general, 1.0);
        let of_sort = lean(48, &|hour| hour % 24 + 24 * usize::from(is_weekend(hour)), &|hour| of_day[hour], 1.0);
        let centers = lean(HOURS, &|hour| hour, &|hour| of_sort[hour], 0.5);
        Self { scale, width, centers }
    }

    /// The middle of a window, on the model's scale: going from hour to hour without steps.
    pub(super) fn center(&self, at: Timestamp) -> f64 {
        let hours = at.as_micros() as f64 / 3.6e9 - 0.5;
        let (whole, part) = (hours.floor(), hours - hours.floor());
        let at = |hour: f64| self.centers[(hour.rem_euclid(HOURS as f64)) as usize % HOURS];
        at(whole) * (1.0 - part) + at(whole + 1.0) * part
    }

    /// Between what it may be: without steps, as people make it, or with one at the hour, as jobs do that begin then.
    pub(super) fn between(&self, at: Timestamp) -> (f64, f64) {
        let (smooth, stepped) = (self.center(at), self.stepped(at));
        (smooth.min(stepped), smooth.max(stepped))
    }

    /// That one of both which is nearer to a value.
    fn nearest(&self, at: Timestamp, value: f64) -> f64 {
        let (smooth, stepped) = (self.center(at), self.stepped(at));
        if (value - smooth).abs() <= (value - stepped).abs() { smooth } else { stepped }
    }

    /// What the hours that it touches come to, by how much of it is in each.
    fn stepped(&self, at: Timestamp) -> f64 {
        let half = self.width.as_micros() as f64 / 2.0;
        let (begin, end) = (at.as_micros() as f64 - half, at.as_micros() as f64 + half);
        let (mut sum, mut all) = (0.0, 0.0);
        for hour in touched(at, self.width) {
            let from = hour as f64 * HOUR as f64;
            let inside = end.min(from + HOUR as f64) - begin.max(from);
            sum += inside * self.scale.back(self.centers[of_week(hour)]);
            all += inside;
        }
        if all > 0.0 { self.scale.to(sum / all) } else { self.center(at) }
    }
}

/// What was to be expected of each window by all the days but its own and a few others: what a window says of itself is no forecast.
pub(super) fn expected(windows: &[Window], middle: Middle, scale: Scale, width: Duration) -> Vec<f64> {
    let mut days: Vec<i64> = windows.iter().map(|one| day_of(one.at)).collect();
    days.dedup();
    let parts = days.len().min(PARTS);
    if parts < 2 {
        let hours = Hours::learn(&windows.iter().collect::<Vec<_>>(), middle, scale, width);
        return windows.iter().map(|one| hours.nearest(one.at, one.value)).collect();
    }
    let part = |one: &Window| days.binary_search(&day_of(one.at)).unwrap_or_else(|place| place) % parts;
    let mut expected = vec![0.0; windows.len()];
    for held in 0..parts {
        let others: Vec<&Window> = windows.iter().filter(|one| part(one) != held).collect();
        let hours = Hours::learn(&others, middle, scale, width);
        for (expected, one) in expected.iter_mut().zip(windows).filter(|(_, one)| part(one) == held) {
            *expected = hours.nearest(one.at, one.value);
        }
    }
    expected
}

/// The hour of the week of a moment.
pub(super) fn hour_of(at: Timestamp) -> usize {
    of_week(at.as_micros().div_euclid(HOUR))
}

/// The place in the week of an hour since the epoch.
fn of_week(hour: i64) -> usize {
    usize::try_from(hour.rem_euclid(HOURS as i64)).unwrap_or_default()
}

/// The hours since the epoch that a window with this middle touches; of one that is longer than a week a week's.
fn touched(at: Timestamp, width: Duration) -> std::ops::RangeInclusive<i64> {
    let half = i64::try_from(width.as_micros() / 2).unwrap_or(i64::MAX / 4);
    let first = (at.as_micros() - half).div_euclid(HOUR);
    let last = (at.as_micros() + half - 1).div_euclid(HOUR);
    first..=last.clamp(first, first + HOURS as i64 - 1)
}

fn day_of(at: Timestamp) -> i64 {
    at.as_secs().div_euclid(86_400)
}

/// The epoch began on a Thursday.
fn is_weekend(hour: usize) -> bool {
    matches!(hour / 24, 2 | 3)
}
