mod inputs;

use std::io::{self, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, bail};
use serde::Serialize;
use signalbox_guard::Scanner;
use signalbox_guard::report::{self, Offsets, Scanned};

/// Look for secrets, injections and other things that must not pass, in files, folders or standard input
///
/// Example: signalbox scan --scanner secrets,prompt_injection notes.md
///
/// Folders are walked, but for hidden ones, binary files and what .gitignore names; with --jsonl, for files that end in
/// .jsonl or .ndjson.
///
/// It needs no configuration and no running Signalbox, and never prints what it found, only where and what it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Scan {
    /// Files and folders to look at [default: standard input]
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
    /// Look at what .gitignore and .ignore files name, too
    #[arg(long)]
    no_ignore: bool,
    /// What offsets count: bytes, or chars (Unicode code points)
    #[arg(long, default_value = "bytes", value_parser = offsets)]
    offsets: Offsets,
    /// End with status 1 if something was found
    #[arg(long)]
    fail: bool,
}

/// A file and what was found in it.
#[derive(Serialize)]
struct Looked {
    file: String,
    #[serde(flatten)]
    scanned: Scanned,
}

impl Scan {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let scanners = report::scanners(&self.scanner)?;
        let began = Instant::now();
        let clock = || began.elapsed().as_secs_f64() * 1e6;
        let flagged = if self.jsonl { self.lines(&scanners, &clock)? } else { self.files(&scanners, &clock)? };
        if self.fail && flagged > 0 {
            bail!("something was found in {flagged} {}", if flagged == 1 { "text" } else { "texts" });
        }
        Ok(())
    }

    fn left_out(&self) -> &'static str {
        if self.no_ignore { "" } else { "; what .gitignore names is left out (--no-ignore: not)" }
    }

    fn lines(&self, scanners: &[&'static dyn Scanner], clock: &dyn Fn() -> f64) -> anyhow::Result<usize> {
        let mut out = BufWriter::new(io::stdout().lock());
        let mut flagged = 0;
        for input in inputs::inputs(&self.files, self.no_ignore)?
            .into_iter()
            .filter(|input| !input.is_walked || input.has_lines())
        {
            let lines = report::json_lines(scanners, BufReader::new(input.open()?), &mut out, self.offsets, clock);
            flagged += lines.with_context(|| format!("can't scan {}", input.shown()))?;
        }
        out.flush()?;
        Ok(flagged)
    }

    fn files(&self, scanners: &[&'static dyn Scanner], clock: &dyn Fn() -> f64) -> anyhow::Result<usize> {
        // SARIF has columns of its own, which are found by bytes.
        let offsets = if self.json { self.offsets } else { Offsets::Bytes };
        let (mut flagged, mut walked) = (0, 0);
        let (mut for_json, mut for_sarif) = (Vec::new(), Vec::new());
        for input in inputs::inputs(&self.files, self.no_ignore)? {
            let Some(text) = input.text()? else { continue };
            let scanned = report::scan(scanners, &text, offsets, clock);
            flagged += usize::from(scanned.flagged);
            walked += usize::from(input.is_walked);
            let file = input.shown();
            if self.json {
                for_json.push(Looked { file, scanned });
            } else if input.is_walked && !scanned.flagged {
                // Of a folder only what was found is told.
            } else if self.sarif {
                for_sarif.push((file, text, scanned));
            } else {
                super::say(&report::told(&file, &text, &scanned));
            }
        }
        if self.json {
            super::say(&serde_json::to_string_pretty(&for_json)?);
        } else if self.sarif {
            super::say(&serde_json::to_string_pretty(&report::sarif(&for_sarif))?);
        } else if walked > 0 {
            let files = if walked == 1 { "file" } else { "files" };
            super::say(&format!("{walked} {files} of folders looked at{}", self.left_out()));
        } else if self.files.iter().any(|path| path.is_dir()) {
            super::say(&format!("no file of a folder to look at{}", self.left_out()));
        }
        Ok(flagged)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_numbers_that_lines_have() {
        let scanned = Scanned { score: 0.95, flagged: false, us: 1.5, spans: Vec::new(), pred: None };
        let text = serde_json::to_string(&Looked { file: "a".to_owned(), scanned }).unwrap();
        assert!(text.contains("\"score\":0.95,"), "{text}");
    }
}
