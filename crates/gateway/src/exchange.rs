//! One exchange with one provider: the call said in its dialect, sent, and the head of the answer taken. What a
//! provider refuses, or calls a success and isn't, ends here. Knows nothing of other targets.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt as _;
use signalbox_types::ErrorClass;
use signalbox_types::seam::Clock;
use signalbox_upstream::{
    BodyError, MaxTokensField, Target, Upstream, UpstreamBody, UpstreamCall, UpstreamReply, simulated,
};
use signalbox_wire::{
    ChatRequest, Codec, Dialect, ErrorBody, EventDecoder, StreamEvent, WireError, codec, encode_leniently, splice,
    tells_error,
};

use crate::along::{self, Take};
use crate::call::{Call, CallError, Incoming, Input, Reply};
use crate::cross::Crossing;
use crate::endpoint::Endpoint;
use crate::headers::{passed_back, passed_on};
use crate::held::Held;
use crate::offload::offload;
use crate::relay::is_content;
use crate::through;
use crate::upload::{Fault, Upload, told};

/// No provider has more to say about a failure.
const MAX_ERROR_BYTES: usize = 1 << 20;
/// So many events without content are kept while a stream is watched for its first one.
const MAX_WATCHED_EVENTS: usize = 1_000;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What is asked of one target. Owns all it needs: a call can't be lent to a future that waits, because its request
/// body is `Send` and not `Sync`; and two of these may be under way for one call.
pub(crate) struct Ask {
    endpoint: Endpoint,
    target: Target,
    /// What the target is spoken to in.
    dialect: Dialect,
    /// As the caller sent it, but for redactions.
    body: Bytes,
    /// Where the model's name stands, if this provider has another one for it.
    rename: Option<Range<usize>>,
    method: Method,
    below: Option<String>,
    /// What the body is, where it is passed along.
    content_type: Option<HeaderValue>,
    stream: bool,
    wants_stream_usage: bool,
    headers: HeaderMap,
    query: Option<String>,
    /// Wait for the first content of a stream, not only for its first event: until then nobody has seen anything, and
    /// another target can be asked.
    until_content: bool,
    /// How an answer is taken that is passed along.
    take: Take,
    /// What can't be said there of a call's settings is left out.
    lenient: bool,
    /// What was.
    dropped: Vec<String>,
    /// It goes in another form.
    crossing: Option<Crossing>,
    /// What of the body is still arriving.
    upload: Option<Upload>,
    max_answer_bytes: usize,
    /// What an answer takes that is read whole.
    held: Held,
}

/// An answer that has begun, and what was sent for it.
pub(crate) struct Sent {
    pub(crate) reply: Reply,
    pub(crate) status: StatusCode,
    pub(crate) input: Input,
    pub(crate) asked_for_usage: bool,
    /// Settings of the call that were left out.
    pub(crate) dropped: Vec<String>,
    /// When its head came, on the measuring clock.
    pub(crate) first_byte: std::time::Duration,
    /// Which of the provider's credentials it was, where it has several.
    pub(crate) credential: Option<Arc<str>>,
    /// What the answer takes.
    pub(crate) held: Held,
}

impl Ask {
    /// # Errors
    /// The call has no body, by a fault of ours.
    pub(crate) fn new(call: &Call, target: &Target, max_answer_bytes: usize) -> Result<Self, CallError> {
        let (Input::Raw(body), Some(peek)) = (&call.input, &call.peek) else {
            return Err(CallError::us(ErrorClass::Internal, "the call has no body"));
        };
        let own = call.endpoint.dialect();
        let is_through = matches!(call.endpoint, Endpoint::Through(_));
        let dialect = if call.endpoint.has_one_form() { own } else { target.provider.dialect_for(own) };
        let crossing = Crossing::find(call.endpoint, &target.provider);
        let same_dialect = dialect == own && crossing.is_none();
        let mut headers = match is_through {
            true => through::passed_on(&call.headers, &call.trace),
            false => passed_on(&call.headers, same_dialect, &call.trace),
        };
        if target.provider.is_simulated() {
            let steering = call.headers.iter().filter(|(name, _)| name.as_str().starts_with(simulated::HEADER_PREFIX));
            headers.extend(steering.map(|(name, value)| (HeaderName::clone(name), value.clone())));
        }
        Ok(Self {
            endpoint: call.endpoint,
            target: target.clone(),
            dialect,
            body: body.clone(),
            rename: (peek.model != target.model).then(|| peek.model_range.clone()),
            method: call.method.clone(),
            below: call.below.clone(),
            content_type: match (call.endpoint.passes_along(), call.headers.get(CONTENT_TYPE)) {
                (true, None) if is_through => None,
                (true, kind) => Some(kind.cloned().unwrap_or(JSON)),
                (false, _) => None,
            },
            stream: peek.stream,
            wants_stream_usage: peek.wants_stream_usage,
            headers,
            // Another dialect's parameters would mean nothing there, or something else.
            query: match &call.query {
                Some(query) if is_through => Some(through::query(&call.headers, query)),
                query => query.clone().filter(|_| same_dialect),
            },
            until_content: false,
            take: match call.endpoint {
                Endpoint::Kept(shelf) if shelf.is_content() => Take::Passing,
                _ => Take::Readable,
            },
            lenient: call.routed.as_ref().is_some_and(|routed| routed.route.is_lenient()),
            dropped: Vec::new(),
            crossing,
            upload: None,
            max_answer_bytes,
            held: call.held.another(),
        })
    }

