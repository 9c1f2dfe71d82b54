//! `{"score": …}` in a filter: rows that scores judge. The scores are looked for first; what they
//! judge becomes a set in memory, and the filter a look-up in it. A join would have to hold one side
//! with its bodies, and can't stand below `any`, `not` or in a measure.

use std::any::Any;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, BooleanArray, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::exec_err;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, ident, lit,
};
use signalbox_types::seam::StoreError;
use signalbox_types::table::SCORES;
use signalbox_types::{Filter, ProjectId, SpanId, TraceId};

use super::engine::{collect, failed};
use super::filter::expression;
use super::scan::{Pushdown, tenant};
use crate::backend::embedded::Snapshot;

/// Traces and spans that one filter's scores may judge: some 50 bytes each.
const MAX_TARGETS: usize = 500_000;
/// With fewer traces than these they are named as well, so that files can be skipped by their ids.
const MAX_NAMED: usize = 200;

/// What some scores judge.
#[derive(Debug, Default)]
struct Targets {
    traces: HashSet<TraceId>,
    spans: HashSet<(TraceId, SpanId)>,
}

/// `scored(trace_id, span_id)`: a score that meets the filter judges the span or its whole trace.
#[derive(Debug)]
struct Scored {
    filter: Filter,
    /// Filled by [`resolve`].
    targets: Option<Arc<Targets>>,
    signature: Signature,
}

/// The filter, before its scores were looked for.
pub(super) fn scored(filter: &Filter) -> Expr {
    call(Scored::new(filter.clone(), None))
}

/// The plan with its scores looked for.
pub(super) async fn resolve(
    state: &SessionState,
    project: &ProjectId,
    scores: &Snapshot,
    plan: LogicalPlan,
) -> Result<LogicalPlan, StoreError> {
    let wanted = unresolved(&plan).map_err(failed)?;
    if wanted.is_empty() {
        return Ok(plan);
    }
    let mut found = Vec::with_capacity(wanted.len());
    for filter in wanted {
        let targets = look_for(state, project, scores, &filter).await?;
        found.push((filter, Arc::new(targets)));
    }
    let fill = |expr: Expr| {
        let Some(filter) = open(&expr) else { return Ok(Transformed::no(expr)) };
        let targets = found.iter().find(|(wanted, _)| wanted == filter).map(|(_, targets)| Arc::clone(targets));
        Ok(Transformed::yes(look_up(filter.clone(), targets.unwrap_or_default())))
    };
    let filled = plan.transform_down(|node| node.map_expressions(|expr| expr.transform_down(fill)));
    filled.map(|plan| plan.data).map_err(failed)
}

/// The filters in the plan that wait for their scores, each once.
fn unresolved(plan: &LogicalPlan) -> Result<Vec<Filter>> {
    let mut wanted: Vec<Filter> = Vec::new();
    plan.apply(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                wanted.extend(open(part).filter(|filter| !wanted.contains(filter)).cloned());
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(wanted)
}

/// The filter of a call that waits for its scores.
fn open(expr: &Expr) -> Option<&Filter> {
    let Expr::ScalarFunction(function) = expr else { return None };
    let function: &dyn Any = function.func.inner().as_ref();
    function.downcast_ref::<Scored>().filter(|scored| scored.targets.is_none()).map(|scored| &scored.filter)
}

async fn look_for(
    state: &SessionState,
    project: &ProjectId,
    scores: &Snapshot,
    filter: &Filter,
) -> Result<Targets, StoreError> {
    let plan = tenant(project, &SCORES, scores, Pushdown::ForLookUps).and_then(|plan| {
        plan.filter(expression(&SCORES, filter).and(ident("trace_id").is_not_null()))?
            .project([ident("trace_id"), ident("span_id")])?
            .distinct()?
            .limit(0, Some(MAX_TARGETS + 1))?
            .build()
    });
    let plan = state.create_physical_plan(&plan.map_err(failed)?).await.map_err(failed)?;
    let batches = collect(state, plan, failed).await?;
    if batches.iter().map(RecordBatch::num_rows).sum::<usize>() > MAX_TARGETS {
        let problem = format!("more than {MAX_TARGETS} spans have such a score; narrow the filter on scores");
        return Err(StoreError::Limit(problem));
    }
    let mut targets = Targets::default();
    for batch in &batches {
        let ids = texts(&[Arc::clone(batch.column(0)), Arc::clone(batch.column(1))]).map_err(failed)?;
        for row in 0..batch.num_rows() {
            let Some(trace_id) = parsed(&ids[0], row) else { continue };
            match parsed(&ids[1], row) {
                Some(span_id) => _ = targets.spans.insert((trace_id, span_id)),
                None => _ = targets.traces.insert(trace_id),
            }
        }
    }
    Ok(targets)
}

fn look_up(filter: Filter, targets: Arc<Targets>) -> Expr {
    let traces: HashSet<TraceId> =
        targets.spans.iter().map(|(trace_id, _)| *trace_id).chain(targets.traces.iter().copied()).collect();
    if traces.is_empty() {
        return lit(false);
    }
    let look_up = call(Scored::new(filter, Some(targets)));
    if traces.len() > MAX_NAMED {
        return look_up;
    }
    let named = traces.iter().map(|trace_id| lit(trace_id.to_string())).collect();
    ident("trace_id").in_list(named, false).and(look_up)
}

fn call(scored: Scored) -> Expr {
    ScalarUDF::new_from_impl(scored).call(vec![ident("trace_id"), ident("span_id")])
}

fn texts(columns: &[Arc<dyn Array>]) -> Result<Vec<StringArray>> {
    let text = |column: &Arc<dyn Array>| Ok(StringArray::from(cast(column, &DataType::Utf8)?.to_data()));
    columns.iter().map(text).collect()
}

fn parsed<T: std::str::FromStr>(column: &StringArray, row: usize) -> Option<T> {
    column.is_valid(row).then(|| column.value(row).parse().ok())?
}

impl Scored {
    fn new(filter: Filter, targets: Option<Arc<Targets>>) -> Self {
        Self { filter, targets, signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Scored {
    fn name(&self) -> &'static str {
        "scored"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(targets) = &self.targets else { return exec_err!("the scores were not looked for") };
        let ids = texts(&ColumnarValue::values_to_arrays(&args.args)?)?;
        let judged = (0..ids[0].len()).map(|row| {
            let trace_id: Option<TraceId> = parsed(&ids[0], row);
            let judged = trace_id.is_some_and(|trace_id| {
                targets.traces.contains(&trace_id)
                    || parsed(&ids[1], row).is_some_and(|span_id| targets.spans.contains(&(trace_id, span_id)))
            });
            Some(judged)
        });
        Ok(ColumnarValue::Array(Arc::new(judged.collect::<BooleanArray>())))
    }
}

/// Two of the same filter are the same once both were looked for: a plan is about one moment.
impl PartialEq for Scored {
    fn eq(&self, other: &Self) -> bool {
        self.filter == other.filter && self.targets.is_some() == other.targets.is_some()
    }
}

impl Eq for Scored {}

impl Hash for Scored {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // A filter holds JSON, whose numbers have no hash; its text does as well.
        serde_json::to_string(&self.filter).unwrap_or_default().hash(state);
        self.targets.is_some().hash(state);
    }
}
