//! Says the answer in the caller's dialect: a whole one here, a stream event by event in `relay`.
//! And the heads of all answers.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use signalbox_types::{ErrorClass, Usage, Verdict};
use signalbox_upstream::Operation;
use signalbox_wire::{
    ChatResponse, Dialect, FinishReason, Framing, StreamEvent, StreamStart, WireError, along as wire_along, embeddings,
};

use crate::call::{Answer, Call, CallError, Input, Outcome, Reply, Retry, Source};
use crate::cross::Crossing;
use crate::endpoint::Endpoint;
use crate::headers::{
    AMAZON_REQUEST_ID, ANTHROPIC_REQUEST_ID, ARM, ATTEMPTS, COST_USD, DROPPED, IDEMPOTENCY, LATENCY_MS, MODEL,
    OPENAI_REQUEST_ID, PROVIDER, ROUTE, SHOULD_RETRY, TRACE_ID, TRACEPARENT, VERDICT,
};
use crate::idempotency::Kept;
use crate::kept::{Owner, only_theirs, unlisted};
use crate::list::List;
use crate::owners::Kind;
use crate::pass::Pass;
use crate::relay::Relay;
use crate::restore::restored;
use crate::stages::settle::{Settle, millis_since_start};
use crate::verdict::said;
use crate::{Gateway, ResponseBody, along, batches, bedrock};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");

pub(crate) fn encode(call: &mut Call, gateway: &Gateway, reply: Reply) -> Result<Reply, CallError> {
    let is_only = matches!(call.endpoint, Endpoint::Kept(_)) && gateway.catalog.has_one_project();
    if call.endpoint.operation() == Operation::Speech {
        // What is said is sound; what it costs is told by what was asked for.
        call.units.characters = spoken(call);
        gateway.settler.price_units(call);
    }
    let Reply::Whole { headers, mut body } = reply else {
        return match (call.endpoint, &call.target) {
            (Endpoint::Kept(shelf), Some(target)) if shelf.is_of_all() && call.method == Method::GET && !is_only => {
                Err(unlisted(&target.provider.name))
            }
            _ => Ok(reply),
        };
    };
    if let Endpoint::Kept(shelf) = call.endpoint
        && let (Some(principal), Some(target)) = (&call.principal, &call.target)
    {
        let owner = Owner { gateway, project: &principal.project, provider: &target.provider.name, is_only };
        body = only_theirs(shelf, call.method == Method::POST, body, &owner)?;
        if shelf.kind == Kind::Batch {
            batches::told(call, gateway, &body);
        }
    }
    // As the provider tells it: some forms can't leave it out.
    let mut told = None;
    if let Some(crossing) = call.target.as_ref().and_then(|target| Crossing::find(call.endpoint, &target.provider)) {
        told = crossing.usage(&body);
        body = crossed(call, crossing, body)?;
    }
    if call.endpoint.passes_along() {
        // Its price isn't that of a token of text.
        call.usage = told.unwrap_or_else(|| along::usage(&body));
        call.answer_bytes = body.len();
        call.answer = Answer::Raw(body.clone());
        batches::read(call, gateway, &body);
        match call.endpoint.operation() {
            Operation::Rerank => call.units.searches = along::search_units(&body).unwrap_or(0),
            Operation::Images => call.units.images = wire_along::images(&body),
            Operation::Transcriptions => call.units.milliseconds = wire_along::heard(&body).unwrap_or(0),
            _ => {}
        }
        if matches!(call.endpoint.operation(), Operation::Rerank | Operation::CohereEmbed) {
            gateway.settler.price(call);
        }
        if call.cost.is_none() {
            gateway.settler.price_units(call);
        }
        return Ok(Reply::Whole { headers, body });
    }
    if call.endpoint.is_embeddings() {
        let own = || call.endpoint.embeddings_form().map(|form| embeddings::usage_of(form, &body));
        call.usage = told.or_else(own).unwrap_or_default();
    } else if call.endpoint.is_chat() {
        match call.target_codec().decode_response(&body) {
            Ok(mut response) => {
                call.usage = response.usage;
                call.charges = response.charges;
                if let Some(id) = &response.id {
                    note_kept(call, gateway, id);
                }
                if !call.same_dialect() {
                    response.latency_ms = Some(millis_since_start(call, &*gateway.clock));
                    let encoded = call.codec().encode_answer(&mut response, &start(call));
                    body = encoded.map_err(|error| untold(call, &error))?;
                }
                call.answer = Answer::Decoded(Box::new(response));
            }
            // The caller may well understand what we don't.
            Err(error) if call.same_dialect() => {
                tracing::debug!(error = %error, "an answer was passed on unread");
                call.answer = Answer::Raw(body.clone());
            }
            Err(error) => return Err(untold(call, &error)),
        }
    }
    gateway.settler.price(call);
    Ok(Reply::Whole { headers, body })
}

