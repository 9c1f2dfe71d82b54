//! What is remembered of data files, so that a query need not read their ends again.

use std::fmt;
use std::sync::Arc;

use datafusion::execution::cache::cache_manager::FileMetadataCache;
use object_store::path::Path;

use crate::manifest::DataFile;

/// The engine's memory of them, bounded; a file's part of it is worth nothing once the file has gone.
#[derive(Clone, Default)]
pub(crate) struct Footers(Option<Arc<FileMetadataCache>>);

impl Footers {
    pub(super) fn new(cache: Arc<FileMetadataCache>) -> Self {
        Self(Some(cache))
    }

    /// This file has gone.
    pub(crate) fn forget(&self, file: &DataFile) {
        if let Some(cache) = &self.0 {
            cache.remove(&Path::from(file.relative_path()));
        }
    }

    /// Files that are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |cache| cache.len())
    }
}

impl fmt::Debug for Footers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Footers").finish_non_exhaustive()
    }
}
