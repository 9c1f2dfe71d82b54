//! The places of checks among what is watched.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use signalbox_types::{ProjectId, Timestamp};

use super::config::{DriftConfig, PREFIX};
use super::result::Kept;
use super::worker::Check;
use crate::config::MonitorConfig;
use crate::keep::Kind;
use crate::state::Labels;
use crate::watch::{Inner, Monitor, Series, Source};

/// The check that a monitor's name stands for.
fn check_of(project: &ProjectId, monitor: &str) -> Option<(ProjectId, String)> {
    monitor.strip_prefix(PREFIX).map(|name| (project.clone(), name.to_owned()))
}

impl Inner {
    /// Whether a monitor fires, or a drift check under its monitor's name.
    pub(crate) fn fires(&self, project: &ProjectId, name: &str) -> Option<bool> {
        let monitor = self.monitors.get(&(project.clone(), name.to_owned())).map(Monitor::fires);
        monitor.or_else(|| self.drift.get(&check_of(project, name)?).map(Check::fires))
    }

    /// Who is told of a monitor's incidents, and how.
    pub(crate) fn settings(&self, project: &ProjectId, name: &str) -> Option<Arc<MonitorConfig>> {
        let monitor = self.monitors.get(&(project.clone(), name.to_owned())).map(|one| Arc::clone(&one.config));
        monitor.or_else(|| self.drift.get(&check_of(project, name)?).map(|one| Arc::clone(&one.monitor)))
    }

    /// Whether a series fires, as far as its monitor or drift check knows it.
    pub(crate) fn series_fires(&self, project: &ProjectId, name: &str, labels: &Labels) -> bool {
        let series = match check_of(project, name) {
            Some(key) => self.drift.get(&key).map(|one| &one.series),
            None => self.monitors.get(&(project.clone(), name.to_owned())).map(|one| &one.series),
        };
        series.and_then(|series| series.get(labels)).is_some_and(|one| one.state.phase.is_firing())
    }

    /// The series of a monitor or of a drift check.
    pub(crate) fn series_of(&mut self, project: &ProjectId, name: &str) -> Option<&mut BTreeMap<Labels, Series>> {
        match check_of(project, name) {
            Some(key) => self.drift.get_mut(&key).map(|one| &mut one.series),
            None => self.monitors.get_mut(&(project.clone(), name.to_owned())).map(|one| &mut one.series),
        }
    }

    /// Puts a check in its place, with what it has found so far. One that is as it was goes on in its own time.
    pub(crate) fn put_drift(&mut self, project: &ProjectId, config: DriftConfig, source: Source, now: Timestamp) {
        let key = (project.clone(), config.name.clone());
        let mut check = Check::new(config, source, now);
        if let Some(before) = self.drift.remove(&key) {
            if before.config == check.config {
                check.due = before.due;
            }
            (check.series, check.kept, check.problem) = (before.series, before.kept, before.problem);
        }
        self.drift.insert(key, check);
    }

    /// What a check had found before a restart. Of one that is gone it goes, too.
    pub(crate) fn put_found(&mut self, project: &ProjectId, name: &str, kept: Kept) {
        match self.drift.get_mut(&(project.clone(), name.to_owned())) {
            Some(check) => {
                if let Some(last) = &kept.last {
                    check.due = check.next(last.at, last.compared);
                }
                check.kept = Arc::new(kept);
            }
            None => self.changed(project, Kind::DriftResult, name, None::<&Value>),
        }
    }

    /// A check goes, with what it has found. Its incidents end.
    pub(crate) fn remove_drift(&mut self, project: &ProjectId, name: &str) {
        let Some(check) = self.drift.remove(&(project.clone(), name.to_owned())) else { return };
        for labels in check.series.into_keys() {
            self.forget_series(project, &check.monitor.name, &labels);
        }
        self.changed(project, Kind::DriftResult, name, None::<&Value>);
    }

    /// Puts the configuration's checks in their places. One of the catalog that has the same name gives way.
    pub(crate) fn configure_drift(&mut self, project: &ProjectId, checks: Vec<DriftConfig>, now: Timestamp) {
        let stays = |owner: &ProjectId, name: &String| owner == project && checks.iter().any(|one| one.name == *name);
        let configured = self.drift.iter().filter(|(_, check)| check.source == Source::Config);
        let gone: Vec<(ProjectId, String)> =
            configured.map(|(key, _)| key.clone()).filter(|(owner, name)| !stays(owner, name)).collect();
        for (project, name) in gone {
            self.remove_drift(&project, &name);
        }
        for check in checks {
            self.put_drift(project, check, Source::Config, now);
        }
    }
}
