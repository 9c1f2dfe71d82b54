use std::collections::HashMap;

use serde_json::{Value, json};
use signalbox_types::{KeyId, ProjectId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::item::{DatasetItem, Hash, hex};
use super::manifest::{self, Chunk, ChunkRef, Entry};
use super::{Dataset, DatasetRef, DatasetVersion, RefKind};

const DATASET: &str = "SELECT d.id, d.name, d.description, d.schema, d.created_at, d.created_by,
    (SELECT count(*) FROM dataset_versions v WHERE v.dataset_id = d.id) AS versions,
    (SELECT version FROM dataset_refs r WHERE r.dataset_id = d.id AND r.name = 'main') AS head
    FROM datasets d WHERE d.project_id = ?";
const VERSION: &str =
    "SELECT seq, dataset_id, id, parent, content, message, author, author_name, made_at, shares, items,
    splits, added, replaced, removed, chunks FROM dataset_versions v";

pub(super) async fn of_project(
    connection: &mut SqliteConnection,
    project: &ProjectId,
) -> Result<Vec<Dataset>, sqlx::Error> {
    let statement = format!("{DATASET} ORDER BY d.name");
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(project.as_str()).fetch_all(&mut *connection).await?;
    let mut datasets = Vec::with_capacity(rows.len());
    for row in &rows {
        datasets.push(dataset(connection, row).await?);
    }
    Ok(datasets)
}

pub(super) async fn by_name(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    name: &str,
) -> Result<Option<Dataset>, sqlx::Error> {
    let statement = format!("{DATASET} AND d.name = ?");
    let query = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(project.as_str()).bind(name);
    match query.fetch_optional(&mut *connection).await? {
        Some(row) => dataset(connection, &row).await.map(Some),
        None => Ok(None),
    }
}

async fn dataset(connection: &mut SqliteConnection, row: &SqliteRow) -> Result<Dataset, sqlx::Error> {
    let id: i64 = row.try_get("id")?;
    let latest = match row.try_get::<Option<&str>, _>("head")? {
        Some(head) => version(connection, id, head).await?,
        None => None,
    };
    Ok(Dataset {
        row: id,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        schema: row.try_get::<Option<&str>, _>("schema")?.map(json_of).transpose()?,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        created_by: KeyId::new(row.try_get("created_by")?),
        versions: count(row, "versions")?,
        latest,
    })
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    made: &Dataset,
) -> Result<i64, sqlx::Error> {
    let statement = "INSERT INTO datasets (project_id, name, description, schema, created_at, created_by)
                     VALUES (?, ?, ?, ?, ?, ?)";
    let done = sqlx::query(statement)
        .bind(project.as_str())
        .bind(&made.name)
        .bind(&made.description)
        .bind(made.schema.as_ref().map(Value::to_string))
        .bind(made.created_at.as_micros())
        .bind(made.created_by.as_str())
        .execute(connection)
        .await?;
    Ok(done.last_insert_rowid())
}

pub(super) async fn update(connection: &mut SqliteConnection, after: &Dataset) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE datasets SET name = ?, description = ?, schema = ? WHERE id = ?")
        .bind(&after.name)
        .bind(&after.description)
        .bind(after.schema.as_ref().map(Value::to_string))
        .bind(after.row)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn delete(connection: &mut SqliteConnection, dataset: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM datasets WHERE id = ?").bind(dataset).execute(connection).await.map(drop)
}

/// Items that no dataset has any more.
pub(super) async fn forget_unused(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let statement =
        "DELETE FROM dataset_items WHERE NOT EXISTS (SELECT 1 FROM dataset_uses WHERE item_id = dataset_items.id)";
    sqlx::query(statement).execute(connection).await.map(drop)
}

/// What imports had brought that the process didn't live to finish.
pub(crate) async fn forget_staged(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let done = sqlx::query("DELETE FROM dataset_uses WHERE stage <> 0").execute(&mut *connection).await?;
    if done.rows_affected() > 0 {
        forget_unused(connection).await?;
    }
    Ok(())
}

pub(super) async fn unstage(connection: &mut SqliteConnection, stage: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM dataset_uses WHERE stage = ? AND stage <> 0")
        .bind(stage)
        .execute(connection)
        .await
        .map(drop)
}

/// What an import has brought is part of the dataset from now on.
pub(super) async fn settle(connection: &mut SqliteConnection, stage: i64) -> Result<(), sqlx::Error> {
    let statement = "INSERT OR IGNORE INTO dataset_uses (item_id, dataset_id, stage)
                     SELECT item_id, dataset_id, 0 FROM dataset_uses WHERE stage = ? AND stage <> 0";
    sqlx::query(statement).bind(stage).execute(&mut *connection).await?;
    unstage(connection, stage).await
}

/// Keeps items, each once; one that was erased comes back if somebody brings it again.
pub(super) async fn insert_items(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    (dataset, stage): (i64, i64),
    items: &[&DatasetItem],
) -> Result<(), sqlx::Error> {
    let row = |item: &&DatasetItem| {
        let source = &item.source;
        json!([hex(&item.hash), item.body, source.trace_id, source.session_id, source.user_id])
    };
    // One statement for all of them: a round trip for each would take ten times as long.
    let rows = Value::Array(items.iter().map(row).collect()).to_string();
    let statement = "INSERT INTO dataset_items (project_id, hash, body, trace_id, session_id, user_id)
        SELECT ?, unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?) WHERE true
        ON CONFLICT (project_id, hash) DO UPDATE SET body = excluded.body, trace_id = excluded.trace_id,
            session_id = excluded.session_id, user_id = excluded.user_id WHERE dataset_items.body IS NULL";
    sqlx::query(statement).bind(project.as_str()).bind(&rows).execute(&mut *connection).await?;
    let statement = "INSERT OR IGNORE INTO dataset_uses (item_id, dataset_id, stage)
        SELECT i.id, ?, ? FROM json_each(?) AS j
        JOIN dataset_items i ON i.project_id = ? AND i.hash = unhex(j.value ->> 0)";
    sqlx::query(statement)
        .bind(dataset)
        .bind(stage)
        .bind(&rows)
        .bind(project.as_str())
        .execute(connection)
        .await
        .map(drop)
}

