//! The worker: spans as they arrive go through a bounded queue to the scorers. It never holds up who stores spans: what
//! finds no room is dropped, counted, and found again by the sweep.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use parking_lot::Mutex;
use signalbox_types::seam::{Arrival, Clock, EventStore, StoreError};
use signalbox_types::{ProjectId, Score, Span};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tracing::{error, warn};

use super::config::OnlineConfig;
use super::ledger::{Ledger, LedgerError};
use super::live::{Live, Rules};
use super::make::Workshop;
use super::metrics::OnlineMetrics;
use super::read;
use super::score::{Ask, Asked, Measured, Task, measure};
use super::tracker::{Ticket, Tracker};

/// Bytes of spans that may wait, about: some are a thousand times as large as others.
const WAITING_BYTES: usize = 64 << 20;
/// How long a store that is full may take to have room for scores.
const PATIENCE: Duration = Duration::from_secs(5);
/// Scores of judges that are stored together, if they are there together.
const TOGETHER: usize = 32;

/// What stands for the rules that are seen once nothing more is taken.
const LAST: u64 = u64::MAX;

/// What the worker is made of.
#[derive(Debug)]
pub struct OnlineParts {
    /// How much of the machine it may take.
    pub config: OnlineConfig,
    /// Where spans are, and scores go.
    pub store: Arc<dyn EventStore>,
    /// Where rules and their progress are.
    pub ledger: Arc<dyn Ledger>,
    /// Where scorers are made.
    pub workshop: Workshop,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// A span that waits, for one rule.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) live: Arc<Live>,
    pub(super) span: Arc<Span>,
    pub(super) ticket: Ticket,
    bytes: usize,
}

/// What all tasks share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) parts: OnlineParts,
    pub(super) rules: watch::Sender<Arc<Rules>>,
    trackers: Mutex<HashMap<(ProjectId, String), Arc<Tracker>>>,
    pub(super) queued: AtomicUsize,
    queued_bytes: AtomicUsize,
    asks: mpsc::Sender<Ask>,
    pub(super) asking: watch::Sender<usize>,
    /// Batches that may be scored at once.
    pub(super) turns: Arc<Semaphore>,
    pub(super) stopping: watch::Sender<bool>,
    pub(super) metrics: OnlineMetrics,
    /// How often rules were read; one after the other, so that the latest ones stay.
    reading: tokio::sync::Mutex<u64>,
    /// Which rules what arrives is offered to.
    pub(super) seen: watch::Sender<u64>,
}

impl Shared {
    pub(super) fn now(&self) -> signalbox_types::Timestamp {
        self.parts.clock.now()
    }

    /// Reads the rules: the how-manieth time this is.
    pub(super) async fn reload(&self) -> Result<u64, LedgerError> {
        let mut generation = self.reading.lock().await;
        let kept = self.parts.ledger.rules().await?;
        let mut trackers = self.trackers.lock();
        let names: HashSet<_> = kept.iter().map(|one| (one.project.clone(), one.rule.name.clone())).collect();
        trackers.retain(|name, _| names.contains(name));
        let lives: Vec<Live> = kept
            .into_iter()
            .map(|one| {
                let name = (one.project.clone(), one.rule.name.clone());
                let progress = one.progress.clone();
                let tracker = trackers.entry(name).or_insert_with(|| Arc::new(Tracker::resumed(progress)));
                let live = Live::new(one, &self.parts.workshop, Arc::clone(tracker));
                if !live.rule.on {
                    live.tracker.forget();
                }
                live
            })
            .collect();
        drop(trackers);
        for live in &lives {
            if let Some(problem) = live.problem.as_ref().filter(|_| live.rule.on) {
                warn!(project = %live.project, rule = %live.rule.name, "the rule `{}` scores nothing: {problem}", live.rule.name);
            }
        }
        *generation += 1;
        self.rules.send_replace(Arc::new(Rules::new(lives, *generation)));
        Ok(*generation)
    }

