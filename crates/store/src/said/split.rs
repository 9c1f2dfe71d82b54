//! Takes out of spans what they say, so that each body is stored once.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;
use parking_lot::{Mutex, MutexGuard};
use signalbox_types::table::{Cell, Record, SPANS, Said, Table};
use signalbox_types::{ProjectId, Role, Span, Timestamp};

use super::parts::{Body, Part, Spoken, parts_of};
use super::reference::Reference;
use super::{MessageRow, REACH_MICROS, Recent};
use crate::manifest::day_of;
use crate::rows::{self, RowsBuilder, TableBatch};
use crate::schema;

/// The rows of spans as they are stored, the bodies that come with them, and what is to be remembered once
/// both are on disk.
#[derive(Debug)]
pub(crate) struct Split {
    pub(crate) spans: Option<TableBatch>,
    pub(crate) messages: Option<TableBatch>,
    pub(crate) learned: Learned,
}

/// What an append will know once it is on disk.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    stored: Vec<(u128, i64)>,
    used: Vec<u128>,
    first: HashMap<u64, u64>,
}

impl Learned {
    pub(crate) fn tell(self, recent: &mut Recent) {
        self.used.into_iter().for_each(|hash| recent.refresh(hash));
        self.stored.into_iter().for_each(|(hash, time)| recent.remember_stored(hash, time));
        self.first.into_iter().for_each(|(said, span)| recent.remember_first(said, span));
    }
}

/// Who speaks.
struct Speaker<'a> {
    project: &'a ProjectId,
    /// The session, or else the trace.
    scope: u64,
    span: u64,
    time: Timestamp,
}

/// What a row holds in place of what was said.
#[derive(Debug, Default)]
struct References {
    tools: Vec<String>,
    input: Vec<String>,
    output: Vec<String>,
    known: Option<i64>,
}

/// Splits the spans of one append.
pub(crate) fn split(recent: &Mutex<Recent>, spans: &[Span]) -> Result<Split, ArrowError> {
    let parts: Vec<_> = spans.iter().map(parts_of).collect();
    let mut splitter = Splitter::new(recent.lock());
    let stored = spans.iter().zip(parts).map(|(span, parts)| {
        let trace = span.trace_id.to_string();
        let speaker = Speaker {
            project: &span.project_id,
            scope: short(&[span.project_id.as_str(), span.session_id.as_deref().unwrap_or(&trace)]),
            span: short(&[&trace, &span.span_id.to_string()]),
            time: span.start_time,
        };
        StoredSpan { span, references: splitter.references(&speaker, parts) }
    });
    let stored: Vec<StoredSpan<'_>> = stored.collect();
    let (messages, learned) = splitter.finish();
    Ok(Split { spans: rows::build(&stored)?, messages: rows::build(&messages)?, learned })
}

/// Splits rows of spans that were read from a file.
pub(crate) fn split_rows(recent: &Mutex<Recent>, batch: &RecordBatch) -> Result<Split, ArrowError> {
    let column = |name: &str| text_column(batch, name);
    let (projects, traces, spans) = (column("project_id")?, column("trace_id")?, column("span_id")?);
    let (sessions, tools) = (column("session_id")?, column("tools")?);
    let (input, output) = (column("input_messages")?, column("output_messages")?);
    let times = batch.column_by_name(SPANS.time_column);
    let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
    let times = times.ok_or_else(|| ArrowError::SchemaError("spans without a start".to_owned()))?;
    let parts: Vec<_> = (0..batch.num_rows())
        .map(|row| {
            let project = projects.value(row);
            [
                Spoken::of_json(project, at(tools, row).map(str::to_owned)),
                Spoken::of_messages(project, at(input, row)),
                Spoken::of_messages(project, at(output, row)),
            ]
        })
        .collect();
    let mut splitter = Splitter::new(recent.lock());
    let references = parts.into_iter().enumerate().map(|(row, parts)| {
        let project = ProjectId::new(projects.value(row));
        let scope = at(sessions, row).unwrap_or_else(|| traces.value(row));
        let speaker = Speaker {
            project: &project,
            scope: short(&[project.as_str(), scope]),
            span: short(&[traces.value(row), spans.value(row)]),
            time: Timestamp::from_micros(times.value(row)),
        };
        splitter.references(&speaker, parts)
    });
    let references: Vec<References> = references.collect();
    let (messages, learned) = splitter.finish();
    let spans = TableBatch { table: &SPANS, batch: with_references(batch, references)? };
    Ok(Split { spans: Some(spans), messages: rows::build(&messages)?, learned })
}

struct Splitter<'a> {
    recent: MutexGuard<'a, Recent>,
    /// When the spans began, by day, that bodies of this append come with.
    fresh: HashMap<(u128, i64), i64>,
    rows: Vec<MessageRow>,
    learned: Learned,
}

