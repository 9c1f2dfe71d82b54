//! A table as DataFusion sees it: the files and the rows in memory of one snapshot. Nobody gets at
//! it but through [`tenant`], which adds the project.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, BooleanArray, StringArray, TimestampMicrosecondArray, UInt64Array};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, ColumnStatistics, DFSchema, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::provider_as_source;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Expr, LogicalPlanBuilder, Operator, TableProviderFilterPushDown, TableType, binary_expr, ident, lit,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use roaring::RoaringBitmap;
use signalbox_types::ProjectId;
use signalbox_types::table::Table;

use super::{access, said};
use crate::backend::embedded::Snapshot;
use crate::files::LiveFile;
use crate::keys::first_of;
use crate::manifest::DataFile;
use crate::schema;

/// A list of more ids than these is looked for by filters.
const MAX_KEYS: usize = 2_000;

/// When filters are applied while a file is read, row by row, instead of after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushdown {
    /// If the query looks a row up by an id: measured 3 times faster for those, slower for others.
    ForLookUps,
    /// Always: few rows are wanted, and it is known which.
    Always,
}

/// The rows of a table that belong to a project. The only way to a plan over a table.
pub(super) fn tenant(
    project: &ProjectId,
    table: &'static Table,
    snapshot: &Snapshot,
    pushdown: Pushdown,
) -> Result<LogicalPlanBuilder> {
    let source = Scan { table, schema: schema::of(table), snapshot: snapshot.clone(), pushdown };
    LogicalPlanBuilder::scan(table.name, provider_as_source(Arc::new(source)), None)?
        .filter(ident("project_id").eq(lit(project.as_str())))
}

/// The same rows with what was said in them, for who does not know how that is kept.
pub(super) fn tenant_shown(
    project: &ProjectId,
    table: &'static Table,
    snapshot: &Snapshot,
    pushdown: Pushdown,
) -> Result<LogicalPlanBuilder> {
    let plan = tenant(project, table, snapshot, pushdown)?;
    let Some(bodies) = &snapshot.bodies else { return Ok(plan) };
    let source = || Some((project.clone(), Arc::clone(bodies)));
    let fields = schema::shown(table);
    let columns = table.columns.iter().zip(fields.fields()).map(|(column, field)| {
        if !column.by_hash {
            return ident(column.name);
        }
        said::shown(table, column, source()).alias_with_metadata(column.name, Some(field.metadata().clone().into()))
    });
    plan.project(columns.collect::<Vec<_>>())
}

/// Where data files are: the engine registers the data folder under it.
pub(super) fn files_url() -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse("signalbox://files")
}

#[derive(Debug)]
struct Scan {
    table: &'static Table,
    schema: SchemaRef,
    snapshot: Snapshot,
    pushdown: Pushdown,
}

#[async_trait]
impl TableProvider for Scan {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// They help to skip files, row groups and pages; a filter above them decides.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let helps = |filter: &&Expr| match said::reads_said(self.table, filter) {
            true => TableProviderFilterPushDown::Unsupported,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(helps).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let predicate = match conjunction(filters.to_vec()) {
            Some(filter) => Some(state.create_physical_expr(filter, &DFSchema::try_from(Arc::clone(&self.schema))?)?),
            None => None,
        };
        let keep = self.prune(predicate.as_ref())?;
        let (keep_files, keep_chunks) = keep.split_at(self.snapshot.files.len());
        let files: Vec<_> = kept(&self.snapshot.files, keep_files).collect();
        let batches = kept(&self.snapshot.chunks, keep_chunks).map(|(chunk, dead)| match &self.snapshot.found {
            Some(found) => chunk.alive(Some(&found.others(chunk, dead))),
            None => chunk.alive(Some(dead)),
        });
        let batches = batches.collect::<Result<Vec<_>, _>>()?;
        let by_key = self.first_keys(filters);
        let named = by_key.is_some();
        let mut wanted = self.wanted(by_key, files)?;
        if let Some(found) = &self.snapshot.found {
            for (file, rows) in &mut wanted {
                let answers = found.in_file(file.meta());
                *rows = Some(rows.take().map_or_else(|| answers.clone(), |rows| rows & answers));
            }
            wanted.retain(|(_, rows)| rows.as_ref().is_none_or(|rows| !rows.is_empty()));
        }
        let mut inputs: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        if !batches.is_empty() {
            let schema = Arc::clone(&self.schema);
            inputs.push(MemorySourceConfig::try_new_exec(&[batches], schema, projection.cloned())?);
        }
        // The rows of a key are few, and known: to look into each file for what it can't have takes longer
        // than to read them. The filter above decides.
        let (picked, wanted): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|(_, rows)| named && rows.is_some());
        if !picked.is_empty() {
            inputs.push(self.scan_files(state, picked, projection, None, false)?);
        }
        if !wanted.is_empty() {
            let pushdown = self.pushdown == Pushdown::Always || self.looks_up(filters);
            inputs.push(self.scan_files(state, wanted, projection, predicate, pushdown)?);
        }
        match inputs.len() {
            0 => {
                let schema = match projection {
                    Some(projection) => Arc::new(self.schema.project(projection)?),
                    None => Arc::clone(&self.schema),
                };
                Ok(Arc::new(EmptyExec::new(schema)))
            }
            1 => Ok(inputs.remove(0)),
            _ => UnionExec::try_new(inputs),
        }
    }
}

