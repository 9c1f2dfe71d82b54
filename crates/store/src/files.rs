//! Live data files: what is known of them, their keys, and their dead rows.

use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::error::ArrowError;
use parking_lot::Mutex;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::{PageIndexPolicy, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use roaring::RoaringBitmap;
use signalbox_journal::fs::Fs;
use signalbox_types::table::{SPAN_MINUTES, Table};

use crate::keys::{self, FileKeys, Key, KeyWriter};
use crate::manifest::{self, DataFile};
use crate::memtable::{Chunk, Dead};
use crate::query::runs;
use crate::said::{self, MESSAGES};

/// A file on disk. It is removed when the manifest has let go of it and no query reads it any more.
#[derive(Debug)]
pub(crate) struct DataFileHandle {
    pub(crate) meta: DataFile,
    /// None if the table's rows have no keys.
    keys: Option<FileKeys>,
    /// Its footer, of a file of bodies: read once, some 10 KB.
    footer: OnceLock<ArrowReaderMetadata>,
    /// What its rows sum up to, and how many were dead then.
    minutes: Mutex<Option<Minutes>>,
}

/// None if nothing is left.
type Minutes = (u64, Option<Arc<Chunk>>);

/// A live file at one moment.
#[derive(Debug, Clone)]
pub(crate) struct LiveFile {
    pub(crate) handle: Arc<DataFileHandle>,
    pub(crate) dead: Option<Dead>,
}

impl LiveFile {
    pub(crate) fn new(dir: &Path, table: &Table, mut meta: DataFile) -> io::Result<Self> {
        let dead = meta.dead()?.map(Arc::new);
        meta.dead = None;
        let keys = keys::has_keys(table).then(|| FileKeys::new(dir.join(meta.keys_path())));
        Ok(Self {
            handle: Arc::new(DataFileHandle { meta, keys, footer: OnceLock::new(), minutes: Mutex::default() }),
            dead,
        })
    }

    pub(crate) fn meta(&self) -> &DataFile {
        &self.handle.meta
    }

    /// Rows that count.
    pub(crate) fn alive(&self) -> u64 {
        self.meta().rows.saturating_sub(self.dead_rows())
    }

    pub(crate) fn dead_rows(&self) -> u64 {
        self.dead.as_ref().map_or(0, |dead| dead.len())
    }

    /// As the manifest holds it.
    pub(crate) fn stored(&self) -> io::Result<DataFile> {
        let dead = self.dead.as_deref().map(manifest::write_dead).transpose()?.flatten();
        Ok(DataFile { dead, ..self.meta().clone() })
    }

    /// Rows that count and have the key.
    pub(crate) fn find(&self, key: Key) -> io::Result<Vec<u32>> {
        let Some(keys) = &self.handle.keys else { return Ok(Vec::new()) };
        let mut rows = keys.find(key)?;
        rows.retain(|row| !self.is_dead(*row));
        Ok(rows)
    }

    /// Rows that count and have one of the keys, each with the key's place in the list.
    pub(crate) fn find_all(&self, keys: &[Key]) -> io::Result<Vec<(usize, u32)>> {
        let Some(files) = &self.handle.keys else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        files.find_all(keys, |place, row| {
            if !self.is_dead(row) {
                rows.push((place, row));
            }
        })?;
        Ok(rows)
    }

    /// Rows whose first key column has this hash, dead ones included; none if that can't be told.
    pub(crate) fn find_first(&self, first: u64) -> io::Result<Option<Vec<u32>>> {
        self.handle.keys.as_ref().map(|keys| keys.find_first(first)).transpose()
    }

    /// What its rows that count sum up to, made anew when some more have died.
    pub(crate) fn minutes(
        &self,
        make: impl FnOnce() -> io::Result<Option<RecordBatch>>,
    ) -> io::Result<Option<Arc<Chunk>>> {
        let mut known = self.handle.minutes.lock();
        if let Some((dead, minutes)) = &*known
            && *dead == self.dead_rows()
        {
            return Ok(minutes.clone());
        }
        let minutes = make()?.map(|batch| Arc::new(Chunk::new(&SPAN_MINUTES, batch, 0)));
        *known = Some((self.dead_rows(), minutes.clone()));
        Ok(minutes)
    }

    /// Some rows with some columns, without reading those between them.
    pub(crate) fn pick(
        &self,
        dir: &Path,
        rows: &RoaringBitmap,
        columns: &[&str],
    ) -> io::Result<ParquetRecordBatchReader> {
        let file = std::fs::File::open(dir.join(self.meta().relative_path()))?;
        let footer = match self.handle.footer.get() {
            Some(footer) => footer.clone(),
            None => {
                let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
                let footer = ArrowReaderMetadata::load(&file, options).map_err(io::Error::other)?;
                // Only of files that are asked often.
                if self.meta().table == MESSAGES.name {
                    self.handle.footer.get_or_init(|| footer).clone()
                } else {
                    footer
                }
            }
        };
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer);
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        let selection = runs(self.meta().rows, rows, false);
        builder.with_projection(mask).with_row_selection(selection).build().map_err(io::Error::other)
    }

    /// These rows count no more.
    pub(crate) fn kill(&mut self, rows: impl IntoIterator<Item = u32>) {
        Arc::make_mut(self.dead.get_or_insert_default()).extend(rows);
    }

    /// Rows of the project that count and pass a test of some columns.
    pub(crate) fn rows_of(
        &self,
        dir: &Path,
        project: &str,
        columns: &[&str],
        mut test: impl FnMut(&RecordBatch, usize) -> bool,
    ) -> io::Result<RoaringBitmap> {
        let matching = self.all_of(dir, project, columns, |batch, row, _| test(batch, row))?;
        Ok(self.counting(matching))
    }

    /// Those of these rows that count.
    pub(crate) fn counting(&self, mut rows: RoaringBitmap) -> RoaringBitmap {
        self.dead.iter().for_each(|dead| rows -= &**dead);
        rows
    }

    pub(crate) fn is_dead(&self, row: u32) -> bool {
        self.dead.as_ref().is_some_and(|dead| dead.contains(row))
    }

    /// Rows of the project that pass a test of some columns and their number, dead ones included.
    pub(crate) fn all_of(
        &self,
        dir: &Path,
        project: &str,
        columns: &[&str],
        mut test: impl FnMut(&RecordBatch, usize, u32) -> bool,
    ) -> io::Result<RoaringBitmap> {
        let mut found = RoaringBitmap::new();
        let (first, last) = &self.meta().projects;
        if project < first.as_str() || project > last.as_str() {
            return Ok(found);
        }
        let columns = [columns, &["project_id"]].concat();
        let mut before = 0_u32;
        for batch in read(dir, self.meta(), &columns)? {
            let batch = batch.map_err(io::Error::other)?;
            let count = u32::try_from(batch.num_rows()).unwrap_or(u32::MAX);
            let mut goes = |row: u32| {
                text(&batch, "project_id", row as usize) == Some(project) && test(&batch, row as usize, before + row)
            };
            found.extend((0..count).filter(|row| goes(*row)).map(|row| before + row));
            before += count;
        }
        Ok(found)
    }

    /// Removes it from the disk.
    pub(crate) fn remove(fs: &dyn Fs, dir: &Path, handle: &DataFileHandle) -> io::Result<()> {
        if let Some(keys) = &handle.keys {
            fs.remove(keys.path())?;
        }
        fs.remove(&dir.join(handle.meta.relative_path()))
    }
}

