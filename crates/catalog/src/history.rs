//! Who changed what when.

use signalbox_types::{KeyId, ProjectId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::catalog::Catalog;
use crate::error::CatalogError;
use crate::resources::key::Principal;

/// A change that somebody made. `before` and `after` never hold a secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// When.
    pub time: Timestamp,
    /// The key that did it; `None` when the house did (the first key).
    pub actor: Option<KeyId>,
    /// What kind of thing, e.g. `key`.
    pub resource: String,
    /// Which one.
    pub resource_id: String,
    /// What was done, e.g. `create` or `revoke`.
    pub action: String,
    /// How it was.
    pub before: Option<serde_json::Value>,
    /// How it is.
    pub after: Option<serde_json::Value>,
}

impl Catalog {
    /// The latest changes in a project, newest first.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn history(&self, project: &ProjectId, limit: u32) -> Result<Vec<Change>, CatalogError> {
        let project = project.clone();
        self.read(move |connection| Box::pin(async move { newest(connection, &project, limit).await })).await
    }
}

impl Catalog {
    /// Notes what somebody did to something that is not kept here.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn note(
        &self,
        by: &Principal,
        resource: &str,
        resource_id: &str,
        action: &str,
        after: serde_json::Value,
    ) -> Result<(), CatalogError> {
        self.note_by(&by.project, Some(by.key_id.clone()), resource, resource_id, action, after).await
    }

    /// Notes what the house did by itself to something that is not kept here.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn note_by_house(
        &self,
        project: &ProjectId,
        resource: &str,
        resource_id: &str,
        action: &str,
        after: serde_json::Value,
    ) -> Result<(), CatalogError> {
        self.note_by(project, None, resource, resource_id, action, after).await
    }

    async fn note_by(
        &self,
        project: &ProjectId,
        actor: Option<KeyId>,
        resource: &str,
        resource_id: &str,
        action: &str,
        after: serde_json::Value,
    ) -> Result<(), CatalogError> {
        let project = project.clone();
        let (resource, resource_id, action) = (resource.to_owned(), resource_id.to_owned(), action.to_owned());
        self.write(move |connection, time| {
            Box::pin(async move {
                let after = Some(after);
                let change = Change { time, actor, resource, resource_id, action, before: None, after };
                record(connection, &project, &change).await?;
                Ok(())
            })
        })
        .await
    }
}

pub(crate) async fn record(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    change: &Change,
) -> Result<(), sqlx::Error> {
    let statement = "INSERT INTO history (project_id, time, actor, resource, resource_id, action, before, after)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    sqlx::query(statement)
        .bind(project.as_str())
        .bind(change.time.as_micros())
        .bind(change.actor.as_ref().map(KeyId::as_str))
        .bind(&change.resource)
        .bind(&change.resource_id)
        .bind(&change.action)
        .bind(change.before.as_ref().map(serde_json::Value::to_string))
        .bind(change.after.as_ref().map(serde_json::Value::to_string))
        .execute(connection)
        .await?;
    Ok(())
}

async fn newest(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    limit: u32,
) -> Result<Vec<Change>, sqlx::Error> {
    let statement = "SELECT time, actor, resource, resource_id, action, before, after
                     FROM history WHERE project_id = ? ORDER BY id DESC LIMIT ?";
    let rows = sqlx::query(statement).bind(project.as_str()).bind(limit).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

/// The latest changes of one thing, newest first.
pub(crate) async fn of_one(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    (resource, id): (&str, &str),
    limit: u32,
) -> Result<Vec<Change>, sqlx::Error> {
    let statement = "SELECT time, actor, resource, resource_id, action, before, after FROM history
                     WHERE project_id = ? AND resource = ? AND resource_id = ? ORDER BY id DESC LIMIT ?";
    let query = sqlx::query(statement).bind(project.as_str()).bind(resource).bind(id).bind(limit);
    query.fetch_all(connection).await?.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<Change, sqlx::Error> {
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(Change {
        time: Timestamp::from_micros(row.try_get("time")?),
        actor: row.try_get::<Option<&str>, _>("actor")?.map(KeyId::new),
        resource: row.try_get("resource")?,
        resource_id: row.try_get("resource_id")?,
        action: row.try_get("action")?,
        before: json(row.try_get("before")?),
        after: json(row.try_get("after")?),
    })
}
