//! Versions of a dataset: the list, the next one, and what differs between two.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signalbox_catalog::{DatasetCommit, DatasetItem, DiffEntry, FieldChange, ItemChange, MAIN, Share};

use super::shape::{DatasetShare, DatasetVersionInfo};
use super::{cursor, page_size, version};
use crate::auth::Caller;
use crate::envelope::{Json, LargeJson, Params};
use crate::error::ApiError;
use crate::parts::App;

/// Items that one change may name; files bring more.
const MOST_CHANGES: usize = 10_000;
const PAGE: usize = 50;
const MOST_VERSIONS: usize = 500;
const MOST_DIFFERENCES: usize = 200;

/// Which versions.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct VersionParams {
    /// Those that lead to the head of this branch; all if absent.
    branch: Option<String>,
    /// Versions at most: 1 to 500, by default 50.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of versions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DatasetVersions {
    /// Newest first.
    versions: Vec<DatasetVersionInfo>,
    /// Where the next page starts, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A change to a branch: all of it, or nothing.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "base": "6f1c0b5d9a42", "message": "Two refunds, and a better answer",
    "add": [{"id": "refund-17", "input": "Where is my money?", "reference": "Within five days.", "split": "test"}],
    "remove": ["refund-3"]
}))]
pub(crate) struct NewDatasetVersion {
    /// The branch; `main` if absent.
    #[serde(default)]
    branch: Option<String>,
    /// The version that you have looked at: the head of the branch, or the change is refused (409). Needed to replace and to
    /// remove; empty if the branch had no version.
    #[serde(default)]
    base: Option<String>,
    /// What is changed and why; made of the numbers if absent.
    #[serde(default)]
    message: String,
    /// Items that must not be there with other content.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    add: Vec<Map<String, Value>>,
    /// Items that must be there, each as a whole.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    replace: Vec<Map<String, Value>>,
    /// Items that are added or replaced.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    put: Vec<Map<String, Value>>,
    /// Ids of items that go.
    #[serde(default)]
    remove: Vec<String>,
    /// Splits of items that don't name one; as they were if absent, none if empty.
    #[serde(default)]
    shares: Option<Vec<DatasetShare>>,
}

/// Which versions are compared.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DiffParams {
    /// The earlier one: a version, branch or tag. The parent of the later one if absent.
    from: Option<String>,
    /// The later one; `main` if absent.
    to: Option<String>,
    /// Items at most: 1 to 200, by default 50.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What differs between two versions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DatasetDifference {
    /// The earlier version; absent if the later one is a first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<DatasetVersionInfo>,
    /// The later version.
    to: DatasetVersionInfo,
    /// Items that only the later version has.
    added: u64,
    /// Items that only the earlier version has.
    removed: u64,
    /// Items that both have, with other content.
    changed: u64,
    /// A page of them: those of the later version in its order, then those that are gone.
    items: Vec<DifferentItem>,
    /// Where the next page starts, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// How an item differs.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Difference {
    /// Only the later version has it.
    Added,
    /// Only the earlier version has it.
    Removed,
    /// Both have it, with other content.
    Changed,
}

/// An item that differs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DifferentItem {
    /// What it is called.
    id: String,
    /// How it differs.
    difference: Difference,
    /// What it said; absent if it wasn't there, or was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// Where the two differ, if both have it; the first 200 places.
    fields: Vec<DifferentField>,
}

/// A place where two items differ.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DifferentField {
    /// Where.
    #[schema(example = "input.messages[1].content")]
    path: String,
    /// What stood there; absent if nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    /// What stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

/// List versions of a dataset.
#[utoipa::path(get, path = "/api/v1/datasets/{name}/versions", operation_id = "list_dataset_versions", tag = "Datasets",
    params(("name" = String, Path, description = "The dataset."), VersionParams),
    responses((status = 200, description = "A page of versions.", body = DatasetVersions)))]
pub(crate) async fn list(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Params(params): Params<VersionParams>,
) -> Result<Json<DatasetVersions>, ApiError> {
    let limit = page_size(params.limit, PAGE, MOST_VERSIONS)?;
    let before = cursor(params.cursor.as_deref())?;
    let branch = params.branch.as_deref().filter(|branch| !branch.is_empty());
    // One more, to see whether there is one.
    let asked = u32::try_from(limit).unwrap_or(u32::MAX).saturating_add(1);
    let mut versions = app.catalog.dataset_versions(&caller.project, &name, branch, before, asked).await?;
    let more = versions.len() > limit;
    versions.truncate(limit);
    let next_cursor = versions.last().filter(|_| more).map(|last| last.place().to_string());
    Ok(Json(DatasetVersions { versions: versions.into_iter().map(DatasetVersionInfo::from).collect(), next_cursor }))
}

