use serde_json::Value;
use signalbox_types::span::SpanEvent;
use signalbox_types::{KeyId, ProjectId, Span, SpanKind, SpanSource, SpanStatus, Timestamp};

use crate::{Confidence, OtelKind, RawEvent, RawSpan, kept, provider, registry};

/// Raised whenever the same attributes give another span, so that old spans can be found and
/// normalised again from the attributes that they keep.
pub const NORMALISER_VERSION: u32 = 2;

/// Logfire announces a span before it ends and sends it again afterwards: the announcement would
/// show as a second span.
#[must_use]
pub fn is_placeholder(raw: &RawSpan) -> bool {
    raw.attributes.get("logfire.span_type").and_then(Value::as_str) == Some("pending_span")
}

/// The span that a raw span means, in whatever dialects it speaks. One that speaks none is a plain
/// span: name, times, status, service, session.
#[must_use]
pub fn normalise(raw: RawSpan, project: &ProjectId, key_id: Option<&KeyId>) -> Span {
    let mut span = plain(&raw, project, key_id);
    let mut speaking: Vec<_> = registry::ALL
        .iter()
        .map(|dialect| (dialect.recognise(&raw), *dialect))
        .filter(|(sure, _)| *sure > Confidence::No)
        .collect();
    speaking.sort_by_key(|(sure, _)| std::cmp::Reverse(*sure));
    span.dialect = speaking.first().map(|(_, dialect)| dialect.name().to_owned());
    for (_, dialect) in speaking {
        dialect.to_span(&raw, &mut span);
    }
    settle(&raw, &mut span);
    keep(raw, &mut span);
    span
}

/// What every OpenTelemetry span says, whatever it is about.
fn plain(raw: &RawSpan, project: &ProjectId, key_id: Option<&KeyId>) -> Span {
    let start_ns = if raw.start_ns == 0 { raw.end_ns } else { raw.start_ns };
    let start = Timestamp::from_nanos(start_ns);
    let mut span = Span::new(project.clone(), raw.trace_id, raw.span_id, raw.name.clone(), start);
    span.source = SpanSource::Otlp;
    span.key_id = key_id.cloned();
    span.parent_span_id = raw.parent_span_id.filter(|parent| *parent != raw.span_id);
    span.end_time = Timestamp::from_nanos(raw.end_ns.max(start_ns));
    span.status = raw.status;
    span.status_message = filled(&raw.status_message);
    span.error_type = raw.attributes.text(&["error.type"]);
    if let Some(exception) = raw.events.iter().rev().find(|event| event.name == "exception") {
        let exception = &exception.attributes;
        span.error_type = span.error_type.or_else(|| exception.text(&["exception.type"]));
        span.status_message = span.status_message.or_else(|| exception.text(&["exception.message"]));
    }
    span.session_id = raw.attributes.text(&["session.id"]);
    span.user_id = raw.attributes.text(&["user.id", "enduser.id"]);
    let of_process = |keys: &[&str]| raw.attributes.text(keys).or_else(|| raw.resource.text(keys));
    span.service_name = raw.resource.text(&["service.name"]);
    span.release = raw.resource.text(&["service.version"]);
    span.environment = of_process(&["deployment.environment.name", "deployment.environment"]);
    span.scope_name = filled(&raw.scope_name);
    span.scope_version = filled(&raw.scope_version);
    span.schema_url = filled(&raw.schema_url);
    span.normaliser_version = NORMALISER_VERSION;
    span
}

/// What follows from all that was read.
fn settle(raw: &RawSpan, span: &mut Span) {
    span.provider = span.provider.take().map(|name| provider::canonical(&name)).filter(|name| !name.is_empty());
    if span.kind == SpanKind::Span && span.dialect.is_some() && span.model().is_some() {
        span.kind = SpanKind::Llm;
    }
    // Agents and workflows repeat what the calls within them used: counting both would double it.
    if !matches!(span.kind, SpanKind::Llm | SpanKind::Embedding | SpanKind::Reranker) {
        span.usage = signalbox_types::Usage::default();
        span.cost = None;
    }
    include_cached(&mut span.usage);
    // An exception that was handled on the way is no failure; an `error.type` says that it is one.
    let says_error = span.status == SpanStatus::Unset && raw.attributes.get("error.type").is_some();
    if says_error {
        span.status = SpanStatus::Error;
    }
    if span.status != SpanStatus::Error {
        span.error_type = None;
        if raw.status_message.is_empty() {
            span.status_message = None;
        }
    }
    if span.name.is_empty() {
        let known =
            [span.operation.as_deref(), span.model().or(span.tool_name.as_deref()).or(span.agent_name.as_deref())];
        let name = known.into_iter().flatten().collect::<Vec<_>>().join(" ");
        span.name = if name.is_empty() { "unnamed".to_owned() } else { name };
    }
}

/// Older Anthropic instrumentations report input *without* what was cached. More cached than there
/// is in all can't be; then the cached tokens are added.
fn include_cached(usage: &mut signalbox_types::Usage) {
    let cached = usage.cache_read_tokens.unwrap_or(0).saturating_add(usage.cache_write_tokens.unwrap_or(0));
    if let Some(input) = usage.input_tokens
        && cached > input
    {
        usage.input_tokens = Some(input.saturating_add(cached));
    }
}

/// Keeps all that was sent, so that nothing is lost and the span can be normalised again.
fn keep(raw: RawSpan, span: &mut Span) {
    let mut attributes = raw.attributes;
    if let Some(kind) = raw.kind.as_str()
        && !attributes.contains(OtelKind::KEPT_AS)
    {
        attributes.insert(OtelKind::KEPT_AS, kind.into());
    }
    // What a dialect has set already (expanded metadata) stays.
    for (key, value) in std::mem::take(&mut span.attributes) {
        attributes.insert(key, kept::read(&value));
    }
    span.attributes = kept::keep(attributes, span);
    span.resource_attributes = raw.resource.to_texts();
    span.events = raw.events.into_iter().map(event).collect();
}

fn event(raw: RawEvent) -> SpanEvent {
    SpanEvent {
        time: Timestamp::from_nanos(raw.time_ns),
        name: raw.name,
        attributes: raw.attributes.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect(),
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
