//! Indexes the texts of files, apart from flushing them: searches read a file until its index is there.

use std::collections::BTreeSet;
use std::time::Duration;
use std::{io, thread};

use parking_lot::Mutex;
use tracing::warn;

use super::compact;
use super::state::Shared;
use crate::files::LiveFile;
use crate::manifest::DataFile;
use crate::said::find_table;

/// How often it looks for new files.
const CHECK: Duration = Duration::from_secs(1);
/// How long it leaves the disk alone after a failure.
const RETRY: Duration = Duration::from_secs(10);

/// Runs until it is stopped. Whoever stops it unparks its thread.
pub(super) fn index_when_due(shared: &Shared) {
    while !shared.texts.is_stopped() {
        let mut wait = CHECK;
        if let Err(error) = index_missing(shared, false) {
            warn!(%error, "can't index the texts of a data file, trying again soon");
            wait = RETRY;
        }
        if !shared.texts.is_stopped() {
            thread::park_timeout(wait);
        }
    }
}

/// Removes the indexes of files that are gone and builds those that are missing, two at a time; if not `all`,
/// not those of files that will be merged soon.
pub(super) fn index_missing(shared: &Shared, all: bool) -> io::Result<()> {
    let _one_at_a_time = shared.indexing.lock();
    // Files that somebody builds the index of, or did.
    let taken = Mutex::new(BTreeSet::new());
    let Some(first) = next(shared, all, &taken) else { return Ok(()) };
    thread::scope(|scope| {
        let beside = next(shared, all, &taken).map(|file| {
            let thread = thread::Builder::new().name("store-index".to_owned());
            thread.spawn_scoped(scope, || index_from(shared, all, file, &taken))
        });
        let own = index_from(shared, all, first, &taken);
        own?;
        let Some(beside) = beside.transpose()? else { return Ok(()) };
        beside.join().unwrap_or_else(|_| Err(io::Error::other("indexing panicked")))
    })
}

/// The next file that has no index and that nobody takes care of; if not `all`, none that will be merged soon.
fn next(shared: &Shared, all: bool, taken: &Mutex<BTreeSet<(String, String)>>) -> Option<DataFile> {
    // A copy: nobody shall wait while files are removed.
    let files = shared.state.read().files.clone();
    let live = || files.iter().map(LiveFile::meta);
    shared.texts.sweep(live());
    let soon: BTreeSet<&str> = compact::merged_soon(&files).map(|file| file.meta().name.as_str()).collect();
    // An index that lasts for seconds is work for nothing, when there is too much work already.
    let (later, now): (Vec<_>, Vec<_>) =
        shared.texts.missing(live()).into_iter().partition(|file| soon.contains(file.name.as_str()));
    let mut taken = taken.lock();
    now.into_iter()
        .chain(later.into_iter().filter(|_| all))
        .find(|file| taken.insert((file.table.clone(), file.name.clone())))
        .cloned()
}

/// Indexes this file and those that come next.
fn index_from(
    shared: &Shared,
    all: bool,
    mut file: DataFile,
    taken: &Mutex<BTreeSet<(String, String)>>,
) -> io::Result<()> {
    while !shared.texts.is_stopped() {
        let bodies = find_table(&file.table).and_then(|table| shared.snapshot(table).ok()?.bodies);
        let same = |other: &LiveFile| (&other.meta().table, &other.meta().name) == (&file.table, &file.name);
        match shared.texts.build(&file, bodies.as_deref(), || shared.state.read().files.iter().any(same)) {
            // It went before it could be read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            built => built?,
        }
        // Anew for each: building takes seconds, and files come and go.
        match next(shared, all, taken) {
            Some(another) => file = another,
            None => break,
        }
    }
    Ok(())
}
