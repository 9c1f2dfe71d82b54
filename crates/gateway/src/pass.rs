//! The body of an answer that goes out while it arrives, byte for byte. As in `relay`, one poll of it polls the provider,
//! and dropping it drops the call upstream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use signalbox_types::ErrorClass;
use signalbox_types::seam::Clock;
use signalbox_upstream::UpstreamBody;
use signalbox_wire::SseDecoder;

use crate::along::{Passing, usage};
use crate::batches::Counter;
use crate::call::{Answer, CallError, Outcome};
use crate::endpoint::Endpoint;
use crate::stages::settle::{Settle, since_start};
use crate::{BoxError, Gateway};

pub(crate) struct Pass {
    /// Gone as soon as the call has ended, well or badly.
    settle: Option<Settle>,
    upstream: UpstreamBody,
    clock: Arc<dyn Clock>,
    /// Looks for what was used; gone when the events can't be read.
    events: Option<SseDecoder>,
    /// What came so far of JSON that may say what was used; gone when it is long.
    json: Option<BytesMut>,
    /// Counts the results of a batch.
    counter: Option<Box<Counter>>,
}

/// Longer answers aren't looked into.
const LOOKED_INTO: usize = 256 << 10;

impl Pass {
    pub(crate) fn new(settle: Settle, passing: Passing, gateway: &Gateway) -> Self {
        let looks = passing.is_json && matches!(settle.endpoint, Endpoint::Through(_));
        Self {
            counter: Counter::of(&settle, gateway).map(Box::new),
            json: looks.then(BytesMut::new),
            settle: Some(settle),
            upstream: passing.body,
            clock: Arc::clone(&gateway.clock),
            events: passing.is_stream.then(SseDecoder::new),
        }
    }

    fn note(&mut self, data: &[u8]) {
        let Some(settle) = &mut self.settle else { return };
        if settle.first_token.is_none() {
            settle.first_token = Some(since_start(settle, &*self.clock));
        }
        settle.answer_bytes = settle.answer_bytes.saturating_add(data.len());
        if let Some(counter) = &mut self.counter {
            counter.see(data);
        }
        if let Some(json) = &mut self.json {
            if json.len() + data.len() > LOOKED_INTO || !settle.held.try_grow(data.len()) {
                self.json = None;
            } else {
                json.extend_from_slice(data);
            }
        }
        let Some(events) = &mut self.events else { return };
        if events.push(data).is_err() {
            self.events = None;
            return;
        }
        while let Some(event) = events.next() {
            let used = usage(&event.data);
            if !used.is_unknown() {
                settle.usage = used;
            }
        }
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(mut settle) = self.settle.take() {
            if let (Some(counter), Outcome::Answered) = (self.counter.take(), &outcome) {
                counter.finish(self.clock.now());
            }
            if let (Some(json), Outcome::Answered) = (self.json.take(), &outcome) {
                settle.usage = usage(&json);
                settle.answer = Answer::Raw(json.freeze());
            }
            settle.finish(outcome);
        }
    }

    /// Events can say that no more will come; of sound only a broken connection says so.
    fn broke(&mut self, class: ErrorClass, message: String) -> Option<Result<Frame<Bytes>, BoxError>> {
        let error = CallError::upstream(class, message);
        let told = match (&self.events, &self.settle) {
            (Some(_), Some(settle)) => Ok(Frame::data(settle.codec().encode_stream_error(&error.body()))),
            _ => Err(error.detail.message.clone().into()),
        };
        self.end(Outcome::Failed(error));
        Some(told)
    }
}

impl Body for Pass {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if this.settle.is_none() {
            return Poll::Ready(None);
        }
        loop {
            let Poll::Ready(next) = Pin::new(&mut this.upstream).poll_frame(context) else { return Poll::Pending };
            match next {
                None => {
                    this.end(Outcome::Answered);
                    return Poll::Ready(None);
                }
                Some(Err(error)) => return Poll::Ready(this.broke(error.class(), error.to_string())),
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    this.note(&data);
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
            }
        }
    }
}
