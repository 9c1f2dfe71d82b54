//! Removes everything of a user, a session or a trace, so that its bytes are gone from the disk.
//!
//! Rows in memory are written to files first, so that there is one place to look, and so that the
//! journal can let go of them. Then the rows are looked up in files, counted no more from one moment
//! on for all queries, and the files are written anew without them.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use roaring::RoaringBitmap;
use signalbox_types::ProjectId;
use signalbox_types::seam::{Erase, Erased, StoreError};
use signalbox_types::table::{self, SPANS, Table};
use tracing::info;

use super::compact::{Job, run};
use super::state::Shared;
use crate::error::internal;
use crate::files::{LiveFile, text};
use crate::query::Engine;

/// How long it waits for queries that still read what is to go, and for the journal.
const PATIENCE: Duration = Duration::from_secs(35);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Spans by name, and with an empty span id their traces.
type Names = HashSet<(String, String)>;

pub(super) fn erase(shared: &Shared, engine: &Engine, project: &ProjectId, what: &Erase) -> Result<Erased, StoreError> {
    let _no_merges = shared.merging.lock();
    let before = shared.journal.stats().next_seq;
    shared.journal.roll();
    shared.flush()?;
    let mut erased = Erased::default();
    let mut affected = Vec::new();
    {
        // No row moves while they are looked for.
        let _no_flushes = shared.flushing.lock();
        let files = shared.state.read().files.clone();
        let mut names = Names::new();
        for file in files.iter().filter(|file| file.meta().table == SPANS.name) {
            let rows = spans_of(shared, file, project, what, &mut names).map_err(internal)?;
            erased.spans += rows.len();
            affected.extend((!rows.is_empty()).then(|| (file.clone(), rows)));
        }
        for file in files.iter().filter(|file| file.meta().table != SPANS.name) {
            let Some(table) = table::find(&file.meta().table) else { continue };
            let rows = others_of(shared, file, table, project, what, &names).map_err(internal)?;
            erased.other_rows += rows.len();
            affected.extend((!rows.is_empty()).then(|| (file.clone(), rows)));
        }
        for (file, rows) in &affected {
            shared.kill_rows(file, rows);
        }
    }
    for (file, _) in affected {
        let job = Job::rewrite(&file);
        drop(file);
        if let Some(job) = job {
            run(shared, engine, job)?;
            erased.files += 1;
        }
    }
    erased.complete = wait_until_gone(shared, before);
    info!(project = project.as_str(), ?erased, "erased");
    Ok(erased)
}

/// Rows of spans that are to go; their names are added to `names`.
fn spans_of(
    shared: &Shared,
    file: &LiveFile,
    project: &ProjectId,
    what: &Erase,
    names: &mut Names,
) -> io::Result<RoaringBitmap> {
    let (column, value) = column_of(what);
    let columns = ["trace_id", "span_id", column];
    file.rows_of(&shared.dir, project.as_str(), &columns, |batch, row| {
        let goes = text(batch, column, row) == Some(value);
        if goes && let (Some(trace), Some(span)) = (text(batch, "trace_id", row), text(batch, "span_id", row)) {
            names.insert((trace.to_owned(), span.to_owned()));
            names.insert((trace.to_owned(), String::new()));
        }
        goes
    })
}

/// Rows of another table that hang on spans that go (or on their whole trace), or name the same user, session or trace themselves.
fn others_of(
    shared: &Shared,
    file: &LiveFile,
    table: &Table,
    project: &ProjectId,
    what: &Erase,
    names: &Names,
) -> io::Result<RoaringBitmap> {
    let (column, value) = column_of(what);
    let columns: Vec<&str> =
        ["trace_id", "span_id", column].into_iter().filter(|name| table.column(name).is_some()).collect();
    if columns.is_empty() {
        return Ok(RoaringBitmap::new());
    }
    file.rows_of(&shared.dir, project.as_str(), &columns, |batch, row| {
        let span = text(batch, "span_id", row).unwrap_or_default();
        let hangs =
            text(batch, "trace_id", row).is_some_and(|trace| names.contains(&(trace.to_owned(), span.to_owned())));
        hangs || text(batch, column, row) == Some(value)
    })
}

fn column_of(what: &Erase) -> (&'static str, &str) {
    match what {
        Erase::UserId(value) => ("user_id", value),
        Erase::SessionId(value) => ("session_id", value),
        Erase::TraceId(value) => ("trace_id", value),
    }
}

/// Whether old files and old journal segments are gone.
fn wait_until_gone(shared: &Shared, before: u64) -> bool {
    let began = shared.clock.elapsed();
    loop {
        shared.remove_unread();
        let gone = shared.let_go.lock().is_empty() && shared.journal.stats().first_seq >= before;
        if gone || shared.clock.elapsed().saturating_sub(began) > PATIENCE {
            return gone;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