    /// Writes down how far the rules have come.
    pub(super) async fn keep(&self) {
        let rules = Arc::clone(&self.rules.borrow());
        let now = self.now();
        let changed: Vec<_> = rules
            .all()
            .filter_map(|live| {
                let progress = live.tracker.to_keep(live.is_on(), now)?;
                Some((live.project.clone(), live.rule.name.clone(), progress))
            })
            .collect();
        if changed.is_empty() {
            return;
        }
        if let Err(error) = self.parts.ledger.keep(changed).await {
            warn!(%error, "how far the online rules have come could not be written down");
            rules.all().for_each(|live| live.tracker.not_kept());
        }
    }

    fn offer(&self, queue: &mpsc::Sender<Work>, live: &Arc<Live>, span: &Arc<Span>) {
        let ticket = live.tracker.ticket(span.start_time);
        let bytes = span.approximate_bytes();
        let waiting = self.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.queued.fetch_add(1, Ordering::Relaxed);
        let work = Work { live: Arc::clone(live), span: Arc::clone(span), ticket, bytes };
        let fits = waiting == 0 || waiting + bytes <= WAITING_BYTES;
        if fits && queue.try_send(work).is_ok() {
            return;
        }
        // The ticket is gone with the work, and the gap noted.
        self.leave(1, bytes);
        live.tracker.dropped();
        self.metrics.dropped(live, 1);
    }

