//! A body that follows a script.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::stats::Guard;

/// One thing that a body does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Send(Bytes),
    Wait(Duration),
    /// Let the server flush what it has before the next step.
    Yield,
    /// Break the connection.
    Cut,
    /// Never do anything again.
    Stall,
}

/// The simulator's body.
#[derive(Debug)]
pub struct SimBody {
    steps: VecDeque<Step>,
    wait: Option<Pin<Box<Sleep>>>,
    guard: Option<Guard>,
}

/// The body broke off, as the request asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection was cut, as x-sim-cut-after asked")]
pub struct SimCut;

impl SimBody {
    pub(crate) fn new(steps: VecDeque<Step>, guard: Option<Guard>) -> Self {
        Self { steps, wait: None, guard }
    }

    pub(crate) fn once(bytes: Bytes) -> Self {
        Self::new(VecDeque::from([Step::Send(bytes)]), None)
    }

    fn finish(&mut self) {
        if let Some(guard) = self.guard.take() {
            guard.finish();
        }
    }
}

impl Body for SimBody {
    type Data = Bytes;
    type Error = SimCut;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, SimCut>>> {
        let this = &mut *self;
        loop {
            if let Some(wait) = &mut this.wait {
                ready!(wait.as_mut().poll(context));
                this.wait = None;
            }
            match this.steps.pop_front() {
                Some(Step::Send(bytes)) => {
                    if this.steps.is_empty() {
                        this.finish();
                    }
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Step::Wait(duration)) => this.wait = Some(Box::pin(tokio::time::sleep(duration))),
                Some(Step::Yield) => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Step::Cut) => {
                    this.finish();
                    return Poll::Ready(Some(Err(SimCut)));
                }
                // Stays at the front, so that it stalls however often it is asked. Whoever gives up drops the body.
                Some(Step::Stall) => {
                    this.steps.push_front(Step::Stall);
                    return Poll::Pending;
                }
                None => {
                    this.finish();
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty() && self.wait.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        // Only what is one piece has a length: a stream's head must not give one.
        match (self.steps.len(), self.steps.front()) {
            (0, _) => SizeHint::with_exact(0),
            (1, Some(Step::Send(bytes))) => SizeHint::with_exact(bytes.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
