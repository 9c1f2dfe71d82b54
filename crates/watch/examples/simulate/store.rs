//! Answers queries from sums by minute, as the real store would from the same calls. What it doesn't have (logs, findings, other
//! columns) is absent: a monitor of that sees no rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use signalbox_types::query::{AnswerColumn, BUCKET, Comparison, Filter, Function, Measure, Operator};
use signalbox_types::seam::{BoxFuture, BoxStream, Erase, Erased, EventStore, StoreError, StoreStats};
use signalbox_types::time::parse_duration;
use signalbox_types::{Answer, Events, ProjectId, Query, Span, Timestamp};

use crate::traffic::{CLASS, CLASSES, Cell, History, Table, Texts};

/// The history of an installation that began then.
#[derive(Debug)]
pub(crate) struct Simulated {
    /// What happened.
    pub(crate) history: History,
    /// When it began: the beginning of a minute.
    pub(crate) began: Timestamp,
}

const MINUTE: i64 = 60_000_000;

impl Simulated {
    fn answer(&self, query: &Query) -> Result<Answer, StoreError> {
        query.check()?;
        let nothing = Table::default();
        let table = match query.table.as_str() {
            "spans" | "span_minutes" => &self.history.calls,
            "scores" => &self.history.scores,
            _ => &nothing,
        };
        let asked = Asked::of(query, table);
        let (from, to) = query.time.resolve(self.began);
        let minutes = i64::try_from(table.minutes.len().saturating_sub(1)).unwrap_or_default();
        let minute = |at: Timestamp| ((at.as_micros() - self.began.as_micros()).div_euclid(MINUTE)).clamp(0, minutes);
        let width = query.bucket.as_deref().and_then(parse_duration).map(|width| width.as_micros() as i64);
        let mut groups: BTreeMap<(i64, usize), Vec<Sum>> = BTreeMap::new();
        for minute in minute(from)..minute(to) {
            let at = self.began.as_micros() + minute * MINUTE;
            let bucket = width.map_or(0, |width| at.div_euclid(width) * width);
            let (first, last) = (table.minutes[minute as usize] as usize, table.minutes[minute as usize + 1] as usize);
            for cell in &table.cells[first..last] {
                asked.add(table, cell, bucket, &mut groups);
            }
        }
        Ok(asked.read(groups, width.is_some()))
    }
}

/// A query, with what it says of each kind of rows worked out.
struct Asked<'a> {
    query: &'a Query,
    /// The group of each kind of rows that it wants.
    group: Vec<Option<usize>>,
    names: Vec<Vec<Value>>,
    /// Whether each measure wants each kind.
    wants: Vec<Vec<bool>>,
}

/// What a measure has added up.
#[derive(Debug, Clone, Default)]
struct Sum {
    count: u64,
    sum: f64,
    classes: Vec<u32>,
}

impl<'a> Asked<'a> {
    fn of(query: &'a Query, table: &Table) -> Self {
        let mut names: Vec<Vec<Value>> = Vec::new();
        let mut group = Vec::new();
        for texts in &table.texts {
            let wanted = query.filter.as_ref().is_none_or(|filter| holds(filter, texts));
            let name: Vec<Value> = query.group_by.iter().map(|field| value(texts, field).clone()).collect();
            group.push(wanted.then(|| {
                names.iter().position(|one| *one == name).unwrap_or_else(|| {
                    names.push(name);
                    names.len() - 1
                })
            }));
        }
        let wants = |measure: &Measure| {
            let all = table.texts.iter();
            all.map(|texts| measure.filter.as_ref().is_none_or(|filter| holds(filter, texts))).collect()
        };
        Self { query, group, names, wants: query.measures.iter().map(wants).collect() }
    }

    fn add(&self, table: &Table, cell: &Cell, bucket: i64, groups: &mut BTreeMap<(i64, usize), Vec<Sum>>) {
        let kind = usize::from(cell.kind);
        let Some(group) = self.group[kind] else { return };
        let sums = groups.entry((bucket, group)).or_insert_with(|| vec![Sum::default(); self.query.measures.len()]);
        for ((measure, sum), wants) in self.query.measures.iter().zip(sums).zip(&self.wants) {
            if !wants[kind] {
                continue;
            }
            sum.count += u64::from(cell.count);
            match measure.column.as_deref() {
                Some("cost") => sum.sum += f64::from(cell.cost),
                Some("total_tokens") => sum.sum += f64::from(cell.tokens),
                Some("duration_ms") => sum.classify(table, cell.durations),
                Some("ttft_ms") => sum.classify(table, cell.ttfts),
                _ => {}
            }
        }
    }

