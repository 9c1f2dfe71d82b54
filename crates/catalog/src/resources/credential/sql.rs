use signalbox_types::{KeyId, Timestamp};
use sqlx::{Row as _, SqliteConnection};

use super::{Credential, Sealed};

pub(crate) async fn all(connection: &mut SqliteConnection) -> Result<Vec<Sealed>, sqlx::Error> {
    let statement = "SELECT name, sealed, key_id, last4, set_at, set_by FROM credentials ORDER BY name";
    let rows = sqlx::query(statement).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let shown = Credential {
                name: row.try_get("name")?,
                last4: row.try_get("last4")?,
                set_at: Timestamp::from_micros(row.try_get("set_at")?),
                set_by: KeyId::new(row.try_get("set_by")?),
                fault: None,
            };
            Ok(Sealed { shown, sealed: row.try_get("sealed")?, key_id: row.try_get("key_id")? })
        })
        .collect()
}

pub(super) async fn set(connection: &mut SqliteConnection, one: &Sealed) -> Result<(), sqlx::Error> {
    let statement = "INSERT INTO credentials (name, sealed, key_id, last4, set_at, set_by) VALUES (?, ?, ?, ?, ?, ?)
                     ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, key_id = excluded.key_id,
                     last4 = excluded.last4, set_at = excluded.set_at, set_by = excluded.set_by";
    sqlx::query(statement)
        .bind(&one.shown.name)
        .bind(one.sealed.as_slice())
        .bind(&one.key_id)
        .bind(&one.shown.last4)
        .bind(one.shown.set_at.as_micros())
        .bind(one.shown.set_by.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn delete(connection: &mut SqliteConnection, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM credentials WHERE name = ?").bind(name).execute(connection).await?;
    Ok(())
}
