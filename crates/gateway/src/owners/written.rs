//! Writes down who made what: behind the calls, all that has come together at once, so that a thousand of them cost the disk
//! as much as one.

use std::sync::{Arc, Weak};
use std::time::Duration;

use signalbox_catalog::{Catalog, CatalogError, KeptThing};

use super::{Key, Owners};

/// So long a call waits at most until what it made is written down: a disk in trouble must not stop it.
const PATIENCE: Duration = Duration::from_secs(1);
/// After a failure it is tried again so much later.
const PAUSE: Duration = Duration::from_secs(2);
/// What is beyond the bounds goes each time so many were written.
const TIDY_EVERY: usize = 1_000;

impl Owners {
    /// Takes over what the catalog knows, and writes down there what comes. Within a runtime; once.
    ///
    /// # Errors
    /// The catalog's file is in trouble.
    pub(crate) async fn keep_in(self: &Arc<Self>, catalog: &Arc<Catalog>) -> Result<(), CatalogError> {
        self.recall(catalog.kept(self.bounds()).await?);
        tokio::spawn(write(Arc::downgrade(self), Arc::clone(&self.news), Arc::clone(catalog)));
        Ok(())
    }

    /// Waits until what was noted so far is written down; not for long, and not if nobody does that.
    pub(crate) async fn written(&self) {
        let noted = {
            let known = self.known.lock();
            if !known.is_written {
                return;
            }
            known.noted
        };
        let mut written = self.written.subscribe();
        if tokio::time::timeout(PATIENCE, written.wait_for(|written| *written >= noted)).await.is_err() {
            tracing::warn!("who made what at providers is not written down yet; a crash now would forget it");
        }
    }

    /// What is to be written, and how much was noted so far.
    fn take_unwritten(&self) -> (Vec<KeptThing>, Vec<Key>, u64) {
        let mut known = self.known.lock();
        let keys: Vec<Key> = known.unwritten.drain().collect();
        let mut things = Vec::with_capacity(keys.len());
        for key in &keys {
            let owners = known.things.get(key).map(|thing| thing.owners.as_slice()).unwrap_or_default();
            things.extend(owners.iter().map(|owner| KeptThing {
                kind: key.0.as_str().to_owned(),
                id: key.1.to_string(),
                project: owner.project.clone(),
                provider: owner.provider.to_string(),
                used_at: owner.used_at,
            }));
        }
        (things, keys, known.noted)
    }

    fn put_back(&self, keys: Vec<Key>) {
        let mut known = self.known.lock();
        let still_known: Vec<Key> = keys.into_iter().filter(|key| known.things.contains_key(key)).collect();
        known.unwritten.extend(still_known);
    }
}

/// Ends with its gateway.
async fn write(owners: Weak<Owners>, news: Arc<tokio::sync::Notify>, catalog: Arc<Catalog>) {
    let mut since_tidied = TIDY_EVERY;
    let mut has_failed = false;
    loop {
        if has_failed {
            tokio::time::sleep(PAUSE).await;
        } else {
            news.notified().await;
        }
        let Some(owners) = owners.upgrade() else { return };
        let (things, keys, noted) = owners.take_unwritten();
        since_tidied += things.len();
        let bounds = (since_tidied >= TIDY_EVERY).then(|| owners.bounds());
        match catalog.keep(things, bounds).await {
            Ok(()) => {
                if bounds.is_some() {
                    since_tidied = 0;
                }
                has_failed = false;
                owners.written.send_replace(noted);
            }
            Err(error) => {
                if !has_failed {
                    tracing::warn!(%error, "who made what at providers can't be written down; it is tried again");
                }
                has_failed = true;
                owners.put_back(keys);
            }
        }
    }
}

impl Drop for Owners {
    fn drop(&mut self) {
        // So that the writer sees that it is over.
        self.news.notify_one();
    }
}
