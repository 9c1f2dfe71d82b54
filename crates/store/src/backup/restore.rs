//! Brings a backup back into a data folder.

use std::io;
use std::path::{Path, PathBuf};

use signalbox_journal::fs::{Fs, Real};

use super::Progress;
use super::copy::{Part, parts_of};
use super::write::CATALOG;
use crate::OpenError;
use crate::backend::embedded::lock;
use crate::manifest::{self, DataFile, FILES, KEYS};

/// There while a folder is being restored: nobody may take it for a whole one, or for an empty one.
pub(crate) const MARKER: &str = "restoring";
const LOCK: &str = "signalbox.lock";

/// Why a backup was not brought back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The folder has something in it.
    #[error("`{dir}` is not empty; choose another folder, or give `--force`, which moves what is in it aside")]
    NotEmpty {
        /// The folder.
        dir: PathBuf,
    },
    /// It is no backup.
    #[error("`{dir}` holds no whole backup: {problem}")]
    NoBackup {
        /// The folder.
        dir: PathBuf,
        /// What is missing.
        problem: String,
    },
    /// One of the two folders can't be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file is damaged or can't be copied.
    #[error(
        "the backup was not restored: {source}; run `signalbox verify --backup` to see all that is damaged, and take another backup"
    )]
    Copy {
        /// What and where.
        source: io::Error,
    },
    /// The folder can't be written.
    #[error("can't write to `{dir}`: {source}")]
    Write {
        /// The folder.
        dir: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

/// What was brought back.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Restored {
    /// Files, each checked against its checksum.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Where what was in the folder is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_aside: Option<PathBuf>,
}

/// Brings the backup in `from` into the folder `to`, checking every file. With `force`, what is in that folder
/// is moved into one within it first.
///
/// # Errors
/// The folder is not empty or in use, the backup is not whole, or the disk fails. Then the folder can't be
/// opened until a restore has come to its end.
pub fn restore(from: &Path, to: &Path, force: bool, progress: Progress<'_>) -> Result<Restored, RestoreError> {
    let no_backup = |problem: &str| RestoreError::NoBackup { dir: from.to_owned(), problem: problem.to_owned() };
    let manifest = manifest::load(&Real, from)?;
    if manifest.version == 0 {
        return Err(no_backup("it has no manifest.json"));
    }
    if !from.join(CATALOG).is_file() {
        return Err(no_backup("it has no catalog.db, so it was cut off; make it again"));
    }
    // Nobody may bring it up to date meanwhile. It may lie where nothing can be written, and then nobody does.
    let _from = match lock(from) {
        Ok(lock) => Some(lock),
        Err(error @ OpenError::Locked { .. }) => return Err(error.into()),
        Err(_) => None,
    };
    let (to, _lock) = lock(to)?;
    let write = |source| RestoreError::Write { dir: to.clone(), source };
    let mut restored = Restored { moved_aside: make_room(&to, force)?, ..Restored::default() };
    begin(&to).map_err(write)?;
    let mut parts: Vec<Part> = manifest.files.iter().flat_map(parts_of).collect();
    parts.push(Part::other(CATALOG));
    let length = |part: &Part| from.join(&part.path).metadata().map_or(0, |known| known.len());
    let all = parts.iter().map(length).sum();
    for part in &parts {
        let path = to.join(&part.path);
        if let Some(folder) = path.parent() {
            Real.create_dir_all(folder).map_err(write)?;
        }
        restored.bytes += part.copy(&Real, from, &to).map_err(|source| RestoreError::Copy { source })?;
        restored.files += 1;
        progress(restored.bytes, all);
    }
    restored.rows = manifest.files.iter().map(DataFile::shown_rows).sum();
    let synced = [FILES, KEYS].iter().flat_map(|kind| std::fs::read_dir(to.join(kind)).into_iter().flatten().flatten());
    for folder in synced {
        Real.sync_dir(&folder.path()).map_err(write)?;
    }
    manifest::commit(&Real, &to, &manifest).map_err(write)?;
    Real.remove(&to.join(MARKER)).map_err(write)?;
    Real.sync_dir(&to).map_err(write)?;
    Ok(restored)
}

fn begin(to: &Path) -> io::Result<()> {
    Real.create(&to.join(MARKER))?.sync()?;
    Real.sync_dir(to)
}

/// Moves what is in the folder into one within it, or refuses.
fn make_room(to: &Path, force: bool) -> Result<Option<PathBuf>, RestoreError> {
    let failed = |source| RestoreError::Write { dir: to.to_owned(), source };
    let mut there: Vec<_> = std::fs::read_dir(to).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    let is_aside =
        |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name == LOCK || name.starts_with("replaced-"));
    there.retain(|entry| !is_aside(&entry.file_name()));
    if there.is_empty() {
        return Ok(None);
    }
    if !force {
        return Err(RestoreError::NotEmpty { dir: to.to_owned() });
    }
    let aside = (1..).map(|n: u32| to.join(format!("replaced-{n}"))).find(|path| !path.exists());
    let Some(aside) = aside else { return Ok(None) };
    Real.create_dir_all(&aside).map_err(failed)?;
    for entry in there {
        std::fs::rename(entry.path(), aside.join(entry.file_name())).map_err(failed)?;
    }
    Real.sync_dir(&aside).map_err(failed)?;
    Ok(Some(aside))
}
