//! How much of an error budget is left: pure functions of what was counted.

use std::collections::BTreeMap;

use serde::Serialize;
use signalbox_types::Timestamp;

use crate::config::{Length, ObjectiveConfig};
use crate::kinds::shown;

/// Points of a burn-down at most.
const MOST_POINTS: usize = 800;
/// What goes on like this is what happened over this time, or the period if that is shorter.
const PRESENT: Length = Length::hours(6);

/// What happened in a time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Tally {
    pub(crate) bad: f64,
    pub(crate) total: f64,
}

impl Tally {
    fn plus(self, other: Self) -> Self {
        Self { bad: self.bad + other.bad, total: self.total + other.total }
    }

    fn times(self, factor: f64) -> Self {
        Self { bad: self.bad * factor, total: self.total * factor }
    }

    /// How many times as fast as it may the budget was spent.
    fn rate(self, objective: f64) -> Option<f64> {
        (self.total > 0.0).then(|| self.bad / self.total / (1.0 - objective))
    }
}

/// Where an objective stands, over the period that ends now.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = ObjectiveStanding)]
pub struct Standing {
    /// The beginning of the period.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// Events that were good.
    pub good: f64,
    /// Events that were not.
    pub bad: f64,
    /// Events together.
    pub total: f64,
    /// The share of good ones; absent if there was nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attained: Option<f64>,
    /// The share that must be good.
    pub objective: f64,
    /// So many of the period's events might have been bad: the error budget.
    pub budget: f64,
    /// The part of the budget that is left: 1 is all of it, 0 none; less than 0 if more was spent.
    pub budget_left: f64,
    /// How fast it is spent.
    pub burn_rates: Vec<BurnSeen>,
    /// When it is spent if everything goes on as in the last six hours, what leaves the period at its beginning left out; absent if it
    /// isn't within a period from now, or is spent already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spent_at: Option<Timestamp>,
    /// Releases wait.
    pub frozen: bool,
    /// In words: what is left, and why releases wait if they do.
    pub text: String,
    /// What was left after each bucket of the period, of the budget of the whole of it; thinned out to 800.
    pub burn_down: Vec<BudgetPoint>,
}

/// How fast a budget is spent.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = BurnRateSeen)]
pub struct BurnSeen {
    /// Over which time.
    #[schema(value_type = String, example = "1h")]
    pub over: Length,
    /// How many times as fast as would spend it by the end of a period; absent if there was nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Events that were bad.
    pub bad: f64,
    /// Events together.
    pub total: f64,
}

/// What was left of a budget.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct BudgetPoint {
    /// When.
    pub at: Timestamp,
    /// The part of the budget.
    pub left: f64,
    /// Bad events since the point before.
    pub bad: f64,
    /// Events since the point before.
    pub total: f64,
}

/// How wide the buckets of a period are.
pub(crate) fn bucket(period: Length) -> Length {
    let widths = [Length::hours(1), Length::minutes(15), Length::minutes(5)];
    widths.into_iter().find(|width| period.0 >= width.0.saturating_mul(48)).unwrap_or(Length::minutes(1))
}

