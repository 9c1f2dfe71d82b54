//! Sorted files as one sorted stream, for merging them.

use std::sync::Arc;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::context::SessionState;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream, execute_stream};
use signalbox_types::table::Table;

use super::{access, scan};
use crate::files::LiveFile;
use crate::schema;

/// Rows of a batch: of each of the files, a batch or two are in memory at the same time, with the bodies.
const BATCH_ROWS: usize = 1_024;

/// All rows of these files that are not dead, in the table's order.
pub(super) fn merged(state: &SessionState, table: &Table, files: &[LiveFile]) -> Result<SendableRecordBatchStream> {
    let schema = schema::of(table);
    let sort = table.sort.iter().map(|name| Ok(PhysicalSortExpr::new_default(col(name, &schema)?)));
    let ordering = LexOrdering::new(sort.collect::<Result<Vec<_>>>()?);
    let groups = files.iter().map(|file| {
        let meta = file.meta();
        let mut partitioned = PartitionedFile::new(meta.relative_path(), meta.bytes);
        if let Some(selection) = access::selection(meta.rows, None, file.dead.as_deref()) {
            partitioned = partitioned.with_extension(selection);
        }
        FileGroup::new(vec![partitioned])
    });
    let config = FileScanConfigBuilder::new(scan::files_url()?, Arc::new(ParquetSource::new(Arc::clone(&schema))))
        .with_file_groups(groups.collect())
        .with_output_ordering(ordering.iter().cloned().collect())
        .build();
    let files: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
    let plan = match ordering {
        Some(ordering) => Arc::new(SortPreservingMergeExec::new(ordering, files)),
        None => files,
    };
    let config = state.config().clone().with_batch_size(BATCH_ROWS);
    execute_stream(plan, Arc::new(TaskContext::from(state).with_session_config(config)))
}
