//! The messages of `opentelemetry/proto/{collector/logs,logs}/v1` (1.9), by hand as those of
//! [`super::proto`] and for the same reasons.

use prost::Message;
use serde::Deserialize;

use super::json;
use super::proto::{AnyValue, KeyValue, Resource, Scope};

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LogsRequest {
    #[prost(message, repeated, tag = "1")]
    #[serde(alias = "resource_logs", deserialize_with = "json::or_default")]
    pub(crate) resource_logs: Vec<ResourceLogs>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ResourceLogs {
    #[prost(message, optional, tag = "1")]
    pub(crate) resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    #[serde(alias = "scope_logs", deserialize_with = "json::or_default")]
    pub(crate) scope_logs: Vec<ScopeLogs>,
    #[prost(bytes = "vec", tag = "3")]
    #[serde(alias = "schema_url", deserialize_with = "json::text")]
    pub(crate) schema_url: Vec<u8>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ScopeLogs {
    #[prost(message, optional, tag = "1")]
    pub(crate) scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    #[serde(alias = "log_records", deserialize_with = "json::or_default")]
    pub(crate) log_records: Vec<LogRecord>,
    #[prost(bytes = "vec", tag = "3")]
    #[serde(alias = "schema_url", deserialize_with = "json::text")]
    pub(crate) schema_url: Vec<u8>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LogRecord {
    #[prost(fixed64, tag = "1")]
    #[serde(alias = "time_unix_nano", deserialize_with = "json::unsigned")]
    pub(crate) time_unix_nano: u64,
    #[prost(int32, tag = "2")]
    #[serde(alias = "severity_number", deserialize_with = "json::severity")]
    pub(crate) severity_number: i32,
    #[prost(bytes = "vec", tag = "3")]
    #[serde(alias = "severity_text", deserialize_with = "json::text")]
    pub(crate) severity_text: Vec<u8>,
    #[prost(message, optional, tag = "5")]
    pub(crate) body: Option<AnyValue>,
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "json::or_default")]
    pub(crate) attributes: Vec<KeyValue>,
    #[prost(uint32, tag = "7")]
    #[serde(alias = "dropped_attributes_count", deserialize_with = "json::or_default")]
    pub(crate) dropped_attributes_count: u32,
    #[prost(bytes = "vec", tag = "9")]
    #[serde(alias = "trace_id", deserialize_with = "json::trace_id")]
    pub(crate) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "10")]
    #[serde(alias = "span_id", deserialize_with = "json::span_id")]
    pub(crate) span_id: Vec<u8>,
    #[prost(fixed64, tag = "11")]
    #[serde(alias = "observed_time_unix_nano", deserialize_with = "json::unsigned")]
    pub(crate) observed_time_unix_nano: u64,
    #[prost(bytes = "vec", tag = "12")]
    #[serde(alias = "event_name", deserialize_with = "json::text")]
    pub(crate) event_name: Vec<u8>,
}
