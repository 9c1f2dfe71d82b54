//! Functions that make much out of little, or take long over it, look at what they are given before
//! they begin. Neither the memory pool nor the timeout sees what happens inside one step of a
//! function: sixteen nested `replace` would turn a letter into gigabytes.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};

/// A value that a function makes is this large at most.
const VALUE_BYTES: u64 = 16 << 20;
/// A value that depends on no row: it may be repeated in every row of a batch.
const CONSTANT_BYTES: u64 = 64 << 10;
/// Values that are together this small need no look at each.
const SMALL_BYTES: u64 = 4 << 10;
/// What a function makes of one batch is this large at most.
const BATCH_BYTES: u64 = 256 << 20;
/// Steps that a comparison of two values may take, and those of one batch: some seconds.
const VALUE_STEPS: u64 = 100_000_000;
const BATCH_STEPS: u64 = 4_000_000_000;

/// How large the answer can become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Growth {
    /// As all arguments together.
    Sum,
    /// `replace(text, from, to)`.
    Replace,
    /// `regexp_replace(text, pattern, to)`: each match may put the whole of `to` in.
    Pattern,
    /// Each element is followed by the other arguments.
    Elements,
    /// Each two bytes of a format may stand for a long word.
    Format,
    /// It stays small, and takes as many steps as the product of its arguments' sizes.
    Product,
}

/// By the functions' names: aliases go with them.
const GUARDED: &[(&str, Growth)] = &[
    ("array_append", Growth::Sum),
    ("array_concat", Growth::Sum),
    ("array_has_all", Growth::Product),
    ("array_has_any", Growth::Product),
    ("array_prepend", Growth::Sum),
    ("array_replace", Growth::Elements),
    ("array_replace_all", Growth::Elements),
    ("array_replace_n", Growth::Elements),
    ("array_to_string", Growth::Elements),
    ("array_union", Growth::Sum),
    ("arrays_zip", Growth::Sum),
    ("concat", Growth::Sum),
    ("concat_ws", Growth::Elements),
    ("levenshtein", Growth::Product),
    ("make_array", Growth::Sum),
    ("map", Growth::Sum),
    ("named_struct", Growth::Sum),
    ("overlay", Growth::Sum),
    ("regexp_replace", Growth::Pattern),
    ("replace", Growth::Replace),
    ("struct", Growth::Sum),
    ("to_char", Growth::Format),
];

/// The plan with every such function, and every `||`, guarded. Done to what was planned and not to
/// what names stand for: planning itself puts functions in, e.g. for `[a, b]`.
pub(super) fn guarded(plan: LogicalPlan) -> Result<LogicalPlan> {
    let guarded = plan.transform_up_with_subqueries(|plan| {
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            Ok(expr.transform_up(guard)?.update_data(|expr| name.restore(expr)))
        })
    });
    Ok(guarded?.data)
}

fn guard(expr: Expr) -> Result<Transformed<Expr>> {
    match expr {
        Expr::ScalarFunction(mut call) => {
            let growth = GUARDED.iter().find(|(name, _)| *name == call.func.name()).map(|(_, growth)| *growth);
            let Some(growth) = growth else { return Ok(Transformed::no(Expr::ScalarFunction(call))) };
            call.func = Arc::new(ScalarUDF::new_from_impl(Guarded { inner: call.func, growth }));
            Ok(Transformed::yes(Expr::ScalarFunction(call)))
        }
        Expr::BinaryExpr(ref joined) if joined.op == Operator::StringConcat => {
            let capped = Capped { signature: Signature::any(1, Volatility::Immutable) };
            Ok(Transformed::yes(ScalarUDF::new_from_impl(capped).call(vec![expr])))
        }
        expr => Ok(Transformed::no(expr)),
    }
}

/// A function that is only called if its answer can't become too large.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Guarded {
    inner: Arc<ScalarUDF>,
    growth: Growth,
}

