//! One evaluation of everything that is due.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use signalbox_types::seam::StoreError;
use signalbox_types::{ProjectId, Timestamp, TraceId};

use crate::config::{Baseline, Condition, Grouping, Length, MonitorConfig};
use crate::evaluate::{Plan, aligned, nature, window_of};
use crate::incident::{Incident, named};
use crate::kinds::{self, Beside, Evidence, Judgement, Model, Observation, Point, middle, needs};
use crate::state::{Labels, SeriesState, Turn};
use crate::tell;
use crate::watch::{Inner, Learned, Series, Watch};

/// A series that has had no data for so long is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(7 * 86_400);
/// One that fires, and of which nothing is heard that would be wrong, so soon: what it told of is no longer used.
const FORGOTTEN_FIRING: Duration = Duration::from_secs(86_400);
/// So much of an incident is no part of what is usual. What lasts longer is on its way to being usual.
const UNUSUAL: Duration = Duration::from_secs(3 * 86_400);
/// Evaluations are spread over so long.
const SPREAD: Duration = Duration::from_secs(10);
/// What isn't learned is tried again after so long.
const LEARN_AGAIN: Duration = Duration::from_secs(600);
/// What is known of a short time is soon known better: it is learned anew when there is so much more of it, one part in so many.
const YOUNG: u32 = 8;

/// What a monitor's windows came to.
struct Evaluated {
    project: ProjectId,
    config: Arc<MonitorConfig>,
    /// The end of the evaluated window.
    end: Timestamp,
    /// The windows of each series that had rows, in the order of `needs`.
    series: Result<BTreeMap<Labels, Vec<Option<Point>>>, StoreError>,
    /// What each window of a series without rows in it came to.
    nothing: Vec<Option<Point>>,
    is_grouped: bool,
    learned: Option<Arc<Learned>>,
}

impl Watch {
    /// Evaluates all monitors that are due, and says what there is to be said; nothing on a node that hasn't the lease. Calls at the same
    /// time follow each other.
    pub async fn tick(&self) {
        let _turn = self.turn.lock().await;
        let rules = self.rules();
        if !self.lead().await {
            return;
        }
        let now = self.clock.now();
        let due: Vec<(ProjectId, Arc<MonitorConfig>, Option<Arc<Learned>>)> = {
            let mut inner = self.inner.lock();
            let due = inner.monitors.iter_mut().filter(|(_, monitor)| monitor.config.enabled && monitor.due <= now);
            due.map(|((project, name), monitor)| {
                monitor.due = next(name, &monitor.config, now);
                (project.clone(), Arc::clone(&monitor.config), monitor.learned.clone())
            })
            .collect()
        };
        let mut evaluated = Vec::with_capacity(due.len());
        let mut composites = Vec::new();
        for (project, config, learned) in due {
            match Plan::of(&config) {
                Some(plan) => evaluated.push(self.evaluate(project, config, &plan, learned, now).await),
                None => composites.push((project, config)),
            }
        }
        self.asker.forget(now);
        // It may have taken long. Of what another node has taken over meanwhile, this one says nothing.
        if self.hold().await.is_err() {
            return;
        }
        self.change(|inner| {
            for one in evaluated {
                apply(inner, one, now);
            }
            for (project, config) in composites {
                apply_composite(inner, &project, &config, now);
            }
            tell::look_after(inner, &rules, now);
        })
        .await;
        self.apply_detours();
        self.note_deeds().await;
    }

