//! Filters as expressions. A filter is true or false, never unknown: what is absent fulfils no
//! comparison, and fulfils its opposite.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_nested::expr_fn::array_has;
use datafusion::logical_expr::expr::Like;
use datafusion::logical_expr::{Expr, Operator as BinaryOperator, cast, ident, lit};
use serde_json::Value;
use signalbox_types::query::{Comparison, Filter, Operator};
use signalbox_types::table::{ColumnType, Table};
use signalbox_types::{Money, Timestamp};

use super::said;
use super::scan::balanced;
use super::scores::scored;
use crate::schema;

/// The value of a field, and its type: a column, or a key of a map column.
pub(super) fn field(table: &Table, name: &str) -> (Expr, ColumnType) {
    if let Some(column) = table.column(name) {
        return (said::shown(table, column, None), column.ty);
    }
    let (column, key) = name.split_once('.').unwrap_or((name, ""));
    (get_field(ident(column), key), ColumnType::Text)
}

pub(super) fn expression(table: &Table, filter: &Filter) -> Expr {
    let each = |filters: &[Filter]| filters.iter().map(|filter| expression(table, filter)).collect();
    match filter {
        Filter::All(filters) => balanced(each(filters), BinaryOperator::And).unwrap_or_else(|| lit(true)),
        Filter::Any(filters) => balanced(each(filters), BinaryOperator::Or).unwrap_or_else(|| lit(false)),
        Filter::Not(filter) => Expr::IsNotTrue(Box::new(expression(table, filter))),
        Filter::Score(filter) => scored(filter),
        Filter::Compare(comparison) => compare(table, comparison),
    }
}

fn compare(table: &Table, comparison: &Comparison) -> Expr {
    let (field, ty) = field(table, &comparison.field);
    let value = || literal(ty, &comparison.value);
    let text = comparison.value.as_str().unwrap_or_default();
    match comparison.op {
        Operator::Equal => comparable(field, ty, &comparison.value).eq(value()),
        Operator::NotEqual => Expr::IsNotTrue(Box::new(comparable(field, ty, &comparison.value).eq(value()))),
        Operator::Greater => comparable(field, ty, &comparison.value).gt(value()),
        Operator::GreaterOrEqual => comparable(field, ty, &comparison.value).gt_eq(value()),
        Operator::Less => comparable(field, ty, &comparison.value).lt(value()),
        Operator::LessOrEqual => comparable(field, ty, &comparison.value).lt_eq(value()),
        Operator::In => one_of(field, ty, &comparison.value),
        Operator::NotIn => Expr::IsNotTrue(Box::new(one_of(field, ty, &comparison.value))),
        Operator::Contains if ty == ColumnType::TextList => array_has(field, lit(text)),
        Operator::Contains => contains(field, text),
        Operator::StartsWith => like(field, format!("{}%", escaped(text)), false),
        // Whatever is named was said: nothing is read for it.
        Operator::Exists if table.column(&comparison.field).is_some() => ident(&comparison.field).is_not_null(),
        Operator::Exists => field.is_not_null(),
    }
}

fn one_of(field: Expr, ty: ColumnType, values: &Value) -> Expr {
    let values = values.as_array().map(Vec::as_slice).unwrap_or_default();
    let fractions = values.iter().any(|value| ty == ColumnType::Int && !value.is_i64());
    if !fractions {
        return field.in_list(values.iter().map(|value| literal(ty, value)).collect(), false);
    }
    let each = values.iter().map(|value| comparable(field.clone(), ty, value).eq(literal(ty, value)));
    balanced(each.collect(), BinaryOperator::Or).unwrap_or_else(|| lit(false))
}

/// A whole-number column compared with a fraction is compared as a float.
fn comparable(field: Expr, ty: ColumnType, value: &Value) -> Expr {
    if ty == ColumnType::Int && !value.is_i64() { cast(field, DataType::Float64) } else { field }
}

fn literal(ty: ColumnType, value: &Value) -> Expr {
    match (ty, value) {
        (ColumnType::Int, value) if value.is_i64() => lit(value.as_i64().unwrap_or_default()),
        (ColumnType::Money, value) => {
            let money = value.as_f64().map(|dollars| Money::from_dollars(dollars).unwrap_or_else(|| extreme(dollars)));
            lit(ScalarValue::Decimal128(money.map(Money::as_picos), schema::MONEY_PRECISION, Money::SCALE as i8))
        }
        (ColumnType::Int | ColumnType::Float, value) => lit(value.as_f64().unwrap_or_default()),
        (ColumnType::Bool, value) => lit(value.as_bool().unwrap_or_default()),
        (ColumnType::Time, value) => {
            let time = value.as_str().and_then(|text| text.parse::<Timestamp>().ok()).unwrap_or_default();
            time_literal(time)
        }
        (_, value) => lit(value.as_str().unwrap_or_default()),
    }
}

/// More than anything costs.
fn extreme(dollars: f64) -> Money {
    Money::from_picos(if dollars < 0.0 { -1 } else { 1 } * 10_i128.pow(36))
}

pub(super) fn time_literal(time: Timestamp) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(time.as_micros()), Some(schema::utc())))
}

fn contains(field: Expr, text: &str) -> Expr {
    like(field, format!("%{}%", escaped(text)), true)
}

fn like(field: Expr, pattern: String, case_insensitive: bool) -> Expr {
    Expr::Like(Like::new(false, Box::new(field), Box::new(lit(pattern)), None, case_insensitive))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}
