//! Measures by groups and buckets as a plan.

use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNano};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions::datetime::expr_fn::date_bin;
use datafusion::functions_aggregate::expr_fn::{approx_percentile_cont, avg, count, count_distinct, max, min, sum};
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlan, Operator, SortExpr, cast, ident, lit, when};
use signalbox_types::query::{AnswerColumn, BUCKET, Function, InvalidQuery, Measure, OTHER, Order};
use signalbox_types::seam::StoreError;
use signalbox_types::table::ColumnType;
use signalbox_types::{Answer, Timestamp};

use super::answer::rows_of;
use super::engine::failed;
use super::filter::{expression, field, time_literal};
use super::plan::{Question, answer_column, position};
use super::scan::{Pushdown, balanced};
use super::weighed::weighed_quantile;
use crate::error::internal;

/// The values of a group, in the order of `group_by`.
type Group = Vec<ScalarValue>;

impl Question<'_> {
    pub(super) async fn numbers(&self) -> Result<Answer, StoreError> {
        let top = match self.query.top {
            Some(top) => Some(self.greatest(top as usize).await?),
            None => None,
        };
        let mut groups: Vec<Expr> = Vec::new();
        let mut columns: Vec<AnswerColumn> = Vec::new();
        if let Some(width) = self.query.bucket_width()? {
            groups.push(self.bucket(width)?);
            columns.push(answer_column(BUCKET, ColumnType::Time, None));
        }
        groups.extend(self.groups(top.as_deref()).map_err(failed)?);
        columns.extend(self.query.group_by.iter().map(|name| self.column(name)));
        columns.extend(top.map(|_| answer_column(OTHER, ColumnType::Bool, None)));
        columns.extend(self.query.measures.iter().map(|measure| {
            let (ty, unit) = measure.answers(self.table);
            answer_column(&measure.name(), ty, unit.as_deref())
        }));
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let measures: Vec<&Measure> = self.query.measures.iter().collect();
        let order = self.order(groups.len());
        let limit = self.query.rows_at_most() as usize;
        let plan = self.aggregate(groups, &measures, &names, &order, limit).map_err(failed)?;
        let batches = self.run(plan).await?;
        let rows = rows_of(&batches, columns.len())?;
        Ok(Answer { columns, rows, next_cursor: None, elapsed_ms: 0.0 })
    }

    /// The groups that are the greatest over all buckets.
    async fn greatest(&self, top: usize) -> Result<Vec<Group>, StoreError> {
        let order = self.query.rank();
        // Only what decides is calculated.
        let decides = |measure: &&Measure| order.iter().any(|order| order.by == measure.name());
        let measures: Vec<&Measure> = self.query.measures.iter().filter(decides).collect();
        let measured: Vec<String> = measures.iter().map(|measure| measure.name()).collect();
        let groups = self.query.group_by.iter().map(|name| field(self.table, name).0).collect();
        let names: Vec<&str> = self.query.group_by.iter().chain(&measured).map(String::as_str).collect();
        let plan = self.aggregate(groups, &measures, &names, &order, top).map_err(failed)?;
        let batches = self.run(plan).await?;
        let width = self.query.group_by.len();
        let group = |batch: &RecordBatch, row: usize| -> Result<Group> {
            batch.columns().iter().take(width).map(|column| ScalarValue::try_from_array(column, row)).collect()
        };
        let rows = batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| group(batch, row)));
        rows.collect::<Result<_>>().map_err(internal)
    }

    /// What the rows are grouped by. With `top`, the rows of all groups but those are one group, whose mark comes
    /// last: it is made of rows and not of sums, so that quantiles and unique values are right.
    fn groups(&self, top: Option<&[Group]>) -> Result<Vec<Expr>> {
        let fields: Vec<(Expr, ColumnType)> = self.query.group_by.iter().map(|name| field(self.table, name)).collect();
        let Some(top) = top else { return Ok(fields.into_iter().map(|(field, _)| field).collect()) };
        let known = one_of(&fields, top);
        let mut groups = Vec::with_capacity(fields.len() + 1);
        for (field, ty) in fields {
            let kept = &mut when(known.clone(), field);
            groups.push(if ty == ColumnType::Text { kept.otherwise(lit(OTHER))? } else { kept.end()? });
        }
        groups.push(when(known, lit(false)).otherwise(lit(true))?);
        Ok(groups)
    }

    /// By what the answer is ordered; ties by what comes first in it.
    fn order(&self, groups: usize) -> Vec<Order> {
        let asc = |by: &str| Order { by: by.to_owned(), desc: false };
        let mut order = match (&self.query.bucket, self.query.order.is_empty()) {
            (_, false) => self.query.order.clone(),
            (Some(_), true) => vec![asc(BUCKET)],
            (None, true) if groups == 0 => Vec::new(),
            (None, true) => self.query.rank(),
        };
        if self.query.top.is_some() {
            let buckets = order.iter().take_while(|order| order.by == BUCKET).count();
            order.insert(buckets, asc(OTHER));
        }
        order
    }

    /// Groups, then measures, under the names that `order` uses.
    fn aggregate(
        &self,
        groups: Vec<Expr>,
        measures: &[&Measure],
        names: &[&str],
        order: &[Order],
        limit: usize,
    ) -> Result<LogicalPlan> {
        let grouped = groups.len();
        let groups: Vec<Expr> = groups.into_iter().enumerate().map(|(i, expr)| expr.alias(position(i))).collect();
        let mut sums: Vec<Expr> = measures
            .iter()
            .enumerate()
            .map(|(i, measure)| Ok(self.measure(measure)?.alias(position(grouped + i))))
            .collect::<Result<_>>()?;
        // Beside them, what some are divided by.
        let beside = |i: usize| position(grouped + measures.len() + i);
        for (i, measure) in measures.iter().enumerate() {
            sums.extend(self.divisor(measure)?.map(|divisor| divisor.alias(beside(i))));
        }
        let mut shown: Vec<Expr> = (0..grouped).map(|i| ident(position(i))).collect();
        shown.extend(measures.iter().enumerate().map(|(i, measure)| {
            let name = position(grouped + i);
            let number = |name: &str| cast(ident(name), DataType::Float64);
            match (measure.function, self.table.sums.is_some()) {
                (Function::Rate, _) if measure.column.is_none() => {
                    (coalesce(vec![number(&name), lit(0.0)]) / lit(self.seconds)).alias(name)
                }
                (Function::Rate, _) => (number(&name) / lit(self.seconds)).alias(name),
                (Function::Count, true) => coalesce(vec![ident(&name), lit(0_i64)]).alias(name),
                (Function::Avg, true) => (number(&name) / number(&beside(i))).alias(name),
                _ => ident(name),
            }
        }));
        let place = |order: &Order| {
            let place = names.iter().position(|name| *name == order.by)?;
            Some(ident(position(place)).sort(!order.desc, false))
        };
        let mut sorted: Vec<SortExpr> = order.iter().filter_map(place).collect();
        sorted.extend((0..grouped).map(|i| ident(position(i)).sort(true, false)));
        let plan = self.matching(Pushdown::ForLookUps, None)?.aggregate(groups, sums)?.project(shown)?;
        if sorted.is_empty() {
            plan.limit(0, Some(limit))?.build()
        } else {
            plan.sort_with_limit(sorted, Some(limit))?.build()
        }
    }

    fn bucket(&self, width: Duration) -> Result<Expr, InvalidQuery> {
        let nanos = i64::try_from(width.as_nanos())
            .map_err(|_| InvalidQuery::new("bucket", "it is wider than all time; expected e.g. `1m`, `1h` or `1d`"))?;
        let stride = lit(ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(0, 0, nanos))));
        Ok(date_bin(stride, ident(self.table.time_column), time_literal(Timestamp::default())))
    }

    /// How many a row stands for, where rows stand for many.
    fn weight(&self) -> Option<Expr> {
        self.table.sums.map(|sums| ident(sums.weight))
    }

    /// A measure of rows that each stand for `weight`.
    fn weighed(&self, measure: &Measure, weight: Expr) -> Result<Expr> {
        let only = |of: Expr| match &measure.filter {
            Some(filter) => when(expression(self.table, filter), of).end(),
            None => Ok(of),
        };
        let Some(name) = &measure.column else { return Ok(sum(only(weight)?)) };
        let of = field(self.table, name).0;
        let summed = self.table.column(name).is_some_and(|column| column.summed);
        let number = |of: Expr| cast(of, DataType::Float64);
        Ok(match measure.function {
            Function::Sum | Function::Rate if summed => sum(only(of)?),
            Function::Count => sum(only(when(of.is_not_null(), weight).end()?)?),
            _ => match measure.quantile() {
                Some(quantile) => weighed_quantile(only(number(of))?, weight, quantile),
                None => sum(only(number(of) * number(weight))?),
            },
        })
    }

    /// By what a mean of rows that each stand for many is divided.
    fn divisor(&self, measure: &Measure) -> Result<Option<Expr>> {
        if self.table.sums.is_none() || measure.function != Function::Avg {
            return Ok(None);
        }
        self.measure(&Measure { function: Function::Count, ..measure.clone() }).map(Some)
    }

    fn measure(&self, measure: &Measure) -> Result<Expr> {
        if let Some(weight) = self.weight() {
            return self.weighed(measure, weight);
        }
        let column = measure.column.as_deref().map(|name| field(self.table, name).0);
        let of = || column.clone().unwrap_or_else(|| lit(1_i64));
        let expr = match measure.function {
            Function::Rate if column.is_none() => count(of()),
            Function::Count => count(of()),
            Function::Unique => count_distinct(of()),
            Function::Sum | Function::Rate => sum(of()),
            Function::Avg => avg(of()),
            Function::Min => min(of()),
            Function::Max => max(of()),
            Function::Quantile | Function::P50 | Function::P90 | Function::P95 | Function::P99 => {
                let quantile = measure.quantile().unwrap_or(0.5);
                approx_percentile_cont(cast(of(), DataType::Float64).sort(true, false), lit(quantile), None)
            }
        };
        match &measure.filter {
            Some(filter) => expr.filter(expression(self.table, filter)).build(),
            None => Ok(expr),
        }
    }
}

/// Whether a row's group is one of these: true, or else false or unknown.
fn one_of(fields: &[(Expr, ColumnType)], groups: &[Group]) -> Expr {
    let is = |(field, _): &(Expr, ColumnType), value: &ScalarValue| match value.is_null() {
        true => field.clone().is_null(),
        false => field.clone().eq(lit(value.clone())),
    };
    let same = |group: &Group| {
        let equal = fields.iter().zip(group).map(|(field, value)| is(field, value));
        balanced(equal.collect(), Operator::And).unwrap_or_else(|| lit(true))
    };
    balanced(groups.iter().map(same).collect(), Operator::Or).unwrap_or_else(|| lit(false))
}
