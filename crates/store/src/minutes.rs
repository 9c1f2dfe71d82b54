//! `span_minutes`: what spans sum up to. Every file of spans has a companion, a file of the same name
//! with the sums of its rows, written in the same step. So they are right wherever a crash falls, a
//! merge makes them anew and smaller, and a companion whose spans are too old to be kept stays alone.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::{ArrowPrimitiveType, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use roaring::RoaringBitmap;
use signalbox_types::table::{MINUTE_TEXTS, MINUTE_TOKENS, Minute, Minutes, SPAN_MINUTES, SPANS, Table};
use signalbox_types::{Money, Timestamp};

use crate::files::{self, LiveFile};
use crate::memtable::{Chunk, Dead};
use crate::rows;

/// The columns of spans that count; those of minutes have the same names.
fn columns_of(table: &Table) -> Vec<&'static str> {
    let others = ["project_id", "start_time", "counted", "duration_ms", "cost", "spans", "duration_total_ms"];
    let names = others.into_iter().chain(MINUTE_TEXTS).chain(MINUTE_TOKENS);
    names.filter(|name| table.column(name).is_some()).collect()
}

/// Rows of spans or of minutes.
struct Rows<'a> {
    project: &'a StringArray,
    start: &'a [i64],
    texts: [&'a StringArray; MINUTE_TEXTS.len()],
    counted: &'a BooleanArray,
    duration_ms: &'a [f64],
    tokens: [&'a arrow::array::PrimitiveArray<Int64Type>; MINUTE_TOKENS.len()],
    cost: &'a arrow::array::PrimitiveArray<Decimal128Type>,
    /// Of minutes only.
    totals: Option<(&'a [i64], &'a [f64])>,
}

impl<'a> Rows<'a> {
    fn of(batch: &'a RecordBatch) -> io::Result<Self> {
        let text = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
        let all = || {
            let totals = values::<Int64Type>(batch, "spans").zip(values::<Float64Type>(batch, "duration_total_ms"));
            let texts: Option<Vec<_>> = MINUTE_TEXTS.iter().map(|name| text(name)).collect();
            let tokens = MINUTE_TOKENS.iter().map(|name| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>());
            let tokens: Option<Vec<_>> = tokens.collect();
            Some(Self {
                project: text("project_id")?,
                start: values::<TimestampMicrosecondType>(batch, "start_time")?,
                texts: texts?.try_into().ok()?,
                counted: batch.column_by_name("counted")?.as_boolean_opt()?,
                duration_ms: values::<Float64Type>(batch, "duration_ms")?,
                tokens: tokens?.try_into().ok()?,
                cost: batch.column_by_name("cost")?.as_primitive_opt::<Decimal128Type>()?,
                totals,
            })
        };
        all().ok_or_else(|| io::Error::other("rows of spans lack columns that are summed up"))
    }

    fn minute(&self, row: usize) -> Minute<'_> {
        let text = |array: &'a StringArray| array.is_valid(row).then(|| array.value(row));
        let (spans, total) = self.totals.map_or((1, self.duration_ms[row]), |(spans, total)| (spans[row], total[row]));
        Minute {
            project: self.project.value(row),
            start: Timestamp::from_micros(self.start[row]),
            texts: self.texts.map(text),
            counted: self.counted.value(row),
            duration_ms: self.duration_ms[row],
            spans,
            duration_total_ms: total,
            tokens: self.tokens.map(|array| array.is_valid(row).then(|| array.value(row))),
            cost: self.cost.is_valid(row).then(|| Money::from_picos(self.cost.value(row))),
        }
    }
}

fn values<'a, T: ArrowPrimitiveType>(batch: &'a RecordBatch, name: &str) -> Option<&'a [T::Native]> {
    Some(batch.column_by_name(name)?.as_primitive_opt::<T>()?.values())
}

/// Adds all rows of a batch of spans or of minutes.
pub(crate) fn add(minutes: &mut Minutes, batch: &RecordBatch) -> io::Result<()> {
    let rows = Rows::of(batch)?;
    (0..batch.num_rows()).for_each(|row| minutes.add(&rows.minute(row)));
    Ok(())
}

fn take_away(minutes: &mut Minutes, batch: &RecordBatch) -> io::Result<()> {
    let rows = Rows::of(batch)?;
    (0..batch.num_rows()).for_each(|row| minutes.add(&rows.minute(row).negative()));
    Ok(())
}

