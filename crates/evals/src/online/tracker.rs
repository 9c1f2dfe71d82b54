//! How a rule is doing: what waits, what was missed, what it has used up. Survives changes of the rule.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use signalbox_types::{Money, Timestamp};

use super::ledger::{Backfill, Progress};
use super::rule::Budget;

/// So much earlier than what was scored last may a span have started that arrived with it: calls take long, and exporters
/// wait.
pub(super) const LATE: Duration = Duration::from_secs(3_600);
/// The same for spans that the reader was too slow for: they came one after the other, within a moment.
const MISSED: Duration = Duration::from_secs(600);
/// After a failure that another try may help: so long, then twice, up to an hour.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const DAY_MICROS: i64 = 86_400_000_000;

/// Why a span got no score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// It lacks what the metric looks at.
    NoInput,
    /// Retention has removed what was said in it.
    BodyGone,
    /// The day's budget is used up.
    Budget,
}

impl Skip {
    /// The word in `/metrics`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoInput => "no_input",
            Self::BodyGone => "body_gone",
            Self::Budget => "budget",
        }
    }
}

/// What a rule did since the start of the process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = OnlineCounts)]
pub struct Counts {
    /// Scores that were stored.
    pub scored: u64,
    /// Spans that found no room in the queue; a sweep scores them later.
    pub dropped: u64,
    /// Scorings that failed.
    pub failed: u64,
    /// Scorings for which the span lacks an input.
    pub no_input: u64,
    /// Spans whose bodies retention has removed.
    pub body_gone: u64,
    /// Scorings that the day's budget had nothing left for.
    pub over_budget: u64,
}

#[derive(Debug, Default)]
struct Inner {
    /// When what waits started, and how many of each.
    waiting: BTreeMap<Timestamp, u32>,
    /// When the earliest started of what was dropped, or is not known to be scored.
    gap: Option<Timestamp>,
    /// How far the sweep of a gap has come.
    sweeping: Option<Timestamp>,
    /// Gaps are left alone until then, by the monotonic clock.
    pause_until: Duration,
    pause: Option<Duration>,
    progress: Progress,
    /// Of judges that are asked now: at most so much will have been spent.
    reserved: Money,
    asked: u64,
    asked_cost: Money,
    asking: HashSet<String>,
    counts: Counts,
    last_error: Option<(Timestamp, String)>,
    /// There is more to write down.
    changed: bool,
}

/// How a rule is doing.
#[derive(Debug, Default)]
pub(super) struct Tracker(Mutex<Inner>);

/// One span that waits for its scores. Whatever becomes of it, it isn't lost: unless somebody says that it is done, it is
/// part of a gap.
#[derive(Debug)]
pub(super) struct Ticket {
    tracker: Arc<Tracker>,
    started: Timestamp,
    done: bool,
}

impl Ticket {
    pub(super) fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut inner = self.tracker.0.lock();
        if let Some(count) = inner.waiting.get_mut(&self.started) {
            *count -= 1;
            if *count == 0 {
                inner.waiting.remove(&self.started);
            }
        }
        if !self.done {
            inner.note_gap(self.started);
        }
        inner.changed = true;
    }
}

impl Inner {
    fn note_gap(&mut self, started: Timestamp) {
        self.gap = Some(self.gap.map_or(started, |gap| gap.min(started)));
        self.changed = true;
    }

    /// A new day begins with nothing used up.
    fn today(&mut self, now: Timestamp) -> &mut Progress {
        let day = now.as_micros().div_euclid(DAY_MICROS);
        if self.progress.day != day {
            (self.progress.day, self.progress.spent_picos, self.progress.scored) = (day, 0, 0);
        }
        &mut self.progress
    }

    /// Before this nothing waits.
    fn low(&self, now: Timestamp) -> Timestamp {
        let first = self.waiting.keys().next().copied();
        [first, self.gap, self.sweeping].into_iter().flatten().fold(now, Timestamp::min)
    }
}

impl Tracker {
    /// As it was when the process ended; what arrived towards its end may lack scores.
    pub(super) fn resumed(progress: Progress) -> Self {
        let gap = progress.watermark.map(|watermark| watermark.minus(LATE));
        Self(Mutex::new(Inner { gap, progress, ..Inner::default() }))
    }

    pub(super) fn ticket(self: &Arc<Self>, started: Timestamp) -> Ticket {
        *self.0.lock().waiting.entry(started).or_insert(0) += 1;
        Ticket { tracker: Arc::clone(self), started, done: false }
    }

    pub(super) fn dropped(&self) {
        self.0.lock().counts.dropped += 1;
    }

    /// Some spans were missed that arrived just now.
    pub(super) fn missed(&self, spans: u64, now: Timestamp) {
        let mut inner = self.0.lock();
        inner.counts.dropped += spans;
        inner.note_gap(now.minus(MISSED));
    }

