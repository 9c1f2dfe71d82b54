//! Writes a call down: what is left of it becomes a span. Runs on the settler's thread, so that
//! reading long bodies costs no caller anything.

use std::sync::atomic::Ordering;

use serde_json::{Map, Value};
use signalbox_types::{Message, Part, Span, SpanKind, SpanSource, SpanStatus};
use signalbox_upstream::Operation;
use signalbox_wire::canonical::Charges;
use signalbox_wire::{ChatRequest, ChatResponse, Codec, Dialect, WireError, embeddings};

use crate::along;
use crate::call::{Answer, Call, CallError, Input, Outcome};
use crate::endpoint::Endpoint;
use crate::stages::settle::Settled;

/// Raised when spans of the same call would come out differently.
pub(crate) const NORMALISER_VERSION: u32 = 2;
/// Parameters that only one dialect knows are kept if they are short.
const MAX_PARAMETER_BYTES: usize = 200;

/// The span of a call; none if it belongs to no project.
pub(crate) fn span(settled: Settled, most_bytes: usize) -> Option<Span> {
    let Settled { mut call, outcome, ended } = settled;
    let mut span = begin(&call)?;
    span.end_time = ended;
    target(&call, &mut span);
    routing(&call, &mut span);
    labels(&call, &mut span);
    timings(&call, &mut span);
    transfer(&call, &mut span);
    match &outcome {
        Outcome::Answered => span.status = SpanStatus::Ok,
        Outcome::Failed(error) => failure(error, &mut span),
    }
    let (codec, target_codec) = (call.codec(), call.target_codec());
    span.findings = std::mem::take(&mut call.findings);
    span.verdict = Some(call.verdict);
    span.usage = call.usage;
    span.cost = call.cost;
    let endpoint = call.endpoint;
    let content_type = call.content_type().map(str::to_owned);
    match (endpoint, call.input) {
        (_, Input::Nothing) => {}
        (endpoint, Input::Raw(body)) if endpoint.is_embeddings() => {
            span.input = embedded(endpoint, &body, most_bytes);
        }
        (Endpoint::Kept(_) | Endpoint::Through(_), Input::Raw(body)) => {
            span.input = along::any_input(content_type.as_deref(), &body, most_bytes);
        }
        (Endpoint::Along(surface), Input::Raw(body)) if surface.read.is_some() => {
            span.input = surface.input(&body, most_bytes);
        }
        (_, Input::Raw(body)) => match codec.decode_request(&body) {
            Ok(request) => input(request, most_bytes, &mut span),
            Err(error) => unread("signalbox.input.unread", &error, &mut span),
        },
        (_, Input::Decoded(request)) => input(*request, most_bytes, &mut span),
    }
    let answer = call.answer;
    match answer {
        Answer::Nothing => {}
        Answer::Raw(body) if endpoint.passes_along() => {
            if let Some(units) = along::search_units(&body) {
                span.attributes.insert("signalbox.usage.search_units".to_owned(), units.to_string());
            }
            span.output = along::output(endpoint, &body, most_bytes);
        }
        Answer::Raw(body) => raw_output(target_codec, &body, most_bytes, &mut span),
        Answer::Decoded(response) => output(*response, most_bytes, &mut span),
        Answer::Partial(answer) => output(answer.finish(), most_bytes, &mut span),
    }
    // Also of a call that failed: by what the caller wrote (`provider/model`, an alias), its failures
    // would count as those of another model.
    if span.model_used.is_none() {
        span.model_used = call.target.map(|target| target.model).filter(|model| !model.is_empty());
    }
    Some(span)
}

