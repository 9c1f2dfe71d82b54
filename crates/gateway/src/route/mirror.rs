//! Sends a copy of a call to another target, for comparison. The copy is a call of its own, recorded as a span below the
//! first one; its answer goes to nobody. It never delays the call: without room for it, there is none, and that is
//! counted.

use std::sync::Arc;

use super::drain::read_to_end;
use super::numbers::RouteShed;
use crate::Gateway;
use crate::call::Call;
use crate::serve::answered;

pub(crate) fn send_copy(call: &Call, gateway: &Arc<Gateway>) {
    let Some(route) = call.routed.as_ref().map(|routed| &routed.route) else { return };
    let (Some(target), Some(mirror)) = (&route.mirror, &route.config.mirror) else { return };
    if call.endpoint.unanswerable_by(&target.provider).is_some() || fastrand::f64() >= mirror.sample {
        return;
    }
    let Ok(permit) = Arc::clone(&gateway.mirrors).try_acquire_owned() else {
        return gateway.metrics().routes().count_shed(&route.name, RouteShed::Mirror);
    };
    // The body is shared; its answer counts.
    let copy = call.copy_for(target.clone(), Arc::clone(&route.name), call.held.another());
    let settle = gateway.owned(copy);
    let (gateway, longest) = (Arc::clone(gateway), route.drain_time());
    tokio::spawn(async move {
        let response = answered(settle, &gateway).await;
        read_to_end(response.into_body(), longest).await;
        drop(permit);
    });
}
