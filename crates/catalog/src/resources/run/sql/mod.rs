//! Statements about experiments and runs; those about items are in `items`.

pub(super) mod items;

use serde::Serialize;
use serde::de::DeserializeOwned;
use signalbox_types::{KeyId, ProjectId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::types::{Experiment, Run, RunStatus, RunsOf};

/// A run and the number under which its items are kept.
pub(in crate::resources::run) struct Found {
    pub(in crate::resources::run) number: i64,
    pub(in crate::resources::run) run: Run,
}

/// JSON that was written here reads back; else the file was changed by somebody else.
fn json<T: DeserializeOwned>(text: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn text<T: Serialize>(value: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

pub(super) async fn experiment_id(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    name: &str,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    let statement = "INSERT INTO experiments (project_id, name, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    sqlx::query(statement).bind(project.as_str()).bind(name).bind(now.as_micros()).execute(&mut *connection).await?;
    let statement = "SELECT id FROM experiments WHERE project_id = ? AND name = ?";
    sqlx::query_scalar(statement).bind(project.as_str()).bind(name).fetch_one(connection).await
}

pub(super) async fn count(connection: &mut SqliteConnection, project: &ProjectId) -> Result<i64, sqlx::Error> {
    let statement = "SELECT count(*) FROM runs WHERE project_id = ?";
    sqlx::query_scalar(statement).bind(project.as_str()).fetch_one(connection).await
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    experiment: i64,
    run: &Run,
) -> Result<(), sqlx::Error> {
    let statement = "INSERT INTO runs
                     (id, project_id, experiment_id, status, started_at, actor, about, items, failed_items)
                     VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)";
    sqlx::query(statement)
        .bind(&run.id)
        .bind(project.as_str())
        .bind(experiment)
        .bind(run.status.as_str())
        .bind(run.started_at.as_micros())
        .bind(run.actor.as_str())
        .bind(text(&run.about)?)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn end(connection: &mut SqliteConnection, number: i64, run: &Run) -> Result<(), sqlx::Error> {
    let statement =
        "UPDATE runs SET status = ?, finished_at = ?, items_hash = ?, problem = ?, summary = ? WHERE number = ?";
    sqlx::query(statement)
        .bind(run.status.as_str())
        .bind(run.finished_at.map(Timestamp::as_micros))
        .bind(&run.items_hash)
        .bind(&run.problem)
        .bind(run.summary.as_ref().map(text).transpose()?)
        .bind(number)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn run(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    id: &str,
) -> Result<Option<Found>, sqlx::Error> {
    let statement = "SELECT r.*, e.name AS experiment FROM runs r JOIN experiments e ON e.id = r.experiment_id
                     WHERE r.project_id = ? AND r.id = ?";
    let row = sqlx::query(statement).bind(project.as_str()).bind(id).fetch_optional(connection).await?;
    row.map(|row| Ok(Found { number: row.try_get("number")?, run: read(&row)? })).transpose()
}

pub(super) async fn runs(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    of: &RunsOf,
    offset: u64,
    limit: u32,
) -> Result<Vec<Run>, sqlx::Error> {
    let statement = "SELECT r.*, e.name AS experiment FROM runs r JOIN experiments e ON e.id = r.experiment_id
                     WHERE r.project_id = ?1 AND (?2 IS NULL OR e.name = ?2)
                       AND (?3 IS NULL OR r.about ->> 'dataset' = ?3
                            OR substr(r.about ->> 'dataset', 1, length(?3) + 1) = ?3 || '@')
                       AND (?4 IS NULL OR r.about ->> 'dataset_version' = ?4)
                     ORDER BY r.number DESC LIMIT ?5 OFFSET ?6";
    let offset = i64::try_from(offset).unwrap_or(i64::MAX);
    let query = sqlx::query(statement)
        .bind(project.as_str())
        .bind(&of.experiment)
        .bind(&of.dataset)
        .bind(&of.dataset_version)
        .bind(limit)
        .bind(offset);
    query.fetch_all(connection).await?.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<Run, sqlx::Error> {
    let count = |name: &str| row.try_get::<i64, _>(name).map(|number| number.unsigned_abs());
    Ok(Run {
        id: row.try_get("id")?,
        experiment: row.try_get("experiment")?,
        status: RunStatus::read(row.try_get("status")?),
        started_at: Timestamp::from_micros(row.try_get("started_at")?),
        finished_at: row.try_get::<Option<i64>, _>("finished_at")?.map(Timestamp::from_micros),
        actor: KeyId::new(row.try_get::<&str, _>("actor")?),
        about: json(row.try_get("about")?)?,
        items: count("items")?,
        failed_items: count("failed_items")?,
        items_hash: row.try_get("items_hash")?,
        problem: row.try_get("problem")?,
        summary: row.try_get::<Option<&str>, _>("summary")?.map(json).transpose()?,
    })
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    number: i64,
    project: &ProjectId,
    id: &str,
) -> Result<(), sqlx::Error> {
    let statement = "UPDATE experiments SET baseline = NULL WHERE project_id = ? AND baseline = ?";
    sqlx::query(statement).bind(project.as_str()).bind(id).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM runs WHERE number = ?").bind(number).execute(connection).await?;
    Ok(())
}

pub(super) async fn experiments(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    name: Option<&str>,
    limit: u32,
) -> Result<Vec<Experiment>, sqlx::Error> {
    let statement = "SELECT e.name, e.created_at, e.baseline, count(r.number) AS runs
                     FROM experiments e LEFT JOIN runs r ON r.experiment_id = e.id
                     WHERE e.project_id = ?1 AND (?2 IS NULL OR e.name = ?2)
                     GROUP BY e.id ORDER BY max(r.number) DESC NULLS LAST, e.id DESC LIMIT ?3";
    let rows = sqlx::query(statement).bind(project.as_str()).bind(name).bind(limit).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(Experiment {
                name: row.try_get("name")?,
                created_at: Timestamp::from_micros(row.try_get("created_at")?),
                runs: row.try_get::<i64, _>("runs")?.unsigned_abs(),
                baseline: row.try_get("baseline")?,
            })
        })
        .collect()
}

pub(super) async fn set_baseline(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    name: &str,
    run: Option<&str>,
) -> Result<bool, sqlx::Error> {
    let statement = "UPDATE experiments SET baseline = ? WHERE project_id = ? AND name = ?";
    let done = sqlx::query(statement).bind(run).bind(project.as_str()).bind(name).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn delete_experiment(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    name: &str,
) -> Result<bool, sqlx::Error> {
    let statement = "DELETE FROM experiments WHERE project_id = ? AND name = ?";
    let done = sqlx::query(statement).bind(project.as_str()).bind(name).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}
