//! A file that is read again when it changes: what it holds is rotated while calls run.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

/// It is looked at this often at most.
const LOOK: Duration = Duration::from_secs(1);

/// What stands in a file, as last read.
pub(super) struct Watched<T> {
    path: PathBuf,
    parse: fn(&str) -> Result<T, String>,
    seen: Mutex<Seen<T>>,
}

struct Seen<T> {
    looked: Duration,
    stamp: Option<(SystemTime, u64)>,
    held: T,
}

impl<T> std::fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<T: Clone + PartialEq> Watched<T> {
    /// `parse` says what is wrong with a text so that it can stand behind the file's name.
    pub(super) fn new(path: &str, parse: fn(&str) -> Result<T, String>) -> Result<Self, String> {
        let path = PathBuf::from(path);
        let stamp = stamp(&path);
        let held = read(&path, parse)?;
        Ok(Self { path, parse, seen: Mutex::new(Seen { looked: Duration::ZERO, stamp, held }) })
    }

    /// What it holds, and whether that is something else than before. `name` is whose it is, for the log.
    pub(super) fn read(&self, now: Duration, name: &str) -> (T, bool) {
        let mut seen = self.seen.lock();
        if now < seen.looked + LOOK {
            return (seen.held.clone(), false);
        }
        seen.looked = now;
        let stamp = stamp(&self.path);
        if stamp.is_none() || stamp == seen.stamp {
            return (seen.held.clone(), false);
        }
        match read(&self.path, self.parse) {
            Ok(held) => {
                let changed = held != seen.held;
                (seen.stamp, seen.held) = (stamp, held);
                (seen.held.clone(), changed)
            }
            Err(reason) => {
                tracing::warn!(credential = name, %reason, "a credential's file can't be read anew, the old one is used");
                (seen.held.clone(), false)
            }
        }
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read<T>(path: &Path, parse: fn(&str) -> Result<T, String>) -> Result<T, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("`{shown}` can't be read: {error}"))?;
    parse(&text).map_err(|problem| format!("`{shown}` {problem}"))
}
