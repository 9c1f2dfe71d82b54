//! Versions and their items.

use serde_json::Value;
use signalbox_types::ProjectId;
use sqlx::SqliteConnection;

use super::item::{Hash, hex};
use super::manifest::Entry;
use super::name::looks_like_version;
use super::{Dataset, DatasetVersion, sql, unknown};
use crate::catalog::Catalog;
use crate::error::CatalogError;

/// A page ends before its bodies have more bytes than this, unless it is one item.
const PAGE_BYTES: usize = 8 * 1024 * 1024;
/// Bodies that a search reads for a page.
const SEARCHED: usize = 20_000;
/// Bodies that are read at once.
const STEP: usize = 256;

/// Which items.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ItemFilter {
    /// Of this split; the empty name means those without one.
    pub split: Option<String>,
    /// That have this text in their id or in any field, in whatever case.
    pub text: Option<String>,
}

/// An item of a version.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredItem {
    /// What it is called.
    pub id: String,
    /// BLAKE3 of its canonical form.
    pub hash: String,
    /// Its place in the version, from 0.
    pub position: u64,
    /// The split that it belongs to: as it says, or by the version's shares.
    pub split: Option<String>,
    /// Its fields; `None` since it was erased.
    pub fields: Option<Value>,
}

/// Items, and where to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemPage {
    /// In the version's order.
    pub items: Vec<StoredItem>,
    /// The place to go on from. A page of a search may be empty and yet not the last.
    pub next: Option<u64>,
}

impl Catalog {
    /// The version that a reference means: its id or the first digits of it, a branch, or a tag.
    ///
    /// # Errors
    /// There is no such dataset or version; the branch is empty; the digits fit several; or the file is in trouble.
    pub async fn dataset_version(
        &self,
        project: &ProjectId,
        name: &str,
        reference: &str,
    ) -> Result<DatasetVersion, CatalogError> {
        let dataset = self.dataset(project, name).await?;
        let wanted = reference.to_owned();
        let row = dataset.row;
        let found = self.read(move |connection| Box::pin(async move { candidates(connection, row, &wanted).await }));
        one_version(&dataset, reference, found.await?)
    }

    /// Versions of a dataset, newest first: all of them, or those that lead to the head of a branch. `before` is the
    /// [`DatasetVersion::place`] to go on from.
    ///
    /// # Errors
    /// There is no such dataset or branch; or the file is in trouble.
    pub async fn dataset_versions(
        &self,
        project: &ProjectId,
        name: &str,
        branch: Option<&str>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DatasetVersion>, CatalogError> {
        let head = match branch {
            None => None,
            Some(branch) => {
                let found = self.dataset_refs(project, name).await?.into_iter().find(|known| known.name == branch);
                match found.ok_or_else(|| no_reference(name, branch))?.version {
                    None => return Ok(Vec::new()),
                    head => head,
                }
            }
        };
        let dataset = self.dataset(project, name).await?.row;
        let page = (before.unwrap_or(i64::MAX), limit);
        self.read(move |connection| {
            Box::pin(async move { sql::versions(connection, dataset, head.as_deref(), page).await })
        })
        .await
    }

    /// Items of a version from a place on, at most so many.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn dataset_items(
        &self,
        project: &ProjectId,
        version: &DatasetVersion,
        filter: &ItemFilter,
        from: u64,
        limit: usize,
    ) -> Result<ItemPage, CatalogError> {
        let (project, version, filter) = (project.clone(), version.clone(), filter.clone());
        self.read(move |connection| {
            Box::pin(async move { page(connection, &project, &version, &filter, from, limit).await })
        })
        .await
    }

    /// One item of a version; `None` if it hasn't one of that id.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn dataset_item(
        &self,
        project: &ProjectId,
        version: &DatasetVersion,
        id: &str,
    ) -> Result<Option<StoredItem>, CatalogError> {
        let (project, version, id) = (project.clone(), version.clone(), id.to_owned());
        self.read(move |connection| {
            Box::pin(async move {
                let mut position = 0;
                for chunk in &version.chunks {
                    let entries = sql::entries(connection, version.dataset, chunk).await?;
                    if let Some(at) = entries.iter().position(|entry| entry.id == id) {
                        let found = [(position + at as u64, entries[at].clone())];
                        return Ok(read(connection, &project, &version, &found).await?.pop().map(|(item, _)| item));
                    }
                    position += u64::from(chunk.entries);
                }
                Ok(None)
            })
        })
        .await
    }
}

impl DatasetVersion {
    /// Its place among the versions of the house: later ones have greater ones.
    #[must_use]
    pub fn place(&self) -> i64 {
        self.seq
    }
}

