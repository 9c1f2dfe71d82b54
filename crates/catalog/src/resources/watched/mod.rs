//! Documents of what is watched: monitors, states of series, incidents, silences, messages. They are no part of the snapshot; what
//! people do to them is noted in the history by who lets them.

mod sql;
#[cfg(test)]
mod tests;

use serde_json::Value;
use signalbox_types::ProjectId;

use crate::catalog::Catalog;
use crate::error::CatalogError;

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

    /// Puts documents in the places of earlier ones, and removes those without a body: all of it, or nothing.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn write_watched(&self, documents: Vec<WatchedDocument>) -> Result<(), CatalogError> {
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                for document in &documents {
                    match &document.body {
                        Some(body) => sql::put(connection, document, body, now).await?,
                        None => sql::remove(connection, document).await?,
                    }
                }
                Ok(())
            })
        })
        .await
    }
}
