use signalbox_types::{KeyId, ProjectId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::PolicySet;

pub(super) async fn latest(connection: &mut SqliteConnection) -> Result<Vec<(ProjectId, PolicySet)>, sqlx::Error> {
    let statement = "SELECT project_id, max(version) AS version, made_at, made_by, rationale, config
                     FROM policy_sets GROUP BY project_id";
    let rows = sqlx::query(statement).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((ProjectId::new(row.try_get("project_id")?), read(row)?))).collect()
}

pub(super) async fn of_project(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    limit: u32,
) -> Result<Vec<PolicySet>, sqlx::Error> {
    let statement = "SELECT version, made_at, made_by, rationale, config
                     FROM policy_sets WHERE project_id = ? ORDER BY version DESC LIMIT ?";
    let rows = sqlx::query(statement).bind(project.as_str()).bind(limit).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<PolicySet, sqlx::Error> {
    let config: &str = row.try_get("config")?;
    Ok(PolicySet {
        version: row.try_get("version")?,
        made_at: Timestamp::from_micros(row.try_get("made_at")?),
        made_by: KeyId::new(row.try_get::<&str, _>("made_by")?),
        rationale: row.try_get("rationale")?,
        config: serde_json::from_str(config).map_err(|error| sqlx::Error::Decode(error.into()))?,
    })
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    made: &PolicySet,
) -> Result<(), sqlx::Error> {
    let statement = "INSERT INTO policy_sets (project_id, version, made_at, made_by, rationale, config)
                     VALUES (?, ?, ?, ?, ?, ?)";
    sqlx::query(statement)
        .bind(project.as_str())
        .bind(made.version)
        .bind(made.made_at.as_micros())
        .bind(made.made_by.as_str())
        .bind(&made.rationale)
        .bind(made.config.to_string())
        .execute(connection)
        .await?;
    Ok(())
}
