//! Bodies by their hashes, in one snapshot.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, ListArray, StringArray, TimestampMicrosecondArray};
use roaring::RoaringBitmap;
use signalbox_types::ProjectId;

use super::parts::join;
use super::reference::{each_reference, hash_of, hex};
use super::{MESSAGES, Reference};
use crate::backend::embedded::Snapshot;
use crate::files::LiveFile;
use crate::keys::{Key, first_of, rest_of};
use crate::manifest::day_of;

/// What was said, as far as it is asked for.
pub(crate) type Found = HashMap<u128, Arc<str>>;

/// The rows of [`MESSAGES`] at one moment.
#[derive(Debug)]
pub(crate) struct Bodies {
    dir: PathBuf,
    snapshot: Snapshot,
}

impl Bodies {
    /// Over a snapshot of [`MESSAGES`].
    pub(crate) fn new(dir: &Path, snapshot: Snapshot) -> Self {
        Self { dir: dir.to_owned(), snapshot }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn files(&self) -> &[LiveFile] {
        &self.snapshot.files
    }

    /// The texts that references of rows stand for; `times` are when the spans began.
    pub(crate) fn texts(
        &self,
        project: &ProjectId,
        references: &ListArray,
        times: &TimestampMicrosecondArray,
    ) -> io::Result<StringArray> {
        let mut wanted = Vec::new();
        for row in 0..references.len() {
            let day = day_of(times.value(row));
            each_reference(references, row, |reference| wanted.extend(reference.hash().map(|hash| (hash, day))));
        }
        let found = self.find(project.as_str(), wanted)?;
        let texts = (0..references.len()).map(|row| {
            let mut of_row = Vec::new();
            each_reference(references, row, |reference| of_row.push(reference));
            join(of_row.into_iter(), |hash| found.get(&hash).map(|body| &**body))
        });
        Ok(texts.collect())
    }

    /// The bodies of these hashes of any projects, each with the day of a span that names it.
    pub(crate) fn find_each(&self, wanted: &[(&str, u128, i64)]) -> io::Result<Found> {
        let mut by_project: HashMap<&str, Vec<(u128, i64)>> = HashMap::new();
        for (project, hash, day) in wanted {
            by_project.entry(project).or_default().push((*hash, *day));
        }
        let mut found = Found::new();
        for (project, wanted) in by_project {
            found.extend(self.find(project, wanted)?);
        }
        Ok(found)
    }

    /// The bodies of these hashes, each with the day of a span that names it.
    pub(crate) fn find(&self, project: &str, mut wanted: Vec<(u128, i64)>) -> io::Result<Found> {
        wanted.sort_unstable();
        wanted.dedup();
        let mut found = Found::with_capacity(wanted.len());
        for (chunk, dead) in &self.snapshot.chunks {
            let Some(bodies) = chunk.batch.column_by_name("body").and_then(|column| column.as_string_opt::<i32>())
            else {
                continue;
            };
            let hashes = chunk.hashes();
            wanted.retain(|(hash, _)| {
                let at = hashes.partition_point(|(other, _)| other < hash);
                let row = hashes.get(at).filter(|(other, _)| other == hash).map(|(_, row)| *row);
                let Some(row) = row.filter(|row| !dead.contains(chunk.first + row)) else { return true };
                found.insert(*hash, bodies.value(row as usize).into());
                false
            });
        }
        if !wanted.is_empty() {
            self.find_in_files(project, &wanted, &mut found)?;
        }
        Ok(found)
    }

    fn find_in_files(&self, project: &str, wanted: &[(u128, i64)], found: &mut Found) -> io::Result<()> {
        // A span and the one that its bodies came with began a day apart at most.
        let mut rests: HashMap<i64, u32> = HashMap::new();
        let mut keys = Vec::with_capacity(3 * wanted.len());
        for (hash, day) in wanted {
            let first = first_of(&hex(*hash));
            for day in [*day, day - 1, day + 1] {
                let rest = *rests.entry(day).or_insert_with(|| rest_of(project, day));
                keys.push((Key { first, rest }, day));
            }
        }
        for file in &self.snapshot.files {
            let (projects, time) = (&file.meta().projects, file.meta().time);
            if project < projects.0.as_str() || project > projects.1.as_str() {
                continue;
            }
            let mut rows = RoaringBitmap::new();
            for (key, _) in keys.iter().filter(|(_, day)| (day_of(time.0)..=day_of(time.1)).contains(day)) {
                rows.extend(file.find(*key)?);
            }
            if !rows.is_empty() {
                self.read(file, &rows, found)?;
            }
        }
        Ok(())
    }

    fn read(&self, file: &LiveFile, rows: &RoaringBitmap, found: &mut Found) -> io::Result<()> {
        for batch in file.pick(&self.dir, rows, &["hash", "body"])? {
            let batch = batch.map_err(io::Error::other)?;
            let text = |name| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            let (Some(hashes), Some(bodies)) = (text("hash"), text("body")) else {
                return Err(io::Error::other(format!("a file of `{}` without its columns", MESSAGES.name)));
            };
            for (hash, body) in hashes.iter().flatten().zip(bodies.iter().flatten()) {
                if let Some(hash) = hash_of(hash) {
                    found.insert(hash, body.into());
                }
            }
        }
        Ok(())
    }

    /// All bodies in memory.
    pub(crate) fn in_memory(&self) -> HashMap<u128, &str> {
        let mut all = HashMap::new();
        for (chunk, _) in &self.snapshot.chunks {
            let bodies = chunk.batch.column_by_name("body").and_then(|column| column.as_string_opt::<i32>());
            let Some(bodies) = bodies else { continue };
            all.extend(chunk.hashes().iter().map(|(hash, row)| (*hash, bodies.value(*row as usize))));
        }
        all
    }
}

/// The messages that a row says first in these columns.
pub(crate) fn said_first(columns: &[&ListArray], row: usize, mut each: impl FnMut(u128)) {
    for column in columns {
        each_reference(column, row, |reference| {
            if let Reference::Message { hash, first: true, .. } = reference {
                each(hash);
            }
        });
    }
}
