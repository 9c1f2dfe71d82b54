//! OTLP's messages to raw spans. A span with a bad id is refused by itself; its batch goes on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value, json};
use signalbox_semconv::{Attributes, OtelKind, RawEvent, RawSpan};
use signalbox_types::{SpanId, SpanStatus, Timestamp, TraceId};

use super::future;
use super::proto::{self, Any, AnyValue, KeyValue};
use crate::pipeline::{Batch, Rejected};

/// The spans of a request. One without any time happened now.
pub(crate) fn batch(request: proto::TraceRequest, now: Timestamp) -> Batch {
    let mut batch = Batch::default();
    let mut number = 0;
    for of_resource in request.resource_spans {
        let resource = attributes(of_resource.resource.map(|resource| resource.attributes).unwrap_or_default());
        let resource_schema = text(of_resource.schema_url);
        for of_scope in of_resource.scope_spans {
            let scope = of_scope.scope.unwrap_or_default();
            let context = Context {
                resource: &resource,
                scope_name: text(scope.name),
                scope_version: text(scope.version),
                scope_attributes: attributes(scope.attributes),
                schema_url: Some(text(of_scope.schema_url))
                    .filter(|url| !url.is_empty())
                    .unwrap_or_else(|| resource_schema.clone()),
                now,
            };
            for span in of_scope.spans {
                match context.span(span, number) {
                    Ok(span) => batch.spans.push(span),
                    Err(rejected) => batch.rejected.push(rejected),
                }
                number += 1;
            }
        }
    }
    future::mend(&mut batch.spans, now);
    batch
}

/// What the spans of a scope share.
struct Context<'a> {
    resource: &'a Attributes,
    scope_name: String,
    scope_version: String,
    scope_attributes: Attributes,
    schema_url: String,
    now: Timestamp,
}

impl Context<'_> {
    fn span(&self, sent: proto::Span, number: usize) -> Result<RawSpan, Rejected> {
        let name = text(sent.name);
        let refuse = |reason, field: &str, found: &[u8], bytes: usize| {
            let name: String = name.chars().take(60).collect();
            let problem = format!(
                "span {number} `{name}`: `{field}` is {}, expected {bytes} bytes ({} hexadecimal digits), not all zero",
                shown(found),
                bytes * 2
            );
            Rejected { reason, problem }
        };
        let trace_id = TraceId::from_slice(&sent.trace_id)
            .ok_or_else(|| refuse("bad_trace_id", "trace_id", &sent.trace_id, 16))?;
        let span_id =
            SpanId::from_slice(&sent.span_id).ok_or_else(|| refuse("bad_span_id", "span_id", &sent.span_id, 8))?;

        let mut span = RawSpan::new(trace_id, span_id, name);
        span.attributes = attributes(sent.attributes);
        self.leftovers(&mut span.attributes, &sent.parent_span_id, sent.links, sent.dropped_attributes_count);
        let state = text(sent.trace_state);
        if !state.is_empty() {
            span.attributes.insert("otel.trace_state", Value::String(state));
        }
        span.parent_span_id = SpanId::from_slice(&sent.parent_span_id);
        span.kind = kind(sent.kind);
        (span.start_ns, span.end_ns) = (sent.start_time_unix_nano, sent.end_time_unix_nano);
        if span.start_ns == 0 && span.end_ns == 0 {
            span.start_ns = u64::try_from(self.now.as_micros()).unwrap_or(0).saturating_mul(1_000);
        }
        span.events = sent
            .events
            .into_iter()
            .map(|event| RawEvent {
                time_ns: event.time_unix_nano,
                name: text(event.name),
                attributes: attributes(event.attributes),
            })
            .collect();
        let status = sent.status.unwrap_or_default();
        span.status = match status.code {
            1 => SpanStatus::Ok,
            2 => SpanStatus::Error,
            _ => SpanStatus::Unset,
        };
        span.status_message = text(status.message);
        span.resource = self.resource.clone();
        span.scope_name.clone_from(&self.scope_name);
        span.scope_version.clone_from(&self.scope_version);
        span.schema_url.clone_from(&self.schema_url);
        Ok(span)
    }

    /// What has no place of its own: nothing that was sent is lost.
    fn leftovers(&self, kept: &mut Attributes, parent: &[u8], links: Vec<proto::Link>, dropped: u32) {
        for (name, value) in self.scope_attributes.iter() {
            kept.insert(format!("otel.scope.{name}"), value.clone());
        }
        if !parent.is_empty() && parent.len() != 8 {
            kept.insert("otel.invalid_parent_span_id", Value::String(shown(parent)));
        }
        if dropped > 0 {
            kept.insert("otel.dropped_attributes_count", json!(dropped));
        }
        if !links.is_empty() {
            let links = links.into_iter().map(|link| {
                let attributes: Map<_, _> = link.attributes.into_iter().map(entry).collect();
                json!({"trace_id": hex::encode(link.trace_id), "span_id": hex::encode(link.span_id), "attributes": attributes})
            });
            kept.insert("otel.links", links.collect());
        }
    }
}

fn kind(number: i32) -> OtelKind {
    match number {
        1 => OtelKind::Internal,
        2 => OtelKind::Server,
        3 => OtelKind::Client,
        4 => OtelKind::Producer,
        5 => OtelKind::Consumer,
        _ => OtelKind::Unspecified,
    }
}

fn attributes(sent: Vec<KeyValue>) -> Attributes {
    sent.into_iter().map(entry).collect()
}

fn entry(sent: KeyValue) -> (String, Value) {
    (text(sent.key), sent.value.map(value).unwrap_or_default())
}

fn value(sent: AnyValue) -> Value {
    match sent.value {
        None => Value::Null,
        Some(Any::Text(bytes)) => Value::String(text(bytes)),
        Some(Any::Bool(yes)) => Value::Bool(yes),
        Some(Any::Int(number)) => Value::from(number),
        Some(Any::Double(number)) => {
            Number::from_f64(number).map_or_else(|| Value::String(number.to_string()), Value::Number)
        }
        Some(Any::Array(values)) => values.values.into_iter().map(value).collect(),
        Some(Any::Map(entries)) => Value::Object(entries.values.into_iter().map(entry).collect()),
        Some(Any::Bytes(bytes)) => Value::String(STANDARD.encode(bytes)),
    }
}

/// Text that may have been cut in the middle of a character.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// An id in an error.
fn shown(id: &[u8]) -> String {
    match id {
        [] => "empty".to_owned(),
        id if id.len() > 24 => format!("{} bytes long", id.len()),
        // JSON ids that are neither hexadecimal nor base64 are kept as they came.
        id if id.iter().all(u8::is_ascii_graphic) => format!("`{}`", String::from_utf8_lossy(id)),
        id => format!("`{}`", hex::encode(id)),
    }
}
