//! Items of a version.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use signalbox_catalog::ItemFilter;

use super::shape::{DatasetItemInfo, DatasetVersionInfo};
use super::{cursor, page_size, shape, version};
use crate::auth::Caller;
use crate::envelope::{Json, Params};
use crate::error::ApiError;
use crate::parts::App;

const PAGE: usize = 100;
const MOST: usize = 1_000;

/// Which items.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ItemParams {
    /// A version, branch or tag; `main` if absent.
    version: Option<String>,
    /// Of this split only.
    split: Option<String>,
    /// That have this text in their id or in any field, in whatever case.
    text: Option<String>,
    /// Items at most: 1 to 1000, by default 100.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of items.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DatasetItems {
    /// The version that they are of.
    version: DatasetVersionInfo,
    /// In its order.
    items: Vec<DatasetItemInfo>,
    /// Where the next page starts, if there is one. A page of a search may be empty and yet not the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Of which version.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OneParams {
    /// A version, branch or tag; `main` if absent.
    version: Option<String>,
}

/// List items of a dataset.
#[utoipa::path(get, path = "/api/v1/datasets/{name}/items", operation_id = "list_dataset_items", tag = "Datasets",
    params(("name" = String, Path, description = "The dataset."), ItemParams),
    responses((status = 200, description = "A page of items.", body = DatasetItems)))]
pub(crate) async fn list(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Params(params): Params<ItemParams>,
) -> Result<Json<DatasetItems>, ApiError> {
    let limit = page_size(params.limit, PAGE, MOST)?;
    let from = cursor(params.cursor.as_deref())?.unwrap_or_default();
    let version = version(&app, &caller.project, &name, params.version.as_deref()).await?;
    let filter = ItemFilter { split: params.split, text: params.text.filter(|text| !text.is_empty()) };
    let page = app.catalog.dataset_items(&caller.project, &version, &filter, from, limit).await?;
    Ok(Json(DatasetItems {
        version: version.into(),
        items: page.items.into_iter().map(DatasetItemInfo::from).collect(),
        next_cursor: page.next.map(|next| next.to_string()),
    }))
}

/// Show an item of a dataset.
#[utoipa::path(get, path = "/api/v1/datasets/{name}/items/{id}", operation_id = "show_dataset_item", tag = "Datasets",
    params(
        ("name" = String, Path, description = "The dataset."),
        ("id" = String, Path, description = "The item."),
        OneParams,
    ),
    responses(
        (status = 200, description = "The item.", body = DatasetItemInfo),
        (status = 404, description = "The version has no such item.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn show(
    Caller(caller): Caller,
    State(app): State<App>,
    Path((name, id)): Path<(String, String)>,
    Params(params): Params<OneParams>,
) -> Result<Json<DatasetItemInfo>, ApiError> {
    let version = version(&app, &caller.project, &name, params.version.as_deref()).await?;
    let found = app.catalog.dataset_item(&caller.project, &version, &id).await?;
    let found = found.ok_or_else(|| {
        ApiError::not_found(format!("version {} of `{name}` has no item `{id}`", shape::short(&version.id)))
            .hint("another version may have it; `…/versions` lists them")
    });
    Ok(Json(found?.into()))
}
