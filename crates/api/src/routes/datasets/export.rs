//! A version as a file.

use std::borrow::Cow;
use std::collections::BTreeSet;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Map, Value};
use signalbox_catalog::{CatalogError, DatasetVersion, ItemFilter};
use signalbox_types::ProjectId;

use super::file::{ItemFormat, write_row};
use super::{shape, version};
use crate::auth::Caller;
use crate::envelope::Params;
use crate::error::ApiError;
use crate::parts::App;

const PAGE: usize = 500;
/// Columns that come first, in the order in which people read them.
const FIRST: [&str; 10] =
    ["id", "split", "input", "context", "output", "reference", "tools", "schema", "metadata", "source"];

/// Which version, and how it is written.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportParams {
    /// `jsonl` or `csv`.
    #[param(inline)]
    format: ItemFormat,
    /// A version, branch or tag; `main` if absent.
    version: Option<String>,
    /// Of this split only.
    split: Option<String>,
}

/// Export items of a dataset.
///
/// As `…/import` reads them, in the version's order, streamed. JSON Lines say all of it; in CSV, what is no text stands as
/// JSON in its cell. Items that were erased are left out.
#[utoipa::path(get, path = "/api/v1/datasets/{name}/export", operation_id = "export_dataset", tag = "Datasets",
    params(("name" = String, Path, description = "The dataset."), ExportParams),
    responses((status = 200, description = "The file.", content_type = "application/octet-stream")))]
pub(crate) async fn export(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Params(params): Params<ExportParams>,
) -> Result<Response, ApiError> {
    let version = version(&app, &caller.project, &name, params.version.as_deref()).await?;
    let file = format!("attachment; filename=\"{name}-{}.{}\"", shape::short(&version.id), params.format.as_str());
    let head = [
        (header::CONTENT_TYPE, params.format.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, file),
        (header::HeaderName::from_static("x-signalbox-dataset-version"), version.id.clone()),
    ];
    let filter = ItemFilter { split: params.split, text: None };
    let mut export = Export { app, project: caller.project, version, filter, columns: Vec::new() };
    let mut begin = String::new();
    if params.format == ItemFormat::Csv {
        export.columns = export.find_columns().await?;
        write_row(export.columns.iter().map(|name| Cow::Borrowed(name.as_str())), &mut begin);
    }
    let pages = stream::unfold((export, Some(0), Some(begin)), |(export, at, begin)| async move {
        if let Some(begin) = begin {
            return Some((Ok(Bytes::from(begin)), (export, at, None)));
        }
        match export.page(at?).await {
            Ok((text, next)) => Some((Ok(Bytes::from(text)), (export, next, None))),
            Err(error) => Some((Err(error), (export, None, None))),
        }
    });
    Ok((head, Body::from_stream(pages)).into_response())
}

struct Export {
    app: App,
    project: ProjectId,
    version: DatasetVersion,
    filter: ItemFilter,
    /// Of CSV; empty for JSON Lines.
    columns: Vec<String>,
}

impl Export {
    async fn objects(&self, at: u64) -> Result<(Vec<Map<String, Value>>, Option<u64>), CatalogError> {
        let page = self.app.catalog.dataset_items(&self.project, &self.version, &self.filter, at, PAGE).await?;
        Ok((page.items.into_iter().filter_map(shape::object).collect(), page.next))
    }

    async fn page(&self, at: u64) -> Result<(String, Option<u64>), CatalogError> {
        let (objects, next) = self.objects(at).await?;
        let mut text = String::new();
        for object in objects {
            if self.columns.is_empty() {
                text.push_str(&Value::Object(object).to_string());
                text.push('\n');
                continue;
            }
            let cell = |name: &String| match object.get(name) {
                None => Cow::Borrowed(""),
                Some(Value::String(text)) => Cow::Borrowed(text.as_str()),
                Some(value) => Cow::Owned(value.to_string()),
            };
            write_row(self.columns.iter().map(cell), &mut text);
        }
        Ok((text, next))
    }

    /// A header has to be written before the last item is seen, so that they are read twice.
    async fn find_columns(&self) -> Result<Vec<String>, CatalogError> {
        let (mut found, mut at) = (BTreeSet::new(), Some(0));
        while let Some(from) = at {
            let (objects, next) = self.objects(from).await?;
            found.extend(objects.into_iter().flat_map(|object| object.into_iter().map(|(name, _)| name)));
            at = next;
        }
        let mut columns: Vec<String> =
            FIRST.iter().filter(|name| **name == "id" || found.remove(**name)).map(|&name| name.to_owned()).collect();
        found.remove("id");
        columns.extend(found);
        Ok(columns)
    }
}
