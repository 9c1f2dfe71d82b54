//! Says who may answer: the targets of a route, or the one that serves a model, or the one that keeps what is asked for.
//! Never sends anything: that is `send`.

use std::sync::Arc;

use signalbox_types::ErrorClass;
use signalbox_upstream::Target;

use crate::Gateway;
use crate::call::{Call, CallError, Input};
use crate::endpoint::Endpoint;
use crate::kept;
use crate::owners::{Kind, Whose};
use crate::route::Routed;

pub(crate) fn route(call: &mut Call, gateway: &Gateway) -> Result<(), CallError> {
    let Some(peek) = &call.peek else { return Ok(()) };
    if let Endpoint::Kept(_) = call.endpoint {
        let target = keeper(call, gateway)?;
        return to(call, target);
    }
    if call.endpoint == Endpoint::Responses {
        goes_on_from_its_own(call, gateway)?;
    }
    if peek.model.is_empty() && call.endpoint.passes_along() {
        let target = gateway.upstream.openai().ok_or_else(nobody)?;
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

/// Who keeps what is asked for, if the caller's project made it. While all keys are of one project, nobody else can have
/// made what isn't known (any more).
fn keeper(call: &Call, gateway: &Gateway) -> Result<Target, CallError> {
    let (Some(principal), Some(id)) = (&call.principal, call.below.as_deref().and_then(kept::id)) else {
        return Err(CallError::us(ErrorClass::Internal, "the call names nothing that is kept"));
    };
    let kind = Kind::Response;
    let provider = match gateway.owners.find(kind, id, &principal.project) {
        Whose::Yours(provider) => gateway.upstream.provider(&provider),
        Whose::Unknown if gateway.catalog.has_one_project() => gateway.upstream.openai(),
        Whose::Unknown | Whose::Anothers => return Err(not_theirs(kind, id, gateway)),
    };
    provider.ok_or_else(|| {
        let message = format!(
            "{}s are kept by OpenAI, and no provider of the kind `openai` is on; set OPENAI_API_KEY, or configure one",
            kind.as_str()
        );
        CallError::caller(ErrorClass::NotFound, message)
    })
}

/// A conversation that another project began is not to be read by going on with it.
fn goes_on_from_its_own(call: &Call, gateway: &Gateway) -> Result<(), CallError> {
    let (Some(principal), Input::Raw(body)) = (&call.principal, &call.input) else { return Ok(()) };
    if gateway.catalog.has_one_project() {
        return Ok(());
    }
    let Some(id) = kept::previous_response(body) else { return Ok(()) };
    match gateway.owners.find(Kind::Response, &id, &principal.project) {
        Whose::Anothers => {
            let mut error = not_theirs(Kind::Response, &id, gateway);
            error.detail.param = Some("previous_response_id".to_owned());
            Err(error)
        }
        // Forgotten, perhaps; who goes on had the id from the answer.
        Whose::Yours(_) | Whose::Unknown => Ok(()),
    }
}

/// The same words whether another project made it or nobody did.
fn not_theirs(kind: Kind, id: &str, gateway: &Gateway) -> CallError {
    let (kind, most) = (kind.as_str(), gateway.owners.most());
    let message = format!(
        "there is no {kind} `{id}` that a key of this project made; who made what is forgotten when Signalbox restarts, \
         and after {most} later ones (gateway.max_kept_ids): make it again, or ask the provider itself"
    );
    CallError::caller(ErrorClass::NotFound, message)
}

/// Nobody is there for what names no model.
fn nobody() -> CallError {
    let message = "`model` is missing: expected `provider/model`; only the provider `openai`, which isn't on, has one for those who name none";
    of_model(ErrorClass::InvalidRequest, message.to_owned())
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
