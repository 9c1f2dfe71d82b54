//! The journal against power loss, failing disks and arbitrary bytes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod crash;
mod faults;
mod fuzz;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use bytes::Bytes;
use signalbox_journal::fs::Fs;
use signalbox_journal::{AppendError, Journal, JournalConfig, OpenError, Record};

const DIR: &str = "data/journal";

/// Small sizes, so that a few records make several segments.
fn small() -> JournalConfig {
    JournalConfig {
        segment_bytes: 200,
        group_bytes: 64,
        queue_requests: 64,
        queue_bytes: 4_096,
        max_record_bytes: 1_024,
        full_retry: Duration::from_secs(600),
    }
}

fn try_open(fs: &Arc<dyn Fs>, low_seq: u64) -> Result<(Journal, Vec<Record>), OpenError> {
    let mut records = Vec::new();
    let mut replay = |record| {
        records.push(record);
        Ok(())
    };
    let journal = Journal::open(Arc::clone(fs), Path::new(DIR), small(), low_seq, &mut replay)?;
    Ok((journal, records))
}

fn open(fs: &Arc<dyn Fs>, low_seq: u64) -> (Journal, Vec<Record>) {
    try_open(fs, low_seq).unwrap()
}

/// Appends and waits.
fn append(journal: &Journal, payload: &[u8]) -> Result<u64, AppendError> {
    let (done, result) = sync_channel(1);
    journal.submit(1, Bytes::copy_from_slice(payload), move |seq| done.send(seq).unwrap())?;
    result.recv().unwrap()
}

fn payloads(records: &[Record]) -> Vec<Vec<u8>> {
    records.iter().map(|record| record.payload.to_vec()).collect()
}
