//! One HTTP/1.1 connection, driven by whoever waits for its answer. hyper would have it driven by a
//! task of its own: then each piece of an answer wakes one task that wakes another, which cost more
//! than everything else that is done for it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use tokio::time::Instant;

use super::outgoing::Outgoing;
use crate::lane;

/// A connection on which one call at a time can be made. Dropping it closes it, a call in flight included.
pub(crate) struct Connection {
    sender: http1::SendRequest<Outgoing>,
    /// What moves the bytes; gone when the connection has ended.
    driver: Option<Driver>,
    opened: Instant,
    /// The lane whose runtime wakes who waits on it.
    home: usize,
}

type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("open", &self.is_open()).finish_non_exhaustive()
    }
}

impl Connection {
    pub(crate) fn new<Io>(sender: http1::SendRequest<Outgoing>, connection: http1::Connection<Io, Outgoing>) -> Self
    where
        Io: Read + Write + Unpin + Send + 'static,
    {
        Self { sender, driver: Some(Box::pin(connection)), opened: Instant::now(), home: lane::current() }
    }

    pub(crate) fn opened(&self) -> Instant {
        self.opened
    }

    pub(crate) fn home(&self) -> usize {
        self.home
    }

    pub(crate) fn is_open(&self) -> bool {
        self.driver.is_some() && !self.sender.is_closed()
    }

    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn send(&mut self, request: Request<Outgoing>) -> hyper::Result<Response<Incoming>> {
        // Finishes the call before, and sees whether the other side has closed meanwhile.
        poll_fn(|context| self.poll_with(context, |this, context| this.sender.poll_ready(context))).await?;
        let mut response = pin!(self.sender.send_request(request));
        // Field by field: the response keeps the sender borrowed.
        let driver = &mut self.driver;
        let mut is_in_line = false;
        poll_fn(|context| {
            let nobody = &mut Context::from_waker(Waker::noop());
            if !is_in_line {
                is_in_line = true;
                // To put it in line wakes whom the driver knows, though it is driven right after.
                drive(driver, nobody);
                if let Poll::Ready(early) = response.as_mut().poll(nobody) {
                    return Poll::Ready(early);
                }
            }
            drive(driver, context);
            let head = response.as_mut().poll(nobody);
            if head.is_ready() {
                // And so does to ask for the body.
                drive(driver, nobody);
            }
            head
        })
        .await
    }

    /// The next piece of the answer that came over this connection.
    pub(crate) fn poll_body(
        &mut self,
        body: &mut Incoming,
        context: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        self.poll_with(context, |_, context| Pin::new(&mut *body).poll_frame(context))
    }

    /// Whatever waits on a connection gets ready only by driving it; so only the driver has to be woken.
    fn poll_with<T>(
        &mut self,
        context: &mut Context<'_>,
        mut wait: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let nobody = &mut Context::from_waker(Waker::noop());
        if let Poll::Ready(ready) = wait(self, nobody) {
            return Poll::Ready(ready);
        }
        drive(&mut self.driver, context);
        wait(self, nobody)
    }
}

fn drive(driver: &mut Option<Driver>, context: &mut Context<'_>) {
    if let Some(running) = driver
        && let Poll::Ready(ended) = running.as_mut().poll(context)
    {
        // Who waits for something on it gets the error, too.
        if let Err(error) = ended {
            tracing::trace!(%error, "a connection to a provider ended");
        }
        *driver = None;
    }
}
