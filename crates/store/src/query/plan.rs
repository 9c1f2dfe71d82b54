//! `types::Query` as a plan.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use datafusion::arrow::array::{Array, RecordBatch, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNano};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::execution::context::SessionState;
use datafusion::functions::datetime::expr_fn::date_bin;
use datafusion::functions_aggregate::expr_fn::{approx_percentile_cont, avg, count, count_distinct, max, min, sum};
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, Operator, SortExpr, cast, ident, lit,
};
use serde_json::Value;
use signalbox_types::query::{AnswerColumn, Function, InvalidQuery, Measure, Query};
use signalbox_types::seam::StoreError;
use signalbox_types::table::{ColumnRoom, ColumnType, Table};
use signalbox_types::{Answer, ProjectId, Timestamp};

use super::answer::{parse_json, rows_of, type_name};
use super::engine::{collect, failed};
use super::filter::{expression, field, search, time_literal};
use super::scan::{Pushdown, balanced, tenant};
use super::scores;
use crate::backend::embedded::Snapshot;
use crate::files::LiveFile;

/// With fewer rows in files than these, finding the last row's time first saves nothing.
const WORTH_A_SECOND_LOOK: u64 = 20_000;

struct Question<'a> {
    state: &'a SessionState,
    project: &'a ProjectId,
    query: &'a Query,
    table: &'static Table,
    snapshot: &'a Snapshot,
    scores: &'a Snapshot,
    /// Microseconds: from is in it, to is not.
    time: (Timestamp, Timestamp),
}

/// Answers a query that `Query::check` found well-formed.
pub(super) async fn answer(
    state: &SessionState,
    project: &ProjectId,
    query: &Query,
    table: &'static Table,
    snapshot: &Snapshot,
    scores: &Snapshot,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    let question = Question { state, project, query, table, snapshot, scores, time: query.time.resolve(now) };
    if query.measures.is_empty() { question.rows().await } else { question.numbers().await }
}

/// The name of an output column: fields may be named twice, and with dots.
fn position(i: usize) -> String {
    format!("c{i}")
}

