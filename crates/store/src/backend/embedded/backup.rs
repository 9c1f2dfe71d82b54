//! A backup of a store that goes on working: the rows of one moment, those in memory included.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use signalbox_types::query::InvalidQuery;
use signalbox_types::seam::{BackupReport, StoreError};
use signalbox_types::table::Table;
use signalbox_types::table::{SPAN_MINUTES, SPANS};
use tracing::info;

use super::snapshot::Snapshot;
use super::state::Shared;
use super::{Store, open};
use crate::backup::{self, Backup};
use crate::error::internal;
use crate::files::LiveFile;
use crate::flush::write_file;
use crate::manifest::{DataFile, FILES, KEYS};
use crate::memtable::Memtable;
use crate::rows::TableBatch;
use crate::writer::Place;
use crate::{OpenError, said};

/// Where rows from memory are written before they have their name.
const STAGING: &str = "staging";
/// What may be in the folder of a backup, by how its name begins.
const OURS: &[&str] = &["manifest.", FILES, KEYS, "catalog.db", STAGING, "signalbox.lock"];

/// All rows of one moment.
struct Moment {
    tables: Vec<(&'static Table, Snapshot)>,
    /// The first journal record that is not in them.
    low_seq: u64,
}

pub(super) async fn backup(store: &Store, to: &Path) -> Result<BackupReport, StoreError> {
    let (shared, to) = (Arc::clone(&store.shared), to.to_owned());
    tokio::task::spawn_blocking(move || run(&shared, &to, true)).await.map_err(internal)?
}

fn run(shared: &Shared, to: &Path, link: bool) -> Result<BackupReport, StoreError> {
    let started = shared.clock.elapsed();
    check_folder(&shared.dir, to)?;
    // Also keeps another backup out of it.
    let (to, _lock) = open::lock(to).map_err(|error| match error {
        OpenError::Locked { dir } => refused(&dir, &"a Signalbox or another backup is using it"),
        error => InvalidQuery::new("to", error.to_string()).into(),
    })?;
    shared.flush()?;
    let moment = shared.moment();
    let staging = to.join(STAGING);
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => refused(&to, &error),
        _ => StoreError::Disk(format!("the backup was not made, and the one before is as it was ({error})")),
    };
    let written = write(shared, &moment, &to, &staging, link);
    // A crash leaves it; the next backup writes over it.
    let _ = std::fs::remove_dir_all(&staging);
    let report = written.map_err(failed)?;
    let took_ms = shared.clock.elapsed().saturating_sub(started).as_millis() as u64;
    info!(to = %to.display(), files = report.files, bytes = report.bytes, took_ms, "backed up the event store");
    drop(moment);
    shared.remove_unread();
    Ok(report)
}

fn write(shared: &Shared, moment: &Moment, to: &Path, staging: &Path, link: bool) -> io::Result<BackupReport> {
    let files = moment.tables.iter().flat_map(|(_, snapshot)| &snapshot.files).map(LiveFile::stored);
    let backup = Backup {
        fs: &*shared.fs,
        files: files.collect::<io::Result<_>>()?,
        dir: &shared.dir,
        extra: write_memory(shared, moment, staging)?,
        extra_dir: staging,
        low_seq: moment.low_seq,
        next_file: shared.number(),
        link,
    };
    backup::write(backup, to)
}

/// Rows that came after the flush, as files of the backup.
fn write_memory(shared: &Shared, moment: &Moment, staging: &Path) -> io::Result<Vec<DataFile>> {
    let mut memtable = Memtable::default();
    memtable.begin(moment.low_seq.saturating_sub(1), Duration::ZERO);
    for (table, snapshot) in &moment.tables {
        for (chunk, dead) in &snapshot.chunks {
            let batch = chunk.alive(Some(dead)).map_err(io::Error::other)?;
            let keyed = TableBatch { table, batch }.keyed().map_err(io::Error::other)?;
            memtable.push(keyed).map_err(io::Error::other)?;
        }
    }
    let place = Place { dir: staging, ..shared.place() };
    let mut files = Vec::new();
    for rows in memtable.tables() {
        let companion = Some(SPAN_MINUTES.name).filter(|_| *rows.table == SPANS);
        for (kind, name) in
            [FILES, KEYS].into_iter().flat_map(|kind| [(kind, Some(rows.table.name)), (kind, companion)])
        {
            name.map_or(Ok(()), |name| shared.fs.create_dir_all(&staging.join(kind).join(name)))?;
        }
        let written = write_file(&place, shared.number(), rows, &rows.dead, memtable.seqs)?;
        // A companion keeps the name of the file that it belongs to.
        let sum = written.first().and_then(|file| Some(file.blake3.as_deref()?.get(..24)?.to_owned()));
        let named = written.into_iter().map(|file| named_by_content(shared, staging, sum.as_deref(), file));
        files.extend(named.collect::<io::Result<Vec<_>>>()?);
    }
    Ok(files)
}