fn begin(call: &Call) -> Option<Span> {
    let principal = call.principal.as_ref()?;
    let operation = call.endpoint.operation_name(&call.method);
    let model = call.target.as_ref().map(|target| target.model.as_str());
    let name = match model.or_else(|| call.peek.as_ref().map(|peek| peek.model.as_str())) {
        Some(model) if !model.is_empty() => format!("{operation} {model}"),
        _ => operation.to_owned(),
    };
    let name = match &call.through {
        Some(through) if matches!(call.endpoint, Endpoint::Through(_)) => {
            format!("{} {}", call.method, through.template())
        }
        _ => name,
    };
    let mut span = Span::new(principal.project.clone(), call.trace.trace_id, call.trace.span_id, name, call.started);
    span.parent_span_id = call.trace.parent;
    span.source = SpanSource::Gateway;
    span.kind = kind(call.endpoint);
    span.operation = Some(operation.to_owned());
    span.key_id = Some(principal.key_id.clone());
    span.streaming = call.stream();
    span.http_status = call.status.map(|status| status.as_u16());
    span.dialect = Some(call.endpoint.dialect().as_str().to_owned());
    span.scope_name = Some(env!("CARGO_PKG_NAME").to_owned());
    span.scope_version = Some(env!("CARGO_PKG_VERSION").to_owned());
    span.normaliser_version = NORMALISER_VERSION;
    Some(span)
}

fn kind(endpoint: Endpoint) -> SpanKind {
    match endpoint.operation() {
        // What is done with an answer that was made before.
        Operation::Responses if endpoint.passes_along() => SpanKind::Span,
        Operation::Chat | Operation::Responses | Operation::Completions => SpanKind::Llm,
        Operation::Images | Operation::Speech | Operation::Transcriptions => SpanKind::Llm,
        Operation::Embeddings | Operation::EmbeddingsBatch | Operation::CohereEmbed => SpanKind::Embedding,
        Operation::Rerank => SpanKind::Reranker,
        Operation::Moderations => SpanKind::Guardrail,
        // A question about a request: no generation.
        Operation::CountTokens => SpanKind::Span,
        Operation::Files | Operation::Batches | Operation::Through => SpanKind::Span,
    }
}

fn target(call: &Call, span: &mut Span) {
    span.model_requested = call.peek.as_ref().map(|peek| peek.model.clone()).filter(|model| !model.is_empty());
    if let Some(target) = &call.target {
        span.provider = Some(target.provider.otel_name.clone());
        span.attributes.insert("signalbox.provider".to_owned(), target.provider.name.to_string());
        if let Some(credential) = &call.credential {
            span.attributes.insert("signalbox.credential".to_owned(), credential.to_string());
        }
        if !target.model.is_empty() {
            span.attributes.insert("signalbox.model".to_owned(), target.model.clone());
        }
    }
}

fn routing(call: &Call, span: &mut Span) {
    let mut put = |name: &str, value: String| span.attributes.insert(name.to_owned(), value);
    if let Some(routed) = &call.routed {
        put("signalbox.route.name", routed.route.name.to_string());
        put("signalbox.route.strategy", routed.route.strategy().to_owned());
        for (name, value) in routed.trail.attributes(&routed.route) {
            put(name, value);
        }
        if let Some(detour) = &routed.detour {
            put("signalbox.route.detour", detour.said());
        }
        if routed.drained {
            put("signalbox.route.drained", "true".to_owned());
        }
    }
    if let Some(again) = &call.again {
        put("signalbox.idempotency", again.word().to_owned());
        put("signalbox.idempotency.trace_id", again.kept.trace_id.to_string());
    }
    if !call.dropped.is_empty() {
        put("signalbox.dropped", call.dropped.join(","));
    }
    if call.usage_is_estimated {
        put("signalbox.usage.estimated", "true".to_owned());
    }
    let Charges { one_hour_writes: _, audio_input, audio_output, image_input, image_output, service } = call.charges;
    for (name, tokens) in [
        ("signalbox.usage.audio_input_tokens", audio_input),
        ("signalbox.usage.audio_output_tokens", audio_output),
        ("signalbox.usage.image_input_tokens", image_input),
        ("signalbox.usage.image_output_tokens", image_output),
    ] {
        // Most providers say that there were none.
        if let Some(tokens) = tokens.filter(|tokens| *tokens > 0) {
            put(name, tokens.to_string());
        }
    }
    if let Some(service) = service {
        put("signalbox.service_tier", service.as_str().to_owned());
    }
    if let Some(route) = &call.mirror_of {
        put("signalbox.route.mirror_of", route.to_string());
        span.counted_before = Some(false);
    }
}

