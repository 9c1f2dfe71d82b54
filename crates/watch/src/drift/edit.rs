//! What people do with drift checks: make them, look at them, compare now.

use std::sync::Arc;

use serde_json::Value;
use signalbox_types::{ProjectId, Timestamp};

use super::config::DriftConfig;
use super::result::{DriftResult, DriftTrend};
use super::worker::Check;
use crate::edit::EditError;
use crate::keep::Kind;
use crate::tell;
use crate::watch::{Source, Watch};

const MOST_CHECKS: usize = 100;
/// What errors call it.
const CHECK: &str = "drift check";

/// A check, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftView {
    /// What it is.
    pub config: Arc<DriftConfig>,
    /// Where it stands.
    pub source: Source,
    /// Something has drifted, for long enough to be an incident.
    pub firing: bool,
    /// When it is compared next.
    pub next_at: Timestamp,
    /// Why it, or something of it, could not be compared, if so.
    pub problem: Option<String>,
    /// What the latest comparison found.
    pub last: Option<DriftResult>,
    /// How each signal has gone.
    pub trends: Vec<DriftTrend>,
}

impl DriftView {
    fn of(check: &Check) -> Self {
        Self {
            config: Arc::clone(&check.config),
            source: check.source,
            firing: check.fires(),
            next_at: check.due,
            problem: check.problem.as_ref().or_else(|| check.kept.last.as_ref()?.problem()).cloned(),
            last: check.kept.last.clone(),
            trends: check.kept.trends.clone(),
        }
    }
}

impl Watch {
    /// The drift checks of a project, by name.
    #[must_use]
    pub fn drift_checks(&self, project: &ProjectId) -> Vec<DriftView> {
        let inner = self.inner.lock();
        let own = inner.drift.iter().filter(|((owner, _), _)| owner == project);
        own.map(|(_, check)| DriftView::of(check)).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn drift_check(&self, project: &ProjectId, name: &str) -> Result<DriftView, EditError> {
        let inner = self.inner.lock();
        let found = inner.drift.get(&(project.clone(), name.to_owned()));
        found.map(DriftView::of).ok_or_else(|| EditError::Unknown(CHECK, name.to_owned()))
    }

    /// Reads a check and looks whether it could be one of this project.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read_drift(&self, definition: &Value) -> Result<DriftConfig, EditError> {
        let check = DriftConfig::read(definition).map_err(EditError::Invalid)?;
        match self.rules().config.unknown_names(&check.monitor()) {
            unknown if unknown.is_empty() => Ok(check),
            unknown => Err(EditError::Invalid(unknown)),
        }
    }

    /// Makes a check, or puts it in the place of one that has its name. It is compared from the next moment on.
    ///
    /// # Errors
    /// It can't be used, or the configuration has one of that name.
    pub async fn save_drift(&self, project: &ProjectId, definition: &Value) -> Result<DriftConfig, EditError> {
        let check = self.read_drift(definition)?;
        let now = self.clock.now();
        self.edit(|inner| {
            let own = inner.drift.get(&(project.clone(), check.name.clone()));
            if own.is_some_and(|own| own.source == Source::Config) {
                return Err(EditError::Configured(check.name));
            }
            if own.is_none() && inner.drift.keys().filter(|(owner, _)| owner == project).count() >= MOST_CHECKS {
                let problem = format!("there are {MOST_CHECKS} drift checks already; delete some");
                return Err(EditError::invalid("name", problem));
            }
            inner.changed(project, Kind::Drift, &check.name, Some(&check));
            inner.put_drift(project, check.clone(), Source::Api, now);
            Ok(check)
        })
        .await?
    }

    /// Deletes a check, with what it has found. Its incidents end.
    ///
    /// # Errors
    /// There is none, or it stands in the configuration.
    pub async fn delete_drift(&self, project: &ProjectId, name: &str) -> Result<(), EditError> {
        let (rules, now) = (self.rules(), self.clock.now());
        self.edit(|inner| {
            match inner.drift.get(&(project.clone(), name.to_owned())).map(|check| check.source) {
                None => return Err(EditError::Unknown(CHECK, name.to_owned())),
                Some(Source::Config | Source::Objective) => return Err(EditError::Configured(name.to_owned())),
                Some(Source::Api) => {}
            }
            inner.remove_drift(project, name);
            inner.changed(project, Kind::Drift, name, None::<&Value>);
            tell::look_after(inner, &rules, now);
            Ok(())
        })
        .await?
    }

    /// Compares now, whenever it would be due, and keeps what was found.
    ///
    /// # Errors
    /// There is none of that name.
    pub async fn run_drift(&self, project: &ProjectId, name: &str) -> Result<DriftView, EditError> {
        self.hold().await?;
        let config = self.drift_check(project, name)?.config;
        let turn = self.drift_turn.lock().await;
        self.compare_and_keep(project, config).await?;
        drop(turn);
        self.drift_check(project, name)
    }
}
