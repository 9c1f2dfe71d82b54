//! Full-text search: an index file beside each data file, built in the background, and the rows of files
//! and memory that answer a search. What a search means is said in the crate `text`; an index only
//! finds sooner what reading the texts would find, and a file without one is read.

mod build;
mod index;
mod pack;
mod rows;
mod search;
mod slice;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};
use roaring::RoaringBitmap;
use signalbox_journal::fs::Fs;
use signalbox_text::TextQuery;
use signalbox_types::table::Table;
use tracing::{info, warn};

use crate::manifest::DataFile;
use crate::said::Bodies;
use crate::{OpenError, said};

use build::Builder;
use index::TextIndex;
pub(crate) use search::{Found, Search};

/// Index files live below it, in a folder for each table: not beside data files, as other engines take
/// every file there for one of theirs.
const FOLDER: &str = "index";
const ENDING: &str = ".index";
/// Index files that are kept open; each takes some 10 KB and the pages that the system caches.
const OPEN_FILES: usize = 512;

/// The index files of a data folder.
#[derive(Debug)]
pub(crate) struct TextIndexes {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    /// Tables and names of index files that are whole.
    ready: RwLock<BTreeSet<(String, String)>>,
    open: Mutex<OpenFiles>,
    stop: AtomicBool,
}

#[derive(Debug, Default)]
struct OpenFiles {
    /// With when it was last used, by `uses`.
    files: HashMap<(String, String), (Arc<TextIndex>, u64)>,
    uses: u64,
}

/// Searches look into rows of this table.
pub(crate) fn is_searchable(table: &Table) -> bool {
    table.columns.iter().any(|column| column.searchable)
}

fn key(file: &DataFile) -> (String, String) {
    (file.table.clone(), format!("{}{ENDING}", file.name.trim_end_matches(".parquet")))
}

impl TextIndexes {
    /// Takes stock of the data folder: removes what a crash left, and indexes whose data file is gone.
    pub(crate) fn open(fs: Arc<dyn Fs>, dir: &Path, live: &[DataFile]) -> Result<Self, OpenError> {
        let mut found = BTreeSet::new();
        for table in said::tables().filter(|table| is_searchable(table)) {
            let folder = dir.join(FOLDER).join(table.name);
            let names = fs.create_dir_all(&folder).and_then(|()| fs.list(&folder));
            let names = names.map_err(|source| OpenError::NotWritable { dir: folder.clone(), source })?;
            for name in names {
                if name.ends_with(ENDING) {
                    found.insert((table.name.to_owned(), name));
                } else if name.ends_with(".tmp")
                    && let Err(error) = fs.remove(&folder.join(&name))
                {
                    warn!(name, %error, "can't remove an unfinished index file");
                }
            }
        }
        let indexes = Self {
            fs,
            dir: dir.to_owned(),
            ready: RwLock::new(found),
            open: Mutex::default(),
            stop: AtomicBool::new(false),
        };
        indexes.sweep(live);
        Ok(indexes)
    }

