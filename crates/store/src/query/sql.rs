//! Read-only SQL over one project. Its tables are views with the project in them; nothing else has
//! a name that SQL could say.

use std::sync::Arc;

use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider,
    SchemaProvider,
};
use datafusion::config::Dialect;
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::{SQLOptions, SessionState};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use signalbox_types::query::MAX_LIMIT;
use signalbox_types::seam::StoreError;
use signalbox_types::table::Table;
use signalbox_types::{Answer, ProjectId};

use super::answer::{column_of, parse_json, rows_of};
use super::describe;
use super::engine::{collect, out_of_memory};
use super::guard::guarded;
use super::scan::{Pushdown, tenant_shown};
use crate::backend::embedded::Snapshot;

pub(super) const CATALOG: &str = "signalbox";
pub(super) const SCHEMA: &str = "public";
/// Longer SQL is no question of a person.
const SQL_BYTES: usize = 64 << 10;
/// Planning takes stack for each operator of a chain: 16 KB in a debug build, on threads that have
/// 128 MB. A word, a number or a sign is a token.
const SQL_TOKENS: usize = 4_000;

pub(super) async fn answer(
    state: SessionState,
    project: &ProjectId,
    sql: &str,
    tables: Vec<(&'static Table, Snapshot)>,
) -> Result<Answer, StoreError> {
    if sql.len() > SQL_BYTES {
        return Err(StoreError::Limit(format!("the SQL is longer than {SQL_BYTES} bytes")));
    }
    if let Some(answer) = describe::answer(sql) {
        return answer;
    }
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize().map_err(|error| not_sql(&error))?;
    if tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))).count() > SQL_TOKENS {
        return Err(StoreError::Limit(format!("the SQL has more than {SQL_TOKENS} words and signs")));
    }
    let catalog = views(project, tables).map_err(refused)?;
    let mut state = SessionStateBuilder::new_from_existing(state).with_catalog_list(catalog).build();
    // `now()` is this moment, not that of the engine's start.
    state.mark_start_execution();
    let statement = state.sql_to_statement(sql, &Dialect::Generic).map_err(refused)?;
    let selects =
        matches!(&statement, Statement::Statement(statement) if matches!(**statement, ast::Statement::Query(_)));
    if !selects {
        return Err(StoreError::Sql("only one SELECT statement is allowed: this SQL is read-only".to_owned()));
    }
    let plan = state.statement_to_plan(statement).await.and_then(guarded).map_err(refused)?;
    let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    read_only.verify_plan(&plan).map_err(refused)?;
    let columns = plan.schema().fields().iter().map(|field| column_of(field)).collect::<Vec<_>>();
    let limit = MAX_LIMIT as usize;
    let plan = limited(plan, limit + 1).map_err(refused)?;
    let plan = state.create_physical_plan(&plan).await.map_err(refused)?;
    let batches = collect(&state, plan, refused).await?;
    let mut rows = rows_of(&batches, columns.len())?;
    if rows.len() > limit {
        return Err(StoreError::Limit(format!("the answer has more than {limit} rows; add a LIMIT")));
    }
    for (i, _) in columns.iter().enumerate().filter(|(_, column)| column.ty == "json") {
        rows.iter_mut().for_each(|row| parse_json(&mut row[i]));
    }
    Ok(Answer { columns, rows, next_cursor: None, elapsed_ms: 0.0 })
}

fn limited(plan: LogicalPlan, rows: usize) -> Result<LogicalPlan> {
    LogicalPlanBuilder::from(plan).limit(0, Some(rows))?.build()
}

fn views(project: &ProjectId, tables: Vec<(&'static Table, Snapshot)>) -> Result<Arc<dyn CatalogProviderList>> {
    let schema = MemorySchemaProvider::new();
    for (table, snapshot) in tables {
        let plan = tenant_shown(project, table, &snapshot, Pushdown::ForLookUps)?.build()?;
        schema.register_table(table.name.to_owned(), Arc::new(ViewTable::new(plan, None)))?;
    }
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(SCHEMA, Arc::new(schema))?;
    let list = MemoryCatalogProviderList::new();
    list.register_catalog(CATALOG.to_owned(), Arc::new(catalog));
    Ok(Arc::new(list))
}

/// What is wrong with somebody's SQL, in the parser's or planner's own words.
fn refused(error: DataFusionError) -> StoreError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => out_of_memory(),
        DataFusionError::SQL(parser, _) => not_sql(parser),
        DataFusionError::Internal(_)
        | DataFusionError::IoError(_)
        | DataFusionError::ObjectStore(_)
        | DataFusionError::ParquetError(_) => StoreError::Internal(error.strip_backtrace()),
        root => StoreError::Sql(root.message().into_owned()),
    }
}

fn not_sql(problem: &dyn std::fmt::Display) -> StoreError {
    StoreError::Sql(format!("this is not SQL: {problem}"))
}
