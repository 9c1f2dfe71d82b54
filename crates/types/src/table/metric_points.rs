//! `metric_points`: one row for each data point of a metric.

use super::ColumnType::{Bool, Float, Int, Json, Text, TextMap, Time};
use super::{Cell, Column, Identity, Record, Retention, Table};
use crate::MetricPoint;

/// The table of data points.
pub static METRIC_POINTS: Table = Table {
    name: "metric_points",
    doc: "One row for each data point of a metric that programs sent.",
    columns: COLUMNS,
    time_column: "time",
    sort: &["project_id", "time"],
    key: &["id"],
    identity: Identity::Replaced,
    sums: None,
    retention: Retention::Metrics,
};

const COLUMNS: &[Column] = &[
    Column::hot("project_id", Text, "The tenant.").required(),
    Column::hot("id", Text, "Names it; made of its series and times.").required(),
    Column::hot("series", Text, "The same for all points with this metric, these attributes and this sender.")
        .required(),
    Column::hot("name", Text, "The metric, e.g. `gen_ai.client.token.usage`.").required().searchable(),
    Column::hot("kind", Text, "gauge, sum, histogram, exponential_histogram or summary.").required(),
    Column::hot("unit", Text, "The unit of its values, in UCUM: `s`, `By`, `{token}`."),
    Column::hot("start_time", Time, "Since when it counts."),
    Column::hot("time", Time, "When it was measured.").required(),
    Column::hot("value", Float, "The value of a gauge or sum."),
    Column::hot("count", Int, "Measurements in it, for histograms and summaries."),
    Column::hot("sum", Float, "Sum of the measurements."),
    Column::hot("min", Float, "The least measurement."),
    Column::hot("max", Float, "The greatest measurement."),
    Column::hot("temporality", Text, "delta (since the point before), cumulative (since the start) or unspecified.")
        .required(),
    Column::hot("monotonic", Bool, "A sum that only grows."),
    Column::hot("service_name", Text, "`service.name`."),
    Column::hot("environment", Text, "`deployment.environment.name`."),
    Column::hot("key_id", Text, "The virtual key that sent it."),
    Column::body("buckets", Json, "Bounds and counts of a histogram, quantiles of a summary."),
    Column::body("exemplars", Json, "Single measurements, with the span in which they were made."),
    Column::body("description", Text, "What the metric means, in the sender's words."),
    Column::body("attributes", TextMap, "Attributes as sent; a key is addressed as `attributes.key`."),
    Column::body("resource_attributes", TextMap, "Attributes of the sending process."),
    Column::body("scope_name", Text, "Instrumentation scope."),
    Column::body("scope_version", Text, "Its version."),
];

impl Record for MetricPoint {
    fn table() -> &'static Table {
        &METRIC_POINTS
    }

    fn cells<'a>(&'a self, out: &mut Vec<Cell<'a>>) {
        let float = |number: Option<f64>| number.map_or(Cell::Null, Cell::Float);
        out.extend([
            Cell::text(Some(self.project_id.as_str())),
            Cell::text(Some(&self.id)),
            Cell::text(Some(&self.series)),
            Cell::text(Some(&self.name)),
            Cell::text(Some(self.kind.as_str())),
            Cell::text(self.unit.as_deref()),
            self.start_time.map_or(Cell::Null, Cell::Time),
            Cell::Time(self.time),
            float(self.value),
            Cell::count(self.count),
            float(self.sum),
            float(self.min),
            float(self.max),
            Cell::text(Some(self.temporality.as_str())),
            self.monotonic.map_or(Cell::Null, Cell::Bool),
            Cell::text(self.service_name.as_deref()),
            Cell::text(self.environment.as_deref()),
            Cell::text(self.key_id.as_ref().map(|key| key.as_str())),
            Cell::json(self.buckets.is_some(), &self.buckets),
            Cell::json(self.exemplars.is_some(), &self.exemplars),
            Cell::text(self.description.as_deref()),
            Cell::map(&self.attributes),
            Cell::map(&self.resource_attributes),
            Cell::text(self.scope_name.as_deref()),
            Cell::text(self.scope_version.as_deref()),
        ]);
    }
}
