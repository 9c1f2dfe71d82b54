//! All that is watched, in memory, and the documents behind it. What changes is written down before anybody is told of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use signalbox_types::seam::{Clock, Embedder, EventStore};
use signalbox_types::{ProjectId, Timestamp};

use crate::action::Actions;
use crate::channels::{Channel, Http, channel};
use crate::config::{MonitorConfig, WatchConfig};
use crate::detour::{Deed, Detour};
use crate::drift::Check;
use crate::edit::EditError;
use crate::escalate::Escalation;
use crate::evaluate::Asker;
use crate::incident::Incident;
use crate::keep::{Keep, Key, Kind};
use crate::kinds::Model;
use crate::lead::Lead;
use crate::marker::{Changes, Marker};
use crate::mute::Silence;
use crate::objective::{self, Accounts, ManualFreeze, Objective};
use crate::outbox::Message;
use crate::read::read;
use crate::starter;
use crate::state::{Labels, Phase, Seen, SeriesState};

/// What [`Watch`] is made of.
#[derive(Debug)]
pub struct WatchParts {
    /// What the configuration says.
    pub config: WatchConfig,
    /// What this node is called: among those that share the documents, each its own name, and the same after a restart.
    pub node: String,
    /// Whose the configuration's monitors are.
    pub project: ProjectId,
    /// What is watched.
    pub store: Arc<dyn EventStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What outlives the process.
    pub keep: Arc<dyn Keep>,
    /// The way to webhooks.
    pub http: Arc<dyn Http>,
}

/// Evaluates monitors, opens incidents, tells people.
#[derive(Debug)]
pub struct Watch {
    pub(crate) project: ProjectId,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) http: Arc<dyn Http>,
    pub(crate) asker: Asker,
    pub(crate) keep: Arc<dyn Keep>,
    rules: RwLock<Arc<Rules>>,
    pub(crate) inner: Mutex<Inner>,
    /// Held from a change in memory until it is written down, so that documents are written in the order of changes.
    pub(crate) writing: tokio::sync::Mutex<()>,
    /// One evaluation at a time.
    pub(crate) turn: tokio::sync::Mutex<()>,
    pub(crate) accounts: Accounts,
    /// One incident is looked into at a time, so that the store has time for others.
    pub(crate) looking: tokio::sync::Mutex<()>,
    pub(crate) changes: Option<Arc<dyn Changes>>,
    /// Counters of this process, as they were last written down.
    pub(crate) own: Mutex<BTreeMap<String, u64>>,
    pub(crate) actions: Option<Arc<dyn Actions>>,
    pub(crate) embedder: Option<Arc<dyn Embedder>>,
    /// One comparison of windows at a time.
    pub(crate) drift_turn: tokio::sync::Mutex<()>,
    pub(crate) lead: Lead,
    /// The detours that the gateway was told of.
    pub(crate) detoured: Mutex<Vec<Detour>>,
}

/// The configuration, ready to be used.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) config: WatchConfig,
    pub(crate) channels: BTreeMap<String, Arc<dyn Channel>>,
}

impl Rules {
    fn of(config: WatchConfig) -> Self {
        let mut channels = BTreeMap::new();
        for one in &config.channels {
            match channel(one) {
                Ok(made) => drop(channels.insert(one.name.clone(), made)),
                Err(problem) => tracing::error!(channel = %one.name, "channel `{}` can't be used: {problem}", one.name),
            }
        }
        Self { config, channels }
    }

    /// Who is told of a monitor's incidents.
    pub(crate) fn escalation(&self, monitor: &MonitorConfig) -> Escalation {
        let named =
            monitor.escalation.as_ref().and_then(|name| self.config.escalations.iter().find(|one| one.name == *name));
        named.cloned().unwrap_or_else(|| Escalation::at_once(monitor.notify.clone()))
    }
}

/// Where a monitor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MonitorSource)]
pub enum Source {
    /// In the configuration.
    Config,
    /// In the catalog.
    Api,
    /// It comes with an objective.
    Objective,
}

