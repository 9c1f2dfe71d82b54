//! The catalog: one file, one connection, one snapshot that calls read without waiting.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use signalbox_types::Timestamp;
use signalbox_types::seam::{BoxFuture, Clock};
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::Mutex;

use crate::database;
use crate::error::{AuthError, CatalogError, Fault, FileFault};
use crate::resources::dataset;
use crate::resources::key::{self, Principal};
use crate::seal::Seals;
use crate::snapshot::Snapshot;
use crate::token::Digest;

/// What people edit, in `<data>/catalog.db`. Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct Catalog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: PathBuf,
    clock: Arc<dyn Clock>,
    /// One connection: changes are rare and small, and their order is the snapshots' order.
    connection: Mutex<SqliteConnection>,
    snapshot: ArcSwap<Snapshot>,
    /// What opens and seals credentials; none if nobody gave a key.
    seals: ArcSwapOption<Seals>,
}

impl Catalog {
    /// Opens the catalog in a data folder, and makes both if they don't exist.
    ///
    /// # Errors
    /// [`CatalogError::File`] says what is the matter with the file and what to do.
    pub async fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, CatalogError> {
        let file = dir.join("catalog.db");
        std::fs::create_dir_all(dir).map_err(|error| {
            CatalogError::file(&file, FileFault::Unwritable, format!("its folder can't be made ({error})"))
        })?;
        let mut connection = database::open(&file).await?;
        dataset::sql::forget_staged(&mut connection).await.map_err(|error| CatalogError::sqlite(&file, &error))?;
        let snapshot = Snapshot::load(&mut connection, &Snapshot::default(), None)
            .await
            .map_err(|error| CatalogError::sqlite(&file, &error))?;
        let (connection, snapshot) = (Mutex::new(connection), ArcSwap::from_pointee(snapshot));
        Ok(Self { inner: Arc::new(Inner { file, clock, connection, snapshot, seals: ArcSwapOption::empty() }) })
    }

    /// Who the holder of this key is. Waits for nothing: a hash, a lookup in memory.
    ///
    /// # Errors
    /// [`AuthError`] says why the key opens nothing.
    pub fn authenticate(&self, key: &str) -> Result<Principal, AuthError> {
        let key = key.trim();
        if key.is_empty() {
            return Err(AuthError::Missing);
        }
        let snapshot = self.inner.snapshot.load();
        let entry = snapshot.keys.get(&Digest::of(key)).ok_or(AuthError::Unknown)?;
        if entry.revoked {
            return Err(AuthError::Revoked);
        }
        entry.touch(self.now());
        Ok(entry.principal.clone())
    }

    /// Whether all keys, revoked ones too, are of one project, so that nothing can be another one's.
    #[must_use]
    pub fn has_one_project(&self) -> bool {
        self.inner.snapshot.load().has_one_project
    }

    /// Writes down what so far is only in memory: when keys were last used. Nobody misses that
    /// enough to make a stop fail: if the file is in trouble, a warning says so.
    ///
    /// # Errors
    /// The process is stopping so fast that nothing could be tried.
    pub async fn close(&self) -> Result<(), CatalogError> {
        let mut written = self.write(|_, _| Box::pin(async { Ok(()) })).await;
        if written.is_err() {
            // The first try may have met a connection that an error before had broken.
            written = self.write(|_, _| Box::pin(async { Ok(()) })).await;
        }
        match written {
            Err(error @ CatalogError::File { .. }) => {
                tracing::warn!(%error, "when keys were last used could not be written down");
                Ok(())
            }
            written => written,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.snapshot.load_full()
    }

    pub(crate) fn seals(&self) -> Option<Arc<Seals>> {
        self.inner.seals.load_full()
    }

    pub(crate) fn set_seals(&self, seals: Arc<Seals>) {
        self.inner.seals.store(Some(seals));
    }

    /// Reads, with the connection for itself.
    pub(crate) async fn read<T>(
        &self,
        question: impl for<'a> FnOnce(&'a mut SqliteConnection) -> BoxFuture<'a, Result<T, sqlx::Error>>,
    ) -> Result<T, CatalogError> {
        let mut connection = self.inner.connection.lock().await;
        question(&mut connection).await.map_err(|error| CatalogError::sqlite(&self.inner.file, &error))
    }

