//! Says who may answer: the targets of a route, or the one that serves a model. Never sends anything: that is `send`.

use std::sync::Arc;

use signalbox_types::ErrorClass;
use signalbox_upstream::Target;

use crate::Gateway;
use crate::call::{Call, CallError};
use crate::endpoint::Endpoint;
use crate::route::Routed;

pub(crate) fn route(call: &mut Call, gateway: &Gateway) -> Result<(), CallError> {
    let Some(peek) = &call.peek else { return Ok(()) };
    if peek.model.is_empty() && call.endpoint.passes_along() {
        let target = gateway.upstream.openai().ok_or_else(|| nobody(call.endpoint))?;
        return to(call, target);
    }
    if let Some(route) = gateway.routes.find(&peek.model) {
        call.routed = Some(Box::new(Routed::new(Arc::clone(route))));
        return Ok(());
    }
    let target = gateway.upstream.resolve(&peek.model).map_err(|error| unknown_model(error.to_string()))?;
    to(call, target)
}

fn to(call: &mut Call, target: Target) -> Result<(), CallError> {
    if let Some(message) = call.endpoint.unanswerable_by(&target.provider) {
        return Err(of_model(ErrorClass::InvalidRequest, message));
    }
    call.target = Some(target);
    Ok(())
}

/// Nobody is there for what names no model.
fn nobody(endpoint: Endpoint) -> CallError {
    match endpoint {
        Endpoint::Kept(_) => CallError::caller(
            ErrorClass::NotFound,
            "responses are kept by OpenAI, and no provider of the kind `openai` is on; set OPENAI_API_KEY, or configure one",
        ),
        _ => {
            let message = "`model` is missing: expected `provider/model`; only the provider `openai`, which isn't on, has one for those who name none";
            of_model(ErrorClass::InvalidRequest, message.to_owned())
        }
    }
}

fn of_model(class: ErrorClass, message: String) -> CallError {
    let mut error = CallError::caller(class, message);
    error.detail.param = Some("model".to_owned());
    error
}

/// As both official SDKs know it: 404, `model_not_found`.
pub(crate) fn unknown_model(message: String) -> CallError {
    let mut error = of_model(ErrorClass::NotFound, message);
    error.detail.code = Some("model_not_found".to_owned());
    error
}
