use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;

use super::{File, Fs};

/// Another file system, made to fail on demand.
#[derive(Debug, Clone)]
pub struct Faulty {
    inner: Arc<dyn Fs>,
    faults: Arc<Faults>,
}

/// What fails from now on.
#[derive(Debug)]
pub struct Faults {
    room: AtomicU64,
    sync_fails: AtomicBool,
    short_writes: AtomicBool,
}

struct FaultyFile {
    inner: Box<dyn File>,
    faults: Arc<Faults>,
}

impl Faulty {
    /// `inner`, until a fault is switched on.
    #[must_use]
    pub fn new(inner: Arc<dyn Fs>) -> (Self, Arc<Faults>) {
        let faults = Arc::new(Faults {
            room: AtomicU64::new(u64::MAX),
            sync_fails: AtomicBool::new(false),
            short_writes: AtomicBool::new(false),
        });
        (Self { inner, faults: Arc::clone(&faults) }, faults)
    }
}

impl Faults {
    /// After so many more bytes the disk is full; the write that meets the end is a short one.
    pub fn disk_full_after(&self, bytes: u64) {
        self.room.store(bytes, Ordering::SeqCst);
    }

    /// Every sync fails with `EIO`.
    pub fn sync_fails(&self) {
        self.sync_fails.store(true, Ordering::SeqCst);
    }

    /// Every write takes half of what it is given, as a signal may cause.
    pub fn short_writes(&self) {
        self.short_writes.store(true, Ordering::SeqCst);
    }

    /// Everything works again.
    pub fn mend(&self) {
        self.room.store(u64::MAX, Ordering::SeqCst);
        self.sync_fails.store(false, Ordering::SeqCst);
        self.short_writes.store(false, Ordering::SeqCst);
    }

    fn sync_result(&self) -> io::Result<()> {
        if self.sync_fails.load(Ordering::SeqCst) { Err(io::Error::other("injected EIO")) } else { Ok(()) }
    }
}

impl Fs for Faulty {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.inner.create_dir_all(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(Box::new(FaultyFile { inner: self.inner.create(path)?, faults: Arc::clone(&self.faults) }))
    }

    fn read(&self, path: &Path) -> io::Result<Bytes> {
        self.inner.read(path)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        self.inner.len(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.inner.list(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.inner.remove(path)
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.inner.truncate(path, len)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.faults.sync_result()?;
        self.inner.sync_dir(dir)
    }
}

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = usize::try_from(self.faults.room.load(Ordering::SeqCst)).unwrap_or(usize::MAX);
        if room == 0 && !bytes.is_empty() {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "injected ENOSPC"));
        }
        let halved = self.faults.short_writes.load(Ordering::SeqCst) && bytes.len() > 1;
        let taken = if halved { bytes.len() / 2 } else { bytes.len() }.min(room);
        let written = self.inner.write(bytes.get(..taken).unwrap_or(bytes))?;
        if room != usize::MAX {
            self.faults.room.fetch_sub(written as u64, Ordering::SeqCst);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl File for FaultyFile {
    fn sync(&mut self) -> io::Result<()> {
        self.faults.sync_result()?;
        self.inner.sync()
    }
}
