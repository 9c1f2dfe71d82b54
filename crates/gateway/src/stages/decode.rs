//! Reads the body within its limits and looks at the few facts that later stages need. Builds no
//! tree: a long prompt is never parsed into values here.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body_util::BodyExt as _;
use signalbox_types::ErrorClass;

use crate::call::{Call, CallError, Input};
use crate::endpoint::Endpoint;
use crate::held::Held;
use crate::{Gateway, GatewayConfig, RequestBody};

/// `Content-Length` is only a promise: no more than this is set aside on its word.
const MAX_PROMISED_BYTES: usize = 1 << 20;

pub(crate) async fn decode(call: &mut Call, gateway: &Gateway) -> Result<(), CallError> {
    if let Endpoint::Kept(_) = call.endpoint {
        // Its path says it all.
        call.body = None;
        let peek = call.endpoint.peek(b"{}")?;
        call.input = Input::Raw(Bytes::new());
        call.know(peek);
        return Ok(());
    }
    let config = &gateway.config;
    let promised = promised_bytes(call, config)?;
    let Some(body) = call.body.take() else { return Ok(()) };
    let reading = read(body, promised, config, &mut call.held);
    let bytes =
        tokio::time::timeout(Duration::from_millis(config.body_timeout_ms), reading).await.map_err(|_| {
            let message = format!("the request body took longer than {} ms; send it faster", config.body_timeout_ms);
            CallError::caller(ErrorClass::RequestTimeout, message)
        })??;
    let peek = call.endpoint.peek(&bytes);
    call.input = Input::Raw(bytes);
    call.know(peek?);
    Ok(())
}

/// What the headers say about the body, if it may come.
fn promised_bytes(call: &Call, config: &GatewayConfig) -> Result<usize, CallError> {
    if let Some(encoding) = call.headers.get(CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
        let found: String = String::from_utf8_lossy(encoding.as_bytes()).chars().take(40).collect();
        let message = format!("`content-encoding: {found}` is not supported; send the body as it is");
        return Err(
            CallError::caller(ErrorClass::InvalidRequest, message).status_code(StatusCode::UNSUPPORTED_MEDIA_TYPE)
        );
    }
    let length = call.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0);
    if length > config.max_body_bytes {
        return Err(too_large(config));
    }
    Ok(length)
}

fn too_large(config: &GatewayConfig) -> CallError {
    let limit = config.max_body_bytes;
    let message = format!("the request body is larger than {limit} bytes; send less, or raise gateway.max_body_bytes");
    CallError::caller(ErrorClass::RequestTooLarge, message)
}

async fn read(
    mut body: RequestBody,
    promised: usize,
    config: &GatewayConfig,
    held: &mut Held,
) -> Result<Bytes, CallError> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            tracing::debug!(error = %error, "a request body broke off");
            CallError::caller(ErrorClass::InvalidRequest, "the request body broke off before its end; send it again")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        let before = total;
        total += data.len();
        if total > config.max_body_bytes {
            return Err(too_large(config));
        }
        if !held.try_grow(data.len()) {
            return Err(CallError::overloaded("too many request bodies are in memory; try again"));
        }
        // Most bodies are one piece, which needs no copy.
        if before == 0 {
            first = data;
            continue;
        }
        if rest.is_empty() {
            rest.reserve(promised.min(MAX_PROMISED_BYTES).max(total));
            rest.extend_from_slice(&first);
        }
        rest.extend_from_slice(&data);
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}
