//! Which files are live, and from which journal record on rows are not in them. Both change in one
//! step: the manifest is written beside and renamed. So each row is in the journal's part or in a
//! file, never in both and never in none, wherever a crash falls.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use signalbox_journal::fs::Fs;
use signalbox_types::table::SPAN_MINUTES;
use tracing::{info, warn};

use crate::{OpenError, said};

const NAME: &str = "manifest.json";
/// Before format 3, rows of spans held what was said in them.
const FORMAT: u32 = 3;
const OLDEST_FORMAT: u32 = 3;
/// Data files live below it, in a folder for each table.
pub(crate) const FILES: &str = "files";
/// Keys of data files live below it, so that other engines find nothing but data in [`FILES`].
pub(crate) const KEYS: &str = "keys";

/// The state of the data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    format: u32,
    /// One more with each change.
    pub(crate) version: u64,
    /// The first journal record that is in no file.
    pub(crate) low_seq: u64,
    /// The number of the next file.
    pub(crate) next_file: u64,
    pub(crate) files: Vec<DataFile>,
}

/// A live Parquet file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DataFile {
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Microseconds, both inclusive.
    pub(crate) time: (i64, i64),
    /// The first and the last project in it, by name.
    pub(crate) projects: (String, String),
    /// The journal records whose rows are in it: of two rows with one key, the one from the later
    /// records counts.
    pub(crate) seqs: (u64, u64),
    /// 0 = written from memory; more = merged from others.
    pub(crate) level: u32,
    /// When it was written, microseconds.
    #[serde(default)]
    pub(crate) written: i64,
    /// BLAKE3 of its bytes, for `verify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) blake3: Option<String>,
    /// Its bodies were dropped when their time was over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) without_bodies: bool,
    /// Rows that count no more: a Roaring bitmap in Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dead: Option<String>,
}

/// Dead rows as the manifest holds them.
pub(crate) fn write_dead(dead: &RoaringBitmap) -> io::Result<Option<String>> {
    if dead.is_empty() {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(dead.serialized_size());
    dead.serialize_into(&mut bytes)?;
    Ok(Some(STANDARD.encode(bytes)))
}

fn read_dead(text: &str) -> io::Result<RoaringBitmap> {
    let bytes = STANDARD.decode(text).map_err(io::Error::other)?;
    RoaringBitmap::deserialize_from(bytes.as_slice())
}

impl DataFile {
    /// Its rows that count no more.
    pub(crate) fn dead(&self) -> io::Result<Option<RoaringBitmap>> {
        self.dead.as_deref().map(read_dead).transpose()
    }

    /// The place of its keys in the data folder.
    pub(crate) fn keys_path(&self) -> PathBuf {
        Path::new(KEYS).join(&self.table).join(Path::new(&self.name).with_extension("keys"))
    }

    /// Its place in the data folder, with `/` between names.
    pub(crate) fn relative_path(&self) -> String {
        format!("{FILES}/{}/{}", self.table, self.name)
    }
}

impl Default for Manifest {
    fn default() -> Self {
        Self { format: FORMAT, version: 0, low_seq: 1, next_file: 1, files: Vec::new() }
    }
}

impl DataFile {
    /// Rows that somebody has appended.
    pub(crate) fn shown_rows(&self) -> u64 {
        if [said::MESSAGES.name, SPAN_MINUTES.name].contains(&self.table.as_str()) { 0 } else { self.rows }
    }
}

/// The UTC day of a time in microseconds.
pub(crate) fn day_of(micros: i64) -> i64 {
    micros.div_euclid(24 * 60 * 60 * 1_000_000)
}

impl Manifest {
    /// The manifest after this one.
    pub(crate) fn next(&self, files: Vec<DataFile>, low_seq: u64, next_file: u64) -> Self {
        Self { format: FORMAT, version: self.version + 1, low_seq, next_file, files }
    }
}

/// Reads the manifest of a data folder; a new folder has an empty one.
pub(crate) fn load(fs: &dyn Fs, dir: &Path) -> Result<Manifest, OpenError> {
    let path = dir.join(NAME);
    let bytes = match fs.read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Manifest::default()),
        Err(error) => return Err(OpenError::manifest(&path, error)),
    };
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| OpenError::manifest(&path, error))?;
    if !(OLDEST_FORMAT..=FORMAT).contains(&manifest.format) {
        let way_out = if manifest.format > FORMAT {
            "a newer version wrote it"
        } else {
            "an older version wrote it: export its tables with that one and import them here"
        };
        let problem = format!("it has format {}, and this version reads {FORMAT}; {way_out}", manifest.format);
        return Err(OpenError::manifest(&path, problem));
    }
    Ok(manifest)
}