/// Everything that changes.
#[derive(Debug, Default)]
pub(crate) struct Inner {
    pub(crate) monitors: BTreeMap<(ProjectId, String), Monitor>,
    pub(crate) drift: BTreeMap<(ProjectId, String), Check>,
    pub(crate) incidents: BTreeMap<(ProjectId, String), Incident>,
    pub(crate) silences: BTreeMap<(ProjectId, String), Silence>,
    pub(crate) outbox: BTreeMap<String, Message>,
    pub(crate) markers: BTreeMap<(ProjectId, String), Marker>,
    pub(crate) sending: BTreeSet<String>,
    /// Routes that are switched.
    pub(crate) detours: BTreeMap<(ProjectId, String), Detour>,
    /// What was done by itself and is in no history yet.
    pub(crate) deeds: Vec<Deed>,
    pub(crate) objectives: BTreeMap<(ProjectId, String), Objective>,
    pub(crate) freezes: BTreeMap<ProjectId, ManualFreeze>,
    /// Changes that aren't written down.
    unsaved: BTreeMap<Key, Option<Value>>,
}

/// A monitor and what is known of its series.
#[derive(Debug)]
pub(crate) struct Monitor {
    pub(crate) config: Arc<MonitorConfig>,
    pub(crate) source: Source,
    pub(crate) due: Timestamp,
    pub(crate) series: BTreeMap<Labels, Series>,
    pub(crate) learned: Option<Arc<Learned>>,
    pub(crate) evaluated_at: Option<Timestamp>,
    pub(crate) problem: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) state: SeriesState,
    /// As it was last written down.
    pub(crate) kept: Option<SeriesState>,
}

/// What was learned from history.
#[derive(Debug)]
pub(crate) struct Learned {
    /// When it is to be learned anew.
    pub(crate) until: Timestamp,
    /// Of each window that the condition looks at.
    pub(crate) models: Vec<HashMap<Labels, Model>>,
}

/// The state of a series, as it is kept.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptState {
    pub(crate) monitor: String,
    #[serde(flatten)]
    pub(crate) state: SeriesState,
}

impl Monitor {
    fn new(config: MonitorConfig, source: Source, now: Timestamp) -> Self {
        Self {
            config: Arc::new(config),
            source,
            due: now,
            series: BTreeMap::new(),
            learned: None,
            evaluated_at: None,
            problem: None,
        }
    }

    /// Whether one of its series fires.
    pub(crate) fn fires(&self) -> bool {
        self.series.values().any(|one| one.state.phase.is_firing())
    }
}

/// The document of a series.
fn state_id(monitor: &str, labels: &Labels) -> String {
    format!("{monitor} {}", serde_json::to_string(labels).unwrap_or_default())
}

impl Inner {
    /// Notes that a document has changed.
    pub(crate) fn changed<T: Serialize>(&mut self, project: &ProjectId, kind: Kind, id: &str, document: Option<&T>) {
        let value = document.map(|document| serde_json::to_value(document).unwrap_or_default());
        self.unsaved.insert(Key { project: project.clone(), kind, id: id.to_owned() }, value);
    }

    pub(crate) fn save_incident(&mut self, project: &ProjectId, id: &str) {
        let incident = self.incidents.get(&(project.clone(), id.to_owned())).cloned();
        self.changed(project, Kind::Incident, id, incident.as_ref());
    }

    pub(crate) fn save_message(&mut self, project: &ProjectId, id: &str) {
        let message = self.outbox.get(id).cloned();
        self.changed(project, Kind::Message, id, message.as_ref());
    }

    /// Notes the states of a monitor's series that differ from what is kept.
    pub(crate) fn save_states(&mut self, project: &ProjectId, name: &str) {
        let Some(series) = self.series_of(project, name) else { return };
        let mut changed = Vec::new();
        for (labels, one) in series {
            // A series of which nothing bad is known need not be remembered, but for what it has gathered and when it had data.
            if one.kept.as_ref().is_none_or(|kept| one.state.differs(kept)) {
                one.kept = Some(one.state.clone());
                changed
                    .push((state_id(name, labels), KeptState { monitor: name.to_owned(), state: one.state.clone() }));
            }
        }
        for (id, state) in changed {
            self.changed(project, Kind::State, &id, Some(&state));
        }
    }

