//! One search over one snapshot.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use roaring::RoaringBitmap;
use signalbox_text::{Matcher, TextQuery};
use signalbox_types::seam::StoreError;
use signalbox_types::table::Table;
use signalbox_types::{ProjectId, Timestamp};
use tokio_util::sync::CancellationToken;

use super::slice::{Outcome, Reader, Slice};
use super::{TextIndexes, rows};
use crate::backend::embedded::Snapshot;
use crate::error::internal;
use crate::files::LiveFile;
use crate::manifest::DataFile;
use crate::memtable::Chunk;
use crate::said::Bodies;

/// Slices that are searched first; each time that more are needed, twice as many.
const FIRST_SLICES: usize = 8;

/// The rows that answer a search: their places in the file, or among the table's rows in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    files: HashMap<String, RoaringBitmap>,
    /// By address: the snapshot keeps chunks where they are.
    chunks: HashMap<usize, RoaringBitmap>,
    none: RoaringBitmap,
}

/// A search that goes back in time as far as it is asked to.
pub(crate) struct Search {
    query: Arc<TextQuery>,
    indexes: Arc<TextIndexes>,
    table: &'static Table,
    snapshot: Snapshot,
    time: Within,
    found: Found,
    /// What was not searched yet, the newest first.
    ahead: VecDeque<Slice>,
    next_slices: usize,
    threads: usize,
}

/// The time that is searched, in microseconds: the first is in it, the second is not.
#[derive(Clone, Copy)]
struct Within(i64, i64);

impl Within {
    /// Whether anything from the first to the last of these times may be in it.
    fn has(self, (first, last): (i64, i64)) -> bool {
        last >= self.0 && first < self.1
    }
}

impl Found {
    pub(crate) fn in_file(&self, file: &DataFile) -> &RoaringBitmap {
        self.files.get(&file.name).unwrap_or(&self.none)
    }

    /// The rows of a chunk that a query must not see, by their place in memory: those that are dead and
    /// those that were not found.
    pub(crate) fn others(&self, chunk: &Arc<Chunk>, dead: &RoaringBitmap) -> RoaringBitmap {
        let end = chunk.first.saturating_add(u32::try_from(chunk.batch.num_rows()).unwrap_or(u32::MAX));
        let mut others = dead.clone();
        others.insert_range(chunk.first..end);
        let found = self.chunks.get(&address(chunk)).unwrap_or(&self.none);
        others -= found;
        others |= dead & found;
        others
    }

    fn rows(&self) -> u64 {
        self.files.values().chain(self.chunks.values()).map(RoaringBitmap::len).sum()
    }
}

fn address(chunk: &Arc<Chunk>) -> usize {
    Arc::as_ptr(chunk) as usize
}

impl Search {
    /// Prepares a search of the project's rows in a time range (from is in it, to is not).
    pub(crate) fn new(
        query: Arc<TextQuery>,
        table: &'static Table,
        snapshot: &Snapshot,
        project: &ProjectId,
        time: (Timestamp, Timestamp),
        threads: usize,
    ) -> Self {
        let time = Within(time.0.as_micros(), time.1.as_micros());
        let of_project = |file: &DataFile| {
            file.projects.0.as_str() <= project.as_str() && project.as_str() <= file.projects.1.as_str()
        };
        let mut snapshot = snapshot.clone();
        snapshot.chunks.retain(|(chunk, _)| time.has(chunk.time));
        let mut files: Vec<LiveFile> = std::mem::take(&mut snapshot.files);
        files.retain(|file| time.has(file.meta().time) && of_project(file.meta()));
        let mut ahead: Vec<Slice> = files.into_iter().map(Slice::whole).collect();
        ahead.sort_by_key(Slice::order);
        Self {
            query,
            indexes: Arc::clone(&snapshot.texts),
            table,
            snapshot,
            time,
            found: Found::default(),
            ahead: ahead.into(),
            next_slices: FIRST_SLICES,
            threads: threads.max(1),
        }
    }

    /// What is searched for.
    pub(crate) fn query(&self) -> Arc<TextQuery> {
        Arc::clone(&self.query)
    }

