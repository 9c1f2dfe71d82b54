use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::{Gauge, NumberDataPoint, metric, number_data_point};
use opentelemetry_proto::tonic::trace::v1::Span;
use signalbox_types::seam::StoreError;
use tonic::Code;
use tower::ServiceExt;

use super::*;
use crate::IngestConfig;
use crate::testing::{self, Bench, KEY, bench, bench_with, chat_span, text};

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

struct Answer {
    code: Code,
    message: String,
    details: Vec<u8>,
    body: Option<ExportTraceServiceResponse>,
}

/// One call, frame and all, through the routes as the server mounts them.
async fn call(bench: &Bench, path: &str, key: Option<&str>, gzip: bool, message: &[u8]) -> Answer {
    let packed = if gzip {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, message).unwrap();
        encoder.finish().unwrap()
    } else {
        message.to_vec()
    };
    let mut frame = vec![u8::from(gzip)];
    frame.extend(u32::try_from(packed.len()).unwrap().to_be_bytes());
    frame.extend(packed);
    let mut request = http::Request::post(path).header("content-type", "application/grpc").header("te", "trailers");
    if gzip {
        request = request.header("grpc-encoding", "gzip");
    }
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let request = request.body(http_body_util::Full::new(Bytes::from(frame))).unwrap();
    let response = bench.ingest.grpc().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    #[expect(clippy::disallowed_methods, reason = "an answer of ours is small")]
    let collected = body.collect().await.unwrap();
    let trailers = collected.trailers().cloned().unwrap_or(head.headers);
    let status = Status::from_header_map(&trailers).unwrap();
    let body = collected.to_bytes();
    Answer {
        code: status.code(),
        message: status.message().to_owned(),
        details: status.details().to_vec(),
        body: body.get(5..).map(|message| ExportTraceServiceResponse::decode(message).unwrap()),
    }
}

fn chat() -> Vec<u8> {
    testing::request(vec![chat_span()]).encode_to_vec()
}

#[tokio::test]
async fn spans_arrive_plain_and_compressed() {
    for gzip in [false, true] {
        let bench = bench().await;
        let answer = call(&bench, TRACES, Some(KEY), gzip, &chat()).await;
        assert_eq!(
            (answer.code, answer.body),
            (Code::Ok, Some(ExportTraceServiceResponse::default())),
            "{}",
            answer.message
        );
        let spans = bench.store.spans();
        assert_eq!(spans.len(), 1);
        assert!(spans[0].cost.is_some());
        assert!(bench.metrics().contains("signalbox_ingest_spans_total{receiver=\"otlp_grpc\"} 1"));
    }
}

#[tokio::test]
async fn a_bad_span_does_not_cost_its_batch() {
    let bench = bench().await;
    let bad = Span { span_id: vec![1], ..chat_span() };
    let answer =
        call(&bench, TRACES, Some(KEY), false, &testing::request(vec![bad, chat_span()]).encode_to_vec()).await;
    let partial = answer.body.unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!(partial.error_message.contains("`span_id` is `01`"), "{}", partial.error_message);
    assert_eq!(bench.store.spans().len(), 1);
}

#[tokio::test]
async fn refusals() {
    let bench = bench().await;
    let nobody = call(&bench, TRACES, None, false, &chat()).await;
    assert_eq!(nobody.code, Code::Unauthenticated);
    assert!(nobody.message.contains("OTEL_EXPORTER_OTLP_HEADERS"), "{}", nobody.message);
    assert_eq!(call(&bench, TRACES, Some("wrong-key"), false, &chat()).await.code, Code::Unauthenticated);
    assert_ne!(call(&bench, TRACES, Some(KEY), false, &[0xff]).await.code, Code::Ok);
    let other = "/opentelemetry.proto.collector.trace.v1.TraceService/Import";
    assert_eq!(call(&bench, other, Some(KEY), false, &chat()).await.code, Code::Unimplemented);
    assert!(bench.store.spans().is_empty());

    let small = bench_with(IngestConfig { max_body_bytes: 1_000, ..IngestConfig::default() }, None).await;
    let large = testing::request(vec![Span { name: "x".repeat(2_000), ..chat_span() }]).encode_to_vec();
    for gzip in [false, true] {
        assert_ne!(call(&small, TRACES, Some(KEY), gzip, &large).await.code, Code::Ok, "packed it is small");
    }
    assert!(small.store.spans().is_empty());

    let mut repeating = testing::request(vec![Span { attributes: Vec::new(), ..chat_span() }; 1_000]);
    let large = text("process.command_args", &"x".repeat(50_000));
    repeating.resource_spans[0].resource.as_mut().unwrap().attributes.push(large);
    let repeating = repeating.encode_to_vec();
    let limited = IngestConfig { max_body_bytes: 2 * repeating.len(), ..IngestConfig::default() };
    let answer = call(&bench_with(limited, None).await, TRACES, Some(KEY), true, &repeating).await;
    assert!(answer.message.contains("that each of them repeats"), "{}", answer.message);
    assert_eq!(answer.code, Code::InvalidArgument);
}

