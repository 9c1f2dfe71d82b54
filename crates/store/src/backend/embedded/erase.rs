//! Removes everything of a user, a session or a trace, so that its bytes are gone from the disk.
//!
//! Rows in memory are written to files first, so that there is one place to look, and so that the
//! journal can let go of them. Then the rows are looked up in files, counted no more from one moment
//! on for all queries, and the files are written anew without them.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::time::Duration;

use arrow::array::AsArray as _;
use arrow::datatypes::TimestampMicrosecondType;
use roaring::RoaringBitmap;
use signalbox_types::ProjectId;
use signalbox_types::seam::{Erase, Erased, StoreError};
use signalbox_types::table::{SPANS, Table};
use tracing::info;

use super::compact::{Job, run};
use super::state::Shared;
use super::unsaid::unsaid;
use crate::error::internal;
use crate::files::{LiveFile, text};
use crate::manifest::day_of;
use crate::query::Engine;
use crate::said::{MESSAGES, find_table};

/// How long it waits for queries that still read what is to go, and for the journal.
const PATIENCE: Duration = Duration::from_secs(35);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Spans by name, and with an empty span id their traces.
type Names = HashSet<(String, String)>;

pub(super) fn erase(shared: &Shared, engine: &Engine, project: &ProjectId, what: &Erase) -> Result<Erased, StoreError> {
    let _no_merges = shared.merging.lock();
    {
        // Appends that rely on bodies which may go have ended; those that follow rely on none.
        let _no_appends = shared.saying.blocking_write();
        shared.recent.lock().forget();
        shared.values.lock().forget(project);
    }
    let before = shared.journal.stats().next_seq;
    shared.journal.roll();
    shared.flush()?;
    let mut erased = Erased::default();
    let mut affected = Vec::new();
    {
        // No row moves while they are looked for.
        let _no_flushes = shared.flushing.lock();
        let files = shared.state.read().files.clone();
        let of_spans = || files.iter().filter(|file| file.meta().table == SPANS.name);
        let mut names = Names::new();
        for file in of_spans() {
            name_spans(shared, file, project, what, &mut names).map_err(internal)?;
        }
        let mut days = BTreeSet::new();
        for file in of_spans() {
            let rows = spans_of(shared, file, project, what, &names, &mut days).map_err(internal)?;
            erased.spans += file.counting(rows.clone()).len();
            affected.extend((!rows.is_empty()).then(|| (file.clone(), rows)));
        }
        let others = |file: &&LiveFile| ![SPANS.name, MESSAGES.name].contains(&file.meta().table.as_str());
        for file in files.iter().filter(others) {
            let Some(table) = find_table(&file.meta().table) else { continue };
            let rows = others_of(shared, file, table, project, what, &names).map_err(internal)?;
            erased.other_rows += file.counting(rows.clone()).len();
            affected.extend((!rows.is_empty()).then(|| (file.clone(), rows)));
        }
        affected.extend(unsaid(shared, &files, project, &affected, &days).map_err(internal)?);
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
    shared.save_values();
    erased.complete = wait_until_gone(shared, before);
    info!(project = project.as_str(), ?erased, "erased");
    Ok(erased)
}

/// The names of spans that are to go.
fn name_spans(
    shared: &Shared,
    file: &LiveFile,
    project: &ProjectId,
    what: &Erase,
    names: &mut Names,
) -> io::Result<()> {
    let (column, value) = column_of(what);
    let columns = ["trace_id", "span_id", column];
    let found = file.all_of(&shared.dir, project.as_str(), &columns, |batch, row, number| {
        let goes = text(batch, column, row) == Some(value) && !file.is_dead(number);
        if goes && let (Some(trace), Some(span)) = (text(batch, "trace_id", row), text(batch, "span_id", row)) {
            names.insert((trace.to_owned(), span.to_owned()));
            names.insert((trace.to_owned(), String::new()));
        }
        goes
    });
    found.map(drop)
}

/// Rows of spans that are to go, with their earlier versions, whose bytes are still there; and their days.
fn spans_of(
    shared: &Shared,
    file: &LiveFile,
    project: &ProjectId,
    what: &Erase,
    names: &Names,
    days: &mut BTreeSet<i64>,
) -> io::Result<RoaringBitmap> {
    let (column, value) = column_of(what);
    let columns = ["trace_id", "span_id", "start_time", column];
    file.all_of(&shared.dir, project.as_str(), &columns, |batch, row, number| {
        let text = |column| text(batch, column, row);
        let named = || {
            text("trace_id")
                .zip(text("span_id"))
                .is_some_and(|(trace, span)| names.contains(&(trace.to_owned(), span.to_owned())))
        };
        let goes = text(column) == Some(value) || (file.is_dead(number) && named());
        let times = batch.column_by_name("start_time").filter(|_| goes);
        let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        days.extend(times.map(|times| day_of(times.value(row))));
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
    file.all_of(&shared.dir, project.as_str(), &columns, |batch, row, _| {
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
