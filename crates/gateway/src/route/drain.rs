//! `on_disconnect: drain`: the rest of a call goes on without its caller, so that the provider comes to say what it
//! used. Such a call runs on a task of its own; how many go on without callers, and for how long, is bounded.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::Route;
use super::numbers::RouteShed;
use crate::call::Retry;
use crate::serve::answered;
use crate::stages::encode::refusal;
use crate::stages::settle::Settle;
use crate::{BoxError, Gateway, ResponseBody};

/// Whether the caller has hung up.
pub(crate) type Left = Arc<AtomicBool>;

/// Has the call answered on a task of its own.
pub(crate) async fn detached(mut settle: Settle, route: Arc<Route>, gateway: &Arc<Gateway>) -> Response<ResponseBody> {
    let left = Left::default();
    if let Some(routed) = &mut settle.routed {
        routed.caller_left = Some(Arc::clone(&left));
    }
    let house = House { gateway: Arc::clone(gateway), route };
    let (give, take) = oneshot::channel();
    tokio::spawn(house.clone().go_on(settle, give));
    let mut caller = Caller { left: Arc::clone(&left), is_served: false };
    let Ok(response) = take.await else {
        // Only if the runtime is going down: a fault in a stage is answered.
        return refusal(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new(), Retry::Same, Bytes::new());
    };
    caller.is_served = true;
    response.map(|body| Drained { body: Some(body), left, house, runtime: Handle::current() }.boxed_unsync())
}

/// Reads what nobody waits for, so long and no longer.
pub(super) async fn read_to_end(mut body: ResponseBody, longest: Duration) {
    let reading = async { while let Some(Ok(_)) = body.frame().await {} };
    // Dropping the body then cancels the call.
    let _ = tokio::time::timeout(longest, reading).await;
}

#[derive(Clone)]
struct House {
    gateway: Arc<Gateway>,
    route: Arc<Route>,
}

impl House {
    async fn go_on(self, settle: Settle, mut give: oneshot::Sender<Response<ResponseBody>>) {
        let mut answer = Box::pin(answered(settle, &self.gateway));
        let response = tokio::select! {
            response = &mut answer => response,
            () = give.closed() => {
                let Some(_permit) = self.room() else { return };
                let Ok(response) = tokio::time::timeout(self.route.drain_time(), answer).await else { return };
                return read_to_end(response.into_body(), self.route.drain_time()).await;
            }
        };
        if let Err(response) = give.send(response) {
            self.drain(response.into_body()).await;
        }
    }

    async fn drain(&self, body: ResponseBody) {
        if let Some(_permit) = self.room() {
            read_to_end(body, self.route.drain_time()).await;
        }
    }

    fn room(&self) -> Option<tokio::sync::OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.gateway.drains).try_acquire_owned().ok();
        if permit.is_none() {
            self.gateway.metrics().routes().count_shed(&self.route.name, RouteShed::Drain);
        }
        permit
    }
}

/// Waits for the head of the answer; dropped before, it has hung up.
struct Caller {
    left: Left,
    is_served: bool,
}

impl Drop for Caller {
    fn drop(&mut self) {
        if !self.is_served {
            self.left.store(true, Ordering::Release);
        }
    }
}

/// A body that is read to its end also when its caller drops it.
struct Drained {
    body: Option<ResponseBody>,
    left: Left,
    house: House,
    runtime: Handle,
}

impl Body for Drained {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(None) = polled {
            this.body = None;
        }
        polled
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        self.left.store(true, Ordering::Release);
        let house = self.house.clone();
        self.runtime.spawn(async move { house.drain(body).await });
    }
}
