//! What is remembered of data files, so that a query need not read their ends again.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use datafusion::execution::cache::cache_manager::FileMetadataCache;
use object_store::path::Path;
use parking_lot::Mutex;

use crate::manifest::DataFile;

/// The engine's memory of them, bounded; a file's part of it is worth nothing once the file has gone, and little when
/// nobody asks for it: who only watches what is new would keep it of all that was new once.
#[derive(Clone, Default)]
pub(crate) struct Footers {
    cache: Option<Arc<FileMetadataCache>>,
    /// How often each had been asked for when [`Self::forget_unasked`] was last called.
    asked: Arc<Mutex<HashMap<Path, usize>>>,
}

impl Footers {
    pub(super) fn new(cache: Arc<FileMetadataCache>) -> Self {
        Self { cache: Some(cache), asked: Arc::default() }
    }

    /// This file has gone.
    pub(crate) fn forget(&self, file: &DataFile) {
        if let Some(cache) = &self.cache {
            cache.remove(&Path::from(file.relative_path()));
        }
    }

    /// Forgets those that nobody has asked for since the last time. A file without a page index, which none of ours is,
    /// would count as such: the engine reads those each time.
    pub(crate) fn forget_unasked(&self) {
        let Some(cache) = &self.cache else { return };
        let mut asked = self.asked.lock();
        let before = std::mem::take(&mut *asked);
        for (path, entry) in cache.list_entries() {
            if before.get(&path) == Some(&entry.hits) {
                cache.remove(&path);
            } else {
                asked.insert(path, entry.hits);
            }
        }
    }

    /// Files that are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.cache.as_ref().map_or(0, |cache| cache.len())
    }
}

impl fmt::Debug for Footers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Footers").finish_non_exhaustive()
    }
}
