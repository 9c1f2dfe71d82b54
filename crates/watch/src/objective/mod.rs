//! Objectives: how much of their error budgets is left, and whether releases wait.

mod edit;
mod freeze;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use signalbox_types::seam::StoreError;
use signalbox_types::{ProjectId, Timestamp};

pub use freeze::{FreezeReason, ManualFreeze, NewFreeze, ReleaseFreeze, UnknownBudget};
pub use standing::{BudgetPoint, BurnSeen, Standing};

use crate::backtest::Backtest;
use crate::config::{Condition, Length, ObjectiveConfig, WatchConfig};
use crate::evaluate::{Plan, aligned, window_of};
use crate::kinds::{Point, bad};
use crate::starter;
use crate::state::{Labels, Phase};
use crate::watch::{Inner, Source, Watch};
use standing::Tally;

/// A standing that is older than this is taken anew.
const FRESH: Duration = Duration::from_secs(60);
/// Buckets that ended so long ago are final …
const FINAL: Duration = Duration::from_secs(2 * 3_600);
/// … until all are counted again after this long, for what came still later or was erased.
const WHOLE: Duration = Duration::from_secs(6 * 3_600);
/// Over which windows people want to know how fast the budget is spent.
const RATES: [Length; 4] = [Length::hours(1), Length::hours(6), Length::days(1), Length::days(3)];
/// An objective is tried on so much of history at most, for the alerts that there would have been.
const LONGEST_TRY: Length = Length::days(30);

/// An objective and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Objective {
    pub(crate) config: Arc<ObjectiveConfig>,
    pub(crate) source: Source,
}

/// An objective, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectiveView {
    /// What it is.
    pub config: Arc<ObjectiveConfig>,
    /// Where it stands.
    pub source: Source,
    /// How its monitor is.
    pub phase: Phase,
    /// How much of its budget is left; absent while it can't be counted.
    pub standing: Option<Arc<Standing>>,
    /// Why it can't be counted.
    pub problem: Option<String>,
}

/// What an objective would have been.
#[derive(Debug, Clone, PartialEq)]
pub struct TriedObjective {
    /// How much of its budget would be left.
    pub standing: Standing,
    /// What its monitor would have said.
    pub backtest: Backtest,
}

/// A budget, for those who look at all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetNumbers {
    /// Whose.
    pub project: ProjectId,
    /// Of which objective.
    pub objective: String,
    /// The part of the budget that is left; less than none if more was spent.
    pub left: f64,
    /// Whether releases wait for it.
    pub frozen: bool,
}

/// What was counted of each objective.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    kept: Mutex<HashMap<(ProjectId, String), Account>>,
    /// One count at a time.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone)]
struct Account {
    /// What was counted; of another definition it says nothing.
    config: Arc<ObjectiveConfig>,
    buckets: BTreeMap<Timestamp, Tally>,
    /// When all buckets were counted.
    whole_at: Timestamp,
    /// Until when there are buckets.
    counted_to: Timestamp,
    /// When the store was last asked, whatever came of it.
    asked_at: Timestamp,
    standing: Result<Arc<Standing>, String>,
}

/// Puts the configuration's objectives in their places, with their monitors. One of the catalog that has the same name gives way.
pub(crate) fn configured(inner: &mut Inner, project: &ProjectId, config: &WatchConfig, now: Timestamp) {
    let objectives = starter::objectives(config);
    let own = inner.objectives.iter().filter(|(_, objective)| objective.source == Source::Config);
    let gone: Vec<(ProjectId, String)> = own
        .map(|(key, _)| key.clone())
        .filter(|(owner, name)| owner != project || objectives.iter().all(|one| one.name != *name))
        .collect();
    for (project, name) in gone {
        inner.remove_objective(&project, &name);
    }
    for objective in objectives {
        inner.put_objective(project, objective, Source::Config, now);
    }
}