impl<'a> Splitter<'a> {
    fn new(recent: MutexGuard<'a, Recent>) -> Self {
        Self { recent, fresh: HashMap::new(), rows: Vec::new(), learned: Learned::default() }
    }

    fn finish(self) -> (Vec<MessageRow>, Learned) {
        (self.rows, self.learned)
    }

    fn references(&mut self, speaker: &Speaker<'_>, [tools, input, output]: [Spoken; 3]) -> References {
        let (tools, _) = self.spoken(speaker, tools, false);
        let (input, known) = self.spoken(speaker, input, false);
        let (output, _) = self.spoken(speaker, output, true);
        References { tools, known: (!input.is_empty()).then_some(known), input, output }
    }

    /// The references, and how many of the first were said before.
    fn spoken(&mut self, speaker: &Speaker<'_>, spoken: Spoken, answers: bool) -> (Vec<String>, i64) {
        let parts = match spoken {
            Spoken::Nothing => return (Vec::new(), 0),
            Spoken::Inline(json) => return (vec![Reference::Inline(&json).to_string()], 0),
            Spoken::Whole(body) => {
                let hash = self.store(speaker, body);
                return (vec![Reference::Whole { hash }.to_string()], 0);
            }
            Spoken::Messages(parts) => parts,
        };
        // What follows the last answer is said now, whatever was said like it before.
        let last_answer = parts.iter().rposition(|part| part.role == Some(Role::Assistant));
        let mut references = Vec::with_capacity(parts.len());
        let (mut known, mut counting) = (0, true);
        for (i, part) in parts.into_iter().enumerate() {
            let now = answers || (last_answer.is_none_or(|last| i > last) && part.role != Some(Role::System));
            let Part { body, finish_reason, .. } = part;
            let hash = self.store(speaker, body);
            let said = speaker.scope ^ (hash as u64);
            let before = self.recent.first(said);
            let before = *self.learned.first.entry(said).or_insert_with(|| before.unwrap_or(speaker.span));
            let first = now || before == speaker.span;
            counting &= !first;
            known += i64::from(counting);
            references.push(Reference::Message { hash, first, finish_reason: finish_reason.as_deref() }.to_string());
        }
        (references, known)
    }

    /// Sees to it that the body is stored within reach.
    fn store(&mut self, speaker: &Speaker<'_>, Body { hash, json: body }: Body) -> u128 {
        let time = speaker.time.as_micros();
        let day = day_of(time);
        let near = |other: i64| time.abs_diff(other) <= REACH_MICROS.unsigned_abs();
        if (day - 1..=day + 1).any(|day| self.fresh.get(&(hash, day)).is_some_and(|other| near(*other))) {
            return hash;
        }
        if self.recent.stored(hash).is_some_and(near) {
            self.learned.used.push(hash);
            return hash;
        }
        self.fresh.insert((hash, day), time);
        self.learned.stored.push((hash, time));
        self.rows.push(MessageRow { project: speaker.project.clone(), hash, time: speaker.time, body });
        hash
    }
}

fn short(parts: &[&str]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_be_bytes(bytes)
}

fn text_column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, ArrowError> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| ArrowError::SchemaError(format!("spans without the column `{name}`")))
}

fn at(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

/// The rows with references where they had texts.
fn with_references(batch: &RecordBatch, references: Vec<References>) -> Result<RecordBatch, ArrowError> {
    let mut columns = batch.columns().to_vec();
    let names = ["tools", "input_messages", "output_messages", "input_messages_known"];
    let mut builder = RowsBuilder::of_columns(&SPANS, &names, references.len())?;
    for References { tools, input, output, known } in references {
        builder.push(vec![list(tools), list(input), list(output), known.map_or(Cell::Null, Cell::Int)])?;
    }
    for (name, array) in names.iter().zip(builder.arrays()) {
        let position = SPANS.position(name).ok_or_else(|| ArrowError::SchemaError(format!("no column `{name}`")))?;
        columns[position] = array;
    }
    RecordBatch::try_new(schema::of(&SPANS), columns)
}

fn list(items: Vec<String>) -> Cell<'static> {
    if items.is_empty() { Cell::Null } else { Cell::TextList(items.into()) }
}

/// A span and what its row holds in place of what was said.
struct StoredSpan<'a> {
    span: &'a Span,
    references: References,
}

impl Record for StoredSpan<'_> {
    fn table() -> &'static Table {
        &SPANS
    }

    fn cells<'a>(&'a self, out: &mut Vec<Cell<'a>>) {
        let list = |items: &'a [String]| if items.is_empty() { Cell::Null } else { Cell::TextList(items.into()) };
        let References { tools, input, output, known } = &self.references;
        let said = Said {
            tools: list(tools),
            input: list(input),
            output: list(output),
            known: known.map_or(Cell::Null, Cell::Int),
        };
        self.span.cells_with(said, out);
    }
}