    pub(crate) fn until_content(mut self) -> Self {
        self.until_content = true;
        self
    }

    pub(crate) fn taken(mut self, take: Take) -> Self {
        self.take = take;
        self
    }

    pub(crate) fn uploading(mut self, upload: Upload) -> Self {
        self.upload = Some(upload);
        self
    }

    /// Reads an answer whole, which counts among what all calls hold.
    pub(crate) async fn read(&mut self, body: UpstreamBody) -> Result<Bytes, CallError> {
        let held = &mut self.held;
        let read = body.read_within(self.max_answer_bytes, |bytes| held.try_grow(bytes)).await;
        read.map_err(|error| match error {
            BodyError::NoRoom { .. } => CallError::overloaded("too many answers are in memory; try again"),
            error => broken(&error),
        })
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) fn take(&self) -> Take {
        self.take
    }

    fn same_dialect(&self) -> bool {
        self.endpoint.dialect() == self.dialect && self.crossing.is_none()
    }

    fn is_through(&self) -> bool {
        matches!(self.endpoint, Endpoint::Through(_))
    }

    fn target_codec(&self) -> &'static dyn Codec {
        codec(self.dialect)
    }
}

/// # Errors
/// The provider could not be reached, refused the call, or sent no answer; or its dialect can't say the call.
pub(crate) async fn exchange(mut ask: Ask, upstream: &Upstream, clock: &dyn Clock) -> Result<Sent, CallError> {
    let fault = ask.upload.as_ref().map(|upload| Fault::clone(&upload.fault));
    let (outgoing, input, asked_for_usage) = outgoing(&mut ask).await?;
    let reply = upstream.send(&ask.target, outgoing).await.map_err(|error| {
        // Who stopped sending is told why, and not what the connection made of it.
        let broke = fault.as_ref().and_then(|fault| fault.get()).cloned();
        broke.map_or_else(|| CallError::upstream(error.class(), error.to_string()), told)
    })?;
    let first_byte = clock.elapsed();
    let credential = reply.credential.clone();
    let status = reply.status;
    let codec = ask.target_codec();
    let taken = if !(status.is_success() || (status == StatusCode::NOT_MODIFIED && ask.is_through())) {
        Err(refused(codec, &ask, reply).await)
    } else if let Some(packing) = reply.headers.get(CONTENT_ENCODING).filter(|_| !ask.is_through()) {
        Err(packed(packing, &ask.target))
    } else if ask.endpoint.passes_along() {
        along::take(&mut ask, reply).await
    } else if ask.stream {
        begin_stream(codec, &mut ask, reply).await
    } else {
        whole(codec, &mut ask, reply).await
    };
    match taken {
        Ok(reply) => {
            let Ask { dropped, held, .. } = ask;
            Ok(Sent { reply, status, input, asked_for_usage, dropped, first_byte, credential, held })
        }
        Err(mut error) => {
            error.detail.first_byte = Some(first_byte);
            error.detail.credential = credential;
            Err(error)
        }
    }
}