fn labels(call: &Call, span: &mut Span) {
    if let Some(own) = &call.own {
        span.attributes.extend(own.attributes.clone());
        span.attributes.insert("signalbox.own".to_owned(), "true".to_owned());
    }
    let labels = call.labels();
    let peek = call.peek.as_ref();
    let in_body = |key: &str| peek.and_then(|peek| peek.metadata.get(key)?.as_str().map(str::to_owned));
    span.session_id = labels.session_id.or_else(|| in_body("session_id"));
    span.user_id = labels.user_id.or_else(|| peek.and_then(|peek| peek.user.clone()));
    span.tags = labels.tags;
    span.environment = labels.environment;
    span.prompt_name = labels.prompt_name;
    span.prompt_version = labels.prompt_version;
    span.agent_name = labels.agent_name;
    if let Some(user_agent) = labels.user_agent {
        span.attributes.insert("user_agent.original".to_owned(), user_agent);
    }
    let path = call.through.as_ref().map_or_else(|| call.endpoint.path().to_owned(), |through| through.template());
    span.attributes.insert("url.path".to_owned(), path);
}

/// What HTTP says of a call that has no conversation to tell of.
fn transfer(call: &Call, span: &mut Span) {
    let mut put = |name: &str, value: String| span.attributes.insert(name.to_owned(), value);
    if call.unread {
        put("signalbox.guard.unread", "true".to_owned());
    }
    let unchecked: Vec<String> =
        call.unchecked.iter().map(|(service, reason)| format!("{service}: {reason}")).collect();
    if !unchecked.is_empty() {
        put("signalbox.guard.unchecked", unchecked.join("; "));
    }
    if !matches!(call.endpoint, Endpoint::Kept(_) | Endpoint::Through(_)) {
        return;
    }
    put("http.request.method", call.method.to_string());
    let uploaded = call.uploaded.as_ref().map(|bytes| bytes.load(Ordering::Relaxed));
    let sent = match &call.input {
        Input::Raw(body) => body.len() as u64,
        Input::Nothing | Input::Decoded(_) => 0,
    };
    put("http.request.body.size", uploaded.unwrap_or(sent).to_string());
    put("http.response.body.size", call.answer_bytes.to_string());
}

fn timings(call: &Call, span: &mut Span) {
    span.ttft_ms = call.first_token.map(|time| time.as_secs_f64() * 1_000.0);
    if let Some(first_byte) = call.first_byte {
        let ms = format!("{:.3}", first_byte.as_secs_f64() * 1_000.0);
        span.attributes.insert("signalbox.first_byte_ms".to_owned(), ms);
    }
}

fn failure(error: &CallError, span: &mut Span) {
    span.fail(error.class, error.detail.message.clone());
    span.attributes.insert("signalbox.error.source".to_owned(), error.source.as_str().to_owned());
    if let Some(code) = &error.detail.code {
        span.attributes.insert("signalbox.error.code".to_owned(), code.clone());
    }
}

fn unread(attribute: &str, error: &WireError, span: &mut Span) {
    span.attributes.insert(attribute.to_owned(), error.to_string());
}

fn input(request: ChatRequest, most_bytes: usize, span: &mut Span) {
    span.model_parameters = parameters(&request);
    span.tools = request.tools;
    span.input_messages = trimmed(request.messages, most_bytes);
}

fn raw_output(codec: &dyn Codec, body: &[u8], most_bytes: usize, span: &mut Span) {
    match codec.decode_response(body) {
        Ok(response) => output(response, most_bytes, span),
        Err(error) => unread("signalbox.output.unread", &error, span),
    }
}

fn output(response: ChatResponse, most_bytes: usize, span: &mut Span) {
    span.response_id = response.id;
    span.model_used = response.model;
    span.finish_reasons = response.finish_reasons.iter().map(|reason| reason.as_str().to_owned()).collect();
    span.output_messages = trimmed(response.messages, most_bytes);
}

fn parameters(request: &ChatRequest) -> Map<String, Value> {
    let mut all = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            all.insert(name.to_owned(), value);
        }
    };
    put("max_tokens", request.max_tokens.map(Value::from));
    put("temperature", request.temperature.clone().map(Value::Number));
    put("top_p", request.top_p.clone().map(Value::Number));
    put("top_k", request.top_k.map(Value::from));
    put("seed", request.seed.clone().map(Value::Number));
    put("presence_penalty", request.presence_penalty.clone().map(Value::Number));
    put("frequency_penalty", request.frequency_penalty.clone().map(Value::Number));
    put("n", request.answers.map(Value::from));
    put("stop_sequences", (!request.stop.is_empty()).then(|| Value::from(request.stop.clone())));
    put("parallel_tool_calls", request.parallel_tool_calls.map(Value::from));
    for (name, value) in &request.extras.fields {
        let short = match value {
            Value::Number(_) | Value::Bool(_) => true,
            Value::String(text) => text.len() <= MAX_PARAMETER_BYTES,
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        if short {
            put(name, Some(value.clone()));
        }
    }
    all
}

