//! A query, evaluated the obvious way.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use signalbox_text::TextQuery;
use signalbox_types::query::{
    AnswerColumn, BUCKET, Function, InvalidQuery, Measure, OTHER, Order, Query, SEARCH_HIGHLIGHT, find_field,
};
use signalbox_types::table::{ColumnRoom, ColumnType, Table};
use signalbox_types::{Answer, Timestamp};

use super::value::{Row, order_present};

pub(super) fn evaluate(table: &Table, rows: Vec<Row>, query: &Query, now: Timestamp) -> Result<Answer, InvalidQuery> {
    let (mut from, to) = query.range(now)?;
    let cursor = query.cursor.as_deref().map(read_cursor).transpose()?;
    if let Some((begin, _)) = &cursor {
        from = *begin;
    }
    let in_time = |row: &Row| {
        let time = row.field(table, table.time_column).as_str().and_then(|text| text.parse::<Timestamp>().ok());
        time.is_some_and(|time| from <= time && time < to)
    };
    let search = query.search.as_deref().map(TextQuery::parse).transpose();
    let search = search.map_err(|error| InvalidQuery::new("search", error.to_string()))?;
    let mut rows: Vec<Row> = rows
        .into_iter()
        .filter(in_time)
        .filter(|row| query.filter.as_ref().is_none_or(|filter| row.matches(table, filter)))
        .filter(|row| search.as_ref().is_none_or(|search| row.answers(table, search)))
        .collect();
    if query.measures.is_empty() {
        let mut answer =
            select(table, &mut rows, query, search.as_ref(), cursor.as_ref().map(|(_, last)| last.as_slice()));
        answer.next_cursor = answer.next_cursor.map(|last| format!("{} {last}", from.as_micros()));
        return Ok(answer);
    }
    Numbers { table, query, width: query.bucket_width()?, seconds: query.rate_seconds(now)? }.answer(&rows)
}

/// Where the first page began, and the last row of the page before.
fn read_cursor(text: &str) -> Result<(Timestamp, Vec<Value>), InvalidQuery> {
    let parts =
        text.split_once(' ').and_then(|(from, last)| Some((from.parse().ok()?, serde_json::from_str(last).ok()?)));
    let (from, last) = parts.ok_or_else(|| InvalidQuery::new("cursor", "is not the `next_cursor` of an answer"))?;
    Ok((Timestamp::from_micros(from), last))
}

fn select(
    table: &Table,
    rows: &mut Vec<Row>,
    query: &Query,
    search: Option<&TextQuery>,
    after: Option<&[Value]>,
) -> Answer {
    let hot = table.columns.iter().filter(|column| column.room == ColumnRoom::Hot).map(|column| column.name.to_owned());
    let names: Vec<String> = if query.select.is_empty() { hot.collect() } else { query.select.clone() };
    let newest_first = Order { by: table.time_column.to_owned(), desc: true };
    let keys = table.key.iter().map(|name| Order { by: (*name).to_owned(), desc: true });
    let order: Vec<Order> =
        if query.order.is_empty() { [newest_first].into_iter().chain(keys).collect() } else { query.order.clone() };
    rows.sort_by(|left, right| {
        let by = |order: &Order| sort_values(&left.field(table, &order.by), &right.field(table, &order.by), order.desc);
        order.iter().map(by).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    });
    let identity = |row: &Row| -> Vec<Value> {
        [table.time_column].into_iter().chain(table.key.iter().copied()).map(|name| row.field(table, name)).collect()
    };
    // The row itself may be gone by now, or no longer meant.
    if let Some(after) = after {
        let comes_after = |row: &Row| {
            let values = identity(row);
            let by = values.iter().zip(after).map(|(value, last)| sort_values(value, last, true));
            by.fold(Ordering::Equal, Ordering::then).is_gt()
        };
        rows.retain(comes_after);
    }
    let limit = query.rows_at_most() as usize;
    let more = rows.len() > limit && query.order.is_empty();
    rows.truncate(limit);
    let value = |row: &Row, name: &String| match search {
        Some(search) if name == SEARCH_HIGHLIGHT => row.highlight(table, search),
        _ => row.answer(table, name),
    };
    Answer {
        columns: names.iter().map(|name| column_of(table, name)).collect(),
        rows: rows.iter().map(|row| names.iter().map(|name| value(row, name)).collect()).collect(),
        next_cursor: rows.last().filter(|_| more).map(|row| Value::from(identity(row)).to_string()),
        elapsed_ms: 0.0,
    }
}

