//! Lets a call in: right method, known key, room for it. Reads no byte of the body.

use std::sync::Arc;

use http::header::{ALLOW, HeaderValue};
use http::{HeaderMap, StatusCode};
use signalbox_catalog::{AuthError, Principal};
use signalbox_types::ErrorClass;

use crate::Gateway;
use crate::call::{Call, CallError};
use crate::headers;
use crate::held::Held;
use crate::until::Until;

pub(crate) fn admit(call: &mut Call, gateway: &Gateway) -> Result<(), CallError> {
    if !call.endpoint.takes(&call.method) {
        let allowed = call.endpoint.methods();
        let message = format!("{} takes {} only, found {}", call.endpoint.path(), allowed.join(" and "), call.method);
        let allow = HeaderValue::try_from(allowed.join(", ")).unwrap_or(HeaderValue::from_static("POST"));
        return Err(wrong_method(message, allow));
    }
    call.principal = Some(match &call.own {
        Some(own) => own.principal.clone(),
        None => authenticate(&call.headers, gateway)?,
    });
    Until::check(&call.headers)?;
    // After the key, so that strangers can't take the room of those who have one.
    let most = gateway.config.max_in_flight;
    let mut permit = Held::new(Arc::clone(&gateway.in_flight), most);
    if !permit.try_grow(1) {
        return Err(CallError::overloaded(format!("{most} calls are under way, which is the limit; try again")));
    }
    call.permit = Some(permit);
    Ok(())
}

pub(crate) fn authenticate(headers: &HeaderMap, gateway: &Gateway) -> Result<Principal, CallError> {
    headers::key(headers)
        .ok_or(AuthError::Missing)
        .and_then(|key| gateway.catalog.authenticate(key))
        .map_err(|error| CallError::caller(error.class(), error.to_string()))
}

pub(crate) fn wrong_method(message: String, allow: HeaderValue) -> CallError {
    CallError::caller(ErrorClass::InvalidRequest, message)
        .status_code(StatusCode::METHOD_NOT_ALLOWED)
        .header(ALLOW, allow)
}