/// Makes the keys of a file anew if they are not there: an older version wrote none.
pub(crate) fn ensure_keys(fs: &dyn Fs, dir: &Path, meta: &DataFile) -> io::Result<()> {
    let Some(table) = said::find_table(&meta.table).filter(|table| keys::has_keys(table)) else { return Ok(()) };
    let path = dir.join(meta.keys_path());
    if FileKeys::is_whole(&path) {
        return Ok(());
    }
    tracing::info!(file = %meta.relative_path(), "making the keys of a data file anew");
    let mut writer = KeyWriter::default();
    let mut names: Vec<&str> = table.key.to_vec();
    names.push("project_id");
    for batch in read(dir, meta, &names)? {
        writer.push(keys::of_batch(table, &batch.map_err(io::Error::other)?).map_err(io::Error::other)?);
    }
    writer.write(fs, &path)
}

/// The rows of a file with some of its columns, dead ones included, in their order.
pub(crate) fn read(
    dir: &Path,
    meta: &DataFile,
    columns: &[&str],
) -> io::Result<impl Iterator<Item = Result<RecordBatch, ArrowError>>> {
    let file = std::fs::File::open(dir.join(meta.relative_path()))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(io::Error::other)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    builder.with_projection(mask).build().map_err(io::Error::other)
}

/// When the first and the last row of a row group was, if that was written down.
pub(crate) fn time_of(group: &RowGroupMetaData, time_column: usize) -> Option<(i64, i64)> {
    match group.column(time_column).statistics()? {
        Statistics::Int64(times) => times.min_opt().copied().zip(times.max_opt().copied()),
        _ => None,
    }
}

/// The text that a row has in a column, if it has one.
pub(crate) fn text<'a>(batch: &'a RecordBatch, column: &str, row: usize) -> Option<&'a str> {
    let texts = batch.column_by_name(column)?.as_string_opt::<i32>()?;
    texts.is_valid(row).then(|| texts.value(row))
}
