//! Reads the body within its limits and looks at the few facts that later stages need. Builds no
//! tree: a long prompt is never parsed into values here.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;
use signalbox_types::{ErrorClass, Place};
use signalbox_upstream::{Unpacked, Unpacker};
use signalbox_wire::along::Shape;

use crate::call::{Call, CallError, Input};
use crate::endpoint::Endpoint;
use crate::held::Held;
use crate::upload::{Upload, broke_off, told, too_large as too_large_to_pass};
use crate::{Gateway, GatewayConfig, RequestBody};

/// `Content-Length` is only a promise: no more than this is set aside on its word.
const MAX_PROMISED_BYTES: usize = 1 << 20;
/// A body that is no longer is copied rather than kept where it is. Connections begin with a buffer of twice that.
const SMALL: usize = 4 << 10;
/// So many blanks may stand before the first letter of a body.
const MAX_BLANKS: usize = 4 << 10;

pub(crate) async fn decode(call: &mut Call, gateway: &Gateway) -> Result<(), CallError> {
    let config = &gateway.config;
    unpack(call)?;
    let mut first = None;
    match way(call, gateway) {
        Way::Nothing => {
            call.body = None;
            let peek = call.endpoint.peek(b"{}")?;
            call.input = Input::Raw(Bytes::new());
            call.know(peek);
            return Ok(());
        }
        Way::On => return pass_on(call, config, None),
        Way::Whole => {}
        Way::Look => {
            let Some(body) = &mut call.body else { return Ok(()) };
            let piece = within(config, first_piece(body)).await??;
            if !may_be_json(&piece) {
                return pass_on(call, config, Some(piece));
            }
            first = Some(piece);
        }
    }
    let promised = promised_bytes(call, config)?;
    let Some(body) = call.body.take() else { return Ok(()) };
    let bytes = within(config, read(first, body, promised, config, &mut call.held)).await??;
    let peek = call.endpoint.peek(&bytes);
    call.input = Input::Raw(bytes);
    call.know(peek?);
    Ok(())
}

/// What becomes of a body.
enum Way {
    /// The path says it all.
    Nothing,
    Whole,
    /// It goes on unread while it arrives.
    On,
    /// So it does, unless it turns out to be text all the same.
    Look,
}

fn way(call: &Call, gateway: &Gateway) -> Way {
    match call.endpoint {
        Endpoint::Kept(shelf) if shelf.is_upload(&call.method) => {
            // How long it is has to be known before its first byte is taken.
            let scanned = 1..=gateway.config.scan_files_bytes.min(gateway.config.max_body_bytes) as u64;
            let is_scanned = scanned.contains(&promised(call)) && call.endpoint.holds_files(call.content_type());
            if is_scanned && gateway.guard_for(call).watches(Place::Input) { Way::Whole } else { Way::On }
        }
        Endpoint::Kept(shelf) if !shelf.makes_batch(&call.method) => Way::Nothing,
        Endpoint::Through(_) => {
            let watched = gateway.guard_for(call).watches(Place::Input);
            // It may name what another project made, whatever it says that it is.
            let names = call.through.as_ref().is_some_and(|through| through.is_of_responses());
            if names && !gateway.catalog.has_one_project() {
                return Way::Whole;
            }
            match Shape::of(call.content_type(), b"") {
                Shape::Json | Shape::Text => Way::Whole,
                // A call without a body says nothing of it.
                Shape::Other if call.content_type().is_none() => Way::Whole,
                Shape::Form if watched => Way::Whole,
                Shape::Other if watched => Way::Look,
                Shape::Form | Shape::Other => Way::On,
            }
        }
        _ => Way::Whole,
    }
}

/// Leaves the body to `send`.
fn pass_on(call: &mut Call, config: &GatewayConfig, first: Option<Bytes>) -> Result<(), CallError> {
    if promised(call) > config.max_passed_bytes {
        return Err(told(too_large_to_pass(config)));
    }
    let Some(body) = call.body.take() else { return Ok(()) };
    let upload = Upload::new(first, body, call, config);
    call.uploaded = Some(upload.body.moved());
    call.upload = Some(upload);
    let peek = call.endpoint.peek(b"{}")?;
    call.input = Input::Raw(Bytes::new());
    call.know(peek);
    Ok(())
}

async fn within<T>(config: &GatewayConfig, reading: impl Future<Output = T>) -> Result<T, CallError> {
    tokio::time::timeout(Duration::from_millis(config.body_timeout_ms), reading).await.map_err(|_| {
        let message = format!("the request body took longer than {} ms; send it faster", config.body_timeout_ms);
        CallError::caller(ErrorClass::RequestTimeout, message)
    })
}

/// What there is up to the first piece that says what the body is; blanks say nothing.
async fn first_piece(body: &mut RequestBody) -> Result<Bytes, CallError> {
    let mut first = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| told(broke_off(&error)))?.into_data() else { continue };
        first.extend_from_slice(&data);
        if first.len() > MAX_BLANKS || data.iter().any(|byte| !byte.is_ascii_whitespace()) {
            break;
        }
    }
    Ok(first.freeze())
}

/// It is JSON by its first letter, or hides that behind more blanks than anybody writes.
fn may_be_json(first: &[u8]) -> bool {
    Shape::of(None, first) == Shape::Json || (first.len() > MAX_BLANKS && first.trim_ascii().is_empty())
}

fn promised(call: &Call) -> u64 {
    call.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0)
}

/// A body that comes packed is taken for what it holds, and nobody behind this hears of it: limits are about that, and
/// providers get it as if it had come so. How large it will be is not known, then.
fn unpack(call: &mut Call) -> Result<(), CallError> {
    match Unpacker::take(&mut call.headers) {
        Ok(None) => Ok(()),
        Ok(Some(unpacker)) => {
            call.body = call.body.take().map(|body| Unpacked::new(body, unpacker).boxed_unsync());
            Ok(())
        }
        Err(unknown) => {
            let told = CallError::caller(ErrorClass::InvalidRequest, unknown.to_string());
            Err(told.status_code(StatusCode::UNSUPPORTED_MEDIA_TYPE))
        }
    }
}

/// What the headers say about the body, if it may come.
fn promised_bytes(call: &Call, config: &GatewayConfig) -> Result<usize, CallError> {
    let length = usize::try_from(promised(call)).unwrap_or(usize::MAX);
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
    before: Option<Bytes>,
    mut body: RequestBody,
    promised: usize,
    config: &GatewayConfig,
    held: &mut Held,
) -> Result<Bytes, CallError> {
    let mut first = before.unwrap_or_default();
    let mut rest = BytesMut::new();
    let mut total = first.len();
    if !held.try_grow(total) {
        return Err(CallError::overloaded("too many request bodies are in memory; try again"));
    }
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| told(broke_off(&error)))?.into_data() else { continue };
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
    Ok(match (rest.is_empty(), first.len()) {
        // It keeps the whole buffer that its connection reads into, until the call is written down.
        (true, ..=SMALL) => Bytes::copy_from_slice(&first),
        (true, _) => first,
        (false, _) => rest.freeze(),
    })
}