impl Inner {
    /// Puts an objective in its place, and its monitor in its own.
    pub(crate) fn put_objective(
        &mut self,
        project: &ProjectId,
        config: ObjectiveConfig,
        source: Source,
        now: Timestamp,
    ) {
        self.put_monitor(project, config.monitor(), Source::Objective, now);
        let objective = Objective { config: Arc::new(config), source };
        self.objectives.insert((project.clone(), objective.config.name.clone()), objective);
    }

    /// An objective goes, with its monitor.
    pub(crate) fn remove_objective(&mut self, project: &ProjectId, name: &str) {
        if let Some(gone) = self.objectives.remove(&(project.clone(), name.to_owned())) {
            self.remove_monitor(project, &gone.config.monitor_name());
        }
    }
}

impl Watch {
    /// The objectives of a project, by name.
    pub async fn objectives(&self, project: &ProjectId) -> Vec<ObjectiveView> {
        let own: Vec<String> = {
            let inner = self.inner.lock();
            inner.objectives.keys().filter(|(owner, _)| owner == project).map(|(_, name)| name.clone()).collect()
        };
        let mut views = Vec::with_capacity(own.len());
        for name in own {
            views.extend(self.objective(project, &name).await);
        }
        views
    }

    /// One of them.
    pub async fn objective(&self, project: &ProjectId, name: &str) -> Option<ObjectiveView> {
        let (Objective { config, source }, phase) = {
            let inner = self.inner.lock();
            let objective = inner.objectives.get(&(project.clone(), name.to_owned()))?.clone();
            let monitor = inner.monitors.get(&(project.clone(), objective.config.monitor_name()));
            let phase = monitor.and_then(|one| one.series.values().next()).map(|one| one.state.phase);
            (objective, phase.unwrap_or_default())
        };
        let (standing, problem) = match self.standing(project, &config).await {
            Ok(standing) => (Some(standing), None),
            Err(problem) => (None, Some(problem)),
        };
        Some(ObjectiveView { config, source, phase, standing, problem })
    }

    /// Counts what has happened since the last time, for every objective that was not counted lately.
    pub async fn take_stock(&self) {
        if !self.rules().config.enabled {
            return;
        }
        let all: Vec<(ProjectId, Arc<ObjectiveConfig>)> = {
            let inner = self.inner.lock();
            inner
                .objectives
                .iter()
                .map(|((project, _), objective)| (project.clone(), Arc::clone(&objective.config)))
                .collect()
        };
        for (project, config) in &all {
            // A problem is shown where the budget would be.
            let _ = self.standing(project, config).await;
        }
        let mut kept = self.accounts.kept.lock();
        kept.retain(|(project, name), _| all.iter().any(|(owner, one)| owner == project && one.name == *name));
    }

    /// The budgets as they were last counted.
    #[must_use]
    pub fn budgets(&self) -> Vec<BudgetNumbers> {
        let kept = self.accounts.kept.lock();
        let known = kept.iter().filter_map(|((project, name), account)| {
            let standing = account.standing.as_ref().ok()?;
            let (left, frozen) = (standing.budget_left, standing.frozen);
            Some(BudgetNumbers { project: project.clone(), objective: name.clone(), left, frozen })
        });
        let mut budgets: Vec<BudgetNumbers> = known.collect();
        budgets.sort_by(|one, other| (&one.project, &one.objective).cmp(&(&other.project, &other.objective)));
        budgets
    }

    /// What an objective would have been over its period, and whom it would have told. Nothing is kept.
    ///
    /// # Errors
    /// The store can't answer.
    pub async fn try_objective(
        &self,
        project: &ProjectId,
        config: &ObjectiveConfig,
    ) -> Result<TriedObjective, StoreError> {
        let now = self.clock.now();
        let buckets = self.count(project, config, period(config, now)).await?;
        let rates = self.rates(project, config, now).await?;
        let standing = Standing::of(config, &buckets, &rates, now);
        let backtest = self.backtest(project, &config.monitor(), config.period.min(LONGEST_TRY)).await?;
        Ok(TriedObjective { standing, backtest })
    }

