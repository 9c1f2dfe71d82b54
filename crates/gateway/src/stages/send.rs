//! Has the call answered: by its one target, or by those of its route in turn.

use signalbox_types::{ErrorClass, Place};

use crate::Gateway;
use crate::along::Take;
use crate::call::{Call, CallError, Reply};
use crate::endpoint::Endpoint;
use crate::exchange::{Ask, exchange};
use crate::route::attempts;
use crate::until::Until;

pub(crate) async fn send(call: &mut Call, gateway: &Gateway) -> Result<Reply, CallError> {
    if call.routed.is_some() {
        // Boxed: the way through a route is long, and calls without one shall not make room for it.
        return Box::pin(attempts::answer(call, gateway)).await;
    }
    let Some(target) = &call.target else {
        return Err(CallError::us(ErrorClass::Internal, "the call has no target"));
    };
    // How long a caller waits for an answer says nothing of how long it sends.
    let until = Until::of_caller(&call.headers).filter(|_| call.upload.is_none());
    let mut ask = Ask::new(call, target, gateway.config.max_answer_bytes)?;
    let readable = gateway.guard_for(call).watches(Place::Output);
    if matches!(call.endpoint, Endpoint::Through(_)) && !readable {
        ask = ask.taken(Take::Passing);
    }
    if let Some(upload) = call.upload.take() {
        ask = ask.uploading(upload);
    }
    // Boxed: its state is most of a call's, and would be moved each time that a future around it is.
    let asked = Box::pin(exchange(ask, &gateway.upstream, &*gateway.clock));
    let sent = match until {
        None => asked.await?,
        Some(until) => {
            let late = || until.error(&format!("provider `{}` didn't answer", target.provider.name));
            tokio::time::timeout_at(until.at, asked).await.unwrap_or_else(|_| Err(late()))?
        }
    };
    Ok(call.adopt(sent))
}
