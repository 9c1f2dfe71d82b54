//! A data point of a metric, with OpenTelemetry's data model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::span::named;
use crate::{KeyId, ProjectId, Timestamp};

named!(
    /// What a metric's points hold.
    MetricKind {
        /// The value at a time.
        #[default]
        Gauge = "gauge",
        /// A sum of increments.
        Sum = "sum",
        /// Counts by buckets with bounds of the sender's choice.
        Histogram = "histogram",
        /// Counts by buckets whose bounds grow by a factor.
        ExponentialHistogram = "exponential_histogram",
        /// Quantiles that the sender calculated.
        Summary = "summary",
    }
);
named!(
    /// Since when a point counts.
    Temporality {
        /// Nobody said, or it doesn't apply.
        #[default]
        Unspecified = "unspecified",
        /// Since the point before.
        Delta = "delta",
        /// Since the series began.
        Cumulative = "cumulative",
    }
);

/// One data point of a metric. Which fields it has depends on its kind: gauges and sums have `value`,
/// the others `count`, `sum` and `buckets`.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricPoint {
    /// The tenant.
    pub project_id: ProjectId,
    /// Names it. Made of its series and times, so that a batch that is sent twice is stored once.
    pub id: String,
    /// Names its series: the same for all points with this metric, these attributes and this sender.
    pub series: String,
    /// The metric, e.g. `gen_ai.client.token.usage`.
    pub name: String,
    /// What its points hold.
    pub kind: MetricKind,
    /// The unit, in UCUM: `s`, `By`, `{token}`.
    pub unit: Option<String>,
    /// What it means, in the sender's words.
    pub description: Option<String>,
    /// Since when it counts.
    pub start_time: Option<Timestamp>,
    /// When it was measured.
    pub time: Timestamp,
    /// The value of a gauge or sum.
    pub value: Option<f64>,
    /// Measurements in it.
    pub count: Option<u64>,
    /// Sum of the measurements.
    pub sum: Option<f64>,
    /// The least one.
    pub min: Option<f64>,
    /// The greatest one.
    pub max: Option<f64>,
    /// `{"bounds": […], "counts": […]}` for a histogram; `{"scale", "zero_count", "zero_threshold",
    /// "positive": {"offset", "counts"}, "negative": …}` for an exponential one; `{"quantiles":
    /// [{"quantile", "value"}]}` for a summary.
    pub buckets: Option<Value>,
    /// Examples: `[{"time", "value", "trace_id", "span_id", "attributes"}]`.
    pub exemplars: Option<Value>,
    /// Since when it counts.
    pub temporality: Temporality,
    /// A sum that only grows.
    pub monotonic: Option<bool>,
    /// `service.name`.
    pub service_name: Option<String>,
    /// `deployment.environment.name`.
    pub environment: Option<String>,
    /// The virtual key that sent it.
    pub key_id: Option<KeyId>,
    /// Attributes. Values are text; other types as JSON.
    pub attributes: BTreeMap<String, String>,
    /// Attributes of the sending process.
    pub resource_attributes: BTreeMap<String, String>,
    /// Instrumentation scope.
    pub scope_name: Option<String>,
    /// Its version.
    pub scope_version: Option<String>,
}

impl MetricPoint {
    /// A point of a gauge without a value yet.
    #[must_use]
    pub fn new(project_id: ProjectId, id: impl Into<String>, name: impl Into<String>, time: Timestamp) -> Self {
        Self {
            project_id,
            id: id.into(),
            series: String::new(),
            name: name.into(),
            kind: MetricKind::Gauge,
            unit: None,
            description: None,
            start_time: None,
            time,
            value: None,
            count: None,
            sum: None,
            min: None,
            max: None,
            buckets: None,
            exemplars: None,
            temporality: Temporality::Unspecified,
            monotonic: None,
            service_name: None,
            environment: None,
            key_id: None,
            attributes: BTreeMap::new(),
            resource_attributes: BTreeMap::new(),
            scope_name: None,
            scope_version: None,
        }
    }
}
