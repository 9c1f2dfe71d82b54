//! What differs between two versions. Chunks that both have aren't read.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use signalbox_types::ProjectId;
use sqlx::SqliteConnection;

use super::item::Hash;
use super::manifest::Entry;
use super::{DatasetVersion, sql};
use crate::catalog::Catalog;
use crate::error::CatalogError;

/// Places in an item that are told apart.
const MAX_FIELD_CHANGES: usize = 200;

/// What differs.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetDiff {
    /// Items that only the second version has.
    pub added: u64,
    /// Items that only the first version has.
    pub removed: u64,
    /// Items that both have, with other content.
    pub changed: u64,
    /// A page of them: those of the second version in its order, then those that are gone.
    pub entries: Vec<DiffEntry>,
    /// Where to go on.
    pub next: Option<u64>,
}

/// An item that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct DiffEntry {
    /// What it is called.
    pub id: String,
    /// It was there before, as its fields; `Some(None)` if it was erased since.
    pub before: Option<Option<Value>>,
    /// It is there now.
    pub after: Option<Option<Value>>,
    /// Where the two differ, if it is in both.
    pub fields: Vec<FieldChange>,
}

/// A place where two items differ.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// Where, e.g. `input.messages[1].content`.
    pub path: String,
    /// What stood there; `None` if nothing.
    pub before: Option<Value>,
    /// What stands there.
    pub after: Option<Value>,
}

/// An item that differs, by hash.
struct Difference {
    id: String,
    before: Option<Hash>,
    after: Option<Hash>,
}

impl Catalog {
    /// What differs between two versions of a dataset, or between nothing and one: a page of it.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn diff_dataset(
        &self,
        project: &ProjectId,
        from: Option<&DatasetVersion>,
        to: &DatasetVersion,
        start: u64,
        limit: usize,
    ) -> Result<DatasetDiff, CatalogError> {
        let (project, from, to) = (project.clone(), from.cloned(), to.clone());
        self.read(move |connection| {
            Box::pin(async move {
                let all = differences(connection, from.as_ref(), &to).await?;
                page(connection, &project, &all, usize::try_from(start).unwrap_or(usize::MAX), limit).await
            })
        })
        .await
    }
}

async fn differences(
    connection: &mut SqliteConnection,
    from: Option<&DatasetVersion>,
    to: &DatasetVersion,
) -> Result<Vec<Difference>, sqlx::Error> {
    let before = match from {
        Some(from) => only(connection, from, Some(to)).await?,
        None => Vec::new(),
    };
    let after = only(connection, to, from).await?;
    let mut old: HashMap<&str, Hash> = before.iter().map(|entry| (entry.id.as_str(), entry.hash)).collect();
    let mut all = Vec::new();
    for entry in &after {
        let before = old.remove(entry.id.as_str());
        if before != Some(entry.hash) {
            all.push(Difference { id: entry.id.clone(), before, after: Some(entry.hash) });
        }
    }
    let gone = before.iter().filter(|entry| old.contains_key(entry.id.as_str()));
    all.extend(gone.map(|entry| Difference { id: entry.id.clone(), before: Some(entry.hash), after: None }));
    Ok(all)
}

/// The entries of chunks that the other version hasn't. What is in a chunk of both is in both alike.
async fn only(
    connection: &mut SqliteConnection,
    version: &DatasetVersion,
    other: Option<&DatasetVersion>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let both: HashSet<Hash> = other.iter().flat_map(|other| &other.chunks).map(|chunk| chunk.hash).collect();
    let mut entries = Vec::new();
    for chunk in version.chunks.iter().filter(|chunk| !both.contains(&chunk.hash)) {
        entries.extend(sql::entries(connection, version.dataset, chunk).await?);
    }
    Ok(entries)
}

async fn page(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    all: &[Difference],
    start: usize,
    limit: usize,
) -> Result<DatasetDiff, sqlx::Error> {
    let count = |fits: fn(&Difference) -> bool| all.iter().filter(|one| fits(one)).count() as u64;
    let page: Vec<&Difference> = all.iter().skip(start).take(limit).collect();
    let hashes: Vec<Hash> = page.iter().flat_map(|one| [one.before, one.after]).flatten().collect();
    let bodies = sql::bodies(connection, project, &hashes).await?;
    let fields = |hash: Hash| -> Result<Option<Value>, sqlx::Error> {
        let body = bodies.get(&hash).map(|body| serde_json::from_str(body)).transpose();
        body.map_err(|error| sqlx::Error::Decode(error.into()))
    };
    let mut entries = Vec::with_capacity(page.len());
    for one in &page {
        let (before, after) = (one.before.map(fields).transpose()?, one.after.map(fields).transpose()?);
        let mut changes = Vec::new();
        if let (Some(Some(before)), Some(Some(after))) = (&before, &after) {
            compare(before, after, "", &mut changes);
        }
        entries.push(DiffEntry { id: one.id.clone(), before, after, fields: changes });
    }
    let next = start.saturating_add(page.len());
    Ok(DatasetDiff {
        added: count(|one| one.before.is_none()),
        removed: count(|one| one.after.is_none()),
        changed: count(|one| one.before.is_some() && one.after.is_some()),
        entries,
        next: (next < all.len()).then_some(next as u64),
    })
}

fn compare(before: &Value, after: &Value, path: &str, changes: &mut Vec<FieldChange>) {
    if before == after || changes.len() >= MAX_FIELD_CHANGES {
        return;
    }
    let mut note = |path: String, before: Option<&Value>, after: Option<&Value>| {
        changes.push(FieldChange { path, before: before.cloned(), after: after.cloned() });
    };
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let within = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            for (key, value) in new {
                match old.get(key) {
                    Some(before) => compare(before, value, &within(key), changes),
                    None => changes.push(FieldChange { path: within(key), before: None, after: Some(value.clone()) }),
                }
            }
            for (key, value) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
                changes.push(FieldChange { path: within(key), before: Some(value.clone()), after: None });
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (i, (before, after)) in old.iter().zip(new).enumerate() {
                compare(before, after, &format!("{path}[{i}]"), changes);
            }
        }
        (before, after) => note(path.to_owned(), Some(before), Some(after)),
    }
}

#[cfg(test)]
mod unit {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_compared_as_deep_as_they_go() {
        let before = json!({"input": {"messages": [{"content": "a"}, {"content": "b"}]}, "gone": 1, "list": [1]});
        let after = json!({"input": {"messages": [{"content": "a"}, {"content": "c"}]}, "new": true, "list": [1, 2]});
        let mut changes = Vec::new();
        compare(&before, &after, "", &mut changes);
        let shown: Vec<String> = changes
            .iter()
            .map(|change| {
                let text = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
                format!("{} {} {}", change.path, text(&change.before), text(&change.after))
            })
            .collect();
        assert_eq!(shown, [r#"input.messages[1].content "b" "c""#, "new - true", "list [1] [1,2]", "gone 1 -"]);
    }
}
