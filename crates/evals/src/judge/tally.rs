//! Several opinions as one, and how far they agree.

use super::opinion::Opinion;
use super::panel::Aggregate;
use super::rubric::Scale;
use crate::stats::mean;

/// What counts of an opinion.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Vote {
    pub(super) value: Option<f64>,
    pub(super) label: Option<String>,
}

impl From<&Opinion> for Vote {
    fn from(opinion: &Opinion) -> Self {
        Self { value: opinion.value, label: opinion.label.clone() }
    }
}

/// One vote of several, and whether none had a majority. Where words have none, there is no word.
pub(super) fn combined(votes: &[Vote], aggregate: Aggregate) -> (Vote, bool) {
    let mut values: Vec<f64> = votes.iter().filter_map(|vote| vote.value).collect();
    let of = |value: Option<f64>| Vote { value, label: None };
    match aggregate {
        Aggregate::Mean => (of(mean(&values)), false),
        Aggregate::Median => {
            values.sort_by(f64::total_cmp);
            let middle = values.len() / 2;
            let median = match values.len() % 2 {
                _ if values.is_empty() => None,
                0 => values.get(middle - 1).zip(values.get(middle)).map(|(one, other)| one.midpoint(*other)),
                _ => values.get(middle).copied(),
            };
            (of(median), false)
        }
        Aggregate::Majority => majority(votes),
    }
}

fn majority(votes: &[Vote]) -> (Vote, bool) {
    let mut counts: Vec<(&Vote, usize)> = Vec::new();
    for vote in votes {
        match counts.iter_mut().find(|(one, _)| *one == vote) {
            Some((_, count)) => *count += 1,
            None => counts.push((vote, 1)),
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let first: Vec<&Vote> = counts.iter().filter(|(_, count)| *count == most).map(|(vote, _)| *vote).collect();
    match first.as_slice() {
        [one] => ((*one).clone(), false),
        several => {
            let values: Vec<f64> = several.iter().filter_map(|vote| vote.value).collect();
            // Of two answers, what lies between two winners is a tie.
            let is_pair = !values.is_empty() && several.iter().all(|vote| vote.label.is_some());
            let value = if is_pair { Some(0.5) } else { mean(&values) };
            (Vote { value, label: is_pair.then(|| "tie".to_owned()) }, true)
        }
    }
}

/// How far opinions agree: see [`super::Judgement::agreement`].
pub(super) fn agreement(opinions: &[Opinion], scale: &Scale) -> Option<f64> {
    let pairs =
        opinions.iter().enumerate().flat_map(|(at, one)| opinions.iter().skip(at + 1).map(move |other| (one, other)));
    let alike: Vec<f64> = pairs
        .map(|(one, other)| match (scale, one.value, other.value) {
            (Scale::Numeric { low, high, .. }, Some(one), Some(other)) => 1.0 - (one - other).abs() / (high - low),
            _ => f64::from(u8::from(one.value == other.value && one.label == other.label)),
        })
        .collect();
    mean(&alike)
}
