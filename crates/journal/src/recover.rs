//! What a journal holds when it is opened: replays it, cuts a torn tail off the last segment and
//! refuses everything else that is not whole.

use std::path::Path;

use tracing::{info, warn};

use crate::fs::Fs;
use crate::{OpenError, Record, read_segment, segment};

/// A segment that is not written to any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) first_seq: u64,
    /// The first number that is not in it.
    pub(crate) end_seq: u64,
    pub(crate) bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) closed: Vec<Closed>,
    pub(crate) next_seq: u64,
}

/// Hands every record from `low_seq` on to `each`.
pub(crate) fn recover(
    fs: &dyn Fs,
    dir: &Path,
    low_seq: u64,
    each: &mut dyn FnMut(Record) -> Result<(), String>,
) -> Result<Recovered, OpenError> {
    fs.create_dir_all(dir).map_err(OpenError::io("create the folder", dir))?;
    if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs.sync_dir(parent).map_err(OpenError::io("sync the folder", parent))?;
    }
    let names = fs.list(dir).map_err(OpenError::io("read the folder", dir))?;
    let firsts: Vec<u64> = names.iter().filter_map(|name| segment::first_seq_of(name)).collect();
    let mut recovered = Recovered { closed: Vec::new(), next_seq: low_seq };
    // What lies wholly below `low_seq` is only there to be removed: it is not even read.
    let needed = firsts.iter().rposition(|&first| first <= low_seq).unwrap_or(0);
    for (i, &first_seq) in firsts.iter().enumerate() {
        if i < needed {
            let bytes = fs.len(&segment::path(dir, first_seq)).unwrap_or(0);
            recovered.closed.push(Closed { first_seq, end_seq: firsts[i + 1], bytes });
            continue;
        }
        if first_seq > recovered.next_seq {
            return Err(OpenError::Gap { dir: dir.to_owned(), missing: recovered.next_seq });
        }
        let is_last = i + 1 == firsts.len();
        if let Some(closed) = replay_segment(fs, dir, first_seq, is_last, low_seq, each)? {
            recovered.next_seq = recovered.next_seq.max(closed.end_seq);
            recovered.closed.push(closed);
        }
    }
    Ok(recovered)
}

fn replay_segment(
    fs: &dyn Fs,
    dir: &Path,
    first_seq: u64,
    is_last: bool,
    low_seq: u64,
    each: &mut dyn FnMut(Record) -> Result<(), String>,
) -> Result<Option<Closed>, OpenError> {
    let path = segment::path(dir, first_seq);
    let bytes = fs.read(&path).map_err(OpenError::io("read", &path))?;
    let mut end_seq = first_seq;
    let damage = match segment::read_header(&bytes) {
        Ok(found) if found != first_seq => {
            let problem = format!("it says that it begins with record {found}");
            return Err(OpenError::Damaged { path, offset: 0, problem });
        }
        _ => read_segment(&bytes, |record| {
            let seq = record.seq;
            end_seq = seq.saturating_add(1);
            if seq < low_seq {
                return Ok(());
            }
            each(record).map_err(|problem| OpenError::Replay { seq, problem })
        })?,
    };
    let Some(damage) = damage else {
        return Ok(Some(Closed { first_seq, end_seq, bytes: bytes.len() as u64 }));
    };
    if !(is_last && damage.may_be_torn) {
        return Err(OpenError::Damaged { path, offset: damage.offset, problem: damage.problem });
    }
    let torn_bytes = bytes.len() as u64 - damage.offset;
    if damage.offset == 0 {
        // Not even its header was written: it never held an acknowledged record.
        fs.remove(&path).map_err(OpenError::io("remove", &path))?;
        fs.sync_dir(dir).map_err(OpenError::io("sync the folder", dir))?;
        info!(path = %path.display(), "removed a journal segment that a crash left empty");
        return Ok(None);
    }
    warn!(path = %path.display(), offset = damage.offset, torn_bytes, problem = damage.problem,
        "cut the journal's torn tail off: these bytes were never acknowledged");
    fs.truncate(&path, damage.offset).map_err(OpenError::io("truncate", &path))?;
    Ok(Some(Closed { first_seq, end_seq, bytes: damage.offset }))
}