// What is not passed on, `simplify` above all, would put the unguarded function in its place.
impl ScalarUDFImpl for Guarded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        self.inner.schema_name(args)
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arg_types)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let inner = self.inner.inner().with_updated_config(config)?;
        Some(ScalarUDF::new_from_impl(Self { inner: Arc::new(inner), growth: self.growth }))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arg_types)
    }

    fn short_circuits(&self) -> bool {
        self.inner.short_circuits()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let given = args.args.iter().map(Given::of).collect::<Result<Vec<_>>>()?;
        let (name, allowed) = (self.inner.name(), allowed(given.iter().all(|given| given.constant)));
        if self.growth == Growth::Product {
            let steps = given.iter().map(|given| given.largest.max(1)).fold(1, u64::saturating_mul);
            let too_many = steps > VALUE_STEPS || product(&given, args.number_rows) > BATCH_STEPS;
            let problem = "would take too long over values as large as these; shorten them, e.g. by left(text, 1000)";
            return if too_many { Err(refused(name, problem)) } else { self.inner.invoke_with_args(args) };
        }
        // Bounds are cheap and coarse; where texts are replaced, what comes out can be counted.
        let value = || grown(self.growth, &given, |given| given.largest, 1);
        let counted = || (0..args.number_rows).map(|row| replaced(&given, row)).max().unwrap_or(0);
        if value() > allowed && (self.growth != Growth::Replace || counted() > allowed) {
            return Err(too_large(name, allowed));
        }
        self.invoke_in_parts(args, &given)
    }
}

impl Guarded {
    /// Calls it for as many rows at once as can't become too much; and refuses what did become too much.
    fn invoke_in_parts(&self, args: ScalarFunctionArgs, given: &[Given]) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        if rows < 2 || grown(self.growth, given, |given| given.total, rows as u64) <= BATCH_BYTES {
            return self.inner.invoke_with_args(args);
        }
        let part = |begin: usize, rows: usize| -> Result<ArrayRef> {
            let slice = |value: &ColumnarValue| match value {
                ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(begin, rows)),
                constant => constant.clone(),
            };
            let part: Vec<ColumnarValue> = args.args.iter().map(slice).collect();
            let given = part.iter().map(Given::of).collect::<Result<Vec<_>>>()?;
            let args = ScalarFunctionArgs { args: part, number_rows: rows, ..args.clone() };
            self.invoke_in_parts(args, &given)?.into_array(rows)
        };
        let half = rows / 2;
        let parts = [part(0, half)?, part(half, rows - half)?];
        if parts.iter().map(bytes_of).sum::<u64>() > BATCH_BYTES {
            return Err(too_large(self.inner.name(), BATCH_BYTES));
        }
        let [first, second] = &parts;
        Ok(ColumnarValue::Array(concat(&[first.as_ref(), second.as_ref()])?))
    }
}

/// `a || b`, refused if it became too large. Twice what is allowed is in memory until then, no more.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Capped {
    signature: Signature,
}

