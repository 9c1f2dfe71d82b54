//! Searching a file, or a part of one: by its index as far as that goes, or else by reading it.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::fs::File;
use std::io;

use parking_lot::Mutex;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use roaring::RoaringBitmap;
use signalbox_text::{Matcher, TextQuery};
use signalbox_types::table::Table;
use tokio_util::sync::CancellationToken;

use super::TextIndexes;
use super::rows::{self, Stretch};
use crate::files::{LiveFile, time_of};
use crate::said::Bodies;

/// So few rows are looked at one by one, wherever in a file they stand.
const FEW_ROWS: u64 = 1_000;
/// A slice is read as a whole when more than one row in so many may answer the search.
const READ_ALL: u64 = 8;

/// A file that is to be searched, or a part of it.
pub(super) struct Slice {
    pub(super) file: LiveFile,
    /// When its first and its last row was.
    pub(super) time: (i64, i64),
    /// A part of the file.
    part: Option<Part>,
}

struct Part {
    stretch: Stretch,
    /// The rows of it that the index names, if there is one.
    named: Option<RoaringBitmap>,
}

/// What came of searching a slice.
pub(super) enum Outcome {
    Found(RoaringBitmap),
    /// All of it would take long: its newest part may be enough.
    Split(Vec<Slice>),
}

impl Slice {
    pub(super) fn whole(file: LiveFile) -> Self {
        let time = file.meta().time;
        Self { file, time, part: None }
    }

    /// The newest first.
    pub(super) fn order(&self) -> Reverse<i64> {
        Reverse(self.time.1)
    }
}

/// Searches slices.
pub(super) struct Reader<'a> {
    pub(super) query: &'a TextQuery,
    pub(super) indexes: &'a TextIndexes,
    pub(super) table: &'static Table,
    pub(super) bodies: Option<&'a Bodies>,
    pub(super) stop: CancellationToken,
}

impl Reader<'_> {
    /// Takes one slice after the other.
    pub(super) fn search_all(&self, waiting: &Mutex<VecDeque<Slice>>) -> io::Result<Vec<(Slice, Outcome)>> {
        let mut done = Vec::new();
        loop {
            let next = waiting.lock().pop_front();
            let Some(slice) = next else { return Ok(done) };
            let outcome = self.search(&slice)?;
            done.push((slice, outcome));
        }
    }

    fn search(&self, slice: &Slice) -> io::Result<Outcome> {
        let Some(part) = &slice.part else {
            return self.search_file(slice);
        };
        let rows = match &part.named {
            Some(named) if named.len() * READ_ALL < part.stretch.rows.len() as u64 => self.check(&slice.file, named)?,
            Some(named) => self.read(&slice.file, &part.stretch)? & named,
            None => self.read(&slice.file, &part.stretch)?,
        };
        Ok(Outcome::Found(rows))
    }

    fn search_file(&self, slice: &Slice) -> io::Result<Outcome> {
        let named = self.indexes.find(slice.file.meta(), self.query);
        if let Some(named) = &named {
            if self.query.is_of_words() || named.is_empty() {
                return Ok(Outcome::Found(named.clone()));
            }
            if named.len() <= FEW_ROWS {
                return self.check(&slice.file, named).map(Outcome::Found);
            }
        }
        let parts = self.split(&slice.file, named.as_ref())?;
        match parts.as_slice() {
            [only] => self.search(only),
            _ => Ok(Outcome::Split(parts)),
        }
    }

    /// A slice for each row group.
    fn split(&self, file: &LiveFile, named: Option<&RoaringBitmap>) -> io::Result<Vec<Slice>> {
        let meta = file.meta();
        let parquet = File::open(self.indexes.dir.join(meta.relative_path()))?;
        let footer = ArrowReaderMetadata::load(&parquet, ArrowReaderOptions::new()).map_err(io::Error::other)?;
        let time_column = self.table.position(self.table.time_column).unwrap_or_default();
        let (mut slices, mut first) = (Vec::new(), 0_u32);
        for group in footer.metadata().row_groups() {
            let end = first + u32::try_from(group.num_rows()).map_err(io::Error::other)?;
            let time = time_of(group, time_column).unwrap_or(meta.time);
            let named = named.map(|named| {
                let mut named = named.clone();
                named.remove_range(..first);
                named.remove_range(end..);
                named
            });
            if named.as_ref().is_none_or(|named| !named.is_empty()) {
                let part = Part { stretch: Stretch { rows: first..end, time }, named };
                slices.push(Slice { file: file.clone(), time, part: Some(part) });
            }
            first = end;
        }
        Ok(slices)
    }

    /// Those of some rows that answer the search.
    fn check(&self, file: &LiveFile, named: &RoaringBitmap) -> io::Result<RoaringBitmap> {
        let (mut matcher, mut found, mut numbers) = (Matcher::new(self.query), RoaringBitmap::new(), named.iter());
        for batch in file.pick(&self.indexes.dir, named, &rows::columns(self.table))? {
            self.go_on()?;
            let batch = batch.map_err(io::Error::other)?;
            let said = rows::said_in(self.table, &batch, |_| true);
            let bodies = self.bodies.map(|bodies| bodies.find_each(&said)).transpose()?.unwrap_or_default();
            let body = |hash: u128| bodies.get(&hash).map(|body| &**body);
            let columns = rows::Columns::of(self.table, &batch, &body);
            columns.find(&mut matcher, numbers.by_ref().take(batch.num_rows()), &mut found);
        }
        Ok(found)
    }

    fn read(&self, file: &LiveFile, stretch: &Stretch) -> io::Result<RoaringBitmap> {
        let mut first = stretch.rows.start;
        let (mut matcher, mut found) = (Matcher::new(self.query), RoaringBitmap::new());
        rows::each_batch(&self.indexes.dir, file.meta(), Some(stretch), self.table, self.bodies, |columns| {
            self.go_on()?;
            columns.find(&mut matcher, first.., &mut found);
            first += u32::try_from(columns.rows()).map_err(io::Error::other)?;
            Ok(())
        })?;
        Ok(found)
    }

    /// Fails when nobody waits any more.
    fn go_on(&self) -> io::Result<()> {
        if self.stop.is_cancelled() { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}