fn embedded(endpoint: Endpoint, body: &[u8], most_bytes: usize) -> Option<Value> {
    #[derive(serde::Deserialize)]
    struct Request {
        input: Value,
    }
    if body.len() > most_bytes {
        return Some(Value::from(format!("[input of {} bytes, not recorded]", body.len())));
    }
    if endpoint.dialect() == Dialect::Gemini {
        return embeddings::decode_request(embeddings::Form::Gemini, body)
            .ok()
            .map(|request| Value::from(request.inputs));
    }
    serde_json::from_slice::<Request>(body).ok().map(|request| request.input)
}

/// The messages, with what is over the limit replaced by a note of its size.
fn trimmed(mut messages: Vec<Message>, most_bytes: usize) -> Vec<Message> {
    let mut left = most_bytes;
    for part in messages.iter_mut().flat_map(|message| &mut message.parts) {
        let size = size(part);
        match left.checked_sub(size) {
            Some(rest) => left = rest,
            None => trim(part, size, &mut left),
        }
    }
    messages
}

fn size(part: &Part) -> usize {
    match part {
        Part::Text { content } | Part::Refusal { content } | Part::Blob { content, .. } => content.len(),
        Part::Reasoning { content, signature, encrypted } => {
            content.len() + signature.as_ref().map_or(0, String::len) + encrypted.as_ref().map_or(0, String::len)
        }
        Part::ToolCall { arguments: value, .. }
        | Part::ToolCallResponse { response: value, .. }
        | Part::Other(value) => value_size(value),
        Part::Uri { uri, .. } => uri.len(),
        Part::File { file_id } => file_id.len(),
    }
}

fn value_size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(value_size).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + value_size(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

fn trim(part: &mut Part, size: usize, left: &mut usize) {
    match part {
        Part::Text { content } | Part::Refusal { content } => {
            content.truncate(content.floor_char_boundary(*left));
            let note = format!("… [{} bytes more, not recorded]", size - content.len());
            content.push_str(&note);
            *left = 0;
        }
        Part::ToolCall { arguments: value, .. } | Part::ToolCallResponse { response: value, .. } => {
            *value = Value::from(format!("[{size} bytes, not recorded]"));
        }
        Part::Blob { mime_type, .. } => {
            let what = mime_type.as_deref().unwrap_or("file");
            *part = Part::Text { content: format!("[{what}, {size} bytes of Base64, not recorded]") };
        }
        Part::Reasoning { .. } | Part::Uri { .. } | Part::File { .. } | Part::Other(_) => {
            *part = Part::Text { content: format!("[{size} bytes, not recorded]") };
        }
    }
}

#[cfg(test)]
mod tests {
    use signalbox_types::{Modality, Role};

    use super::*;

    #[test]
    fn what_is_over_the_limit_becomes_a_note() {
        let blob =
            Part::Blob { mime_type: Some("image/png".into()), modality: Modality::Image, content: "x".repeat(50) };
        let mut message = Message::text(Role::User, "short");
        message.parts.push(blob);
        message.parts.push(Part::Text { content: "ääää".into() });
        message.parts.push(Part::Text { content: "gone".into() });
        let kept = trimmed(vec![message.clone()], 10);
        let texts: Vec<String> = kept[0]
            .parts
            .iter()
            .map(|part| Message { parts: vec![part.clone()], ..message.clone() }.readable())
            .collect();
        assert_eq!(
            texts,
            [
                "short",
                "[image/png, 50 bytes of Base64, not recorded]",
                "ää… [4 bytes more, not recorded]",
                "… [4 bytes more, not recorded]"
            ]
        );
        assert_eq!(trimmed(vec![message.clone()], 100), vec![message]);
    }
}
