use signalbox_types::{ProjectId, Timestamp};
use sqlx::{Row as _, SqliteConnection};

use super::{KeptBounds, KeptThing};

pub(super) async fn newest(
    connection: &mut SqliteConnection,
    bounds: KeptBounds,
) -> Result<Vec<KeptThing>, sqlx::Error> {
    let statement = "SELECT kind, id, project_id, provider, used_at FROM kept WHERE used_at >= ?
                     ORDER BY used_at DESC LIMIT ?";
    let rows =
        sqlx::query(statement).bind(bounds.used_since.as_micros()).bind(bounds.most).fetch_all(connection).await?;
    rows.iter()
        .rev()
        .map(|row| {
            Ok(KeptThing {
                kind: row.try_get("kind")?,
                id: row.try_get("id")?,
                project: ProjectId::new(row.try_get("project_id")?),
                provider: row.try_get("provider")?,
                used_at: Timestamp::from_micros(row.try_get("used_at")?),
            })
        })
        .collect()
}

pub(super) async fn upsert(connection: &mut SqliteConnection, thing: &KeptThing) -> Result<(), sqlx::Error> {
    let statement = "INSERT INTO kept (kind, id, project_id, provider, used_at) VALUES (?, ?, ?, ?, ?)
                     ON CONFLICT DO UPDATE SET provider = excluded.provider, used_at = excluded.used_at";
    sqlx::query(statement)
        .bind(&thing.kind)
        .bind(&thing.id)
        .bind(thing.project.as_str())
        .bind(&thing.provider)
        .bind(thing.used_at.as_micros())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn forget_beyond(connection: &mut SqliteConnection, bounds: KeptBounds) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM kept WHERE used_at < ?")
        .bind(bounds.used_since.as_micros())
        .execute(&mut *connection)
        .await?;
    let statement = "DELETE FROM kept WHERE (kind, id, project_id) IN
                     (SELECT kind, id, project_id FROM kept ORDER BY used_at DESC LIMIT -1 OFFSET ?)";
    sqlx::query(statement).bind(bounds.most).execute(connection).await?;
    Ok(())
}
