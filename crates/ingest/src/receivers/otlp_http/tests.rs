use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::{Method, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList, any_value};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message;
use serde_json::{Value, json};
use signalbox_types::seam::StoreError;
use signalbox_types::{SpanKind, SpanStatus};

use super::*;
use crate::IngestConfig;
use crate::testing::{self, KEY, attribute, bench, bench_with, chat_span, text};

pub(super) const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
pub(super) const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
pub(super) const AUTH: (&str, &str) = ("authorization", concat!("Bearer ", "a-key-for-tests"));

fn chat() -> Vec<u8> {
    testing::request(vec![chat_span()]).encode_to_vec()
}

pub(super) fn json_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

#[test]
fn paths() {
    let check = |path: &str, expected: Option<Signal>| assert_eq!(signal(path), expected, "{path}");
    for path in [
        "/v1/traces",
        "/v1/traces/",
        "/otel/v1/traces",
        "/api/public/otel/v1/traces",
        "/api/public/otel",
        "/v1/private/otel/v1/traces",
        "/tracer/v1/traces",
        "/api/acme/v1/traces",
    ] {
        check(path, Some(Signal::Traces));
    }
    check("/v1/metrics", Some(Signal::Metrics));
    check("/api/public/otel/v1/logs", Some(Signal::Logs));
    for path in [
        "/",
        "/v1/chat/completions",
        "/api/v1/traces",
        "/api/v1/v1/traces",
        "/api/v1/traces/5b",
        "/x/v1/traces",
        "/api//v1/traces",
        "/v1/traces/x",
    ] {
        check(path, None);
    }
}

#[tokio::test]
async fn a_span_arrives_understood_and_priced() {
    let bench = bench().await;
    let response = bench.post("/v1/traces", &[AUTH, PROTOBUF], chat()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/x-protobuf");
    assert_eq!(
        ExportTraceServiceResponse::decode(response.body().as_ref()).unwrap(),
        ExportTraceServiceResponse::default()
    );

    let spans = bench.store.spans();
    let [span] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!((span.kind, span.service_name.as_deref()), (SpanKind::Llm, Some("shop")));
    assert_eq!(span.cost.unwrap().total.to_string(), "0.00021", "1 000 × $0.15/M + 100 × $0.60/M");
    assert_eq!(span.project_id.as_str(), "default");
    assert!(span.key_id.is_some());
    assert!(bench.metrics().contains("signalbox_ingest_spans_total{receiver=\"otlp_http\"} 1"), "{}", bench.metrics());
}

#[tokio::test]
async fn every_field_survives_protobuf() {
    let bench = bench().await;
    let nested = any_value::Value::KvlistValue(KeyValueList { values: vec![text("a", "b")] });
    let span = Span {
        parent_span_id: vec![1; 8],
        trace_state: "k=v".to_owned(),
        dropped_attributes_count: 2,
        attributes: vec![
            attribute("nested", nested),
            attribute("list", any_value::Value::ArrayValue(ArrayValue { values: vec![] })),
            attribute("ratio", any_value::Value::DoubleValue(0.5)),
            attribute("infinite", any_value::Value::DoubleValue(f64::INFINITY)),
            attribute("yes", any_value::Value::BoolValue(true)),
            attribute("bytes", any_value::Value::BytesValue(vec![1, 2])),
        ],
        events: vec![Event {
            name: "e".to_owned(),
            time_unix_nano: 5_000,
            attributes: vec![text("a", "b")],
            ..Event::default()
        }],
        links: vec![Link { trace_id: vec![7; 16], span_id: vec![8; 8], ..Link::default() }],
        status: Some(Status { message: "broke".to_owned(), code: 2 }),
        ..chat_span()
    };
    bench.post("/v1/traces", &[AUTH, PROTOBUF], testing::request(vec![span]).encode_to_vec()).await;
    let span = bench.store.spans().remove(0);
    assert_eq!(span.parent_span_id.unwrap().to_string(), "0101010101010101");
    assert_eq!((span.status, span.status_message.as_deref()), (SpanStatus::Error, Some("broke")));
    assert_eq!(span.duration_ms(), 250.0);
    assert_eq!((span.events[0].name.as_str(), span.events[0].time.as_micros()), ("e", 5));
    for (key, expected) in [
        ("nested", "{\"a\":\"b\"}"),
        ("list", "[]"),
        ("ratio", "0.5"),
        ("infinite", "inf"),
        ("yes", "true"),
        ("bytes", "AQI="),
        ("otel.trace_state", "k=v"),
        ("otel.dropped_attributes_count", "2"),
        ("otel.span.kind", "client"),
        (
            "otel.links",
            "[{\"trace_id\":\"07070707070707070707070707070707\",\"span_id\":\"0808080808080808\",\"attributes\":{}}]",
        ),
    ] {
        assert_eq!(span.attributes[key], expected, "{key}");
    }
}

pub(super) fn json_span(fields: Value) -> Value {
    let mut span = json!({"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "s", "startTimeUnixNano": "1000", "endTimeUnixNano": "2000"});
    span.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
}

#[tokio::test]
async fn json_as_senders_write_it() {
    let ids = "5b8efff798038103d269b633813fc60c/eee19b7ec3c1b174";
    for (fields, expected) in [
        (json!({}), ids),
        (json!({"traceId": "5B8EFFF798038103D269B633813FC60C"}), ids),
        (json!({"traceId": "W47/95gDgQPSabYzgT/GDA==", "spanId": "7uGbfsPBsXQ="}), ids),
        (json!({"startTimeUnixNano": 1000, "endTimeUnixNano": 2.0e3, "parentSpanId": null, "attributes": null}), ids),
        (json!({"kind": "SPAN_KIND_CLIENT", "status": {"code": "STATUS_CODE_OK"}, "unknown": [1]}), ids),
        (json!({"kind": 3, "status": {"code": 1}, "flags": 1}), ids),
        (
            json!({"attributes": [
                {"key": "int", "value": {"intValue": "12"}}, {"key": "int", "value": {"intValue": 12}},
                {"key": "double", "value": {"doubleValue": "NaN"}}, {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "x"}]}}},
                {"key": "none", "value": {}}, {"key": "missing"}
            ]}),
            ids,
        ),
    ] {
        let bench = bench().await;
        let response = bench.post("/v1/traces", &[AUTH, JSON], json_span(fields.clone()).to_string()).await;
        assert_eq!((response.status(), json_of(response.body())), (StatusCode::OK, json!({})), "{fields}");
        let span = bench.store.spans().remove(0);
        assert_eq!(format!("{}/{}", span.trace_id, span.span_id), expected, "{fields}");
        if fields.get("kind").is_some() {
            assert_eq!((span.attributes["otel.span.kind"].as_str(), span.status), ("client", SpanStatus::Ok));
        }
        if fields["attributes"].is_array() {
            assert_eq!((span.attributes["int"].as_str(), span.attributes["list"].as_str()), ("12", "[\"x\"]"));
        }
    }
}

