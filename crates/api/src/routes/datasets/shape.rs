//! Datasets, versions and items as they are answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signalbox_catalog::{Dataset, DatasetRef, DatasetVersion, RefKind, Share, StoredItem};
use signalbox_types::{KeyId, Timestamp};

/// Datasets.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Datasets {
    /// By name.
    pub(super) datasets: Vec<DatasetSummary>,
}

/// A dataset in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DatasetSummary {
    /// Its name.
    name: String,
    /// What it is for.
    description: String,
    /// When it was made.
    created_at: Timestamp,
    /// The key that made it.
    created_by: KeyId,
    /// How many versions it has, on all branches.
    versions: u64,
    /// The head of `main`; absent while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<DatasetVersionInfo>,
}

/// A dataset.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DatasetDetail {
    #[serde(flatten)]
    summary: DatasetSummary,
    /// JSON Schema that every item must satisfy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    schema: Option<Value>,
    /// Names that move to each new version.
    branches: Vec<DatasetReference>,
    /// Names that stay.
    tags: Vec<DatasetReference>,
}

/// A branch or a tag.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DatasetReference {
    /// Its name.
    name: String,
    /// The version's id; absent on a branch without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// When it was last set.
    set_at: Timestamp,
}

/// A split of items that don't name one.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DatasetShare {
    /// The split.
    #[schema(example = "test")]
    pub(super) split: String,
    /// Its part of the whole. An item stays in its split, whatever else comes and goes.
    #[schema(example = 20.0)]
    pub(super) weight: f64,
}

/// A version. It never changes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DatasetVersionInfo {
    /// Its id, made of all that it is: 64 hexadecimal digits. The first 8 or more name it as well.
    pub(super) id: String,
    /// The version that was changed; absent on a first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// The same for versions with the same items in the same order and the same shares.
    content: String,
    /// What was changed and why.
    message: String,
    /// The key that made it.
    author: KeyId,
    /// The name of that key at the time.
    author_name: String,
    /// When it was made.
    made_at: Timestamp,
    /// How many items it has.
    items: u64,
    /// How many items each split has; those without one are under the empty name.
    splits: BTreeMap<String, u64>,
    /// Splits of items that don't name one.
    shares: Vec<DatasetShare>,
    /// Items that the parent hasn't.
    added: u64,
    /// Items that the parent has with other content.
    replaced: u64,
    /// Items that only the parent has.
    removed: u64,
}

/// An item of a version.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DatasetItemInfo {
    /// What it is called.
    id: String,
    /// BLAKE3 of its canonical form.
    hash: String,
    /// Its place in the version, from 0.
    position: u64,
    /// The split that it belongs to: as it says, or by the version's shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<String>,
    /// What it says: `input`, `output`, `reference`, `context`, `tools`, `schema`, `metadata`, `source`, and anything else.
    /// Absent since it was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    fields: Option<Value>,
}

impl From<Dataset> for DatasetSummary {
    fn from(dataset: Dataset) -> Self {
        Self {
            name: dataset.name,
            description: dataset.description,
            created_at: dataset.created_at,
            created_by: dataset.created_by,
            versions: dataset.versions,
            latest: dataset.latest.map(DatasetVersionInfo::from),
        }
    }
}

impl DatasetDetail {
    pub(super) fn new(mut dataset: Dataset, refs: Vec<DatasetRef>) -> Self {
        let schema = dataset.schema.take();
        let (branches, tags): (Vec<_>, Vec<_>) = refs.into_iter().partition(|one| one.kind == RefKind::Branch);
        let infos = |refs: Vec<DatasetRef>| refs.into_iter().map(DatasetReference::from).collect();
        Self { summary: dataset.into(), schema, branches: infos(branches), tags: infos(tags) }
    }
}

impl From<DatasetRef> for DatasetReference {
    fn from(one: DatasetRef) -> Self {
        Self { name: one.name, version: one.version, set_at: one.set_at }
    }
}

impl From<DatasetVersion> for DatasetVersionInfo {
    fn from(version: DatasetVersion) -> Self {
        let share = |Share { split, weight }| DatasetShare { split, weight };
        Self {
            id: version.id,
            parent: version.parent,
            content: version.content,
            message: version.message,
            author: version.author,
            author_name: version.author_name,
            made_at: version.made_at,
            items: version.items,
            splits: version.splits,
            shares: version.shares.into_iter().map(share).collect(),
            added: version.added,
            replaced: version.replaced,
            removed: version.removed,
        }
    }
}

impl From<StoredItem> for DatasetItemInfo {
    fn from(item: StoredItem) -> Self {
        let StoredItem { id, hash, position, split, fields } = item;
        Self { id, hash, position, split, fields }
    }
}

/// The first digits of a version's id, for people.
pub(super) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// The item as a file has it: its id first, then its fields; `None` if it was erased.
pub(super) fn object(item: StoredItem) -> Option<Map<String, Value>> {
    let Some(Value::Object(fields)) = item.fields else { return None };
    let mut object = Map::with_capacity(fields.len() + 1);
    object.insert("id".to_owned(), Value::String(item.id));
    object.extend(fields);
    Some(object)
}