impl Scan {
    fn scan_files(
        &self,
        state: &dyn Session,
        mut files: Vec<(&LiveFile, Option<RoaringBitmap>)>,
        projection: Option<&Vec<usize>>,
        predicate: Option<Arc<dyn PhysicalExpr>>,
        pushdown: bool,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let url = files_url()?;
        let environment = state.runtime_env();
        let store = environment.object_store(&url)?;
        let cache = environment.cache_manager.get_file_metadata_cache();
        let mut source = ParquetSource::new(Arc::clone(&self.schema))
            .with_parquet_file_reader_factory(Arc::new(CachedParquetFileReaderFactory::new(store, cache)))
            .with_enable_page_index(true)
            .with_bloom_filter_on_read(true)
            .with_pushdown_filters(pushdown)
            .with_reorder_filters(pushdown);
        if let Some(predicate) = predicate {
            source = source.with_predicate(predicate);
        }
        // Newest first: what asks for the newest rows is soon done, and skips the rest by statistics.
        files.sort_by_key(|(file, _)| std::cmp::Reverse(file.meta().time.1));
        let partitions = state.config().target_partitions().max(1).min(files.len());
        let mut groups: Vec<FileGroup> = vec![FileGroup::default(); partitions];
        for (i, (file, wanted)) in files.into_iter().enumerate() {
            groups[i % partitions].push(self.partitioned_file(file, wanted.as_ref()));
        }
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn partitioned_file(&self, file: &LiveFile, wanted: Option<&RoaringBitmap>) -> PartitionedFile {
        let meta = file.meta();
        let mut statistics = Statistics::new_unknown(&self.schema);
        if wanted.is_none() {
            statistics.num_rows = Precision::Exact(usize::try_from(file.alive()).unwrap_or(usize::MAX));
        }
        // The first or the last row may be dead.
        let exact = if file.dead_rows() == 0 { Precision::Exact } else { Precision::Inexact };
        let time = |micros| exact(ScalarValue::TimestampMicrosecond(Some(micros), Some(schema::utc())));
        if let Some(position) = self.table.position(self.table.time_column) {
            statistics.column_statistics[position] = ColumnStatistics {
                null_count: Precision::Exact(0),
                min_value: time(meta.time.0),
                max_value: time(meta.time.1),
                ..ColumnStatistics::new_unknown()
            };
        }
        let partitioned = PartitionedFile::new(meta.relative_path(), meta.bytes).with_statistics(Arc::new(statistics));
        match access::selection(meta.rows, wanted, file.dead.as_deref()) {
            Some(selection) => partitioned.with_extension(selection),
            None => partitioned,
        }
    }

    /// The files to read, and of those the rows, if the query names the first part of their keys.
    fn wanted<'a>(
        &self,
        keys: Option<Vec<&str>>,
        files: Vec<&'a LiveFile>,
    ) -> Result<Vec<(&'a LiveFile, Option<RoaringBitmap>)>> {
        let Some(values) = keys else {
            return Ok(files.into_iter().map(|file| (file, None)).collect());
        };
        let hashes: Vec<u64> = values.into_iter().map(first_of).collect();
        let mut wanted = Vec::new();
        for file in files {
            let mut rows = RoaringBitmap::new();
            let mut known = true;
            for hash in &hashes {
                match file.find_first(*hash)? {
                    Some(found) => rows.extend(found),
                    None => known = false,
                }
            }
            if !known {
                wanted.push((file, None));
            } else if !rows.is_empty() {
                wanted.push((file, Some(rows)));
            }
        }
        Ok(wanted)
    }