    fn read(&self, groups: BTreeMap<(i64, usize), Vec<Sum>>, bucketed: bool) -> Answer {
        let column = |name: String| AnswerColumn { name, ty: "float".to_owned(), unit: None };
        let bucket = bucketed.then(|| BUCKET.to_owned());
        let names = bucket.into_iter().chain(self.query.group_by.iter().cloned());
        let columns = names.chain(self.query.measures.iter().map(Measure::name)).map(column).collect();
        let mut rows: Vec<Vec<Value>> = groups
            .into_iter()
            .map(|((bucket, group), sums)| {
                let bucket = bucketed.then(|| Value::from(Timestamp::from_micros(bucket).to_string()));
                let measures = self.query.measures.iter().zip(&sums).map(|(measure, sum)| sum.read(measure));
                bucket.into_iter().chain(self.names[group].iter().cloned()).chain(measures).collect()
            })
            .collect();
        let mut answer = Answer { columns, rows: Vec::new(), next_cursor: None, elapsed_ms: 0.0 };
        if let Some((order, place)) =
            self.query.order.first().and_then(|order| Some((order, answer.position(&order.by)?)))
        {
            let key = |row: &Vec<Value>| row[place].as_f64().unwrap_or_default();
            rows.sort_by(|one, other| key(one).total_cmp(&key(other)));
            if order.desc {
                rows.reverse();
            }
        }
        // Without groups and buckets there is one row, even of nothing.
        if rows.is_empty() && !bucketed && self.query.group_by.is_empty() {
            let nothing = Sum::default();
            rows.push(self.query.measures.iter().map(|measure| nothing.read(measure)).collect());
        }
        rows.truncate(self.query.limit.unwrap_or(100) as usize);
        answer.rows = rows;
        answer
    }
}

impl Sum {
    fn classify(&mut self, table: &Table, (from, to): (u32, u32)) {
        self.classes.resize(CLASSES, 0);
        for class in &table.pool[from as usize..to as usize] {
            self.classes[usize::from(*class)] += 1;
        }
    }

    fn read(&self, measure: &Measure) -> Value {
        match (measure.function, measure.quantile()) {
            (Function::Count, _) => self.count.into(),
            (Function::Sum, _) if self.count > 0 => self.sum.into(),
            (Function::Avg, _) if self.count > 0 => (self.sum / self.count as f64).into(),
            (_, Some(q)) => self.quantile(q).map_or(Value::Null, Value::from),
            _ => Value::Null,
        }
    }

    fn quantile(&self, q: f64) -> Option<f64> {
        let all: u32 = self.classes.iter().sum();
        let wanted = q * f64::from(all);
        let mut before = 0.0;
        for (class, count) in self.classes.iter().enumerate().filter(|(_, count)| **count > 0) {
            let within = (wanted - before) / f64::from(*count);
            if within <= 1.0 {
                return Some(((class as f64 + within.max(0.0)) * CLASS).exp());
            }
            before += f64::from(*count);
        }
        None
    }
}

fn value<'a>(texts: &'a Texts, field: &str) -> &'a Value {
    texts.iter().find(|(name, _)| *name == field).map_or(&Value::Null, |(_, value)| value)
}

fn holds(filter: &Filter, texts: &Texts) -> bool {
    match filter {
        Filter::All(all) => all.iter().all(|one| holds(one, texts)),
        Filter::Any(any) => any.iter().any(|one| holds(one, texts)),
        Filter::Not(not) => !holds(not, texts),
        Filter::Score(_) => false,
        Filter::Compare(comparison) => compares(comparison, value(texts, &comparison.field)),
    }
}

fn compares(comparison: &Comparison, found: &Value) -> bool {
    let listed = || comparison.value.as_array().is_some_and(|all| all.contains(found));
    match comparison.op {
        Operator::Equal => *found == comparison.value,
        Operator::NotEqual => *found != comparison.value,
        Operator::Exists => !found.is_null(),
        Operator::In => listed(),
        Operator::NotIn => !listed(),
        _ => false,
    }
}

impl EventStore for Simulated {
    fn append(&self, _: Events) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Err(StoreError::Internal("what is simulated can't be added to".to_owned())) })
    }

    fn query<'a>(&'a self, _: &'a ProjectId, query: &'a Query) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move { self.answer(query) })
    }

    fn sql<'a>(&'a self, _: &'a ProjectId, _: &'a str) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async { Err(StoreError::Sql("what is simulated answers no SQL".to_owned())) })
    }

    fn watch(&self, _: &ProjectId) -> BoxStream<Arc<Span>> {
        Box::pin(futures_util::stream::empty())
    }

    fn erase<'a>(&'a self, _: &'a ProjectId, _: &'a Erase) -> BoxFuture<'a, Result<Erased, StoreError>> {
        Box::pin(async { Err(StoreError::Internal("what is simulated can't be erased".to_owned())) })
    }

    fn stats(&self) -> StoreStats {
        StoreStats::default()
    }
}