impl Question<'_> {
    /// The rows that the query means.
    fn matching(&self, pushdown: Pushdown, also: Option<Expr>) -> Result<LogicalPlanBuilder> {
        let time = ident(self.table.time_column);
        let mut parts = vec![time.clone().gt_eq(time_literal(self.time.0)), time.lt(time_literal(self.time.1))];
        parts.extend(also);
        parts.extend(self.query.filter.as_ref().map(|filter| expression(self.table, filter)));
        parts.extend(self.query.search.as_deref().map(|text| search(self.table, text)));
        let plan = tenant(self.project, self.table, self.snapshot, pushdown)?;
        match balanced(parts, Operator::And) {
            Some(filter) => plan.filter(filter),
            None => Ok(plan),
        }
    }

    async fn run(&self, plan: LogicalPlan) -> Result<Vec<RecordBatch>, StoreError> {
        let plan = scores::resolve(self.state, self.project, self.scores, plan).await?;
        let plan = self.state.create_physical_plan(&plan).await.map_err(failed)?;
        collect(self.state, plan, failed).await
    }

    /// Time and key: what orders rows without doubt.
    fn identity(&self) -> impl Iterator<Item = &'static str> {
        [self.table.time_column].into_iter().chain(self.table.key.iter().copied())
    }

    async fn rows(&self) -> Result<Answer, StoreError> {
        let hot = self.table.columns.iter().filter(|column| column.room == ColumnRoom::Hot);
        let names: Vec<&str> = match self.query.select.as_slice() {
            [] => hot.map(|column| column.name).collect(),
            select => select.iter().map(String::as_str).collect(),
        };
        let limit = self.query.rows_at_most() as usize;
        let mut also = self.query.cursor.as_deref().map(|cursor| self.after(cursor)).transpose()?;
        let newest_first = self.query.order.is_empty();
        let mut pushdown = Pushdown::ForLookUps;
        let in_files: u64 = self.snapshot.files.iter().map(LiveFile::alive).sum();
        if newest_first && in_files > WORTH_A_SECOND_LOOK {
            // First only the times, to learn how far back the rows reach; then the columns of just those.
            pushdown = Pushdown::Always;
            if let Some(oldest) = self.oldest_of_page(also.clone(), limit).await? {
                let bound = ident(self.table.time_column).gt_eq(time_literal(oldest));
                also = balanced(also.into_iter().chain([bound]).collect(), Operator::And);
            }
        }
        let plan = self.list(&names, also, pushdown, limit).map_err(failed)?;
        let batches = self.run(plan).await?;
        let columns: Vec<AnswerColumn> = names.iter().map(|name| self.column(name)).collect();
        let mut rows = rows_of(&batches, names.len() + self.identity().count())?;
        let more = rows.len() > limit && newest_first;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).and_then(|row| cursor_of(row.get(names.len()..)?));
        for row in &mut rows {
            row.truncate(names.len());
        }
        for (i, _) in columns.iter().enumerate().filter(|(_, column)| column.ty == type_name(ColumnType::Json)) {
            rows.iter_mut().for_each(|row| parse_json(&mut row[i]));
        }
        Ok(Answer { columns, rows, next_cursor, elapsed_ms: 0.0 })
    }

    fn list(&self, names: &[&str], also: Option<Expr>, pushdown: Pushdown, limit: usize) -> Result<LogicalPlan> {
        let mut order: Vec<SortExpr> =
            self.query.order.iter().map(|order| field(self.table, &order.by).0.sort(!order.desc, false)).collect();
        order.extend(self.identity().map(|name| ident(name).sort(false, false)));
        let shown = names.iter().map(|name| field(self.table, name).0).chain(self.identity().map(ident));
        let shown: Vec<Expr> = shown.enumerate().map(|(i, expr)| expr.alias(position(i))).collect();
        // One more than is shown, to know whether there is another page.
        self.matching(pushdown, also)?.sort_with_limit(order, Some(limit + 1))?.project(shown)?.build()
    }

    /// The time of the last row of the page, if the page is full.
    async fn oldest_of_page(&self, also: Option<Expr>, limit: usize) -> Result<Option<Timestamp>, StoreError> {
        let time = ident(self.table.time_column);
        let plan = self.matching(Pushdown::ForLookUps, also).and_then(|plan| {
            plan.project([time.clone()])?.sort_with_limit([time.sort(false, false)], Some(limit + 1))?.build()
        });
        let batches = self.run(plan.map_err(failed)?).await?;
        if batches.iter().map(RecordBatch::num_rows).sum::<usize>() <= limit {
            return Ok(None);
        }
        let times =
            batches.iter().filter_map(|batch| batch.column(0).as_any().downcast_ref::<TimestampMicrosecondArray>());
        Ok(times.filter_map(datafusion::arrow::compute::min).min().map(Timestamp::from_micros))
    }

    /// Rows after the one that the cursor names, in default order.
    fn after(&self, cursor: &str) -> Result<Expr, StoreError> {
        let invalid = || InvalidQuery::new("cursor", "it is not the `next_cursor` of an answer to this query");
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
        let values: Vec<Value> = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
        let names: Vec<&str> = self.identity().collect();
        if values.len() != names.len() {
            return Err(invalid().into());
        }
        let mut after = lit(false);
        for (name, value) in names.iter().zip(&values).rev() {
            let column = self.table.column(name).ok_or_else(invalid)?;
            let value = match (column.ty, value) {
                (ColumnType::Time, Value::String(time)) => time_literal(time.parse().map_err(|_| invalid())?),
                (ColumnType::Text, Value::String(text)) => lit(text.as_str()),
                (ColumnType::Int, Value::Number(number)) => lit(number.as_i64().ok_or_else(invalid)?),
                _ => return Err(invalid().into()),
            };
            let equal = ident(*name).eq(value.clone()).and(after);
            after = ident(*name).lt(value.clone()).or(equal);
            if *name == self.table.time_column {
                // Said again by itself, so that files and row groups can be skipped by it.
                after = ident(*name).lt_eq(value).and(after);
            }
        }
        Ok(after)
    }

    async fn numbers(&self) -> Result<Answer, StoreError> {
        let width = self.query.bucket_width()?;
        let mut groups: Vec<Expr> = Vec::new();
        let mut columns: Vec<AnswerColumn> = Vec::new();
        if let Some(width) = width {
            groups.push(self.bucket(width)?);
            columns.push(answer_column("bucket", ColumnType::Time, None));
        }
        for name in &self.query.group_by {
            groups.push(field(self.table, name).0);
            columns.push(self.column(name));
        }
        columns.extend(self.query.measures.iter().map(|measure| self.measure_column(measure)));
        let plan = self.aggregate(groups, &columns).map_err(failed)?;
        let batches = self.run(plan).await?;
        let rows = rows_of(&batches, columns.len())?;
        Ok(Answer { columns, rows, next_cursor: None, elapsed_ms: 0.0 })
    }

    fn aggregate(&self, groups: Vec<Expr>, columns: &[AnswerColumn]) -> Result<LogicalPlan> {
        let grouped = groups.len();
        let groups: Vec<Expr> = groups.into_iter().enumerate().map(|(i, expr)| expr.alias(position(i))).collect();
        let measures = self.query.measures.iter().enumerate();
        let measures: Vec<Expr> = measures
            .map(|(i, measure)| Ok(self.measure(measure)?.alias(position(grouped + i))))
            .collect::<Result<_>>()?;
        let mut order: Vec<SortExpr> = Vec::new();
        for wanted in &self.query.order {
            let place = columns.iter().position(|column| column.name == wanted.by);
            order.extend(place.map(|i| ident(position(i)).sort(!wanted.desc, false)));
        }
        if self.query.order.is_empty() && self.query.bucket.is_none() {
            order.push(ident(position(grouped)).sort(false, false));
        }
        order.extend((0..grouped).map(|i| ident(position(i)).sort(true, false)));
        let all: Vec<Expr> = (0..columns.len()).map(|i| ident(position(i))).collect();
        self.matching(Pushdown::ForLookUps, None)?
            .aggregate(groups, measures)?
            .sort_with_limit(order, Some(self.query.rows_at_most() as usize))?
            .project(all)?
            .build()
    }

    fn bucket(&self, width: Duration) -> Result<Expr, InvalidQuery> {
        let nanos = i64::try_from(width.as_nanos())
            .map_err(|_| InvalidQuery::new("bucket", "it is wider than all time; expected e.g. `1m`, `1h` or `1d`"))?;
        let stride = lit(ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(0, 0, nanos))));
        Ok(date_bin(stride, ident(self.table.time_column), time_literal(Timestamp::default())))
    }

    fn measure(&self, measure: &Measure) -> Result<Expr> {
        let column = measure.column.as_deref().map(|name| field(self.table, name).0);
        let of = || column.clone().unwrap_or_else(|| lit(1_i64));
        let expr = match measure.function {
            Function::Count => count(of()),
            Function::Unique => count_distinct(of()),
            Function::Sum => sum(of()),
            Function::Avg => avg(of()),
            Function::Min => min(of()),
            Function::Max => max(of()),
            quantile => {
                let quantile = quantile.quantile().unwrap_or(0.5);
                approx_percentile_cont(cast(of(), DataType::Float64).sort(true, false), lit(quantile), None)
            }
        };
        match &measure.filter {
            Some(filter) => expr.filter(expression(self.table, filter)).build(),
            None => Ok(expr),
        }
    }

    fn column(&self, name: &str) -> AnswerColumn {
        match self.table.column(name) {
            Some(column) => answer_column(name, column.ty, column.unit),
            None => answer_column(name, ColumnType::Text, None),
        }
    }

    fn measure_column(&self, measure: &Measure) -> AnswerColumn {
        let column = measure.column.as_deref().and_then(|name| self.table.column(name));
        let fraction = measure.function == Function::Avg || measure.function.quantile().is_some();
        let counted = matches!(measure.function, Function::Count | Function::Unique);
        let ty = match column {
            _ if counted => ColumnType::Int,
            Some(column) if column.ty == ColumnType::Int && fraction => ColumnType::Float,
            Some(column) => column.ty,
            None => ColumnType::Text,
        };
        answer_column(&measure.name(), ty, column.and_then(|column| column.unit).filter(|_| !counted))
    }
}

fn answer_column(name: &str, ty: ColumnType, unit: Option<&str>) -> AnswerColumn {
    AnswerColumn { name: name.to_owned(), ty: type_name(ty).to_owned(), unit: unit.map(str::to_owned) }
}

fn cursor_of(identity: &[Value]) -> Option<String> {
    serde_json::to_vec(identity).ok().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}
