//! OpenTelemetry spans as OTLP/JSON, as an instrumented application would export them.

use anyhow::Result;
use serde_json::{Value, json};
use signalbox_types::seam::{Clock, SystemClock};
use signalbox_types::{SpanId, Timestamp, TraceId};

use super::client::Client;

/// A span under way.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    parent: Option<SpanId>,
    name: String,
    start: Timestamp,
    attributes: Vec<(String, Value)>,
    error: Option<String>,
}

pub(super) fn now() -> Timestamp {
    SystemClock::new().now()
}

impl Step {
    /// A root span that begins now.
    pub(super) fn root(name: &str) -> Self {
        Self::at(TraceId::new(), None, name, now())
    }

    /// A child span that begins now.
    pub(super) fn child(&self, name: &str) -> Self {
        Self::at(self.trace_id, Some(self.span_id), name, now())
    }

    pub(super) fn at(trace_id: TraceId, parent: Option<SpanId>, name: &str, start: Timestamp) -> Self {
        Self {
            trace_id,
            span_id: SpanId::new(),
            parent,
            name: name.to_owned(),
            start,
            attributes: Vec::new(),
            error: None,
        }
    }

    /// With an attribute.
    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.attributes.push((name.to_owned(), value.into()));
    }

    pub(super) fn fail(&mut self, message: &str) {
        self.error = Some(message.to_owned());
    }

    /// The header that makes a gateway call its child.
    pub(super) fn traceparent(&self) -> String {
        format!("00-{}-{}-01", self.trace_id, self.span_id)
    }

    /// It ends now.
    pub(super) fn end(self) -> Value {
        self.end_at(now())
    }

    pub(super) fn end_at(self, end: Timestamp) -> Value {
        let nanos = |time: Timestamp| (i128::from(time.as_micros()) * 1_000).to_string();
        let attributes: Vec<Value> =
            self.attributes.into_iter().map(|(key, value)| json!({"key": key, "value": any_value(value)})).collect();
        let mut span = json!({
            "traceId": self.trace_id.to_string(),
            "spanId": self.span_id.to_string(),
            "name": self.name,
            "kind": 1,
            "startTimeUnixNano": nanos(self.start),
            "endTimeUnixNano": nanos(end),
            "attributes": attributes,
            "status": match &self.error {
                Some(message) => json!({"code": 2, "message": message}),
                None => json!({"code": 1}),
            },
        });
        if let Some(parent) = self.parent {
            span["parentSpanId"] = parent.to_string().into();
        }
        span
    }
}

fn any_value(value: Value) -> Value {
    match value {
        Value::Bool(value) => json!({"boolValue": value}),
        Value::Number(value) if value.is_f64() => json!({"doubleValue": value}),
        Value::Number(value) => json!({"intValue": value.to_string()}),
        Value::String(value) => json!({"stringValue": value}),
        Value::Array(items) => json!({"arrayValue": {"values": items.into_iter().map(any_value).collect::<Vec<_>>()}}),
        other => json!({"stringValue": other.to_string()}),
    }
}

/// Sends finished spans of one service.
pub(super) async fn send(client: &Client, service: &str, release: &str, scope: &str, spans: Vec<Value>) -> Result<()> {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let body = json!({"resourceSpans": [{
        "resource": {"attributes": [
            text("service.name", service), text("service.version", release), text("deployment.environment.name", "demo"),
        ]},
        "scopeSpans": [{"scope": {"name": scope, "version": "1.0.0"}, "spans": spans}],
    }]});
    client.expect("/v1/traces", &body, &[]).await?;
    Ok(())
}
