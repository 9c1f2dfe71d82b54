use serde_json::Value;
use signalbox_types::{ProjectId, Timestamp};
use sqlx::{Row as _, SqliteConnection};

use super::WatchedDocument;

pub(super) async fn all(connection: &mut SqliteConnection) -> Result<Vec<WatchedDocument>, sqlx::Error> {
    let statement = "SELECT project_id, kind, id, body FROM watched ORDER BY project_id, kind, id";
    let rows = sqlx::query(statement).fetch_all(connection).await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let body: &str = row.try_get("body")?;
        Ok(WatchedDocument {
            project: ProjectId::new(row.try_get("project_id")?),
            kind: row.try_get("kind")?,
            id: row.try_get("id")?,
            body: Some(serde_json::from_str(body).map_err(|error| sqlx::Error::Decode(error.into()))?),
        })
    };
    rows.iter().map(read).collect()
}

pub(super) async fn put(
    connection: &mut SqliteConnection,
    document: &WatchedDocument,
    body: &Value,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let statement = "INSERT INTO watched (project_id, kind, id, body, changed_at) VALUES (?, ?, ?, ?, ?)
                     ON CONFLICT DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at";
    sqlx::query(statement)
        .bind(document.project.as_str())
        .bind(&document.kind)
        .bind(&document.id)
        .bind(body.to_string())
        .bind(now.as_micros())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn remove(connection: &mut SqliteConnection, document: &WatchedDocument) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM watched WHERE project_id = ? AND kind = ? AND id = ?")
        .bind(document.project.as_str())
        .bind(&document.kind)
        .bind(&document.id)
        .execute(connection)
        .await?;
    Ok(())
}
