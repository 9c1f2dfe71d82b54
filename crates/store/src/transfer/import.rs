//! What rows of a file must be like before they are stored.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMicrosecondType;
use parking_lot::Mutex;
use signalbox_types::query::InvalidQuery;
use signalbox_types::seam::StoreError;
use signalbox_types::table::{FindingRow, Identity, SPANS, Table};
use signalbox_types::{Finding, ProjectId, SpanId, SpanKind, SpanSource, SpanStatus, Timestamp, TraceId};

use super::value::shown;
use crate::error::internal;
use crate::keys::KeySet;
use crate::rows::{self, KeyedBatch, TableBatch};
use crate::said::{Learned, Recent, split_rows};

/// Rows of a file that are stored together, and where in it they stand.
#[derive(Clone)]
pub(crate) struct Piece {
    pub(crate) rows: TableBatch,
    pub(super) places: Places,
}

pub(crate) type Pieces = Vec<Piece>;

#[derive(Clone)]
pub(super) enum Places {
    /// The line of each row.
    Lines(Vec<u64>),
    /// The number of the first row.
    From(u64),
}

impl Places {
    fn name(&self, row: usize) -> String {
        match self {
            Self::Lines(lines) => format!("line {}", lines.get(row).copied().unwrap_or_default()),
            Self::From(first) => format!("row {}", first + row as u64),
        }
    }
}

pub(super) fn no_column(table: &Table, place: &str, name: &str) -> InvalidQuery {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let problem = format!("`{}` has no column `{}`; columns: {}", table.name, shown(name), names.join(", "));
    InvalidQuery::new(place, problem)
}

/// Checks the rows and brings them in the shape of an append: each once, spans with their findings.
pub(crate) fn prepare(recent: &Mutex<Recent>, piece: Piece) -> Result<(Vec<KeyedBatch>, Learned), StoreError> {
    let Piece { rows, places } = piece;
    let table = rows.table;
    let batch = with_ids(table, &rows.batch, &places)?;
    let keyed = last_versions(TableBatch { table, batch }.keyed().map_err(internal)?).map_err(internal)?;
    if *table != SPANS {
        return Ok((vec![keyed], Learned::default()));
    }
    // Where a row stands in the file is not known any more once others were left out.
    let findings = rows::build(&findings_of(&keyed.batch)?).map_err(internal)?;
    let split = split_rows(recent, &keyed.batch).map_err(internal)?;
    let batches = [split.spans, split.messages, findings].into_iter().flatten().map(TableBatch::keyed);
    Ok((batches.collect::<Result<_, _>>().map_err(internal)?, split.learned))
}

/// An id as it is written here, if it is one.
type Rewritten = fn(&str) -> Option<String>;
/// Whether a word is one of those that a column may hold.
type Known = fn(&str) -> bool;

/// Checks what other parts of the house rely on, and writes ids as they are written here.
fn with_ids(table: &'static Table, batch: &RecordBatch, places: &Places) -> Result<RecordBatch, InvalidQuery> {
    let mut columns = batch.columns().to_vec();
    for (column, array) in table.columns.iter().zip(&mut columns) {
        let wrong = |row, value: &str, expected: &str| {
            let problem = format!("expected {expected}, found `{}`", shown(value));
            InvalidQuery::new(format!("{}, column {}", places.name(row), column.name), problem)
        };
        let Some(texts) = array.as_string_opt::<i32>() else { continue };
        let ids: Option<(Rewritten, &str)> = match column.name {
            "trace_id" => Some((|text| Some(text.parse::<TraceId>().ok()?.to_string()), "32 hexadecimal digits")),
            "span_id" | "parent_span_id" => {
                Some((|text| Some(text.parse::<SpanId>().ok()?.to_string()), "16 hexadecimal digits"))
            }
            _ => None,
        };
        if let Some((parse, expected)) = ids {
            let parsed = texts
                .iter()
                .enumerate()
                .map(|(row, text)| text.map(|text| parse(text).ok_or_else(|| wrong(row, text, expected))).transpose());
            let parsed: ArrayRef = Arc::new(parsed.collect::<Result<StringArray, _>>()?);
            *array = parsed;
            continue;
        }
        let known: Option<(Known, Vec<&str>)> = match column.name {
            _ if *table != SPANS => None,
            "kind" => {
                Some((|text| SpanKind::find(text).is_some(), SpanKind::ALL.iter().map(|one| one.as_str()).collect()))
            }
            "status" => Some((
                |text| SpanStatus::find(text).is_some(),
                SpanStatus::ALL.iter().map(|one| one.as_str()).collect(),
            )),
            "source" => Some((
                |text| SpanSource::find(text).is_some(),
                SpanSource::ALL.iter().map(|one| one.as_str()).collect(),
            )),
            _ => None,
        };
        if let Some((is_known, names)) = known
            && let Some((row, Some(text))) =
                texts.iter().enumerate().find(|(_, text)| text.is_some_and(|text| !is_known(text)))
        {
            return Err(wrong(row, text, &format!("one of {}", names.join(", "))));
        }
    }
    RecordBatch::try_new(batch.schema(), columns).map_err(|error| InvalidQuery::new("file", error.to_string()))
}

/// Of several rows with one key, the last: two versions in one record could not be told apart.
fn last_versions(keyed: KeyedBatch) -> Result<KeyedBatch, arrow::error::ArrowError> {
    let KeyedBatch { table, batch, keys } = keyed;
    if !matches!(table.identity, Identity::Replaced) {
        return Ok(KeyedBatch { table, batch, keys });
    }
    let mut seen = KeySet::default();
    let mut last: Vec<bool> = keys.iter().rev().map(|key| seen.insert(*key)).collect();
    last.reverse();
    let kept = keys.into_iter().zip(&last).filter(|(_, last)| **last).map(|(key, _)| key).collect();
    let batch = filter_record_batch(&batch, &BooleanArray::from(last))?;
    Ok(KeyedBatch { table, batch, keys: kept })
}

/// The findings that spans bring with them.
fn findings_of(spans: &RecordBatch) -> Result<Vec<FindingRow>, StoreError> {
    let text = |name| spans.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    let times = spans.column_by_name(SPANS.time_column);
    let times = times.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let columns = (text("project_id"), text("trace_id"), text("span_id"), text("findings"), times);
    let (Some(projects), Some(traces), Some(ids), Some(findings), Some(times)) = columns else {
        return Err(internal("spans without the columns that findings need"));
    };
    let mut rows = Vec::new();
    for row in (0..spans.num_rows()).filter(|row| findings.is_valid(*row)) {
        let (trace, span) = (traces.value(row), ids.value(row));
        let found: Vec<Finding> = serde_json::from_str(findings.value(row)).map_err(|error| {
            let problem = format!("they are not findings as Signalbox writes them ({error})");
            InvalidQuery::new(format!("span {span} of trace {trace}, column findings"), problem)
        })?;
        let (Ok(trace), Ok(span)) = (trace.parse(), span.parse()) else { continue };
        let place = (ProjectId::new(projects.value(row)), trace, span, Timestamp::from_micros(times.value(row)));
        rows.extend(FindingRow::of_span(place, found));
    }
    Ok(rows)
}
