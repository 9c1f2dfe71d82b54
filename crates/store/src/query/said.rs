//! `said(references, start_time)`: what the references in a row of spans stand for.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, ident,
};
use signalbox_types::ProjectId;
use signalbox_types::table::{Column, Table};

use crate::said::Bodies;
use crate::schema;

/// Whose bodies are read.
type Source = (ProjectId, Arc<Bodies>);

#[derive(Debug)]
struct SaidFunction {
    /// Filled by [`fill`].
    source: Option<Source>,
    signature: Signature,
}

/// A column as it is answered: what is kept by hash is read, once the plan has a source.
pub(super) fn shown(table: &Table, column: &Column, source: Option<Source>) -> Expr {
    if column.by_hash { call(source, vec![ident(column.name), ident(table.time_column)]) } else { ident(column.name) }
}

fn call(source: Option<Source>, args: Vec<Expr>) -> Expr {
    let function = SaidFunction { source, signature: Signature::any(2, Volatility::Immutable) };
    ScalarUDF::new_from_impl(function).call(args)
}

/// The plan with its source.
pub(super) fn fill(plan: LogicalPlan, project: &ProjectId, bodies: Option<&Arc<Bodies>>) -> Result<LogicalPlan> {
    let Some(bodies) = bodies else { return Ok(plan) };
    let source = || Some((project.clone(), Arc::clone(bodies)));
    let fill = |expr: Expr| {
        let Expr::ScalarFunction(function) = &expr else { return Ok(Transformed::no(expr)) };
        let inner: &dyn Any = function.func.inner().as_ref();
        let open = inner.downcast_ref::<SaidFunction>().is_some_and(|said| said.source.is_none());
        if !open {
            return Ok(Transformed::no(expr));
        }
        // Its columns are qualified by now.
        Ok(Transformed::yes(call(source(), function.args.clone())))
    };
    let filled = plan.transform_down(|node| node.map_expressions(|expr| expr.transform_down(fill)));
    filled.map(|plan| plan.data)
}

/// Whether an expression needs a column that is kept by hash.
pub(super) fn reads_said(table: &Table, expr: &Expr) -> bool {
    expr.column_refs().iter().any(|column| table.column(&column.name).is_some_and(|column| column.by_hash))
}

impl ScalarUDFImpl for SaidFunction {
    fn name(&self) -> &'static str {
        "said"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some((project, bodies)) = &self.source else { return exec_err!("it is not known where bodies are") };
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [references, times] = arrays.as_slice() else { return exec_err!("expected references and times") };
        let times = cast(times, &DataType::Timestamp(TimeUnit::Microsecond, Some(schema::utc())))?;
        let references = references.as_list_opt::<i32>();
        let references = references.ok_or_else(|| exec_datafusion_err!("expected a list of references"))?;
        let texts = bodies.texts(project, references, times.as_primitive::<TimestampMicrosecondType>())?;
        Ok(ColumnarValue::Array(Arc::new(texts)))
    }
}

/// A plan is about one moment: those that have a source have the same.
impl PartialEq for SaidFunction {
    fn eq(&self, other: &Self) -> bool {
        self.source.is_some() == other.source.is_some()
    }
}

impl Eq for SaidFunction {}

impl Hash for SaidFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.is_some().hash(state);
    }
}
