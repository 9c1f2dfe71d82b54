//! The file system as far as a log needs it, so that tests can make it fail and lose power.

mod faulty;
mod memory;
mod real;

use std::io;
use std::path::Path;

use bytes::Bytes;

pub use faulty::{Faults, Faulty};
pub use memory::Memory;
pub use real::Real;

/// What can be done with files. A file's bytes survive a power loss once [`File::sync`] returned;
/// its name once [`Fs::sync_dir`] did.
pub trait Fs: Send + Sync + std::fmt::Debug {
    /// Makes a folder and those above it.
    ///
    /// # Errors
    /// It can't be made.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Makes an empty file, replacing one of that name.
    ///
    /// # Errors
    /// It can't be made.
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// All bytes of a file.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    fn read(&self, path: &Path) -> io::Result<Bytes>;

    /// How long a file is.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    fn len(&self, path: &Path) -> io::Result<u64>;

    /// Names of the files in a folder, sorted; folders and names that are no UTF-8 are left out.
    ///
    /// # Errors
    /// It can't be read.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Gives a file another name, replacing one of that name.
    ///
    /// # Errors
    /// It can't be done.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// It can't be done.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Cuts a file and syncs it.
    ///
    /// # Errors
    /// It can't be done.
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()>;

    /// Makes the names in a folder survive a power loss.
    ///
    /// # Errors
    /// It can't be done.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// A file being written, from its start to its end.
pub trait File: io::Write + Send {
    /// Makes what was written survive a power loss.
    ///
    /// # Errors
    /// It can't be known what survives. Trying again on the same file tells nothing: the kernel
    /// may have dropped the pages that it could not write.
    fn sync(&mut self) -> io::Result<()>;
}