/// What an answer says where the provider said nothing.
pub(crate) fn start(call: &Call) -> StreamStart {
    StreamStart {
        id: own_id(call),
        model: call.target.as_ref().map(|target| target.model.clone()).unwrap_or_default(),
        created: call.started.as_secs(),
        include_usage: call.peek.as_ref().is_some_and(|peek| peek.wants_stream_usage),
    }
}

/// The id of an answer that has none of the provider's.
fn own_id(call: &Call) -> String {
    format!("signalbox-{}", call.trace.trace_id)
}

/// How many characters are to be spoken.
fn spoken(call: &Call) -> u64 {
    #[derive(serde::Deserialize)]
    struct Asked<'a> {
        #[serde(borrow)]
        input: std::borrow::Cow<'a, str>,
    }
    let Input::Raw(body) = &call.input else { return 0 };
    serde_json::from_slice::<Asked<'_>>(body).map_or(0, |asked| asked.input.chars().count() as u64)
}

/// A provider that has OpenAI's Responses API keeps what it answers by it.
fn note_kept(call: &Call, gateway: &Gateway, id: &str) {
    if call.endpoint == Endpoint::Responses
        && call.same_dialect()
        && let (Some(principal), Some(target)) = (&call.principal, &call.target)
    {
        gateway.owners.note(Kind::Response, id, &principal.project, &target.provider.name);
    }
}

/// An answer in another form, as the caller knows it.
fn crossed(call: &Call, crossing: Crossing, body: Bytes) -> Result<Bytes, CallError> {
    let Input::Raw(asked) = &call.input else { return Ok(body) };
    let model = call.target.as_ref().map_or("", |target| target.model.as_str());
    crossing.answer(&body, asked, model).map_err(|error| untold(call, &error))
}

fn untold(call: &Call, error: &WireError) -> CallError {
    let provider = call.target.as_ref().map_or("", |target| &target.provider.name);
    let why = match error {
        // Its own words are about requests.
        WireError::Unsupported { field, dialect, hint } => {
            format!("`{field}` can't be said to a caller that speaks `{dialect}`: {hint}")
        }
        other => other.to_string(),
    };
    let message = format!("provider `{provider}` sent an answer that can't be passed on: {why}");
    CallError::upstream(ErrorClass::UpstreamError, message)
}

/// The answer of a call that went well so far; a stream may still fail.
pub(crate) fn answer(mut settle: Settle, reply: Reply, gateway: &Gateway) -> Response<ResponseBody> {
    let status = match settle.endpoint {
        Endpoint::Through(_) | Endpoint::Kept(_) => settle.replied.unwrap_or(StatusCode::OK),
        _ => StatusCode::OK,
    };
    settle.status = Some(status);
    let mut response = answering(settle, reply, gateway);
    *response.status_mut() = status;
    response
}

fn answering(mut settle: Settle, reply: Reply, gateway: &Gateway) -> Response<ResponseBody> {
    match reply {
        Reply::Whole { mut headers, body } => {
            if !settle.endpoint.passes_along() {
                headers.insert(CONTENT_TYPE, JSON);
            }
            if let Some(cost) = settle.cost_of_all()
                && let Ok(cost) = HeaderValue::try_from(cost.total.to_string())
            {
                headers.insert(COST_USD, cost);
            }
            let body = restored(&settle, body);
            lead_on(&mut settle, gateway, StatusCode::OK, &headers, &body, None);
            our_headers(&settle, gateway, &mut headers);
            settle.finish(Outcome::Answered);
            with_headers(headers, whole(body))
        }
        Reply::Stream(mut incoming) => {
            let mut headers = std::mem::take(&mut incoming.headers);
            let (as_list, framing) = (settle.as_list, settle.codec().framing());
            streaming_headers(&settle, &mut headers);
            our_headers(&settle, gateway, &mut headers);
            let relay = Relay::new(settle, *incoming, gateway).boxed_unsync();
            with_headers(headers, framed(relay, as_list, framing))
        }
        Reply::Passing(mut passing) => {
            let mut headers = std::mem::take(&mut passing.headers);
            our_headers(&settle, gateway, &mut headers);
            with_headers(headers, Pass::new(settle, *passing, gateway).boxed_unsync())
        }
    }
}

