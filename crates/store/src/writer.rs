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
use signalbox_types::table::Table;

use crate::keys::{self, KeyWriter};
use crate::manifest::{DataFile, FILES};
use crate::schema;

/// Where and when files are written.
pub(crate) struct Place<'a> {
    pub(crate) fs: &'a dyn Fs,
    /// The data folder.
    pub(crate) dir: &'a Path,
    pub(crate) now: Timestamp,
}

/// Rows go in in the table's order.
pub(crate) struct FileWriter<'a> {
    fs: &'a dyn Fs,
    dir: &'a Path,
    table: &'static Table,
    parquet: ArrowWriter<BufWriter<Hashing>>,
    keys: KeyWriter,
    tmp: PathBuf,
    meta: DataFile,
}

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
        Ok(Self { fs, dir, table, parquet, keys: KeyWriter::default(), tmp, meta })
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
        Ok(())
    }

    /// Bytes on disk so far and in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.parquet.bytes_written() + self.parquet.in_progress_size()
    }

    /// Bytes in memory.
    pub(crate) fn buffered(&self) -> usize {
        self.parquet.in_progress_size()
    }

    /// Writes what is in memory.
    pub(crate) fn end_row_group(&mut self) -> io::Result<()> {
        self.parquet.flush().map_err(failed)
    }

    /// Bodies were left out.
    pub(crate) fn without_bodies(&mut self) {
        self.meta.without_bodies = true;
    }

    /// Ends the file: when this returns, it survives a power loss.
    pub(crate) fn finish(self, seqs: (u64, u64)) -> io::Result<DataFile> {
        let Self { fs, dir, table, parquet, keys, tmp, mut meta } = self;
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
        Ok(meta)
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
