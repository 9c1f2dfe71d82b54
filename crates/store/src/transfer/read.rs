//! Text files to rows: JSON Lines and CSV, in pieces as they arrive.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use signalbox_types::ProjectId;
use signalbox_types::query::InvalidQuery;
use signalbox_types::seam::FileFormat;
use signalbox_types::table::{Cell, Column, ColumnType, Table};

use super::csv::{self, Field, Record};
use super::import::{Piece, Pieces, Places, no_column};
use super::value;
use crate::rows::RowsBuilder;

/// Rows that are stored together at most …
const PIECE_ROWS: usize = 1_000;
/// … and the bytes of the file that they come from, about.
const PIECE_BYTES: usize = 4 << 20;
/// A line, or a record of several lines, is this long at most.
const RECORD_BYTES: usize = 64 << 20;

/// Reads rows of one table for one project, whatever project the file names.
pub(crate) struct TextReader {
    table: &'static Table,
    project: ProjectId,
    input: Input,
    rows: RowsBuilder,
    lines: Vec<u64>,
    bytes: usize,
}

enum Input {
    Jsonl {
        line: u64,
        text: Vec<u8>,
    },
    /// The table's column for each field, once the head was read.
    Csv {
        reader: csv::Reader,
        head: Option<Vec<usize>>,
    },
}

impl TextReader {
    /// For a text format; Parquet is none.
    pub(crate) fn new(table: &'static Table, project: &ProjectId, format: FileFormat) -> Self {
        let input = match format {
            FileFormat::Csv => Input::Csv { reader: csv::Reader::default(), head: None },
            FileFormat::Jsonl | FileFormat::Parquet => Input::Jsonl { line: 0, text: Vec::new() },
        };
        let rows = RowsBuilder::shown(table);
        Self { table, project: project.clone(), input, rows, lines: Vec::new(), bytes: 0 }
    }

    /// Takes more of the file; gives the rows that are enough to be stored.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Pieces, InvalidQuery> {
        let mut pieces = Vec::new();
        if let Input::Csv { .. } = self.input {
            for byte in bytes {
                if let Some(record) = self.push_csv(*byte)? {
                    self.csv_row(&record)?;
                    pieces.extend(self.piece_if_full()?);
                }
            }
            return Ok(pieces);
        }
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.push_line(part)? {
                pieces.extend(self.piece_if_full()?);
            }
        }
        Ok(pieces)
    }

    /// The rest, when the file has ended.
    pub(crate) fn finish(mut self) -> Result<Pieces, InvalidQuery> {
        match &mut self.input {
            Input::Jsonl { text, .. } if !text.is_empty() => {
                self.push_line(b"\n")?;
            }
            Input::Jsonl { .. } => {}
            Input::Csv { reader, .. } => {
                let last = reader.finish().map_err(|line| {
                    InvalidQuery::new(format!("line {line}"), "a field begins with `\"` and the file ends within it")
                })?;
                if let Some(record) = last {
                    self.csv_row(&record)?;
                }
            }
        }
        Ok(self.piece()?.into_iter().collect())
    }

    fn push_csv(&mut self, byte: u8) -> Result<Option<Record>, InvalidQuery> {
        let Input::Csv { reader, .. } = &mut self.input else { return Ok(None) };
        if reader.pending() > RECORD_BYTES {
            return Err(too_long(reader.line()));
        }
        self.bytes += 1;
        Ok(reader.push(byte))
    }

    /// Takes a part of a line. Says whether a line ended with it.
    fn push_line(&mut self, part: &[u8]) -> Result<bool, InvalidQuery> {
        let Input::Jsonl { line, text } = &mut self.input else { return Ok(false) };
        text.extend_from_slice(part);
        if text.len() > RECORD_BYTES {
            return Err(too_long(*line + 1));
        }
        if !part.ends_with(b"\n") {
            return Ok(false);
        }
        *line += 1;
        let (line, mut whole) = (*line, std::mem::take(text));
        self.bytes += whole.len();
        self.json_row(line, without_mark(line, &whole))?;
        if let Input::Jsonl { text, .. } = &mut self.input {
            whole.clear();
            *text = whole;
        }
        Ok(true)
    }

    fn json_row(&mut self, line: u64, bytes: &[u8]) -> Result<(), InvalidQuery> {
        if bytes.trim_ascii().is_empty() {
            return Ok(());
        }
        let wrong = |error: &dyn std::fmt::Display| {
            InvalidQuery::new(format!("line {line}"), format!("expected one JSON object ({error})"))
        };
        let text = std::str::from_utf8(bytes).map_err(|error| wrong(&error))?;
        let object: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text).map_err(|error| wrong(&error))?;
        let mut cells = vec![Cell::Null; self.table.columns.len()];
        for (name, raw) in object {
            let place =
                self.table.position(&name).ok_or_else(|| no_column(self.table, &format!("line {line}"), &name))?;
            let column = &self.table.columns[place];
            cells[place] = value::of_json(column, raw.get()).map_err(|problem| at(line, column, problem))?;
        }
        self.row(line, cells)
    }

    fn csv_row(&mut self, record: &Record) -> Result<(), InvalidQuery> {
        let line = record.line;
        let Input::Csv { head, .. } = &mut self.input else { return Ok(()) };
        let Some(names) = head else {
            *head = Some(head_of(self.table, record)?);
            return Ok(());
        };
        if record.fields.len() != names.len() {
            let problem = format!("it has {} fields, and the head has {}", record.fields.len(), names.len());
            return Err(InvalidQuery::new(format!("line {line}"), problem));
        }
        let mut cells = vec![Cell::Null; self.table.columns.len()];
        for (place, field) in names.iter().zip(&record.fields) {
            let column = &self.table.columns[*place];
            cells[*place] = csv_cell(column, field).map_err(|problem| at(line, column, problem))?;
        }
        self.row(line, cells)
    }

    fn row(&mut self, line: u64, mut cells: Vec<Cell<'_>>) -> Result<(), InvalidQuery> {
        for (column, cell) in self.table.columns.iter().zip(&mut cells) {
            if column.name == "project_id" {
                *cell = Cell::Text(Cow::Owned(self.project.as_str().to_owned()));
            }
            if *cell == Cell::Null && !column.nullable {
                let problem = format!("every row of `{}` has it, and here it is absent", self.table.name);
                return Err(at(line, column, problem));
            }
        }
        self.lines.push(line);
        self.rows.push(cells).map_err(|error| InvalidQuery::new(format!("line {line}"), error.to_string()))
    }

    fn piece_if_full(&mut self) -> Result<Option<Piece>, InvalidQuery> {
        if self.lines.len() < PIECE_ROWS && self.bytes < PIECE_BYTES {
            return Ok(None);
        }
        self.piece()
    }

    fn piece(&mut self) -> Result<Option<Piece>, InvalidQuery> {
        self.bytes = 0;
        let rows = std::mem::replace(&mut self.rows, RowsBuilder::shown(self.table));
        let lines = std::mem::take(&mut self.lines);
        let rows = rows.finish().map_err(|error| InvalidQuery::new("file", error.to_string()))?;
        Ok(rows.map(|rows| Piece { rows, places: Places::Lines(lines) }))
    }
}