/// Make a version of a dataset.
///
/// Adds, replaces and removes items in one change. An item is an object: `id` names it (made from its content if absent),
/// `split` says where it belongs, `input`, `output`, `reference`, `context`, `tools`, `schema` are what metrics look at,
/// `metadata`, `source` and all other fields are kept. If nothing differs, the head is answered as it is.
#[utoipa::path(post, path = "/api/v1/datasets/{name}/versions", operation_id = "commit_dataset", tag = "Datasets",
    params(("name" = String, Path, description = "The dataset.")), request_body = NewDatasetVersion,
    responses(
        (status = 200, description = "The head of the branch.", body = DatasetVersionInfo),
        (status = 409, description = "The branch has moved on, or an item is there already.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn commit(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    LargeJson(new): LargeJson<NewDatasetVersion>,
) -> Result<Json<DatasetVersionInfo>, ApiError> {
    let commit = new.check()?;
    Ok(Json(app.catalog.commit_dataset(&caller, &name, commit).await?.into()))
}

/// Compare two versions of a dataset.
///
/// Item by item, and within an item field by field. Where items stand in the list is not compared.
#[utoipa::path(get, path = "/api/v1/datasets/{name}/diff", operation_id = "diff_dataset", tag = "Datasets",
    params(("name" = String, Path, description = "The dataset."), DiffParams),
    responses((status = 200, description = "What differs.", body = DatasetDifference)))]
pub(crate) async fn diff(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Params(params): Params<DiffParams>,
) -> Result<Json<DatasetDifference>, ApiError> {
    let limit = page_size(params.limit, PAGE, MOST_DIFFERENCES)?;
    let start = cursor(params.cursor.as_deref())?.unwrap_or_default();
    let to = version(&app, &caller.project, &name, params.to.as_deref()).await?;
    let from = match params.from.as_deref().filter(|from| !from.is_empty()).or(to.parent.as_deref()) {
        Some(from) => Some(app.catalog.dataset_version(&caller.project, &name, from).await?),
        None => None,
    };
    let diff = app.catalog.diff_dataset(&caller.project, from.as_ref(), &to, start, limit).await?;
    Ok(Json(DatasetDifference {
        from: from.map(DatasetVersionInfo::from),
        to: to.into(),
        added: diff.added,
        removed: diff.removed,
        changed: diff.changed,
        items: diff.entries.into_iter().map(DifferentItem::from).collect(),
        next_cursor: diff.next.map(|next| next.to_string()),
    }))
}

impl NewDatasetVersion {
    fn check(self) -> Result<DatasetCommit, ApiError> {
        let Self { branch, base, message, add, replace, put, remove, shares } = self;
        let wanted = add.len() + replace.len() + put.len() + remove.len();
        if wanted == 0 && shares.is_none() {
            return Err(ApiError::invalid(
                "add",
                "nothing is changed; expected `add`, `replace`, `put`, `remove` or `shares`",
            ));
        }
        if wanted > MOST_CHANGES {
            let problem = format!("{wanted} items are changed; expected at most {MOST_CHANGES}");
            return Err(ApiError::invalid("add", problem).hint("send a file to `…/import` instead"));
        }
        let mut changes = Vec::with_capacity(wanted);
        let lists: [(&str, Vec<_>, fn(DatasetItem) -> ItemChange); 3] =
            [("add", add, ItemChange::Add), ("replace", replace, ItemChange::Replace), ("put", put, ItemChange::Put)];
        for (field, list, change) in lists {
            for (i, fields) in list.into_iter().enumerate() {
                let item =
                    DatasetItem::new(fields).map_err(|problem| ApiError::invalid(format!("{field}[{i}]"), problem))?;
                changes.push(change(item));
            }
        }
        changes.extend(remove.into_iter().map(ItemChange::Remove));
        let share = |DatasetShare { split, weight }| Share { split, weight };
        let shares = shares.map(|shares| shares.into_iter().map(share).collect());
        Ok(DatasetCommit { branch: branch.unwrap_or_else(|| MAIN.to_owned()), base, message, changes, shares })
    }
}

impl From<DiffEntry> for DifferentItem {
    fn from(entry: DiffEntry) -> Self {
        let difference = match (&entry.before, &entry.after) {
            (None, _) => Difference::Added,
            (_, None) => Difference::Removed,
            _ => Difference::Changed,
        };
        let field = |FieldChange { path, before, after }| DifferentField { path, before, after };
        Self {
            id: entry.id,
            difference,
            before: entry.before.flatten(),
            after: entry.after.flatten(),
            fields: entry.fields.into_iter().map(field).collect(),
        }
    }
}