#[tokio::test]
async fn snake_case_json() {
    let bench = bench().await;
    let body = json!({"resource_spans": [{"scope_spans": [{"spans": [{
        "trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174", "start_time_unix_nano": "1000",
        "attributes": [{"key": "a", "value": {"string_value": "b"}}]
    }]}]}]});
    bench.post("/v1/traces", &[AUTH, JSON], body.to_string()).await;
    assert_eq!(bench.store.spans()[0].attributes["a"], "b");
}

#[tokio::test]
async fn compressed_in_every_way() {
    fn finished(mut encoder: impl Write, body: &[u8]) {
        encoder.write_all(body).unwrap();
    }
    let (mut gzip, mut zlib, mut raw) = (Vec::new(), Vec::new(), Vec::new());
    finished(GzEncoder::new(&mut gzip, Compression::fast()), &chat());
    finished(ZlibEncoder::new(&mut zlib, Compression::fast()), &chat());
    finished(DeflateEncoder::new(&mut raw, Compression::fast()), &chat());
    for (encoding, body, status) in [
        ("gzip", gzip.clone(), 200),
        ("GZIP", gzip.clone(), 200),
        ("deflate", zlib, 200),
        ("deflate", raw, 200),
        ("identity", chat(), 200),
        ("gzip", chat(), 400),
        ("gzip", gzip[..gzip.len() / 2].to_vec(), 400),
        ("zstd", chat(), 415),
    ] {
        let bench = bench().await;
        let response = bench.post("/v1/traces", &[AUTH, PROTOBUF, ("content-encoding", encoding)], body).await;
        assert_eq!(response.status(), status, "{encoding}");
        assert_eq!(bench.store.spans().len(), usize::from(status == 200), "{encoding}");
    }
}

