//! What people do with objectives: make, change, delete.

use serde_json::Value;
use signalbox_types::ProjectId;

use crate::config::{ObjectiveConfig, Problem};
use crate::edit::EditError;
use crate::keep::Kind;
use crate::tell;
use crate::watch::{Source, Watch};

const MOST_OBJECTIVES: usize = 200;

impl Watch {
    /// Reads an objective and looks whether it could be one of this project.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn check_objective(&self, definition: &Value) -> Result<ObjectiveConfig, EditError> {
        let objective = ObjectiveConfig::read(definition).map_err(EditError::Invalid)?;
        match self.rules().config.unknown_names(&objective.monitor()) {
            unknown if unknown.is_empty() => Ok(objective),
            unknown => Err(EditError::Invalid(unknown)),
        }
    }

    /// Makes an objective, or puts it in the place of one that has its name. Its monitor is evaluated from the next moment on.
    ///
    /// # Errors
    /// It can't be used, or the configuration has one of that name.
    pub async fn save_objective(&self, project: &ProjectId, definition: &Value) -> Result<ObjectiveConfig, EditError> {
        let objective = self.check_objective(definition)?;
        let now = self.clock.now();
        self.edit(|inner| {
            let own = inner.objectives.get(&(project.clone(), objective.name.clone()));
            if own.is_some_and(|own| own.source == Source::Config) {
                return Err(EditError::ConfiguredObjective(objective.name));
            }
            let count = inner.objectives.keys().filter(|(owner, _)| owner == project).count();
            if own.is_none() && count >= MOST_OBJECTIVES {
                let problem = format!("there are {MOST_OBJECTIVES} objectives already; delete some");
                return Err(EditError::Invalid(vec![Problem::new("name", problem)]));
            }
            inner.changed(project, Kind::Objective, &objective.name, Some(&objective));
            inner.put_objective(project, objective.clone(), Source::Api, now);
            Ok(objective)
        })
        .await?
    }

    /// Deletes an objective. The incidents of its monitor end.
    ///
    /// # Errors
    /// There is none, or it stands in the configuration.
    pub async fn delete_objective(&self, project: &ProjectId, name: &str) -> Result<(), EditError> {
        let rules = self.rules();
        let now = self.clock.now();
        self.edit(|inner| {
            match inner.objectives.get(&(project.clone(), name.to_owned())).map(|one| one.source) {
                None => return Err(EditError::Unknown("objective", name.to_owned())),
                Some(Source::Config) => return Err(EditError::ConfiguredObjective(name.to_owned())),
                Some(Source::Api | Source::Objective) => {}
            }
            inner.remove_objective(project, name);
            inner.changed(project, Kind::Objective, name, None::<&Value>);
            tell::look_after(inner, &rules, now);
            Ok(())
        })
        .await?
    }
}
