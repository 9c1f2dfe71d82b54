//! A query, evaluated the obvious way.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use signalbox_types::query::{AnswerColumn, Function, InvalidQuery, Measure, Order, Query, find_field};
use signalbox_types::table::{ColumnRoom, ColumnType, Table};
use signalbox_types::{Answer, Timestamp};

use super::value::{Row, order_present};

pub(super) fn evaluate(table: &Table, rows: Vec<Row>, query: &Query, now: Timestamp) -> Result<Answer, InvalidQuery> {
    let (from, to) = query.time.resolve(now);
    let in_time = |row: &Row| {
        let time = row.field(table, table.time_column).as_str().and_then(|text| text.parse::<Timestamp>().ok());
        time.is_some_and(|time| from <= time && time < to)
    };
    let mut rows: Vec<Row> = rows
        .into_iter()
        .filter(in_time)
        .filter(|row| query.filter.as_ref().is_none_or(|filter| row.matches(table, filter)))
        .filter(|row| query.search.as_deref().is_none_or(|text| row.mentions(table, text)))
        .collect();
    if query.measures.is_empty() { Ok(select(table, &mut rows, query)) } else { measure(table, &rows, query) }
}

fn select(table: &Table, rows: &mut Vec<Row>, query: &Query) -> Answer {
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
    let identity = |row: &Row| {
        let values =
            [table.time_column].into_iter().chain(table.key.iter().copied()).map(|name| row.field(table, name));
        values.map(|value| value.to_string()).collect::<Vec<_>>().join("|")
    };
    if let Some(cursor) = &query.cursor
        && let Some(last) = rows.iter().position(|row| identity(row) == *cursor)
    {
        rows.drain(..=last);
    }
    let limit = query.rows_at_most() as usize;
    let more = rows.len() > limit && query.order.is_empty();
    rows.truncate(limit);
    Answer {
        columns: names.iter().map(|name| column_of(table, name)).collect(),
        rows: rows.iter().map(|row| names.iter().map(|name| row.answer(table, name)).collect()).collect(),
        next_cursor: rows.last().filter(|_| more).map(identity),
        elapsed_ms: 0.0,
    }
}

fn column_of(table: &Table, name: &str) -> AnswerColumn {
    let column = find_field(table, name, String::new).ok();
    let ty = match column {
        Some(column) if column.name == name => column.ty,
        _ => ColumnType::Text,
    };
    answer_column(name, ty, column.filter(|column| column.name == name).and_then(|column| column.unit))
}

fn answer_column(name: &str, ty: ColumnType, unit: Option<&str>) -> AnswerColumn {
    let ty = serde_json::to_value(ty).ok().and_then(|ty| ty.as_str().map(str::to_owned)).unwrap_or_default();
    AnswerColumn { name: name.to_owned(), ty, unit: unit.map(str::to_owned) }
}

fn measure(table: &Table, rows: &[Row], query: &Query) -> Result<Answer, InvalidQuery> {
    let width = query.bucket_width()?;
    let mut groups: BTreeMap<Vec<String>, (Vec<Value>, Vec<&Row>)> = BTreeMap::new();
    if width.is_none() && query.group_by.is_empty() {
        groups.insert(Vec::new(), (Vec::new(), rows.iter().collect()));
    } else {
        for row in rows {
            let bucket = width.map(|width| bucket(&row.field(table, table.time_column), width));
            let values: Vec<Value> =
                bucket.into_iter().chain(query.group_by.iter().map(|name| row.field(table, name))).collect();
            let key = values.iter().map(Value::to_string).collect();
            groups.entry(key).or_insert_with(|| (values, Vec::new())).1.push(row);
        }
    }
    let mut columns: Vec<AnswerColumn> = Vec::new();
    columns.extend(width.map(|_| answer_column("bucket", ColumnType::Time, None)));
    columns.extend(query.group_by.iter().map(|name| column_of(table, name)));
    columns.extend(query.measures.iter().map(|measure| measure_column(table, measure)));
    let mut answer = Answer { columns, rows: Vec::new(), next_cursor: None, elapsed_ms: 0.0 };
    for (mut values, rows) in groups.into_values() {
        values.extend(query.measures.iter().map(|measure| calculate(table, &rows, measure)));
        answer.rows.push(values);
    }
    order_groups(&mut answer, query);
    answer.rows.truncate(query.rows_at_most() as usize);
    Ok(answer)
}

/// Default order: buckets oldest first, else the first measure's greatest first; then by the groups.
fn order_groups(answer: &mut Answer, query: &Query) {
    let groups = query.group_by.iter().map(|by| Order { by: by.clone(), desc: false });
    let order: Vec<Order> = match (&query.bucket, query.order.is_empty()) {
        (_, false) => query.order.clone(),
        (Some(_), true) => [Order { by: "bucket".to_owned(), desc: false }].into_iter().chain(groups).collect(),
        (None, true) => [Order { by: query.measures[0].name(), desc: true }].into_iter().chain(groups).collect(),
    };
    let positions: Vec<_> = order.iter().filter_map(|order| Some((answer.position(&order.by)?, order.desc))).collect();
    answer.rows.sort_by(|left, right| {
        let by = |&(position, desc): &(usize, bool)| sort_values(&left[position], &right[position], desc);
        positions.iter().map(by).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    });
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

fn measure_column(table: &Table, measure: &Measure) -> AnswerColumn {
    let column = measure.column.as_deref().and_then(|name| table.column(name));
    let ty = match (measure.function, column) {
        (Function::Count | Function::Unique, _) => ColumnType::Int,
        (Function::Avg, Some(column)) if column.ty == ColumnType::Int => ColumnType::Float,
        (function, Some(column)) if function.quantile().is_some() && column.ty == ColumnType::Int => ColumnType::Float,
        (_, Some(column)) => column.ty,
        (_, None) => ColumnType::Text,
    };
    let counted = matches!(measure.function, Function::Count | Function::Unique);
    answer_column(&measure.name(), ty, column.and_then(|column| column.unit).filter(|_| !counted))
}

fn calculate(table: &Table, rows: &[&Row], measure: &Measure) -> Value {
    let rows = rows.iter().filter(|row| measure.filter.as_ref().is_none_or(|filter| row.matches(table, filter)));
    let Some(name) = &measure.column else { return rows.count().into() };
    let mut values: Vec<Value> = rows.map(|row| row.field(table, name)).filter(|value| !value.is_null()).collect();
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
        Function::Min => values[0].clone(),
        Function::Max => values[values.len() - 1].clone(),
        function => {
            let quantile = function.quantile().unwrap_or(0.5);
            let place = (quantile * (values.len() - 1) as f64).round() as usize;
            numbers().nth(place).map_or(Value::Null, Value::from)
        }
    }
}
