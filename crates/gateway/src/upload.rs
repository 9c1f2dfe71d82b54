//! A request body that goes on to the provider while it arrives: nobody holds it, nobody reads it. It is bounded in size
//! and in how long its sender may say nothing.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use signalbox_types::ErrorClass;
use signalbox_upstream::UnpackError;
use tokio::time::{Instant, Sleep};

use crate::call::{Call, CallError};
use crate::{BoxError, GatewayConfig, RequestBody};

/// Why it broke off, if it did: what the connection to the provider knows of it is only that it ended.
pub(crate) type Fault = Arc<OnceLock<(ErrorClass, String)>>;

/// A body on its way, for `send`.
pub(crate) struct Upload {
    pub(crate) body: signalbox_upstream::Upload,
    pub(crate) fault: Fault,
}

impl Upload {
    /// `first` was read of it before. Its length is what the caller promised: the server holds it to that.
    pub(crate) fn new(first: Option<Bytes>, body: RequestBody, call: &Call, config: &GatewayConfig) -> Self {
        let length = call.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let fault = Fault::default();
        let arriving = Arriving {
            first,
            body,
            total: 0,
            most: config.max_passed_bytes,
            idle: Duration::from_millis(config.body_timeout_ms),
            timer: None,
            fault: Arc::clone(&fault),
        };
        Self { body: signalbox_upstream::Upload::new(arriving.boxed_unsync(), length), fault }
    }
}

/// What the caller is told of a body that is too large to be passed on.
pub(crate) fn too_large(config: &GatewayConfig) -> (ErrorClass, String) {
    let limit = config.max_passed_bytes;
    let message =
        format!("the request body is larger than {limit} bytes; send less, or raise gateway.max_passed_bytes");
    (ErrorClass::RequestTooLarge, message)
}

/// What the caller is told of a body that has no end, or is not what it says.
pub(crate) fn broke_off(error: &BoxError) -> (ErrorClass, String) {
    tracing::debug!(error = %error, "a request body broke off");
    let message = match error.downcast_ref::<UnpackError>() {
        Some(error) => {
            format!("the request body can't be unpacked: {error}; send it as `content-encoding` says, or as it is")
        }
        None => "the request body broke off before its end; send it again".to_owned(),
    };
    (ErrorClass::InvalidRequest, message)
}

pub(crate) fn told((class, message): (ErrorClass, String)) -> CallError {
    CallError::caller(class, message)
}

struct Arriving {
    first: Option<Bytes>,
    body: RequestBody,
    total: u64,
    most: u64,
    idle: Duration,
    /// Made when something is waited for.
    timer: Option<Pin<Box<Sleep>>>,
    fault: Fault,
}

impl Arriving {
    fn broke(&self, class: ErrorClass, message: String) -> BoxError {
        let error = message.clone().into();
        // Whatever came first is the reason.
        let _ = self.fault.set((class, message));
        error
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let polled = match this.first.take() {
            Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
            None => Pin::new(&mut this.body).poll_frame(context),
        };
        let frame = match polled {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(error))) => {
                let (class, message) = broke_off(&error);
                return Poll::Ready(Some(Err(this.broke(class, message))));
            }
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {
                let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(this.idle)));
                ready!(timer.as_mut().poll(context));
                let message =
                    format!("nothing of the request body came for {} ms; send it faster", this.idle.as_millis());
                return Poll::Ready(Some(Err(this.broke(ErrorClass::RequestTimeout, message))));
            }
        };
        if let Some(timer) = &mut this.timer {
            timer.as_mut().reset(Instant::now() + this.idle);
        }
        this.total = this.total.saturating_add(frame.data_ref().map_or(0, Bytes::len) as u64);
        if this.total > this.most {
            let message = format!(
                "the request body is larger than {} bytes; send less, or raise gateway.max_passed_bytes",
                this.most
            );
            return Poll::Ready(Some(Err(this.broke(ErrorClass::RequestTooLarge, message))));
        }
        Poll::Ready(Some(Ok(frame)))
    }
}