impl Standing {
    /// From what was counted in the buckets of the period (by their beginning), and over each window that ends now.
    pub(crate) fn of(
        config: &ObjectiveConfig,
        buckets: &BTreeMap<Timestamp, Tally>,
        rates: &[(Length, Tally)],
        now: Timestamp,
    ) -> Self {
        let (from, end) = super::period(config, now);
        let width = bucket(config.period);
        let tallies = every(buckets, from, end, width);
        let sum = tallies.iter().fold(Tally::default(), |sum, one| sum.plus(*one));
        let budget = (1.0 - config.objective) * sum.total;
        let budget_left = left_of(budget, sum.bad);
        let rate = |(over, tally): &(Length, Tally)| BurnSeen {
            over: *over,
            rate: tally.rate(config.objective),
            bad: tally.bad,
            total: tally.total,
        };
        let present = rates.iter().rfind(|(over, _)| *over <= PRESENT);
        let in_bucket = present.map(|(over, tally)| tally.times(width.0.as_secs_f64() / over.0.as_secs_f64()));
        let ahead = in_bucket.filter(|_| budget_left > 0.0).and_then(|one| buckets_left(config, &tallies, one));
        let spent_at = ahead.map(|ahead| now.plus(width.0.saturating_mul(ahead)));
        let scarce = budget_left <= config.freeze_below;
        let frozen = config.freeze && scarce && sum.bad > 0.0 && sum.bad >= config.min_bad;
        Self {
            from,
            to: now,
            good: sum.total - sum.bad,
            bad: sum.bad,
            total: sum.total,
            attained: (sum.total > 0.0).then(|| 1.0 - sum.bad / sum.total),
            objective: config.objective,
            budget,
            budget_left,
            burn_rates: rates.iter().map(rate).collect(),
            spent_at,
            frozen,
            text: told(config, sum, budget, frozen),
            burn_down: burn_down(&tallies, budget, from, width, now),
        }
    }
}

/// The part of a budget that is left. One bad event of one that may be is all of it, whatever `1 - 0.99` is in binary.
fn left_of(budget: f64, bad: f64) -> f64 {
    if budget > 0.0 { 1.0 - (1e9 * bad / budget).round() / 1e9 } else { 1.0 }
}

/// One tally a bucket, also for those in which nothing happened.
fn every(buckets: &BTreeMap<Timestamp, Tally>, from: Timestamp, end: Timestamp, width: Length) -> Vec<Tally> {
    let mut tallies = Vec::new();
    let mut at = from;
    while at < end {
        tallies.push(buckets.get(&at).copied().unwrap_or_default());
        at = at.plus(width.0);
    }
    tallies
}

/// After how many buckets like this one the budget is spent, while the oldest ones leave the period.
fn buckets_left(config: &ObjectiveConfig, tallies: &[Tally], one: Tally) -> Option<u32> {
    let mut sum = tallies.iter().fold(Tally::default(), |sum, tally| sum.plus(*tally));
    for (ahead, gone) in (1..).zip(tallies) {
        sum = sum.plus(one).plus(gone.times(-1.0));
        if sum.bad > 0.0 && left_of((1.0 - config.objective) * sum.total, sum.bad) <= 0.0 {
            return Some(ahead);
        }
    }
    None
}

fn burn_down(tallies: &[Tally], budget: f64, from: Timestamp, width: Length, now: Timestamp) -> Vec<BudgetPoint> {
    let step = tallies.len().div_ceil(MOST_POINTS).max(1);
    let (mut points, mut spent, mut at) = (Vec::new(), 0.0, from);
    for chunk in tallies.chunks(step) {
        let sum = chunk.iter().fold(Tally::default(), |sum, one| sum.plus(*one));
        spent += sum.bad;
        at = at.plus(width.0.saturating_mul(u32::try_from(chunk.len()).unwrap_or(u32::MAX)));
        points.push(BudgetPoint { at: at.min(now), left: left_of(budget, spent), bad: sum.bad, total: sum.total });
    }
    points
}

fn told(config: &ObjectiveConfig, sum: Tally, budget: f64, frozen: bool) -> String {
    if sum.total <= 0.0 {
        return format!("nothing has happened in the last {}", config.period);
    }
    let counted = format!("{} of {} that may be bad over {}", shown(sum.bad), shown(budget), config.period);
    let left = left_of(budget, sum.bad);
    let mut text = match left > 0.0 {
        true => format!("{} % of the error budget are left: {counted}", shown(100.0 * left)),
        false => format!("the error budget is spent: {counted}"),
    };
    if frozen && config.freeze_below > 0.0 {
        text.push_str(&format!("; releases wait with {} % or less left", shown(100.0 * config.freeze_below)));
    } else if frozen {
        text.push_str("; releases wait");
    }
    text
}
