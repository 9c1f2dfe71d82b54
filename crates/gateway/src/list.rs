//! A stream of events as one JSON list, for Google's callers who don't ask for events.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use signalbox_wire::SseDecoder;

use crate::{BoxError, ResponseBody};

pub(crate) struct List {
    relay: ResponseBody,
    sse: SseDecoder,
    /// The list has been opened.
    begun: bool,
    closed: bool,
}

impl List {
    pub(crate) fn new(relay: ResponseBody) -> Self {
        Self { relay, sse: SseDecoder::with_limit(usize::MAX), begun: false, closed: false }
    }

    /// What the events in these bytes add to the list.
    fn add(&mut self, bytes: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(bytes.len() + 4);
        if self.sse.push(bytes).is_ok() {
            while let Some(event) = self.sse.next() {
                // A comment is a sign of life, which a list has no place for.
                if event.data.is_empty() {
                    continue;
                }
                out.extend_from_slice(if std::mem::replace(&mut self.begun, true) { b",\r\n" } else { b"[" });
                out.extend_from_slice(&event.data);
            }
        }
        out.freeze()
    }
}

impl Body for List {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            if this.closed {
                return Poll::Ready(None);
            }
            let bytes = match ready!(Pin::new(&mut this.relay).poll_frame(context)) {
                None => {
                    this.closed = true;
                    Bytes::from_static(if this.begun { b"]\r\n" } else { b"[]" })
                }
                Some(frame) => match frame?.into_data() {
                    Ok(data) => this.add(&data),
                    Err(_) => continue,
                },
            };
            if !bytes.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
    }
}
