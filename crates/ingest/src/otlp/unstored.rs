//! Metrics and logs, which have no table yet. They are counted and answered with a partial success
//! that rejects them all: by the specification that is final, so that an SDK says it once and
//! neither tries again nor fails, and nobody is told that something was kept. Everything below
//! what is counted stays unread.

use prost::{Message, Oneof};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::json;

/// A signal without a table.
pub(crate) trait Unstored: Message + Default + serde::de::DeserializeOwned + 'static {
    /// What its items are called in the rejection.
    const WHAT: &'static str;
    /// What its user can do.
    const HINT: &'static str;
    /// The label in metrics.
    const REASON: &'static str;

    /// How many items it holds.
    fn items(&self) -> usize;

    /// What the sender is told.
    fn message(&self) -> String {
        format!("Signalbox does not store {} yet: {} of them were not kept. {}", Self::WHAT, self.items(), Self::HINT)
    }
}

impl Unstored for LogsRequest {
    const WHAT: &'static str = "log records";
    const HINT: &'static str = "Turn them off with OTEL_LOGS_EXPORTER=none; message content arrives on spans with OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only";
    const REASON: &'static str = "logs_not_stored";

    fn items(&self) -> usize {
        self.resource_logs.iter().flat_map(|of| &of.scope_logs).map(|of| of.log_records.len()).sum()
    }
}

impl Unstored for MetricsRequest {
    const WHAT: &'static str = "metrics";
    const HINT: &'static str = "Turn them off with OTEL_METRICS_EXPORTER=none";
    const REASON: &'static str = "metrics_not_stored";

    fn items(&self) -> usize {
        let metrics = self.resource_metrics.iter().flat_map(|of| &of.scope_metrics).flat_map(|of| &of.metrics);
        metrics.filter_map(|metric| metric.data.as_ref()).map(|data| data.points().data_points.len()).sum()
    }
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LogsRequest {
    #[prost(message, repeated, tag = "1")]
    #[serde(alias = "resource_logs", deserialize_with = "json::or_default")]
    resource_logs: Vec<ResourceLogs>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ResourceLogs {
    #[prost(message, repeated, tag = "2")]
    #[serde(alias = "scope_logs", deserialize_with = "json::or_default")]
    scope_logs: Vec<ScopeLogs>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ScopeLogs {
    #[prost(bytes = "vec", repeated, tag = "2")]
    #[serde(alias = "log_records", deserialize_with = "uncounted")]
    log_records: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MetricsRequest {
    #[prost(message, repeated, tag = "1")]
    #[serde(alias = "resource_metrics", deserialize_with = "json::or_default")]
    resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ResourceMetrics {
    #[prost(message, repeated, tag = "2")]
    #[serde(alias = "scope_metrics", deserialize_with = "json::or_default")]
    scope_metrics: Vec<ScopeMetrics>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
struct ScopeMetrics {
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::or_default")]
    metrics: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
struct Metric {
    #[prost(oneof = "Data", tags = "5, 7, 9, 10, 11")]
    #[serde(flatten)]
    data: Option<Data>,
}

#[derive(Clone, PartialEq, Oneof, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Data {
    #[prost(message, tag = "5")]
    Gauge(Points),
    #[prost(message, tag = "7")]
    Sum(Points),
    #[prost(message, tag = "9")]
    Histogram(Points),
    #[prost(message, tag = "10")]
    #[serde(alias = "exponential_histogram")]
    ExponentialHistogram(Points),
    #[prost(message, tag = "11")]
    Summary(Points),
}

impl Data {
    fn points(&self) -> &Points {
        match self {
            Self::Gauge(points)
            | Self::Sum(points)
            | Self::Histogram(points)
            | Self::ExponentialHistogram(points)
            | Self::Summary(points) => points,
        }
    }
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Points {
    #[prost(bytes = "vec", repeated, tag = "1")]
    #[serde(alias = "data_points", deserialize_with = "uncounted")]
    data_points: Vec<Vec<u8>>,
}

/// Only how many there are.
fn uncounted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<u8>>, D::Error> {
    let items = Option::<Vec<IgnoredAny>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(vec![Vec::new(); items.len()])
}
