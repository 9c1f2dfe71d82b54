//! Compares when it is time, keeps what was found, and makes incidents of it, by the way of all monitors.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use signalbox_types::seam::StoreError;
use signalbox_types::{ProjectId, Timestamp};

use super::assemble::{assemble, texts};
use super::config::DriftConfig;
use super::result::{DriftCell, DriftResult, Kept};
use super::sample;
use super::space::Space;
use crate::config::MonitorConfig;
use crate::edit::EditError;
use crate::keep::Kind;
use crate::kinds::{Judgement, Outcome};
use crate::state::{Labels, Phase, SeriesState, Turn};
use crate::tell;
use crate::tick::take_turn;
use crate::watch::{Inner, Series, Source, Watch};

/// Where nothing could be compared yet, somebody looks again after so long.
const LOOK_AGAIN: Duration = Duration::from_secs(3_600);
/// Where the store couldn't answer, after so long.
const TRY_AGAIN: Duration = Duration::from_secs(600);

/// A check and what is known of it.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) config: Arc<DriftConfig>,
    /// What its incidents take their settings from.
    pub(crate) monitor: Arc<MonitorConfig>,
    pub(crate) source: Source,
    pub(crate) due: Timestamp,
    /// Those that aren't well.
    pub(crate) series: BTreeMap<Labels, Series>,
    pub(crate) kept: Arc<Kept>,
    pub(crate) problem: Option<String>,
}

impl Check {
    pub(crate) fn new(config: DriftConfig, source: Source, now: Timestamp) -> Self {
        Self {
            monitor: Arc::new(config.monitor()),
            config: Arc::new(config),
            source,
            due: now,
            series: BTreeMap::new(),
            kept: Arc::default(),
            problem: None,
        }
    }

    /// Whether something has drifted, for long enough.
    pub(crate) fn fires(&self) -> bool {
        self.series.values().any(|one| one.state.phase.is_firing())
    }

    /// When it is compared again after this result.
    pub(crate) fn next(&self, at: Timestamp, compared: usize) -> Timestamp {
        let every = self.config.every.0;
        at.plus(if compared == 0 { every.min(LOOK_AGAIN) } else { every })
    }
}

impl Watch {
    /// Makes the comparisons that are due, one after the other. It holds no evaluation of monitors up. Tells how many were made.
    pub async fn compare_drift(&self) -> usize {
        if !self.lead().await {
            return 0;
        }
        let now = self.clock.now();
        let due: Vec<(ProjectId, Arc<DriftConfig>)> = {
            let inner = self.inner.lock();
            let due = inner.drift.iter().filter(|(_, check)| check.config.enabled && check.due <= now);
            due.map(|((project, _), check)| (project.clone(), Arc::clone(&check.config))).collect()
        };
        let count = due.len();
        for (project, config) in due {
            let _turn = self.drift_turn.lock().await;
            if let Err(error) = self.compare_and_keep(&project, config).await {
                tracing::warn!("what a drift check has found is not kept: {error}");
                break;
            }
        }
        count
    }

    /// Compares and keeps nothing.
    ///
    /// # Errors
    /// The store can't answer.
    pub async fn test_drift(&self, project: &ProjectId, config: DriftConfig) -> Result<DriftResult, StoreError> {
        let _turn = self.drift_turn.lock().await;
        self.compared(project, Arc::new(config)).await
    }

    pub(crate) async fn compare_and_keep(
        &self,
        project: &ProjectId,
        config: Arc<DriftConfig>,
    ) -> Result<(), EditError> {
        let result = self.compared(project, Arc::clone(&config)).await;
        let (rules, now) = (self.rules(), self.clock.now());
        self.edit(|inner| {
            apply(inner, project, &config, result, now);
            tell::look_after(inner, &rules, now);
        })
        .await
    }

    async fn compared(&self, project: &ProjectId, config: Arc<DriftConfig>) -> Result<DriftResult, StoreError> {
        let now = self.clock.now();
        let window = config.window(now);
        let store = self.asker.store();
        let current = sample::side(store, project, &config, vec![window]).await?;
        let reference = sample::side(store, project, &config, config.parts(window.1)).await?;
        let space = match &config.embedding_model {
            None => Space::default(),
            Some(model) => match texts(&config, [&current, &reference]) {
                none if none.is_empty() => Space::default(),
                texts => self.space(project, model, texts).await,
            },
        };
        if let Some(problem) = space.problem() {
            tracing::warn!(drift = %config.name, "drift check `{}`: {problem}", config.name);
        }
        // Calls shall not wait for a second of arithmetic.
        let assembled = tokio::task::spawn_blocking(move || assemble(&config, now, &current, &reference, &space));
        assembled.await.map_err(|error| StoreError::Internal(format!("the comparison was cut off: {error}")))
    }
}

