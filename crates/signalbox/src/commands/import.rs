use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde_json::json;
use signalbox_types::seam::{EventStore, FileFormat, Imported};
use tokio_util::io::ReaderStream;

use super::export::{encoded, format};
use super::place::{Place, Source, byte_bar};

/// Read of a file at once.
const PART_BYTES: usize = 256 << 10;

/// Take rows in from files that `signalbox export` wrote, or from others with the same columns
///
/// Rows go into the project of the key, whatever the file says, and replace those of the same key: importing a
/// file twice changes nothing. Spans bring their findings. A refusal names the line or row, and the column.
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// The files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The table
    #[arg(long, default_value = "spans")]
    table: String,
    /// parquet, jsonl or csv [default: what the name of each file says]
    #[arg(long, value_parser = format)]
    format: Option<FileFormat>,
    #[command(flatten)]
    place: Place,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let began = Instant::now();
        let files = self.files.iter().map(|file| Ok((file.as_path(), format_of(file, self.format)?)));
        let files = files.collect::<anyhow::Result<Vec<_>>>()?;
        let source = self.place.open()?;
        let rows = super::block_on(async {
            let mut rows = 0;
            for (file, format) in files {
                let imported = import(&source, &self.table, file, format).await;
                rows += imported.with_context(|| format!("`{}` was not imported", file.display()))?.rows;
            }
            if let Source::Folder(store, _) = &source {
                store.close().await?;
            }
            Ok(rows)
        })?;
        let seconds = began.elapsed().as_secs_f64();
        super::say(&match self.json {
            true => json!({"files": self.files.len(), "rows": rows, "took_ms": (seconds * 1_000.0) as u64}).to_string(),
            false => format!("Imported {rows} rows into `{}` in {seconds:.1} s.", self.table),
        });
        Ok(())
    }
}

fn format_of(file: &Path, given: Option<FileFormat>) -> anyhow::Result<FileFormat> {
    let ending = file.extension().and_then(|ending| ending.to_str());
    let named = match ending {
        Some("ndjson") => Some(FileFormat::Jsonl),
        ending => ending.and_then(FileFormat::find),
    };
    given.or(named).with_context(|| {
        format!("the name of `{}` doesn't say what it is; give `--format parquet`, `jsonl` or `csv`", file.display())
    })
}

async fn import(source: &Source, table: &str, file: &Path, format: FileFormat) -> anyhow::Result<Imported> {
    let parts = read(file).await?;
    match source {
        Source::Running(remote) => {
            let path = format!("/api/v1/import?table={}&format={}", encoded(table), format.as_str());
            Ok(serde_json::from_value(remote.upload(&path, parts).await?)?)
        }
        Source::Folder(store, project) => Ok(store.import(project, table, format, Box::pin(parts)).await?),
    }
}

async fn read(file: &Path) -> anyhow::Result<impl Stream<Item = std::io::Result<Bytes>> + Send + use<>> {
    let opened = tokio::fs::File::open(file).await.with_context(|| format!("can't read `{}`", file.display()))?;
    let bar = byte_bar("importing");
    bar.set_length(opened.metadata().await.map_or(0, |known| known.len()));
    let parts = ReaderStream::with_capacity(opened, PART_BYTES);
    Ok(parts.inspect(move |part| bar.inc(part.as_ref().map_or(0, |part| part.len() as u64))))
}