    /// Makes a change: all of it or nothing, and calls see it as soon as this returns.
    ///
    /// It runs as a task of its own, so that a caller who hangs up between the commit and the new
    /// snapshot can't leave a revoked key working. The task ends by itself.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        change: impl for<'a> FnOnce(&'a mut SqliteConnection, Timestamp) -> BoxFuture<'a, Result<T, Fault>> + Send + 'static,
    ) -> Result<T, CatalogError> {
        self.change(change, true).await
    }

    /// The same for what stands in no snapshot, so that none has to be made.
    pub(crate) async fn write_aside<T: Send + 'static>(
        &self,
        change: impl for<'a> FnOnce(&'a mut SqliteConnection, Timestamp) -> BoxFuture<'a, Result<T, Fault>> + Send + 'static,
    ) -> Result<T, CatalogError> {
        self.change(change, false).await
    }

    async fn change<T: Send + 'static>(
        &self,
        change: impl for<'a> FnOnce(&'a mut SqliteConnection, Timestamp) -> BoxFuture<'a, Result<T, Fault>> + Send + 'static,
        publish: bool,
    ) -> Result<T, CatalogError> {
        let inner = Arc::clone(&self.inner);
        let task = tokio::spawn(async move {
            let changed = inner.change(change, publish).await;
            changed.map_err(|fault| fault.explain(&inner.file))
        });
        task.await.unwrap_or(Err(CatalogError::Closing))
    }
}

impl Inner {
    async fn change<T>(
        &self,
        change: impl for<'a> FnOnce(&'a mut SqliteConnection, Timestamp) -> BoxFuture<'a, Result<T, Fault>> + Send,
        publish: bool,
    ) -> Result<T, Fault> {
        let mut connection = self.connection.lock().await;
        let result = self.attempt(&mut connection, change, publish).await;
        let broken = matches!(&result, Err(Fault::Sql(error)) if !self.locked(error));
        if broken {
            self.recover(&mut connection).await;
        }
        result
    }

    async fn attempt<T>(
        &self,
        connection: &mut SqliteConnection,
        change: impl for<'a> FnOnce(&'a mut SqliteConnection, Timestamp) -> BoxFuture<'a, Result<T, Fault>> + Send,
        publish: bool,
    ) -> Result<T, Fault> {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let result = change(&mut transaction, self.clock.now()).await?;
        if !publish {
            transaction.commit().await?;
            return Ok(result);
        }
        let before = self.snapshot.load_full();
        for (id, last_used) in before.last_used() {
            key::sql::set_last_used(&mut transaction, &id, last_used).await?;
        }
        // Read before the commit: once it is committed, nothing may keep it from being published.
        let after = Snapshot::load(&mut transaction, &before, self.seals.load().as_deref()).await?;
        transaction.commit().await?;
        self.snapshot.store(Arc::new(after));
        Ok(result)
    }

    /// Another process holds the file: nothing was begun, and a new connection would wait as long.
    fn locked(&self, error: &sqlx::Error) -> bool {
        matches!(CatalogError::sqlite(&self.file, error), CatalogError::File { fault: FileFault::Locked, .. })
    }

    /// SQLite itself rolls back on some errors (a full disk), of which sqlx isn't told: it believes
    /// to be in the transaction for ever. So another connection takes over; if it can't be opened
    /// now, the next change that fails tries again.
    async fn recover(&self, connection: &mut SqliteConnection) {
        // Releases the lock if SQLite didn't. There may be nothing to roll back, which is fine.
        let _ = sqlx::query("ROLLBACK").execute(&mut *connection).await;
        if !self.file.exists() {
            return; // Opening would make an empty catalog.
        }
        let (file, runtime) = (self.file.clone(), tokio::runtime::Handle::current());
        let opened = tokio::task::spawn_blocking(move || runtime.block_on(database::open(&file))).await;
        match opened {
            Ok(Ok(fresh)) => *connection = fresh,
            Ok(Err(error)) => tracing::warn!(%error, "the catalog can't be opened again after an error"),
            Err(_) => {} // The process is stopping.
        }
    }
}
