//! Whether releases wait: because a budget is spent, or because somebody says so.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use signalbox_types::{ProjectId, Timestamp};

use crate::config::Problem;
use crate::edit::EditError;
use crate::keep::Kind;
use crate::watch::Watch;

/// The document of a freeze: a project has one at most.
const DOCUMENT: &str = "releases";
const LONGEST_REASON: usize = 1_000;
const LONGEST_BY: usize = 200;

/// Somebody has frozen releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ManualFreeze {
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when; until somebody lifts it if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A freeze to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFreeze {
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// Why releases wait.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FreezeReason {
    /// The objective whose budget is spent; absent if a person said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<String>,
    /// The part of its budget that is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_left: Option<f64>,
    /// In words.
    pub text: String,
}

/// A budget that can't be counted now, so that nobody knows whether releases should wait for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnknownBudget {
    /// The objective.
    pub objective: String,
    /// Why.
    pub text: String,
}

/// Whether releases wait.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ReleaseFreeze {
    /// They do.
    pub frozen: bool,
    /// Why: all of it.
    pub reasons: Vec<FreezeReason>,
    /// Budgets that can't be counted now. They freeze nothing.
    pub unknown: Vec<UnknownBudget>,
    /// What a person said, while it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manual: Option<ManualFreeze>,
}

impl ManualFreeze {
    fn reason(&self) -> FreezeReason {
        let until = self.until.map(|until| format!(", until {until}")).unwrap_or_default();
        let text = format!("{} has frozen releases{until}: {}", self.by, self.reason);
        FreezeReason { objective: None, budget_left: None, text }
    }
}

impl Watch {
    /// Whether the releases of a project wait, as of the last minute.
    pub async fn release_freeze(&self, project: &ProjectId) -> ReleaseFreeze {
        let (mut reasons, mut unknown) = (Vec::new(), Vec::new());
        let manual = self.manual_freeze(project);
        reasons.extend(manual.as_ref().map(ManualFreeze::reason));
        for view in self.objectives(project).await.into_iter().filter(|view| view.config.freeze) {
            let objective = view.config.name.clone();
            match (view.standing, view.problem) {
                (Some(standing), _) if standing.frozen => {
                    let text = format!("{objective}: {}", standing.text);
                    let budget_left = Some(standing.budget_left);
                    reasons.push(FreezeReason { objective: Some(objective), budget_left, text });
                }
                (None, Some(text)) => unknown.push(UnknownBudget { objective, text }),
                _ => {}
            }
        }
        ReleaseFreeze { frozen: !reasons.is_empty(), reasons, unknown, manual }
    }

    fn manual_freeze(&self, project: &ProjectId) -> Option<ManualFreeze> {
        let now = self.clock.now();
        let inner = self.inner.lock();
        inner.freezes.get(project).filter(|freeze| freeze.until.is_none_or(|until| until > now)).cloned()
    }

    /// Freezes the releases of a project, whatever its budgets are; in the place of an earlier freeze.
    ///
    /// # Errors
    /// Nobody says why, or it is over already.
    pub async fn freeze(&self, project: &ProjectId, new: NewFreeze) -> Result<ManualFreeze, EditError> {
        let now = self.clock.now();
        let invalid = |field: &str, problem: String| Err(EditError::Invalid(vec![Problem::new(field, problem)]));
        if new.reason.trim().is_empty() {
            return invalid("reason", "is empty; expected why releases shall wait".to_owned());
        }
        for (field, text, longest) in [("reason", &new.reason, LONGEST_REASON), ("by", &new.by, LONGEST_BY)] {
            let chars = text.chars().count();
            if chars > longest {
                return invalid(field, format!("has {chars} characters; expected at most {longest}"));
            }
        }
        if let Some(until) = new.until.filter(|until| *until <= now) {
            return invalid("until", format!("is {until}, which is over already"));
        }
        let freeze = ManualFreeze { reason: new.reason, by: new.by, since: now, until: new.until };
        self.edit(|inner| {
            inner.freezes.insert(project.clone(), freeze.clone());
            inner.changed(project, Kind::Freeze, DOCUMENT, Some(&freeze));
        })
        .await?;
        Ok(freeze)
    }

    /// Lifts what somebody has frozen. Nothing if nobody has.
    ///
    /// # Errors
    /// Another node takes changes.
    pub async fn unfreeze(&self, project: &ProjectId) -> Result<(), EditError> {
        self.edit(|inner| {
            if inner.freezes.remove(project).is_some() {
                inner.changed(project, Kind::Freeze, DOCUMENT, None::<&Value>);
            }
        })
        .await
    }
}
