//! One Parquet file being written: rows in order, their keys beside, a checksum over all.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::{max, min};
use arrow::datatypes::TimestampMicrosecondType;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use signalbox_journal::fs::{File, Fs};
use signalbox_types::Timestamp;
use signalbox_types::table::{Minutes, SPAN_MINUTES, SPANS, Table};

use crate::keys::{self, KeyWriter};
use crate::manifest::{DataFile, FILES};
use crate::{minutes, schema};

/// Where and when files are written.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) fs: &'a dyn Fs,
    /// The data folder.
    pub(crate) dir: &'a Path,
    pub(crate) now: Timestamp,
}

/// Rows go in in the table's order.
pub(crate) struct FileWriter<'a> {
    place: Place<'a>,
    number: u64,
    table: &'static Table,
    parquet: ArrowWriter<BufWriter<Hashing>>,
    keys: KeyWriter,
    tmp: PathBuf,
    meta: DataFile,
    /// Of spans: what they sum up to, and where it goes.
    minutes: Minutes,
    companion: Option<Box<FileWriter<'a>>>,
}

/// Rows of minutes that are summed up in memory; if there are more, some stand in several rows.
const MINUTE_ROWS: usize = 100_000;

impl<'a> FileWriter<'a> {
    /// Begins file `number` of the table.
    pub(crate) fn create(place: &Place<'a>, table: &'static Table, number: u64, level: u32) -> io::Result<Self> {
        let Place { fs, dir, now } = *place;
        let folder = dir.join(FILES).join(table.name);
        let tmp = folder.join(format!("{number:012}.tmp"));
        let out = Hashing { file: fs.create(&tmp)?, hasher: blake3::Hasher::new() };
        let properties = schema::writer_properties(table, level);
        let parquet = ArrowWriter::try_new(BufWriter::with_capacity(1 << 20, out), schema::of(table), Some(properties))
            .map_err(failed)?;
        let meta = DataFile {
            table: table.name.to_owned(),
            name: format!("{number:012}.parquet"),
            rows: 0,
            bytes: 0,
            time: (i64::MAX, i64::MIN),
            projects: (String::new(), String::new()),
            seqs: (0, 0),
            level,
            written: now.as_micros(),
            blake3: None,
            without_bodies: false,
            dead: None,
        };
        let place = *place;
        let (keys, minutes) = (KeyWriter::default(), Minutes::default());
        Ok(Self { place, number, table, parquet, keys, tmp, meta, minutes, companion: None })
    }

    pub(crate) fn write(&mut self, rows: &RecordBatch) -> io::Result<()> {
        let Some(last) = rows.num_rows().checked_sub(1) else { return Ok(()) };
        self.keys.push(keys::of_batch(self.table, rows).map_err(io::Error::other)?);
        self.parquet.write(rows).map_err(failed)?;
        let projects = rows.column_by_name("project_id").and_then(|column| column.as_string_opt::<i32>());
        if let Some(projects) = projects {
            if self.meta.rows == 0 {
                self.meta.projects.0 = projects.value(0).to_owned();
            }
            self.meta.projects.1 = projects.value(last).to_owned();
        }
        let times = rows.column_by_name(self.table.time_column);
        if let Some(times) = times.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>()) {
            let (first, last) = self.meta.time;
            self.meta.time = (first.min(min(times).unwrap_or(first)), last.max(max(times).unwrap_or(last)));
        }
        self.meta.rows += rows.num_rows() as u64;
        if *self.table == SPANS {
            minutes::add(&mut self.minutes, rows)?;
            if self.minutes.len() > MINUTE_ROWS {
                self.write_minutes()?;
            }
        }
        Ok(())
    }

    fn write_minutes(&mut self) -> io::Result<()> {
        let Some(batch) = minutes::batch_of(std::mem::take(&mut self.minutes))? else { return Ok(()) };
        let companion = match self.companion.take() {
            Some(companion) => companion,
            None => Box::new(Self::create(&self.place, &SPAN_MINUTES, self.number, self.meta.level)?),
        };
        self.companion.insert(companion).write(&batch)
    }

    /// Bytes on disk so far and in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.parquet.bytes_written() + self.parquet.in_progress_size()
    }

    /// Bytes in memory.
    pub(crate) fn buffered(&self) -> usize {
        self.parquet.memory_size()
    }

    /// Writes what is in memory.
    pub(crate) fn end_row_group(&mut self) -> io::Result<()> {
        self.parquet.flush().map_err(failed)
    }

    /// Bodies were left out.
    pub(crate) fn without_bodies(&mut self) {
        self.meta.without_bodies = true;
    }

    /// Ends the file, and its companion: when this returns, they survive a power loss.
    pub(crate) fn finish(mut self, seqs: (u64, u64)) -> io::Result<Vec<DataFile>> {
        self.write_minutes()?;
        let Self { place: Place { fs, dir, .. }, table, parquet, keys, tmp, mut meta, companion, .. } = self;
        let buffered = parquet.into_inner().map_err(failed)?;
        let Hashing { mut file, hasher } = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync()?;
        if keys::has_keys(table) {
            let path = dir.join(meta.keys_path());
            keys.write(fs, &path)?;
            sync_parent(fs, &path)?;
        }
        let path = dir.join(meta.relative_path());
        fs.rename(&tmp, &path)?;
        sync_parent(fs, &path)?;
        meta.bytes = fs.len(&path)?;
        meta.seqs = seqs;
        meta.blake3 = Some(hasher.finalize().to_hex().to_string());
        let companion = companion.map(|companion| companion.finish(seqs)).transpose()?;
        Ok([meta].into_iter().chain(companion.into_iter().flatten()).collect())
    }
}

fn sync_parent(fs: &dyn Fs, path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| fs.sync_dir(folder))
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        // The kind says whether the disk is full.
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}

/// Hashes what goes through.
struct Hashing {
    file: Box<dyn File>,
    hasher: blake3::Hasher,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
