//! Scans texts with chosen scanners and says what was found, for the command line: JSON lines in and out, words for
//! people, JSON, SARIF. It says where and of what kind, never what: the found text may be a secret.

use std::borrow::Cow;
use std::io::{self, BufRead, Write};

use serde::Serialize;

use crate::policy::Hint;
use crate::scanner::{Hit, Scanner, Text};
use crate::{registry, together};

mod sarif;
#[cfg(test)]
mod tests;

pub use self::sarif::sarif;

/// A finding of this confidence is flagged.
pub const THRESHOLD: f32 = 0.5;

/// What a report can't be made of.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// No scanner has this name.
    #[error("unknown scanner `{found}`{hint}")]
    UnknownScanner {
        /// What was typed.
        found: String,
        /// What would be right.
        hint: Hint,
    },
    /// A line that is not as it should be.
    #[error("line {line}: {problem}; expected {{\"id\": …, \"text\": \"…\"}}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What offsets count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Offsets {
    /// Bytes of UTF-8.
    #[default]
    Bytes,
    /// Unicode code points.
    Chars,
}

/// The scanners with these names; all that raise alarms if none is named.
///
/// # Errors
/// If a name is no scanner's.
pub fn scanners(names: &[String]) -> Result<Vec<&'static dyn Scanner>, ReportError> {
    if names.is_empty() {
        return Ok(registry::ALL.iter().copied().filter(|scanner| !scanner.describes()).collect());
    }
    let find = |name: &String| {
        registry::find(name.trim()).ok_or_else(|| {
            let known = registry::ALL.iter().map(|scanner| scanner.about().name);
            ReportError::UnknownScanner { found: name.clone(), hint: Hint::nearest(name, known) }
        })
    };
    names.iter().map(find).collect()
}

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Span {
    /// Offset of its start.
    pub start: usize,
    /// Offset after its end.
    pub end: usize,
    /// What it is, as data sets name it.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The rule that found it.
    pub rule: &'static str,
    /// The scanner that found it.
    pub scanner: &'static str,
    /// How sure it is.
    pub confidence: f32,
}

/// What scanners say of a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scanned {
    /// How much the text looks like what any of the scanners is for.
    pub score: f32,
    /// Whether any of them found it sure enough.
    pub flagged: bool,
    /// Microseconds that it took.
    pub us: f64,
    /// What was found, by place.
    pub spans: Vec<Span>,
    /// What the text is, of a scanner that tells kinds apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pred: Option<Cow<'static, str>>,
}

/// Scans a text. `clock` tells microseconds.
pub fn scan(scanners: &[&'static dyn Scanner], text: &str, offsets: Offsets, clock: &dyn Fn() -> f64) -> Scanned {
    let began = clock();
    let seen = together::gather(
        text,
        scanners,
        |scanner| scanner.shares_notes(),
        |seen: &mut Seen, scanner, text| seen.add(*scanner, text),
        Seen::extend,
        None,
    );
    let Seen { score, mut spans, pred, .. } = seen;
    let us = clock() - began;
    spans.sort_by_key(|span| (span.start, span.end));
    if offsets == Offsets::Chars {
        to_chars(text, &mut spans);
    }
    Scanned { score, flagged: !spans.is_empty(), us, spans, pred }
}
/// What scanners have seen in a text.
#[derive(Default)]
struct Seen {
    score: f32,
    spans: Vec<Span>,
    pred: Option<Cow<'static, str>>,
    hits: Vec<Hit>,
}

impl Seen {
    fn add(&mut self, scanner: &dyn Scanner, text: Text<'_>) {
        scanner.scan(text, &mut self.hits);
        self.score = self.score.max(scanner.score(text, &self.hits));
        self.pred = self.pred.take().or_else(|| scanner.prediction(&self.hits));
        let name = scanner.about().name;
        let sure = self.hits.drain(..).filter(|hit| hit.confidence >= THRESHOLD);
        self.spans.extend(sure.map(|hit| span(scanner, name, &hit)));
    }

    fn extend(&mut self, other: Self) {
        self.score = self.score.max(other.score);
        self.pred = self.pred.take().or(other.pred);
        self.spans.extend(other.spans);
    }
}

fn span(by: &dyn Scanner, scanner: &'static str, hit: &Hit) -> Span {
    let kind = by.kind(hit.rule);
    Span { start: hit.start, end: hit.end, kind, rule: hit.rule.name, scanner, confidence: hit.confidence }
}

/// Turns offsets in bytes into offsets in code points.
fn to_chars(text: &str, spans: &mut [Span]) {
    if text.is_ascii() {
        return;
    }
    // A prefix sum: the number of code points that start before each byte.
    let mut before = Vec::with_capacity(text.len() + 1);
    let mut count = 0;
    for at in 0..text.len() {
        before.push(count);
        count += usize::from(text.is_char_boundary(at + 1));
    }
    before.push(count);
    for span in spans {
        (span.start, span.end) = (before[span.start], before[span.end]);
    }
}

/// Reads lines `{"id", "text"}` and writes a line of what was found for each. Returns how many were flagged.
///
/// # Errors
/// If a line is not as it should be, or reading or writing fails.
pub fn json_lines(
    scanners: &[&'static dyn Scanner],
    input: impl BufRead,
    output: &mut impl Write,
    offsets: Offsets,
    clock: &dyn Fn() -> f64,
) -> Result<usize, ReportError> {
    #[derive(Serialize)]
    struct Answer<'a> {
        id: &'a serde_json::Value,
        #[serde(flatten)]
        scanned: Scanned,
    }
    // The first text pays for tables that are made once: let it be none whose time is told.
    scan(scanners, "warm up", offsets, clock);
    let mut flagged = 0;
    for (index, line) in input.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let wrong = |problem: String| ReportError::Line { line: index + 1, problem };
        let row: serde_json::Value =
            serde_json::from_str(&line).map_err(|error| wrong(format!("not JSON: {error}")))?;
        let id = row.get("id").ok_or_else(|| wrong("field `id` is missing".to_owned()))?;
        let text = row.get("text").ok_or_else(|| wrong("field `text` is missing".to_owned()))?;
        let text = text.as_str().ok_or_else(|| wrong("field `text` is not a string".to_owned()))?;
        let scanned = scan(scanners, text, offsets, clock);
        flagged += usize::from(scanned.flagged);
        serde_json::to_writer(&mut *output, &Answer { id, scanned }).map_err(io::Error::from)?;
        output.write_all(b"\n")?;
    }
    Ok(flagged)
}

/// What was found in a text, for people: a line each, with line and column.
#[must_use]
pub fn told(name: &str, text: &str, scanned: &Scanned) -> String {
    let mut lines = Vec::new();
    for span in &scanned.spans {
        let (line, column) = place(text, span.start);
        let message = message(span);
        let percent = span.confidence * 100.0;
        lines.push(format!("{name}:{line}:{column}: {} {} ({percent:.0} %)\n  {message}", span.scanner, span.rule));
    }
    if lines.is_empty() {
        lines.push(format!("{name}: nothing found"));
    }
    lines.join("\n")
}

/// What the rule of a span means.
fn message(span: &Span) -> &'static str {
    let rule = registry::find(span.scanner).and_then(|scanner| scanner.about().rule(span.rule));
    rule.map_or("", |rule| rule.message)
}

/// Line and column, from 1, of an offset in bytes; columns count code points.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
