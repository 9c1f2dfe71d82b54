use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use serde_json::json;
use signalbox_guard::report::{self, Offsets, Scanned};

/// Look for secrets, injections and other things that must not pass, in files or standard input
///
/// Example: signalbox scan --scanner secrets,prompt_injection notes.md
///
/// It needs no configuration and no running Signalbox, and never prints what it found, only where and what it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Scan {
    /// Files to look at [default: standard input]
    files: Vec<PathBuf>,
    /// Scanners by name, with commas between [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    scanner: Vec<String>,
    /// Read lines {"id", "text"} and write a line for each: {"id", "score", "flagged", "us", "spans"}, with "pred" of the
    /// scanner language
    #[arg(long, conflicts_with_all = ["json", "sarif"])]
    jsonl: bool,
    /// Print what was found as JSON
    #[arg(long, conflicts_with = "sarif")]
    json: bool,
    /// Print what was found as SARIF, for code hosts and editors
    #[arg(long)]
    sarif: bool,
    /// What offsets count: bytes, or chars (Unicode code points)
    #[arg(long, default_value = "bytes", value_parser = offsets)]
    offsets: Offsets,
    /// End with status 1 if something was found
    #[arg(long)]
    fail: bool,
}

impl Scan {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let scanners = report::scanners(&self.scanner)?;
        let began = Instant::now();
        let clock = || began.elapsed().as_secs_f64() * 1e6;
        let mut flagged = 0;
        if self.jsonl {
            let mut out = BufWriter::new(io::stdout().lock());
            for name in self.inputs() {
                let input = BufReader::new(open(&name)?);
                let lines = report::json_lines(&scanners, input, &mut out, self.offsets, &clock);
                flagged += lines.with_context(|| format!("can't scan {}", shown(&name)))?;
            }
            out.flush()?;
        } else {
            // SARIF has columns of its own, which are found by bytes.
            let offsets = if self.json { self.offsets } else { Offsets::Bytes };
            let mut all = Vec::new();
            for name in self.inputs() {
                let text = read(&name)?;
                let scanned = report::scan(&scanners, &text, offsets, &clock);
                flagged += usize::from(scanned.flagged);
                all.push((shown(&name), text, scanned));
            }
            super::say(&self.written(&all)?);
        }
        if self.fail && flagged > 0 {
            bail!("something was found in {flagged} {}", if flagged == 1 { "text" } else { "texts" });
        }
        Ok(())
    }

    fn inputs(&self) -> Vec<PathBuf> {
        if self.files.is_empty() { vec![PathBuf::from("-")] } else { self.files.clone() }
    }

    fn written(&self, all: &[(String, String, Scanned)]) -> anyhow::Result<String> {
        if self.sarif {
            return Ok(serde_json::to_string_pretty(&report::sarif(all))?);
        }
        if self.json {
            let files = all.iter().map(|(name, _, scanned)| {
                json!({"file": name, "score": scanned.score, "flagged": scanned.flagged, "us": scanned.us,
                    "spans": scanned.spans})
            });
            return Ok(serde_json::to_string_pretty(&files.collect::<Vec<_>>())?);
        }
        let told = all.iter().map(|(name, text, scanned)| report::told(name, text, scanned));
        Ok(told.collect::<Vec<_>>().join("\n"))
    }
}

/// What `--offsets` may be.
fn offsets(text: &str) -> Result<Offsets, String> {
    match text {
        "bytes" => Ok(Offsets::Bytes),
        "chars" => Ok(Offsets::Chars),
        _ => Err("expected bytes or chars".to_owned()),
    }
}

fn open(name: &Path) -> anyhow::Result<Box<dyn Read>> {
    if name.as_os_str() == "-" {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(File::open(name).with_context(|| format!("can't read `{}`", name.display()))?))
}

/// The text of a file. Bytes that are no UTF-8 are replaced: a binary file may hold keys, too.
fn read(name: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    open(name)?.read_to_end(&mut bytes).with_context(|| format!("can't read `{}`", name.display()))?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

fn shown(name: &Path) -> String {
    if name.as_os_str() == "-" { "standard input".to_owned() } else { name.display().to_string() }
}
