use serde_json::Value;
use signalbox_types::{KeyId, ProjectId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::OnlineRule;

pub(super) async fn all(connection: &mut SqliteConnection) -> Result<Vec<(ProjectId, OnlineRule)>, sqlx::Error> {
    let statement = "SELECT project_id, name, version, made_at, made_by, definition, progress
                     FROM online_rules WHERE deleted = 0 ORDER BY project_id, name";
    let rows = sqlx::query(statement).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((ProjectId::new(row.try_get("project_id")?), read(row)?))).collect()
}

pub(super) async fn of_project(
    connection: &mut SqliteConnection,
    project: &ProjectId,
) -> Result<Vec<OnlineRule>, sqlx::Error> {
    let statement = "SELECT name, version, made_at, made_by, definition, progress
                     FROM online_rules WHERE project_id = ? AND deleted = 0 ORDER BY name";
    let rows = sqlx::query(statement).bind(project.as_str()).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

/// The rule of this name, and the last version that any of this name had.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    name: &str,
) -> Result<(Option<OnlineRule>, u32), sqlx::Error> {
    let statement = "SELECT name, version, made_at, made_by, definition, progress, deleted
                     FROM online_rules WHERE project_id = ? AND name = ?";
    let row = sqlx::query(statement).bind(project.as_str()).bind(name).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok((None, 0)) };
    let (rule, deleted) = (read(&row)?, row.try_get::<bool, _>("deleted")?);
    let last = rule.version;
    Ok((Some(rule).filter(|_| !deleted), last))
}

fn read(row: &SqliteRow) -> Result<OnlineRule, sqlx::Error> {
    let json = |column: &str| -> Result<Value, sqlx::Error> {
        serde_json::from_str(row.try_get(column)?).map_err(|error| sqlx::Error::Decode(error.into()))
    };
    Ok(OnlineRule {
        name: row.try_get("name")?,
        version: row.try_get("version")?,
        made_at: Timestamp::from_micros(row.try_get("made_at")?),
        made_by: KeyId::new(row.try_get::<&str, _>("made_by")?),
        definition: json("definition")?,
        progress: json("progress")?,
    })
}

pub(super) async fn set(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    rule: &OnlineRule,
) -> Result<(), sqlx::Error> {
    let statement = "INSERT INTO online_rules (project_id, name, version, made_at, made_by, definition, deleted, progress)
                     VALUES (?, ?, ?, ?, ?, ?, 0, ?)
                     ON CONFLICT DO UPDATE SET version = excluded.version, made_at = excluded.made_at,
                     made_by = excluded.made_by, definition = excluded.definition, deleted = 0, progress = excluded.progress";
    sqlx::query(statement)
        .bind(project.as_str())
        .bind(&rule.name)
        .bind(rule.version)
        .bind(rule.made_at.as_micros())
        .bind(rule.made_by.as_str())
        .bind(rule.definition.to_string())
        .bind(rule.progress.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    name: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE online_rules SET deleted = 1, progress = '{}' WHERE project_id = ? AND name = ?")
        .bind(project.as_str())
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn set_progress(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    name: &str,
    progress: &Value,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE online_rules SET progress = ? WHERE project_id = ? AND name = ? AND deleted = 0")
        .bind(progress.to_string())
        .bind(project.as_str())
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}
