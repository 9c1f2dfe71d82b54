//! Removes what has been kept long enough: whole files where all rows are old, rows where a project
//! keeps its own for a shorter time, bodies where only those are old.

use std::io;
use std::sync::Arc;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use signalbox_types::seam::StoreError;
use signalbox_types::table::{ColumnRoom, Minutes, Retention, SPAN_MINUTES, SPANS, Table};
use tracing::info;

use super::compact::{Job, run};
use super::state::Shared;
use crate::error::internal;
use crate::files::LiveFile;
use crate::manifest::DataFile;
use crate::minutes::{self, Companions};
use crate::query::Engine;
use crate::said;
use crate::writer::FileWriter;

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

pub(super) fn expire(shared: &Shared, engine: &Engine) -> Result<(), StoreError> {
    let _one_at_a_time = shared.merging.lock();
    drop_files(shared)?;
    for project in shared.config.retention.projects.keys() {
        drop_rows(shared, engine, project)?;
    }
    strip_bodies(shared, engine)
}

/// Rows before this time are too old, if they are of a class that is not kept for ever.
fn bound(shared: &Shared, days: Option<u32>) -> Option<i64> {
    let now = shared.clock.now().as_micros();
    days.map(|days| now.saturating_sub(i64::from(days).saturating_mul(DAY_MICROS)))
}

/// For whose rows the time is longest, of all projects that a file may hold.
fn file_bound(shared: &Shared, table: &Table, file: &LiveFile) -> Option<i64> {
    let retention = &shared.config.retention;
    let (first, last) = &file.meta().projects;
    if first == last {
        return bound(shared, retention.days(table.retention, Some(first)));
    }
    let mut bounds = vec![bound(shared, retention.days(table.retention, None))];
    let within = retention.projects.range(first.clone()..=last.clone());
    bounds.extend(within.map(|(project, _)| bound(shared, retention.days(table.retention, Some(project)))));
    bounds.into_iter().collect::<Option<Vec<i64>>>()?.into_iter().min()
}

fn drop_files(shared: &Shared) -> Result<(), StoreError> {
    let (began, gone, sums) = {
        let mut state = shared.state.write();
        let old = |file: &&LiveFile| {
            let table = said::find_table(&file.meta().table);
            table.and_then(|table| file_bound(shared, table, file)).is_some_and(|bound| file.meta().time.1 < bound)
        };
        let companions = Companions::among(&state.files);
        let old = |file: &&LiveFile| old(file) && !companions.has(file);
        let gone: Vec<LiveFile> = state.files.iter().filter(old).cloned().collect();
        if gone.is_empty() {
            return Ok(());
        }
        let of = |file: &LiveFile| companions.of(file).cloned();
        let sums: Vec<_> = gone.iter().filter(is_spans).map(|file| (file.clone(), of(file))).collect();
        (state.begin_job(), gone.into_iter().map(|file| file.handle).collect::<Vec<_>>(), sums)
    };
    // Companions stay as they are, but where rows have died since.
    let (mut gone, mut written) = (gone, Vec::new());
    for (file, companion) in &sums {
        if file.dead_rows() > 0 || companion.is_none() {
            written.extend(write_sums(shared, minutes::of_file(&shared.dir, file, companion.as_ref()), file));
            gone.extend(companion.iter().map(|companion| Arc::clone(&companion.handle)));
        }
    }
    drop(sums);
    let written = match written.into_iter().collect::<io::Result<Vec<_>>>() {
        Ok(written) => written.concat(),
        Err(error) => {
            let ended = shared.state.write().end_job(began, &mut []);
            return Err(internal(ended.err().unwrap_or(error)));
        }
    };
    shared.replace_files(began, &gone, written, None).map_err(internal)?;
    info!(files = gone.len(), "removed data files whose time is over");
    drop(gone);
    shared.remove_unread();
    Ok(())
}

fn is_spans(file: &&LiveFile) -> bool {
    file.meta().table == SPANS.name
}

/// Sums of spans that are too old to be kept, as a file of its own; none if there are none.
fn write_sums(shared: &Shared, sums: io::Result<Minutes>, of: &LiveFile) -> Option<io::Result<Vec<DataFile>>> {
    let write = |batch: RecordBatch| {
        let mut writer = FileWriter::create(&shared.place(), &SPAN_MINUTES, shared.number(), 1)?;
        writer.write(&batch)?;
        writer.finish(of.meta().seqs)
    };
    sums.and_then(minutes::batch_of).map(|batch| batch.map(write)).transpose().map(|written| written.flatten())
}

/// Rows of a project that keeps them for a shorter time than the files they are in.
fn drop_rows(shared: &Shared, engine: &Engine, project: &str) -> Result<(), StoreError> {
    let files: Vec<LiveFile> = {
        let state = shared.state.read();
        let companions = Companions::among(&state.files);
        state.files.iter().filter(|file| !companions.has(file)).cloned().collect()
    };
    for file in files {
        let Some(table) = said::find_table(&file.meta().table) else { continue };
        let Some(bound) = bound(shared, shared.config.retention.days(table.retention, Some(project))) else { continue };
        if file.meta().time.0 >= bound {
            continue;
        }
        let old = |batch: &RecordBatch, row: usize| {
            let times = batch.column_by_name(table.time_column);
            let time = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
            time.is_some_and(|times| times.value(row) < bound)
        };
        let rows = file.rows_of(&shared.dir, project, &[table.time_column], old).map_err(internal)?;
        if rows.is_empty() {
            continue;
        }
        let sums = Some(&file)
            .filter(is_spans)
            .and_then(|file| write_sums(shared, minutes::of_rows(&shared.dir, file, &rows), file));
        let sums = sums.transpose().map_err(internal)?.unwrap_or_default();
        shared.kill_rows(&file, &rows);
        if let Some(job) = Job::rewrite(&file).map(|job| job.with_sums(sums)) {
            drop(file);
            run(shared, engine, job)?;
        }
    }
    Ok(())
}

fn strip_bodies(shared: &Shared, engine: &Engine) -> Result<(), StoreError> {
    let days = shared.config.retention.bodies_days;
    let Some(bound) = bound(shared, (days > 0).then_some(days)) else { return Ok(()) };
    // Of a data point or a score the attributes are the point: they go with their row.
    let has_bodies = |table: &Table| {
        table.retention == Retention::Spans && table.columns.iter().any(|column| column.room == ColumnRoom::Body)
    };
    loop {
        let job = {
            let state = shared.state.read();
            let mut old = state.files.iter().filter(|file| {
                let meta = file.meta();
                !meta.without_bodies && meta.time.1 < bound && said::find_table(&meta.table).is_some_and(has_bodies)
            });
            old.next().and_then(Job::strip)
        };
        let Some(job) = job else { return Ok(()) };
        run(shared, engine, job)?;
    }
}
