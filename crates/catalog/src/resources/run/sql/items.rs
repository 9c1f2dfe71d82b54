//! Statements about the items of runs.

use std::collections::BTreeMap;

use signalbox_types::Money;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::super::types::{ItemNumbers, ItemOrder, ItemsAsk, RunItem, RunScore};
use super::{json, text};

/// Adds items or replaces them, and keeps the run's counts. How many are new.
pub(in crate::resources::run) async fn add(
    connection: &mut SqliteConnection,
    run: i64,
    items: &[RunItem],
) -> Result<u64, sqlx::Error> {
    let (mut added, mut failed) = (0_u64, 0_i64);
    for item in items {
        let statement = "SELECT failed FROM run_items WHERE run = ? AND item_id = ?";
        let before: Option<i64> =
            sqlx::query_scalar(statement).bind(run).bind(&item.item_id).fetch_optional(&mut *connection).await?;
        added += u64::from(before.is_none());
        let fails = is_failed(item);
        failed += i64::from(fails) - before.unwrap_or(0);
        insert(connection, run, item, fails).await?;
        if before.is_some() {
            let statement = "DELETE FROM run_scores WHERE run = ? AND item_id = ?";
            sqlx::query(statement).bind(run).bind(&item.item_id).execute(&mut *connection).await?;
        }
        for (metric, score) in &item.scores {
            insert_score(connection, run, &item.item_id, metric, score).await?;
        }
    }
    let statement = "UPDATE runs SET items = items + ?, failed_items = failed_items + ? WHERE number = ?";
    let counted = i64::try_from(added).unwrap_or(i64::MAX);
    sqlx::query(statement).bind(counted).bind(failed).bind(run).execute(connection).await?;
    Ok(added)
}

fn is_failed(item: &RunItem) -> bool {
    item.error.is_some() || item.scores.values().any(|score| score.passed == Some(false) || score.error.is_some())
}

fn integer(number: Option<u64>) -> Option<i64> {
    number.map(|number| i64::try_from(number).unwrap_or(i64::MAX))
}

