//! A file of items into one version.

use std::collections::HashMap;

use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, State};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signalbox_catalog::{CatalogError, DatasetImport, DatasetItem, ImportMode, MAIN};
use signalbox_types::ErrorClass;

use super::file::{Found, ItemFormat, Source, at_line};
use super::shape::DatasetVersionInfo;
use crate::auth::Caller;
use crate::envelope::{Json, Params};
use crate::error::ApiError;
use crate::parts::App;
use crate::routes::import::drain;

/// A file has at most so many bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// What becomes of items that are there already.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ImportKind {
    /// They stay, unless the file has the same id.
    #[default]
    Merge,
    /// The new version has the file's items and no others, in its order.
    Mirror,
}

/// How the file is read, and where it goes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportParams {
    /// `jsonl` or `csv`.
    #[param(inline)]
    format: ItemFormat,
    /// The branch; `main` if absent.
    branch: Option<String>,
    /// The version that you have looked at: the head of the branch, or the import is refused (409). If absent, the head is
    /// changed, whatever it is.
    base: Option<String>,
    /// `merge` or `mirror`.
    #[serde(default)]
    #[param(inline)]
    mode: ImportKind,
    /// What is changed and why; made of the numbers if absent.
    message: Option<String>,
    /// The split of items that don't name one.
    split: Option<String>,
    /// Other names for fields: `question:input,answer:reference`.
    rename: Option<String>,
}

/// What an import has come to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ImportedItems {
    /// The head of the branch; as it was if nothing differs.
    version: DatasetVersionInfo,
    /// Whether there is a new version.
    changed: bool,
    /// Items that the file has.
    items: u64,
    /// Items that it has twice, word for word.
    repeated: u64,
}

/// Import items of a dataset.
///
/// The file makes one version, or none if it is refused: the refusal names the line. At most 4 GiB, a million items, 1 MiB
/// an item. Importing a file twice changes nothing.
#[utoipa::path(post, path = "/api/v1/datasets/{name}/import", operation_id = "import_dataset", tag = "Datasets",
    params(("name" = String, Path, description = "The dataset."), ImportParams),
    request_body(content = String, content_type = "application/octet-stream", description = "The file."),
    responses((status = 200, description = "All of it is in the version.", body = ImportedItems)))]
pub(crate) async fn import(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Params(params): Params<ImportParams>,
    body: Body,
) -> Result<Json<ImportedItems>, ApiError> {
    let mut body = body.into_data_stream();
    let began = async {
        let renamed = renames(params.rename.as_deref())?;
        Ok::<_, ApiError>((renamed, app.catalog.import_dataset(&caller, &name).await?))
    };
    let taken = match began.await {
        Ok((renamed, into)) => {
            let reading = Reading { renamed, split: params.split, into };
            reading.take(params.format, &mut body).await
        }
        Err(error) => Err(error),
    };
    let into = match taken {
        Ok(into) => into,
        Err(error) => {
            drain(&mut body).await;
            return Err(error);
        }
    };
    let branch = params.branch.as_deref().unwrap_or(MAIN);
    let refs = app.catalog.dataset_refs(&caller.project, &name).await?;
    let before = refs.into_iter().find(|one| one.name == branch).and_then(|one| one.version);
    let mode = match params.mode {
        ImportKind::Merge => ImportMode::Merge,
        ImportKind::Mirror => ImportMode::Mirror,
    };
    let done = into.commit(branch, params.base, params.message.as_deref().unwrap_or_default(), mode).await?;
    let changed = before.as_ref() != Some(&done.version.id);
    Ok(Json(ImportedItems { changed, items: done.items, repeated: done.repeated, version: done.version.into() }))
}

/// A file while it is read.
struct Reading {
    renamed: HashMap<String, String>,
    split: Option<String>,
    into: DatasetImport,
}

impl Reading {
    async fn take(mut self, format: ItemFormat, body: &mut BodyDataStream) -> Result<DatasetImport, ApiError> {
        let (mut source, mut bytes) = (Source::new(format), 0);
        while let Some(part) = body.next().await {
            let part = part.map_err(|error| {
                ApiError::new(ErrorClass::InvalidRequest, format!("the file broke off after {bytes} bytes: {error}"))
            })?;
            bytes += part.len() as u64;
            if bytes > MAX_FILE_BYTES {
                let problem = format!("the file is larger than {} GiB", MAX_FILE_BYTES >> 30);
                return Err(ApiError::new(ErrorClass::RequestTooLarge, problem).hint("cut it, and import part by part"));
            }
            for found in source.feed(&part)? {
                self.put(found).await?;
            }
        }
        for found in source.finish()? {
            self.put(found).await?;
        }
        Ok(self.into)
    }

    async fn put(&mut self, (line, fields): Found) -> Result<(), ApiError> {
        let mut fields: Map<String, Value> =
            fields.into_iter().map(|(name, value)| (self.renamed.get(&name).cloned().unwrap_or(name), value)).collect();
        if let Some(split) = &self.split {
            fields.entry("split").or_insert_with(|| Value::String(split.clone()));
        }
        let item = DatasetItem::new(fields).map_err(|problem| at_line(line, problem))?;
        self.into.push(item).await.map_err(|error| match error {
            CatalogError::Invalid { problem, .. } => at_line(line, problem),
            error => error.into(),
        })
    }
}

fn renames(text: Option<&str>) -> Result<HashMap<String, String>, ApiError> {
    let pairs = text.unwrap_or_default().split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (from, to) =
            pair.split_once(':').filter(|(from, to)| !from.is_empty() && !to.is_empty()).ok_or_else(|| {
                ApiError::invalid(
                    "rename",
                    format!("`{pair}` is no pair; expected e.g. `question:input,answer:reference`"),
                )
            })?;
        Ok((from.trim().to_owned(), to.trim().to_owned()))
    };
    pairs.map(pair).collect()
}