    pub(super) fn skipped(&self, skip: Skip) {
        let counts = &mut self.0.lock().counts;
        match skip {
            Skip::NoInput => counts.no_input += 1,
            Skip::BodyGone => counts.body_gone += 1,
            Skip::Budget => counts.over_budget += 1,
        }
    }

    pub(super) fn scored(&self, scores: u64) {
        self.0.lock().counts.scored += scores;
    }

    pub(super) fn failed(&self, now: Timestamp, problem: String) {
        let mut inner = self.0.lock();
        inner.counts.failed += 1;
        inner.last_error = Some((now, problem));
    }

    /// Gaps are left alone for a while: what failed would fail again.
    pub(super) fn pause(&self, now: Duration) {
        let mut inner = self.0.lock();
        if inner.pause_until > now {
            return;
        }
        let pause = inner.pause.map_or(FIRST_PAUSE, |pause| (pause * 2).min(FIRST_PAUSE * 60));
        (inner.pause, inner.pause_until) = (Some(pause), now + pause);
    }

    /// Counts one score of the day, unless the budget has none left.
    pub(super) fn may_score(&self, budget: Budget, now: Timestamp) -> bool {
        let mut inner = self.0.lock();
        let today = inner.today(now);
        let may = budget.scores_per_day.is_none_or(|most| today.scored < most);
        today.scored += u64::from(may);
        inner.changed |= may;
        may
    }

    /// Sets money aside for a judge: what one took on average. The first ones are asked without knowing.
    pub(super) fn reserve(&self, budget: Budget, now: Timestamp) -> Option<Money> {
        let mut inner = self.0.lock();
        let estimate = inner.asked_cost.as_picos() / i128::from(inner.asked.max(1));
        let committed = inner.today(now).spent() + inner.reserved;
        let limit = budget.usd_per_day.and_then(Money::from_dollars);
        if limit.is_some_and(|limit| committed + Money::from_picos(estimate.max(1)) > limit) {
            return None;
        }
        let estimate = Money::from_picos(estimate);
        inner.reserved = inner.reserved + estimate;
        Some(estimate)
    }

    /// What was set aside isn't needed.
    pub(super) fn release(&self, reserved: Money) {
        let mut inner = self.0.lock();
        inner.reserved = Money::from_picos((inner.reserved.as_picos() - reserved.as_picos()).max(0));
    }

    /// What a judge took, instead of what was set aside for it.
    pub(super) fn spend(&self, reserved: Money, spent: Money, now: Timestamp) {
        let mut inner = self.0.lock();
        inner.reserved = Money::from_picos((inner.reserved.as_picos() - reserved.as_picos()).max(0));
        inner.asked += 1;
        inner.asked_cost = inner.asked_cost + spent;
        let picos = i64::try_from(spent.as_picos()).unwrap_or(i64::MAX);
        let today = inner.today(now);
        today.spent_picos = today.spent_picos.saturating_add(picos);
        inner.changed = true;
    }

    /// What failed before works again.
    pub(super) fn recovered(&self) {
        self.0.lock().pause = None;
    }

    /// Whether nobody asks a judge for this score now; from now on somebody does.
    pub(super) fn begin_asking(&self, id: &str) -> bool {
        self.0.lock().asking.insert(id.to_owned())
    }

    pub(super) fn end_asking(&self, id: &str) {
        self.0.lock().asking.remove(id);
    }

    /// The gap, which the caller sweeps from now on.
    pub(super) fn take_gap(&self, now: Duration) -> Option<Timestamp> {
        let mut inner = self.0.lock();
        if inner.sweeping.is_some() || inner.pause_until > now {
            return None;
        }
        let gap = inner.gap.take()?;
        inner.sweeping = Some(gap);
        Some(gap)
    }

    /// The sweep has come so far.
    pub(super) fn swept(&self, at: Timestamp) {
        let mut inner = self.0.lock();
        (inner.sweeping, inner.changed) = (Some(at), true);
    }

    /// The sweep has ended; what it hasn't come to is a gap again.
    pub(super) fn end_sweep(&self, whole: bool) {
        let mut inner = self.0.lock();
        let at = inner.sweeping.take().filter(|_| !whole);
        if let Some(at) = at {
            inner.note_gap(at);
        }
        inner.changed = true;
    }

    /// The rule is off: nothing is owed.
    pub(super) fn forget(&self) {
        let mut inner = self.0.lock();
        inner.gap = None;
        inner.changed |= inner.progress.watermark.take().is_some();
    }

    pub(super) fn backfill(&self) -> Option<Backfill> {
        self.0.lock().progress.backfill
    }

    pub(super) fn set_backfill(&self, change: impl FnOnce(Option<Backfill>) -> Option<Backfill>) {
        let mut inner = self.0.lock();
        inner.progress.backfill = change(inner.progress.backfill);
        inner.changed = true;
    }

