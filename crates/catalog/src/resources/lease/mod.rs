//! Leases: which of several processes does what only one of them may do. They are no part of the snapshot and in no history:
//! processes take them, not people.

pub(crate) mod sql;
#[cfg(test)]
mod tests;

use std::time::Duration;

use signalbox_types::Timestamp;

use crate::catalog::Catalog;
use crate::error::CatalogError;

/// From when a process got a lease until another one does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseTerm {
    /// Of which lease.
    pub name: String,
    /// The node that has it.
    pub holder: String,
    /// The how manieth term it is, of all nodes.
    pub term: u32,
}

/// Somebody wants a lease, or to keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseAsk {
    /// Which one.
    pub name: String,
    /// The node that asks.
    pub holder: String,
    /// Its term, if it has had one since it was started. Without one it also gets what it had before it was started anew.
    pub term: Option<u32>,
    /// For how long.
    pub lasts: Duration,
}

/// Whose a lease is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The node that has it.
    pub holder: String,
    /// The how manieth term it is, of all nodes.
    pub term: u32,
    /// When another node may take it.
    pub expires_at: Timestamp,
}

impl Catalog {
    /// Gives a lease to who asks, if it is nobody's, has expired, or is the asker's own. Tells whose it is then, and whether that is the
    /// asker.
    ///
    /// A file that takes nothing, because the disk is full, takes nothing of others either: whose it was goes on with it. A full disk is
    /// what somebody wants to hear of.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn ask_lease(&self, ask: LeaseAsk) -> Result<(Lease, bool), CatalogError> {
        let LeaseAsk { name, holder, term, lasts } = ask.clone();
        let asked = self.take_lease(ask).await;
        let Err(error) = &asked else { return asked };
        let kept = self.lease(&name).await.ok().flatten();
        match kept.filter(|kept| kept.holder == holder && Some(kept.term) == term) {
            Some(own) => {
                tracing::warn!(%error, "the lease `{name}` can't be renewed, and is kept: nobody else can take it");
                Ok((Lease { expires_at: self.now().plus(lasts), ..own }, true))
            }
            None => asked,
        }
    }

    async fn take_lease(&self, ask: LeaseAsk) -> Result<(Lease, bool), CatalogError> {
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                if let Some(own) = sql::take(connection, &ask, now).await? {
                    return Ok((own, true));
                }
                let other = sql::find(connection, &ask.name).await?;
                // What was refused a moment ago in this very transaction is there.
                Ok((other.ok_or(sqlx::Error::RowNotFound)?, false))
            })
        })
        .await
    }

    /// Whose a lease is, or was when it expired.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn lease(&self, name: &str) -> Result<Option<Lease>, CatalogError> {
        let name = name.to_owned();
        self.read(move |connection| Box::pin(async move { sql::find(connection, &name).await })).await
    }

    /// Lets others have a lease at once. Nothing if it is another's already.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn give_up_lease(&self, own: LeaseTerm) -> Result<(), CatalogError> {
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                sql::expire(connection, &own, now).await?;
                Ok(())
            })
        })
        .await
    }
}