#[tokio::test]
async fn more_than_may_be_under_way() {
    let bench = bench_with(IngestConfig { max_in_flight: 1, ..IngestConfig::default() }, None).await;
    let first = {
        // A sender that never sends its body has the only place.
        let body = http_body_util::StreamBody::new(futures_util::stream::pending::<
            Result<http_body::Frame<Bytes>, Infallible>,
        >());
        let request = http::Request::post(TRACES)
            .header("content-type", "application/grpc")
            .header("authorization", format!("Bearer {KEY}"))
            .body(body)
            .unwrap();
        bench.ingest.grpc().oneshot(request)
    };
    tokio::pin!(first);
    assert!(futures_util::poll!(&mut first).is_pending());
    let second = call(&bench, TRACES, Some(KEY), false, &chat()).await;
    assert_eq!(second.code, Code::Unavailable, "{}", second.message);
    assert!(second.message.contains("ingest.max_in_flight"));
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_is_too_slow() {
    let bench = bench_with(IngestConfig { body_timeout_ms: 50, ..IngestConfig::default() }, None).await;
    let body =
        http_body_util::StreamBody::new(futures_util::stream::pending::<Result<http_body::Frame<Bytes>, Infallible>>());
    let request = http::Request::post(TRACES)
        .header("content-type", "application/grpc")
        .header("authorization", format!("Bearer {KEY}"))
        .body(body)
        .unwrap();
    let response = bench.ingest.grpc().oneshot(request).await.unwrap();
    assert_eq!(Status::from_header_map(response.headers()).unwrap().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_full_store_says_when_to_come_back() {
    let bench = bench_with(IngestConfig::default(), Some(StoreError::Full { retry_after_s: 3 })).await;
    let answer = call(&bench, TRACES, Some(KEY), false, &chat()).await;
    assert_eq!(answer.code, Code::Unavailable);
    let status = RpcStatus::decode(answer.details.as_slice()).unwrap();
    assert_eq!(status.details[0].type_url, "type.googleapis.com/google.rpc.RetryInfo");
    let retry = RetryInfo::decode(status.details[0].value.as_slice()).unwrap();
    assert_eq!(retry.retry_delay, Some(Delay { seconds: 3 }));
}

#[tokio::test]
async fn logs_and_metrics_arrive() {
    let bench = bench().await;
    let logs = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    let line = LogRecord {
        body: Some(AnyValue { value: Some(Value::StringValue("hello".to_owned())) }),
        ..LogRecord::default()
    };
    let body = testing::logs_request(vec![line, LogRecord::default()]).encode_to_vec();
    let answer = call(&bench, logs, Some(KEY), true, &body).await;
    assert_eq!(answer.code, Code::Ok, "{}", answer.message);
    let partial = answer.body.unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1, "the same field number in every signal");
    assert_eq!(bench.store.logs()[0].body, Some("hello".into()));

    let metrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    let point = NumberDataPoint { value: Some(number_data_point::Value::AsInt(7)), ..NumberDataPoint::default() };
    let body = testing::metrics_request([metric::Data::Gauge(Gauge { data_points: vec![point] })]).encode_to_vec();
    let answer = call(&bench, metrics, Some(KEY), false, &body).await;
    assert_eq!((answer.code, answer.body), (Code::Ok, Some(ExportTraceServiceResponse::default())));
    assert_eq!(bench.store.metric_points()[0].value, Some(7.0));
    assert_eq!(call(&bench, metrics, None, false, &body).await.code, Code::Unauthenticated);
}

#[test]
fn services_are_cheap_to_share() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Collector<Traces>>();
    let _: fn(&Arc<Shared>) -> Routes = routes;
}