    /// Searches memory and the newest slices, or the next ones.
    pub(crate) async fn go_on(&mut self) -> Result<(), StoreError> {
        let count = self.next_slices.min(self.ahead.len());
        self.next_slices *= 2;
        let slices: Vec<Slice> = self.ahead.drain(..count).collect();
        let stop = CancellationToken::new();
        // Nobody waits any more: the threads are to be told.
        let _stops = stop.clone().drop_guard();
        let chunks = if self.found.chunks.is_empty() {
            self.snapshot.chunks.iter().map(|(chunk, _)| Arc::clone(chunk)).collect()
        } else {
            Vec::new()
        };
        let memory = {
            let (query, table, stop) = (Arc::clone(&self.query), self.table, stop.clone());
            let bodies = self.snapshot.bodies.clone();
            tokio::task::spawn_blocking(move || search_chunks(&query, table, &chunks, bodies.as_deref(), &stop))
        };
        // Who is done takes the next: some slices take far longer than others.
        let waiting = Arc::new(Mutex::new(VecDeque::from(slices)));
        let threads: Vec<_> = (0..self.threads.min(count))
            .map(|_| {
                let (query, indexes, stop) = (Arc::clone(&self.query), Arc::clone(&self.indexes), stop.clone());
                let (table, waiting, bodies) = (self.table, Arc::clone(&waiting), self.snapshot.bodies.clone());
                tokio::task::spawn_blocking(move || {
                    let reader = Reader { query: &query, indexes: &indexes, table, bodies: bodies.as_deref(), stop };
                    reader.search_all(&waiting)
                })
            })
            .collect();
        for thread in threads {
            for (slice, outcome) in thread.await.map_err(internal)?.map_err(internal)? {
                match outcome {
                    Outcome::Found(rows) => self.take(slice.file, &rows),
                    Outcome::Split(slices) => {
                        self.ahead.extend(slices.into_iter().filter(|slice| self.time.has(slice.time)))
                    }
                }
            }
        }
        self.ahead.make_contiguous().sort_by_key(Slice::order);
        self.found.chunks.extend(memory.await.map_err(internal)?.map_err(internal)?);
        Ok(())
    }

    fn take(&mut self, file: LiveFile, rows: &RoaringBitmap) {
        if rows.is_empty() {
            return;
        }
        match self.found.files.entry(file.meta().name.clone()) {
            Entry::Occupied(mut found) => *found.get_mut() |= rows,
            Entry::Vacant(vacant) => {
                vacant.insert(rows.clone());
                self.snapshot.files.push(file);
            }
        }
    }

    /// How many rows were found so far. Not all need be of the project and the time range.
    pub(crate) fn rows(&self) -> u64 {
        self.found.rows()
    }

    /// The latest time of a row that was not searched; `None` when all were.
    pub(crate) fn searched_down_to(&self) -> Option<i64> {
        self.ahead.front().map(|slice| slice.time.1)
    }

    /// The snapshot with only what was found so far.
    pub(crate) fn so_far(&self) -> Snapshot {
        Snapshot { found: Some(Arc::new(self.found.clone())), ..self.snapshot.clone() }
    }
}

fn search_chunks(
    query: &TextQuery,
    table: &Table,
    chunks: &[Arc<Chunk>],
    bodies: Option<&Bodies>,
    stop: &CancellationToken,
) -> io::Result<Vec<(usize, RoaringBitmap)>> {
    let mut matcher = Matcher::new(query);
    let in_memory = bodies.filter(|_| !chunks.is_empty()).map(Bodies::in_memory).unwrap_or_default();
    let running = chunks.iter().take_while(|_| !stop.is_cancelled());
    let found = running.map(|chunk| {
        // What came with spans that are in files already.
        let wanted = rows::said_in(table, &chunk.batch, |hash| !in_memory.contains_key(&hash));
        let in_files = bodies.map(|bodies| bodies.find_each(&wanted)).transpose()?.unwrap_or_default();
        let body = |hash: u128| in_memory.get(&hash).copied().or_else(|| in_files.get(&hash).map(|body| &**body));
        let mut found = RoaringBitmap::new();
        rows::Columns::of(table, &chunk.batch, &body).find(&mut matcher, chunk.first.., &mut found);
        Ok((address(chunk), found))
    });
    found.collect()
}