    /// How much of a budget is left, counted within the last minute.
    async fn standing(&self, project: &ProjectId, config: &Arc<ObjectiveConfig>) -> Result<Arc<Standing>, String> {
        let key = (project.clone(), config.name.clone());
        let _turn = self.accounts.turn.lock().await;
        let now = self.clock.now();
        let before = self.accounts.kept.lock().get(&key).filter(|before| before.config == *config).cloned();
        if let Some(fresh) = before.as_ref().filter(|before| now.since(before.asked_at) < FRESH) {
            return fresh.standing.clone();
        }
        let account = self.counted(project, config, before, now).await;
        let standing = account.standing.clone();
        self.accounts.kept.lock().insert(key, account);
        standing
    }

    async fn counted(
        &self,
        project: &ProjectId,
        config: &Arc<ObjectiveConfig>,
        before: Option<Account>,
        now: Timestamp,
    ) -> Account {
        let (from, to) = period(config, now);
        let fresh = || Account {
            config: Arc::clone(config),
            buckets: BTreeMap::new(),
            whole_at: now,
            counted_to: from,
            asked_at: now,
            standing: Err(String::new()),
        };
        let mut account = before.filter(|before| now.since(before.whole_at) < WHOLE).unwrap_or_else(fresh);
        let width = standing::bucket(config.period);
        let open = from.max(aligned(account.counted_to.minus(FINAL), width.as_secs()));
        account.asked_at = now;
        let counted = async {
            let latest = self.count(project, config, (open, to)).await?;
            Ok::<_, StoreError>((latest, self.rates(project, config, now).await?))
        };
        match counted.await {
            Ok((latest, rates)) => {
                account.buckets.retain(|at, _| (from..open).contains(at));
                account.buckets.extend(latest);
                account.counted_to = now;
                account.standing = Ok(Arc::new(Standing::of(config, &account.buckets, &rates, now)));
            }
            Err(error) => {
                tracing::warn!(objective = %config.name, "the budget of `{}` can't be counted: {error}", config.name);
                account.standing = Err(error.to_string());
            }
        }
        account
    }

    /// What happened in each bucket.
    async fn count(
        &self,
        project: &ProjectId,
        config: &ObjectiveConfig,
        range: (Timestamp, Timestamp),
    ) -> Result<BTreeMap<Timestamp, Tally>, StoreError> {
        let monitor = config.monitor();
        let Some(plan) = Plan::of(&monitor) else { return Ok(BTreeMap::new()) };
        let history = self.asker.history(project, &plan, range, standing::bucket(config.period)).await?;
        let buckets = history.into_values().next().unwrap_or_default();
        Ok(buckets.into_iter().map(|(at, point)| (at, tally(&monitor.condition, &point))).collect())
    }

    /// What happened lately; the same questions as its monitor has, so that most are answered already.
    async fn rates(
        &self,
        project: &ProjectId,
        config: &ObjectiveConfig,
        now: Timestamp,
    ) -> Result<Vec<(Length, Tally)>, StoreError> {
        let monitor = config.monitor();
        let Some(plan) = Plan::of(&monitor) else { return Ok(Vec::new()) };
        let end = aligned(now.minus(monitor.delay.0), monitor.every.as_secs());
        let mut rates = Vec::new();
        for width in RATES.into_iter().filter(|width| *width <= config.period) {
            let rows = self.asker.window(project, &plan, window_of(end, Duration::ZERO, width.0), now).await?;
            let point = rows.into_iter().find(|row| row.labels == Labels::new()).and_then(|row| row.point);
            rates.push((width, point.map(|point| tally(&monitor.condition, &point)).unwrap_or_default()));
        }
        Ok(rates)
    }
}

fn tally(condition: &Condition, point: &Point) -> Tally {
    let Condition::BurnRate(burn) = condition else { return Tally::default() };
    Tally { bad: bad(burn, point), total: point.over.unwrap_or_default() }
}

/// The period that ends with the bucket of now.
fn period(config: &ObjectiveConfig, now: Timestamp) -> (Timestamp, Timestamp) {
    let bucket = standing::bucket(config.period);
    let to = aligned(now, bucket.as_secs()).plus(bucket.0);
    let from = aligned(to.minus(config.period.0), bucket.as_secs());
    (from, to)
}
