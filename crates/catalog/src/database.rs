//! Opens the file and brings it to today's shape.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use crate::error::{CatalogError, FileFault};

/// Every step the file's shape has gone through. Append only; step n ends with
/// `PRAGMA user_version = n`, so that a step and its number are committed together.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_guard.sql"),
    include_str!("../migrations/0003_kept.sql"),
    include_str!("../migrations/0004_credentials.sql"),
    include_str!("../migrations/0005_datasets.sql"),
    include_str!("../migrations/0006_runs.sql"),
    include_str!("../migrations/0007_online.sql"),
    include_str!("../migrations/0008_watch.sql"),
    include_str!("../migrations/0009_leases.sql"),
];

/// How long to wait for another process (a backup, a shell) that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);

pub(crate) async fn open(file: &Path) -> Result<SqliteConnection, CatalogError> {
    create_private(file)?;
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        // With FULL a key that was shown, or a revocation that was confirmed, survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What was erased must not be found in the file.
        .pragma("secure_delete", "on")
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging();
    let mut connection = options.connect().await.map_err(|error| CatalogError::sqlite(file, &error))?;
    migrate(&mut connection, file).await?;
    Ok(connection)
}

async fn migrate(connection: &mut SqliteConnection, file: &Path) -> Result<(), CatalogError> {
    let explain = |error: sqlx::Error| CatalogError::sqlite(file, &error);
    let mut change = connection.begin_with("BEGIN IMMEDIATE").await.map_err(explain)?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *change).await.map_err(explain)?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    if done > MIGRATIONS.len() {
        let problem = format!("has shape {version}, this Signalbox knows up to {}", MIGRATIONS.len());
        return Err(CatalogError::file(file, FileFault::Newer, problem));
    }
    for step in MIGRATIONS.iter().skip(done) {
        sqlx::raw_sql(*step).execute(&mut *change).await.map_err(explain)?;
    }
    change.commit().await.map_err(explain)
}

/// The file with access for this user only: it holds no keys, but names and a trail of changes.
/// SQLite gives its `-wal` and `-shm` files the same mode.
pub(crate) fn create_private(file: &Path) -> Result<(), CatalogError> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(CatalogError::file(file, FileFault::Unwritable, format!("can't be opened for writing ({error})")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_leaves_its_number() {
        for (i, step) in MIGRATIONS.iter().enumerate() {
            assert!(step.trim_end().ends_with(&format!("PRAGMA user_version = {};", i + 1)), "step {}", i + 1);
        }
    }

    async fn check(file: &Path, fault: FileFault) -> String {
        let error = open(file).await.unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, CatalogError::File { fault: found, .. } if found == fault), "{message}");
        assert!(message.contains(file.to_str().unwrap()), "{message}");
        message
    }

    #[tokio::test]
    async fn trouble_names_the_file_and_the_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("catalog.db");

        std::fs::create_dir(&file).unwrap();
        assert!(check(&file, FileFault::Unwritable).await.contains("--data"));
        std::fs::remove_dir(&file).unwrap();

        std::fs::write(&file, "this is no SQLite file, and long enough for a header. ".repeat(100)).unwrap();
        assert!(check(&file, FileFault::Corrupt).await.contains("backup"));
        std::fs::remove_file(&file).unwrap();

        let mut connection = open(&file).await.unwrap();
        sqlx::raw_sql("PRAGMA user_version = 99").execute(&mut connection).await.unwrap();
        assert!(check(&file, FileFault::Newer).await.contains("shape 99"));
        sqlx::raw_sql("PRAGMA user_version = 1; BEGIN EXCLUSIVE").execute(&mut connection).await.unwrap();
        assert!(check(&file, FileFault::Locked).await.contains("another process"));
    }
}
