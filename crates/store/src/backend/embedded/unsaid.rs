//! Bodies that no span names any more.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::sync::Arc;

use arrow::array::{AsArray as _, RecordBatch};
use roaring::RoaringBitmap;
use signalbox_types::ProjectId;
use signalbox_types::table::SPANS;

use super::state::Shared;
use crate::files::{LiveFile, text};
use crate::manifest::day_of;
use crate::said::{MESSAGES, each_reference, hash_of};

/// The rows of bodies that nobody says once the spans in `gone` are gone, of these days and those beside
/// them: each body is named within a day.
pub(super) fn unsaid(
    shared: &Shared,
    files: &[LiveFile],
    project: &ProjectId,
    gone: &[(LiveFile, RoaringBitmap)],
    days: &BTreeSet<i64>,
) -> io::Result<Vec<(LiveFile, RoaringBitmap)>> {
    let of = |table: &'static str| files.iter().filter(move |file| file.meta().table == table);
    let mut rows: Vec<(LiveFile, RoaringBitmap)> =
        of(MESSAGES.name).map(|file| (file.clone(), RoaringBitmap::new())).collect();
    let near: BTreeSet<i64> = days.iter().flat_map(|day| day - 1..=day + 1).collect();
    // A day at a time: what is looked at is in memory.
    for day in near {
        let mut unsaid = HashSet::new();
        let of_day = |file: &LiveFile, reach: i64| {
            let (first, last) = file.meta().time;
            day_of(first) <= day + reach && day_of(last) >= day - reach
        };
        for (file, _) in rows.iter().filter(|(file, _)| of_day(file, 0)) {
            each_body(shared, file, project, |hash, place| {
                if place.1 == day {
                    unsaid.insert(hash);
                }
            })?;
        }
        for file in of(SPANS.name).filter(|file| of_day(file, 1)) {
            if !unsaid.is_empty() {
                let goes = gone.iter().filter(|(other, _)| Arc::ptr_eq(&other.handle, &file.handle));
                keep_named(shared, file, goes.map(|(_, rows)| rows), &mut unsaid)?;
            }
        }
        for (file, rows) in rows.iter_mut().filter(|(file, _)| of_day(file, 0) && !unsaid.is_empty()) {
            // Of the other days in the file it is not known who names them.
            let mut found = RoaringBitmap::new();
            each_body(shared, file, project, |hash, place| {
                if place.1 == day && unsaid.contains(&hash) {
                    found.insert(place.0);
                }
            })?;
            *rows |= found;
        }
    }
    rows.retain(|(_, rows)| !rows.is_empty());
    Ok(rows)
}

/// Hash, row and day of each body of the project, dead ones included: their bytes are still there.
fn each_body(
    shared: &Shared,
    file: &LiveFile,
    project: &ProjectId,
    mut each: impl FnMut(u128, (u32, i64)),
) -> io::Result<()> {
    let all = file.all_of(&shared.dir, project.as_str(), &["hash", "day"], |batch, row, number| {
        let hash = text(batch, "hash", row).and_then(hash_of);
        let days = batch.column_by_name("day").and_then(|days| days.as_primitive_opt::<arrow::datatypes::Int64Type>());
        if let (Some(hash), Some(days)) = (hash, days) {
            each(hash, (number, days.value(row)));
        }
        false
    });
    all.map(drop)
}

/// Takes out what spans of a file name that stay.
fn keep_named<'a>(
    shared: &Shared,
    file: &LiveFile,
    goes: impl Iterator<Item = &'a RoaringBitmap>,
    unsaid: &mut HashSet<u128>,
) -> io::Result<()> {
    let columns: Vec<&str> = SPANS.columns.iter().filter(|column| column.by_hash).map(|column| column.name).collect();
    let all = RoaringBitmap::from_iter(0..u32::try_from(file.meta().rows).unwrap_or(u32::MAX));
    let mut stays = file.counting(all);
    goes.for_each(|rows| stays -= rows);
    for batch in file.pick(&shared.dir, &stays, &columns)? {
        let batch: RecordBatch = batch.map_err(io::Error::other)?;
        let lists = columns.iter().filter_map(|name| batch.column_by_name(name)?.as_list_opt::<i32>());
        for list in lists {
            for row in 0..batch.num_rows() {
                each_reference(list, row, |reference| _ = reference.hash().map(|hash| unsaid.remove(&hash)));
            }
        }
    }
    Ok(())
}
