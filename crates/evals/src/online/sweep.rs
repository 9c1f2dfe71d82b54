//! The sweep: spans in the store that lack scores of a rule get them. After a restart, after drops, and over history.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use signalbox_types::Timestamp;
use signalbox_types::seam::StoreError;
use tokio::time::sleep;
use tracing::debug;

use super::ledger::{Backfill, BackfillState};
use super::live::{Live, is_own};
use super::read::{self, Found};
use super::sample;
use super::score::Task;
use super::tracker::Skip;
use super::worker::Shared;

const TICK: Duration = Duration::from_secs(1);
const BREATH: Duration = Duration::from_millis(20);
/// Ids that are looked at together.
const IDS: u32 = 2_000;
/// Bodies that are in memory together.
const BODIES: usize = 200;
/// How much time a stretch covers at least; long histories are cut in so many.
const STRETCH: Duration = Duration::from_secs(3_600);
const STRETCHES: u32 = 500;
const MICRO: Duration = Duration::from_micros(1);

/// Why a stretch was not scored to its end.
#[derive(Debug)]
enum Stopped {
    /// The rule was changed, the run over history was cancelled, or the process ends.
    Wanted,
    Store(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Looks after gaps and runs over history, and writes down how far rules have come.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        let rules = Arc::clone(&shared.rules.borrow());
        let mut more = false;
        for live in rules.all().filter(|live| live.is_on()) {
            // What arrives comes first.
            if *shared.stopping.borrow() || shared.queued.load(Ordering::Relaxed) > shared.parts.config.queue / 2 {
                break;
            }
            close_gap(&shared, live).await;
            more |= fill_back(&shared, live).await;
        }
        shared.keep().await;
        shared.metrics.look(&rules, shared.queued.load(Ordering::Relaxed), shared.now());
        // History is a stretch at a time, one after the other.
        sleep(if more { BREATH } else { TICK }).await;
    }
}

async fn close_gap(shared: &Shared, live: &Arc<Live>) {
    let Some(from) = live.tracker.take_gap(shared.parts.clock.elapsed()) else { return };
    let to = shared.now().plus(MICRO);
    debug!(rule = %live.rule.name, %from, "looks for spans without scores");
    let mut at = from;
    while at < to {
        let end = at.plus(STRETCH).min(to);
        if let Err(stopped) = stretch(shared, live, (at, end), &|| true).await {
            live.tracker.end_sweep(false);
            return fail(shared, live, stopped);
        }
        at = end;
        live.tracker.swept(at);
    }
    live.tracker.end_sweep(true);
}

/// One stretch of a run over history. Whether there may be another one.
async fn fill_back(shared: &Shared, live: &Arc<Live>) -> bool {
    let running = |fill: &Backfill| fill.state == BackfillState::Running;
    let Some(fill) = live.tracker.backfill().filter(running) else { return false };
    let width = (fill.to.since(fill.from) / STRETCHES).max(STRETCH);
    let end = fill.at.plus(width).min(fill.to);
    let goes_on =
        || live.tracker.backfill().is_some_and(|now| running(&now) && now.from == fill.from && now.to == fill.to);
    match stretch(shared, live, (fill.at, end), &goes_on).await {
        Ok((seen, scored)) => {
            live.tracker.set_backfill(|now| {
                let mut now = now?;
                if now.state == BackfillState::Running && now.from == fill.from {
                    (now.at, now.seen, now.scored) = (end, now.seen + seen, now.scored + scored);
                    now.state = if end >= fill.to { BackfillState::Done } else { BackfillState::Running };
                }
                Some(now)
            });
            end < fill.to
        }
        Err(stopped) => {
            fail(shared, live, stopped);
            false
        }
    }
}

fn fail(shared: &Shared, live: &Live, stopped: Stopped) {
    if let Stopped::Store(error) = stopped {
        live.tracker.failed(shared.now(), error.to_string());
        live.tracker.pause(shared.parts.clock.elapsed());
    }
}

/// Scores what lacks scores among the spans that started in a stretch of time: how many were looked at, and how many
/// scores were made.
async fn stretch(
    shared: &Shared,
    live: &Arc<Live>,
    range: (Timestamp, Timestamp),
    goes_on: &(dyn Fn() -> bool + Sync),
) -> Result<(u64, u64), Stopped> {
    let store = &*shared.parts.store;
    let (mut cursor, mut seen, mut scored) = (None, 0, 0);
    loop {
        let current =
            shared.rules.borrow().find(&live.project, &live.rule.name).is_some_and(|now| Arc::ptr_eq(now, live));
        if *shared.stopping.borrow() || !current || !goes_on() {
            return Err(Stopped::Wanted);
        }
        let (found, next) = read::ids(store, &live.project, live.rule.wanted(), range, (IDS, cursor)).await?;
        let sampled = |span: &Found| sample::takes(&live.rule.name, &span.trace_id, live.rule.sample_rate);
        let found: Vec<Found> = found.into_iter().filter(sampled).collect();
        seen += found.len() as u64;
        let has = read::scored(store, &live.project, &live.rule.name, &found).await?;
        let lacks = |span: &Found| {
            let has = has.get(&(span.trace_id, span.span_id));
            has.is_none_or(|has| live.scorers.iter().any(|made| !has.contains(made.name())))
        };
        let lacking: Vec<Found> = found.into_iter().filter(lacks).collect();
        for some in lacking.chunks(BODIES) {
            if !goes_on() {
                return Err(Stopped::Wanted);
            }
            let mut tasks = Vec::new();
            for (span, gone) in read::spans(store, &live.project, some).await? {
                if gone {
                    live.tracker.skipped(Skip::BodyGone);
                } else if !is_own(&span) {
                    let has: HashSet<String> = has.get(&(span.trace_id, span.span_id)).cloned().unwrap_or_default();
                    tasks.push(Task {
                        live: Arc::clone(live),
                        span: Arc::new(span),
                        found: Vec::new(),
                        has,
                        checked: true,
                    });
                }
            }
            // Between the batches of what arrives.
            let Ok(_turn) = shared.turns.acquire().await else { return Err(Stopped::Wanted) };
            scored += shared.score(tasks).await?;
        }
        match next {
            Some(next) => cursor = Some(next),
            None => return Ok((seen, scored)),
        }
    }
}
