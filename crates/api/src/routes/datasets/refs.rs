//! Names for versions.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use signalbox_catalog::RefKind;

use super::shape::DatasetReference;
use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

/// Where a branch shall be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BranchPlace {
    /// A version, branch or tag.
    #[schema(example = "main")]
    version: String,
    /// Where it is now; needed if there is one of that name.
    #[serde(default)]
    base: Option<String>,
}

/// Where a tag shall be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TagPlace {
    /// A version, branch or tag.
    #[schema(example = "main")]
    version: String,
}

/// Make or move a branch.
///
/// A branch moves by itself with each version that is made on it.
#[utoipa::path(put, path = "/api/v1/datasets/{name}/branches/{branch}", operation_id = "set_dataset_branch", tag = "Datasets",
    params(
        ("name" = String, Path, description = "The dataset."),
        ("branch" = String, Path, description = "Its name: letters, digits, `.`, `_` and `-`."),
    ),
    request_body = BranchPlace,
    responses(
        (status = 200, description = "It is there.", body = DatasetReference),
        (status = 409, description = "It has moved on, or a tag is called so.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn set_branch(
    Caller(caller): Caller,
    State(app): State<App>,
    Path((name, branch)): Path<(String, String)>,
    Json(place): Json<BranchPlace>,
) -> Result<Json<DatasetReference>, ApiError> {
    let branch = (RefKind::Branch, branch.as_str());
    Ok(Json(app.catalog.set_dataset_ref(&caller, &name, branch, &place.version, place.base).await?.into()))
}

/// Delete a branch.
///
/// Its versions stay.
#[utoipa::path(delete, path = "/api/v1/datasets/{name}/branches/{branch}", operation_id = "delete_dataset_branch", tag = "Datasets",
    params(("name" = String, Path, description = "The dataset."), ("branch" = String, Path, description = "The branch; not `main`.")),
    responses((status = 204, description = "It is gone.")))]
pub(crate) async fn delete_branch(
    Caller(caller): Caller,
    State(app): State<App>,
    Path((name, branch)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    app.catalog.delete_dataset_ref(&caller, &name, (RefKind::Branch, &branch)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tag a version.
///
/// A tag stays where it is.
#[utoipa::path(put, path = "/api/v1/datasets/{name}/tags/{tag}", operation_id = "set_dataset_tag", tag = "Datasets",
    params(
        ("name" = String, Path, description = "The dataset."),
        ("tag" = String, Path, description = "Its name: letters, digits, `.`, `_` and `-`."),
    ),
    request_body = TagPlace,
    responses(
        (status = 200, description = "It is there.", body = DatasetReference),
        (status = 409, description = "It is on another version, or a branch is called so.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn set_tag(
    Caller(caller): Caller,
    State(app): State<App>,
    Path((name, tag)): Path<(String, String)>,
    Json(place): Json<TagPlace>,
) -> Result<Json<DatasetReference>, ApiError> {
    let tag = (RefKind::Tag, tag.as_str());
    Ok(Json(app.catalog.set_dataset_ref(&caller, &name, tag, &place.version, None).await?.into()))
}

/// Delete a tag.
///
/// Its version stays.
#[utoipa::path(delete, path = "/api/v1/datasets/{name}/tags/{tag}", operation_id = "delete_dataset_tag", tag = "Datasets",
    params(("name" = String, Path, description = "The dataset."), ("tag" = String, Path, description = "The tag.")),
    responses((status = 204, description = "It is gone.")))]
pub(crate) async fn delete_tag(
    Caller(caller): Caller,
    State(app): State<App>,
    Path((name, tag)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    app.catalog.delete_dataset_ref(&caller, &name, (RefKind::Tag, &tag)).await?;
    Ok(StatusCode::NO_CONTENT)
}
