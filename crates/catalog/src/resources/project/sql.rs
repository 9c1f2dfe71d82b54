use signalbox_types::{ProjectId, Timestamp};
use sqlx::SqliteConnection;

/// Nobody has used this catalog yet.
pub(crate) async fn none(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let projects: i64 = sqlx::query_scalar("SELECT count(*) FROM projects").fetch_one(connection).await?;
    Ok(projects == 0)
}

pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    id: &ProjectId,
    name: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO projects (id, name, created_at) VALUES (?, ?, ?)")
        .bind(id.as_str())
        .bind(name)
        .bind(now.as_micros())
        .execute(connection)
        .await?;
    Ok(())
}
