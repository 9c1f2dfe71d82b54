//! Rows in from a file, of any size.

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use futures_util::StreamExt;
use serde::Deserialize;
use signalbox_types::ErrorClass;
use signalbox_types::seam::{FileFormat, Imported, StoreError};
use signalbox_types::table::SPANS;
use tokio::sync::Mutex;

use crate::auth::Caller;
use crate::envelope::{Json, Params};
use crate::error::ApiError;
use crate::parts::App;

/// What is read of a refused file at most.
const DRAINED_BYTES: usize = 256 << 20;

/// What the file is.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportParams {
    /// The table; `spans` if absent.
    table: Option<String>,
    /// `parquet`, `jsonl` or `csv`.
    format: FileFormat,
}

/// Import rows from a file.
///
/// The file as `GET /api/v1/export` writes it, or another one with these columns. Rows go into this project,
/// whatever the file says, and replace those of the same key: importing a file twice changes nothing. Spans
/// bring their findings. The answer comes when all of it is on disk. A refusal names the line or row and the
/// column; rows before it have been taken, so mend the file and import it again.
#[utoipa::path(post, path = "/api/v1/import", operation_id = "import", tag = "Queries", params(ImportParams),
    request_body(content = String, content_type = "application/octet-stream", description = "The file."),
    responses((status = 200, description = "All rows are on disk.", body = Imported)))]
pub(crate) async fn import(
    Caller(caller): Caller,
    State(app): State<App>,
    Params(params): Params<ImportParams>,
    body: Body,
) -> Result<Json<Imported>, ApiError> {
    let table = params.table.unwrap_or_else(|| SPANS.name.to_owned());
    let body = Arc::new(Mutex::new(body.into_data_stream()));
    let file = futures_util::stream::unfold(Arc::clone(&body), |body| async {
        let part = body.lock().await.next().await?;
        Some((part.map_err(io::Error::other), body))
    });
    let imported = app.store.import(&caller.project, &table, params.format, Box::pin(file)).await;
    if imported.is_err() {
        drain(&mut *body.lock().await).await;
    }
    imported.map(Json).map_err(|error| match error {
        // The hints for queries would mislead here.
        StoreError::Limit(problem) => ApiError::new(ErrorClass::InvalidRequest, problem),
        error => error.into(),
    })
}

/// Who is still sending hears of a refusal only when all was taken: a closed connection loses the answer.
pub(super) async fn drain(body: &mut BodyDataStream) {
    let mut left = DRAINED_BYTES;
    while let Some(Ok(part)) = body.next().await {
        left = left.saturating_sub(part.len());
        if left == 0 {
            return;
        }
    }
}
