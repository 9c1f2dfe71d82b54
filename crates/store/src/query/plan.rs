//! `types::Query` as a plan: what is common to all, and rows. Numbers are in `numbers`.

use datafusion::arrow::array::{Array, RecordBatch, TimestampMicrosecondArray};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Operator, SortExpr, ident, lit};
use signalbox_types::query::{self, AnswerColumn, Filter, Query, SEARCH_HIGHLIGHT};
use signalbox_types::seam::StoreError;
use signalbox_types::table::{ColumnRoom, ColumnType, Table};
use signalbox_types::{Answer, ProjectId, Timestamp};

use super::answer::{parse_json, rows_of, type_name};
use super::cursor::{self, Cursor, identity};
use super::engine::{collect, failed};
use super::filter::{expression, field, time_literal};
use super::scan::{Pushdown, balanced, tenant};
use super::{said, scores};
use crate::backend::embedded::Snapshot;
use crate::files::LiveFile;
use crate::schema::look_up_columns;
use crate::text::Search;

/// With fewer rows in files than these, finding the last row's time first saves nothing.
const WORTH_A_SECOND_LOOK: u64 = 20_000;

pub(super) struct Question<'a> {
    pub(super) state: &'a SessionState,
    pub(super) project: &'a ProjectId,
    pub(super) query: &'a Query,
    pub(super) table: &'static Table,
    pub(super) snapshot: Snapshot,
    scores: &'a Snapshot,
    /// Microseconds: from is in it, to is not.
    pub(super) time: (Timestamp, Timestamp),
    /// By how many a rate divides.
    pub(super) seconds: f64,
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
    let (time, seconds) = (query.range(now)?, query.rate_seconds(now)?);
    let mut question = Question { state, project, query, table, snapshot: snapshot.clone(), scores, time, seconds };
    if !query.measures.is_empty() {
        question.find_all().await?;
        return question.numbers().await;
    }
    let cursor = query.cursor.as_deref().map(|text| Cursor::read(text, table)).transpose()?;
    if let Some(cursor) = &cursor {
        question.time.0 = cursor.from;
    }
    question.rows(cursor).await
}

/// The name of an output column: fields may be named twice, and with dots.
pub(super) fn position(i: usize) -> String {
    format!("c{i}")
}