/// Its number will be given to another file of the data folder if that is not closed in order.
fn named_by_content(shared: &Shared, staging: &Path, sum: Option<&str>, file: DataFile) -> io::Result<DataFile> {
    let sum = sum.unwrap_or(&file.name);
    let named = DataFile { name: format!("m{sum}.parquet"), ..file.clone() };
    shared.fs.rename(&staging.join(file.relative_path()), &staging.join(named.relative_path()))?;
    if said::find_table(&file.table).is_some_and(crate::keys::has_keys) {
        shared.fs.rename(&staging.join(file.keys_path()), &staging.join(named.keys_path()))?;
    }
    Ok(named)
}

impl Shared {
    /// Everything under one lock, so that a row that replaces another is there if the other one is not.
    fn moment(&self) -> Moment {
        let state = self.state.read();
        let tables = said::tables().map(|table| (table, self.snapshot_of(&state, table)));
        let newest = [Some(&state.active), state.frozen.as_deref()].into_iter().flatten().find(|rows| !rows.is_empty());
        let low_seq = newest.map_or(state.manifest.low_seq, |rows| rows.seqs.1 + 1);
        Moment { tables: tables.collect(), low_seq }
    }
}

fn refused(to: &Path, problem: &dyn std::fmt::Display) -> StoreError {
    InvalidQuery::new("to", format!("`{}` can't be used: {problem}", to.display())).into()
}

/// Whoever may ask for a backup may name any folder of the machine: only what is empty, or was a backup
/// before, is written to.
fn check_folder(data: &Path, to: &Path) -> Result<(), StoreError> {
    if !to.is_absolute() {
        return Err(refused(to, &"expected an absolute path on the machine that Signalbox runs on"));
    }
    let there = to.ancestors().find_map(|path| path.canonicalize().ok()).unwrap_or_else(|| PathBuf::from("/"));
    if there.starts_with(data) || data.starts_with(&there) && to.exists() {
        return Err(refused(to, &"it is in the data folder, or the data folder is in it; choose another one"));
    }
    let entries = match std::fs::read_dir(to) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(to, &error)),
    };
    for entry in entries {
        let name = entry.map_err(|error| refused(to, &error))?.file_name();
        if !name.to_str().is_some_and(|name| OURS.iter().any(|ours| name.starts_with(ours))) {
            let problem = format!("there is `{}` in it, so it is no backup; choose an empty folder", name.display());
            return Err(refused(to, &problem));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use signalbox_journal::fs::{Faulty, Real};
    use signalbox_testkit::ManualClock;
    use signalbox_testkit::builders::llm_span;
    use signalbox_types::Span;
    use signalbox_types::seam::{Clock as _, EventStore};

    use super::*;
    use crate::StoreConfig;

    fn spans(numbers: std::ops::Range<u64>) -> Vec<Span> {
        // Not so long ago that they are removed meanwhile.
        let start = ManualClock::default().now();
        numbers.map(|n| llm_span("p", n, "sim/small", start, n)).collect()
    }

    async fn rows(dir: &Path) -> u64 {
        let found = backup::verify(dir, &mut |_, _| {}).unwrap();
        assert_eq!(found.damages, []);
        found.rows
    }

    /// Wherever the disk fails, the backup before stays whole; the next one succeeds.
    #[tokio::test]
    async fn a_backup_that_fails_leaves_the_one_before() {
        let (data, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (fs, faults) = Faulty::new(Arc::new(Real));
        let clock = Arc::new(ManualClock::default());
        let store = Store::open_on(Arc::new(fs), data.path(), StoreConfig::default(), clock).unwrap();
        store.append(spans(0..100).into()).await.unwrap();
        run(&store.shared, to.path(), false).unwrap();
        assert_eq!(rows(to.path()).await, 100);
        for round in 0..25 {
            store.append(spans(100 + round * 20..120 + round * 20).into()).await.unwrap();
            store.flush().await.unwrap();
            let before = rows(to.path()).await;
            if round == 0 {
                faults.sync_fails();
            } else {
                faults.disk_full_after(round * 777);
            }
            let made = run(&store.shared, to.path(), false).is_ok();
            faults.mend();
            assert_eq!(rows(to.path()).await, if made { 120 + round * 20 } else { before }, "round {round}");
            run(&store.shared, to.path(), false).unwrap();
            assert_eq!(rows(to.path()).await, 120 + round * 20);
        }
    }

    #[test]
    fn only_empty_folders_and_backups_are_written_to() {
        let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let dir = data.path().canonicalize().unwrap();
        let check = |to: &Path| check_folder(&dir, to).map_err(|error| error.to_string());
        check(other.path()).unwrap();
        check(&other.path().join("new/one")).unwrap();
        assert!(check(Path::new("relative")).unwrap_err().contains("absolute"));
        assert!(check(&data.path().join("backup")).unwrap_err().contains("data folder"));
        assert!(check(data.path().parent().unwrap()).unwrap_err().contains("data folder"));
        std::fs::write(other.path().join("manifest.json"), "{}").unwrap();
        check(other.path()).unwrap();
        std::fs::write(other.path().join("letter.txt"), "Dear").unwrap();
        assert!(check(other.path()).unwrap_err().contains("letter.txt"));
    }
}