fn column_of(table: &Table, name: &str) -> AnswerColumn {
    let column = find_field(table, name, String::new).ok();
    let ty = match column {
        Some(column) if column.name == name => column.ty,
        _ if name == SEARCH_HIGHLIGHT => ColumnType::Json,
        _ => ColumnType::Text,
    };
    answer_column(name, ty, column.filter(|column| column.name == name).and_then(|column| column.unit))
}

fn answer_column(name: &str, ty: ColumnType, unit: Option<&str>) -> AnswerColumn {
    let ty = serde_json::to_value(ty).ok().and_then(|ty| ty.as_str().map(str::to_owned)).unwrap_or_default();
    AnswerColumn { name: name.to_owned(), ty, unit: unit.map(str::to_owned) }
}

struct Numbers<'a> {
    table: &'a Table,
    query: &'a Query,
    width: Option<Duration>,
    /// By how many a rate divides.
    seconds: f64,
}

/// Values of the bucket and the groups, and the rows that have them.
type Groups<'a> = BTreeMap<Vec<String>, (Vec<Value>, Vec<&'a Row>)>;

impl Numbers<'_> {
    fn answer(&self, rows: &[Row]) -> Result<Answer, InvalidQuery> {
        let top = self.query.top.map(|top| self.greatest(rows, top as usize));
        let mut columns: Vec<AnswerColumn> = Vec::new();
        columns.extend(self.width.map(|_| answer_column(BUCKET, ColumnType::Time, None)));
        columns.extend(self.query.group_by.iter().map(|name| column_of(self.table, name)));
        columns.extend(self.query.top.map(|_| answer_column(OTHER, ColumnType::Bool, None)));
        columns.extend(self.query.measures.iter().map(|measure| {
            let (ty, unit) = measure.answers(self.table);
            answer_column(&measure.name(), ty, unit.as_deref())
        }));
        let mut answer = Answer { columns, rows: Vec::new(), next_cursor: None, elapsed_ms: 0.0 };
        answer.rows = self.rows(rows, self.width, top.as_deref());
        self.order(&mut answer);
        answer.rows.truncate(self.query.rows_at_most() as usize);
        Ok(answer)
    }

    /// The groups that are the greatest over all buckets.
    fn greatest(&self, rows: &[Row], top: usize) -> Vec<Vec<Value>> {
        let names = self.query.group_by.iter().cloned().chain(self.query.measures.iter().map(Measure::name));
        let columns = names.map(|name| answer_column(&name, ColumnType::Text, None)).collect();
        let rows = self.rows(rows, None, None);
        let mut answer = Answer { columns, rows, next_cursor: None, elapsed_ms: 0.0 };
        let order: Vec<Order> = self.query.rank().into_iter().chain(self.by_groups()).collect();
        sort_rows(&mut answer, &order);
        answer.rows.iter().take(top).map(|row| row[..self.query.group_by.len()].to_vec()).collect()
    }

    /// A row for each bucket and group: their values, the mark of the others, and the measures.
    fn rows(&self, rows: &[Row], width: Option<Duration>, top: Option<&[Vec<Value>]>) -> Vec<Vec<Value>> {
        let mut groups: Groups<'_> = BTreeMap::new();
        if width.is_none() && self.query.group_by.is_empty() {
            groups.insert(Vec::new(), (Vec::new(), rows.iter().collect()));
        }
        for row in rows.iter().filter(|_| width.is_some() || !self.query.group_by.is_empty()) {
            let mut values: Vec<Value> = self.query.group_by.iter().map(|name| row.field(self.table, name)).collect();
            if let Some(top) = top {
                let other = !top.contains(&values);
                if other {
                    values = self.query.group_by.iter().map(|name| other_value(self.table, name)).collect();
                }
                values.push(other.into());
            }
            let bucket = width.map(|width| bucket(&row.field(self.table, self.table.time_column), width));
            let values: Vec<Value> = bucket.into_iter().chain(values).collect();
            let key = values.iter().map(Value::to_string).collect();
            groups.entry(key).or_insert_with(|| (values, Vec::new())).1.push(row);
        }
        let measured = groups.into_values().map(|(mut values, rows)| {
            values.extend(self.query.measures.iter().map(|measure| self.calculate(&rows, measure)));
            values
        });
        measured.collect()
    }

    fn by_groups(&self) -> impl Iterator<Item = Order> {
        self.query.group_by.iter().map(|by| Order { by: by.clone(), desc: false })
    }

    /// Default order: buckets oldest first, else the first measure's greatest first; then by the groups. Others
    /// come last, but where buckets come first.
    fn order(&self, answer: &mut Answer) {
        let asc = |by: &str| Order { by: by.to_owned(), desc: false };
        let mut order = match (&self.query.bucket, self.query.order.is_empty()) {
            (_, false) => self.query.order.clone(),
            (Some(_), true) => vec![asc(BUCKET)],
            (None, true) => self.query.rank(),
        };
        if self.query.top.is_some() {
            let buckets = order.iter().take_while(|order| order.by == BUCKET).count();
            order.insert(buckets, asc(OTHER));
        }
        order.extend([asc(BUCKET)].into_iter().chain(self.by_groups()));
        sort_rows(answer, &order);
    }
}

