//! Takes any bytes for a request, as tests and fuzzers do.

use bytes::Bytes;
use signalbox_catalog::Principal;
use signalbox_types::{KeyId, ProjectId, Timestamp};

use crate::body;
use crate::otlp::proto_logs::LogsRequest;
use crate::otlp::proto_metrics::MetricsRequest;
use crate::otlp::{Format, Sender, Stored as _, decode, spans};

/// What a body may unpack to here.
const UNPACKED_BYTES: usize = 1 << 20;

/// Decodes a body, as it is and unpacked, as every signal in every encoding, and understands what
/// came of it.
pub fn read_whatever(sent: &[u8]) {
    if sent.len() > UNPACKED_BYTES {
        return;
    }
    read(sent);
    for content_encoding in ["gzip", "deflate"] {
        let value = http::HeaderValue::from_static(content_encoding);
        let headers = http::HeaderMap::from_iter([(http::header::CONTENT_ENCODING, value)]);
        if let Ok(unpacked) = body::unpack(Bytes::copy_from_slice(sent), &headers, UNPACKED_BYTES) {
            assert!(unpacked.len() <= UNPACKED_BYTES, "unpacking stops at the limit");
            read(&unpacked);
        }
    }
}

fn read(body: &[u8]) {
    let now = Timestamp::from_micros(1);
    let principal = Principal { project: ProjectId::new("p"), key_id: KeyId::new("k"), key_name: "k".to_owned() };
    for format in [Format::Protobuf, Format::Json] {
        if let Ok(request) = decode(body, format, UNPACKED_BYTES) {
            for raw in spans::batch(request, now).spans {
                // Whatever it means, it means something.
                let _ = signalbox_semconv::normalise(raw, &principal.project, None);
            }
        }
        let sender = Sender::new(&principal, now);
        let _ = decode::<MetricsRequest>(body, format, UNPACKED_BYTES).map(|request| request.events(&sender));
        let _ = decode::<LogsRequest>(body, format, UNPACKED_BYTES).map(|request| request.events(&sender));
    }
}
