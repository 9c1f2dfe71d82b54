//! What a query reads: all rows of a table at one moment.

use std::io;
use std::sync::Arc;

use signalbox_types::table::{SPAN_MINUTES, SPANS, Table};

use super::state::{Shared, State};
use crate::files::LiveFile;
use crate::memtable::{Chunk, Dead};
use crate::minutes;
use crate::said::{Bodies, MESSAGES};
use crate::text::{Found, TextIndexes};

/// All rows of a table at one moment: what a query reads, whatever happens meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) files: Vec<LiveFile>,
    pub(crate) chunks: Vec<(Arc<Chunk>, Dead)>,
    pub(crate) texts: Arc<TextIndexes>,
    /// Once it was searched: the rows that answer the search, which are all that are read.
    pub(crate) found: Option<Arc<Found>>,
    /// What its rows name by hash.
    pub(crate) bodies: Option<Arc<Bodies>>,
}

impl Shared {
    pub(super) fn snapshot(&self, table: &Table) -> io::Result<Snapshot> {
        if *table != SPAN_MINUTES {
            return Ok(self.snapshot_of(&self.state.read(), table));
        }
        let (files, in_memory) = {
            let state = self.state.read();
            (state.files.clone(), self.snapshot_of(&state, &SPANS).chunks)
        };
        let (files, chunks) = minutes::snapshot(&self.dir, &files, &in_memory)?;
        let chunks = chunks.into_iter().map(|chunk| (chunk, Dead::default())).collect();
        Ok(Snapshot { files, chunks, texts: Arc::clone(&self.texts), found: None, bodies: None })
    }

    pub(super) fn snapshot_of(&self, state: &State, table: &Table) -> Snapshot {
        let mut chunks = Vec::new();
        if let Some(rows) = state.frozen.as_deref().and_then(|frozen| frozen.of(table)) {
            let dead = state.frozen_dead.get(table.name).cloned().unwrap_or_default();
            chunks.extend(rows.chunks.iter().map(|chunk| (Arc::clone(chunk), Arc::clone(&dead))));
        }
        if let Some(rows) = state.active.of(table) {
            chunks.extend(rows.chunks.iter().map(|chunk| (Arc::clone(chunk), Arc::clone(&rows.dead))));
        }
        let files = state.files.iter().filter(|file| file.meta().table == table.name);
        let by_hash = table.columns.iter().any(|column| column.by_hash);
        let bodies = by_hash.then(|| Arc::new(Bodies::new(&self.dir, self.snapshot_of(state, &MESSAGES))));
        Snapshot { files: files.cloned().collect(), chunks, texts: Arc::clone(&self.texts), found: None, bodies }
    }
}
