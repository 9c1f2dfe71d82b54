//! Arrow batches as the JSON values of an answer.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use serde_json::{Map, Value};
use signalbox_types::Timestamp;
use signalbox_types::query::AnswerColumn;
use signalbox_types::seam::StoreError;
use signalbox_types::table::ColumnType;

use crate::error::internal;
use crate::schema;

/// The type's name in an answer.
pub(super) fn type_name(ty: ColumnType) -> &'static str {
    match ty {
        ColumnType::Text => "text",
        ColumnType::TextList => "text_list",
        ColumnType::TextMap => "text_map",
        ColumnType::Json => "json",
        ColumnType::Int => "int",
        ColumnType::Float => "float",
        ColumnType::Money => "money",
        ColumnType::Bool => "bool",
        ColumnType::Time => "time",
    }
}

/// The rows of all batches, each with so many values.
pub(super) fn rows_of(batches: &[RecordBatch], width: usize) -> Result<Vec<Vec<Value>>, StoreError> {
    let total = batches.iter().map(RecordBatch::num_rows).sum();
    let mut rows: Vec<Vec<Value>> = Vec::with_capacity(total);
    for batch in batches {
        let first = rows.len();
        rows.resize_with(first + batch.num_rows(), || Vec::with_capacity(width));
        for column in batch.columns() {
            let values = values(column)?;
            for (row, value) in rows.iter_mut().skip(first).zip(values) {
                row.push(value);
            }
        }
    }
    Ok(rows)
}

/// Text of a JSON column as JSON; what isn't JSON stays text.
pub(super) fn parse_json(value: &mut Value) {
    if let Value::String(text) = value
        && let Ok(parsed) = serde_json::from_str(text)
    {
        *value = parsed;
    }
}

/// A column of an answer to SQL.
pub(super) fn column_of(field: &Field) -> AnswerColumn {
    let ty = match field.data_type() {
        DataType::Boolean => ColumnType::Bool,
        ty if ty.is_integer() => ColumnType::Int,
        ty if ty.is_floating() => ColumnType::Float,
        DataType::Decimal128(..) => ColumnType::Money,
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => ColumnType::Time,
        DataType::Map(..) => ColumnType::TextMap,
        DataType::List(_) => ColumnType::TextList,
        _ if field.metadata().get(schema::TYPE_KEY).is_some_and(|ty| ty == "json") => ColumnType::Json,
        _ => ColumnType::Text,
    };
    AnswerColumn { name: field.name().clone(), ty: type_name(ty).to_owned(), unit: None }
}

fn values(column: &ArrayRef) -> Result<Vec<Value>, StoreError> {
    let simple = |ty: &DataType| cast(column, ty).map_err(internal);
    Ok(match column.data_type() {
        DataType::Boolean => each(column.as_boolean(), |array: &BooleanArray, i| array.value(i).into()),
        DataType::UInt64 => {
            each(column.as_primitive::<datafusion::arrow::datatypes::UInt64Type>(), |array, i| array.value(i).into())
        }
        ty if ty.is_integer() => {
            let column = simple(&DataType::Int64)?;
            each(column.as_primitive::<Int64Type>(), |array, i| array.value(i).into())
        }
        ty if ty.is_floating() => {
            let column = simple(&DataType::Float64)?;
            // NaN and the infinities have no JSON.
            each(column.as_primitive::<Float64Type>(), |array, i| array.value(i).into())
        }
        DataType::Decimal128(_, scale) => {
            let divisor = 10_f64.powi(i32::from(*scale));
            let decimals = column.as_any().downcast_ref::<Decimal128Array>();
            let decimals = decimals.ok_or_else(|| internal("a decimal column of another kind"))?;
            each(decimals, |array, i| (array.value(i) as f64 / divisor).into())
        }
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
            let column = simple(&DataType::Timestamp(TimeUnit::Microsecond, Some(schema::utc())))?;
            each(column.as_primitive::<TimestampMicrosecondType>(), |array, i| {
                Timestamp::from_micros(array.value(i)).to_string().into()
            })
        }
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            (0..list.len())
                .map(|i| if list.is_null(i) { Ok(Value::Null) } else { values(&list.value(i)).map(Value::Array) })
                .collect::<Result<_, _>>()?
        }
        DataType::Map(..) => {
            let map = column.as_map();
            let entry = |i| -> Result<Value, StoreError> {
                let entries = map.value(i);
                let (keys, values) = (values(entries.column(0))?, values(entries.column(1))?);
                let pairs = keys.into_iter().zip(values).map(|(key, value)| (text(key), value));
                Ok(Value::Object(pairs.collect::<Map<_, _>>()))
            };
            (0..map.len()).map(|i| if map.is_null(i) { Ok(Value::Null) } else { entry(i) }).collect::<Result<_, _>>()?
        }
        DataType::Struct(fields) => {
            let parts = column.as_struct();
            let columns = parts.columns().iter().map(values).collect::<Result<Vec<_>, _>>()?;
            let object = |i: usize| {
                let pairs =
                    fields.iter().zip(&columns).map(|(field, values)| (field.name().clone(), values[i].clone()));
                Value::Object(pairs.collect())
            };
            (0..parts.len()).map(|i| if parts.is_null(i) { Value::Null } else { object(i) }).collect()
        }
        DataType::Null => vec![Value::Null; column.len()],
        _ => {
            let column = simple(&DataType::Utf8)?;
            each(column.as_string::<i32>(), |array, i| array.value(i).into())
        }
    })
}

fn each<A: Array>(array: &A, value: impl Fn(&A, usize) -> Value) -> Vec<Value> {
    (0..array.len()).map(|i| if array.is_null(i) { Value::Null } else { value(array, i) }).collect()
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
