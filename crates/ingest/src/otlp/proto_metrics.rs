//! The messages of `opentelemetry/proto/{collector/metrics,metrics}/v1` (1.9), by hand as those of
//! [`super::proto`] and for the same reasons. A `oneof` is written as optional fields: the same on
//! the wire, and in JSON.

use prost::Message;
use serde::Deserialize;

use super::json;
use super::proto::{KeyValue, Resource, Scope};

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MetricsRequest {
    #[prost(message, repeated, tag = "1")]
    #[serde(alias = "resource_metrics", deserialize_with = "json::or_default")]
    pub(crate) resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ResourceMetrics {
    #[prost(message, optional, tag = "1")]
    pub(crate) resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    #[serde(alias = "scope_metrics", deserialize_with = "json::or_default")]
    pub(crate) scope_metrics: Vec<ScopeMetrics>,
    #[prost(bytes = "vec", tag = "3")]
    #[serde(alias = "schema_url", deserialize_with = "json::text")]
    pub(crate) schema_url: Vec<u8>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ScopeMetrics {
    #[prost(message, optional, tag = "1")]
    pub(crate) scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) metrics: Vec<Metric>,
    #[prost(bytes = "vec", tag = "3")]
    #[serde(alias = "schema_url", deserialize_with = "json::text")]
    pub(crate) schema_url: Vec<u8>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Metric {
    #[prost(bytes = "vec", tag = "1")]
    #[serde(deserialize_with = "json::text")]
    pub(crate) name: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(deserialize_with = "json::text")]
    pub(crate) description: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    #[serde(deserialize_with = "json::text")]
    pub(crate) unit: Vec<u8>,
    #[prost(message, optional, tag = "5")]
    pub(crate) gauge: Option<Gauge>,
    #[prost(message, optional, tag = "7")]
    pub(crate) sum: Option<Sum>,
    #[prost(message, optional, tag = "9")]
    pub(crate) histogram: Option<Histogram>,
    #[prost(message, optional, tag = "10")]
    #[serde(alias = "exponential_histogram")]
    pub(crate) exponential_histogram: Option<ExponentialHistogram>,
    #[prost(message, optional, tag = "11")]
    pub(crate) summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Gauge {
    #[prost(message, repeated, tag = "1")]
    #[serde(alias = "data_points", deserialize_with = "json::or_default")]
    pub(crate) data_points: Vec<NumberPoint>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Sum {
    #[prost(message, repeated, tag = "1")]
    #[serde(alias = "data_points", deserialize_with = "json::or_default")]
    pub(crate) data_points: Vec<NumberPoint>,
    #[prost(int32, tag = "2")]
    #[serde(alias = "aggregation_temporality", deserialize_with = "json::temporality")]
    pub(crate) aggregation_temporality: i32,
    #[prost(bool, tag = "3")]
    #[serde(alias = "is_monotonic", deserialize_with = "json::or_default")]
    pub(crate) is_monotonic: bool,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Histogram {
    #[prost(message, repeated, tag = "1")]
    #[serde(alias = "data_points", deserialize_with = "json::or_default")]
    pub(crate) data_points: Vec<HistogramPoint>,
    #[prost(int32, tag = "2")]
    #[serde(alias = "aggregation_temporality", deserialize_with = "json::temporality")]
    pub(crate) aggregation_temporality: i32,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ExponentialHistogram {
    #[prost(message, repeated, tag = "1")]
    #[serde(alias = "data_points", deserialize_with = "json::or_default")]
    pub(crate) data_points: Vec<ExponentialPoint>,
    #[prost(int32, tag = "2")]
    #[serde(alias = "aggregation_temporality", deserialize_with = "json::temporality")]
    pub(crate) aggregation_temporality: i32,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Summary {
    #[prost(message, repeated, tag = "1")]
    #[serde(alias = "data_points", deserialize_with = "json::or_default")]
    pub(crate) data_points: Vec<SummaryPoint>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NumberPoint {
    #[prost(fixed64, tag = "2")]
    #[serde(alias = "start_time_unix_nano", deserialize_with = "json::unsigned")]
    pub(crate) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(alias = "time_unix_nano", deserialize_with = "json::unsigned")]
    pub(crate) time_unix_nano: u64,
    #[prost(double, optional, tag = "4")]
    #[serde(alias = "as_double", deserialize_with = "json::float")]
    pub(crate) as_double: Option<f64>,
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) exemplars: Vec<Exemplar>,
    #[prost(sfixed64, optional, tag = "6")]
    #[serde(alias = "as_int", deserialize_with = "json::signed")]
    pub(crate) as_int: Option<i64>,
    #[prost(message, repeated, tag = "7")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) attributes: Vec<KeyValue>,
    #[prost(uint32, tag = "8")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) flags: u32,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct HistogramPoint {
    #[prost(fixed64, tag = "2")]
    #[serde(alias = "start_time_unix_nano", deserialize_with = "json::unsigned")]
    pub(crate) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(alias = "time_unix_nano", deserialize_with = "json::unsigned")]
    pub(crate) time_unix_nano: u64,
    #[prost(fixed64, tag = "4")]
    #[serde(deserialize_with = "json::count")]
    pub(crate) count: u64,
    #[prost(double, optional, tag = "5")]
    #[serde(deserialize_with = "json::float")]
    pub(crate) sum: Option<f64>,
    #[prost(fixed64, repeated, tag = "6")]
    #[serde(alias = "bucket_counts", deserialize_with = "json::counts")]
    pub(crate) bucket_counts: Vec<u64>,
    #[prost(double, repeated, tag = "7")]
    #[serde(alias = "explicit_bounds", deserialize_with = "json::floats")]
    pub(crate) explicit_bounds: Vec<f64>,
    #[prost(message, repeated, tag = "8")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) exemplars: Vec<Exemplar>,
    #[prost(message, repeated, tag = "9")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) attributes: Vec<KeyValue>,
    #[prost(double, optional, tag = "11")]
    #[serde(deserialize_with = "json::float")]
    pub(crate) min: Option<f64>,
    #[prost(double, optional, tag = "12")]
    #[serde(deserialize_with = "json::float")]
    pub(crate) max: Option<f64>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ExponentialPoint {
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) attributes: Vec<KeyValue>,
    #[prost(fixed64, tag = "2")]
    #[serde(alias = "start_time_unix_nano", deserialize_with = "json::unsigned")]
    pub(crate) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(alias = "time_unix_nano", deserialize_with = "json::unsigned")]
    pub(crate) time_unix_nano: u64,
    #[prost(fixed64, tag = "4")]
    #[serde(deserialize_with = "json::count")]
    pub(crate) count: u64,
    #[prost(double, optional, tag = "5")]
    #[serde(deserialize_with = "json::float")]
    pub(crate) sum: Option<f64>,
    #[prost(sint32, tag = "6")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) scale: i32,
    #[prost(fixed64, tag = "7")]
    #[serde(alias = "zero_count", deserialize_with = "json::count")]
    pub(crate) zero_count: u64,
    #[prost(message, optional, tag = "8")]
    pub(crate) positive: Option<Buckets>,
    #[prost(message, optional, tag = "9")]
    pub(crate) negative: Option<Buckets>,
    #[prost(message, repeated, tag = "11")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) exemplars: Vec<Exemplar>,
    #[prost(double, optional, tag = "12")]
    #[serde(deserialize_with = "json::float")]
    pub(crate) min: Option<f64>,
    #[prost(double, optional, tag = "13")]
    #[serde(deserialize_with = "json::float")]
    pub(crate) max: Option<f64>,
    #[prost(double, tag = "14")]
    #[serde(alias = "zero_threshold", deserialize_with = "json::or_default")]
    pub(crate) zero_threshold: f64,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Buckets {
    #[prost(sint32, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) offset: i32,
    #[prost(uint64, repeated, tag = "2")]
    #[serde(alias = "bucket_counts", deserialize_with = "json::counts")]
    pub(crate) bucket_counts: Vec<u64>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SummaryPoint {
    #[prost(fixed64, tag = "2")]
    #[serde(alias = "start_time_unix_nano", deserialize_with = "json::unsigned")]
    pub(crate) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(alias = "time_unix_nano", deserialize_with = "json::unsigned")]
    pub(crate) time_unix_nano: u64,
    #[prost(fixed64, tag = "4")]
    #[serde(deserialize_with = "json::count")]
    pub(crate) count: u64,
    #[prost(double, tag = "5")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) sum: f64,
    #[prost(message, repeated, tag = "6")]
    #[serde(alias = "quantile_values", deserialize_with = "json::or_default")]
    pub(crate) quantile_values: Vec<Quantile>,
    #[prost(message, repeated, tag = "7")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(crate) struct Quantile {
    #[prost(double, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) quantile: f64,
    #[prost(double, tag = "2")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) value: f64,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Exemplar {
    #[prost(fixed64, tag = "2")]
    #[serde(alias = "time_unix_nano", deserialize_with = "json::unsigned")]
    pub(crate) time_unix_nano: u64,
    #[prost(double, optional, tag = "3")]
    #[serde(alias = "as_double", deserialize_with = "json::float")]
    pub(crate) as_double: Option<f64>,
    #[prost(bytes = "vec", tag = "4")]
    #[serde(alias = "span_id", deserialize_with = "json::span_id")]
    pub(crate) span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    #[serde(alias = "trace_id", deserialize_with = "json::trace_id")]
    pub(crate) trace_id: Vec<u8>,
    #[prost(sfixed64, optional, tag = "6")]
    #[serde(alias = "as_int", deserialize_with = "json::signed")]
    pub(crate) as_int: Option<i64>,
    #[prost(message, repeated, tag = "7")]
    #[serde(alias = "filtered_attributes", deserialize_with = "json::or_default")]
    pub(crate) filtered_attributes: Vec<KeyValue>,
}
