//! Programs that answer or measure: JSON on standard input, JSON or text on standard output. No shell.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Map, Value};
use signalbox_evals::suite::ProgramConfig;
use signalbox_evals::{Scored, Scorer, ScorerError};
use signalbox_metrics::case::INPUTS;
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
        let parts = INPUTS.into_iter().filter_map(|input| Some((input.name().to_owned(), case.find(input)?.clone())));
        let input = Value::Object(parts.collect::<Map<_, _>>());
        let said = ask(&self.run, &self.folder, &input, self.limit).await.map_err(ScorerError::Answer)?;
        score(&said).map_err(ScorerError::Answer)
    }
}

/// `{"value", "passed", "label", "reason"}`, or a number, or true or false.
fn score(said: &str) -> Result<Scored, String> {
    let shown: String = said.trim().chars().take(100).collect();
    let answer: Value = serde_json::from_str(said.trim()).map_err(|_| format!("`{shown}` is no JSON"))?;
    let part = |name: &str| answer.get(name).filter(|value| !value.is_null());
    let number = |value: &Value| value.as_f64().or_else(|| value.as_bool().map(|yes| f64::from(u8::from(yes))));
    let wrong = |name: &str, expected: &str| format!("`{name}`: expected {expected}, found {}", answer[name]);
    let value = match (&answer, part("value").or_else(|| part("score"))) {
        (Value::Object(_), None) => None,
        (Value::Object(_), Some(value)) => Some(number(value).ok_or_else(|| wrong("value", "a number"))?),
        (other, _) => Some(number(other).ok_or_else(|| format!("expected an object or a number, found `{shown}`"))?),
    };
    let passed = match part("passed") {
        Some(verdict) => Some(verdict.as_bool().ok_or_else(|| wrong("passed", "true or false"))?),
        None => answer.as_bool(),
    };
    let text = |name: &str| part(name).and_then(Value::as_str).map(str::to_owned);
    let label = text("label");
    if value.is_none() && passed.is_none() && label.is_none() {
        return Err(format!("`{shown}` has neither `value` nor `passed` nor `label`"));
    }
    let reason = text("reason").unwrap_or_default();
    Ok(Scored { value, label, passed, reason, evidence: Vec::new(), cost: None })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says_is_a_score_or_an_error() {
        let all = score(r#"{"value": 0.5, "passed": true, "reason": "so"}"#).unwrap();
        assert_eq!((all.value, all.passed, all.reason.as_str()), (Some(0.5), Some(true), "so"));
        assert_eq!(score("0.25\n").unwrap().value, Some(0.25));
        assert_eq!(score("true").unwrap().passed, Some(true));
        for (said, expected) in [("well", "no JSON"), ("{}", "neither `value`"), (r#"{"value": "x"}"#, "a number")] {
            assert!(score(said).unwrap_err().contains(expected), "{said}");
        }
    }
}