async fn candidates(
    connection: &mut SqliteConnection,
    dataset: i64,
    reference: &str,
) -> Result<(bool, Vec<DatasetVersion>), sqlx::Error> {
    let refs = sql::refs(connection, dataset).await?;
    if let Some(named) = refs.into_iter().find(|named| named.name == reference) {
        let Some(version) = named.version else { return Ok((true, Vec::new())) };
        return Ok((true, sql::versions_like(connection, dataset, &version).await?));
    }
    if !looks_like_version(reference) {
        return Ok((false, Vec::new()));
    }
    Ok((false, sql::versions_like(connection, dataset, &reference.to_ascii_lowercase()).await?))
}

pub(super) fn one_version(
    dataset: &Dataset,
    reference: &str,
    (named, mut found): (bool, Vec<DatasetVersion>),
) -> Result<DatasetVersion, CatalogError> {
    let name = &dataset.name;
    match (found.len(), found.pop()) {
        (1, Some(version)) => Ok(version),
        (0, _) if named => Err(CatalogError::Unknown {
            problem: format!("`{reference}` of the dataset `{name}` has no version yet"),
            hint: "add items first: import a file, or send them to `POST /api/v1/datasets/{name}/versions`".to_owned(),
        }),
        (0, _) => Err(no_reference(name, reference)),
        _ => Err(CatalogError::Unknown {
            problem: format!("several versions of the dataset `{name}` begin with `{reference}`"),
            hint: "give more digits".to_owned(),
        }),
    }
}

pub(super) fn no_reference(dataset: &str, reference: &str) -> CatalogError {
    CatalogError::Unknown {
        problem: format!("the dataset `{dataset}` has no version, branch or tag `{reference}`"),
        hint: format!(
            "`GET /api/v1/datasets/{dataset}` lists branches and tags, `…/versions` the versions; at least 8 digits name a version"
        ),
    }
}

/// That a dataset went away between two looks is told as if it had never been.
pub(super) fn gone(name: &str) -> CatalogError {
    unknown(name)
}

async fn page(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    version: &DatasetVersion,
    filter: &ItemFilter,
    from: u64,
    limit: usize,
) -> Result<ItemPage, sqlx::Error> {
    let needle = filter.text.as_deref().map(needle);
    let (mut items, mut bytes, mut searched) = (Vec::new(), 0, 0);
    let mut first = 0;
    for chunk in &version.chunks {
        let after = first + u64::from(chunk.entries);
        if after <= from {
            first = after;
            continue;
        }
        let fits = |entry: &Entry| {
            let split = entry.split_in(&version.shares).unwrap_or_default();
            filter.split.as_deref().is_none_or(|wanted| wanted == split)
        };
        let entries = sql::entries(connection, version.dataset, chunk).await?;
        let wanted: Vec<(u64, Entry)> =
            (first..).zip(entries).filter(|(place, entry)| *place >= from && fits(entry)).collect();
        for step in wanted.chunks(STEP.min(limit.max(1))) {
            for (item, size) in read(connection, project, version, step).await? {
                if items.len() == limit || searched == SEARCHED || (bytes + size > PAGE_BYTES && !items.is_empty()) {
                    return Ok(ItemPage { next: Some(item.position), items });
                }
                searched += usize::from(needle.is_some());
                if needle.as_deref().is_none_or(|needle| has(&item, needle)) {
                    bytes += size;
                    items.push(item);
                }
            }
        }
        first = after;
    }
    Ok(ItemPage { items, next: None })
}

/// The text as it stands in JSON, in small letters.
fn needle(text: &str) -> String {
    let quoted = Value::String(text.to_lowercase()).to_string();
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
}

fn has(item: &StoredItem, needle: &str) -> bool {
    item.id.to_lowercase().contains(needle)
        || item.fields.as_ref().is_some_and(|fields| fields.to_string().to_lowercase().contains(needle))
}

/// The items of these entries with the sizes of their bodies.
async fn read(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    version: &DatasetVersion,
    entries: &[(u64, Entry)],
) -> Result<Vec<(StoredItem, usize)>, sqlx::Error> {
    let hashes: Vec<Hash> = entries.iter().map(|(_, entry)| entry.hash).collect();
    let bodies = sql::bodies(connection, project, &hashes).await?;
    let item = |(position, entry): &(u64, Entry)| {
        let body = bodies.get(&entry.hash);
        let fields = body.map(|body| serde_json::from_str(body)).transpose();
        let item = StoredItem {
            id: entry.id.clone(),
            hash: hex(&entry.hash),
            position: *position,
            split: entry.split_in(&version.shares).map(str::to_owned),
            fields: fields.map_err(|error| sqlx::Error::Decode(error.into()))?,
        };
        Ok((item, body.map_or(0, String::len)))
    };
    entries.iter().map(item).collect()
}
