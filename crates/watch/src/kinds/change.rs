//! How much a window differs from an earlier one.

use std::time::Duration;

use super::{Judgement, Outcome, Point, shown};
use crate::config::{Against, Change, Length};

pub(super) fn ago(change: &Change, window: Length) -> Duration {
    match change.against {
        Against::Previous => window.0,
        Against::LastDay => Length::days(1).0,
        Against::LastWeek => Length::days(7).0,
    }
}

pub(super) fn judge(change: &Change, now: &Point, before: Option<Point>) -> Judgement {
    let Some(before) = before.filter(|before| before.value > 0.0 && before.value >= change.min_base) else {
        return Judgement::new(Outcome::Hold, "there is too little to compare with").of(now.value, None);
    };
    let grown = now.value / before.value - 1.0;
    let limits = [
        (change.above, grown > change.above.unwrap_or(f64::INFINITY)),
        (change.below, grown < change.below.unwrap_or(f64::NEG_INFINITY)),
    ];
    let crossed = limits.iter().find(|(_, crossed)| *crossed).and_then(|(limit, _)| *limit);
    let outcome = if crossed.is_some() { Outcome::Breach } else { Outcome::Clear };
    let then = match change.against {
        Against::Previous => "in the window before",
        Against::LastDay => "a day before",
        Against::LastWeek => "a week before",
    };
    let text = format!("{} after {} {then} ({:+.0} %)", shown(now.value), shown(before.value), grown * 100.0);
    let limit = crossed.or(change.above).or(change.below);
    Judgement::new(outcome, text).of(now.value, limit.map(|limit| before.value * (1.0 + limit)))
}