    pub(super) fn leave(&self, spans: usize, bytes: usize) {
        self.queued.fetch_sub(spans, Ordering::Relaxed);
        self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Looks up what the spans want to know of their traces, measures, and stores. How many scores there were.
    pub(super) async fn score(&self, mut tasks: Vec<Task>) -> Result<u64, StoreError> {
        self.look_up(&mut tasks).await?;
        let now = self.now();
        let rules: Vec<Arc<Live>> = tasks.iter().map(|task| Arc::clone(&task.live)).collect();
        let measured = tokio::task::spawn_blocking(move || measure(&tasks, now)).await;
        let Measured { scores, asks } = measured.unwrap_or_else(|failed| {
            error!(error = %failed, "a metric failed on a batch of spans, which stay without scores");
            for live in &rules {
                live.tracker.failed(now, "a metric ended badly on a batch of spans: see the log".to_owned());
            }
            Measured::default()
        });
        self.ask(asks);
        self.store(scores).await
    }

    async fn look_up(&self, tasks: &mut [Task]) -> Result<(), StoreError> {
        let projects: HashSet<ProjectId> = tasks.iter().map(|task| task.live.project.clone()).collect();
        for project in projects {
            let wants = |task: &&mut Task| task.live.project == project && task.live.waits_for_trace(&task.span);
            let mut own: Vec<&mut Task> = tasks.iter_mut().filter(wants).collect();
            if own.is_empty() {
                continue;
            }
            let spans: Vec<&Span> = own.iter().map(|task| task.span.as_ref()).collect();
            let contexts = read::contexts(&*self.parts.store, &project, &spans).await?;
            for task in &mut own {
                task.found = read::known(&contexts, &task.span);
            }
        }
        Ok(())
    }

    async fn store(&self, scores: Vec<Score>) -> Result<u64, StoreError> {
        let count = scores.len() as u64;
        if count == 0 {
            return Ok(0);
        }
        let rules = Arc::clone(&self.rules.borrow());
        let mut by_rule: HashMap<(ProjectId, String), u64> = HashMap::new();
        for score in &scores {
            if let Some(rule) = score.metadata.get("rule") {
                *by_rule.entry((score.project_id.clone(), rule.clone())).or_default() += 1;
            }
        }
        self.parts.store.append_within(scores.into(), PATIENCE).await?;
        for ((project, rule), count) in by_rule {
            if let Some(live) = rules.find(&project, &rule) {
                live.tracker.scored(count);
                live.tracker.recovered();
                self.metrics.scored(live, count);
            }
        }
        Ok(count)
    }

    fn ask(&self, asks: Vec<Ask>) {
        for ask in asks {
            self.asking.send_modify(|asking| *asking += 1);
            if let Err(refused) = self.asks.try_send(ask) {
                let ask = refused.into_inner();
                self.asking.send_modify(|asking| *asking -= 1);
                ask.live.tracker.release(ask.reserved);
                ask.live.tracker.end_asking(&ask.id);
                ask.live.tracker.dropped();
                self.metrics.dropped(&ask.live, 1);
            }
        }
    }
}

/// Scores what arrives, by the rules of each project.
#[derive(Debug)]
pub struct Online {
    pub(super) shared: Arc<Shared>,
    tasks: Mutex<Option<JoinSet<()>>>,
}

impl Online {
    /// Begins to score.
    ///
    /// # Errors
    /// The rules can't be read.
    pub async fn start(parts: OnlineParts) -> Result<Arc<Self>, LedgerError> {
        let (queue, works) = mpsc::channel(parts.config.queue.max(1));
        let (asks, asked) = mpsc::channel(parts.config.queue.max(1));
        let turns = Arc::new(Semaphore::new(parts.config.workers.max(1)));
        let shared = Arc::new(Shared {
            parts,
            rules: watch::Sender::new(Arc::default()),
            trackers: Mutex::default(),
            queued: AtomicUsize::new(0),
            queued_bytes: AtomicUsize::new(0),
            asks,
            asking: watch::Sender::new(0),
            turns,
            stopping: watch::Sender::new(false),
            metrics: OnlineMetrics::default(),
            reading: tokio::sync::Mutex::default(),
            seen: watch::Sender::new(0),
        });
        shared.reload().await?;
        let mut tasks = JoinSet::new();
        let mut seen = shared.seen.subscribe();
        tasks.spawn(intake(Arc::clone(&shared), queue));
        tasks.spawn(super::dispatch::run(Arc::clone(&shared), works));
        tasks.spawn(judge(Arc::clone(&shared), asked));
        // From here on nothing arrives unseen; only then gaps are looked through.
        let _ = seen.wait_for(|seen| *seen > 0).await;
        tasks.spawn(super::sweep::run(Arc::clone(&shared)));
        Ok(Arc::new(Self { shared, tasks: Mutex::new(Some(tasks)) }))
    }

    /// Takes no more spans, and scores what waits, for so long at most. What remains is scored after the next start.
    pub async fn drain(&self, within: Duration) {
        let Some(mut tasks) = self.tasks.lock().take() else { return };
        self.shared.stopping.send_replace(true);
        let mut asking = self.shared.asking.subscribe();
        let mut seen = self.shared.seen.subscribe();
        let drained = async {
            let _ = seen.wait_for(|seen| *seen == LAST).await;
            while self.shared.queued.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let _ = asking.wait_for(|asking| *asking == 0).await;
        };
        if tokio::time::timeout(within, drained).await.is_err() {
            warn!("spans still wait for their scores; they get them after the next start");
        }
        tasks.shutdown().await;
        self.shared.keep().await;
    }

