//! Exports and imports of the embedded store.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use signalbox_types::ProjectId;
use signalbox_types::query::InvalidQuery;
use signalbox_types::seam::{BoxStream, Export, FileFormat, Imported, StoreError, importable_table};
use signalbox_types::table::Table;
use tokio::sync::mpsc;

use super::Store;
use crate::error::internal;
use crate::query::ExportRows;
use crate::transfer::{ParquetFile, Piece, Pieces, TextReader, prepare};

/// Pieces of a file that are ready before their reader takes them.
const READY: usize = 2;
/// A Parquet file can only be read from its end, so it must be on disk first; it is this long at most.
const SPOOL_BYTES: u64 = 16 << 30;
/// How long an import waits when there is no room for its rows, and how often.
const NO_ROOM_WAIT: Duration = Duration::from_millis(250);
const NO_ROOM_TRIES: u32 = 240;

pub(super) async fn export(
    store: &Store,
    project: &ProjectId,
    export: &Export,
) -> Result<BoxStream<Result<Bytes, StoreError>>, StoreError> {
    let (table, columns) = export.check()?;
    let rows = ExportRows {
        project: project.clone(),
        table,
        columns,
        format: export.format,
        time: export.time.resolve(store.shared.clock.now()),
        snapshot: store.shared.snapshot(table).map_err(internal)?,
    };
    let (out, pieces) = mpsc::channel(READY);
    let task = store.engine.export(rows, out)?;
    let stream = futures_util::stream::unfold((pieces, Some(task)), |(mut pieces, task)| async move {
        if let Some(piece) = pieces.recv().await {
            return Some((piece, (pieces, task)));
        }
        // A task that panicked closes the channel too, and then the file is not whole.
        match task?.await {
            Ok(()) => None,
            Err(error) => Some((Err(internal(error)), (pieces, None))),
        }
    });
    Ok(Box::pin(stream))
}

pub(super) async fn import(
    store: &Store,
    project: &ProjectId,
    table: &str,
    format: FileFormat,
    mut file: BoxStream<io::Result<Bytes>>,
) -> Result<Imported, StoreError> {
    let table = importable_table(table)?;
    if format == FileFormat::Parquet {
        return import_parquet(store, project, table, file).await;
    }
    let mut reader = TextReader::new(table, project, format);
    let mut imported = Imported::default();
    while let Some(bytes) = file.next().await {
        let pieces = reader.push(&bytes.map_err(|error| broke_off(&error))?)?;
        imported.rows += append(store, pieces).await?;
    }
    imported.rows += append(store, reader.finish()?).await?;
    Ok(imported)
}

async fn import_parquet(
    store: &Store,
    project: &ProjectId,
    table: &'static Table,
    mut bytes: BoxStream<io::Result<Bytes>>,
) -> Result<Imported, StoreError> {
    let mut spool = spool(&store.shared.dir, store.shared.number())
        .map_err(|error| StoreError::Disk(format!("a file for the import can't be made ({error})")))?;
    let mut length = 0;
    while let Some(part) = bytes.next().await {
        let part = part.map_err(|error| broke_off(&error))?;
        length += part.len() as u64;
        if length > SPOOL_BYTES {
            let problem = format!("it is larger than {} GB; import it in parts", SPOOL_BYTES >> 30);
            return Err(InvalidQuery::new("file", problem).into());
        }
        spool = blocking(move || {
            let written = spool.write_all(&part);
            written.map_err(|error| StoreError::Disk(format!("the file can't be kept while it is read ({error})")))?;
            Ok(spool)
        })
        .await?;
    }
    let project = project.clone();
    let mut file = blocking(move || {
        spool.rewind().map_err(internal)?;
        Ok(ParquetFile::open(table, &project, spool)?)
    })
    .await?;
    let mut imported = Imported::default();
    loop {
        let piece;
        (file, piece) = blocking(move || {
            let piece = file.next()?;
            Ok((file, piece))
        })
        .await?;
        let Some(piece) = piece else { return Ok(imported) };
        imported.rows += append(store, vec![piece]).await?;
    }
}

/// A file without a name: it is gone when it is closed, also by a crash.
fn spool(dir: &Path, number: u64) -> io::Result<File> {
    let path = dir.join(format!("import-{number}.tmp"));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Stores the rows, waiting for room, and counts them.
async fn append(store: &Store, pieces: Pieces) -> Result<u64, StoreError> {
    let mut count = 0;
    for piece in pieces {
        count += piece.rows.batch.num_rows() as u64;
        let mut tries = 0;
        loop {
            let appended = match store.shared.check_writable() {
                Ok(()) => append_piece(store, piece.clone()).await,
                refused => refused,
            };
            match appended {
                Err(StoreError::Full { .. }) if tries < NO_ROOM_TRIES => tries += 1,
                appended => break appended?,
            }
            tokio::time::sleep(NO_ROOM_WAIT).await;
        }
    }
    Ok(count)
}

/// Anew with each try: what it relies on may have been erased meanwhile.
async fn append_piece(store: &Store, piece: Piece) -> Result<(), StoreError> {
    let no_erasing = store.shared.no_erasing().await;
    let shared = Arc::clone(&store.shared);
    let (batches, learned) = blocking(move || prepare(&shared.recent, piece)).await?;
    store.append_rows(batches, learned, no_erasing, Vec::new(), Duration::ZERO).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    // A file that makes its reader panic is no file that can be read.
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(InvalidQuery::new("file", "it can't be read: it is damaged").into()))
}

fn broke_off(error: &io::Error) -> StoreError {
    InvalidQuery::new("file", format!("it broke off ({error}); what came before is stored, import it again")).into()
}
