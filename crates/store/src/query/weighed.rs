//! The quantile of values that each stand for many: the value at its place among all of them. A t-digest
//! would guess between values; here there are few, and it is known how many of each.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility, lit};

static QUANTILE: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| {
    let arguments = vec![DataType::Float64, DataType::Int64, DataType::Float64];
    let signature = Signature::exact(arguments, Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(WeighedQuantile { signature }))
});

/// The quantile `q` of `value`, each of which stands for `weight`.
pub(super) fn weighed_quantile(value: Expr, weight: Expr, q: f64) -> Expr {
    QUANTILE.call(vec![value, weight, lit(q)])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct WeighedQuantile {
    signature: Signature,
}

impl AggregateUDFImpl for WeighedQuantile {
    fn name(&self) -> &'static str {
        "weighed_quantile"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let q = args.exprs.get(2).and_then(|q| {
            let literal = q.downcast_ref::<datafusion::physical_expr::expressions::Literal>()?;
            match literal.value() {
                ScalarValue::Float64(q) => *q,
                _ => None,
            }
        });
        let q = q.ok_or_else(|| DataFusionError::Plan("the quantile must be a number".to_owned()))?;
        Ok(Box::new(Counted { q, counts: BTreeMap::new() }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let list = |name: &str, ty| {
            let name = format!("{}[{name}]", args.name);
            Arc::new(Field::new_list(name, Field::new_list_field(ty, true), true))
        };
        Ok(vec![list("values", DataType::Float64), list("counts", DataType::Int64)])
    }
}

/// How many there are of each value.
#[derive(Debug)]
struct Counted {
    q: f64,
    counts: BTreeMap<Ordered, i64>,
}

/// Numbers in order, NaN last.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Counted {
    fn add(&mut self, values: &ArrayRef, weights: &ArrayRef) {
        let (values, weights) = (values.as_primitive::<Float64Type>(), weights.as_primitive::<Int64Type>());
        for (value, weight) in values.iter().zip(weights) {
            if let (Some(value), Some(weight)) = (value, weight) {
                *self.counts.entry(Ordered(value)).or_default() += weight;
            }
        }
    }
}

impl Accumulator for Counted {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [values, weights, ..] = values else { return Ok(()) };
        self.add(values, weights);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [values, counts] = states else { return Ok(()) };
        let (values, counts) = (values.as_list::<i32>(), counts.as_list::<i32>());
        for row in (0..values.len()).filter(|row| values.is_valid(*row)) {
            self.add(&values.value(row), &counts.value(row));
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: Vec<ScalarValue> = self.counts.keys().map(|value| ScalarValue::from(value.0)).collect();
        let counts: Vec<ScalarValue> = self.counts.values().map(|count| ScalarValue::from(*count)).collect();
        Ok(vec![
            ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Float64)),
            ScalarValue::List(ScalarValue::new_list_nullable(&counts, &DataType::Int64)),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let all: i64 = self.counts.values().sum();
        let place = (self.q * all.saturating_sub(1) as f64).round() as i64;
        let mut before = 0;
        let value = self.counts.iter().find(|(_, count)| {
            before += **count;
            before > place
        });
        Ok(ScalarValue::Float64(value.map(|(value, _)| value.0)))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.counts.len() * 2 * size_of::<(Ordered, i64)>()
    }
}
