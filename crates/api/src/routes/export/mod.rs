//! Rows as a file, of any size.

#[cfg(test)]
mod tests;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use signalbox_types::seam::{Export, FileFormat};
use signalbox_types::table::SPANS;
use signalbox_types::time::{TimeBound, TimeRange};

use crate::auth::Caller;
use crate::envelope::Params;
use crate::error::ApiError;
use crate::parts::App;

/// Which rows, and how they are written.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportParams {
    /// The table; `spans` if absent.
    table: Option<String>,
    /// `parquet`, `jsonl` or `csv`.
    format: FileFormat,
    /// The first moment: RFC 3339 or relative (`now-7d`); the beginning if absent.
    #[param(value_type = Option<String>)]
    from: Option<TimeBound>,
    /// The first moment after it; no end if absent.
    #[param(value_type = Option<String>)]
    to: Option<TimeBound>,
    /// Names of columns with commas between; all if absent.
    select: Option<String>,
}

/// Export rows as a file.
///
/// The rows of this project in no order, streamed as they are read. If the stream breaks off, the file is not
/// whole. JSON Lines and CSV write times as RFC 3339 and money in dollars with all its decimals.
#[utoipa::path(get, path = "/api/v1/export", operation_id = "export", tag = "Queries", params(ExportParams), responses(
    (status = 200, description = "The file.", content_type = "application/octet-stream"),
))]
pub(crate) async fn export(
    Caller(caller): Caller,
    State(app): State<App>,
    Params(params): Params<ExportParams>,
) -> Result<Response, ApiError> {
    let all = TimeRange::all();
    let time = TimeRange { from: params.from.unwrap_or(all.from), to: params.to.unwrap_or(all.to) };
    let select = params.select.as_deref().unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    let export = Export {
        table: params.table.unwrap_or_else(|| SPANS.name.to_owned()),
        format: params.format,
        time,
        select: select.map(str::to_owned).collect(),
    };
    let file = app.store.export(&caller.project, &export).await?;
    let name = format!("attachment; filename=\"{}.{}\"", export.table, export.format.as_str());
    let head = [(header::CONTENT_TYPE, export.format.content_type().to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((head, Body::from_stream(file)).into_response())
}
