//! Takes a data folder into possession: lock, manifest, repair, replay.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use signalbox_journal::fs::{Fs, Real};
use signalbox_journal::{Journal, JournalConfig};
use signalbox_types::seam::Clock;

use super::commit::ROWS;
use super::state::{Shared, State};
use crate::backup::MARKER;
use crate::files::{LiveFile, ensure_keys};
use crate::manifest;
use crate::rows::{TableBatch, decode};
use crate::said::{MESSAGES, Recent};
use crate::text::TextIndexes;
use crate::{OpenError, StoreConfig, said, values};

/// Opens the folder for this process alone; the lock ends with the file.
pub(crate) fn lock(dir: &Path) -> Result<(PathBuf, File), OpenError> {
    let not_writable = |source: io::Error| OpenError::NotWritable { dir: dir.to_owned(), source };
    Real.create_dir_all(dir).map_err(not_writable)?;
    let dir = dir.canonicalize().map_err(not_writable)?;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(dir.join("signalbox.lock")).map_err(not_writable)?;
    match file.try_lock() {
        Ok(()) => Ok((dir, file)),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { dir }),
        Err(TryLockError::Error(source)) => Err(not_writable(source)),
    }
}

pub(super) fn recover(
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    config: StoreConfig,
    clock: Arc<dyn Clock>,
) -> Result<Shared, OpenError> {
    if fs.len(&dir.join(MARKER)).is_ok() {
        let problem = "a restore into this folder has not come to its end; run it again with --force";
        return Err(OpenError::manifest(&dir.join(MARKER), problem));
    }
    let manifest = manifest::load(&*fs, &dir)?;
    manifest::repair(&*fs, &dir, &manifest)?;
    let texts = TextIndexes::open(Arc::clone(&fs), &dir, &manifest.files)?;
    let mut state = State::default();
    for file in &manifest.files {
        // Of a table that a newer version knows: it stays, unread.
        let Some(table) = said::find_table(&file.table) else { continue };
        let failed = |error| OpenError::manifest(&dir.join(file.relative_path()), error);
        ensure_keys(&*fs, &dir, file).map_err(failed)?;
        state.files.push(LiveFile::new(&dir, table, file.clone()).map_err(failed)?);
    }
    let low_seq = manifest.low_seq;
    state.manifest = Arc::new(manifest);
    let now = clock.elapsed();
    let mut recent = Recent::default();
    let mut replay = |record: signalbox_journal::Record| {
        if record.kind != ROWS {
            return Err(format!("it is of kind {}, which this version does not know", record.kind));
        }
        let batches = decode(record.payload).map_err(|error| error.to_string())?;
        batches.iter().filter(|rows| *rows.table == MESSAGES).for_each(|rows| recent.replay(&rows.batch));
        let keyed = batches.into_iter().map(TableBatch::keyed).collect::<Result<_, _>>();
        keyed.and_then(|keyed| state.publish(record.seq, keyed, now)).map_err(|error| error.to_string())
    };
    let journal_dir = dir.join("journal");
    let journal = Journal::open(Arc::clone(&fs), &journal_dir, JournalConfig::default(), low_seq, &mut replay)?;
    let shared = Shared::new(fs, dir, config, clock, state, journal, texts);
    *shared.recent.lock() = recent;
    *shared.values.lock() = values::load(&*shared.fs, &shared.dir);
    Ok(shared)
}
