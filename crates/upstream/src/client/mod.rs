//! HTTP/1.1 to one provider: a keep-alive pool, a limit for every wait, and cancellation by dropping.
//!
//! HTTP/1.1, because pooled clients open one HTTP/2 connection per host and providers cap its streams at about 100.

mod body;
mod connect;
mod connection;
mod network;
mod outgoing;
mod place;
mod pool;
mod query;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, PROXY_AUTHENTICATE, TE, TRAILER,
};
use http::header::{TRANSFER_ENCODING, UPGRADE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use signalbox_types::Secret;
use signalbox_types::seam::Clock;

pub use body::{BodyError, UpstreamBody};
pub(crate) use body::{Lease, Source, reason_of};
pub(crate) use connect::Connector;
pub(crate) use connection::Connection;
pub(crate) use network::Network;
pub(crate) use outgoing::Outgoing;
pub use outgoing::Upload;
pub(crate) use place::{Place, Places, Root};
pub(crate) use pool::Pool;

use crate::auth::{Keys, Signer};
use crate::config::Limits;
use crate::health::Health;
use crate::{Operation, SendError, UpstreamCall};
use query::below;
pub(crate) use query::with_query;

static HOP_BY_HOP: [HeaderName; 6] = [CONNECTION, TRANSFER_ENCODING, UPGRADE, TE, TRAILER, PROXY_AUTHENTICATE];
const USER_AGENT_VALUE: HeaderValue = HeaderValue::from_static(concat!("signalbox/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ANYTHING: HeaderValue = HeaderValue::from_static("*/*");
// A packed event stream is held back by whoever packs it, and packing is work. Who does it all the same is read.
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// The way to one provider over HTTP. Everything that is the same for every call is made once.
#[derive(Debug)]
pub(crate) struct HttpTransport {
    pub(crate) provider: Arc<str>,
    /// What a stream is asked for as.
    pub(crate) stream_type: HeaderValue,
    pub(crate) connector: Connector,
    pub(crate) host: HeaderValue,
    /// What all its paths are below.
    pub(crate) root: Root,
    pub(crate) places: Places,
    /// Set on every call, whatever the caller sent: credential and the user's own.
    pub(crate) fixed: Vec<(HeaderName, HeaderValue)>,
    /// Set unless the caller sent one.
    pub(crate) defaults: Vec<(HeaderName, HeaderValue)>,
    /// Makes the proof of who we are, where that is no fixed header.
    pub(crate) signer: Option<Signer>,
    /// Several credentials to choose from.
    pub(crate) keys: Option<Keys>,
    pool: Arc<Pool>,
}

/// What [`HttpTransport::new`] needs.
pub(crate) struct HttpParts {
    pub(crate) provider: Arc<str>,
    /// What a stream is asked for as.
    pub(crate) stream_type: HeaderValue,
    pub(crate) connector: Connector,
    pub(crate) host: HeaderValue,
    /// What all its paths are below.
    pub(crate) root: Root,
    pub(crate) places: Places,
    pub(crate) fixed: Vec<(HeaderName, HeaderValue)>,
    pub(crate) defaults: Vec<(HeaderName, HeaderValue)>,
    pub(crate) signer: Option<Signer>,
    pub(crate) keys: Option<Keys>,
    pub(crate) max_idle: usize,
}

impl HttpTransport {
    pub(crate) fn new(parts: HttpParts) -> Self {
        let HttpParts { provider, stream_type, connector, host, root, places, fixed, defaults, signer, keys, max_idle } =
            parts;
        Self {
            provider,
            stream_type,
            connector,
            host,
            root,
            places,
            fixed,
            defaults,
            signer,
            keys,
            pool: Arc::new(Pool::new(max_idle)),
        }
    }

    /// What goes out and must be seen by nobody else.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
        let whole: Vec<String> = self.fixed.iter().filter_map(|(_, value)| text(value)).collect();
        // As it stands, and without the word before it.
        let bare = whole.iter().filter_map(|value| value.split_once(' ')).map(|(_, bare)| bare.to_owned());
        let fixed = bare.chain(whole.iter().filter(|value| !value.contains(' ')).cloned()).map(Secret::new);
        let signed = self.signer.iter().flat_map(Signer::secrets);
        fixed.chain(signed).chain(self.keys.iter().flat_map(Keys::secrets)).collect()
    }

    /// Opens connections until so many wait for calls.
    pub(crate) async fn warm(&self, most: usize, limits: &Limits, health: &Health) -> Result<(), SendError> {
        for _ in self.pool.waiting()..most {
            let connection = self.connector.connect(&self.provider, limits.connect).await?;
            health.connected();
            self.pool.put(connection);
        }
        Ok(())
    }

    /// Sends and waits for the head. An idle connection that turns out to be dead costs one more try on a new one, and a
    /// credential that is refused one with another.
    pub(crate) async fn send(
        &self,
        call: UpstreamCall,
        model: &str,
        limits: &Limits,
        health: &Health,
        clock: &dyn Clock,
    ) -> Result<(Response<Incoming>, Lease), SendError> {
        let Some(uri) = self.uri(&call, model) else {
            let operation = call.operation.as_str();
            return Err(SendError::Unsupported { provider: Arc::clone(&self.provider), operation });
        };
        let mut call = call;
        let mut upload = call.upload.take();
        let Some(keys) = &self.keys else {
            let headers = std::mem::take(&mut call.headers);
            let sent = self.once(&call, upload, &uri, headers, (limits, health, clock)).await?;
            if let Some(signer) = self.signer.as_ref().filter(|_| sent.0.status() == StatusCode::UNAUTHORIZED) {
                signer.refused(clock);
            }
            return Ok(sent);
        };
        // What goes out while it arrives can't be sent twice.
        let most = if upload.is_some() { 1 } else { keys.len() };
        let mut tries = 0;
        loop {
            let chosen = keys.pick(clock.elapsed());
            let mut headers = call.headers.clone();
            let attached = keys.attach(chosen, &uri, &mut headers, clock.elapsed());
            let provider = || Arc::clone(&self.provider);
            let uri = attached.map_err(|reason| SendError::Credential { provider: provider(), reason })?;
            let (mut reply, lease) = self.once(&call, upload.take(), &uri, headers, (limits, health, clock)).await?;
            tries += 1;
            let refused = keys.refused(chosen, reply.status(), reply.headers(), clock.elapsed());
            // What the provider refused it has not begun; another credential may do.
            if refused && tries < most && keys.any_awake(clock.elapsed()) {
                let credential = keys.name(chosen).unwrap_or_default();
                let status = reply.status().as_u16();
                tracing::warn!(provider = %self.provider, %credential, status, "a credential was refused, another one is used");
                continue;
            }
            if let Some(name) = keys.name(chosen) {
                reply.extensions_mut().insert(CredentialName(name));
            }
            return Ok((reply, lease));
        }
    }

    async fn once(
        &self,
        call: &UpstreamCall,
        upload: Option<Upload>,
        uri: &Uri,
        headers: HeaderMap,
        (limits, health, clock): (&Limits, &Health, &dyn Clock),
    ) -> Result<(Response<Incoming>, Lease), SendError> {
        let first_byte = limits.total.map_or(limits.first_byte, |total| total.min(limits.first_byte));
        let UpstreamCall { operation, method, body, content_type, stream, .. } = call;
        let content = match (operation, content_type.clone()) {
            (Operation::Through, kind) => Content::AsItIs(kind),
            (_, Some(kind)) => Content::Of(kind),
            (_, None) => Content::Json,
        };
        let mut headers = self.headers(headers, *stream, content);
        // hyper says nothing of a body that isn't there, and some servers insist (411).
        if body.is_empty() && upload.is_none() && matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
        }
        if upload.is_some() && matches!(self.signer, Some(Signer::Aws(_))) {
            let reason = "its calls are signed with their whole body, so that none can be passed on while it arrives";
            return Err(SendError::Upload { provider: Arc::clone(&self.provider), reason: reason.to_owned() });
        }
        let signed = match &self.signer {
            // Boxed: it is rare, and its state would make that of every call large.
            Some(signer) => Some(Box::pin(signer.sign(method, uri, &mut headers, body, clock)).await?),
            None => None,
        };
        let uri = signed.as_ref().unwrap_or(uri);
        let request = |headers: HeaderMap, body: Outgoing| {
            let mut request = request(method.clone(), uri, headers, body);
            self.connector.prepare(&mut request);
            request
        };
        if let Some(upload) = upload {
            let moved = upload.moved();
            let request = request(headers, Outgoing::Upload(upload));
            return Box::pin(self.send_once(request, moved, limits.connect, first_byte, health)).await;
        }
        let whole = || Outgoing::Whole(Full::new(body.clone()));
        if let Some(connection) = self.pool.take() {
            match self.exchange(connection, request(headers.clone(), whole()), first_byte, None).await {
                Ok((reply, connection)) => return Ok((reply, Lease::new(connection, Arc::clone(&self.pool)))),
                Err(failure) if failure.nothing_came_back => {
                    tracing::debug!(provider = %self.provider, "an idle connection was dead, trying a new one");
                }
                Err(failure) => return Err(failure.error),
            }
        }
        // Boxed: it is rare and its state is large.
        let connection = Box::pin(self.connector.connect(&self.provider, limits.connect)).await?;
        health.connected();
        let sent = self.exchange(connection, request(headers, whole()), first_byte, None).await;
        let (reply, connection) = sent.map_err(|failure| failure.error)?;
        Ok((reply, Lease::new(connection, Arc::clone(&self.pool))))
    }

    /// A connection of its own, for it can't be sent twice; and not kept, for an answer may come before its end.
    async fn send_once(
        &self,
        request: Request<Outgoing>,
        moved: Arc<AtomicU64>,
        connect: Duration,
        first_byte: Duration,
        health: &Health,
    ) -> Result<(Response<Incoming>, Lease), SendError> {
        let connection = self.connector.connect(&self.provider, connect).await?;
        health.connected();
        let sent = self.exchange(connection, request, first_byte, Some(&moved)).await;
        let (reply, connection) = sent.map_err(|failure| failure.error)?;
        Ok((reply, Lease::for_once(connection)))
    }

    /// Where a call goes.
    fn uri(&self, call: &UpstreamCall, model: &str) -> Option<Uri> {
        let query = call.query.as_deref();
        if call.operation == Operation::Through {
            let uri = self.root.through(call.below.as_deref()?)?;
            return Some(with_query(&uri, query).into_owned());
        }
        // Every escaped name fits into a path, so that a place that can't be made is none.
        let uri = self.places.find(call.operation, call.stream)?.uri(model).ok()?;
        let uri = below(&uri, call.below.as_deref());
        Some(with_query(&uri, query).into_owned())
    }

    /// `moved` counts the bytes of a body that is on its way: while it grows, the provider isn't waited for.
    async fn exchange(
        &self,
        mut connection: Connection,
        request: Request<Outgoing>,
        limit: Duration,
        moved: Option<&AtomicU64>,
    ) -> Result<(Response<Incoming>, Connection), Failure> {
        let sent = {
            let mut sending = pin!(connection.send(request));
            let mut before = 0;
            loop {
                match tokio::time::timeout(limit, sending.as_mut()).await {
                    Ok(sent) => break Some(sent),
                    Err(_) => {
                        let now = moved.map_or(0, |moved| moved.load(Ordering::Relaxed));
                        if now == before {
                            break None;
                        }
                        before = now;
                    }
                }
            }
        };
        match sent {
            Some(Ok(mut reply)) => {
                let headers = reply.headers_mut();
                for name in &HOP_BY_HOP {
                    headers.remove(name);
                }
                Ok((reply, connection))
            }
            Some(Err(error)) => Err(self.failure(&error)),
            None => Err(Failure {
                error: SendError::FirstByteTimeout { provider: Arc::clone(&self.provider), waited: limit },
                nothing_came_back: false,
            }),
        }
    }

    fn failure(&self, error: &hyper::Error) -> Failure {
        let provider = Arc::clone(&self.provider);
        if error.is_user() {
            return Failure {
                error: SendError::Upload { provider, reason: reason_of(error) },
                nothing_came_back: false,
            };
        }
        if error.is_parse() {
            return Failure {
                error: SendError::Garbage { provider, reason: reason_of(error) },
                nothing_came_back: false,
            };
        }
        // hyper says IncompleteMessage for an end before the first byte of a head, and passes the system's error on
        // when the other side has reset the connection.
        let broken_pipe = std::error::Error::source(error)
            .and_then(|source| source.downcast_ref::<std::io::Error>())
            .is_some_and(|io| {
                use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
                matches!(io.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected)
            });
        let nothing_came_back =
            error.is_canceled() || error.is_closed() || error.is_incomplete_message() || broken_pipe;
        Failure { error: SendError::Reset { provider, reason: reason_of(error) }, nothing_came_back }
    }

    fn headers(&self, mut headers: HeaderMap, stream: bool, content: Content) -> HeaderMap {
        headers.reserve(6 + self.fixed.len() + self.defaults.len());
        for (name, value) in &self.defaults {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        for (name, value) in &self.fixed {
            headers.insert(name, value.clone());
        }
        headers.insert(HOST, self.host.clone());
        match content {
            Content::Json => {
                headers.insert(CONTENT_TYPE, JSON);
                headers.insert(ACCEPT, if stream { self.stream_type.clone() } else { JSON });
            }
            Content::Of(kind) => {
                headers.insert(CONTENT_TYPE, kind);
                headers.insert(ACCEPT, ANYTHING);
            }
            Content::AsItIs(kind) => {
                headers.extend(kind.map(|kind| (CONTENT_TYPE, kind)));
                headers.entry(ACCEPT).or_insert(ANYTHING);
            }
        }
        headers.insert(ACCEPT_ENCODING, IDENTITY);
        headers.insert(USER_AGENT, USER_AGENT_VALUE);
        headers
    }
}

/// Which of several credentials a call was answered with.
#[derive(Debug, Clone)]
pub(crate) struct CredentialName(pub(crate) Arc<str>);

/// What a body is, and what is accepted for it.
enum Content {
    Json,
    /// Of this type; any answer is good.
    Of(HeaderValue),
    /// Whatever the caller says of both.
    AsItIs(Option<HeaderValue>),
}

struct Failure {
    error: SendError,
    /// Not a byte of an answer was seen: on a connection that had been idle, another try is safe.
    nothing_came_back: bool,
}

fn request(method: Method, uri: &Uri, headers: HeaderMap, body: Outgoing) -> Request<Outgoing> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri.clone();
    *request.headers_mut() = headers;
    request
}