impl ScalarUDFImpl for Capped {
    fn name(&self) -> &str {
        "capped"
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        Ok(args.iter().map(|arg| arg.schema_name().to_string()).collect())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok(arg_types.first().cloned().unwrap_or(DataType::Utf8))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = args.arg_fields.first().cloned();
        field.ok_or_else(|| DataFusionError::Internal("nothing is capped".to_owned()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let value = args.args.into_iter().next();
        let value = value.ok_or_else(|| DataFusionError::Internal("nothing is capped".to_owned()))?;
        let given = Given::of(&value)?;
        if given.largest > allowed(given.constant) {
            return Err(too_large("||", allowed(given.constant)));
        }
        if given.total > BATCH_BYTES {
            return Err(too_large("||", BATCH_BYTES));
        }
        Ok(value)
    }
}

fn allowed(constant: bool) -> u64 {
    if constant { CONSTANT_BYTES } else { VALUE_BYTES }
}

/// An argument, and its size.
struct Given {
    array: ArrayRef,
    /// The array is its one value.
    constant: bool,
    /// Bytes of its largest value, or more.
    largest: u64,
    /// Bytes of all its values: of a constant, of one.
    total: u64,
}

impl Given {
    fn of(value: &ColumnarValue) -> Result<Self> {
        let (array, constant) = match value {
            ColumnarValue::Array(array) => (Arc::clone(array), false),
            ColumnarValue::Scalar(scalar) => (scalar.to_array()?, true),
        };
        let total = bytes_of(&array);
        // A value is no larger than all of them: worth a look only if that is too large.
        let sizes = || (0..array.len()).map(|row| size(&array, row));
        let largest = if total <= SMALL_BYTES { total } else { sizes().max().unwrap_or(0) };
        Ok(Self { constant, largest, total, array })
    }

    fn size(&self, row: usize) -> u64 {
        size(&self.array, if self.constant { 0 } else { row })
    }

    fn text(&self, row: usize) -> Option<&str> {
        text(&self.array, if self.constant { 0 } else { row })
    }

    /// Elements of its longest list.
    fn elements(&self) -> u64 {
        (0..self.array.len()).map(|row| elements(&self.array, row)).max().unwrap_or(0)
    }
}

/// Bytes of all values. Slices of a larger buffer count as what they show of it.
fn bytes_of(array: &ArrayRef) -> u64 {
    match array.data_type() {
        // Views share their texts: what they stand for counts.
        DataType::Utf8View => (0..array.len()).map(|row| size(array, row)).sum(),
        _ => array.to_data().get_slice_memory_size().map_or(u64::MAX, |bytes| bytes as u64),
    }
}

fn size(array: &ArrayRef, row: usize) -> u64 {
    match array.data_type() {
        _ if array.is_null(row) => 0,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            text(array, row).map_or(0, |text| text.len() as u64)
        }
        _ => bytes_of(&array.slice(row, 1)),
    }
}

fn text(array: &ArrayRef, row: usize) -> Option<&str> {
    match array.data_type() {
        _ if array.is_null(row) => None,
        DataType::Utf8 => Some(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(array.as_string_view().value(row)),
        _ => None,
    }
}

fn elements(array: &ArrayRef, row: usize) -> u64 {
    match array.data_type() {
        _ if array.is_null(row) => 0,
        DataType::List(_) => array.as_list::<i32>().value_length(row).unsigned_abs().into(),
        DataType::LargeList(_) => array.as_list::<i64>().value_length(row).unsigned_abs(),
        _ => 0,
    }
}

/// The most that can come out, by the size of what goes in. A constant goes in `times`.
fn grown(growth: Growth, given: &[Given], size: fn(&Given) -> u64, times: u64) -> u64 {
    let of = |given: &Given| if given.constant { size(given).saturating_mul(times) } else { size(given) };
    let sum = given.iter().map(of).fold(0, u64::saturating_add);
    let first = given.first().map_or(0, of);
    let to = given.get(2).map_or(0, |to| to.largest);
    // Before each byte, and at the end of each text.
    let matches = first.saturating_add(times);
    match growth {
        Growth::Sum | Growth::Product => sum,
        Growth::Replace => first.saturating_add(matches.saturating_mul(to)),
        Growth::Pattern => {
            // `\1` may stand for all of a match, and all matches together for all of the text.
            let groups =
                given.get(2).map_or(0, |to| (0..to.array.len()).map(|row| groups(to.text(row))).max().unwrap_or(0));
            first.saturating_mul(1 + groups).saturating_add(matches.saturating_mul(to))
        }
        Growth::Elements => {
            let elements = given.iter().map(Given::elements).max().unwrap_or(0).max(given.len() as u64);
            let between = given.iter().map(|given| if is_list(given) { 0 } else { given.largest });
            let between = between.fold(0, u64::saturating_add).saturating_mul(elements).saturating_mul(times);
            // Numbers are longer as text.
            sum.saturating_mul(3).saturating_add(between)
        }
        Growth::Format => {
            let format = given.get(1).map_or(0, |format| format.largest);
            sum.saturating_add(format.saturating_mul(16).saturating_mul(times))
        }
    }
}

fn groups(to: Option<&str>) -> u64 {
    to.map_or(0, |to| to.matches(['\\', '$']).count() as u64)
}

fn is_list(given: &Given) -> bool {
    matches!(given.array.data_type(), DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..))
}

/// Bytes that `replace` will make of a row.
fn replaced(given: &[Given], row: usize) -> u64 {
    let [texts, from, to] = given else { return u64::MAX };
    let (Some(text), Some(from), Some(to)) = (texts.text(row), from.text(row), to.text(row)) else { return 0 };
    text.len() as u64 + (text.matches(from).count() as u64).saturating_mul(to.len() as u64)
}

/// Steps over all rows of a batch.
fn product(given: &[Given], rows: usize) -> u64 {
    let of = |row: usize| given.iter().map(|given| given.size(row).max(1)).fold(1, u64::saturating_mul);
    (0..rows).map(of).fold(0, u64::saturating_add)
}

fn too_large(name: &str, bytes: u64) -> DataFusionError {
    let size = if bytes < 1 << 20 { format!("{} KB", bytes >> 10) } else { format!("{} MB", bytes >> 20) };
    let what = match bytes {
        BATCH_BYTES => "from one batch of rows; select fewer rows, or shorter texts",
        CONSTANT_BYTES => "of constants; use shorter ones",
        _ => "as one value; shorten it, e.g. by left(text, 1000)",
    };
    refused(name, &format!("may not make more than {size} {what}"))
}

fn refused(name: &str, problem: &str) -> DataFusionError {
    DataFusionError::Execution(format!("`{name}` {problem}"))
}