/// Replaces the manifest: afterwards the new one survives a power loss, before it the old one does.
pub(crate) fn commit(fs: &dyn Fs, dir: &Path, manifest: &Manifest) -> io::Result<()> {
    let bytes = serde_json::to_vec(manifest).map_err(io::Error::other)?;
    let (path, tmp) = (dir.join(NAME), dir.join("manifest.tmp"));
    let mut file = fs.create(&tmp)?;
    file.write_all(&bytes)?;
    file.sync()?;
    fs.rename(&tmp, &path)?;
    fs.sync_dir(dir)
}

/// Removes what a crash left between two steps, checks that every live file is there, and makes keys
/// that are missing anew.
pub(crate) fn repair(fs: &dyn Fs, dir: &Path, manifest: &Manifest) -> Result<(), OpenError> {
    for file in &manifest.files {
        let path = dir.join(file.relative_path());
        match fs.len(&path) {
            Ok(bytes) if bytes == file.bytes => {}
            Ok(bytes) => return Err(OpenError::manifest(&path, format!("it has {bytes} bytes, not {}", file.bytes))),
            Err(error) => return Err(OpenError::manifest(&path, error)),
        }
    }
    let live = manifest.files.iter().flat_map(|file| [dir.join(file.relative_path()), dir.join(file.keys_path())]);
    let live: BTreeSet<PathBuf> = live.collect();
    for folder in said::tables().flat_map(|table| [FILES, KEYS].map(|kind| dir.join(kind).join(table.name))) {
        fs.create_dir_all(&folder).map_err(|source| OpenError::NotWritable { dir: folder.clone(), source })?;
        for name in fs.list(&folder).map_err(|source| OpenError::NotWritable { dir: folder.clone(), source })? {
            let path = folder.join(&name);
            let ours = [".parquet", ".keys", ".tmp"].iter().any(|ending| name.ends_with(ending));
            if !ours || live.contains(&path) {
                continue;
            }
            // Its rows are still in the journal, or in the files that it was merged from.
            match fs.remove(&path) {
                Ok(()) => info!(path = %path.display(), "removed a file that a crash left unfinished"),
                Err(error) => warn!(path = %path.display(), %error, "can't remove an unfinished file"),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use signalbox_journal::fs::{Faulty, Memory};

    use super::*;

    fn file(name: &str) -> DataFile {
        DataFile {
            table: "spans".to_owned(),
            name: name.to_owned(),
            rows: 1,
            bytes: 4,
            time: (0, 1),
            projects: ("a".to_owned(), "b".to_owned()),
            seqs: (1, 1),
            level: 0,
            written: 0,
            blake3: None,
            without_bodies: false,
            dead: write_dead(&RoaringBitmap::from([3, 70_000])).unwrap(),
        }
    }

    fn write(fs: &dyn Fs, path: &Path) {
        let mut file = fs.create(path).unwrap();
        file.write_all(b"data").unwrap();
        file.sync().unwrap();
        fs.sync_dir(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_power_loss_leaves_the_old_or_the_new_one() {
        let dir = Path::new("data");
        let old = Manifest::default().next(vec![file("1.parquet")], 5, 2);
        let new = old.next(vec![file("1.parquet"), file("2.parquet")], 9, 3);
        for full_after in (0..600).step_by(7) {
            let memory = Memory::default();
            commit(&memory, dir, &old).unwrap();
            let (faulty, faults) = Faulty::new(Arc::new(memory.clone()));
            faults.disk_full_after(full_after);
            let committed = commit(&faulty, dir, &new).is_ok();
            let found = load(&memory.after_power_loss(0), dir).unwrap();
            assert_eq!(found, if committed { new.clone() } else { old.clone() });
            assert_eq!(found.files[0].dead().unwrap().unwrap().iter().collect::<Vec<_>>(), [3, 70_000]);
        }
    }

    #[test]
    fn unfinished_files_are_removed_and_missing_ones_are_named() {
        let fs = Memory::default();
        let dir = Path::new("data");
        let folder = dir.join(FILES).join("spans");
        let manifest = Manifest::default().next(vec![file("1.parquet")], 5, 2);
        for name in ["1.parquet", "2.parquet", "3.tmp", "notes.txt"] {
            write(&fs, &folder.join(name));
        }
        repair(&fs, dir, &manifest).unwrap();
        assert_eq!(fs.list(&folder).unwrap(), ["1.parquet", "notes.txt"]);
        fs.remove(&folder.join("1.parquet")).unwrap();
        let error = repair(&fs, dir, &manifest).unwrap_err().to_string();
        assert!(error.contains("data/files/spans/1.parquet") && error.contains("backup"), "{error}");
    }

    #[test]
    fn garbage_is_refused() {
        let fs = Memory::default();
        fs.create(Path::new("data/manifest.json")).unwrap().write_all(b"{").unwrap();
        assert!(load(&fs, Path::new("data")).unwrap_err().to_string().contains("manifest.json"));
    }
}
