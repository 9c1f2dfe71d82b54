//! Items of files, and of what a Signalbox has.

use serde_json::{Map, Value};
use signalbox_metrics::Input;
use signalbox_metrics::case::{INPUTS, kind};

use super::config::{DatasetConfig, Format};

/// One item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What pairs it with itself in another run.
    pub id: String,
    /// Its fields.
    pub fields: Map<String, Value>,
    /// It can't be read: why. It counts as an item that failed.
    pub problem: Option<String>,
}

/// The items of a file. Parquet is read by whoever runs the suite, and comes as JSON lines.
///
/// # Errors
/// The file is none of its format; an item that is not is an item with a problem.
pub fn read_items(bytes: &[u8], config: &DatasetConfig) -> Result<Vec<Item>, String> {
    let rows = match config.format()? {
        Format::Jsonl | Format::Parquet => jsonl(bytes),
        Format::Csv => csv(bytes, config)?,
    };
    let take = config.limit.unwrap_or(usize::MAX);
    Ok(rows.into_iter().take(take).map(|(line, row)| item(line, row, config)).collect())
}

type Read = (usize, Result<Map<String, Value>, String>);

fn jsonl(bytes: &[u8]) -> Vec<Read> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
    lines
        .map(|(at, line)| {
            let row = match serde_json::from_slice(line) {
                Ok(Value::Object(fields)) => Ok(fields),
                Ok(other) => Err(format!("expected an object, found {}", kind(&other))),
                Err(error) => Err(format!("not JSON: {error}")),
            };
            (at + 1, row)
        })
        .collect()
}

fn csv(bytes: &[u8], config: &DatasetConfig) -> Result<Vec<Read>, String> {
    // Spreadsheets write a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let heads = reader.headers().map_err(|error| format!("the head line can't be read: {error}"))?.clone();
    for column in config.columns.values().chain(&config.id) {
        if !heads.iter().any(|head| head == column) {
            let heads: Vec<_> = heads.iter().collect();
            return Err(format!("there is no column `{column}`; there are {}", heads.join(", ")));
        }
    }
    let records = reader.records().enumerate().map(|(at, record)| match record {
        Ok(record) => {
            let line = record.position().map_or(at + 2, |place| place.line() as usize);
            let cells = heads.iter().zip(record.iter()).filter(|(_, cell)| !cell.is_empty());
            (line, Ok(cells.map(|(head, cell)| (head.to_owned(), Value::from(cell))).collect()))
        }
        Err(error) => (at + 2, Err(error.to_string())),
    });
    Ok(records.collect())
}

fn item(line: usize, row: Result<Map<String, Value>, String>, config: &DatasetConfig) -> Item {
    let unnamed = || format!("line {line}");
    let mut fields = match row {
        Ok(fields) => fields,
        Err(problem) => {
            return Item { id: unnamed(), fields: Map::new(), problem: Some(format!("line {line}: {problem}")) };
        }
    };
    let id = match fields.get(config.id.as_deref().unwrap_or("id")) {
        Some(Value::String(id)) if !id.is_empty() => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => unnamed(),
    };
    // What else is known of an item of a Signalbox stands in its metadata; templates and segments name it like other fields.
    if config.path.is_none()
        && let Some(Value::Object(metadata)) = fields.get("metadata").cloned()
    {
        for (name, value) in metadata {
            fields.entry(name).or_insert(value);
        }
    }
    for (part, column) in &config.columns {
        if let Some(value) = fields.get(column).cloned() {
            fields.insert(part.clone(), value);
        }
    }
    // What a metric wants as a list or an object stands in a cell as JSON.
    for name in INPUTS.map(Input::name) {
        let Some(Value::String(text)) = fields.get(name) else { continue };
        let is_json = matches!(name, "tools" | "schema" | "logprobs") || text.starts_with("[\"");
        let read = is_json.then(|| serde_json::from_str::<Value>(text).ok()).flatten();
        if let Some(value) = read.filter(|value| value.is_array() || value.is_object()) {
            fields.insert(name.to_owned(), value);
        }
    }
    Item { id, fields, problem: None }
}