    /// How far it has come, if that isn't written down yet.
    pub(super) fn to_keep(&self, on: bool, now: Timestamp) -> Option<Progress> {
        let mut inner = self.0.lock();
        let low = inner.low(now);
        // While nothing happens the watermark moves with the clock: once a minute will do.
        let stale = on && inner.progress.watermark.is_none_or(|kept| low.since(kept) > Duration::from_secs(60));
        if !std::mem::take(&mut inner.changed) && !stale {
            return None;
        }
        inner.progress.watermark = on.then_some(low);
        Some(inner.progress.clone())
    }

    /// It could not be written down.
    pub(super) fn not_kept(&self) {
        self.0.lock().changed = true;
    }

    pub(super) fn shown(&self, now: Timestamp) -> Shown {
        let mut inner = self.0.lock();
        let low = inner.low(now);
        let today = inner.today(now).clone();
        Shown {
            counts: inner.counts.clone(),
            waiting: inner.waiting.values().map(|count| u64::from(*count)).sum(),
            lag: now.since(low),
            scored_today: today.scored,
            spent_today: today.spent(),
            backfill: today.backfill,
            last_error: inner.last_error.clone(),
            catching_up: inner.gap.is_some() || inner.sweeping.is_some(),
        }
    }
}

/// How a rule is doing, for those who look.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Since the start of the process.
    pub counts: Counts,
    /// Spans that wait.
    pub waiting: u64,
    /// How long ago the oldest span started that waits.
    pub lag: Duration,
    /// Scores of today.
    pub scored_today: u64,
    /// What judges took today.
    pub spent_today: Money,
    /// The last run over history.
    pub backfill: Option<Backfill>,
    /// The last failure, and when.
    pub last_error: Option<(Timestamp, String)>,
    /// Spans were dropped or the process was restarted, and what may lack scores is being looked through.
    pub catching_up: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn the_watermark_stays_behind_whatever_waits_and_a_lost_ticket_is_a_gap() {
        let tracker = Arc::new(Tracker::default());
        let (first, second) = (tracker.ticket(at(10)), tracker.ticket(at(20)));
        assert_eq!(tracker.to_keep(true, at(100)).unwrap().watermark, Some(at(10)));
        first.done();
        assert_eq!(tracker.to_keep(true, at(100)).unwrap().watermark, Some(at(20)));
        drop(second);
        assert_eq!(tracker.to_keep(true, at(100)).unwrap().watermark, Some(at(20)));
        assert_eq!(tracker.take_gap(Duration::ZERO), Some(at(20)));
        assert_eq!(tracker.take_gap(Duration::ZERO), None, "one sweep at a time");
        tracker.swept(at(50));
        tracker.end_sweep(false);
        assert_eq!(tracker.take_gap(Duration::ZERO), Some(at(50)));
        tracker.end_sweep(true);
        assert_eq!(tracker.to_keep(true, at(100)).unwrap().watermark, Some(at(100)));
        assert_eq!(tracker.to_keep(true, at(101)), None, "nothing new");
        assert_eq!(
            Tracker::resumed(Progress { watermark: Some(at(9_000)), ..Progress::default() }).0.lock().gap,
            Some(at(5_400))
        );
    }

    #[test]
    fn a_day_has_its_budget_and_the_next_one_a_new_one() {
        let tracker = Tracker::default();
        let budget = Budget { usd_per_day: Some(0.01), scores_per_day: Some(2) };
        assert!(
            tracker.may_score(budget, at(0)) && tracker.may_score(budget, at(1)) && !tracker.may_score(budget, at(2))
        );
        assert!(tracker.may_score(budget, at(86_400)));
        let cent = |part: i128| Money::from_picos(10_000_000_000 * part / 10);
        // The first one's price isn't known; after it, as much is set aside for each.
        assert_eq!(tracker.reserve(budget, at(86_400)), Some(Money::ZERO));
        tracker.spend(Money::ZERO, cent(4), at(86_400));
        assert_eq!(tracker.reserve(budget, at(86_400)), Some(cent(4)));
        assert_eq!(tracker.reserve(budget, at(86_400)), None, "0.4 spent, 0.4 set aside");
        tracker.spend(cent(4), cent(2), at(86_400));
        assert_eq!(tracker.reserve(budget, at(86_400)), Some(cent(3)));
        assert!(tracker.reserve(Budget { usd_per_day: Some(0.0), ..budget }, at(200_000)).is_none());
    }

    #[test]
    fn a_failure_pauses_for_longer_each_time() {
        let tracker = Tracker::default();
        tracker.missed(1, at(10_000));
        let seconds = Duration::from_secs;
        tracker.pause(seconds(0));
        assert_eq!(tracker.take_gap(seconds(59)), None);
        tracker.pause(seconds(60));
        assert_eq!(tracker.take_gap(seconds(179)), None);
        assert_eq!(tracker.take_gap(seconds(180)), Some(at(9_400)));
    }
}
