use signalbox_types::{KeyId, Timestamp};
use sqlx::{Row as _, SqliteConnection};

use crate::resources::key::sql::digest;
use crate::token::Digest;

pub(crate) struct SessionRow {
    pub(crate) hash: Digest,
    pub(crate) key_id: KeyId,
    pub(crate) expires_at: Timestamp,
}

pub(crate) async fn all(connection: &mut SqliteConnection) -> Result<Vec<SessionRow>, sqlx::Error> {
    let rows = sqlx::query("SELECT hash, key_id, expires_at FROM sessions").fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(SessionRow {
                hash: digest(row)?,
                key_id: KeyId::new(row.try_get("key_id")?),
                expires_at: Timestamp::from_micros(row.try_get("expires_at")?),
            })
        })
        .collect()
}

/// `false` if the key doesn't work (any more), and then nothing was written.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    hash: Digest,
    key: &KeyId,
    created_at: Timestamp,
    expires_at: Timestamp,
) -> Result<bool, sqlx::Error> {
    let statement = "INSERT INTO sessions (hash, key_id, created_at, expires_at)
                     SELECT ?, id, ?, ? FROM keys WHERE id = ? AND revoked_at IS NULL";
    let done = sqlx::query(statement)
        .bind(hash.0.as_slice())
        .bind(created_at.as_micros())
        .bind(expires_at.as_micros())
        .bind(key.as_str())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn delete(connection: &mut SqliteConnection, hash: Digest) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM sessions WHERE hash = ?").bind(hash.0.as_slice()).execute(connection).await?;
    Ok(())
}

pub(crate) async fn delete_of_key(connection: &mut SqliteConnection, key: &KeyId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM sessions WHERE key_id = ?").bind(key.as_str()).execute(connection).await?;
    Ok(())
}

pub(crate) async fn delete_expired(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM sessions WHERE expires_at <= ?").bind(now.as_micros()).execute(connection).await?;
    Ok(())
}

/// All but the `keep` newest of a key.
pub(crate) async fn delete_oldest(
    connection: &mut SqliteConnection,
    key: &KeyId,
    keep: u32,
) -> Result<(), sqlx::Error> {
    let statement = "DELETE FROM sessions WHERE key_id = ?1 AND hash NOT IN
                     (SELECT hash FROM sessions WHERE key_id = ?1 ORDER BY created_at DESC, hash LIMIT ?2)";
    sqlx::query(statement).bind(key.as_str()).bind(keep).execute(connection).await?;
    Ok(())
}
