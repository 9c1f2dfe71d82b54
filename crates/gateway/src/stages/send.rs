//! Says the call in the provider's dialect, sends it, and takes the head of the answer. What a
//! provider refuses, or calls a success and isn't, ends here.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http_body_util::BodyExt as _;
use serde_json::value::RawValue;
use signalbox_types::ErrorClass;
use signalbox_upstream::{BodyError, MaxTokensField, Target, UpstreamCall, UpstreamReply, simulated};
use signalbox_wire::{ChatRequest, Codec, ErrorBody, SseDecoder, StreamEvent, WireError, embeddings, splice};

use crate::Gateway;
use crate::call::{Call, CallError, Incoming, Input, Reply};
use crate::headers::{passed_back, passed_on};
use crate::offload::offload;

/// No provider has more to say about a failure.
const MAX_ERROR_BYTES: usize = 1 << 20;

pub(crate) async fn send(call: &mut Call, gateway: &Gateway) -> Result<Reply, CallError> {
    let Some(target) = call.target.clone() else {
        return Err(CallError::us(ErrorClass::Internal, "the call has no target"));
    };
    let outgoing = outgoing(call, &target).await?;
    let reply = gateway
        .upstream
        .send(&target, outgoing)
        .await
        .map_err(|error| CallError::upstream(error.class(), error.to_string()))?;
    call.first_byte = Some(gateway.clock.elapsed().saturating_sub(call.started_at));
    // A call can't be lent to a future that waits: its request body is `Send`, not `Sync`.
    let codec = call.target_codec();
    if !reply.status.is_success() {
        let same_dialect = call.same_dialect();
        return Err(refused(codec, same_dialect, &target, reply).await);
    }
    if call.stream() {
        begin_stream(codec, &target, reply, gateway).await
    } else {
        whole(codec, &target, reply, gateway).await
    }
}

async fn outgoing(call: &mut Call, target: &Target) -> Result<UpstreamCall, CallError> {
    let same_dialect = call.same_dialect();
    let Input::Raw(body) = &call.input else {
        return Err(CallError::us(ErrorClass::Internal, "the call has no body"));
    };
    let mut body = body.clone();
    if same_dialect {
        body = for_model(call, target, body);
        call.input = Input::Raw(body.clone());
    } else if call.endpoint.is_embeddings() {
        let mut request = embeddings::decode_request(call.endpoint.dialect(), &body)?;
        request.model.clone_from(&target.model);
        body = embeddings::encode_request(target.provider.dialect, &request)?;
    } else {
        let (from, to, target) = (call.codec(), call.target_codec(), target.clone());
        let peek = call.peek.as_ref();
        let stream = peek.is_some_and(|peek| peek.stream).then(|| peek.is_some_and(|peek| peek.wants_stream_usage));
        let (request, said) = offload(body.len(), move || translate(from, to, &target, stream, &body)).await??;
        call.input = Input::Decoded(request);
        body = said?;
    }
    if call.stream()
        && target.provider.stream_options
        && let Some(asking) = call.target_codec().ask_for_usage(&body)
    {
        body = asking;
        call.asked_for_usage = true;
    }
    let mut headers = passed_on(&call.headers, same_dialect, &call.trace);
    if target.provider.is_simulated() {
        let steering = call.headers.iter().filter(|(name, _)| name.as_str().starts_with(simulated::HEADER_PREFIX));
        headers.extend(steering.map(|(name, value)| (HeaderName::clone(name), value.clone())));
    }
    // Another dialect's parameters would mean nothing there, or something else.
    let query = call.query.clone().filter(|_| same_dialect);
    let operation = call.endpoint.operation_at(target.provider.dialect);
    Ok(UpstreamCall { operation, body, stream: call.stream(), headers, query })
}

/// The request as it is recorded, and what goes out for it.
type Translated = (Box<ChatRequest>, Result<Bytes, WireError>);

/// `stream`: whether usage is wanted in the stream, if one is. Not every dialect says so in the body.
fn translate(
    from: &dyn Codec,
    to: &dyn Codec,
    target: &Target,
    stream: Option<bool>,
    body: &[u8],
) -> Result<Translated, WireError> {
    let mut request = from.decode_request(body)?;
    request.model.clone_from(&target.model);
    request.stream = stream.is_some();
    request.stream_usage = stream.unwrap_or(false) && target.provider.stream_options;
    request.old_max_tokens = target.provider.max_tokens_field == MaxTokensField::MaxTokens;
    let said = to.encode_request(&request);
    Ok((Box::new(request), said))
}

