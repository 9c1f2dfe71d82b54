use signalbox_types::{KeyId, ProjectId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::Key;
use crate::token::Digest;

/// A key with what only calls need.
pub(crate) struct KeyRow {
    pub(crate) project: ProjectId,
    pub(crate) hash: Digest,
    pub(crate) key: Key,
}

pub(crate) async fn all(connection: &mut SqliteConnection) -> Result<Vec<KeyRow>, sqlx::Error> {
    let statement =
        "SELECT project_id, hash, id, name, last4, created_at, created_by, revoked_at, last_used_at FROM keys";
    let rows = sqlx::query(statement).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(KeyRow { project: ProjectId::new(row.try_get("project_id")?), hash: digest(row)?, key: key(row)? })
        })
        .collect()
}

/// Newest first.
pub(crate) async fn of_project(
    connection: &mut SqliteConnection,
    project: &ProjectId,
) -> Result<Vec<Key>, sqlx::Error> {
    let statement = "SELECT id, name, last4, created_at, created_by, revoked_at, last_used_at
                     FROM keys WHERE project_id = ? ORDER BY created_at DESC, id";
    let rows = sqlx::query(statement).bind(project.as_str()).fetch_all(connection).await?;
    rows.iter().map(key).collect()
}

/// Nobody made it: it came with the house. `false` if there is no such key.
pub(crate) async fn is_first(connection: &mut SqliteConnection, id: &KeyId) -> Result<bool, sqlx::Error> {
    let statement = "SELECT count(*) FROM keys WHERE id = ? AND created_by IS NULL";
    let found: i64 = sqlx::query_scalar(statement).bind(id.as_str()).fetch_one(connection).await?;
    Ok(found > 0)
}

pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    key: &Key,
    hash: Digest,
) -> Result<(), sqlx::Error> {
    let statement =
        "INSERT INTO keys (id, project_id, name, hash, last4, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?, ?)";
    sqlx::query(statement)
        .bind(key.id.as_str())
        .bind(project.as_str())
        .bind(&key.name)
        .bind(hash.0.as_slice())
        .bind(&key.last4)
        .bind(key.created_at.as_micros())
        .bind(key.created_by.as_ref().map(KeyId::as_str))
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn revoke(connection: &mut SqliteConnection, id: &KeyId, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE keys SET revoked_at = ? WHERE id = ?")
        .bind(now.as_micros())
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn set_last_used(
    connection: &mut SqliteConnection,
    id: &KeyId,
    last_used: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE keys SET last_used_at = ?1 WHERE id = ?2 AND last_used_at IS NOT ?1")
        .bind(last_used.as_micros())
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// The digest in column `hash`.
pub(crate) fn digest(row: &SqliteRow) -> Result<Digest, sqlx::Error> {
    let bytes: &[u8] = row.try_get("hash")?;
    bytes.try_into().map(Digest).map_err(|_| sqlx::Error::Decode("a hash has not 32 bytes".into()))
}

fn key(row: &SqliteRow) -> Result<Key, sqlx::Error> {
    let time = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    Ok(Key {
        id: KeyId::new(row.try_get("id")?),
        name: row.try_get("name")?,
        last4: row.try_get("last4")?,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        created_by: row.try_get::<Option<&str>, _>("created_by")?.map(KeyId::new),
        revoked_at: time(row.try_get("revoked_at")?),
        last_used_at: time(row.try_get("last_used_at")?),
    })
}
