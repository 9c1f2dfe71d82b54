//! The body of a reply, while it arrives.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use signalbox_types::ErrorClass;
use signalbox_types::seam::Clock;
use tokio::time::{Instant, Sleep};

use super::connection::Connection;
use super::pool::Pool;
use crate::Provider;
use crate::error::display;
use crate::health::InFlight;
use crate::simulated::SimBody;
use crate::unpack::{Broke, UnpackError, Unpacker, poll_unpacked};

/// A reply that broke off. Says which provider.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BodyError {
    /// The connection broke, or what came is no HTTP.
    #[error("provider `{provider}` cut its answer short: {reason}")]
    Cut {
        /// The provider's name.
        provider: Arc<str>,
        /// What was seen.
        reason: String,
    },
    /// It is packed, and not as it says.
    #[error("provider `{provider}` sent an answer that can't be unpacked: {reason}")]
    Packed {
        /// The provider's name.
        provider: Arc<str>,
        /// What was seen.
        reason: String,
    },
    /// Nothing more came in time.
    #[error("provider `{provider}` sent nothing for {}; raise timeouts.idle if its models pause for longer", display(.waited))]
    IdleTimeout {
        /// The provider's name.
        provider: Arc<str>,
        /// The limit.
        waited: Duration,
    },
    /// The whole call took too long.
    #[error("provider `{provider}` did not finish within {}; raise timeouts.total if its answers are long", display(.limit))]
    TotalTimeout {
        /// The provider's name.
        provider: Arc<str>,
        /// The limit.
        limit: Duration,
    },
    /// More came than the reader takes.
    #[error("provider `{provider}` sent more than {limit_bytes} bytes")]
    TooLarge {
        /// The provider's name.
        provider: Arc<str>,
        /// The limit.
        limit_bytes: usize,
    },
    /// The reader has no room for more.
    #[error("there is no room for the rest of the answer of provider `{provider}`")]
    NoRoom {
        /// The provider's name.
        provider: Arc<str>,
    },
}

impl BodyError {
    /// The class for the span, metrics and the caller's status.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Cut { .. } | Self::Packed { .. } | Self::TooLarge { .. } => ErrorClass::UpstreamError,
            Self::IdleTimeout { .. } | Self::TotalTimeout { .. } => ErrorClass::UpstreamTimeout,
            Self::NoRoom { .. } => ErrorClass::Overloaded,
        }
    }
}

/// The body of a reply. Read to its end, its connection goes back to the pool; dropped before, the connection is
/// closed, which tells the provider to stop. Ends after its first error.
#[derive(Debug)]
pub struct UpstreamBody {
    source: Source,
    provider: Arc<Provider>,
    clock: Arc<dyn Clock>,
    idle: Duration,
    /// Made when something is waited for the first time: short replies come in one piece and never need it.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    total: Option<(Duration, Instant)>,
    done: bool,
    /// If it comes packed; gone when it is over.
    unpacker: Option<Box<Unpacker>>,
    _in_flight: InFlight,
}

#[derive(Debug)]
pub(crate) enum Source {
    Http(Incoming, Option<Lease>),
    Simulated(SimBody),
}

/// A connection that is in use, and where it goes afterwards.
#[derive(Debug)]
pub(crate) struct Lease {
    connection: Connection,
    /// None if it is closed then.
    pool: Option<Arc<Pool>>,
}

impl Lease {
    pub(crate) fn new(connection: Connection, pool: Arc<Pool>) -> Self {
        Self { connection, pool: Some(pool) }
    }

    pub(crate) fn for_once(connection: Connection) -> Self {
        Self { connection, pool: None }
    }

    /// What there is of a body, up to the limit, without any other; for who waits no longer than that anyway.
    pub(crate) async fn read_at_most(&mut self, body: &mut Incoming, limit_bytes: usize) -> Bytes {
        let mut all = BytesMut::new();
        while let Some(Ok(frame)) = std::future::poll_fn(|context| self.connection.poll_body(body, context)).await {
            let Ok(data) = frame.into_data() else { continue };
            let room = limit_bytes - all.len();
            all.extend_from_slice(data.get(..room).unwrap_or(&data));
            if all.len() == limit_bytes {
                break;
            }
        }
        all.freeze()
    }

    fn give_back(self) {
        if let Some(pool) = self.pool {
            pool.put(self.connection);
        }
    }
}

impl UpstreamBody {
    pub(crate) fn new(
        source: Source,
        in_flight: InFlight,
        provider: Arc<Provider>,
        clock: Arc<dyn Clock>,
        deadline: Option<(Duration, Instant)>,
    ) -> Self {
        let idle = provider.limits.idle;
        let mut body = Self {
            source,
            provider,
            clock,
            idle,
            timer: None,
            waiting: false,
            total: deadline,
            done: false,
            unpacker: None,
            _in_flight: in_flight,
        };
        body.finish_if_at_end();
        body
    }

    /// The same, which comes packed.
    pub(crate) fn unpacked(mut self, unpacker: Unpacker) -> Self {
        if !self.done {
            self.unpacker = Some(Box::new(unpacker));
        }
        self
    }

    /// Sets an end to it, beside the provider's own: by then its last byte must have come. `limit` is for the message.
    pub fn end_by(&mut self, limit: Duration, at: Instant) {
        if self.total.is_none_or(|(_, deadline)| at < deadline) {
            self.total = Some((limit, at));
            self.waiting = false;
        }
    }

    /// All of it, if it is no longer than the limit.
    ///
    /// # Errors
    /// When it breaks off or is longer.
    pub async fn read_all(self, limit_bytes: usize) -> Result<Bytes, BodyError> {
        self.read_within(limit_bytes, |_| true).await
    }