    pub(crate) fn forget_series(&mut self, project: &ProjectId, name: &str, labels: &Labels) {
        self.changed(project, Kind::State, &state_id(name, labels), None::<&Value>);
    }

    /// Puts a monitor in its place, with what is known of its series if it is one that was there.
    pub(crate) fn put_monitor(&mut self, project: &ProjectId, config: MonitorConfig, source: Source, now: Timestamp) {
        let key = (project.clone(), config.name.clone());
        let mut monitor = Monitor::new(config, source, now);
        if let Some(before) = self.monitors.remove(&key) {
            let same = before.config.query == monitor.config.query && before.config.value == monitor.config.value;
            let judged_alike = same
                && before.config.condition == monitor.config.condition
                && before.config.window == monitor.config.window;
            if same {
                monitor.series = before.series;
            } else {
                for labels in before.series.into_keys() {
                    self.forget_series(project, &key.1, &labels);
                }
            }
            match judged_alike {
                true => monitor.learned = before.learned,
                false => monitor.series.values_mut().for_each(|one| one.state.evidence = None),
            }
        }
        self.monitors.insert(key, monitor);
    }

    /// A monitor goes, with its series. Its incidents end.
    pub(crate) fn remove_monitor(&mut self, project: &ProjectId, name: &str) {
        let Some(monitor) = self.monitors.remove(&(project.clone(), name.to_owned())) else { return };
        for labels in monitor.series.into_keys() {
            self.forget_series(project, name, &labels);
        }
    }
}

impl Watch {
    /// Reads what is kept.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn open(parts: WatchParts) -> Result<Self, String> {
        let now = parts.clock.now();
        let rules = Rules::of(parts.config);
        // First the lease: what is read then nobody else changes.
        let lease = if rules.config.enabled { Lead::first(&*parts.keep, &parts.node).await } else { None };
        let inner = read(parts.keep.load().await?, &parts.project, &rules.config, now);
        Ok(Self {
            project: parts.project,
            clock: parts.clock,
            http: parts.http,
            asker: Asker::new(parts.store),
            keep: parts.keep,
            rules: RwLock::new(Arc::new(rules)),
            inner: Mutex::new(inner),
            writing: tokio::sync::Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            accounts: Accounts::default(),
            looking: tokio::sync::Mutex::default(),
            changes: None,
            own: Mutex::default(),
            actions: None,
            embedder: None,
            drift_turn: tokio::sync::Mutex::default(),
            lead: Lead::new(parts.node, lease, now),
            detoured: Mutex::default(),
        })
    }

    /// Takes another configuration, whose [`WatchConfig::problems`] are none.
    pub fn configure(&self, config: WatchConfig) {
        let rules = Arc::new(Rules::of(config));
        let mut inner = self.inner.lock();
        configured(&mut inner, &self.project, &rules.config, self.clock.now());
        *self.rules.write() = rules;
    }

    pub(crate) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read())
    }

    /// Changes something and writes it down. What can't be written now is written with the next change.
    pub(crate) async fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        self.change_if_kept(change).await.0
    }

    /// The same, and tells whether it stays: not if another node has the lease. What is in memory is then read again before it counts.
    pub(crate) async fn change_if_kept<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> (T, bool) {
        let _in_order = self.writing.lock().await;
        let (result, unsaved) = {
            let mut inner = self.inner.lock();
            let result = change(&mut inner);
            (result, std::mem::take(&mut inner.unsaved))
        };
        if unsaved.is_empty() {
            return (result, true);
        }
        let Some(term) = self.lead.term() else {
            self.lead.lose();
            return (result, false);
        };
        match self.keep.write(unsaved.clone().into_iter().collect(), &term).await {
            Ok(true) => {}
            Ok(false) => {
                self.lead.lose();
                return (result, false);
            }
            Err(error) => {
                tracing::error!("what is watched can't be written down, a restart would tell people twice: {error}");
                let mut inner = self.inner.lock();
                for (key, value) in unsaved {
                    inner.unsaved.entry(key).or_insert(value);
                }
            }
        }
        (result, true)
    }

    /// How much there is, in all projects.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        let inner = self.inner.lock();
        let dead = inner.outbox.values().filter(|one| one.dead).count();
        Numbers {
            monitors: inner.monitors.len(),
            failing: inner.monitors.values().filter(|one| one.problem.is_some()).count(),
            incidents: inner.incidents.values().filter(|one| one.is_open()).count(),
            waiting: inner.outbox.len() - dead,
            dead,
        }
    }

    /// The monitors of a project, by name.
    #[must_use]
    pub fn monitors(&self, project: &ProjectId) -> Vec<MonitorView> {
        let inner = self.inner.lock();
        let own = inner.monitors.iter().filter(|((owner, _), _)| owner == project);
        own.map(|(_, monitor)| MonitorView::of(monitor)).collect()
    }

    /// One of them.
    #[must_use]
    pub fn monitor(&self, project: &ProjectId, name: &str) -> Option<MonitorView> {
        self.inner.lock().monitors.get(&(project.clone(), name.to_owned())).map(MonitorView::of)
    }
}

