//! Online rules and how far they have come, in the catalog.

use std::sync::Arc;

use signalbox_catalog::{Catalog, OnlineRule};
use signalbox_evals::online::{KeptRule, Ledger, LedgerError, Progress};
use signalbox_types::ProjectId;
use signalbox_types::seam::BoxFuture;

/// The ledger of online rules that the catalog keeps.
#[derive(Debug)]
pub struct CatalogLedger(Arc<Catalog>);

impl CatalogLedger {
    /// Of this catalog.
    #[must_use]
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self(catalog)
    }
}

impl Ledger for CatalogLedger {
    fn rules(&self) -> BoxFuture<'_, Result<Vec<KeptRule>, LedgerError>> {
        Box::pin(async {
            let all = self.0.all_online_rules().await.map_err(|error| LedgerError(error.to_string()))?;
            Ok(all.into_iter().filter_map(|(project, kept)| read(project, kept)).collect())
        })
    }

    fn keep(&self, progress: Vec<(ProjectId, String, Progress)>) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let written = progress.into_iter().map(|(project, name, progress)| {
                let progress = serde_json::to_value(progress).map_err(|error| LedgerError(error.to_string()))?;
                Ok((project, name, progress))
            });
            let written = written.collect::<Result<_, LedgerError>>()?;
            self.0.keep_online_progress(written).await.map_err(|error| LedgerError(error.to_string()))
        })
    }
}

/// A rule that this Signalbox can't read (any more) is left out, and told.
fn read(project: ProjectId, kept: OnlineRule) -> Option<KeptRule> {
    match serde_json::from_value(kept.definition) {
        Ok(rule) => {
            let progress = serde_json::from_value(kept.progress).unwrap_or_default();
            Some(KeptRule { project, version: kept.version, rule, progress })
        }
        Err(error) => {
            tracing::warn!(%project, rule = %kept.name, "the online rule `{}` can't be read and scores nothing: {error}", kept.name);
            None
        }
    }
}
