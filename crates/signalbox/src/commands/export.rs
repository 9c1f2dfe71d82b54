use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use http_body_util::BodyExt;
use indicatif::HumanBytes;
use serde_json::json;
use signalbox_types::seam::{EventStore, Export as Wanted, FileFormat};
use signalbox_types::time::{TimeBound, TimeRange};

use super::place::{Place, Source, byte_spinner};
use crate::remote::Remote;

/// Write rows to a file that DuckDB, pandas and Spark read as it is
///
/// Example: signalbox export --from now-7d --format parquet --out spans.parquet
///
/// A key exports the rows of its project only.
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The table: spans or findings
    #[arg(long, default_value = "spans")]
    table: String,
    /// The first moment: RFC 3339, or relative to now such as `now-7d`
    #[arg(long, value_name = "TIME")]
    from: Option<TimeBound>,
    /// The first moment after it
    #[arg(long, value_name = "TIME")]
    to: Option<TimeBound>,
    /// parquet, jsonl or csv [default: what the name of the file says, or parquet]
    #[arg(long, value_parser = format)]
    format: Option<FileFormat>,
    /// A file, a folder, or `-` [default: <table>.<format>]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only these columns, with commas between
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    select: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Export {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let began = Instant::now();
        let ending = |path: &PathBuf| FileFormat::find(path.extension()?.to_str()?);
        let format = self.format.or_else(|| self.out.as_ref().and_then(ending)).unwrap_or(FileFormat::Parquet);
        let all = TimeRange::all();
        let wanted = Wanted {
            table: self.table,
            format,
            time: TimeRange { from: self.from.unwrap_or(all.from), to: self.to.unwrap_or(all.to) },
            select: self.select,
        };
        let name = format!("{}.{}", wanted.table, format.as_str());
        let out = match self.out {
            None => PathBuf::from(name),
            Some(out) if out.is_dir() || out.to_string_lossy().ends_with('/') => {
                std::fs::create_dir_all(&out).with_context(|| format!("can't make `{}`", out.display()))?;
                out.join(name)
            }
            Some(out) => out,
        };
        let source = self.place.open()?;
        let bytes = super::block_on(async {
            match source {
                Source::Running(remote) => write(&out, from_server(&remote, &wanted).await?).await,
                Source::Folder(store, project) => {
                    let file = store.export(&project, &wanted).await?;
                    write(&out, file.map_err(anyhow::Error::from)).await
                }
            }
        })?;
        if out.as_os_str() == "-" {
            return Ok(());
        }
        let seconds = began.elapsed().as_secs_f64();
        super::say(&match self.json {
            true => json!({"file": out, "bytes": bytes, "took_ms": (seconds * 1_000.0) as u64}).to_string(),
            false => format!("Wrote {}, {}, in {seconds:.1} s.", out.display(), HumanBytes(bytes)),
        });
        Ok(())
    }
}

/// What `--format` may be.
pub(super) fn format(text: &str) -> Result<FileFormat, String> {
    FileFormat::find(text).ok_or_else(|| {
        let names: Vec<&str> = FileFormat::ALL.iter().map(|format| format.as_str()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

async fn from_server(
    remote: &Remote,
    wanted: &Wanted,
) -> anyhow::Result<impl Stream<Item = anyhow::Result<Bytes>> + use<>> {
    let select = wanted.select.join(",");
    let time = &wanted.time;
    let mut path = format!("/api/v1/export?table={}&format={}", encoded(&wanted.table), wanted.format.as_str());
    for (name, value) in [("from", time.from.to_string()), ("to", time.to.to_string()), ("select", select)] {
        if !value.is_empty() {
            path.push_str(&format!("&{name}={}", encoded(&value)));
        }
    }
    let body = remote.get(&path).await?.into_body().into_data_stream();
    Ok(body.map(|part| part.context("Signalbox broke the file off; its log says why")))
}

/// A text as it stands in a query string.
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Through a file beside it, so that a file of that name is whole.
pub(super) async fn write(out: &Path, parts: impl Stream<Item = anyhow::Result<Bytes>>) -> anyhow::Result<u64> {
    let failed = || format!("can't write `{}`", out.display());
    let to_stdout = out.as_os_str() == "-";
    let mut tmp = out.as_os_str().to_owned();
    tmp.push(".part");
    let mut file: Box<dyn Write> =
        if to_stdout { Box::new(io::stdout()) } else { Box::new(File::create(&tmp).with_context(failed)?) };
    let bar = byte_spinner("exporting");
    let mut parts = std::pin::pin!(parts);
    let mut written = 0;
    while let Some(part) = parts.next().await {
        let kept = part.and_then(|part| {
            written += part.len() as u64;
            file.write_all(&part).with_context(failed)
        });
        if let Err(error) = kept {
            if !to_stdout {
                // Nobody can use a part of a file.
                let _ = std::fs::remove_file(&tmp);
            }
            return Err(error);
        }
        bar.set_position(written);
    }
    file.flush().with_context(failed)?;
    bar.finish_and_clear();
    if !to_stdout {
        std::fs::rename(&tmp, out).with_context(failed)?;
    }
    Ok(written)
}
