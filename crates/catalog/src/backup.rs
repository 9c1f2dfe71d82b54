//! A copy of the catalog while it is in use, and a look at a copy.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::catalog::Catalog;
use crate::database::create_private;
use crate::error::{CatalogError, FileFault};

impl Catalog {
    /// Writes everything into a file, replacing one of that name in one step. Changes wait meanwhile, calls don't.
    ///
    /// # Errors
    /// The file can't be written; one of that name is as it was.
    pub async fn backup(&self, file: &Path) -> Result<(), CatalogError> {
        let tmp = file.with_extension("db.tmp");
        let failed = |error: std::io::Error| {
            CatalogError::file(file, FileFault::Unwritable, format!("can't be written ({error})"))
        };
        // Left by a backup that was cut off; VACUUM wants a new file, or an empty one.
        let _ = std::fs::remove_file(&tmp);
        create_private(&tmp)?;
        let name = tmp.to_string_lossy().into_owned();
        let copied = self.read(move |connection| {
            Box::pin(async move { sqlx::query("VACUUM INTO ?").bind(name).execute(connection).await.map(drop) })
        });
        copied.await?;
        let kept = std::fs::File::open(&tmp).and_then(|copy| copy.sync_all());
        kept.and_then(|()| std::fs::rename(&tmp, file)).map_err(failed)?;
        let folder = file.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all());
        folder.map_err(failed)
    }

    /// Reads a catalog's file from end to end, without changing it, while it may be in use. What is wrong
    /// with it, if anything is.
    ///
    /// # Errors
    /// It can't be opened, or is no catalog.
    pub async fn check(file: &Path) -> Result<Vec<String>, CatalogError> {
        let explain = |error: sqlx::Error| CatalogError::sqlite(file, &error);
        let options = SqliteConnectOptions::new().filename(file).read_only(true).disable_statement_logging();
        let mut connection: SqliteConnection = options.connect().await.map_err(explain)?;
        let said: Vec<String> =
            sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut connection).await.map_err(explain)?;
        connection.close().await.map_err(explain)?;
        Ok(said.into_iter().filter(|line| line != "ok").collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use signalbox_testkit::ManualClock;

    use super::*;

    #[tokio::test]
    async fn a_copy_opens_with_the_same_keys() {
        let (data, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let catalog = Catalog::open(data.path(), Arc::new(ManualClock::default())).await.unwrap();
        let key = catalog.bootstrap(None).await.unwrap().unwrap().key;
        let first = catalog.authenticate(key.expose()).unwrap();
        let file = to.path().join("catalog.db");
        catalog.backup(&file).await.unwrap();
        let second = catalog.create_key(&first, "second").await.unwrap().key;
        let second = (catalog.authenticate(second.expose()).unwrap(), second);
        assert!(catalog.is_first_key(&first).await.unwrap());
        assert!(!catalog.is_first_key(&second.0).await.unwrap());
        catalog.backup(&file).await.unwrap();
        assert_eq!(Catalog::check(&file).await.unwrap(), [""; 0]);
        assert_eq!(Catalog::check(&data.path().join("catalog.db")).await.unwrap(), [""; 0]);

        let copy = Catalog::open(to.path(), Arc::new(ManualClock::default())).await.unwrap();
        assert_eq!(copy.authenticate(second.1.expose()).unwrap(), second.0);
        drop(copy);
        std::fs::write(&file, "no catalog at all, and longer than a header. ".repeat(100)).unwrap();
        assert!(Catalog::check(&file).await.unwrap_err().to_string().contains("damaged"));
        let error = catalog.backup(&to.path().join("no/catalog.db")).await.unwrap_err();
        assert!(error.to_string().contains("no/catalog.db"), "{error}");
    }
}
