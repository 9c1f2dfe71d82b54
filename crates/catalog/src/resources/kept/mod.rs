//! Who made what providers keep. The gateway has it all in memory; here it outlives the process. It is no part of the
//! snapshot, and its changes are in no history: calls make them, not people.

mod sql;
#[cfg(test)]
mod tests;

use signalbox_types::{ProjectId, Timestamp};

use crate::catalog::Catalog;
use crate::error::CatalogError;

/// A thing that a provider keeps, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptThing {
    /// What it is: `response`, `file`, `batch`.
    pub kind: String,
    /// The provider's id of it.
    pub id: String,
    /// The project that made it.
    pub project: ProjectId,
    /// The provider's name.
    pub provider: String,
    /// When it was last used.
    pub used_at: Timestamp,
}

/// How much of it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptBounds {
    /// So many things; those that weren't used for the longest time go first.
    pub most: u32,
    /// What was last used before this goes.
    pub used_since: Timestamp,
}

impl Catalog {
    /// Everything within the bounds, the least recently used first.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn kept(&self, bounds: KeptBounds) -> Result<Vec<KeptThing>, CatalogError> {
        self.read(move |connection| Box::pin(async move { sql::newest(connection, bounds).await })).await
    }

    /// Writes down who made these, or that they were used again: all of it, or nothing. What is beyond the bounds goes, if
    /// there are any.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn keep(&self, things: Vec<KeptThing>, bounds: Option<KeptBounds>) -> Result<(), CatalogError> {
        self.write_aside(move |connection, _| {
            Box::pin(async move {
                for thing in &things {
                    sql::upsert(connection, thing).await?;
                }
                if let Some(bounds) = bounds {
                    sql::forget_beyond(connection, bounds).await?;
                }
                Ok(())
            })
        })
        .await
    }
}