/// The bodies of items by hash; those that were erased are absent.
pub(super) async fn bodies(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    hashes: &[Hash],
) -> Result<HashMap<Hash, String>, sqlx::Error> {
    let hashes = Value::Array(hashes.iter().map(|hash| Value::String(hex(hash))).collect()).to_string();
    let statement = "SELECT hash, body FROM dataset_items WHERE project_id = ? AND body IS NOT NULL
                     AND hash IN (SELECT unhex(value) FROM json_each(?))";
    let rows = sqlx::query(statement).bind(project.as_str()).bind(hashes).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((hash(row, "hash")?, row.try_get("body")?))).collect()
}

/// Forgets what items say that were made from this; how many there were.
pub(super) async fn erase(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    column: &'static str,
    values: &[String],
) -> Result<u64, sqlx::Error> {
    let statement = format!(
        "UPDATE dataset_items SET body = NULL, trace_id = NULL, session_id = NULL, user_id = NULL
         WHERE project_id = ? AND {column} IN (SELECT value FROM json_each(?))"
    );
    let done = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(project.as_str())
        .bind(json!(values).to_string())
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

pub(super) async fn insert_chunk(
    connection: &mut SqliteConnection,
    dataset: i64,
    chunk: &Chunk,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT OR IGNORE INTO dataset_chunks (dataset_id, hash, body) VALUES (?, ?, ?)")
        .bind(dataset)
        .bind(chunk.of.hash.as_slice())
        .bind(chunk.body.as_slice())
        .execute(connection)
        .await
        .map(drop)
}

pub(super) async fn entries(
    connection: &mut SqliteConnection,
    dataset: i64,
    chunk: &ChunkRef,
) -> Result<Vec<Entry>, sqlx::Error> {
    let body: Vec<u8> = sqlx::query_scalar("SELECT body FROM dataset_chunks WHERE dataset_id = ? AND hash = ?")
        .bind(dataset)
        .bind(chunk.hash.as_slice())
        .fetch_one(connection)
        .await?;
    manifest::entries(&body)
}

pub(super) async fn insert_version(
    connection: &mut SqliteConnection,
    made: &DatasetVersion,
) -> Result<i64, sqlx::Error> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let statement =
        "INSERT INTO dataset_versions (dataset_id, id, parent, content, message, author, author_name, made_at,
                     shares, items, splits, added, replaced, removed, chunks)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let done = sqlx::query(statement)
        .bind(made.dataset)
        .bind(&made.id)
        .bind(&made.parent)
        .bind(&made.content)
        .bind(&made.message)
        .bind(made.author.as_str())
        .bind(&made.author_name)
        .bind(made.made_at.as_micros())
        .bind(json!(made.shares).to_string())
        .bind(number(made.items))
        .bind(json!(made.splits).to_string())
        .bind(number(made.added))
        .bind(number(made.replaced))
        .bind(number(made.removed))
        .bind(manifest::write(&made.chunks))
        .execute(connection)
        .await?;
    Ok(done.last_insert_rowid())
}