#[tokio::test]
async fn a_bad_span_does_not_cost_its_batch() {
    let bench = bench().await;
    let bad = |trace_id: Vec<u8>, span_id: Vec<u8>| Span { trace_id, span_id, name: "bad".to_owned(), ..chat_span() };
    let spans = vec![bad(vec![1; 3], vec![1; 8]), chat_span(), bad(vec![0; 16], vec![1; 8]), bad(vec![1; 16], vec![])];
    let response = bench.post("/v1/traces", &[AUTH, PROTOBUF], testing::request(spans).encode_to_vec()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let partial = ExportTraceServiceResponse::decode(response.body().as_ref()).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 3);
    assert!(
        partial.error_message.starts_with(
            "span 0 `bad`: `trace_id` is `010101`, expected 16 bytes (32 hexadecimal digits), not all zero; span 2"
        ),
        "{}",
        partial.error_message
    );
    assert_eq!(bench.store.spans().len(), 1);
    let metrics = bench.metrics();
    assert!(metrics.contains("rejected_items_total{receiver=\"otlp_http\",reason=\"bad_trace_id\"} 2"), "{metrics}");

    let response = bench.post("/v1/traces", &[AUTH, JSON], json_span(json!({"spanId": "not-hex"})).to_string()).await;
    let partial = &json_of(response.body())["partialSuccess"];
    assert_eq!(partial["rejectedSpans"], "1");
    assert!(partial["errorMessage"].as_str().unwrap().contains("`span_id` is `not-hex`"), "{partial}");
}

#[tokio::test]
async fn text_that_was_cut_in_a_character() {
    let bench = bench().await;
    let mut body = testing::request(vec![Span { name: "caf\u{e9}".to_owned(), ..chat_span() }]).encode_to_vec();
    let at = body.windows(2).position(|pair| pair == [0xc3, 0xa9]).unwrap();
    body[at + 1] = b'!';
    assert_eq!(bench.post("/v1/traces", &[AUTH, PROTOBUF], body).await.status(), StatusCode::OK);
    assert_eq!(bench.store.spans()[0].name, "caf\u{fffd}!");
}

/// Headers, body, what the store says, status, words of the message.
type Case<'a> = (&'a [(&'a str, &'a str)], Vec<u8>, Option<StoreError>, u16, &'a str);

#[tokio::test]
async fn refusals_say_what_to_do() {
    let small = IngestConfig { max_body_bytes: 200, ..IngestConfig::default() };
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![0; 100_000]).unwrap();
    let bomb = bomb.finish().unwrap();
    let full = || Some(StoreError::Full { retry_after_s: 7 });
    let auth = [AUTH, JSON];
    let cases: Vec<Case> = vec![
        (&[JSON], b"{}".to_vec(), None, 401, "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20<key>"),
        (&[JSON, ("x-api-key", "wrong-key")], b"{}".to_vec(), None, 401, "not known"),
        (&auth, b"{".to_vec(), None, 400, "no OTLP/JSON"),
        (&auth, b"\xff\xff".to_vec(), None, 400, "no OTLP/JSON"),
        (
            &auth,
            b"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"startTimeUnixNano\":\"x\"}]}]}]}".to_vec(),
            None,
            400,
            "`resourceSpans[0].scopeSpans[0].spans[0].startTimeUnixNano`: expected nanoseconds",
        ),
        (&auth, b"{} {}".to_vec(), None, 400, "trailing"),
        (&[AUTH, ("content-type", "text/plain")], b"{}".to_vec(), None, 415, "application/x-protobuf"),
        (&[AUTH], b"{}".to_vec(), None, 415, "application/json"),
        (&auth, vec![b' '; 201], None, 413, "larger than 200 bytes;"),
        (&[AUTH, JSON, ("content-encoding", "gzip")], bomb, None, 413, "after decompression; send smaller batches"),
        (&auth, json_span(json!({})).to_string().into_bytes(), full(), 503, "try again in 7 s"),
        (
            &auth,
            json_span(json!({})).to_string().into_bytes(),
            Some(StoreError::Disk("no space".to_owned())),
            503,
            "no space",
        ),
        (
            &auth,
            json_span(json!({})).to_string().into_bytes(),
            Some(StoreError::Internal("x".to_owned())),
            500,
            "failed",
        ),
    ];
    for (headers, body, failure, status, words) in cases {
        let retry = failure.as_ref().map(|failure| matches!(failure, StoreError::Full { .. }));
        let bench = bench_with(small.clone(), failure).await;
        let response = bench.post("/v1/traces", headers, body).await;
        let error = json_of(response.body());
        assert_eq!(response.status(), status, "{words}: {error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{words}: {error}");
        assert!(error["code"].as_i64().unwrap() > 0);
        if retry == Some(true) {
            assert_eq!(response.headers()["retry-after"], "7");
        }
        assert!(bench.store.spans().is_empty());
        assert!(!bench.metrics().contains("outcome=\"ok\""));
    }
}

