//! Whatever arrives, decoding answers; and our messages are OTLP's.

use bytes::Bytes;
use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use proptest::prelude::*;
use prost::Message;
use serde_json::json;

use super::tests::json_span;
use super::*;
use crate::testing::{self, attribute, chat_span, text};

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decoding_never_panics(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        cut in any::<proptest::sample::Index>(),
        flip in any::<(proptest::sample::Index, u8)>(),
    ) {
        let now = signalbox_types::Timestamp::from_micros(1);
        let mut sent = testing::request(vec![chat_span(), Span { links: vec![Link::default()], ..chat_span() }]).encode_to_vec();
        let at = flip.0.index(sent.len());
        sent[at] = flip.1;
        let json = json_span(json!({"attributes": [{"key": "a", "value": {"intValue": "1"}}]})).to_string().into_bytes();
        for (body, encoding) in [
            (noise.as_slice(), Encoding::Protobuf),
            (noise.as_slice(), Encoding::Json),
            (&sent[..], Encoding::Protobuf),
            (&sent[..cut.index(sent.len())], Encoding::Protobuf),
            (&json[..cut.index(json.len())], Encoding::Json),
        ] {
            if let Ok(request) = decode(body, encoding) {
                let batch = spans::batch(request, now);
                for raw in batch.spans {
                    let _ = signalbox_semconv::normalise(raw, &signalbox_types::ProjectId::new("p"), None);
                }
            }
            let sender = Sender::new(&principal, now);
            let _ = decode::<MetricsRequest>(body, encoding).map(|request| request.events(&sender));
            let _ = decode::<LogsRequest>(body, encoding).map(|request| request.events(&sender));
            for content_encoding in ["gzip", "deflate"] {
                let headers = http::HeaderMap::from_iter([(http::header::CONTENT_ENCODING, content_encoding.parse().unwrap())]);
                let _ = crate::body::unpack(Bytes::copy_from_slice(body), &headers, 1_000);
            }
        }
    }

    #[test]
    fn our_messages_are_the_generated_ones(name in ".{0,20}", trace_id in proptest::collection::vec(any::<u8>(), 0..20), number in any::<i64>(), ratio in any::<f64>(), nanos in any::<u64>()) {
        let theirs = testing::request(vec![Span {
            trace_id: trace_id.clone(), name: name.clone(), start_time_unix_nano: nanos, dropped_attributes_count: 3,
            attributes: vec![attribute("i", any_value::Value::IntValue(number)), attribute("d", any_value::Value::DoubleValue(ratio)), text("t", &name)],
            events: vec![Event { name: name.clone(), time_unix_nano: nanos, ..Event::default() }],
            status: Some(Status { message: name.clone(), code: 1 }),
            ..chat_span()
        }]).encode_to_vec();
        let ours = crate::otlp::proto::TraceRequest::decode(theirs.as_slice()).unwrap();
        prop_assert_eq!(ours.encode_to_vec(), theirs);
    }
}
