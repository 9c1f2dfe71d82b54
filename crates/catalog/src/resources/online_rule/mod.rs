//! Rules that choose spans of the traffic to be scored. What a rule says is JSON to the catalog: who scores by it knows what
//! it means. How far it has come stands beside it and in no history: the scoring makes it, not people.

mod sql;
#[cfg(test)]
mod tests;

use serde_json::Value;
use signalbox_types::{KeyId, ProjectId, Timestamp};

use crate::catalog::Catalog;
use crate::error::CatalogError;
use crate::history::{self, Change};
use crate::resources::key::Principal;

const RESOURCE: &str = "online_rule";
/// Rules of a project.
const MOST: usize = 200;

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct OnlineRule {
    /// Its name, unique in its project.
    pub name: String,
    /// From 1; each change makes the next.
    pub version: u32,
    /// When this version was made.
    pub made_at: Timestamp,
    /// The key that made it.
    pub made_by: KeyId,
    /// What it says, as it was typed.
    pub definition: Value,
    /// How far it has come.
    pub progress: Value,
}

impl Catalog {
    /// The rules of all projects.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn all_online_rules(&self) -> Result<Vec<(ProjectId, OnlineRule)>, CatalogError> {
        self.read(|connection| Box::pin(async move { sql::all(connection).await })).await
    }

    /// The rules of a project, by name.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn online_rules(&self, project: &ProjectId) -> Result<Vec<OnlineRule>, CatalogError> {
        let project = project.clone();
        self.read(move |connection| Box::pin(async move { sql::of_project(connection, &project).await })).await
    }

    /// Makes a rule (`base` is 0), or the next version of one.
    ///
    /// # Errors
    /// Somebody else has changed it meanwhile, there are too many, or the file is in trouble.
    pub async fn save_online_rule(
        &self,
        by: &Principal,
        name: &str,
        base: u32,
        definition: Value,
    ) -> Result<OnlineRule, CatalogError> {
        let (by, name) = (by.clone(), name.to_owned());
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                let (before, last) = sql::find(connection, &by.project, &name).await?;
                let found = before.as_ref().map_or(0, |before| before.version);
                if found != base {
                    return Err(CatalogError::Outdated { base, found }.into());
                }
                if before.is_none() && sql::of_project(connection, &by.project).await?.len() >= MOST {
                    let problem = format!("there are {MOST} rules; delete one that nobody needs");
                    return Err(CatalogError::Invalid { field: "name", problem }.into());
                }
                let progress =
                    before.as_ref().map_or_else(|| Value::Object(Default::default()), |one| one.progress.clone());
                let made = OnlineRule {
                    name,
                    version: last + 1,
                    made_at: now,
                    made_by: by.key_id.clone(),
                    definition,
                    progress,
                };
                sql::set(connection, &by.project, &made).await?;
                let action = if before.is_some() { "change" } else { "create" };
                note(
                    connection,
                    &by,
                    &made.name,
                    action,
                    before.map(|one| one.definition),
                    Some(&made.definition),
                    now,
                )
                .await?;
                Ok(made)
            })
        })
        .await
    }

    /// Deletes a rule. What it has scored stays.
    ///
    /// # Errors
    /// There is none of that name, or the file is in trouble.
    pub async fn delete_online_rule(&self, by: &Principal, name: &str) -> Result<(), CatalogError> {
        let (by, name) = (by.clone(), name.to_owned());
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                let (before, _) = sql::find(connection, &by.project, &name).await?;
                let before = before.ok_or_else(|| CatalogError::UnknownRule(name.clone()))?;
                sql::delete(connection, &by.project, &name).await?;
                note(connection, &by, &name, "delete", Some(before.definition), None, now).await?;
                Ok(())
            })
        })
        .await
    }

    /// Writes down how far rules have come. One that is gone is passed over.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn keep_online_progress(&self, progress: Vec<(ProjectId, String, Value)>) -> Result<(), CatalogError> {
        self.write_aside(move |connection, _| {
            Box::pin(async move {
                for (project, name, progress) in &progress {
                    sql::set_progress(connection, project, name, progress).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// The changes of a rule, the latest first.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn online_rule_history(
        &self,
        project: &ProjectId,
        name: &str,
        limit: u32,
    ) -> Result<Vec<Change>, CatalogError> {
        let (project, name) = (project.clone(), name.to_owned());
        self.read(move |connection| {
            Box::pin(async move { history::of_one(connection, &project, (RESOURCE, &name), limit).await })
        })
        .await
    }
}

async fn note(
    connection: &mut sqlx::SqliteConnection,
    by: &Principal,
    name: &str,
    action: &str,
    before: Option<Value>,
    after: Option<&Value>,
    time: Timestamp,
) -> Result<(), sqlx::Error> {
    let change = Change {
        time,
        actor: Some(by.key_id.clone()),
        resource: RESOURCE.to_owned(),
        resource_id: name.to_owned(),
        action: action.to_owned(),
        before,
        after: after.cloned(),
    };
    history::record(connection, &by.project, &change).await
}