    /// Its numbers, for `/metrics`.
    #[must_use]
    pub fn metrics(&self) -> &OnlineMetrics {
        &self.shared.metrics
    }
}

/// Takes spans as they arrive, while some rule is on. Cheap: a slow reader misses some.
async fn intake(shared: Arc<Shared>, queue: mpsc::Sender<Work>) {
    let (mut changes, mut stopping) = (shared.rules.subscribe(), shared.stopping.subscribe());
    let mut rules = Arc::clone(&changes.borrow_and_update());
    let mut arrivals = rules.any_on().then(|| shared.parts.store.watch_all());
    shared.seen.send_replace(rules.generation);
    loop {
        let arrival = async {
            match &mut arrivals {
                Some(arrivals) => arrivals.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => break,
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                rules = Arc::clone(&changes.borrow_and_update());
                if rules.any_on() != arrivals.is_some() {
                    arrivals = rules.any_on().then(|| shared.parts.store.watch_all());
                }
                shared.seen.send_replace(rules.generation);
            }
            arrival = arrival => match arrival {
                Some(arrival) => take(&shared, &rules, &queue, arrival),
                None => arrivals = None,
            },
        }
    }
    // What arrived already is taken. Unconstrained: a task that has done much is told that nothing is there.
    if let Some(arrivals) = &mut arrivals {
        while let Some(Some(arrival)) = tokio::task::unconstrained(arrivals.next()).now_or_never() {
            take(&shared, &rules, &queue, arrival);
        }
    }
    shared.seen.send_replace(LAST);
}

fn take(shared: &Shared, rules: &Rules, queue: &mpsc::Sender<Work>, arrival: Arrival) {
    match arrival {
        Arrival::Span(span) => {
            for live in rules.of(&span.project_id).iter().filter(|live| live.takes(&span)) {
                shared.offer(queue, live, &span);
            }
        }
        Arrival::Missed(spans) => {
            for live in rules.all().filter(|live| live.is_on()) {
                live.tracker.missed(spans, shared.now());
                shared.metrics.dropped(live, spans);
            }
        }
    }
}

/// Scores works of the queue. What can't be stored is part of a gap.
pub(super) async fn score_works(shared: &Shared, works: Vec<Work>) {
    let bytes = works.iter().map(|work| work.bytes).sum();
    let count = works.len();
    let (tickets, tasks): (Vec<_>, Vec<_>) = works
        .into_iter()
        .map(|Work { live, span, ticket, .. }| {
            let rule = Arc::clone(&live);
            ((rule, ticket), Task { live, span, found: Vec::new(), has: HashSet::new(), checked: false })
        })
        .unzip();
    let result = shared.score(tasks).await;
    for (live, ticket) in tickets {
        match &result {
            Ok(_) => ticket.done(),
            Err(error) => {
                live.tracker.failed(shared.now(), error.to_string());
                live.tracker.pause(shared.parts.clock.elapsed());
            }
        }
    }
    shared.leave(count, bytes);
}

/// Asks judges, several at once.
async fn judge(shared: Arc<Shared>, mut asks: mpsc::Receiver<Ask>) {
    let at_once = shared.parts.config.judges.max(1);
    let asks = futures_util::stream::poll_fn(move |context| asks.poll_recv(context));
    let clock = &shared.parts.clock;
    let answers = asks.map(|ask: Ask| ask.ask(move || clock.now())).buffer_unordered(at_once).ready_chunks(TOGETHER);
    let mut answers = std::pin::pin!(answers);
    while let Some(answers) = answers.next().await {
        // What they took is written down first: after a crash it is known, and at worst a score is asked for again.
        shared.keep().await;
        let (mut settled, mut rows) = (Vec::with_capacity(answers.len()), Vec::new());
        for (ask, asked) in answers {
            match asked {
                Asked::Score(score) => {
                    rows.push(*score);
                    settled.push((ask, true));
                }
                Asked::Failed => settled.push((ask, true)),
                Asked::Again => {
                    ask.live.tracker.pause(clock.elapsed());
                    settled.push((ask, false));
                }
            }
        }
        let stored = shared.store(rows).await;
        for (ask, settled) in settled {
            ask.live.tracker.end_asking(&ask.id);
            match &stored {
                Ok(_) if settled => ask.ticket.done(),
                Ok(_) => {}
                Err(error) => {
                    ask.live.tracker.failed(shared.now(), error.to_string());
                    ask.live.tracker.pause(clock.elapsed());
                }
            }
            shared.asking.send_modify(|asking| *asking -= 1);
        }
    }
}
