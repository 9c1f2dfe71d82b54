//! The thread between writers and the journal: joins the batches that wait into one journal record,
//! because an Arrow stream repeats its schema (6 KB) each time, and encodes it while the record
//! before is being synced.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::error::ArrowError;
use parking_lot::{Condvar, Mutex};
use signalbox_types::Span;
use signalbox_types::seam::StoreError;
use signalbox_types::table::{Identity, Table};
use tokio::sync::{OwnedRwLockReadGuard, oneshot};

use super::state::Shared;
use crate::error::{internal, refused};
use crate::keys::{Key, KeySet};
use crate::rows::{KeyedBatch, encode};
use crate::said::Learned;

/// What is joined into one record, about.
const GROUP_BYTES: u64 = 8 << 20;
/// Records that are encoded and not yet on disk: one is synced while the next is encoded.
const IN_FLIGHT: usize = 2;
/// The kind of journal record that holds rows.
pub(crate) const ROWS: u8 = 1;

/// Rows that somebody waits for.
pub(super) struct Append {
    pub(super) batches: Vec<KeyedBatch>,
    pub(super) bytes: u64,
    /// For those who watch; empty if nobody does.
    pub(super) spans: Vec<Arc<Span>>,
    /// What later appends may rely on once it is on disk.
    pub(super) learned: Learned,
    /// Until then nothing is erased that it relies on, also if nobody waits for it any more.
    pub(super) no_erasing: OwnedRwLockReadGuard<()>,
    pub(super) done: oneshot::Sender<Result<(), StoreError>>,
}

#[derive(Default)]
struct Gate {
    in_flight: Mutex<usize>,
    left: Condvar,
}

impl Gate {
    fn wait_below(&self, limit: usize) {
        let mut in_flight = self.in_flight.lock();
        while *in_flight >= limit {
            self.left.wait(&mut in_flight);
        }
    }

    fn enter(&self) {
        *self.in_flight.lock() += 1;
    }

    fn leave(&self) {
        *self.in_flight.lock() -= 1;
        self.left.notify_all();
    }
}

/// Serves appends until all senders are gone and everything is on disk.
pub(super) fn run(shared: &Arc<Shared>, appends: &Receiver<Append>) {
    let gate = Arc::new(Gate::default());
    let mut carried = None;
    while let Some(first) = carried.take().or_else(|| appends.recv().ok()) {
        // While this waits, more comes to be joined.
        gate.wait_below(IN_FLIGHT);
        let mut bytes = first.bytes;
        let mut keys = KeySet::default();
        keys.extend(first.replacing());
        let mut group = vec![first];
        while bytes < GROUP_BYTES {
            let Ok(next) = appends.try_recv() else { break };
            // Two versions of a row in one record could not be told apart.
            if next.replacing().any(|key| keys.contains(&key)) {
                carried = Some(next);
                break;
            }
            bytes += next.bytes;
            keys.extend(next.replacing());
            group.push(next);
        }
        commit(shared, &gate, group);
    }
    gate.wait_below(1);
}

impl Append {
    /// Keys of rows that replace earlier ones.
    fn replacing(&self) -> impl Iterator<Item = Key> {
        let replaced = self.batches.iter().filter(|keyed| matches!(keyed.table.identity, Identity::Replaced));
        replaced.flat_map(|keyed| keyed.keys.iter().copied())
    }
}

fn commit(shared: &Arc<Shared>, gate: &Arc<Gate>, mut group: Vec<Append>) {
    let joined = join(&mut group).and_then(|batches| Ok((encode(&batches)?, batches)));
    let (payload, batches) = match joined {
        Ok(encoded) => encoded,
        Err(error) => return finish(shared, group, &Err(internal(error))),
    };
    // The journal takes the callback only if it takes the record; the group must be answered anyway.
    let group = Arc::new(Mutex::new(group));
    let done = {
        let (shared, gate, group) = (Arc::clone(shared), Arc::clone(gate), Arc::clone(&group));
        move |result: Result<u64, _>| {
            let result = result.map(|seq| shared.publish(seq, batches)).map_err(refused);
            finish(&shared, std::mem::take(&mut *group.lock()), &result);
            gate.leave();
        }
    };
    gate.enter();
    if let Err(error) = shared.journal.submit(ROWS, payload, done) {
        finish(shared, std::mem::take(&mut *group.lock()), &Err(refused(error)));
        gate.leave();
    }
}

/// One batch a table.
fn join(group: &mut [Append]) -> Result<Vec<KeyedBatch>, ArrowError> {
    let mut tables: Vec<(&'static Table, Vec<RecordBatch>, Vec<Key>)> = Vec::new();
    for KeyedBatch { table, batch, keys } in group.iter_mut().flat_map(|append| std::mem::take(&mut append.batches)) {
        match tables.iter_mut().find(|(other, ..)| other.name == table.name) {
            Some((_, batches, all)) => {
                batches.push(batch);
                all.extend(keys);
            }
            None => tables.push((table, vec![batch], keys)),
        }
    }
    let joined = tables.into_iter().map(|(table, mut batches, keys)| {
        let batch = match batches.len() {
            1 => batches.remove(0),
            _ => concat_batches(&batches[0].schema(), &batches)?,
        };
        Ok(KeyedBatch { table, batch, keys })
    });
    joined.collect()
}

fn finish(shared: &Shared, group: Vec<Append>, result: &Result<(), StoreError>) {
    for append in group {
        shared.leave(append.bytes);
        if result.is_ok() {
            append.learned.tell(&mut shared.recent.lock());
            for span in append.spans {
                // Nobody watches any more: fine.
                let _ = shared.live.send(span);
            }
        }
        drop(append.no_erasing);
        // Whoever asked may have gone.
        let _ = append.done.send(result.clone());
    }
}