fn streaming_headers(call: &Call, headers: &mut HeaderMap) {
    let kind = match call.codec().framing() {
        _ if call.as_list => JSON,
        Framing::Sse => EVENT_STREAM,
        framing @ Framing::AmazonEventStream => HeaderValue::from_static(framing.content_type()),
    };
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
}

/// Server-sent events in the form that the caller expects.
fn framed(events: ResponseBody, as_list: bool, framing: Framing) -> ResponseBody {
    match framing {
        _ if as_list => List::new(events).boxed_unsync(),
        Framing::Sse => events,
        Framing::AmazonEventStream => bedrock::Frames::new(events).boxed_unsync(),
    }
}

/// The answer of a call that a policy answers in the place of a model. Nobody was asked, and nothing was used.
pub(crate) fn reply(mut settle: Settle, gateway: &Gateway) -> Response<ResponseBody> {
    let text = settle.reply.take().unwrap_or_default();
    let model = settle.peek.as_ref().map(|peek| peek.model.clone()).unwrap_or_default();
    let usage = Usage { input_tokens: Some(0), output_tokens: Some(0), ..Usage::default() };
    let took = millis_since_start(&settle, &*gateway.clock);
    let response = ChatResponse {
        latency_ms: Some(took),
        id: Some(own_id(&settle)),
        model: Some(model.clone()),
        created: Some(settle.started.as_secs()),
        messages: vec![said(&text)],
        finish_reasons: vec![FinishReason::Stop],
        usage,
        ..ChatResponse::default()
    };
    if !settle.stream() {
        let body = match settle.codec().encode_response(&response) {
            Ok(body) => body,
            Err(error) => {
                let error = untold(&settle, &error);
                return refuse(settle, error, gateway);
            }
        };
        settle.answer = Answer::Decoded(Box::new(response));
        return answer(settle, Reply::Whole { headers: HeaderMap::new(), body }, gateway);
    }
    let start = StreamStart { model: model.clone(), ..start(&settle) };
    let mut encoder = settle.codec().encode_stream(&start);
    encoder.took(took);
    let mut body = BytesMut::new();
    for event in [
        StreamEvent::Start { id: response.id.clone(), model: Some(model) },
        StreamEvent::TextDelta { choice: 0, index: 0, text: text.to_string() },
        StreamEvent::Finish { choice: 0, reason: FinishReason::Stop, stop_sequence: None },
        StreamEvent::Usage(usage),
        StreamEvent::End,
    ] {
        encoder.event(&event, &mut body);
    }
    encoder.finish(&mut body);
    settle.answer = Answer::Decoded(Box::new(response));
    settle.status = Some(StatusCode::OK);
    let mut headers = HeaderMap::new();
    let (as_list, framing) = (settle.as_list, settle.codec().framing());
    streaming_headers(&settle, &mut headers);
    our_headers(&settle, gateway, &mut headers);
    settle.finish(Outcome::Answered);
    with_headers(headers, framed(whole(body.freeze()), as_list, framing))
}

fn with_headers(headers: HeaderMap, body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response
}

/// The answer of a call that failed before anything went out.
pub(crate) fn refuse(mut settle: Settle, mut error: CallError, gateway: &Gateway) -> Response<ResponseBody> {
    let status = error.status();
    let came = error.detail.first_byte.map(|came| came.saturating_sub(settle.started_at));
    settle.first_byte = settle.first_byte.or(came);
    if let Some(credential) = error.detail.credential.take() {
        settle.credential = Some(credential);
    }
    settle.status = Some(status);
    let mut headers = std::mem::take(&mut error.detail.headers);
    let body = error.detail.verbatim.take().unwrap_or_else(|| settle.endpoint.encode_error(&error.body()));
    lead_on(&mut settle, gateway, status, &headers, &body, Some(&error));
    our_headers(&settle, gateway, &mut headers);
    if let Some((name, kind)) = settle.codec().error_header(&error.body()) {
        headers.entry(name).or_insert(HeaderValue::from_static(kind));
    }
    let (retry, class) = (error.retry, error.class);
    settle.finish(Outcome::Failed(error));
    let mut response = refusal(status, headers, retry, body);
    // For a call of our own, which reads no status.
    response.extensions_mut().insert(class);
    response
}

