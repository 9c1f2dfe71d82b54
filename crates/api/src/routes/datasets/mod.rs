//! Datasets: versions of items to evaluate against.

mod export;
mod file;
mod from_traces;
mod import;
mod items;
mod refs;
mod shape;
#[cfg(test)]
mod tests;
mod versions;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use signalbox_catalog::{Dataset, DatasetChange, DatasetVersion, MAIN};
use signalbox_types::ProjectId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;
use shape::{DatasetDetail, DatasetSummary, Datasets};

/// A dataset to make.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDataset {
    /// Its name: letters, digits, `.`, `_` and `-`.
    #[schema(example = "support-gold", min_length = 1, max_length = 100)]
    name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 2000)]
    description: String,
    /// JSON Schema that every item must satisfy.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    schema: Option<Value>,
}

/// What to change of a dataset. What is absent stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedDataset {
    /// Another name.
    #[serde(default)]
    name: Option<String>,
    /// What it is for.
    #[serde(default)]
    description: Option<String>,
    /// JSON Schema that every item must satisfy; `null` takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Object>)]
    schema: Option<Option<Value>>,
}

/// `null` is something else than nothing.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Value>>, D::Error> {
    Option::<Value>::deserialize(deserializer).map(Some)
}

/// Every route of datasets, by path.
pub(super) fn list_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, delete))
        .routes(routes!(refs::set_branch, refs::delete_branch))
        .routes(routes!(versions::diff))
        .routes(routes!(export::export))
        .routes(routes!(from_traces::add))
        .routes(routes!(import::import))
        .routes(routes!(items::list))
        .routes(routes!(items::show))
        .routes(routes!(refs::set_tag, refs::delete_tag))
        .routes(routes!(versions::list, versions::commit))
}

/// List datasets.
#[utoipa::path(get, path = "/api/v1/datasets", operation_id = "list_datasets", tag = "Datasets",
    responses((status = 200, description = "The datasets of this project, by name.", body = Datasets)))]
pub(crate) async fn list(Caller(caller): Caller, State(app): State<App>) -> Result<Json<Datasets>, ApiError> {
    let datasets = app.catalog.datasets(&caller.project).await?;
    Ok(Json(Datasets { datasets: datasets.into_iter().map(DatasetSummary::from).collect() }))
}

/// Make a dataset.
///
/// It is empty; its branch `main` has no version yet.
#[utoipa::path(post, path = "/api/v1/datasets", operation_id = "create_dataset", tag = "Datasets",
    request_body = NewDataset,
    responses(
        (status = 201, description = "It is made.", body = DatasetDetail),
        (status = 409, description = "There is one of that name.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn create(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(new): Json<NewDataset>,
) -> Result<(StatusCode, Json<DatasetDetail>), ApiError> {
    let made = app.catalog.create_dataset(&caller, &new.name, &new.description, new.schema).await?;
    Ok((StatusCode::CREATED, Json(detail(&app, &caller.project, made).await?)))
}

/// Show a dataset.
///
/// With its branches and tags.
#[utoipa::path(get, path = "/api/v1/datasets/{name}", operation_id = "show_dataset", tag = "Datasets",
    params(("name" = String, Path, description = "The dataset.")),
    responses(
        (status = 200, description = "The dataset.", body = DatasetDetail),
        (status = 404, description = "There is no such dataset.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn show(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<DatasetDetail>, ApiError> {
    let found = app.catalog.dataset(&caller.project, &name).await?;
    Ok(Json(detail(&app, &caller.project, found).await?))
}

/// Change a dataset.
///
/// Its name, what it is for, or what its items must satisfy: a new schema is refused if an item at the head of
/// `main` doesn't. Items change by new versions.
#[utoipa::path(patch, path = "/api/v1/datasets/{name}", operation_id = "change_dataset", tag = "Datasets",
    params(("name" = String, Path, description = "The dataset.")), request_body = ChangedDataset,
    responses((status = 200, description = "It is changed.", body = DatasetDetail)))]
pub(crate) async fn change(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Json(change): Json<ChangedDataset>,
) -> Result<Json<DatasetDetail>, ApiError> {
    let ChangedDataset { name: renamed, description, schema } = change;
    let change = DatasetChange { name: renamed, description, schema };
    let changed = app.catalog.change_dataset(&caller, &name, change).await?;
    Ok(Json(detail(&app, &caller.project, changed).await?))
}

/// Delete a dataset.
///
/// With all its versions, branches and tags. Items that no other dataset has are gone from the disk.
#[utoipa::path(delete, path = "/api/v1/datasets/{name}", operation_id = "delete_dataset", tag = "Datasets",
    params(("name" = String, Path, description = "The dataset.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such dataset.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn delete(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.catalog.delete_dataset(&caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn detail(app: &App, project: &ProjectId, dataset: Dataset) -> Result<DatasetDetail, ApiError> {
    let refs = app.catalog.dataset_refs(project, &dataset.name).await?;
    Ok(DatasetDetail::new(dataset, refs))
}

/// The version that a request means; the head of `main` if it says nothing.
async fn version(
    app: &App,
    project: &ProjectId,
    name: &str,
    reference: Option<&str>,
) -> Result<DatasetVersion, ApiError> {
    let reference = reference.filter(|reference| !reference.is_empty()).unwrap_or(MAIN);
    Ok(app.catalog.dataset_version(project, name, reference).await?)
}

/// Rows at most that a page has.
fn page_size(limit: Option<usize>, default: usize, most: usize) -> Result<usize, ApiError> {
    match limit {
        None => Ok(default),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(limit) => Err(ApiError::invalid("limit", format!("`{limit}` is out of range; expected 1 to {most}"))),
    }
}

/// Where a page begins: a `next_cursor` of the page before.
fn cursor<T: std::str::FromStr>(cursor: Option<&str>) -> Result<Option<T>, ApiError> {
    let Some(text) = cursor.filter(|text| !text.is_empty()) else { return Ok(None) };
    let read = text.parse().map_err(|_| ApiError::invalid("cursor", "expected `next_cursor` of the page before"));
    read.map(Some)
}
