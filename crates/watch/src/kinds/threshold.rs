//! A fixed limit, with another one on the way back.

use super::{Judgement, Outcome, shown};
use crate::config::Threshold;

pub(super) fn judge(threshold: &Threshold, value: f64) -> Judgement {
    let said = |outcome, sign: &str, limit: f64| {
        Judgement::new(outcome, format!("{} {sign} {}", shown(value), shown(limit))).of(value, Some(limit))
    };
    if let Some(above) = threshold.above
        && value > above
    {
        return said(Outcome::Breach, ">", above);
    }
    if let Some(below) = threshold.below
        && value < below
    {
        return said(Outcome::Breach, "<", below);
    }
    match (threshold.above, threshold.below, threshold.recover) {
        (Some(above), None, Some(recover)) if value >= recover && recover < above => {
            said(Outcome::Between, "≥", recover)
        }
        (None, Some(below), Some(recover)) if value <= recover && recover > below => {
            said(Outcome::Between, "≤", recover)
        }
        (Some(above), _, _) => said(Outcome::Clear, "≤", above),
        (None, Some(below), _) => said(Outcome::Clear, "≥", below),
        (None, None, _) => Judgement::new(Outcome::Hold, "there is no limit"),
    }
}