async fn outgoing(ask: &mut Ask) -> Result<(UpstreamCall, Input, bool), CallError> {
    let mut body = std::mem::take(&mut ask.body);
    let input = if ask.same_dialect() {
        if let Some(place) = ask.rename.take() {
            body = for_model(ask, place, body);
        }
        Input::Raw(body.clone())
    } else if let Some(crossing) = ask.crossing {
        let input = Input::Raw(body.clone());
        body = crossing.request(&body, &ask.target.model)?;
        input
    } else {
        let (from, to, target) = (codec(ask.endpoint.dialect()), ask.target_codec(), ask.target.clone());
        let stream = ask.stream.then_some(ask.wants_stream_usage);
        let lenient = ask.lenient;
        let translated = offload(body.len(), move || translate(from, to, &target, stream, lenient, &body)).await??;
        let (request, said) = translated;
        (body, ask.dropped) = said?;
        Input::Decoded(request)
    };
    let mut asked_for_usage = false;
    if ask.stream
        && ask.endpoint.is_chat()
        && ask.target.provider.stream_options
        && let Some(asking) = ask.target_codec().ask_for_usage(&body)
    {
        body = asking;
        asked_for_usage = true;
    }
    let (headers, query) = (std::mem::take(&mut ask.headers), ask.query.take());
    let operation = ask.crossing.map_or_else(|| ask.endpoint.operation_at(ask.dialect), Crossing::operation);
    let call = UpstreamCall {
        operation,
        method: ask.method.clone(),
        below: ask.below.take(),
        body,
        upload: ask.upload.take().map(|upload| upload.body),
        content_type: ask.content_type.take(),
        stream: ask.stream,
        headers,
        query,
    };
    Ok((call, input, asked_for_usage))
}

/// The same bytes, but for the model's name.
fn for_model(ask: &Ask, place: Range<usize>, body: Bytes) -> Bytes {
    if place.is_empty() {
        // The path names it; the body may name it again.
        return codec(ask.endpoint.dialect()).with_model(&body, &ask.target.model).unwrap_or(body);
    }
    let name = match ask.endpoint {
        Endpoint::Along(surface) if surface.is_form() => ask.target.model.clone(),
        _ => serde_json::Value::from(ask.target.model.as_str()).to_string(),
    };
    splice(&body, &[(place, name.into_bytes())])
}

/// The request as it is recorded; what goes out for it, and what was left out.
type Translated = (Box<ChatRequest>, Result<(Bytes, Vec<String>), WireError>);

/// `stream`: whether usage is wanted in the stream, if one is. Not every dialect says so in the body.
fn translate(
    from: &dyn Codec,
    to: &dyn Codec,
    target: &Target,
    stream: Option<bool>,
    lenient: bool,
    body: &[u8],
) -> Result<Translated, WireError> {
    let mut request = from.decode_request(body)?;
    request.model.clone_from(&target.model);
    request.stream = stream.is_some();
    request.stream_usage = stream.unwrap_or(false) && target.provider.stream_options;
    request.old_max_tokens = target.provider.max_tokens_field == MaxTokensField::MaxTokens;
    // Recorded is what was sent.
    let said = match lenient {
        true => encode_leniently(to, &mut request),
        false => to.encode_request(&request).map(|said| (said, Vec::new())),
    };
    Ok((Box::new(request), said))
}

/// What a provider says with a status of 300 or more.
async fn refused(codec: &dyn Codec, ask: &Ask, reply: UpstreamReply) -> CallError {
    let (same_dialect, target) = (ask.same_dialect(), &ask.target);
    let UpstreamReply { status, headers, body, .. } = reply;
    let is_json = content_type(&headers).is_none_or(|kind| kind.contains("json"));
    let back = if ask.is_through() { through::passed_back(&headers) } else { passed_back(&headers) };
    // Who refuses our credential may show it.
    let body = target.provider.without_credentials(body.read_at_most(MAX_ERROR_BYTES).await);
    let back = without_credentials(back, target);
    let mut told = codec.decode_error(status.as_u16(), &body);
    // The SDKs follow no redirect with a body, and neither do we.
    if status.is_redirection() {
        told.class = ErrorClass::UpstreamError;
    }
    let mut error = CallError::of_provider(&target.provider.name, told);
    error.detail.headers = back;
    if status.is_redirection() {
        // Clients would follow it, and take our key along.
        error.detail.headers.remove(LOCATION);
    }
    if ask.is_through() && !status.is_redirection() && status != StatusCode::UNAUTHORIZED {
        // Its words are about what only the caller and it know of. But that our key is refused is not the caller's affair.
        error.detail.status = Some(status);
        error.detail.verbatim = Some(body);
        return error;
    }
    let theirs_to_tell = same_dialect && is_json && !body.is_empty() && !status.is_redirection();
    if theirs_to_tell && error.class != ErrorClass::UpstreamAuth {
        error.detail.status = Some(status);
        error.detail.verbatim = Some(body);
    }
    error.detail.headers.remove(CONTENT_TYPE);
    error
}

