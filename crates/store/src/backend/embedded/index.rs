//! Indexes the texts of files, apart from flushing them: searches read a file until its index is there.

use std::io;
use std::time::Duration;

use tracing::warn;

use super::state::Shared;
use crate::files::LiveFile;
use crate::said::find_table;

/// How often it looks for new files.
const CHECK: Duration = Duration::from_secs(1);
/// How long it leaves the disk alone after a failure.
const RETRY: Duration = Duration::from_secs(10);

/// Runs until it is stopped. Whoever stops it unparks its thread.
pub(super) fn index_when_due(shared: &Shared) {
    while !shared.texts.is_stopped() {
        let mut wait = CHECK;
        if let Err(error) = index_all(shared) {
            warn!(%error, "can't index the texts of a data file, trying again soon");
            wait = RETRY;
        }
        if !shared.texts.is_stopped() {
            std::thread::park_timeout(wait);
        }
    }
}

/// Removes the indexes of files that are gone and builds those that are missing.
pub(super) fn index_all(shared: &Shared) -> io::Result<()> {
    let _one_at_a_time = shared.indexing.lock();
    while !shared.texts.is_stopped() {
        // Anew for each: building takes seconds, and files come and go.
        let missing = {
            // A copy: nobody shall wait while files are removed.
            let files = shared.state.read().files.clone();
            let live = || files.iter().map(LiveFile::meta);
            shared.texts.sweep(live());
            shared.texts.missing(live()).cloned()
        };
        let Some(file) = missing else { break };
        let bodies = find_table(&file.table).and_then(|table| shared.snapshot(table).ok()?.bodies);
        let same = |other: &LiveFile| (&other.meta().table, &other.meta().name) == (&file.table, &file.name);
        match shared.texts.build(&file, bodies.as_deref(), || shared.state.read().files.iter().any(same)) {
            // It went before it could be read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            built => built?,
        }
    }
    Ok(())
}
