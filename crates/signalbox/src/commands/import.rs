use std::io::Write;
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
use crate::litellm;

/// Read of a file at once.
const PART_BYTES: usize = 256 << 10;

/// Take rows in from files that `signalbox export` wrote, or the configuration of another gateway
///
/// Rows go into the project of the key, whatever the file says, and replace those of the same key: importing a
/// file twice changes nothing. Spans bring their findings. A refusal names the line or row, and the column.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Import {
    #[command(subcommand)]
    other: Option<Other>,
    /// The files; others than ours need the same columns
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

/// What else can be taken in.
#[derive(Debug, clap::Subcommand)]
enum Other {
    Litellm(Litellm),
}

/// Translate the configuration of LiteLLM's proxy to signalbox.yaml
///
/// Models become routes, credentials become providers. What has no counterpart is listed, each with what to do
/// instead. Keys in the file are not copied unless they come from the environment (`os.environ/NAME`).
#[derive(Debug, clap::Args)]
struct Litellm {
    /// Its config.yaml
    file: PathBuf,
    /// Where to write it [default: standard output]
    #[arg(long, short)]
    output: Option<PathBuf>,
}

impl Litellm {
    fn run(&self) -> anyhow::Result<()> {
        let name = self.file.display().to_string();
        let text = std::fs::read_to_string(&self.file).with_context(|| format!("can't read `{name}`"))?;
        let config = crate::config::yaml(&name, &text)?;
        let translated = litellm::translate(&config).with_context(|| format!("`{name}` can't be translated"))?;
        match &self.output {
            None => super::say(translated.yaml.trim_end()),
            Some(output) => {
                let file = std::fs::OpenOptions::new().write(true).create_new(true).open(output);
                let written = file.and_then(|mut file| file.write_all(translated.yaml.as_bytes()));
                written.with_context(|| format!("can't write `{}`", output.display()))?;
            }
        }
        let mut report = String::new();
        for (title, lines) in [("To know", &translated.notes), ("Did not carry over", &translated.left_out)] {
            if !lines.is_empty() {
                report.push_str(&format!("{title}:\n  {}\n", lines.join("\n  ")));
            }
        }
        report.push_str("Look it over, then `signalbox check`.");
        let _ = writeln!(std::io::stderr(), "{report}");
        Ok(())
    }
}

impl Import {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if let Some(Other::Litellm(litellm)) = &self.other {
            return litellm.run();
        }
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

pub(super) async fn read(file: &Path) -> anyhow::Result<impl Stream<Item = std::io::Result<Bytes>> + Send + use<>> {
    let opened = tokio::fs::File::open(file).await.with_context(|| format!("can't read `{}`", file.display()))?;
    let bar = byte_bar("importing");
    bar.set_length(opened.metadata().await.map_or(0, |known| known.len()));
    let parts = ReaderStream::with_capacity(opened, PART_BYTES);
    Ok(parts.inspect(move |part| bar.inc(part.as_ref().map_or(0, |part| part.len() as u64))))
}