    /// The values of the first key column that the query asks for, if it names few.
    fn first_keys<'a>(&self, filters: &'a [Expr]) -> Option<Vec<&'a str>> {
        let first: &[&str] = self.table.key.get(..1)?;
        filters.iter().find_map(|filter| match filter {
            Expr::BinaryExpr(binary) if binary.op == Operator::Eq => {
                let value = match (is_one_of(&binary.left, first), is_one_of(&binary.right, first)) {
                    (true, _) => text_of(&binary.right),
                    (_, true) => text_of(&binary.left),
                    _ => None,
                };
                value.map(|value| vec![value])
            }
            Expr::InList(list) if !list.negated && list.list.len() <= MAX_KEYS && is_one_of(&list.expr, first) => {
                list.list.iter().map(text_of).collect()
            }
            _ => None,
        })
    }

    /// A conjunct is `id = …` or `id IN (…)`.
    fn looks_up(&self, filters: &[Expr]) -> bool {
        let ids: Vec<&str> = schema::look_up_columns(self.table).collect();
        filters.iter().any(|filter| match filter {
            Expr::BinaryExpr(binary) if binary.op == Operator::Eq => {
                [&binary.left, &binary.right].iter().any(|side| is_one_of(side, &ids))
            }
            Expr::InList(list) => !list.negated && is_one_of(&list.expr, &ids),
            _ => false,
        })
    }

    /// Which files and chunks may hold rows that fulfil the predicate.
    fn prune(&self, predicate: Option<&Arc<dyn PhysicalExpr>>) -> Result<Vec<bool>> {
        let all = self.snapshot.files.len() + self.snapshot.chunks.len();
        let Some(predicate) = predicate else { return Ok(vec![true; all]) };
        let pruning = PruningPredicateBuilder::new()
            .with_file_schema(Arc::clone(&self.schema))
            .try_build(Arc::clone(predicate))?;
        pruning.prune(&Bounds { table: self.table, snapshot: &self.snapshot, all })
    }
}

fn text_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => Some(text),
        _ => None,
    }
}

fn is_one_of(expr: &Expr, names: &[&str]) -> bool {
    matches!(expr, Expr::Column(column) if names.contains(&column.name.as_str()))
}

fn kept<'a, T>(items: &'a [T], keep: &'a [bool]) -> impl Iterator<Item = &'a T> {
    items.iter().zip(keep).filter(|(_, keep)| **keep).map(|(item, _)| item)
}

/// What is known of files and chunks without opening them; files first.
struct Bounds<'a> {
    table: &'static Table,
    snapshot: &'a Snapshot,
    all: usize,
}

impl Bounds<'_> {
    fn bound(&self, column: &Column, time: fn((i64, i64)) -> i64, project: fn(&DataFile) -> &str) -> Option<ArrayRef> {
        let Snapshot { files, chunks, .. } = self.snapshot;
        let files = files.iter().map(LiveFile::meta);
        if column.name == self.table.time_column {
            let times = files.map(|file| file.time).chain(chunks.iter().map(|(chunk, _)| chunk.time));
            let times: TimestampMicrosecondArray = times.map(|range| Some(time(range))).collect();
            return Some(Arc::new(times.with_timezone(schema::utc())));
        }
        if column.name == "project_id" {
            let projects = files.map(|file| Some(project(file)));
            let projects: StringArray = projects.chain(chunks.iter().map(|_| None)).collect();
            return Some(Arc::new(projects));
        }
        None
    }
}

impl PruningStatistics for Bounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bound(column, |time| time.0, |file| &file.projects.0)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bound(column, |time| time.1, |file| &file.projects.1)
    }

    fn num_containers(&self) -> usize {
        self.all
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let files = self.snapshot.files.iter().map(LiveFile::alive);
        let chunks = self.snapshot.chunks.iter().map(|(chunk, _)| chunk.batch.num_rows() as u64);
        Some(Arc::new(files.chain(chunks).collect::<UInt64Array>()))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

/// `left AND right AND …` without deep nesting, which planning would have to recurse into.
pub(super) fn balanced(mut parts: Vec<Expr>, operator: Operator) -> Option<Expr> {
    while parts.len() > 1 {
        let mut halved = Vec::with_capacity(parts.len().div_ceil(2));
        let mut pairs = parts.into_iter();
        while let Some(left) = pairs.next() {
            halved.push(match pairs.next() {
                Some(right) => binary_expr(left, operator, right),
                None => left,
            });
        }
        parts = halved;
    }
    parts.pop()
}
