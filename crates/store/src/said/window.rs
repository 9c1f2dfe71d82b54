//! Bodies for rows of spans that are read in their order: what came with a span has its time, so both
//! files are read side by side. What came with another one is mostly remembered, or else looked up.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::RowGroupMetaData;

use super::{Bodies, MESSAGES, hash_of};
use crate::files::{LiveFile, time_of};

/// Bodies that are remembered, beside those of the rows at hand.
const BYTES: usize = 32 << 20;

/// A place in the order of the tables of spans and messages.
pub(crate) type At = (String, i64);

/// Reads bodies along with spans.
pub(crate) struct Window<'a> {
    bodies: &'a Bodies,
    files: Vec<Cursor>,
    known: HashMap<u128, Arc<str>>,
    order: VecDeque<u128>,
    bytes: usize,
}

impl<'a> Window<'a> {
    /// For spans that began in this time, both ends included.
    pub(crate) fn open(bodies: &'a Bodies, time: (i64, i64)) -> io::Result<Self> {
        let near = bodies.files().iter().filter(|file| {
            let (first, last) = file.meta().time;
            first <= time.1 && last >= time.0
        });
        let files = near.map(|file| Cursor::open(bodies, file, time)).collect::<io::Result<_>>()?;
        Ok(Self { bodies, files, known: HashMap::new(), order: VecDeque::new(), bytes: 0 })
    }

    /// Goes on to the last row at hand, and looks for bodies that these rows say: by project, hash and day.
    pub(crate) fn go_on(&mut self, last: &At, wanted: &[(&str, u128, i64)]) -> io::Result<()> {
        while self.bytes > BYTES
            && let Some(hash) = self.order.pop_front()
        {
            self.bytes -= self.known.remove(&hash).map_or(0, |body| body.len());
        }
        let mut files = std::mem::take(&mut self.files);
        let advanced =
            files.iter_mut().try_for_each(|file| file.advance(last, &mut |hash, body| self.learn(hash, body)));
        self.files = files;
        advanced?;
        let missing: Vec<_> = wanted.iter().filter(|(_, hash, _)| !self.known.contains_key(hash)).copied().collect();
        for (hash, body) in self.bodies.find_each(&missing)? {
            self.learn(hash, body);
        }
        Ok(())
    }

    pub(crate) fn body(&self, hash: u128) -> Option<&str> {
        self.known.get(&hash).map(|body| &**body)
    }

    fn learn(&mut self, hash: u128, body: Arc<str>) {
        self.bytes += body.len();
        match self.known.insert(hash, body) {
            Some(before) => self.bytes -= before.len(),
            None => self.order.push_back(hash),
        }
    }
}

/// A file of bodies, read once from the start to the end of a time.
struct Cursor {
    reader: ParquetRecordBatchReader,
    batch: Option<RecordBatch>,
    row: usize,
}

impl Cursor {
    fn open(bodies: &Bodies, file: &LiveFile, time: (i64, i64)) -> io::Result<Self> {
        let parquet = std::fs::File::open(bodies.dir().join(file.meta().relative_path()))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(parquet).map_err(io::Error::other)?;
        let position = MESSAGES.position(MESSAGES.time_column).unwrap_or_default();
        let groups = builder.metadata().row_groups().iter().enumerate();
        let groups = groups.filter(|(_, group)| overlaps(group, position, time)).map(|(i, _)| i).collect();
        let mask = ProjectionMask::columns(builder.parquet_schema(), ["project_id", "hash", "time", "body"]);
        let reader = builder.with_projection(mask).with_row_groups(groups).with_batch_size(512).build();
        Ok(Self { reader: reader.map_err(io::Error::other)?, batch: None, row: 0 })
    }

    /// Hands on all bodies up to a place in the order.
    fn advance(&mut self, last: &At, take: &mut dyn FnMut(u128, Arc<str>)) -> io::Result<()> {
        loop {
            if self.batch.as_ref().is_none_or(|batch| self.row >= batch.num_rows()) {
                self.batch = self.reader.next().transpose().map_err(io::Error::other)?;
                self.row = 0;
            }
            let Some(batch) = &self.batch else { return Ok(()) };
            let text = |name| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            let times = batch.column_by_name("time");
            let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
            let (Some(projects), Some(hashes), Some(texts), Some(times)) =
                (text("project_id"), text("hash"), text("body"), times)
            else {
                return Err(io::Error::other(format!("a file of `{}` without its columns", MESSAGES.name)));
            };
            while self.row < batch.num_rows() {
                if (projects.value(self.row), times.value(self.row)) > (last.0.as_str(), last.1) {
                    return Ok(());
                }
                if texts.is_valid(self.row)
                    && let Some(hash) = hash_of(hashes.value(self.row))
                {
                    take(hash, texts.value(self.row).into());
                }
                self.row += 1;
            }
        }
    }
}

/// Whether a row group may hold rows of a time.
fn overlaps(group: &RowGroupMetaData, time_column: usize, time: (i64, i64)) -> bool {
    time_of(group, time_column).is_none_or(|(first, last)| first <= time.1 && last >= time.0)
}