/// Headers of an answer that refuses a call.
fn without_credentials(mut headers: HeaderMap, target: &Target) -> HeaderMap {
    for value in headers.values_mut() {
        let told = Bytes::copy_from_slice(value.as_bytes());
        let left = target.provider.without_credentials(told.clone());
        if left != told {
            *value = HeaderValue::from_bytes(&left).unwrap_or_else(|_| HeaderValue::from_static(""));
        }
    }
    headers
}

async fn whole(codec: &dyn Codec, ask: &mut Ask, reply: UpstreamReply) -> Result<Reply, CallError> {
    let headers = passed_back(&reply.headers);
    let status = reply.status.as_u16();
    let body = ask.read(reply.body).await?;
    let target = &ask.target;
    match tells_error(&body) {
        Ok(true) => {
            let body = target.provider.without_credentials(body);
            Err(CallError::of_provider(&target.provider.name, codec.decode_error(status, &body)))
        }
        Ok(false) => Ok(Reply::Whole { headers, body }),
        Err(error) => {
            let place = match error {
                WireError::Json { line, column, .. } => format!(" (line {line}, column {column})"),
                _ => String::new(),
            };
            Err(garbage(target, &format!("with {} bytes that are no JSON object{place}", body.len())))
        }
    }
}

/// Waits for the first event, so that a failure that comes with HTTP 200 can still become a status.
async fn begin_stream(codec: &dyn Codec, ask: &mut Ask, reply: UpstreamReply) -> Result<Reply, CallError> {
    let headers = passed_back(&reply.headers);
    if let Some(kind) = content_type(&reply.headers).filter(|kind| !codec.framing().is_of(kind)) {
        let kind: String = kind.chars().take(80).collect();
        // An error would be told by this.
        whole(codec, ask, reply).await?;
        return Err(garbage(&ask.target, &format!("with `{kind}` where a stream was asked for")));
    }
    let target = &ask.target;
    let mut body = reply.body;
    let mut events = EventDecoder::new(codec.framing());
    let mut first = Vec::new();
    // Not the stream's own decoder: that one shall see what the guard leaves.
    let mut probe = codec.decode_stream();
    let (mut any, mut began) = (false, false);
    while !began {
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else { continue };
        events.push(&data).map_err(|error| garbage(target, &format!("with a stream that can't be read: {error}")))?;
        while !began && let Some(event) = events.next() {
            let told = probe.event(&event);
            let told = told.map_err(|error| garbage(target, &format!("with a stream that can't be read: {error}")))?;
            if let Some(error) = told.iter().find_map(failure) {
                let message = target.provider.text_without_credentials(error.message.clone());
                return Err(CallError::of_provider(&target.provider.name, ErrorBody { message, ..error.clone() }));
            }
            any |= told.iter().any(|event| !matches!(event, StreamEvent::Ping));
            began = match ask.until_content {
                false => any,
                // An answer may also be empty, and say so.
                true => {
                    let ended = |event: &StreamEvent| is_content(event) || matches!(event, StreamEvent::End);
                    told.iter().any(ended) || first.len() >= MAX_WATCHED_EVENTS
                }
            };
            first.push(event);
        }
    }
    if !began && any {
        // Only here if it ended without content and without saying that it ends.
        if let Err(error) = probe.finish() {
            let message = format!("provider `{}` cut its answer short: {error}", target.provider.name);
            return Err(CallError::upstream(ErrorClass::UpstreamError, message));
        }
    } else if !began {
        return Err(garbage(target, "with an empty stream"));
    }
    Ok(Reply::Stream(Box::new(Incoming { headers, body, events, first, windows: None, gate: None })))
}

fn failure(event: &StreamEvent) -> Option<&ErrorBody> {
    if let StreamEvent::Error(error) = event { Some(error) } else { None }
}

/// Who is called by its own API gets what comes, however it is packed; here it would have to be read.
fn packed(packing: &HeaderValue, target: &Target) -> CallError {
    let found: String = String::from_utf8_lossy(packing.as_bytes()).chars().take(40).collect();
    garbage(target, &format!("with `content-encoding: {found}`, which can't be read"))
}

fn broken(error: &BodyError) -> CallError {
    CallError::upstream(error.class(), error.to_string())
}

fn garbage(target: &Target, what: &str) -> CallError {
    let message =
        format!("provider `{}` answered {what}; check that its base_url is an API endpoint", target.provider.name);
    CallError::upstream(ErrorClass::UpstreamError, message)
}

pub(crate) fn content_type(headers: &http::HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}