    async fn evaluate(
        &self,
        project: ProjectId,
        config: Arc<MonitorConfig>,
        plan: &Plan,
        learned: Option<Arc<Learned>>,
        now: Timestamp,
    ) -> Evaluated {
        let end = aligned(now.minus(config.delay.0), config.interval().as_secs());
        let learned = match &config.condition {
            Condition::Baseline(baseline) => self.learn(&project, &config, plan, baseline, learned, now).await,
            _ => None,
        };
        let needs = needs(&config);
        let mut found: BTreeMap<Labels, Vec<Option<Option<Point>>>> = BTreeMap::new();
        let (mut failed, mut nothing) = (None, vec![plan.nothing(); needs.len()]);
        for (place, need) in needs.iter().enumerate() {
            match self.asker.window(&project, plan, window_of(end, need.ago, need.width), now).await {
                Ok(rows) => {
                    // Of a series that isn't among those with the most rows nothing is known, not even that it has none.
                    if plan.is_full(rows.len()) {
                        nothing[place] = None;
                    }
                    for row in rows {
                        let points = found.entry(row.labels).or_insert_with(|| vec![None; needs.len()]);
                        points[place] = Some(row.point);
                    }
                }
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let whole = |points: Vec<Option<Option<Point>>>| {
            points.into_iter().zip(&nothing).map(|(point, nothing)| point.unwrap_or(*nothing)).collect::<Vec<_>>()
        };
        let series: BTreeMap<_, _> = found.into_iter().map(|(labels, points)| (labels, whole(points))).collect();
        let series = failed.map_or(Ok(series), Err);
        Evaluated { project, config, end, series, nothing, is_grouped: plan.is_grouped(), learned }
    }

    /// What is usual: as it was learned, or learned anew if that is long ago.
    async fn learn(
        &self,
        project: &ProjectId,
        config: &Arc<MonitorConfig>,
        plan: &Plan,
        baseline: &Baseline,
        known: Option<Arc<Learned>>,
        now: Timestamp,
    ) -> Option<Arc<Learned>> {
        if known.as_ref().is_some_and(|known| now < known.until) {
            return known;
        }
        let bad = self.bad_times(project, &config.name, now);
        let (mut models, mut first) = (Vec::new(), None::<Timestamp>);
        for need in needs(config) {
            let window = Length(need.width);
            let to = aligned(now.minus(config.delay.0), window.as_secs());
            let range = (aligned(to.minus(baseline.history.0), window.as_secs()), to);
            let history = match self.asker.history(project, plan, range, window).await {
                Ok(history) => history,
                Err(error) => {
                    tracing::warn!(monitor = %config.name, "monitor `{}` can't learn from history: {error}", config.name);
                    return known;
                }
            };
            let begins = history.values().filter_map(|buckets| buckets.first_key_value()).map(|(first, _)| *first);
            first = first.into_iter().chain(begins).min();
            let (config, nothing, bad) = (Arc::clone(config), plan.nothing(), bad.clone());
            // Weeks of many series take a while, and calls shall not wait for that.
            let learned = tokio::task::spawn_blocking(move || {
                let model = |buckets| {
                    let observations = observations(&config, &buckets, window, to, nothing, &bad);
                    let nature = nature(&config, observations.iter().map(|one| one.point));
                    Model::learn(&observations, nature, window.0)
                };
                history.into_iter().filter_map(|(labels, buckets)| Some((labels, model(buckets)?))).collect()
            });
            // It is cut only when the process ends.
            let learned: HashMap<Labels, Model> = learned.await.ok()?;
            models.push(learned);
        }
        let young = first.map_or(Duration::ZERO, |first| now.since(first) / YOUNG);
        let relearn = baseline.relearn.0.min(young.max(LEARN_AGAIN));
        let lasts = if models.iter().all(HashMap::is_empty) { LEARN_AGAIN } else { relearn };
        Some(Arc::new(Learned { until: now.plus(lasts), models }))
    }

    /// When incidents of a monitor were open: the beginning of each. Otherwise a change that stays would never be what is usual, and
    /// once all of history was left out nothing could be said any more, not even that the incident is over.
    pub(crate) fn bad_times(&self, project: &ProjectId, monitor: &str, now: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let inner = self.inner.lock();
        let own = inner.incidents.iter().filter(|((owner, _), one)| owner == project && one.monitor == monitor);
        own.map(|(_, one)| (one.opened_at, one.resolved_at.unwrap_or(now).min(one.opened_at.plus(UNUSUAL)))).collect()
    }
}

/// The windows of a series that say what is usual: all since its first, without those in which it was known to be wrong and those that
/// have too few rows to say anything.
pub(crate) fn observations(
    config: &MonitorConfig,
    buckets: &BTreeMap<Timestamp, Point>,
    window: Length,
    to: Timestamp,
    nothing: Option<Point>,
    bad: &[(Timestamp, Timestamp)],
) -> Vec<Observation> {
    let Some((first, _)) = buckets.first_key_value() else { return Vec::new() };
    let mut observations = Vec::with_capacity(buckets.len());
    let mut begin = *first;
    while begin < to {
        let end = begin.plus(window.0);
        let was_bad = bad.iter().any(|(from, until)| begin < *until && end > from.minus(window.0));
        let says = |point: &Point| !was_bad && end <= to && point.samples >= config.min_samples as f64;
        if let Some(point) = buckets.get(&begin).copied().or(nothing).filter(says) {
            observations.push(Observation { at: middle(end, window), point });
        }
        begin = end;
    }
    observations
}

/// When a monitor is evaluated next: as soon as the window that ends next has waited for late data, and at a moment of its own after that,
/// the same each time.
pub(crate) fn next(name: &str, config: &MonitorConfig, now: Timestamp) -> Timestamp {
    let interval = config.interval().0;
    let spread = SPREAD.min(interval / 6);
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let own = spread.mul_f64((hash >> 11) as f64 / (1_u64 << 53) as f64);
    let after = config.delay.0.saturating_add(own);
    aligned(now.minus(after), interval.as_secs()).plus(interval).plus(after)
}

fn apply(inner: &mut Inner, evaluated: Evaluated, now: Timestamp) {
    let Evaluated { project, config, end, series, nothing, is_grouped, learned } = evaluated;
    let key = (project.clone(), config.name.clone());
    let Some(monitor) = inner.monitors.get_mut(&key).filter(|monitor| Arc::ptr_eq(&monitor.config, &config)) else {
        return; // It was changed meanwhile.
    };
    monitor.evaluated_at = Some(now);
    monitor.learned = learned;
    let mut windows = match series {
        Ok(windows) => windows,
        Err(error) => {
            let problem = error.to_string();
            if monitor.problem.as_ref() != Some(&problem) {
                tracing::warn!(monitor = %config.name, "monitor `{}` can't be evaluated: {problem}", config.name);
            }
            monitor.problem = Some(problem);
            return;
        }
    };
    monitor.problem = None;
    let with_rows: Vec<Labels> = windows.keys().cloned().collect();
    let quiet = || nothing.clone();
    for labels in monitor.series.keys() {
        windows.entry(labels.clone()).or_insert_with(quiet);
    }
    if !is_grouped {
        windows.entry(Labels::new()).or_insert_with(quiet);
    }
    let mut turns = Vec::new();
    let mut forgotten = Vec::new();
    for (labels, points) in windows {
        let fresh = || Series { state: SeriesState::new(labels.clone(), now), kept: None };
        let one = monitor.series.entry(labels.clone()).or_insert_with(fresh);
        let learned = monitor.learned.as_ref();
        let model = |place: usize| learned.and_then(|learned| learned.models.get(place)?.get(&labels));
        let recovered_at = one.state.recovered_at;
        let gathers = matches!(config.condition, Condition::Sequential(_));
        let evidence = if gathers { Some(one.state.evidence.get_or_insert_with(Evidence::default)) } else { None };
        let beside =
            Beside { end, model: model(0), longer: model(1).map(|model| (model, end)), recovered_at, evidence };
        let judgement = kinds::judge(&config, &points, beside);
        if let Some(turn) = one.state.step(&config, &judgement, now) {
            turns.push((turn, one.state.clone()));
        } else if one.state.phase.is_firing() {
            turns.push((Turn::Goes, one.state.clone()));
        }
        if with_rows.contains(&labels) {
            one.state.data_at = now;
        } else if is_grouped && now.since(one.state.data_at) > known_for(&one.state, now) {
            if one.state.phase.is_firing() {
                turns.push((Turn::Recovered, one.state.clone()));
            }
            forgotten.push(labels);
        }
    }
    for labels in &forgotten {
        monitor.series.remove(labels);
    }
    for labels in forgotten {
        inner.forget_series(&project, &config.name, &labels);
    }
    for (turn, state) in turns {
        take_turn(inner, &project, &config, turn, &state, now);
    }
    inner.save_states(&project, &config.name);
}

/// For how long a series without data is known. One whose fault it is that there is none fires as long as any is known.
fn known_for(state: &SeriesState, now: Timestamp) -> Duration {
    if state.phase.is_firing() && state.wrong_at != Some(now) { FORGOTTEN_FIRING } else { FORGOTTEN }
}

fn apply_composite(inner: &mut Inner, project: &ProjectId, config: &Arc<MonitorConfig>, now: Timestamp) {
    let Condition::Composite(composite) = &config.condition else { return };
    let judgement: Judgement = kinds::composite(composite, |name| inner.fires(project, name));
    let Some(monitor) = inner.monitors.get_mut(&(project.clone(), config.name.clone())) else { return };
    monitor.evaluated_at = Some(now);
    let fresh = || Series { state: SeriesState::new(Labels::new(), now), kept: None };
    let one = monitor.series.entry(Labels::new()).or_insert_with(fresh);
    let turn = one.state.step(config, &judgement, now);
    one.state.data_at = now;
    let state = one.state.clone();
    if let Some(turn) = turn {
        take_turn(inner, project, config, turn, &state, now);
    }
    inner.save_states(project, &config.name);
}

/// What a series did, as incidents see it.
pub(crate) fn take_turn(
    inner: &mut Inner,
    project: &ProjectId,
    config: &MonitorConfig,
    turn: Turn,
    state: &SeriesState,
    now: Timestamp,
) {
    let fingerprint = match config.group {
        Grouping::Monitor => config.name.clone(),
        Grouping::Series => format!("{} {{{}}}", config.name, named(&state.labels)),
    };
    let own = inner
        .incidents
        .iter_mut()
        .find(|((owner, _), one)| owner == project && one.is_open() && one.fingerprint == fingerprint);
    let name = if state.labels.is_empty() { String::new() } else { format!("{}: ", named(&state.labels)) };
    let text = state.seen.as_ref().map(|seen| seen.text.clone()).unwrap_or_default();
    let id = match (turn, own) {
        // What somebody has ended and is worse than that now is news.
        (Turn::Fired | Turn::Worsened, None) => {
            let id = TraceId::new().to_string();
            let incident = Incident::open(id.clone(), fingerprint, config, state, now);
            tracing::warn!(monitor = %config.name, incident.id = %id, "incident: {}", incident.title);
            inner.incidents.insert((project.clone(), id.clone()), incident);
            id
        }
        (_, None) => return,
        (Turn::Goes, Some((_, incident))) => {
            // Known by heart, and written down with the next thing that happens.
            incident.take(config, state, now);
            return;
        }
        (Turn::Fired, Some(((_, id), incident))) => {
            incident.take(config, state, now);
            incident.note(now, "fired", format!("{name}{text}"), None);
            id.clone()
        }
        (Turn::Worsened, Some(((_, id), incident))) => {
            incident.take(config, state, now);
            incident.note(now, "worsened", format!("{name}{text}"), None);
            incident.worsened = true;
            id.clone()
        }
        (Turn::Recovered, Some(((_, id), incident))) => {
            incident.recover(&state.labels, now);
            incident.note(now, "recovered", format!("{name}{text}"), None);
            id.clone()
        }
    };
    inner.save_incident(project, &id);
}