fn apply(
    inner: &mut Inner,
    project: &ProjectId,
    config: &Arc<DriftConfig>,
    result: Result<DriftResult, StoreError>,
    now: Timestamp,
) {
    let key = (project.clone(), config.name.clone());
    let Some(check) = inner.drift.get_mut(&key).filter(|check| Arc::ptr_eq(&check.config, config)) else {
        return; // It was changed meanwhile.
    };
    let result = match result {
        Ok(result) => result,
        Err(error) => {
            tracing::warn!(drift = %config.name, "drift check `{}` can't compare: {error}", config.name);
            check.problem = Some(error.to_string());
            check.due = now.plus(config.every.0.min(TRY_AGAIN));
            return;
        }
    };
    check.problem = None;
    check.due = check.next(now, result.compared);
    let monitor = Arc::clone(&check.monitor);
    let (turns, over) = step(check, &result, now);
    check.kept = Arc::new(check.kept.after(result));
    let kept = Arc::clone(&check.kept);
    for labels in over {
        inner.forget_series(project, &monitor.name, &labels);
    }
    for (turn, state) in turns {
        take_turn(inner, project, &monitor, turn, &state, now);
    }
    inner.save_states(project, &monitor.name);
    inner.changed(project, Kind::DriftResult, &config.name, Some(&*kept));
}

/// Takes a result as an evaluation of each cell. Series that are well aren't remembered: told is which those are.
fn step(check: &mut Check, result: &DriftResult, now: Timestamp) -> (Vec<(Turn, SeriesState)>, Vec<Labels>) {
    let mut judgements: BTreeMap<Labels, Judgement> =
        result.all().map(|cell| (labels(cell), judgement(cell))).collect();
    for labels in check.series.keys() {
        let gone = || Judgement::new(Outcome::Clear, "is not compared any more");
        judgements.entry(labels.clone()).or_insert_with(gone);
    }
    let (mut turns, mut over) = (Vec::new(), Vec::new());
    for (labels, judgement) in judgements {
        let fresh = || Series { state: SeriesState::new(labels.clone(), now), kept: None };
        let one = check.series.entry(labels.clone()).or_insert_with(fresh);
        let turn = one.state.step(&check.monitor, &judgement, now);
        one.state.data_at = now;
        if let Some(turn) = turn {
            turns.push((turn, one.state.clone()));
        } else if one.state.phase.is_firing() {
            turns.push((Turn::Goes, one.state.clone()));
        }
        if one.state.phase == Phase::Ok
            && let Some(gone) = check.series.remove(&labels)
            && gone.kept.is_some()
        {
            over.push(labels);
        }
    }
    (turns, over)
}

fn labels(cell: &DriftCell) -> Labels {
    let segment = cell.segment.iter().map(|segment| ("segment".to_owned(), segment.clone()));
    std::iter::once(("signal".to_owned(), cell.signal.clone())).chain(segment).collect()
}

fn judgement(cell: &DriftCell) -> Judgement {
    let Some(found) = &cell.found else {
        if let Some(problem) = &cell.problem {
            return Judgement::new(Outcome::Hold, problem.clone());
        }
        let (now, before) = (cell.current_samples, cell.reference_samples);
        return Judgement::new(Outcome::Hold, format!("too few values: {now} now, {before} before"));
    };
    let outcome = if cell.drifted { Outcome::Breach } else { Outcome::Clear };
    Judgement {
        value: Some(found.effect),
        limit: Some(found.min_effect),
        ..Judgement::new(outcome, format!("{} ({})", found.text, said_p(found.p_adjusted)))
    }
}

/// As the page has it: what is smaller than a figure can be is told so.
fn said_p(p: f64) -> String {
    if p < 1e-12 { "p < 1e-12".to_owned() } else { format!("p = {p:.1e}") }
}
