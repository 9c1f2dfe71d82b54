use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::{File, Fs};

/// A file system in memory that knows what would survive a power loss: see [`Memory::after_power_loss`].
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<Names>>);

#[derive(Debug, Default)]
struct Names {
    seen: BTreeMap<PathBuf, Arc<Mutex<Content>>>,
    /// What a synced folder holds.
    durable: BTreeMap<PathBuf, Arc<Mutex<Content>>>,
}

#[derive(Debug, Default, Clone)]
struct Content {
    bytes: Vec<u8>,
    synced: usize,
}

struct MemoryFile(Arc<Mutex<Content>>);

fn not_found(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{} does not exist", path.display()))
}

impl Memory {
    /// What the disk holds after a power loss now: names of synced folders, synced bytes, and of
    /// each file up to `torn` bytes that were written but not synced.
    #[must_use]
    pub fn after_power_loss(&self, torn: usize) -> Self {
        let names = self.0.lock();
        let survives = |content: &Arc<Mutex<Content>>| {
            let mut content = content.lock().clone();
            let kept = content.synced.saturating_add(torn).min(content.bytes.len());
            content.bytes.truncate(kept);
            content.synced = kept;
            Arc::new(Mutex::new(content))
        };
        let durable: BTreeMap<_, _> =
            names.durable.iter().map(|(path, content)| (path.clone(), survives(content))).collect();
        Self(Arc::new(Mutex::new(Names { seen: durable.clone(), durable })))
    }

    fn content(&self, path: &Path) -> io::Result<Arc<Mutex<Content>>> {
        self.0.lock().seen.get(path).cloned().ok_or_else(|| not_found(path))
    }
}

impl Fs for Memory {
    fn create_dir_all(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let content = Arc::default();
        self.0.lock().seen.insert(path.to_owned(), Arc::clone(&content));
        Ok(Box::new(MemoryFile(content)))
    }

    fn read(&self, path: &Path) -> io::Result<Bytes> {
        Ok(Bytes::from(self.content(path)?.lock().bytes.clone()))
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        Ok(self.content(path)?.lock().bytes.len() as u64)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let names = self.0.lock();
        let here = names.seen.keys().filter(|path| path.parent() == Some(dir));
        Ok(here.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut names = self.0.lock();
        let content = names.seen.remove(from).ok_or_else(|| not_found(from))?;
        names.seen.insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.lock().seen.remove(path).map(drop).ok_or_else(|| not_found(path))
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let content = self.content(path)?;
        let mut content = content.lock();
        content.bytes.truncate(usize::try_from(len).unwrap_or(usize::MAX));
        content.synced = content.bytes.len();
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let Names { seen, durable } = &mut *self.0.lock();
        durable.retain(|path, _| path.parent() != Some(dir));
        let here = seen.iter().filter(|(path, _)| path.parent() == Some(dir));
        durable.extend(here.map(|(path, content)| (path.clone(), Arc::clone(content))));
        Ok(())
    }
}

impl Write for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl File for MemoryFile {
    fn sync(&mut self) -> io::Result<()> {
        let mut content = self.0.lock();
        content.synced = content.bytes.len();
        Ok(())
    }
}
