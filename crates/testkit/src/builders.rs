//! Short ways to make events.

use std::time::Duration;

use signalbox_types::{
    Cost, CostSource, LogRecord, Message, MetricPoint, Money, ProjectId, Role, Score, ScoreSource, Span, SpanId,
    SpanKind, SpanStatus, Timestamp, TraceId, Usage,
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

/// A judge's score of span `number`, so many milliseconds after `start`.
#[must_use]
pub fn score(project: &str, number: u64, name: &str, value: f64, start: Timestamp) -> Score {
    let time = start.plus(Duration::from_millis(number));
    let mut score = Score::new(ProjectId::new(project), format!("{name}-{number}"), name, time);
    (score.trace_id, score.span_id) = (Some(trace_id(number)), Some(span_id(number)));
    (score.value, score.passed) = (Some(value), Some(value >= 0.5));
    score.source = ScoreSource::Judge;
    score.reason = Some(format!("Judged {number} in Zürich"));
    score.metadata.insert("number".to_owned(), number.to_string());
    score
}

/// A log line of span `number`, so many milliseconds after `start`.
#[must_use]
pub fn log(project: &str, number: u64, body: &str, start: Timestamp) -> LogRecord {
    let time = start.plus(Duration::from_millis(number));
    let mut log = LogRecord::new(ProjectId::new(project), format!("log-{number}"), time);
    (log.trace_id, log.span_id) = (Some(trace_id(number)), Some(span_id(number)));
    (log.severity_number, log.severity_text) = (Some(9), Some("INFO".to_owned()));
    log.body = Some(body.into());
    log.service_name = Some("shop".to_owned());
    log.attributes.insert("number".to_owned(), number.to_string());
    log
}

/// A point of a gauge, so many milliseconds after `start`.
#[must_use]
pub fn gauge(project: &str, number: u64, name: &str, value: f64, start: Timestamp) -> MetricPoint {
    let time = start.plus(Duration::from_millis(number));
    let mut point = MetricPoint::new(ProjectId::new(project), format!("point-{number}"), name, time);
    (point.series, point.value) = (format!("series of {name}"), Some(value));
    point.attributes.insert("number".to_owned(), number.to_string());
    point
}
