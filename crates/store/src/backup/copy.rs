//! Files and their checksums.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use signalbox_journal::fs::Fs;

use crate::keys::{self, FileKeys};
use crate::manifest::DataFile;
use crate::said;

const BUFFER_BYTES: usize = 1 << 20;

/// A file on disk that belongs to a data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Its place in the folder.
    pub(super) path: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// Rows: length and BLAKE3 are in the manifest; files of the oldest format have no BLAKE3.
    Rows { bytes: u64, blake3: Option<String> },
    /// Keys end with a checksum of their own.
    Keys,
    /// Neither: it is copied as it is.
    Other,
}

/// The parts of a data file.
pub(super) fn parts_of(file: &DataFile) -> Vec<Part> {
    let rows = Kind::Rows { bytes: file.bytes, blake3: file.blake3.clone() };
    let mut parts = vec![Part { path: file.relative_path().into(), kind: rows }];
    if said::find_table(&file.table).is_some_and(keys::has_keys) {
        parts.push(Part { path: file.keys_path(), kind: Kind::Keys });
    }
    parts
}

impl Part {
    pub(super) fn other(path: &str) -> Self {
        Self { path: path.into(), kind: Kind::Other }
    }

    pub(super) fn is_keys(&self) -> bool {
        self.kind == Kind::Keys
    }

    /// Reads it in this folder and compares length and checksum. Answers its length.
    pub(super) fn check(&self, dir: &Path) -> io::Result<u64> {
        let path = dir.join(&self.path);
        match &self.kind {
            Kind::Rows { .. } => self.pass_through(&path, &mut io::sink()),
            Kind::Keys => FileKeys::new(path.clone()).verify().and_then(|()| Ok(path.metadata()?.len())),
            Kind::Other => Ok(path.metadata()?.len()),
        }
    }

    /// Copies it from one folder to another, through a file beside it, and compares length and checksum
    /// on the way. When this returns and the folder is synced, it survives a power loss.
    pub(super) fn copy(&self, fs: &dyn Fs, from: &Path, to: &Path) -> io::Result<u64> {
        let (from, path) = (from.join(&self.path), to.join(&self.path));
        let tmp = path.with_extension("tmp");
        let mut file = fs.create(&tmp)?;
        let bytes = self.pass_through(&from, &mut file)?;
        file.sync()?;
        if self.is_keys() {
            FileKeys::new(tmp.clone()).verify()?;
        }
        fs.rename(&tmp, &path)?;
        Ok(bytes)
    }

    fn pass_through(&self, path: &Path, out: &mut dyn Write) -> io::Result<u64> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let mut file = File::open(path).map_err(named)?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut length = 0;
        loop {
            let count = file.read(&mut buffer).map_err(named)?;
            let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
            hasher.update(read);
            out.write_all(read)?;
            length += count as u64;
        }
        if let Kind::Rows { bytes, blake3 } = &self.kind {
            if length != *bytes {
                return Err(damaged(path, &format!("it has {length} bytes, not {bytes}")));
            }
            if blake3.as_ref().is_some_and(|sum| *sum != hasher.finalize().to_hex().as_str()) {
                return Err(damaged(path, "its checksum is another"));
            }
        }
        Ok(length)
    }
}

fn damaged(path: &Path, problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged: {problem}", path.display()))
}
