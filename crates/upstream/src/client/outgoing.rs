//! The body of a request: whole, or on its way through.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use http_body_util::combinators::UnsyncBoxBody;
use parking_lot::Mutex;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body that goes out while it arrives: nothing of it is kept here, and a slow provider slows its sender down.
pub struct Upload {
    /// Never locked: it only makes what can be sent to another thread shareable, too.
    body: Mutex<UnsyncBoxBody<Bytes, BoxError>>,
    length: Option<u64>,
    /// Bytes so far, for who waits.
    moved: Arc<AtomicU64>,
}

impl Upload {
    /// A body whose length is known or not. If it breaks off, so does the call, and that is nobody's fault here.
    #[must_use]
    pub fn new(body: UnsyncBoxBody<Bytes, BoxError>, length: Option<u64>) -> Self {
        Self { body: Mutex::new(body), length, moved: Arc::default() }
    }

    /// How many bytes have gone out.
    #[must_use]
    pub fn moved(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.moved)
    }

    /// The body itself, for who reads it whole.
    pub(crate) fn into_body(self) -> UnsyncBoxBody<Bytes, BoxError> {
        self.body.into_inner()
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("length", &self.length).finish_non_exhaustive()
    }
}

/// What a connection sends.
pub(crate) enum Outgoing {
    Whole(Full<Bytes>),
    Upload(Upload),
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
            Self::Upload(upload) => {
                let polled = Pin::new(upload.body.get_mut()).poll_frame(context);
                if let Poll::Ready(Some(Ok(frame))) = &polled
                    && let Some(data) = frame.data_ref()
                {
                    upload.moved.fetch_add(data.len() as u64, Ordering::Relaxed);
                }
                polled
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            // A body of no bytes is for hyper to find out.
            Self::Upload(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Upload(upload) => upload.length.map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}
