//! Policies that a project adds to those of the configuration. Each change is a version; none is ever changed or deleted.

mod sql;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};
use signalbox_types::{KeyId, ProjectId, Timestamp};

use crate::catalog::Catalog;
use crate::error::CatalogError;
use crate::history::{self, Change};
use crate::resources::key::Principal;

const MAX_RATIONALE_CHARS: usize = 2_000;

/// A version of a project's policies.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicySet {
    /// From 1.
    pub version: u32,
    /// When it came into force.
    pub made_at: Timestamp,
    /// The key that made it.
    pub made_by: KeyId,
    /// Why.
    pub rationale: String,
    /// The policies, as they were typed. Who reads them knows what they mean.
    pub config: Value,
}

impl Catalog {
    /// The latest version of every project that has any.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn latest_policy_sets(&self) -> Result<Vec<(ProjectId, PolicySet)>, CatalogError> {
        self.read(|connection| Box::pin(async move { sql::latest(connection).await })).await
    }

    /// The versions of a project, the latest first.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn policy_sets(&self, project: &ProjectId, limit: u32) -> Result<Vec<PolicySet>, CatalogError> {
        let project = project.clone();
        self.read(move |connection| Box::pin(async move { sql::of_project(connection, &project, limit).await })).await
    }

    /// Makes the next version. `base` is the one that was changed; 0 if there was none.
    ///
    /// # Errors
    /// Somebody else has changed it meanwhile; the rationale is empty or too long; or the file is in trouble.
    pub async fn save_policy_set(
        &self,
        by: &Principal,
        base: u32,
        rationale: &str,
        config: Value,
    ) -> Result<PolicySet, CatalogError> {
        let rationale = rationale.trim().to_owned();
        let chars = rationale.chars().count();
        if chars == 0 || chars > MAX_RATIONALE_CHARS {
            let problem = format!("expected 1 to {MAX_RATIONALE_CHARS} characters that say why, found {chars}");
            return Err(CatalogError::Invalid { field: "rationale", problem });
        }
        let by = by.clone();
        self.write(move |connection, now| {
            Box::pin(async move {
                let before = sql::of_project(connection, &by.project, 1).await?.pop();
                let found = before.as_ref().map_or(0, |before| before.version);
                if found != base {
                    return Err(CatalogError::Outdated { base, found }.into());
                }
                let made =
                    PolicySet { version: found + 1, made_at: now, made_by: by.key_id.clone(), rationale, config };
                sql::insert(connection, &by.project, &made).await?;
                let change = Change {
                    time: now,
                    actor: Some(by.key_id),
                    resource: "policies".to_owned(),
                    resource_id: made.version.to_string(),
                    action: "change".to_owned(),
                    before: before.map(|before| before.config),
                    after: Some(json!({ "rationale": made.rationale, "config": made.config })),
                };
                history::record(connection, &by.project, &change).await?;
                Ok(made)
            })
        })
        .await
    }
}
