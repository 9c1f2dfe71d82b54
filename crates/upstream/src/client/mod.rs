//! HTTP/1.1 to one provider: a keep-alive pool, a limit for every wait, and cancellation by dropping.
//!
//! HTTP/1.1, because pooled clients open one HTTP/2 connection per host and providers cap its streams at about 100.

mod body;
mod connect;
mod connection;
mod place;
mod pool;
mod query;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_TYPE, HOST, PROXY_AUTHENTICATE, TE, TRAILER};
use http::header::{TRANSFER_ENCODING, UPGRADE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use signalbox_types::seam::Clock;

pub use body::{BodyError, UpstreamBody};
pub(crate) use body::{Lease, Source, reason_of};
pub(crate) use connect::Connector;
use connection::Connection;
pub(crate) use place::{Place, Places};
use pool::Pool;

use crate::auth::{Keys, Signer};
use crate::config::Limits;
use crate::health::Health;
use crate::{SendError, UpstreamCall};
use query::{below, with_query};

static HOP_BY_HOP: [HeaderName; 6] = [CONNECTION, TRANSFER_ENCODING, UPGRADE, TE, TRAILER, PROXY_AUTHENTICATE];
const USER_AGENT_VALUE: HeaderValue = HeaderValue::from_static(concat!("signalbox/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ANYTHING: HeaderValue = HeaderValue::from_static("*/*");
// A compressed event stream is held back by whoever compresses it, and we read the bytes.
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// The way to one provider over HTTP. Everything that is the same for every call is made once.
#[derive(Debug)]
pub(crate) struct HttpTransport {
    pub(crate) provider: Arc<str>,
    /// What a stream is asked for as.
    pub(crate) stream_type: HeaderValue,
    pub(crate) connector: Connector,
    pub(crate) host: HeaderValue,
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
    pub(crate) places: Places,
    pub(crate) fixed: Vec<(HeaderName, HeaderValue)>,
    pub(crate) defaults: Vec<(HeaderName, HeaderValue)>,
    pub(crate) signer: Option<Signer>,
    pub(crate) keys: Option<Keys>,
    pub(crate) max_idle: usize,
}

impl HttpTransport {
    pub(crate) fn new(parts: HttpParts) -> Self {
        let HttpParts { provider, stream_type, connector, host, places, fixed, defaults, signer, keys, max_idle } =
            parts;
        Self {
            provider,
            stream_type,
            connector,
            host,
            places,
            fixed,
            defaults,
            signer,
            keys,
            pool: Arc::new(Pool::new(max_idle)),
        }
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
        // Every escaped name fits into a path, so that a place that can't be made is none.
        let place = self.places.find(call.operation, call.stream);
        let Some(uri) = place.and_then(|place| place.uri(model).ok()) else {
            let operation = call.operation.as_str();
            return Err(SendError::Unsupported { provider: Arc::clone(&self.provider), operation });
        };
        let uri = below(&uri, call.below.as_deref());
        let uri = with_query(&uri, call.query.as_deref());
        let Some(keys) = &self.keys else {
            let headers = call.headers.clone();
            return self.once(&call, &uri, headers, limits, health, clock).await;
        };
        let mut tries = 0;
        loop {
            let chosen = keys.pick(clock.elapsed());
            let mut headers = call.headers.clone();
            let uri = keys.attach(chosen, &uri, &mut headers, clock.elapsed());
            let (mut reply, lease) = self.once(&call, &uri, headers, limits, health, clock).await?;
            tries += 1;
            let refused = keys.refused(chosen, reply.status(), reply.headers(), clock.elapsed());
            // What the provider refused it has not begun; another credential may do.
            if refused && tries < keys.len() && keys.any_awake(clock.elapsed()) {
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
        uri: &Uri,
        headers: HeaderMap,
        limits: &Limits,
        health: &Health,
        clock: &dyn Clock,
    ) -> Result<(Response<Incoming>, Lease), SendError> {
        let first_byte = limits.total.map_or(limits.first_byte, |total| total.min(limits.first_byte));
        let mut headers = self.headers(headers, call.stream, call.content_type.clone());
        let signed = match &self.signer {
            Some(signer) => Some(signer.sign(&call.method, uri, &mut headers, &call.body, clock).await?),
            None => None,
        };
        let uri = signed.as_ref().unwrap_or(uri);
        let request = |headers: HeaderMap, body: Bytes| request(call.method.clone(), uri, headers, body);
        if let Some(connection) = self.pool.take() {
            match self.exchange(connection, request(headers.clone(), call.body.clone()), first_byte).await {
                Ok(reply) => return Ok(reply),
                Err(failure) if failure.nothing_came_back => {
                    tracing::debug!(provider = %self.provider, "an idle connection was dead, trying a new one");
                }
                Err(failure) => return Err(failure.error),
            }
        }
        // Boxed: it is rare and its state is large.
        let connection = Box::pin(self.connector.connect(&self.provider, limits.connect)).await?;
        health.connected();
        let sent = self.exchange(connection, request(headers, call.body.clone()), first_byte).await;
        sent.map_err(|failure| failure.error)
    }

    async fn exchange(
        &self,
        mut connection: Connection,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<(Response<Incoming>, Lease), Failure> {
        match tokio::time::timeout(limit, connection.send(request)).await {
            Ok(Ok(mut reply)) => {
                let headers = reply.headers_mut();
                for name in &HOP_BY_HOP {
                    headers.remove(name);
                }
                Ok((reply, Lease::new(connection, Arc::clone(&self.pool))))
            }
            Ok(Err(error)) => Err(self.failure(&error)),
            Err(_) => Err(Failure {
                error: SendError::FirstByteTimeout { provider: Arc::clone(&self.provider), waited: limit },
                nothing_came_back: false,
            }),
        }
    }

    fn failure(&self, error: &hyper::Error) -> Failure {
        let provider = Arc::clone(&self.provider);
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

    fn headers(&self, mut headers: HeaderMap, stream: bool, content_type: Option<HeaderValue>) -> HeaderMap {
        headers.reserve(6 + self.fixed.len() + self.defaults.len());
        for (name, value) in &self.defaults {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        for (name, value) in &self.fixed {
            headers.insert(name, value.clone());
        }
        headers.insert(HOST, self.host.clone());
        let accepted = match content_type {
            Some(_) => ANYTHING,
            None if stream => self.stream_type.clone(),
            None => JSON,
        };
        headers.insert(CONTENT_TYPE, content_type.unwrap_or(JSON));
        headers.insert(ACCEPT, accepted);
        headers.insert(ACCEPT_ENCODING, IDENTITY);
        headers.insert(USER_AGENT, USER_AGENT_VALUE);
        headers
    }
}

/// Which of several credentials a call was answered with.
#[derive(Debug, Clone)]
pub(crate) struct CredentialName(pub(crate) Arc<str>);

struct Failure {
    error: SendError,
    /// Not a byte of an answer was seen: on a connection that had been idle, another try is safe.
    nothing_came_back: bool,
}

fn request(method: Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri.clone();
    *request.headers_mut() = headers;
    request
}