/// Tells the answer to those who sent the same call and wait for it.
fn lead_on(
    call: &mut Call,
    gateway: &Gateway,
    status: StatusCode,
    headers: &HeaderMap,
    body: &Bytes,
    error: Option<&CallError>,
) {
    // If only its own caller would wait no longer, the first of the others makes the call.
    let impatient = |error: &CallError| error.source == Source::Caller && error.class == ErrorClass::UpstreamTimeout;
    if let Some(lead) = call.lead.take().filter(|_| !error.is_some_and(impatient)) {
        let mut headers = headers.clone();
        answerer(call, &mut headers);
        let kept = Kept::of(status, headers, body.clone(), call.trace.trace_id, error);
        lead.answered(kept, gateway.clock.elapsed());
    }
}

/// The answer of the same call, which was sent before, with who gave it and what it cost. Nothing was used for it again,
/// as [`IDEMPOTENCY`] says.
pub(crate) fn again(mut settle: Settle, gateway: &Gateway) -> Response<ResponseBody> {
    let Some(again) = &settle.again else { return refuse(settle, unasked(), gateway) };
    let (kept, word) = (Arc::clone(&again.kept), HeaderValue::from_static(again.word()));
    settle.status = Some(kept.status);
    let mut headers = kept.headers.clone();
    headers.insert(IDEMPOTENCY, word);
    our_headers(&settle, gateway, &mut headers);
    let outcome = kept.outcome();
    let retry = if let Outcome::Failed(error) = &outcome { error.retry } else { Retry::Never };
    settle.finish(outcome);
    if kept.status.is_success() {
        return with_headers(headers, whole(kept.body.clone()));
    }
    refusal(kept.status, headers, retry, kept.body.clone())
}

fn unasked() -> CallError {
    CallError::us(ErrorClass::Internal, "the call has no answer of another one")
}

pub(crate) fn refusal(status: StatusCode, mut headers: HeaderMap, retry: Retry, body: Bytes) -> Response<ResponseBody> {
    // What passes through says itself what it is.
    headers.entry(CONTENT_TYPE).or_insert(JSON);
    // The SDKs would try a 5xx again.
    if retry == Retry::Never && status.is_server_error() {
        headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    let mut response = with_headers(headers, whole(body));
    *response.status_mut() = status;
    response
}

pub(crate) fn whole(body: Bytes) -> ResponseBody {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

/// Names of fields are the caller's own, who may call them anything.
fn dropped(call: &Call) -> String {
    const LONGEST: usize = 64;
    let plain = |char: char| if char.is_ascii_graphic() && char != ',' { char } else { '?' };
    let names = call.dropped.iter().map(|name| name.chars().take(LONGEST).map(plain).collect::<String>());
    names.collect::<Vec<_>>().join(",")
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Who answered, and how it came to that.
fn answerer(call: &Call, headers: &mut HeaderMap) {
    let mut put = |name, value: &str| put(headers, name, value);
    if let Some(target) = &call.target {
        put(PROVIDER, &target.provider.name);
        put(MODEL, &target.model);
    }
    if let Some(routed) = &call.routed {
        put(ROUTE, &routed.route.name);
        put(ATTEMPTS, &routed.trail.attempts.to_string());
        if let Some(arm) = &routed.trail.arm {
            put(ARM, arm);
        }
    }
    if !call.dropped.is_empty() {
        put(DROPPED, &dropped(call));
    }
    if call.verdict != Verdict::Allow {
        put(VERDICT, call.verdict.as_str());
    }
}

fn our_headers(call: &Call, gateway: &Gateway, headers: &mut HeaderMap) {
    let took = gateway.clock.elapsed().saturating_sub(call.started_at);
    put(headers, LATENCY_MS, &format!("{:.1}", took.as_secs_f64() * 1_000.0));
    answerer(call, headers);
    headers.insert(TRACE_ID, call.trace.id_header.clone());
    headers.insert(TRACEPARENT, call.trace.traceparent.clone());
    // The provider's own id, if there is one: its support knows no other.
    let request_id = match call.endpoint.dialect() {
        // Google's SDKs look for none.
        Dialect::OpenaiChat
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiResponses
        | Dialect::Gemini
        | Dialect::CohereV2 => OPENAI_REQUEST_ID,
        Dialect::BedrockConverse => AMAZON_REQUEST_ID,
        Dialect::AnthropicMessages => ANTHROPIC_REQUEST_ID,
    };
    headers.entry(request_id).or_insert_with(|| call.trace.id_header.clone());
}
