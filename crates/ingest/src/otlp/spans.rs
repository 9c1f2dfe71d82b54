//! OTLP's messages to raw spans. A span with a bad id is refused by itself; its batch goes on.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use signalbox_semconv::{Attributes, OtelKind, RawEvent, RawSpan};
use signalbox_types::{SpanId, SpanStatus, Timestamp, TraceId};

use super::future;
use super::proto;
use super::values::{Context, attributes, entry, resource, shown, text};
use crate::pipeline::{Batch, Rejected};

/// The spans of a request. One without any time happened now.
pub(crate) fn batch(request: proto::TraceRequest, now: Timestamp) -> Batch {
    let mut batch = Batch::default();
    let mut number = 0;
    for of_resource in request.resource_spans {
        let resource = resource(of_resource.resource);
        let resource_schema = text(of_resource.schema_url);
        for of_scope in of_resource.scope_spans.into_iter().filter(|of| !of.spans.is_empty()) {
            let context = Context::new(&resource, &resource_schema, of_scope.scope, of_scope.schema_url);
            for span in of_scope.spans {
                match raw(&context, span, number, now) {
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

fn raw(context: &Context, sent: proto::Span, number: usize, now: Timestamp) -> Result<RawSpan, Rejected> {
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
    let trace_id =
        TraceId::from_slice(&sent.trace_id).ok_or_else(|| refuse("bad_trace_id", "trace_id", &sent.trace_id, 16))?;
    let span_id =
        SpanId::from_slice(&sent.span_id).ok_or_else(|| refuse("bad_span_id", "span_id", &sent.span_id, 8))?;

    let mut span = RawSpan::new(trace_id, span_id, name);
    span.attributes = attributes(sent.attributes);
    leftovers(context, &mut span.attributes, &sent.parent_span_id, sent.links, sent.dropped_attributes_count);
    let state = text(sent.trace_state);
    if !state.is_empty() {
        span.attributes.insert("otel.trace_state", Value::String(state));
    }
    span.parent_span_id = SpanId::from_slice(&sent.parent_span_id);
    span.kind = kind(sent.kind);
    (span.start_ns, span.end_ns) = (sent.start_time_unix_nano, sent.end_time_unix_nano);
    if span.start_ns == 0 && span.end_ns == 0 {
        span.start_ns = u64::try_from(now.as_micros()).unwrap_or(0).saturating_mul(1_000);
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
    span.resource = Arc::clone(&context.resource);
    span.scope_name.clone_from(&context.scope_name);
    span.scope_version.clone_from(&context.scope_version);
    span.schema_url.clone_from(&context.schema_url);
    Ok(span)
}

/// What has no place of its own: nothing that was sent is lost.
fn leftovers(context: &Context, kept: &mut Attributes, parent: &[u8], links: Vec<proto::Link>, dropped: u32) {
    context.leftovers(kept);
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
