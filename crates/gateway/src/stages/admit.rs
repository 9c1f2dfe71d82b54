//! Lets a call in: right method, known key, room for it. Reads no byte of the body.

use std::sync::Arc;

use http::header::{ALLOW, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use signalbox_catalog::{AuthError, Principal};
use signalbox_types::ErrorClass;

use crate::Gateway;
use crate::call::{Call, CallError};
use crate::headers;

pub(crate) fn admit(call: &mut Call, gateway: &Gateway) -> Result<(), CallError> {
    let methods = call.endpoint.methods();
    if !methods.contains(&call.method) {
        let allowed: Vec<&str> = methods.iter().map(Method::as_str).collect();
        let message = format!("{} takes {} only, found {}", call.endpoint.path(), allowed.join(" and "), call.method);
        let allow = HeaderValue::try_from(allowed.join(", ")).unwrap_or(HeaderValue::from_static("POST"));
        return Err(wrong_method(message, allow));
    }
    call.principal = Some(authenticate(&call.headers, gateway)?);
    // After the key, so that strangers can't take the room of those who have one.
    match Arc::clone(&gateway.permits).try_acquire_owned() {
        Ok(permit) => call.permit = Some(permit),
        Err(_) => {
            let message =
                format!("{} calls are under way, which is the limit; try again", gateway.config.max_in_flight);
            return Err(CallError::overloaded(message));
        }
    }
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