/// Puts the configuration's monitors in their places. One of the catalog that has the same name gives way.
pub(crate) fn configured(inner: &mut Inner, project: &ProjectId, config: &WatchConfig, now: Timestamp) {
    let monitors = starter::monitors(config);
    let gone: Vec<(ProjectId, String)> = inner
        .monitors
        .iter()
        .filter(|(_, monitor)| monitor.source == Source::Config)
        .map(|(key, _)| key.clone())
        .filter(|(owner, name)| owner != project || monitors.iter().all(|one| one.name != *name))
        .collect();
    for (project, name) in gone {
        inner.remove_monitor(&project, &name);
    }
    for monitor in monitors {
        inner.put_monitor(project, monitor, Source::Config, now);
    }
    objective::configured(inner, project, config, now);
    inner.configure_drift(project, starter::drift(config), now);
}

impl Watch {
    pub(crate) async fn put(&self, project: &ProjectId, config: MonitorConfig) -> Result<(), EditError> {
        let now = self.clock.now();
        self.edit(|inner| {
            inner.changed(project, Kind::Monitor, &config.name.clone(), Some(&config));
            inner.put_monitor(project, config, Source::Api, now);
        })
        .await
    }
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Numbers {
    /// Monitors.
    pub monitors: usize,
    /// Those that could not be evaluated the last time.
    pub failing: usize,
    /// Incidents that aren't over.
    pub incidents: usize,
    /// Messages that wait.
    pub waiting: usize,
    /// Messages that were given up.
    pub dead: usize,
}

/// A monitor, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorView {
    /// What it is.
    pub config: Arc<MonitorConfig>,
    /// Where it stands.
    pub source: Source,
    /// The worst of its series.
    pub phase: Phase,
    /// When it was last evaluated.
    pub evaluated_at: Option<Timestamp>,
    /// Why it could not be evaluated, if it couldn't.
    pub problem: Option<String>,
    /// Its series.
    pub series: Vec<SeriesView>,
}

/// A series, for people.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = MonitorSeries)]
pub struct SeriesView {
    /// Which one.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub labels: Labels,
    /// Where it stands …
    pub phase: Phase,
    /// … since when.
    pub since: Timestamp,
    /// What the last evaluation found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

impl MonitorView {
    fn of(monitor: &Monitor) -> Self {
        let rank = |phase: Phase| match phase {
            Phase::Ok => 0,
            Phase::Pending => 1,
            Phase::Recovering => 2,
            Phase::Firing => 3,
        };
        let states = || monitor.series.values().map(|one| &one.state);
        let view = |state: &SeriesState| SeriesView {
            labels: state.labels.clone(),
            phase: state.phase,
            since: state.since,
            seen: state.seen.clone(),
        };
        Self {
            config: Arc::clone(&monitor.config),
            source: monitor.source,
            phase: states().map(|state| state.phase).max_by_key(|phase| rank(*phase)).unwrap_or_default(),
            evaluated_at: monitor.evaluated_at,
            problem: monitor.problem.clone(),
            series: states().map(view).collect(),
        }
    }
}
