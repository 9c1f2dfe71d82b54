//! Items that were made from what is to be forgotten.

use signalbox_types::ProjectId;
use signalbox_types::seam::Erase;

use super::sql;
use crate::catalog::Catalog;
use crate::error::CatalogError;

impl Catalog {
    /// Forgets what items say that were made from this, or from one of these traces, in every version: they stay on its
    /// list, and have no fields any more. How many there were.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn erase_dataset_items(
        &self,
        project: &ProjectId,
        what: &Erase,
        traces: Vec<String>,
    ) -> Result<u64, CatalogError> {
        let (project, what) = (project.clone(), what.clone());
        let erased = self.write_aside(move |connection, _| {
            Box::pin(async move {
                let (column, value) = match what {
                    Erase::UserId(user) => ("user_id", user),
                    Erase::SessionId(session) => ("session_id", session),
                    Erase::TraceId(trace) => ("trace_id", trace),
                };
                let own = sql::erase(connection, &project, column, &[value]).await?;
                Ok(own + sql::erase(connection, &project, "trace_id", &traces).await?)
            })
        });
        let erased = erased.await?;
        if erased > 0 {
            // Bytes of before are in the log of changes until it is written back.
            self.read(|connection| {
                Box::pin(
                    async move { sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(connection).await.map(drop) },
                )
            })
            .await?;
        }
        Ok(erased)
    }
}