/// The same bytes, but for the model's name where the provider has another one for it.
fn for_model(call: &Call, target: &Target, body: Bytes) -> Bytes {
    match &call.peek {
        // The path names it; the body may name it again.
        Some(peek) if peek.model != target.model && peek.model_range.is_empty() => {
            call.codec().with_model(&body, &target.model).unwrap_or(body)
        }
        Some(peek) if peek.model != target.model => {
            let name = serde_json::Value::from(target.model.as_str()).to_string();
            splice(&body, &[(peek.model_range.clone(), name.into_bytes())])
        }
        _ => body,
    }
}

/// What a provider says with a status of 300 or more.
async fn refused(codec: &dyn Codec, same_dialect: bool, target: &Target, reply: UpstreamReply) -> CallError {
    let UpstreamReply { status, headers, body } = reply;
    let is_json = content_type(&headers).is_none_or(|kind| kind.contains("json"));
    let back = passed_back(&headers);
    let body = body.read_at_most(MAX_ERROR_BYTES).await;
    let mut told = codec.decode_error(status.as_u16(), &body);
    // The SDKs follow no redirect with a body, and neither do we.
    if status.is_redirection() {
        told.class = ErrorClass::UpstreamError;
    }
    let mut error = CallError::of_provider(&target.provider.name, told);
    let theirs_to_tell = same_dialect && is_json && !body.is_empty() && !status.is_redirection();
    if theirs_to_tell && error.class != ErrorClass::UpstreamAuth {
        error.detail.status = Some(status);
        error.detail.verbatim = Some(body);
    }
    error.detail.headers = back;
    error.detail.headers.remove(CONTENT_TYPE);
    error
}

async fn whole(
    codec: &dyn Codec,
    target: &Target,
    reply: UpstreamReply,
    gateway: &Gateway,
) -> Result<Reply, CallError> {
    let headers = passed_back(&reply.headers);
    let status = reply.status.as_u16();
    let body = reply.body.read_all(gateway.config.max_answer_bytes).await.map_err(|error| broken(&error))?;
    /// An answer of any dialect that is not one.
    #[derive(serde::Deserialize)]
    struct Probe<'a> {
        #[serde(borrow, default)]
        error: Option<&'a RawValue>,
    }
    match serde_json::from_slice::<Probe<'_>>(&body) {
        Ok(Probe { error: Some(error) }) if error.get() != "null" => {
            Err(CallError::of_provider(&target.provider.name, codec.decode_error(status, &body)))
        }
        Ok(_) => Ok(Reply::Whole { headers, body }),
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            Err(garbage(target, &format!("with {} bytes that are no JSON object ({place})", body.len())))
        }
    }
}

/// Waits for the first event, so that a failure that comes with HTTP 200 can still become a status.
async fn begin_stream(
    codec: &dyn Codec,
    target: &Target,
    reply: UpstreamReply,
    gateway: &Gateway,
) -> Result<Reply, CallError> {
    let headers = passed_back(&reply.headers);
    if let Some(kind) = content_type(&reply.headers).filter(|kind| !kind.contains("event-stream")) {
        let kind: String = kind.chars().take(80).collect();
        // An error would be told by this.
        whole(codec, target, reply, gateway).await?;
        return Err(garbage(target, &format!("with `{kind}` where a stream was asked for")));
    }
    let mut body = reply.body;
    let mut sse = SseDecoder::new();
    let mut first = Vec::new();
    // Not the stream's own decoder: that one shall see what the guard leaves.
    let mut probe = codec.decode_stream();
    let mut began = false;
    while !began {
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else { continue };
        sse.push(&data).map_err(|error| garbage(target, &format!("with a stream that can't be read: {error}")))?;
        while !began && let Some(event) = sse.next() {
            let told = probe.event(&event);
            let told = told.map_err(|error| garbage(target, &format!("with a stream that can't be read: {error}")))?;
            if let Some(error) = told.iter().find_map(failure) {
                return Err(CallError::of_provider(&target.provider.name, error.clone()));
            }
            began = told.iter().any(|event| !matches!(event, StreamEvent::Ping));
            first.push(event);
        }
    }
    if !began {
        return Err(garbage(target, "with an empty stream"));
    }
    Ok(Reply::Stream(Box::new(Incoming { headers, body, sse, first, windows: None })))
}

fn failure(event: &StreamEvent) -> Option<&ErrorBody> {
    if let StreamEvent::Error(error) = event { Some(error) } else { None }
}

fn broken(error: &BodyError) -> CallError {
    CallError::upstream(error.class(), error.to_string())
}

fn garbage(target: &Target, what: &str) -> CallError {
    let message =
        format!("provider `{}` answered {what}; check that its base_url is an API endpoint", target.provider.name);
    CallError::upstream(ErrorClass::UpstreamError, message)
}

fn content_type(headers: &http::HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}
