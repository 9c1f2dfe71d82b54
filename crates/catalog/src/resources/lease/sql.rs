use signalbox_types::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::{Lease, LeaseAsk, LeaseTerm};

/// Compares and sets in one statement. Tells nothing if it is another's.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    ask: &LeaseAsk,
    now: Timestamp,
) -> Result<Option<Lease>, sqlx::Error> {
    let statement = "INSERT INTO leases AS own (name, holder, term, expires_at) VALUES (?1, ?2, 1, ?3)
                     ON CONFLICT (name) DO UPDATE SET
                         holder = excluded.holder,
                         term = own.term + (own.holder <> excluded.holder OR own.term IS NOT ?4),
                         expires_at = excluded.expires_at
                     WHERE own.expires_at <= ?5 OR (own.holder = excluded.holder AND (?4 IS NULL OR own.term = ?4))
                     RETURNING holder, term, expires_at";
    let row = sqlx::query(statement)
        .bind(&ask.name)
        .bind(&ask.holder)
        .bind(now.plus(ask.lasts).as_micros())
        .bind(ask.term)
        .bind(now.as_micros())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn find(connection: &mut SqliteConnection, name: &str) -> Result<Option<Lease>, sqlx::Error> {
    let statement = "SELECT holder, term, expires_at FROM leases WHERE name = ?";
    let row = sqlx::query(statement).bind(name).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn expire(
    connection: &mut SqliteConnection,
    own: &LeaseTerm,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE leases SET expires_at = ? WHERE name = ? AND holder = ? AND term = ?")
        .bind(now.as_micros())
        .bind(&own.name)
        .bind(&own.holder)
        .bind(own.term)
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether nobody has taken it since, however long ago it expired.
pub(crate) async fn is_of(connection: &mut SqliteConnection, term: &LeaseTerm) -> Result<bool, sqlx::Error> {
    let found = find(connection, &term.name).await?;
    Ok(found.is_some_and(|found| found.holder == term.holder && found.term == term.term))
}

fn read(row: &sqlx::sqlite::SqliteRow) -> Result<Lease, sqlx::Error> {
    Ok(Lease {
        holder: row.try_get("holder")?,
        term: row.try_get("term")?,
        expires_at: Timestamp::from_micros(row.try_get("expires_at")?),
    })
}