fn sort_rows(answer: &mut Answer, order: &[Order]) {
    let positions: Vec<_> = order.iter().filter_map(|order| Some((answer.position(&order.by)?, order.desc))).collect();
    answer.rows.sort_by(|left, right| {
        let by = |&(position, desc): &(usize, bool)| sort_values(&left[position], &right[position], desc);
        positions.iter().map(by).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    });
}

/// What stands in a group's place where it is none of the greatest.
fn other_value(table: &Table, name: &str) -> Value {
    let text = table.column(name).is_none_or(|column| column.ty == ColumnType::Text);
    if text { OTHER.into() } else { Value::Null }
}

/// Absent values last, whatever the direction.
fn sort_values(left: &Value, right: &Value, desc: bool) -> Ordering {
    match (left.is_null(), right.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let ordering = order_present(left, right).unwrap_or(Ordering::Equal);
            if desc { ordering.reverse() } else { ordering }
        }
    }
}

fn bucket(time: &Value, width: Duration) -> Value {
    let micros = time.as_str().and_then(|text| text.parse::<Timestamp>().ok()).map_or(0, Timestamp::as_micros);
    let width = i64::try_from(width.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(micros.div_euclid(width) * width).to_string().into()
}

impl Numbers<'_> {
    fn calculate(&self, rows: &[&Row], measure: &Measure) -> Value {
        let table = self.table;
        let rows = rows.iter().filter(|row| measure.filter.as_ref().is_none_or(|filter| row.matches(table, filter)));
        let per_second = |sum: f64| Value::from(sum / self.seconds);
        // Where rows stand for many, each is looked at so often.
        let weight = |row: &Row| {
            let weight = table.sums.and_then(|sums| row.field(table, sums.weight).as_u64());
            weight.map_or(1, |weight| usize::try_from(weight).unwrap_or(usize::MAX))
        };
        let Some(name) = &measure.column else {
            let count: usize = rows.map(|row| weight(row)).sum();
            return if measure.function == Function::Rate { per_second(count as f64) } else { count.into() };
        };
        let summed = table.column(name).is_some_and(|column| column.summed);
        let times = |row: &Row| if summed { 1 } else { weight(row) };
        let mut values: Vec<Value> = rows
            .flat_map(|row| std::iter::repeat_n(row.field(table, name), times(row)))
            .filter(|value| !value.is_null())
            .collect();
        values.sort_by(|left, right| sort_values(left, right, false));
        let numbers = || values.iter().filter_map(Value::as_f64);
        let whole = values.iter().all(Value::is_i64);
        match measure.function {
            Function::Count => values.len().into(),
            Function::Unique => {
                values.dedup();
                values.len().into()
            }
            _ if values.is_empty() => Value::Null,
            Function::Sum if whole => values.iter().filter_map(Value::as_i64).sum::<i64>().into(),
            Function::Sum => numbers().sum::<f64>().into(),
            Function::Avg => (numbers().sum::<f64>() / values.len() as f64).into(),
            Function::Rate => per_second(numbers().sum()),
            Function::Min => values[0].clone(),
            Function::Max => values[values.len() - 1].clone(),
            Function::Quantile | Function::P50 | Function::P90 | Function::P95 | Function::P99 => {
                let quantile = measure.quantile().unwrap_or(0.5);
                let place = (quantile * (values.len() - 1) as f64).round() as usize;
                numbers().nth(place).map_or(Value::Null, Value::from)
            }
        }
    }
}
