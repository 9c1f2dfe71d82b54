//! Documents of what is watched: monitors, states of series, incidents, silences, messages. They are no part of the snapshot; what
//! people do to them is noted in the history by who lets them.

mod sql;
#[cfg(test)]
mod tests;

use serde_json::Value;
use signalbox_types::ProjectId;

use crate::catalog::Catalog;
use crate::error::CatalogError;
use crate::resources::lease::{self, LeaseTerm};

/// A document, or what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchedDocument {
    /// Whose.
    pub project: ProjectId,
    /// What it is: `monitor`, `state`, `incident`, `silence`, `message`.
    pub kind: String,
    /// Which one.
    pub id: String,
    /// What it says; none if it is gone.
    pub body: Option<Value>,
}

impl Catalog {
    /// All documents.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn watched(&self) -> Result<Vec<WatchedDocument>, CatalogError> {
        self.read(|connection| Box::pin(async move { sql::all(connection).await })).await
    }

    /// Puts documents in the places of earlier ones, and removes those without a body: all of it, or nothing. Tells whether it was
    /// done: not if another process has taken the lease since that term.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn write_watched(
        &self,
        documents: Vec<WatchedDocument>,
        under: Option<LeaseTerm>,
    ) -> Result<bool, CatalogError> {
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                if let Some(term) = under
                    && !lease::sql::is_of(connection, &term).await?
                {
                    return Ok(false);
                }
                for document in &documents {
                    match &document.body {
                        Some(body) => sql::put(connection, document, body, now).await?,
                        None => sql::remove(connection, document).await?,
                    }
                }
                Ok(true)
            })
        })
        .await
    }
}
