//! Too few rows. Whoever sends nothing at all has no window, which is what this is about.

use super::{Judgement, Outcome, Point, shown};
use crate::config::{Absence, Length};

pub(super) fn judge(absence: &Absence, window: Length, point: Option<Point>) -> Judgement {
    let samples = point.map_or(0.0, |point| point.samples);
    let outcome = if samples < absence.fewer_than { Outcome::Breach } else { Outcome::Clear };
    let text = match samples {
        0.0 => format!("no rows within {window}"),
        _ => format!("{} rows within {window}", shown(samples)),
    };
    Judgement::new(outcome, text).of(samples, Some(absence.fewer_than))
}
