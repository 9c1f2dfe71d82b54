//! Items in files: JSON Lines, which say all of it, and CSV, which people have.

use csv_core::{ReadRecordResult, Reader};
use serde::Deserialize;
use serde_json::{Map, Value};
use signalbox_catalog::MAX_ITEM_BYTES;

use crate::error::ApiError;

/// A line or a row at most: an item, and what it takes to write it down.
const MAX_RECORD_BYTES: usize = 2 * MAX_ITEM_BYTES;
const MAX_COLUMNS: usize = 1_000;

/// How items are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ItemFormat {
    /// A JSON object a line.
    Jsonl,
    /// A header with names of fields, then a row an item. What is no text stands as JSON in its cell.
    Csv,
}

impl ItemFormat {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// Reads items out of parts of a file, as they come.
pub(super) enum Source {
    Jsonl(Lines),
    Csv(Box<Rows>),
}

/// An item with the line that it begins on.
pub(super) type Found = (u64, Map<String, Value>);

impl Source {
    pub(super) fn new(format: ItemFormat) -> Self {
        match format {
            ItemFormat::Jsonl => Self::Jsonl(Lines::default()),
            ItemFormat::Csv => Self::Csv(Box::new(Rows::new())),
        }
    }

    /// Takes the next part; gives the items that it completes.
    pub(super) fn feed(&mut self, part: &[u8]) -> Result<Vec<Found>, ApiError> {
        match self {
            Self::Jsonl(lines) => lines.feed(part),
            Self::Csv(rows) => rows.feed(part),
        }
    }

    /// What is left at the end.
    pub(super) fn finish(mut self) -> Result<Vec<Found>, ApiError> {
        match &mut self {
            Self::Jsonl(lines) => lines.feed(b"\n"),
            // An empty part is the end.
            Self::Csv(rows) => rows.feed(b""),
        }
    }
}

/// A refusal that says where in the file.
pub(super) fn at_line(line: u64, problem: impl std::fmt::Display) -> ApiError {
    ApiError::invalid("file", format!("line {line}: {problem}"))
}

#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
    line: u64,
}

impl Lines {
    fn feed(&mut self, part: &[u8]) -> Result<Vec<Found>, ApiError> {
        let mut found = Vec::new();
        for piece in part.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if self.rest.len() > MAX_RECORD_BYTES {
                let problem = format!("it has more than {MAX_RECORD_BYTES} bytes; expected a JSON object a line");
                return Err(at_line(self.line + 1, problem));
            }
            if self.rest.last() != Some(&b'\n') {
                break;
            }
            self.line += 1;
            let line = self.rest.trim_ascii();
            // Editors on Windows put a mark at the beginning.
            let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            if !line.is_empty() {
                found.push((self.line, object(line, self.line)?));
            }
            self.rest.clear();
        }
        Ok(found)
    }
}

fn object(line: &[u8], number: u64) -> Result<Map<String, Value>, ApiError> {
    match serde_json::from_slice(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(at_line(number, "expected a JSON object, written {…}")),
        Err(error) => Err(at_line(number, format!("not JSON: {error}"))
            .hint("expected a JSON object a line; for a file with columns say `format=csv`")),
    }
}

pub(super) struct Rows {
    reader: Reader,
    header: Vec<String>,
    /// The row that is being read: its bytes so far, and where its cells end.
    bytes: Vec<u8>,
    written: usize,
    ends: Vec<usize>,
    cells: usize,
    ended: bool,
}

impl Rows {
    fn new() -> Self {
        Self {
            reader: Reader::new(),
            header: Vec::new(),
            bytes: vec![0; 4096],
            written: 0,
            ends: vec![0; 64],
            cells: 0,
            ended: false,
        }
    }