fn at(line: u64, column: &Column, problem: String) -> InvalidQuery {
    InvalidQuery::new(format!("line {line}, column {}", column.name), problem)
}

fn too_long(line: u64) -> InvalidQuery {
    InvalidQuery::new(format!("line {line}"), format!("it is longer than {} MB", RECORD_BYTES >> 20))
}

/// Some programs put a byte order mark in front of UTF-8.
fn without_mark(line: u64, bytes: &[u8]) -> &[u8] {
    if line == 1 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) } else { bytes }
}

fn head_of(table: &'static Table, record: &Record) -> Result<Vec<usize>, InvalidQuery> {
    let mut places = Vec::new();
    for field in &record.fields {
        let name = String::from_utf8_lossy(without_mark(record.line, &field.bytes));
        let place = table.position(&name).ok_or_else(|| no_column(table, "line 1", &name))?;
        if places.contains(&place) {
            return Err(InvalidQuery::new("line 1", format!("the head names `{name}` twice")));
        }
        places.push(place);
    }
    Ok(places)
}

fn csv_cell(column: &Column, field: &Field) -> Result<Cell<'static>, String> {
    let text = std::str::from_utf8(&field.bytes).map_err(|_| "it is no UTF-8".to_owned())?;
    // A text that must be there may be empty, whoever wrote the file without quotes.
    let empty_text = column.ty == ColumnType::Text && (field.quoted || !column.nullable);
    if text.is_empty() && !empty_text { Ok(Cell::Null) } else { value::of_text(column, text) }
}

#[cfg(test)]
mod tests {
    use signalbox_types::table::SPANS;

    use super::*;

    fn error(format: FileFormat, text: &str) -> String {
        let mut reader = TextReader::new(&SPANS, &ProjectId::new("p"), format);
        let result = reader.push(text.as_bytes()).and_then(|_| reader.finish());
        result.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn errors_say_where() {
        let check = |format, text: &str, expected: &str| {
            let error = error(format, text);
            assert!(error.contains(expected), "{error} for {text}");
        };
        check(FileFormat::Jsonl, "\n{", "`line 2`: expected one JSON object");
        check(FileFormat::Jsonl, "{\"modle\": 1}\n", "`line 1`: `spans` has no column `modle`");
        check(FileFormat::Jsonl, "{\"cost\": \"x\"}\n", "`line 1, column cost`: expected an amount");
        check(FileFormat::Jsonl, "{}\n", "`line 1, column trace_id`: every row of `spans` has it");
        check(FileFormat::Csv, "trace_id,nope\n", "`line 1`: `spans` has no column `nope`");
        check(FileFormat::Csv, "trace_id,trace_id\n", "names `trace_id` twice");
        check(FileFormat::Csv, "trace_id,cost\nx\n", "`line 2`: it has 1 fields, and the head has 2");
        check(FileFormat::Csv, "trace_id,cost\n\"a\n\",1\nb,x\n", "`line 2, column span_id`: every row");
        check(FileFormat::Csv, "cost\n\"1", "ends within it");
        check(FileFormat::Csv, "\u{feff}cost\n1\nx\n", "`line 2, column trace_id`");
    }
}
