//! Reads a data folder or a backup from end to end and says what is damaged. Takes no lock, so that it works
//! beside a server: files that vanish meanwhile were merged into others, which are read instead.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::Serialize;
use signalbox_journal::fs::{Fs, Real};
use signalbox_journal::read_segment;

use super::Progress;
use super::copy::{Part, parts_of};
use super::restore::MARKER;
use crate::manifest::{self, Manifest};
use crate::rows::decode;
use crate::{OpenError, backend};

const JOURNAL: &str = "journal";

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub advice: String,
}

/// What was read, and what was wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verification {
    /// Files that were read: rows, keys, segments of the journal.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows in files, those that count no more included.
    pub rows: u64,
    /// Records of the journal that are not in files yet.
    pub journal_records: u64,
    /// Everything that is damaged.
    pub damages: Vec<Damage>,
}

impl Verification {
    fn damaged(&mut self, path: PathBuf, problem: impl std::fmt::Display, advice: &str) {
        self.damages.push(Damage { path, problem: problem.to_string(), advice: advice.to_owned() });
    }
}

const ROWS_ADVICE: &str = "its rows can't be read: restore a backup (`signalbox restore`), or stop Signalbox and \
     copy this one file from a backup whose `verify` is clean";
const KEYS_ADVICE: &str = "no row is lost: stop Signalbox, remove this file, start again, and it is made anew";
const JOURNAL_ADVICE: &str = "rows that were accepted last are in it: restore a backup, or stop Signalbox and move \
     the file away to go on without them";
const MANIFEST_ADVICE: &str = "it says which files count: restore a backup";
const RESTORE_ADVICE: &str = "run `signalbox restore` again with `--force`";

/// Reads everything in a data folder, or in a backup.
///
/// # Errors
/// There is no such folder, or nothing of a data folder in it.
pub fn verify(dir: &Path, progress: Progress<'_>) -> io::Result<Verification> {
    let has = |name: &str| dir.join(name).exists();
    if !has("manifest.json") && !has(JOURNAL) {
        let problem = format!("`{}` is neither a data folder nor a backup: it has no manifest.json", dir.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, problem));
    }
    let mut found = Verification::default();
    if has(MARKER) {
        found.damaged(dir.join(MARKER), "a restore into this folder has not come to its end", RESTORE_ADVICE);
    }
    let mut checked = BTreeSet::new();
    let mut manifest = load(dir, &mut found);
    // The journal first: what it holds moves into files, never the other way.
    if let Some(manifest) = &manifest {
        journal(dir, manifest, &mut found)?;
    }
    while let Some(now) = manifest.take() {
        if files(dir, &now, &mut checked, &mut found, progress) {
            manifest = load(dir, &mut found);
        }
    }
    Ok(found)
}

fn load(dir: &Path, found: &mut Verification) -> Option<Manifest> {
    match manifest::load(&Real, dir) {
        Ok(manifest) => Some(manifest),
        Err(OpenError::Manifest { path, problem }) => {
            found.damaged(path, problem, MANIFEST_ADVICE);
            None
        }
        Err(error) => {
            found.damaged(dir.to_owned(), error, MANIFEST_ADVICE);
            None
        }
    }
}

/// Reads the files of a manifest that were not read yet. Says whether one has vanished, and a new manifest
/// must tell what took its place.
fn files(
    dir: &Path,
    manifest: &Manifest,
    checked: &mut BTreeSet<PathBuf>,
    found: &mut Verification,
    progress: Progress<'_>,
) -> bool {
    let all = found.bytes + manifest.files.iter().map(|file| file.bytes).sum::<u64>();
    let mut vanished = false;
    for file in &manifest.files {
        for part in parts_of(file) {
            if checked.contains(&part.path) {
                continue;
            }
            match part.check(dir) {
                Ok(bytes) => {
                    found.files += 1;
                    found.bytes += bytes;
                    found.rows += if part.is_keys() { 0 } else { file.shown_rows() };
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && !still_named(dir, &part) => {
                    vanished = true;
                    continue;
                }
                Err(error) => {
                    let advice = if part.is_keys() { KEYS_ADVICE } else { ROWS_ADVICE };
                    found.damaged(dir.join(&part.path), error, advice);
                }
            }
            checked.insert(part.path);
            progress(found.bytes, all.max(found.bytes));
        }
    }
    vanished
}

/// The manifest, as it is now, names the file.
fn still_named(dir: &Path, part: &Part) -> bool {
    let manifest = manifest::load(&Real, dir);
    manifest.is_ok_and(|manifest| manifest.files.iter().flat_map(parts_of).any(|other| other.path == part.path))
}

fn journal(dir: &Path, manifest: &Manifest, found: &mut Verification) -> io::Result<()> {
    let folder = dir.join(JOURNAL);
    let names: Vec<String> = match Real.list(&folder) {
        Ok(names) => names.into_iter().filter(|name| name.ends_with(".journal")).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for (i, name) in names.iter().enumerate() {
        let path = folder.join(name);
        let bytes: Bytes = match Real.read(&path) {
            Ok(bytes) => bytes,
            // Its records are in files by now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                found.damaged(path, error, JOURNAL_ADVICE);
                continue;
            }
        };
        found.files += 1;
        found.bytes += bytes.len() as u64;
        let damage = read_segment(&bytes, |record| {
            if record.seq < manifest.low_seq {
                return Ok(());
            }
            found.journal_records += 1;
            let known = record.kind == backend::embedded::ROWS;
            if known { decode(record.payload).map(drop).map_err(|error| (record.seq, error)) } else { Ok(()) }
        });
        let is_last = i + 1 == names.len();
        match damage {
            Ok(None) => {}
            // Being written just now, or cut off by a crash: it was never acknowledged.
            Ok(Some(damage)) if is_last && damage.may_be_torn => {}
            Ok(Some(damage)) => {
                found.damaged(path, format!("at byte {}: {}", damage.offset, damage.problem), JOURNAL_ADVICE);
            }
            Err((seq, error)) => found.damaged(path, format!("record {seq}: {error}"), JOURNAL_ADVICE),
        }
    }
    Ok(())
}
