//! Makes a backup, or brings one up to date.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use signalbox_journal::fs::Fs;
use signalbox_types::seam::BackupReport;

use super::copy::{Part, parts_of};
use crate::manifest::{self, DataFile, FILES, KEYS, Manifest};
use crate::said;

/// The file of the catalog, which is its crate's to copy.
pub(super) const CATALOG: &str = "catalog.db";

/// What is backed up.
pub(crate) struct Backup<'a> {
    pub(crate) fs: &'a dyn Fs,
    /// Files that are in the data folder, and that folder.
    pub(crate) files: Vec<DataFile>,
    pub(crate) dir: &'a Path,
    /// Files that are only for this backup, and the folder that they are in.
    pub(crate) extra: Vec<DataFile>,
    pub(crate) extra_dir: &'a Path,
    pub(crate) low_seq: u64,
    pub(crate) next_file: u64,
    /// Files may share their place on disk with the original, which is never changed.
    pub(crate) link: bool,
}

enum Placed {
    Kept,
    Linked,
    Copied,
}

/// Writes it into a folder. What is there already is kept, the manifest is replaced, and what it doesn't
/// name is removed: in this order, so that the backup before is whole until the new one is.
pub(crate) fn write(backup: Backup<'_>, to: &Path) -> io::Result<BackupReport> {
    let Backup { fs, files, dir, extra, extra_dir, low_seq, next_file, link } = backup;
    let previous = manifest::load(fs, to).map_err(io::Error::other)?;
    for folder in folders(to) {
        fs.create_dir_all(&folder)?;
    }
    let mut report = BackupReport::default();
    for (from, file) in files.iter().map(|file| (dir, file)).chain(extra.iter().map(|file| (extra_dir, file))) {
        same_history(&previous, file)?;
        for part in parts_of(file) {
            let (placed, bytes) = place(fs, &part, from, to, link)?;
            report.files += 1;
            report.bytes += bytes;
            match placed {
                Placed::Kept => report.kept += 1,
                Placed::Linked => report.linked += 1,
                Placed::Copied => report.copied += 1,
            }
        }
    }
    for folder in folders(to) {
        fs.sync_dir(&folder)?;
    }
    let files: Vec<DataFile> = files.into_iter().chain(extra).collect();
    let manifest = previous.next(files, low_seq, next_file);
    manifest::commit(fs, to, &manifest)?;
    report.removed = sweep(fs, to, &manifest)?;
    Ok(report)
}

fn folders(to: &Path) -> Vec<PathBuf> {
    let kinds = [FILES, KEYS];
    said::tables().flat_map(|table| kinds.map(|kind| to.join(kind).join(table.name))).collect()
}

/// Numbers of files are given by a data folder, so another one may use them for other rows.
fn same_history(previous: &Manifest, file: &DataFile) -> io::Result<()> {
    let other = previous.files.iter().find(|other| other.table == file.table && other.name == file.name);
    match other {
        Some(other) if other.blake3 != file.blake3 || other.bytes != file.bytes => Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "it holds a backup of another data folder; choose an empty folder",
        )),
        _ => Ok(()),
    }
}

fn place(fs: &dyn Fs, part: &Part, from: &Path, to: &Path, link: bool) -> io::Result<(Placed, u64)> {
    let (source, target) = (from.join(&part.path), to.join(&part.path));
    let known = target.metadata();
    if let (Ok(known), Ok(there)) = (known, source.metadata())
        && known.len() == there.len()
        && (same_file(&known, &there) || part.check(to).is_ok())
        && same_keys(part, &source, &target)
    {
        return Ok((Placed::Kept, known.len()));
    }
    if link {
        let tmp = target.with_extension("tmp");
        // Left by a backup that was cut off.
        let _ = std::fs::remove_file(&tmp);
        // Another disk, or one that knows no links: then it is copied.
        if std::fs::hard_link(&source, &tmp).is_ok() {
            let bytes = part.check(from)?;
            fs.rename(&tmp, &target)?;
            return Ok((Placed::Linked, bytes));
        }
    }
    Ok((Placed::Copied, part.copy(fs, from, to)?))
}

/// The manifest doesn't say which keys belong to which rows, so whole keys may be those of other rows.
fn same_keys(part: &Part, source: &Path, target: &Path) -> bool {
    !part.is_keys() || matches!((std::fs::read(source), std::fs::read(target)), (Ok(a), Ok(b)) if a == b)
}

fn same_file(left: &std::fs::Metadata, right: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (left.dev(), left.ino()) == (right.dev(), right.ino())
}

/// Removes files that no backup needs any more. Counts those that the one before had.
fn sweep(fs: &dyn Fs, to: &Path, manifest: &Manifest) -> io::Result<u64> {
    let live: BTreeSet<PathBuf> = manifest.files.iter().flat_map(parts_of).map(|part| to.join(part.path)).collect();
    let mut removed = 0;
    for folder in folders(to) {
        for name in fs.list(&folder)? {
            let path = folder.join(&name);
            let ours = [".parquet", ".keys", ".tmp"].iter().any(|ending| name.ends_with(ending));
            if ours && !live.contains(&path) {
                fs.remove(&path)?;
                removed += u64::from(!name.ends_with(".tmp"));
            }
        }
    }
    Ok(removed)
}
