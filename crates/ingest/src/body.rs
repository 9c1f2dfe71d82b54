//! Bodies, read and unpacked within a limit: a small one can hold a very large one.

use std::io::Read;
use std::time::Duration;

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::error::Refusal;
use crate::{IngestConfig, RequestBody};

/// Above this, work on a body leaves the threads that serve calls.
const HEAVY_BYTES: usize = 64 << 10;

/// The body as it was sent.
pub(crate) async fn read(body: RequestBody, headers: &HeaderMap, config: &IngestConfig) -> Result<Bytes, Refusal> {
    let limit = config.max_body_bytes;
    let too_large = || Refusal::TooLarge { limit, after: "" };
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    #[expect(clippy::disallowed_methods, reason = "it is limited")]
    let collected = Limited::new(body, limit).collect();
    match tokio::time::timeout(Duration::from_millis(config.body_timeout_ms), collected).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
        Ok(Err(error)) => Err(Refusal::Malformed(format!("the body broke off: {error}"))),
        Err(_) => Err(Refusal::TooSlow { waited_ms: config.body_timeout_ms }),
    }
}

/// The body without its `content-encoding`.
pub(crate) fn unpack(body: Bytes, headers: &HeaderMap, limit: usize) -> Result<Bytes, Refusal> {
    let encoding = headers.get(CONTENT_ENCODING).map(|encoding| encoding.as_bytes().to_ascii_lowercase());
    match encoding.as_deref() {
        None | Some(b"" | b"identity") => Ok(body),
        Some(b"gzip" | b"x-gzip") => inflate(MultiGzDecoder::new(body.as_ref()), limit),
        // By the RFC it is zlib; some senders leave the two bytes of its header out.
        Some(b"deflate") if is_zlib(&body) => inflate(ZlibDecoder::new(body.as_ref()), limit),
        Some(b"deflate") => inflate(DeflateDecoder::new(body.as_ref()), limit),
        Some(other) => Err(Refusal::Unsupported(format!(
            "content-encoding `{}` is not supported; expected gzip, deflate or none (OTEL_EXPORTER_OTLP_COMPRESSION=gzip)",
            String::from_utf8_lossy(other).chars().take(40).collect::<String>()
        ))),
    }
}

fn inflate(packed: impl Read, limit: usize) -> Result<Bytes, Refusal> {
    let mut body = Vec::new();
    let allowed = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    packed
        .take(allowed)
        .read_to_end(&mut body)
        .map_err(|error| Refusal::Malformed(format!("the body can't be decompressed: {error}")))?;
    if body.len() > limit {
        return Err(Refusal::TooLarge { limit, after: " after decompression" });
    }
    Ok(body.into())
}

fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [first, second, ..] if first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

/// Does work that grows with a body, away from the threads that serve calls if it is much.
pub(crate) async fn work<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    if bytes < HEAVY_BYTES {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "reading a batch failed");
        Refusal::Fault
    })
}
