//! Batches to the bytes of a file, handed on piece by piece.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;
use datafusion::physical_plan::SendableRecordBatchStream;
use futures_util::StreamExt;
use parking_lot::Mutex;
use parquet::arrow::ArrowWriter;
use signalbox_types::seam::{FileFormat, StoreError};
use signalbox_types::table::{Column, Table};
use tokio::sync::mpsc::Sender;

use super::write::{Values, quote};
use crate::error::internal;
use crate::schema;

/// A piece is about so large.
const PIECE_BYTES: usize = 256 << 10;
/// A row group of an exported file is written when it takes so much memory.
const ROW_GROUP_BYTES: usize = 32 << 20;

/// Writes all rows as a file into `out`. Ends early, without an error, when nobody takes it any more.
pub(crate) async fn encode(
    table: &'static Table,
    columns: &[&'static Column],
    format: FileFormat,
    mut rows: SendableRecordBatchStream,
    out: &Sender<Result<Bytes, StoreError>>,
) -> Result<(), StoreError> {
    let mut file = File::begin(table, columns, format).map_err(internal)?;
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(internal)?;
        for piece in file.write(&batch).map_err(internal)? {
            if out.send(Ok(piece)).await.is_err() {
                return Ok(());
            }
        }
    }
    // If nobody is there, nobody misses it.
    let _ = out.send(Ok(file.finish().map_err(internal)?)).await;
    Ok(())
}

/// A file that is being written.
struct File<'a> {
    columns: &'a [&'static Column],
    schema: SchemaRef,
    writer: Writer,
}

enum Writer {
    Parquet(Box<ArrowWriter<Shared>>, Shared),
    Jsonl(Vec<u8>),
    Csv(Vec<u8>, Vec<u8>),
}

impl<'a> File<'a> {
    fn begin(table: &'static Table, columns: &'a [&'static Column], format: FileFormat) -> io::Result<Self> {
        let whole = schema::shown(table);
        let fields = columns.iter().map(|column| whole.field_with_name(column.name).cloned());
        let fields = fields.collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
        let schema = Arc::new(Schema::new(fields));
        let writer = match format {
            FileFormat::Parquet => {
                let shared = Shared::default();
                let properties = schema::writer_properties(table, 1);
                let writer = ArrowWriter::try_new(shared.clone(), Arc::clone(&schema), Some(properties));
                Writer::Parquet(Box::new(writer.map_err(io::Error::other)?), shared)
            }
            FileFormat::Jsonl => Writer::Jsonl(Vec::new()),
            FileFormat::Csv => {
                let mut head = Vec::new();
                for (i, column) in columns.iter().enumerate() {
                    if i > 0 {
                        head.push(b',');
                    }
                    quote(&mut head, column.name.as_bytes())?;
                }
                head.push(b'\n');
                Writer::Csv(head, Vec::new())
            }
        };
        Ok(Self { columns, schema, writer })
    }

    /// Takes rows; gives what is ready to be sent.
    fn write(&mut self, batch: &RecordBatch) -> io::Result<Vec<Bytes>> {
        let arrays = self.arrays(batch)?;
        let mut pieces = Vec::new();
        if let Writer::Parquet(writer, shared) = &mut self.writer {
            let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(io::Error::other)?;
            writer.write(&batch).map_err(io::Error::other)?;
            if writer.in_progress_size() > ROW_GROUP_BYTES {
                writer.flush().map_err(io::Error::other)?;
            }
            pieces.extend(shared.take_if(PIECE_BYTES));
            return Ok(pieces);
        }
        let values = self.columns.iter().zip(&arrays).map(|(column, array)| Values::of(column, array));
        let values = values.collect::<io::Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            let text = match &mut self.writer {
                Writer::Jsonl(out) => {
                    json_row(out, self.columns, &values, row)?;
                    out
                }
                Writer::Csv(out, scratch) => {
                    csv_row(out, scratch, &values, row)?;
                    out
                }
                Writer::Parquet(..) => continue,
            };
            if text.len() >= PIECE_BYTES {
                pieces.push(std::mem::take(text).into());
            }
        }
        Ok(pieces)
    }

    fn finish(self) -> io::Result<Bytes> {
        match self.writer {
            Writer::Parquet(writer, shared) => {
                writer.close().map_err(io::Error::other)?;
                Ok(shared.take_if(0).unwrap_or_default())
            }
            Writer::Jsonl(out) | Writer::Csv(out, _) => Ok(out.into()),
        }
    }

    fn arrays(&self, batch: &RecordBatch) -> io::Result<Vec<ArrayRef>> {
        let arrays = self.schema.fields().iter().zip(batch.columns()).map(|(field, array)| {
            if array.data_type() == field.data_type() { Ok(Arc::clone(array)) } else { cast(array, field.data_type()) }
        });
        arrays.collect::<Result<_, _>>().map_err(io::Error::other)
    }
}

fn json_row(out: &mut Vec<u8>, columns: &[&'static Column], values: &[Values<'_>], row: usize) -> io::Result<()> {
    for (i, (column, values)) in columns.iter().zip(values).enumerate() {
        out.push(if i == 0 { b'{' } else { b',' });
        // Names of columns are plain words.
        write!(out, "\"{}\":", column.name)?;
        values.write_json(out, row)?;
    }
    out.write_all(b"}\n")
}

fn csv_row(out: &mut Vec<u8>, scratch: &mut Vec<u8>, values: &[Values<'_>], row: usize) -> io::Result<()> {
    for (i, values) in values.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        values.write_csv(out, scratch, row)?;
    }
    out.push(b'\n');
    Ok(())
}

/// Where the Parquet writer writes to, and we take from.
#[derive(Debug, Default, Clone)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn take_if(&self, at_least: usize) -> Option<Bytes> {
        let mut bytes = self.0.lock();
        (bytes.len() >= at_least).then(|| std::mem::take(&mut *bytes).into())
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