async fn insert(connection: &mut SqliteConnection, run: i64, item: &RunItem, failed: bool) -> Result<(), sqlx::Error> {
    let segments = (!item.segments.is_empty()).then(|| text(&item.segments)).transpose()?;
    let statement = "INSERT OR REPLACE INTO run_items
                     (run, item_id, failed, error, latency_ms, input_tokens, output_tokens, cost, trace_id, segments)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    sqlx::query(statement)
        .bind(run)
        .bind(&item.item_id)
        .bind(failed)
        .bind(&item.error)
        .bind(item.latency_ms)
        .bind(integer(item.input_tokens))
        .bind(integer(item.output_tokens))
        .bind(item.cost.map(|cost| i64::try_from(cost.as_picos()).unwrap_or(i64::MAX)))
        .bind(&item.trace_id)
        .bind(segments)
        .execute(&mut *connection)
        .await?;
    let statement =
        "INSERT OR REPLACE INTO run_contents (run, item_id, input, expected, output) VALUES (?, ?, ?, ?, ?)";
    sqlx::query(statement)
        .bind(run)
        .bind(&item.item_id)
        .bind(&item.input)
        .bind(&item.expected)
        .bind(&item.output)
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert_score(
    connection: &mut SqliteConnection,
    run: i64,
    item_id: &str,
    metric: &str,
    score: &RunScore,
) -> Result<(), sqlx::Error> {
    let evidence = (!score.evidence.is_empty()).then(|| text(&score.evidence)).transpose()?;
    let statement = "INSERT INTO run_scores (run, item_id, metric, value, passed, label, reason, error, evidence)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    sqlx::query(statement)
        .bind(run)
        .bind(item_id)
        .bind(metric)
        .bind(score.value)
        .bind(score.passed)
        .bind(&score.label)
        .bind(&score.reason)
        .bind(&score.error)
        .bind(evidence)
        .execute(connection)
        .await?;
    Ok(())
}

/// One page. What it is sorted by is one column, so that one statement serves every order.
pub(in crate::resources::run) async fn page(
    connection: &mut SqliteConnection,
    run: i64,
    ask: &ItemsAsk,
) -> Result<Vec<RunItem>, sqlx::Error> {
    let statement = "SELECT i.item_id, CASE ?2
                       WHEN 'latency' THEN i.latency_ms
                       WHEN 'cost' THEN i.cost
                       WHEN 'tokens' THEN coalesce(i.input_tokens, 0) + coalesce(i.output_tokens, 0)
                       WHEN 'score' THEN coalesce(s.value, s.passed) END AS place
                     FROM run_items i
                     LEFT JOIN run_scores s ON s.run = i.run AND s.item_id = i.item_id AND s.metric = ?3
                     WHERE i.run = ?1 AND (i.failed OR NOT ?4)
                     ORDER BY place IS NULL, place * ?5, i.item_id LIMIT ?6 OFFSET ?7";
    let (word, metric) = match &ask.order {
        ItemOrder::Id => ("id", None),
        ItemOrder::Latency => ("latency", None),
        ItemOrder::Cost => ("cost", None),
        ItemOrder::Tokens => ("tokens", None),
        ItemOrder::Score(metric) => ("score", Some(metric.as_str())),
    };
    let ids: Vec<String> = sqlx::query(statement)
        .bind(run)
        .bind(word)
        .bind(metric)
        .bind(ask.failed)
        .bind(if ask.descending { -1_i64 } else { 1 })
        .bind(ask.limit)
        .bind(i64::try_from(ask.offset).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await?
        .iter()
        .map(|row| row.try_get("item_id"))
        .collect::<Result<_, _>>()?;
    some(connection, run, &ids).await
}

/// Items with all that belongs to them, in the order of their ids in the list.
pub(in crate::resources::run) async fn some(
    connection: &mut SqliteConnection,
    run: i64,
    ids: &[String],
) -> Result<Vec<RunItem>, sqlx::Error> {
    let mut items = Vec::with_capacity(ids.len());
    for id in ids {
        let statement = "SELECT i.*, c.input, c.expected, c.output
                         FROM run_items i JOIN run_contents c ON c.run = i.run AND c.item_id = i.item_id
                         WHERE i.run = ? AND i.item_id = ?";
        let Some(row) = sqlx::query(statement).bind(run).bind(id).fetch_optional(&mut *connection).await? else {
            continue;
        };
        let statement = "SELECT metric, value, passed, label, reason, error, evidence
                         FROM run_scores WHERE run = ? AND item_id = ?";
        let scores = sqlx::query(statement).bind(run).bind(id).fetch_all(&mut *connection).await?;
        items.push(whole(&row, &scores)?);
    }
    Ok(items)
}

fn whole(row: &SqliteRow, scores: &[SqliteRow]) -> Result<RunItem, sqlx::Error> {
    let numbers = numbers_of(row)?;
    let score = |row: &SqliteRow| {
        let evidence = row.try_get::<Option<&str>, _>("evidence")?.map(json).transpose()?.unwrap_or_default();
        let (metric, score) = numbers_of_score(row)?;
        let score = RunScore { reason: row.try_get("reason")?, error: row.try_get("error")?, evidence, ..score };
        Ok::<_, sqlx::Error>((metric, score))
    };
    Ok(RunItem {
        item_id: numbers.item_id,
        input: row.try_get("input")?,
        expected: row.try_get("expected")?,
        output: row.try_get("output")?,
        error: row.try_get("error")?,
        latency_ms: numbers.latency_ms,
        input_tokens: numbers.input_tokens,
        output_tokens: numbers.output_tokens,
        cost: numbers.cost,
        trace_id: row.try_get("trace_id")?,
        segments: numbers.segments,
        scores: scores.iter().map(score).collect::<Result<_, _>>()?,
    })
}

/// The numbers of all items, by their ids.
pub(in crate::resources::run) async fn numbers(
    connection: &mut SqliteConnection,
    run: i64,
) -> Result<Vec<ItemNumbers>, sqlx::Error> {
    let statement = "SELECT item_id, error, latency_ms, input_tokens, output_tokens, cost, segments
                     FROM run_items WHERE run = ? ORDER BY item_id";
    let rows = sqlx::query(statement).bind(run).fetch_all(&mut *connection).await?;
    let mut items = rows.iter().map(numbers_of).collect::<Result<Vec<_>, _>>()?;
    let statement = "SELECT item_id, metric, value, passed, label, error IS NOT NULL AS is_error
                     FROM run_scores WHERE run = ? ORDER BY item_id";
    let rows = sqlx::query(statement).bind(run).fetch_all(connection).await?;
    // Both are sorted by the same key, so they are read side by side.
    let mut at = 0;
    for row in &rows {
        let id: &str = row.try_get("item_id")?;
        while items.get(at).is_some_and(|item| item.item_id.as_str() < id) {
            at += 1;
        }
        if let Some(item) = items.get_mut(at).filter(|item| item.item_id == id) {
            let (metric, mut score) = numbers_of_score(row)?;
            score.error = row.try_get::<bool, _>("is_error")?.then(String::new);
            item.scores.insert(metric, score);
        }
    }
    Ok(items)
}

fn numbers_of(row: &SqliteRow) -> Result<ItemNumbers, sqlx::Error> {
    let count =
        |name: &str| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(name)?.map(|number| number.unsigned_abs()));
    let segments: Option<BTreeMap<String, String>> =
        row.try_get::<Option<&str>, _>("segments")?.map(json).transpose()?;
    Ok(ItemNumbers {
        item_id: row.try_get("item_id")?,
        is_error: row.try_get::<Option<&str>, _>("error")?.is_some(),
        latency_ms: row.try_get("latency_ms")?,
        input_tokens: count("input_tokens")?,
        output_tokens: count("output_tokens")?,
        cost: row.try_get::<Option<i64>, _>("cost")?.map(|picos| Money::from_picos(picos.into())),
        segments: segments.unwrap_or_default(),
        scores: BTreeMap::new(),
    })
}

fn numbers_of_score(row: &SqliteRow) -> Result<(String, RunScore), sqlx::Error> {
    let (value, passed) = (row.try_get("value")?, row.try_get("passed")?);
    let score = RunScore { value, passed, label: row.try_get("label")?, ..RunScore::default() };
    Ok((row.try_get("metric")?, score))
}