/// The rows of minutes; none if nothing is left.
pub(crate) fn batch_of(minutes: Minutes) -> io::Result<Option<RecordBatch>> {
    let built = rows::build(&minutes.into_rows()).map_err(io::Error::other)?;
    Ok(built.map(|rows| rows.batch))
}

/// Which files of minutes have the sums of which files of spans, among these.
pub(crate) struct Companions<'a> {
    spans: HashSet<&'a str>,
    minutes: HashMap<&'a str, &'a LiveFile>,
}

impl<'a> Companions<'a> {
    pub(crate) fn among(files: &'a [LiveFile]) -> Self {
        let of = |table: &'static Table| files.iter().filter(move |file| file.meta().table == table.name);
        Self {
            spans: of(&SPANS).map(|file| file.meta().name.as_str()).collect(),
            minutes: of(&SPAN_MINUTES).map(|file| (file.meta().name.as_str(), file)).collect(),
        }
    }

    /// Whether this file has the sums of a file of spans.
    pub(crate) fn has(&self, file: &LiveFile) -> bool {
        file.meta().table == SPAN_MINUTES.name && self.spans.contains(file.meta().name.as_str())
    }

    /// The file with the sums of a file of spans.
    pub(crate) fn of(&self, file: &LiveFile) -> Option<&'a LiveFile> {
        let name = file.meta().name.as_str();
        self.minutes.get(name).copied().filter(|_| file.meta().table == SPANS.name)
    }
}

/// Some rows of a file of spans, summed up.
pub(crate) fn of_rows(dir: &Path, file: &LiveFile, some: &RoaringBitmap) -> io::Result<Minutes> {
    let mut minutes = Minutes::default();
    for batch in file.pick(dir, some, &columns_of(&SPANS))? {
        add(&mut minutes, &batch.map_err(io::Error::other)?)?;
    }
    Ok(minutes)
}

/// The sums of the rows of a file of spans that count. Rows that died since its companion was written
/// are taken away; without one, because an older version wrote the file, all rows are read.
pub(crate) fn of_file(dir: &Path, file: &LiveFile, companion: Option<&LiveFile>) -> io::Result<Minutes> {
    let dead = file.dead.as_deref();
    let Some(companion) = companion else {
        let mut alive = RoaringBitmap::new();
        alive.insert_range(0..u32::try_from(file.meta().rows).unwrap_or(u32::MAX));
        return of_rows(dir, file, &file.counting(alive));
    };
    let mut minutes = Minutes::default();
    for batch in files::read(dir, companion.meta(), &columns_of(&SPAN_MINUTES))? {
        add(&mut minutes, &batch.map_err(io::Error::other)?)?;
    }
    if let Some(dead) = dead.filter(|dead| !dead.is_empty()) {
        for batch in file.pick(dir, dead, &columns_of(&SPANS))? {
            take_away(&mut minutes, &batch.map_err(io::Error::other)?)?;
        }
    }
    Ok(minutes)
}

/// What a query over minutes reads: companions as they are where nothing died, and all else summed up.
pub(crate) fn snapshot(
    dir: &Path,
    files: &[LiveFile],
    in_memory: &[(Arc<Chunk>, Dead)],
) -> io::Result<(Vec<LiveFile>, Vec<Arc<Chunk>>)> {
    let (mut as_they_are, mut chunks) = (Vec::new(), Vec::new());
    let companions = Companions::among(files);
    let of_minutes = files.iter().filter(|file| file.meta().table == SPAN_MINUTES.name);
    as_they_are.extend(of_minutes.filter(|file| !companions.has(file)).cloned());
    for file in files.iter().filter(|file| file.meta().table == SPANS.name) {
        match companions.of(file) {
            Some(companion) if file.dead_rows() == 0 => as_they_are.push(companion.clone()),
            companion => chunks.extend(file.minutes(|| batch_of(of_file(dir, file, companion)?))?),
        }
    }
    let mut minutes = Minutes::default();
    for (chunk, dead) in in_memory {
        add(&mut minutes, &chunk.alive(Some(dead)).map_err(io::Error::other)?)?;
    }
    chunks.extend(batch_of(minutes)?.map(|batch| Arc::new(Chunk::new(&SPAN_MINUTES, batch, 0))));
    Ok((as_they_are, chunks))
}
