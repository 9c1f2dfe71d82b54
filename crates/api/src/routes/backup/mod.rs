//! A copy of everything on the server's disk.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use signalbox_types::ErrorClass;
use signalbox_types::seam::{BackupReport, StoreError};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

/// The catalog's name in a data folder, and so in a backup.
const CATALOG: &str = "catalog.db";

/// Where to.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackupRequest {
    /// An absolute path on the machine that Signalbox runs on: of an empty folder, of one that isn't there
    /// yet, or of an earlier backup, which is brought up to date.
    #[schema(example = "/var/backups/signalbox")]
    to: String,
}

/// What was done.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct BackupAnswer {
    /// The folder.
    to: String,
    #[serde(flatten)]
    report: BackupReport,
    /// How long it took, in milliseconds.
    took_ms: u64,
}

/// Back up everything.
///
/// Spans, findings, projects, keys and history of all projects, as they are now, while calls and queries go
/// on. Only the first key may ask for it: the one that came with the house.
#[utoipa::path(post, path = "/api/v1/admin/backup", operation_id = "back_up", tag = "House", request_body = BackupRequest, responses(
    (status = 200, description = "The backup is whole and on disk.", body = BackupAnswer),
    (status = 403, description = "It is not the first key.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn back_up(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(request): Json<BackupRequest>,
) -> Result<Json<BackupAnswer>, ApiError> {
    if !app.catalog.is_first_key(&caller).await? {
        let error = ApiError::new(ErrorClass::PermissionDenied, "a backup holds all projects, and this key opens one");
        return Err(error.hint("ask with the first key, the one that `signalbox up` printed at its first start"));
    }
    let began = app.clock.elapsed();
    let to = PathBuf::from(&request.to);
    let report = app.store.backup(&to).await.map_err(|error| match error {
        // Not hidden: who holds the first key is who can mend the disk.
        StoreError::Disk(problem) => {
            tracing::error!(error.message = %problem, "a backup failed: {problem}");
            ApiError::new(ErrorClass::Internal, problem)
        }
        error => error.into(),
    })?;
    // After the rows: a first backup without it is no backup, and says so when it is restored.
    app.catalog.backup(&to.join(CATALOG)).await?;
    let took_ms = app.clock.elapsed().saturating_sub(began).as_millis() as u64;
    Ok(Json(BackupAnswer { to: request.to, report, took_ms }))
}
