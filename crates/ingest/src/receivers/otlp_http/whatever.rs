//! Takes any bytes for a request, as tests and fuzzers do.

use bytes::Bytes;
use signalbox_catalog::Principal;
use signalbox_types::{KeyId, ProjectId, Timestamp};

use super::{Encoding, LogsRequest, MetricsRequest, Sender, Stored as _, decode, spans};

/// What a body may unpack to here.
const UNPACKED_BYTES: usize = 1_000;

/// Decodes a body as every signal in every encoding, and understands what came of it.
pub fn read_whatever(body: &[u8]) {
    let now = Timestamp::from_micros(1);
    let principal = Principal { project: ProjectId::new("p"), key_id: KeyId::new("k"), key_name: "k".to_owned() };
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        if let Ok(request) = decode(body, encoding) {
            for raw in spans::batch(request, now).spans {
                // Whatever it means, it means something.
                let _ = signalbox_semconv::normalise(raw, &principal.project, None);
            }
        }
        let sender = Sender::new(&principal, now);
        let _ = decode::<MetricsRequest>(body, encoding).map(|request| request.events(&sender));
        let _ = decode::<LogsRequest>(body, encoding).map(|request| request.events(&sender));
    }
    for content_encoding in ["gzip", "deflate"] {
        let value = http::HeaderValue::from_static(content_encoding);
        let headers = http::HeaderMap::from_iter([(http::header::CONTENT_ENCODING, value)]);
        let unpacked = crate::body::unpack(Bytes::copy_from_slice(body), &headers, UNPACKED_BYTES);
        assert!(unpacked.is_err() || unpacked.is_ok_and(|unpacked| unpacked.len() <= UNPACKED_BYTES));
    }
}
