//! Programs that answer or measure: JSON on standard input, JSON or text on standard output. No shell.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use signalbox_evals::suite::{ProgramConfig, case_json, said_score};
use signalbox_evals::{Scored, Scorer, ScorerError};
use signalbox_metrics::{Case, Direction, Input};
use signalbox_types::ScoreSource;
use signalbox_types::seam::BoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// More is no answer.
const MOST_BYTES: u64 = 8 << 20;

/// Starts a program, writes to it and reads what it says. It is ended when it takes too long, or nobody waits any more.
pub(super) async fn ask(run: &[String], folder: &Path, input: &Value, limit: Duration) -> Result<String, String> {
    let Some((program, arguments)) = run.split_first() else { return Err("no program is named".to_owned()) };
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("`{program}` can't be started: {error}"))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
        return Err(format!("`{program}` has no pipes"));
    };
    let text = input.to_string() + "\n";
    let write = async move {
        // One that doesn't read its input may answer all the same.
        let _ = stdin.write_all(text.as_bytes()).await;
    };
    // A pipe that is read no further is closed, so that nobody waits for it.
    let read = async move {
        let mut out = Vec::new();
        stdout.take(MOST_BYTES + 1).read_to_end(&mut out).await.map(|_| out)
    };
    let told = async move {
        let mut told = Vec::new();
        let _ = stderr.take(MOST_BYTES).read_to_end(&mut told).await;
        told
    };
    let all = async {
        let ((), out, told) = tokio::join!(write, read, told);
        let out = out.map_err(|error| format!("`{program}` can't be read: {error}"))?;
        let status = child.wait().await.map_err(|error| format!("`{program}` got lost: {error}"))?;
        Ok::<_, String>((status, out, told))
    };
    let (status, out, told) = tokio::time::timeout(limit, all)
        .await
        .map_err(|_| format!("`{program}` took longer than {} ms", limit.as_millis()))??;
    if out.len() as u64 > MOST_BYTES {
        return Err(format!("`{program}` wrote more than {MOST_BYTES} bytes"));
    }
    if !status.success() {
        let told = String::from_utf8_lossy(&told);
        let last: String = told.trim().lines().last().unwrap_or("it said nothing").chars().take(300).collect();
        return Err(format!("`{program}` ended with {status}: {last}"));
    }
    String::from_utf8(out).map_err(|_| format!("`{program}` wrote something else than UTF-8"))
}

/// A program that measures.
#[derive(Debug)]
pub(super) struct Program {
    name: String,
    run: Vec<String>,
    folder: PathBuf,
    direction: Direction,
    limit: Duration,
}

impl Program {
    pub(super) fn new(
        name: &str,
        config: &ProgramConfig,
        folder: &Path,
        direction: Direction,
        limit: Duration,
    ) -> Result<Self, String> {
        if config.run.is_empty() {
            return Err("expected a program, found nothing".to_owned());
        }
        Ok(Self { name: name.to_owned(), run: config.run.clone(), folder: folder.to_owned(), direction, limit })
    }

    async fn measured(&self, case: &Case) -> Result<Scored, ScorerError> {
        let said = ask(&self.run, &self.folder, &case_json(case), self.limit).await.map_err(ScorerError::Answer)?;
        said_score(&said).map_err(ScorerError::Answer)
    }
}

impl Scorer for Program {
    fn name(&self) -> &str {
        &self.name
    }

    fn inputs(&self) -> &[Input] {
        &[]
    }

    fn direction(&self) -> Direction {
        self.direction
    }

    fn source(&self) -> ScoreSource {
        ScoreSource::Code
    }

    fn score<'a>(&'a self, case: &'a Case) -> BoxFuture<'a, Result<Scored, ScorerError>> {
        Box::pin(self.measured(case))
    }
}