    fn feed(&mut self, part: &[u8]) -> Result<Vec<Found>, ApiError> {
        let (mut found, mut rest) = (Vec::new(), part);
        // Nothing more to read means the end to the reader, which it is only if it was said so.
        while !self.ended && (!rest.is_empty() || part.is_empty()) {
            let (room, ends) = (&mut self.bytes[self.written..], &mut self.ends[self.cells..]);
            let (result, read, written, cells) = self.reader.read_record(rest, room, ends);
            let last = rest[..read].last().copied();
            rest = &rest[read..];
            self.written += written;
            self.cells += cells;
            match result {
                ReadRecordResult::InputEmpty => break,
                ReadRecordResult::OutputFull if self.bytes.len() < MAX_RECORD_BYTES => {
                    self.bytes.resize(self.bytes.len() * 2, 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MAX_COLUMNS => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                ReadRecordResult::OutputFull => {
                    let problem = format!("the row has more than {MAX_RECORD_BYTES} bytes; is a quote missing?");
                    return Err(at_line(self.reader.line(), problem));
                }
                ReadRecordResult::OutputEndsFull => {
                    return Err(at_line(self.reader.line(), format!("the row has more than {MAX_COLUMNS} cells")));
                }
                ReadRecordResult::Record => found.extend(self.row(last == Some(b'\n'))?),
                ReadRecordResult::End => self.ended = true,
            }
        }
        Ok(found)
    }

    /// The row that was read. The reader is on the next line if a line feed has ended it, and on the row's last one if a
    /// carriage return or the end has.
    fn row(&mut self, on_next_line: bool) -> Result<Option<Found>, ApiError> {
        let within = self.bytes[..self.written].iter().filter(|byte| **byte == b'\n').count() as u64;
        let line = self.reader.line().saturating_sub(within + u64::from(on_next_line)).max(1);
        let mut cells = Vec::with_capacity(self.cells);
        let mut begin = 0;
        for &end in &self.ends[..self.cells] {
            let cell = std::str::from_utf8(&self.bytes[begin..end])
                .map_err(|_| at_line(line, "it is not UTF-8; save the file as UTF-8"))?;
            cells.push(cell.to_owned());
            begin = end;
        }
        (self.written, self.cells) = (0, 0);
        if self.header.is_empty() {
            if let Some(first) = cells.first_mut() {
                *first = first.trim_start_matches('\u{feff}').to_owned();
            }
            self.header = names(cells).map_err(|problem| at_line(line, problem))?;
            return Ok(None);
        }
        if cells.len() > self.header.len() {
            let problem = format!("the row has {} cells, the header {}", cells.len(), self.header.len());
            return Err(at_line(line, problem).hint("is a text with a comma in it not quoted?"));
        }
        let pairs = self.header.iter().zip(cells).filter(|(name, cell)| !name.is_empty() && !cell.is_empty());
        let fields: Map<String, Value> = pairs.map(|(name, text)| (name.clone(), cell(text))).collect();
        Ok((!fields.is_empty()).then_some((line, fields)))
    }
}

fn names(cells: Vec<String>) -> Result<Vec<String>, String> {
    let names: Vec<String> = cells.into_iter().map(|name| name.trim().to_owned()).collect();
    for (i, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        if names[..i].contains(name) {
            return Err(format!("the header has `{name}` twice"));
        }
    }
    if names.iter().all(String::is_empty) {
        return Err("expected a header with names of fields, e.g. `id,input,reference`".to_owned());
    }
    Ok(names)
}

/// Objects and lists are meant as such. All else stays text: `007` and `yes` mean what they mean to whom wrote them.
fn cell(text: String) -> Value {
    if text.starts_with(['{', '[']) {
        return serde_json::from_str(&text).unwrap_or(Value::String(text));
    }
    Value::String(text)
}

/// A row of CSV (RFC 4180).
pub(super) fn write_row<'a>(cells: impl Iterator<Item = std::borrow::Cow<'a, str>>, to: &mut String) {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            to.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) {
            to.push('"');
            to.push_str(&cell.replace('"', "\"\""));
            to.push('"');
        } else {
            to.push_str(&cell);
        }
    }
    to.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// However the file is cut, it says the same.
    fn read(format: ItemFormat, file: &str) -> Result<Value, String> {
        let mut answers = Vec::new();
        for size in [1, 7, 4096] {
            let mut source = Source::new(format);
            let mut found = Vec::new();
            let mut read = || {
                for part in file.as_bytes().chunks(size) {
                    found.extend(source.feed(part)?);
                }
                Ok(())
            };
            let done = read().and_then(|()| source.finish());
            answers.push(match done {
                Ok(rest) => {
                    found.extend(rest);
                    Ok(json!(found))
                }
                Err(error) => Err(error.message),
            });
        }
        assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:?}");
        answers.pop().unwrap()
    }

    #[test]
    fn rows_become_objects() {
        let file = "\u{feff}id,input,context,,reference\r\n1,\"a, \"\"b\"\"\nc\",\"[\"\"x\"\",1]\",z,007\n\n2,[no,,,\n";
        assert_eq!(
            read(ItemFormat::Csv, file),
            Ok(json!([
                [2, {"id": "1", "input": "a, \"b\"\nc", "context": ["x", 1], "reference": "007"}],
                [5, {"id": "2", "input": "[no"}],
            ]))
        );
        assert_eq!(read(ItemFormat::Csv, "input\nlast"), Ok(json!([[2, {"input": "last"}]])));
        assert_eq!(read(ItemFormat::Csv, &format!("input\n{}", "x".repeat(10_000))).unwrap()[0][0], 2);
    }

    #[test]
    fn lines_become_objects() {
        let file = "\u{feff}{\"a\": 1}\r\n\n  {\"b\": [2]}";
        assert_eq!(read(ItemFormat::Jsonl, file), Ok(json!([[1, {"a": 1}], [3, {"b": [2]}]])));
        assert_eq!(read(ItemFormat::Jsonl, ""), Ok(json!([])));
    }

    #[test]
    fn refusals_name_the_line() {
        let check = |format, file: &str, problem: &str| {
            let error = read(format, file).unwrap_err();
            assert!(error.contains(problem), "{error}");
        };
        check(ItemFormat::Jsonl, "{}\n[1]\n", "line 2: expected a JSON object");
        check(ItemFormat::Jsonl, "{}\n\n{\"a\"}\n", "line 3: not JSON");
        check(ItemFormat::Csv, "a,b\n1,2,3\n", "line 2: the row has 3 cells, the header 2");
        check(ItemFormat::Csv, "a,a\n", "line 1: the header has `a` twice");
        check(ItemFormat::Csv, ",\n", "line 1: expected a header");
        check(ItemFormat::Csv, &format!("{}\n", "a,".repeat(2_000)), "more than 1000 cells");
    }

    #[test]
    fn what_is_written_is_read() {
        let mut text = String::new();
        write_row(["a", "b"].into_iter().map(Into::into), &mut text);
        write_row(["x,\"y\"\nz", ""].into_iter().map(Into::into), &mut text);
        assert_eq!(read(ItemFormat::Csv, &text), Ok(json!([[2, {"a": "x,\"y\"\nz"}]])));
    }
}