pub(super) async fn version(
    connection: &mut SqliteConnection,
    dataset: i64,
    id: &str,
) -> Result<Option<DatasetVersion>, sqlx::Error> {
    Ok(versions_like(connection, dataset, id).await?.pop())
}

/// Those whose id begins like this, two at most.
pub(super) async fn versions_like(
    connection: &mut SqliteConnection,
    dataset: i64,
    begin: &str,
) -> Result<Vec<DatasetVersion>, sqlx::Error> {
    let statement = format!("{VERSION} WHERE dataset_id = ? AND id >= ? AND id < ? LIMIT 2");
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(dataset)
        .bind(begin)
        // Beyond every digit.
        .bind(format!("{begin}~"))
        .fetch_all(connection)
        .await?;
    rows.iter().map(read_version).collect()
}

/// Newest first, from before a row on: all of a dataset, or those that lead to a version.
pub(super) async fn versions(
    connection: &mut SqliteConnection,
    dataset: i64,
    head: Option<&str>,
    (before, limit): (i64, u32),
) -> Result<Vec<DatasetVersion>, sqlx::Error> {
    let line = "WITH RECURSIVE line (id, parent) AS (
            SELECT id, parent FROM dataset_versions WHERE dataset_id = ?1 AND id = ?2
            UNION SELECT v.id, v.parent FROM dataset_versions v JOIN line ON v.id = line.parent WHERE v.dataset_id = ?1)";
    let statement = match head {
        Some(_) => format!(
            "{line} {VERSION} WHERE dataset_id = ?1 AND seq < ?3 AND id IN (SELECT id FROM line) ORDER BY seq DESC LIMIT ?4"
        ),
        None => format!("{VERSION} WHERE dataset_id = ?1 AND ?2 IS NULL AND seq < ?3 ORDER BY seq DESC LIMIT ?4"),
    };
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(dataset)
        .bind(head)
        .bind(before)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read_version).collect()
}

fn read_version(row: &SqliteRow) -> Result<DatasetVersion, sqlx::Error> {
    Ok(DatasetVersion {
        seq: row.try_get("seq")?,
        dataset: row.try_get("dataset_id")?,
        chunks: manifest::read(row.try_get("chunks")?)?,
        id: row.try_get("id")?,
        parent: row.try_get("parent")?,
        content: row.try_get("content")?,
        message: row.try_get("message")?,
        author: KeyId::new(row.try_get("author")?),
        author_name: row.try_get("author_name")?,
        made_at: Timestamp::from_micros(row.try_get("made_at")?),
        shares: json_of(row.try_get("shares")?)?,
        items: count(row, "items")?,
        splits: json_of(row.try_get("splits")?)?,
        added: count(row, "added")?,
        replaced: count(row, "replaced")?,
        removed: count(row, "removed")?,
    })
}

pub(super) async fn refs(connection: &mut SqliteConnection, dataset: i64) -> Result<Vec<DatasetRef>, sqlx::Error> {
    let statement = "SELECT name, kind, version, set_at FROM dataset_refs WHERE dataset_id = ? ORDER BY kind, name";
    let rows = sqlx::query(statement).bind(dataset).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(DatasetRef {
                name: row.try_get("name")?,
                kind: if row.try_get::<&str, _>("kind")? == "tag" { RefKind::Tag } else { RefKind::Branch },
                version: row.try_get("version")?,
                set_at: Timestamp::from_micros(row.try_get("set_at")?),
            })
        })
        .collect()
}

pub(super) async fn set_ref(
    connection: &mut SqliteConnection,
    dataset: i64,
    reference: &DatasetRef,
) -> Result<(), sqlx::Error> {
    let statement = "INSERT INTO dataset_refs (dataset_id, name, kind, version, set_at) VALUES (?, ?, ?, ?, ?)
                     ON CONFLICT DO UPDATE SET version = excluded.version, set_at = excluded.set_at";
    sqlx::query(statement)
        .bind(dataset)
        .bind(&reference.name)
        .bind(reference.kind.as_str())
        .bind(&reference.version)
        .bind(reference.set_at.as_micros())
        .execute(connection)
        .await
        .map(drop)
}

pub(super) async fn delete_ref(connection: &mut SqliteConnection, dataset: i64, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM dataset_refs WHERE dataset_id = ? AND name = ?")
        .bind(dataset)
        .bind(name)
        .execute(connection)
        .await
        .map(drop)
}

fn hash(row: &SqliteRow, column: &str) -> Result<Hash, sqlx::Error> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| manifest::damaged("an item of a dataset"))
}

fn count(row: &SqliteRow, column: &str) -> Result<u64, sqlx::Error> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or_default())
}

fn json_of<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}
