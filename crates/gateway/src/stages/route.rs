//! Says who may answer: the targets of a route, or the one that serves a model. Never sends anything: that is `send`.

use std::sync::Arc;

use signalbox_types::ErrorClass;

use crate::Gateway;
use crate::call::{Call, CallError};
use crate::route::Routed;

pub(crate) fn route(call: &mut Call, gateway: &Gateway) -> Result<(), CallError> {
    let Some(peek) = &call.peek else { return Ok(()) };
    if let Some(route) = gateway.routes.find(&peek.model) {
        call.routed = Some(Box::new(Routed::new(Arc::clone(route), &call.headers)));
        return Ok(());
    }
    let target = gateway.upstream.resolve(&peek.model).map_err(|error| unknown_model(error.to_string()))?;
    if let Some(message) = call.endpoint.unanswerable_by(&target.provider) {
        let mut error = CallError::caller(ErrorClass::InvalidRequest, message);
        error.detail.param = Some("model".to_owned());
        return Err(error);
    }
    call.target = Some(target);
    Ok(())
}

/// As both official SDKs know it: 404, `model_not_found`.
pub(crate) fn unknown_model(message: String) -> CallError {
    let mut error = CallError::caller(ErrorClass::NotFound, message);
    error.detail.param = Some("model".to_owned());
    error.detail.code = Some("model_not_found".to_owned());
    error
}