impl Question<'_> {
    /// The rows that the query means.
    pub(super) fn matching(&self, pushdown: Pushdown, also: Option<Expr>) -> Result<LogicalPlanBuilder> {
        let time = ident(self.table.time_column);
        let mut parts = vec![time.clone().gt_eq(time_literal(self.time.0)), time.lt(time_literal(self.time.1))];
        parts.extend(also);
        parts.extend(self.query.filter.as_ref().map(|filter| expression(self.table, filter)));
        let plan = tenant(self.project, self.table, &self.snapshot, pushdown)?;
        match balanced(parts, Operator::And) {
            Some(filter) => plan.filter(filter),
            None => Ok(plan),
        }
    }

    pub(super) async fn run(&self, plan: LogicalPlan) -> Result<Vec<RecordBatch>, StoreError> {
        let plan = scores::resolve(self.state, self.project, self.scores, plan).await?;
        let plan = said::fill(plan, self.project, self.snapshot.bodies.as_ref()).map_err(failed)?;
        let plan = self.state.create_physical_plan(&plan).await.map_err(failed)?;
        collect(self.state, plan, failed).await
    }

    async fn rows(&mut self, cursor: Option<Cursor>) -> Result<Answer, StoreError> {
        let hot = self.table.columns.iter().filter(|column| column.room == ColumnRoom::Hot);
        let names: Vec<&str> = match self.query.select.as_slice() {
            [] => hot.map(|column| column.name).collect(),
            select => select.iter().map(String::as_str).collect(),
        };
        let limit = self.query.rows_at_most() as usize;
        let mut also = cursor.map(|cursor| cursor.after);
        let newest_first = self.query.order.is_empty();
        let mut pushdown = Pushdown::ForLookUps;
        let in_files: u64 = self.snapshot.files.iter().map(LiveFile::alive).sum();
        // First only the times, to learn how far back the rows reach; then the columns of just those.
        let search = self.search()?;
        let text_query = search.as_ref().map(Search::query);
        let oldest = match search {
            Some(search) if newest_first => self.find_newest(search, also.as_ref(), limit).await?,
            Some(_) => {
                self.find_all().await?;
                None
            }
            None if newest_first && in_files > WORTH_A_SECOND_LOOK && !self.looks_up() => {
                pushdown = Pushdown::Always;
                self.oldest_of_page(also.clone(), limit).await?
            }
            None => None,
        };
        if let Some(oldest) = oldest {
            pushdown = Pushdown::Always;
            let bound = ident(self.table.time_column).gt_eq(time_literal(oldest));
            also = balanced(also.into_iter().chain([bound]).collect(), Operator::And);
        }
        let highlighted = names.contains(&SEARCH_HIGHLIGHT);
        let texts = self.table.columns.iter().filter(|column| highlighted && column.searchable);
        let texts: Vec<&str> = texts.map(|column| column.name).collect();
        let plan = self.list(&names, &texts, also, pushdown, limit).map_err(failed)?;
        let batches = self.run(plan).await?;
        let columns: Vec<AnswerColumn> = names.iter().map(|name| self.column(name)).collect();
        let texts_from = names.len() + identity(self.table).count();
        let mut rows = rows_of(&batches, texts_from + texts.len())?;
        if let Some(query) = text_query.filter(|_| highlighted) {
            rows.iter_mut().for_each(|row| self.highlight(&query, &names, texts_from, row));
        }
        let more = rows.len() > limit && newest_first;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).and_then(|row| {
            let last = row.get(names.len()..texts_from)?;
            cursor::of(self.time.0, last)
        });
        for row in &mut rows {
            row.truncate(names.len());
        }
        for (i, _) in columns.iter().enumerate().filter(|(_, column)| column.ty == type_name(ColumnType::Json)) {
            rows.iter_mut().for_each(|row| parse_json(&mut row[i]));
        }
        Ok(Answer { columns, rows, next_cursor, elapsed_ms: 0.0 })
    }

    /// Few rows can be meant: they are looked up by an id.
    fn looks_up(&self) -> bool {
        let is_id = |field: &str| look_up_columns(self.table).any(|column| column == field);
        let by_id = |filter: &Filter| match filter {
            Filter::Compare(one) => one.op == query::Operator::Equal && is_id(&one.field),
            _ => false,
        };
        self.query.filter.as_ref().is_some_and(|filter| match filter {
            Filter::All(parts) => parts.iter().any(by_id),
            filter => by_id(filter),
        })
    }

    fn list(
        &self,
        names: &[&str],
        texts: &[&str],
        also: Option<Expr>,
        pushdown: Pushdown,
        limit: usize,
    ) -> Result<LogicalPlan> {
        let mut order: Vec<SortExpr> =
            self.query.order.iter().map(|order| field(self.table, &order.by).0.sort(!order.desc, false)).collect();
        order.extend(identity(self.table).map(|name| ident(name).sort(false, false)));
        // A highlight is made of the texts that stand at the row's end.
        let named = names.iter().map(|&name| match name {
            SEARCH_HIGHLIGHT => lit(ScalarValue::Utf8(None)),
            name => field(self.table, name).0,
        });
        let shown =
            named.chain(identity(self.table).map(ident)).chain(texts.iter().map(|&name| field(self.table, name).0));
        let shown: Vec<Expr> = shown.enumerate().map(|(i, expr)| expr.alias(position(i))).collect();
        // One more than is shown, to know whether there is another page.
        self.matching(pushdown, also)?.sort_with_limit(order, Some(limit + 1))?.project(shown)?.build()
    }

    /// The time of the last row of the page, if the page is full.
    pub(super) async fn oldest_of_page(
        &self,
        also: Option<Expr>,
        limit: usize,
    ) -> Result<Option<Timestamp>, StoreError> {
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

    pub(super) fn column(&self, name: &str) -> AnswerColumn {
        match self.table.column(name) {
            Some(column) => answer_column(name, column.ty, column.unit),
            None if name == SEARCH_HIGHLIGHT => answer_column(name, ColumnType::Json, None),
            None => answer_column(name, ColumnType::Text, None),
        }
    }
}

pub(super) fn answer_column(name: &str, ty: ColumnType, unit: Option<&str>) -> AnswerColumn {
    AnswerColumn { name: name.to_owned(), ty: type_name(ty).to_owned(), unit: unit.map(str::to_owned) }
}
