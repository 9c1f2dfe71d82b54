//! What is watched, in the catalog: its documents, and the lease of the node that writes them.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use signalbox_catalog::{Catalog, LeaseAsk, LeaseTerm, WatchedDocument};
use signalbox_types::seam::BoxFuture;
use signalbox_watch::{Keep, Key, Kind, Lease, Term};

/// The lease of the node that evaluates monitors and tells people.
const LEASE: &str = "watch";

/// Documents in the catalog.
#[derive(Debug)]
pub struct CatalogDocuments(Arc<Catalog>);

impl CatalogDocuments {
    /// In this catalog.
    #[must_use]
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self(catalog)
    }
}

fn term(term: &Term) -> LeaseTerm {
    LeaseTerm { name: LEASE.to_owned(), holder: term.node.clone(), term: term.number }
}

impl Keep for CatalogDocuments {
    fn load(&self) -> BoxFuture<'_, Result<Vec<(Key, Value)>, String>> {
        Box::pin(async {
            let documents = self.0.watched().await.map_err(|error| error.to_string())?;
            let read = |document: WatchedDocument| {
                let kind = Kind::find(&document.kind)?;
                Some((Key { project: document.project, kind, id: document.id }, document.body?))
            };
            Ok(documents.into_iter().filter_map(read).collect())
        })
    }

    fn write(&self, changes: Vec<(Key, Option<Value>)>, under: &Term) -> BoxFuture<'_, Result<bool, String>> {
        let document = |(key, body): (Key, Option<Value>)| WatchedDocument {
            project: key.project,
            kind: key.kind.as_str().to_owned(),
            id: key.id,
            body,
        };
        let documents = changes.into_iter().map(document).collect();
        let under = term(under);
        Box::pin(async { self.0.write_watched(documents, Some(under)).await.map_err(|error| error.to_string()) })
    }

    fn ask(&self, node: &str, term: Option<u32>, lasts: Duration) -> BoxFuture<'_, Result<Lease, String>> {
        let ask = LeaseAsk { name: LEASE.to_owned(), holder: node.to_owned(), term, lasts };
        Box::pin(async {
            let (lease, granted) = self.0.ask_lease(ask).await.map_err(|error| error.to_string())?;
            Ok(Lease { node: lease.holder, term: lease.term, until: lease.expires_at, granted })
        })
    }

    fn give_up(&self, own: &Term) -> BoxFuture<'_, Result<(), String>> {
        let own = term(own);
        Box::pin(async { self.0.give_up_lease(own).await.map_err(|error| error.to_string()) })
    }
}
