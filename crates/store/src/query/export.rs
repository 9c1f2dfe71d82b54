//! Rows on their way to a file.

use bytes::Bytes;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::ident;
use datafusion::physical_plan::execute_stream;
use signalbox_types::seam::{FileFormat, StoreError};
use signalbox_types::table::{Column, Table};
use signalbox_types::{ProjectId, Timestamp};
use tokio::sync::mpsc::Sender;

use super::engine::failed;
use super::filter::time_literal;
use super::scan::{Pushdown, tenant_shown};
use crate::backend::embedded::Snapshot;
use crate::transfer::encode;

/// Rows of a batch: few, because whole conversations go with them.
const BATCH_ROWS: usize = 512;

/// Which rows, and how they are written.
pub(crate) struct Rows {
    pub(crate) project: ProjectId,
    pub(crate) table: &'static Table,
    pub(crate) columns: Vec<&'static Column>,
    pub(crate) format: FileFormat,
    pub(crate) time: (Timestamp, Timestamp),
    pub(crate) snapshot: Snapshot,
}

pub(super) async fn run(
    state: &SessionState,
    rows: &Rows,
    out: &Sender<Result<Bytes, StoreError>>,
) -> Result<(), StoreError> {
    let Rows { project, table, columns, format, time, snapshot } = rows;
    // One after another, in no order: sorting, or reading several files at once, would take memory that grows
    // with the export.
    let config = state.config().clone().with_batch_size(BATCH_ROWS).with_target_partitions(1);
    let state = SessionStateBuilder::new_from_existing(state.clone()).with_config(config).build();
    let column = ident(table.time_column);
    let within = column.clone().gt_eq(time_literal(time.0)).and(column.lt(time_literal(time.1)));
    let plan = tenant_shown(project, table, snapshot, Pushdown::ForLookUps)
        .and_then(|plan| plan.filter(within)?.project(columns.iter().map(|column| ident(column.name)))?.build())
        .map_err(failed)?;
    let plan = state.create_physical_plan(&plan).await.map_err(failed)?;
    let batches = execute_stream(plan, state.task_ctx()).map_err(failed)?;
    encode(table, columns, *format, batches, out).await
}
