//! Short ways to make spans.

use std::time::Duration;

use signalbox_types::{
    Cost, CostSource, Message, Money, ProjectId, Role, Span, SpanId, SpanKind, SpanStatus, Timestamp, TraceId, Usage,
};

/// The trace id that ends in this number.
#[must_use]
pub fn trace_id(number: u64) -> TraceId {
    let mut bytes = [0x11; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    TraceId::from_bytes(bytes).unwrap_or_else(TraceId::new)
}

/// The span id of this number.
#[must_use]
pub fn span_id(number: u64) -> SpanId {
    SpanId::from_bytes(number.saturating_add(1).to_be_bytes()).unwrap_or_else(SpanId::new)
}

/// A finished call of `model` in project `project`, `offset_ms` after `start`.
#[must_use]
pub fn llm_span(project: &str, number: u64, model: &str, start: Timestamp, offset_ms: u64) -> Span {
    let begin = start.plus(Duration::from_millis(offset_ms));
    let mut span =
        Span::new(ProjectId::new(project), trace_id(number), span_id(number), format!("chat {model}"), begin);
    span.kind = SpanKind::Llm;
    span.operation = Some("chat".to_owned());
    span.status = SpanStatus::Ok;
    span.end_time = begin.plus(Duration::from_millis(100 + number % 900));
    span.ttft_ms = Some(20.0 + (number % 50) as f64);
    span.provider = Some("sim".to_owned());
    span.model_requested = Some(model.to_owned());
    span.usage = Usage { input_tokens: Some(100 + number), output_tokens: Some(10), ..Usage::default() };
    span.cost = Some(Cost {
        input: Money::from_picos(1_000_000),
        cache_read: Money::ZERO,
        cache_write: Money::ZERO,
        output: Money::from_picos(2_000_000),
        total: Money::from_picos(3_000_000),
        source: CostSource::Priced,
    });
    span.attributes.insert("number".to_owned(), number.to_string());
    span.input_messages = vec![Message::text(Role::User, format!("Question {number} about Zürich"))];
    span.output_messages = vec![Message::text(Role::Assistant, format!("Answer {number}"))];
    span
}