#[tokio::test]
async fn errors_in_the_encoding_of_the_request() {
    let bench = bench().await;
    let response = bench.post("/v1/traces", &[AUTH, PROTOBUF], vec![0xff]).await;
    assert_eq!(
        (response.status(), response.headers()["content-type"].to_str().unwrap()),
        (StatusCode::BAD_REQUEST, "application/x-protobuf")
    );
    let status = crate::otlp::proto::RpcStatus::decode(response.body().as_ref()).unwrap();
    assert_eq!(status.code, 3);
    assert!(status.message.contains("no OTLP protobuf"), "{}", status.message);
}

#[tokio::test]
async fn only_post() {
    let bench = bench().await;
    assert!(bench.ingest.handles(&Method::GET, "/v1/traces"));
    let request = http::Request::get("/v1/traces").body(Full::<Bytes>::default()).unwrap();
    let response = bench.ingest.serve(request).await;
    assert_eq!(
        (response.status(), response.headers()["allow"].to_str().unwrap()),
        (StatusCode::METHOD_NOT_ALLOWED, "POST")
    );
}

#[tokio::test]
async fn no_more_at_once_than_allowed() {
    let bench = bench_with(IngestConfig { max_in_flight: 1, ..IngestConfig::default() }, None).await;
    let (send, body) = tokio::io::duplex(64);
    let slow = http_body_util::StreamBody::new(futures(body));
    let request =
        http::Request::post("/v1/traces").header(AUTH.0, AUTH.1).header(PROTOBUF.0, PROTOBUF.1).body(slow).unwrap();
    let first = bench.ingest.serve(request);
    let second = async {
        let response = bench.post("/v1/traces", &[AUTH, PROTOBUF], chat()).await;
        drop(send);
        response
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.status(), second.status()), (StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(second.headers()["retry-after"], "1");
}

/// A body that ends when the other side of the pipe is dropped.
fn futures(
    mut pipe: tokio::io::DuplexStream,
) -> impl futures_core::Stream<Item = Result<http_body::Frame<Bytes>, std::io::Error>> + Send {
    let mut waiting = Box::pin(async move {
        let mut rest = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut pipe, &mut rest).await.map(|_| rest)
    });
    let mut done = false;
    futures_util::stream::poll_fn(move |context| {
        if done {
            return std::task::Poll::Ready(None);
        }
        std::future::Future::poll(waiting.as_mut(), context).map(|rest| {
            done = true;
            Some(rest.map(|rest| http_body::Frame::data(Bytes::from(rest))))
        })
    })
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_never_ends() {
    let bench = bench().await;
    let (_open, body) = tokio::io::duplex(64);
    let slow = http_body_util::StreamBody::new(futures(body));
    let request =
        http::Request::post("/v1/traces").header(AUTH.0, AUTH.1).header(PROTOBUF.0, PROTOBUF.1).body(slow).unwrap();
    assert_eq!(bench.ingest.serve(request).await.status(), StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn keys_of_other_tools() {
    let basic = format!(
        "Basic {}",
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("pk-lf-1:{KEY}"))
    );
    for header in [
        ("authorization", basic.as_str()),
        ("authorization", KEY),
        ("x-api-key", KEY),
        ("api_key", KEY),
        ("dd-api-key", KEY),
        ("x-signalbox-key", KEY),
    ] {
        let bench = bench().await;
        let response = bench.post("/api/public/otel/v1/traces", &[header, PROTOBUF], chat()).await;
        assert_eq!(response.status(), StatusCode::OK, "{header:?}");
    }
}

#[tokio::test]
async fn a_span_without_times_happened_now() {
    let bench = bench().await;
    let span = json_span(json!({"startTimeUnixNano": null, "endTimeUnixNano": 0}));
    bench.post("/v1/traces", &[AUTH, JSON], span.to_string()).await;
    assert_eq!(bench.store.spans()[0].start_time.to_string(), "2026-11-24T08:00:00.000000Z");
}