    /// Removes the indexes of files that are no longer live: an index holds the words of rows that were
    /// to be forgotten.
    pub(crate) fn sweep<'a>(&self, live: impl IntoIterator<Item = &'a DataFile>) {
        let live: BTreeSet<(String, String)> = live.into_iter().map(key).collect();
        let dead: Vec<_> = self.ready.read().difference(&live).cloned().collect();
        dead.into_iter().for_each(|key| self.remove_key(key));
    }

    /// The data file is gone, and so its index.
    pub(crate) fn remove(&self, file: &DataFile) {
        let key = key(file);
        if self.ready.read().contains(&key) {
            self.remove_key(key);
        }
    }

    fn remove_key(&self, key: (String, String)) {
        self.forget(&key);
        let path = self.path(&key);
        match self.fs.remove(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                warn!(path = %path.display(), %error, "can't remove an index file, trying again soon");
                self.ready.write().insert(key);
            }
        }
    }

    /// Files that have no index: first the one that will be merged last, of those the newest. What is
    /// merged soon costs an index for little use, if there is more to do than can be done.
    pub(crate) fn missing<'a>(&self, live: impl IntoIterator<Item = &'a DataFile>) -> Vec<&'a DataFile> {
        let ready = self.ready.read();
        let searchable = |file: &&DataFile| said::find_table(&file.table).is_some_and(is_searchable);
        let missing = live.into_iter().filter(searchable).filter(|file| !ready.contains(&key(file)));
        let mut missing: Vec<_> = missing.collect();
        missing.sort_by_key(|file| Reverse((file.level, file.time.1)));
        missing
    }

    /// Builds the index of a data file, as long as the file is live: what is erased must not come back
    /// in an index.
    pub(crate) fn build(&self, file: &DataFile, bodies: Option<&Bodies>, is_live: impl Fn() -> bool) -> io::Result<()> {
        let Some(table) = said::find_table(&file.table) else { return Ok(()) };
        let key = key(file);
        let path = self.path(&key);
        let tmp = path.with_extension("tmp");
        let mut builder = Builder::new(BufWriter::with_capacity(1 << 20, self.fs.create(&tmp)?));
        let mut texts = String::new();
        let read = rows::each_batch(&self.dir, file, None, table, bodies, |columns| {
            if self.is_stopped() || !is_live() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            (0..columns.rows()).try_for_each(|row| {
                columns.texts(row, &mut texts);
                builder.row(&texts)
            })
        });
        if let Err(error) = read {
            drop(builder);
            self.fs.remove(&tmp)?;
            return if error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(error) };
        }
        let mut out = builder.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        out.sync()?;
        if !is_live() {
            return self.fs.remove(&tmp);
        }
        self.fs.rename(&tmp, &path)?;
        if let Some(folder) = path.parent() {
            self.fs.sync_dir(folder)?;
        }
        self.ready.write().insert(key);
        info!(file = file.name, rows = file.rows, "indexed the texts of a data file");
        Ok(())
    }

    /// Work in the background ends at the next occasion.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The file's rows that may answer the search; `None` if it has no index that can be used.
    fn find(&self, file: &DataFile, query: &TextQuery) -> Option<RoaringBitmap> {
        let key = key(file);
        if !self.ready.read().contains(&key) {
            return None;
        }
        let found = self.opened(&key).and_then(|index| {
            if u64::from(index.rows()) != file.rows {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "it is of another file"));
            }
            index.search(query)
        });
        match found {
            Ok(found) => Some(found),
            Err(error) => {
                // It will be built anew.
                warn!(file = file.name, %error, "can't use an index file, reading the data instead");
                self.forget(&key);
                None
            }
        }
    }

    fn opened(&self, key: &(String, String)) -> io::Result<Arc<TextIndex>> {
        {
            let mut open = self.open.lock();
            open.uses += 1;
            let now = open.uses;
            if let Some((index, used)) = open.files.get_mut(key) {
                *used = now;
                return Ok(Arc::clone(index));
            }
        }
        // Not under the lock: another query may wait for the disk at the same time.
        let index = Arc::new(TextIndex::open(&self.dir.join(FOLDER).join(&key.0), &key.1)?);
        let mut open = self.open.lock();
        if open.files.len() >= OPEN_FILES {
            let oldest = open.files.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
            oldest.map(|key| open.files.remove(&key));
        }
        let now = open.uses;
        open.files.insert(key.clone(), (Arc::clone(&index), now));
        Ok(index)
    }

    fn forget(&self, key: &(String, String)) {
        self.ready.write().remove(key);
        self.open.lock().files.remove(key);
    }

    fn path(&self, (table, name): &(String, String)) -> PathBuf {
        self.dir.join(FOLDER).join(table).join(name)
    }
}