    /// All of it, as long as there is room for the next bytes.
    ///
    /// # Errors
    /// When it breaks off, is longer, or there is no room.
    pub async fn read_within(
        mut self,
        limit_bytes: usize,
        mut room: impl FnMut(usize) -> bool,
    ) -> Result<Bytes, BodyError> {
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(frame) = self.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if first.len() + rest.len() + data.len() > limit_bytes {
                return Err(BodyError::TooLarge { provider: Arc::clone(&self.provider.name), limit_bytes });
            }
            if !room(data.len()) {
                return Err(BodyError::NoRoom { provider: Arc::clone(&self.provider.name) });
            }
            if first.is_empty() {
                // Most replies are one piece, which needs no copy.
                first = data;
            } else {
                if rest.is_empty() {
                    rest.reserve(first.len() + data.len());
                }
                rest.extend_from_slice(&data);
            }
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let mut all = BytesMut::with_capacity(first.len() + rest.len());
        all.extend_from_slice(&first);
        all.extend_from_slice(&rest);
        Ok(all.freeze())
    }

    /// What there is of it, up to the limit: for the body of an error, where half is better than none.
    pub async fn read_at_most(mut self, limit_bytes: usize) -> Bytes {
        let mut all = BytesMut::new();
        while let Some(Ok(frame)) = self.frame().await {
            let Ok(data) = frame.into_data() else { continue };
            let room = limit_bytes - all.len();
            all.extend_from_slice(data.get(..room).unwrap_or(&data));
            if all.len() == limit_bytes {
                break;
            }
        }
        all.freeze()
    }

    fn finish_if_at_end(&mut self) {
        let at_end = match &self.source {
            Source::Http(incoming, _) => incoming.is_end_stream(),
            Source::Simulated(body) => body.is_end_stream(),
        };
        if at_end {
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.done = true;
        if let Source::Http(_, lease) = &mut self.source
            && let Some(lease) = lease.take()
        {
            lease.give_back();
        }
    }

    fn fail(&mut self, error: BodyError) -> BodyError {
        self.done = true;
        if let Source::Http(_, lease) = &mut self.source {
            *lease = None;
        }
        self.provider.health.failed(error.class(), error.to_string(), &*self.clock);
        error
    }

    /// `Ready` if the wait for the next piece has been too long.
    fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<BodyError> {
        if !self.waiting {
            self.waiting = true;
            let mut until = Instant::now() + self.idle;
            if let Some((_, deadline)) = self.total {
                until = until.min(deadline);
            }
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(until),
                None => self.timer = Some(Box::pin(tokio::time::sleep_until(until))),
            }
        }
        let Some(timer) = &mut self.timer else { return Poll::Pending };
        ready!(timer.as_mut().poll(context));
        let provider = Arc::clone(&self.provider.name);
        Poll::Ready(match self.total {
            Some((limit, deadline)) if Instant::now() >= deadline => BodyError::TotalTimeout { provider, limit },
            _ => BodyError::IdleTimeout { provider, waited: self.idle },
        })
    }

    /// As it comes over the wire.
    fn poll_sent(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.done {
            return Poll::Ready(None);
        }
        let polled = match &mut self.source {
            Source::Http(incoming, lease) => {
                let frame = match lease {
                    Some(lease) => lease.connection.poll_body(incoming, context),
                    None => Pin::new(incoming).poll_frame(context),
                };
                frame.map(|frame| frame.map(|frame| frame.map_err(|error| reason_of(&error))))
            }
            Source::Simulated(body) => {
                Pin::new(body).poll_frame(context).map(|frame| frame.map(|frame| frame.map_err(|e| e.to_string())))
            }
        };
        match polled {
            Poll::Pending => self.poll_timer(context).map(|error| Some(Err(self.fail(error)))),
            Poll::Ready(None) => {
                self.finish();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(reason))) => {
                let provider = Arc::clone(&self.provider.name);
                Poll::Ready(Some(Err(self.fail(BodyError::Cut { provider, reason }))))
            }
            Poll::Ready(Some(Ok(frame))) => {
                self.waiting = false;
                self.finish_if_at_end();
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn poll_unpacked(
        &mut self,
        mut unpacker: Box<Unpacker>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let piece = match poll_unpacked(&mut unpacker, context, |context| self.poll_sent(context)) {
            Poll::Ready(Some(Ok(piece))) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(Err(Broke::Body(error)))) => return Poll::Ready(Some(Err(error))),
            Poll::Ready(Some(Err(Broke::Packed(error)))) => {
                let (provider, reason) = (Arc::clone(&self.provider.name), error.to_string());
                let error = match error {
                    UnpackError::Short { .. } => BodyError::Cut { provider, reason },
                    UnpackError::Broken { .. } => BodyError::Packed { provider, reason },
                };
                return Poll::Ready(Some(Err(self.fail(error))));
            }
        };
        self.unpacker = Some(unpacker);
        piece
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match this.unpacker.take() {
            Some(unpacker) => this.poll_unpacked(unpacker, context),
            None => this.poll_sent(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.done && self.unpacker.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            _ if self.unpacker.is_some() => SizeHint::default(),
            _ if self.done => SizeHint::with_exact(0),
            Source::Http(incoming, _) => incoming.size_hint(),
            Source::Simulated(body) => body.size_hint(),
        }
    }
}

/// The innermost cause, which is what the system said; the layers above only say that something failed.
pub(crate) fn reason_of(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string().chars().take(300).collect()
}
