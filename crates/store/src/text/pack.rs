//! The file of an index: Tantivy segments one after the other, each for the next rows of its data file.
//!
//! `segment files … | contents as JSON | length of the contents, u32 | MAGIC`. One file, so that it
//! comes and goes in one step as data files do.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tantivy::HasLen;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    Directory, DirectoryLock, FileHandle, FileSlice, Lock, MmapDirectory, WatchCallback, WatchHandle, WritePtr,
};

pub(super) const MAGIC: &[u8; 8] = b"sb-text2";

/// What is in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Contents {
    /// Of the tokens in it: an index of others is of no use.
    pub(super) tokens_version: u32,
    pub(super) rows: u32,
    pub(super) parts: Vec<PartContents>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PartContents {
    pub(super) first_row: u32,
    pub(super) rows: u32,
    /// Name, and where it stands in the file.
    pub(super) files: Vec<(String, Range<u64>)>,
}

/// Reads the contents of an index file; the bytes themselves stay on disk until they are needed.
pub(super) fn open(folder: &Path, name: &str) -> io::Result<(Contents, Vec<Part>)> {
    let folder = MmapDirectory::open(folder).map_err(io::Error::other)?;
    let file = folder.open_read(Path::new(name)).map_err(|error| match error {
        OpenReadError::FileDoesNotExist(path) => io::Error::new(io::ErrorKind::NotFound, path.display().to_string()),
        error => io::Error::other(error),
    })?;
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, format!("`{name}` is no whole index file"));
    let tail = MAGIC.len() + size_of::<u32>();
    let length = file.len();
    let tail_start = length.checked_sub(tail).ok_or_else(damaged)?;
    let end = file.slice_from(tail_start).read_bytes()?;
    let (contents_bytes, magic) = end.split_at_checked(size_of::<u32>()).ok_or_else(damaged)?;
    if magic != MAGIC {
        return Err(damaged());
    }
    let contents_bytes = u32::from_le_bytes(contents_bytes.try_into().map_err(|_| damaged())?) as usize;
    let contents_start = tail_start.checked_sub(contents_bytes).ok_or_else(damaged)?;
    let contents = file.slice(contents_start..tail_start).read_bytes()?;
    let contents: Contents = serde_json::from_slice(&contents).map_err(|_| damaged())?;
    let mut parts = Vec::with_capacity(contents.parts.len());
    for part in &contents.parts {
        let mut files = HashMap::new();
        for (name, place) in &part.files {
            let place = usize::try_from(place.start).and_then(|start| Ok(start..usize::try_from(place.end)?));
            let place = place.map_err(|_| damaged())?;
            if place.start > place.end || place.end > contents_start {
                return Err(damaged());
            }
            files.insert(PathBuf::from(name), file.slice(place));
        }
        parts.push(Part(Arc::new(files)));
    }
    Ok((contents, parts))
}

/// One segment's files, as Tantivy looks for them. It can only be read.
#[derive(Debug, Clone)]
pub(super) struct Part(Arc<HashMap<PathBuf, FileSlice>>);

fn read_only() -> Arc<io::Error> {
    Arc::new(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "an index is never changed"))
}

impl Directory for Part {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let file = self.0.get(path).ok_or_else(|| OpenReadError::FileDoesNotExist(path.to_owned()))?;
        Ok(Arc::new(file.clone()))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        Err(DeleteError::IoError { io_error: read_only(), filepath: path.to_owned() })
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(self.0.contains_key(path))
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        Err(OpenWriteError::IoError { io_error: read_only(), filepath: path.to_owned() })
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let read = self.open_read(path)?.read_bytes();
        let bytes = read.map_err(|error| OpenReadError::wrap_io_error(error, path.to_owned()))?;
        Ok(bytes.to_vec())
    }

    fn atomic_write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    /// Nobody changes it, so everybody may read.
    fn acquire_lock(&self, _: &Lock) -> Result<DirectoryLock, LockError> {
        Ok(DirectoryLock::from(Box::new(())))
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}
