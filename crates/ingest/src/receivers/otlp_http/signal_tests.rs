//! Logs and metrics, which are stored as they are sent.

use std::collections::BTreeSet;

use http::StatusCode;
use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1 as metrics;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use prost::Message;
use serde_json::{Value, json};
use signalbox_types::seam::StoreError;
use signalbox_types::{MetricKind, ScoreSource, Temporality};

use super::tests::{AUTH, JSON, PROTOBUF, json_of};
use crate::IngestConfig;
use crate::testing::{Bench, attribute, bench, bench_with, logs_request, metrics_request, text};

/// 2026-11-24T08:00:00Z
const AT: u64 = 1_795_507_200_000_000_000;

fn line() -> LogRecord {
    LogRecord {
        time_unix_nano: AT,
        observed_time_unix_nano: AT + 5_000,
        severity_number: 17,
        severity_text: "ERROR".to_owned(),
        body: Some(AnyValue { value: Some(any_value::Value::StringValue("out of stock".to_owned())) }),
        attributes: vec![text("order", "42"), text("session.id", "s-1")],
        trace_id: vec![0x5b; 16],
        span_id: vec![0xee; 8],
        ..LogRecord::default()
    }
}

async fn post_json(bench: &Bench, path: &str, body: &Value) -> Value {
    let response = bench.post(path, &[AUTH, JSON], body.to_string()).await;
    assert_eq!(response.status(), StatusCode::OK, "{body}");
    json_of(response.body())
}

#[tokio::test]
async fn a_log_line_arrives_whole() {
    let bench = bench().await;
    let response = bench.post("/v1/logs", &[AUTH, PROTOBUF], logs_request(vec![line()]).encode_to_vec()).await;
    assert!(response.status() == StatusCode::OK && response.body().is_empty(), "all was taken");
    let logs = bench.store.logs();
    let [log] = logs.as_slice() else { panic!("{logs:?}") };
    assert_eq!(log.time.to_string(), "2026-11-24T08:00:00.000000Z");
    assert_eq!(log.observed_time.unwrap().since(log.time).as_micros(), 5);
    assert_eq!((log.severity_number, log.severity_text.as_deref()), (Some(17), Some("ERROR")));
    assert_eq!((&log.body, log.service_name.as_deref()), (&Some(json!("out of stock")), Some("shop")));
    assert_eq!(log.trace_id.unwrap().to_string(), "5b".repeat(16));
    assert_eq!((log.attributes["order"].as_str(), log.session_id.as_deref()), ("42", Some("s-1")));
    assert_eq!((log.project_id.as_str(), log.key_id.is_some()), ("default", true));
    let metrics = bench.metrics();
    assert!(metrics.contains("signalbox_ingest_log_records_total{receiver=\"otlp_http\"} 1"), "{metrics}");
}

#[tokio::test]
async fn a_batch_sent_twice_has_the_same_ids_and_lines_alike_have_two() {
    let bench = bench().await;
    let body = logs_request(vec![line(), line(), LogRecord { time_unix_nano: AT + 1, ..line() }]).encode_to_vec();
    for _ in 0..2 {
        bench.post("/v1/logs", &[AUTH, PROTOBUF], body.clone()).await;
        let ids: BTreeSet<String> = bench.store.logs().into_iter().map(|log| log.id).collect();
        assert_eq!((bench.store.logs().len(), ids.len()), (3, 3));
    }
}

#[tokio::test]
async fn json_logs_as_senders_write_them() {
    let bench = bench().await;
    let body = json!({"resourceLogs": [{"scopeLogs": [{"scope": {"name": "app", "attributes": [{"key": "a", "value": {"stringValue": "b"}}]}, "logRecords": [
        {"timeUnixNano": AT.to_string(), "severityNumber": "SEVERITY_NUMBER_WARN", "body": {"stringValue": "x"}, "traceId": "", "spanId": "0000000000000000"},
        {"observedTimeUnixNano": AT, "severityNumber": 13, "body": {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": "1"}}]}}, "traceId": "zz"},
        {"eventName": "app.started", "severity_number": 99},
        {},
    ]}]}]});
    let partial = &post_json(&bench, "/v1/logs", &body).await["partialSuccess"];
    assert_eq!(
        (&partial["rejectedLogRecords"], &partial["errorMessage"]),
        (&json!("1"), &json!("log record 3 has no body, no attributes and no event name"))
    );
    let logs = bench.store.logs();
    let severities: Vec<_> = logs.iter().map(|log| log.severity_number).collect();
    assert_eq!(severities, [Some(13), Some(13), None]);
    assert_eq!((logs[0].trace_id, logs[0].span_id, logs[0].attributes["otel.scope.a"].as_str()), (None, None, "b"));
    assert_eq!((&logs[1].body, logs[1].attributes["otel.invalid_trace_id"].as_str()), (&Some(json!({"k": 1})), "`zz`"));
    assert_eq!(logs[1].time, logs[0].time, "seen when it did not say when it happened");
    assert_eq!((logs[2].event_name.as_deref(), logs[2].scope_name.as_deref()), (Some("app.started"), Some("app")));
    assert_eq!(logs[2].time.to_string(), "2026-11-24T08:00:00.000000Z", "now");
    assert!(bench.metrics().contains("reason=\"empty_log_record\"} 1"), "{}", bench.metrics());
}

#[tokio::test]
async fn an_evaluation_is_kept_as_an_event_and_as_a_score() {
    let bench = bench().await;
    let evaluation = LogRecord {
        event_name: "gen_ai.evaluation.result".to_owned(),
        body: None,
        attributes: vec![
            text("gen_ai.evaluation.name", "relevance"),
            attribute("gen_ai.evaluation.score.value", any_value::Value::DoubleValue(0.25)),
            text("gen_ai.evaluation.score.label", "poor"),
            text("gen_ai.evaluation.explanation", "It answers another question."),
        ],
        ..line()
    };
    let of_nothing = LogRecord { trace_id: Vec::new(), span_id: Vec::new(), ..evaluation.clone() };
    bench.post("/v1/logs", &[AUTH, PROTOBUF], logs_request(vec![evaluation, of_nothing, line()]).encode_to_vec()).await;
    assert_eq!(bench.store.logs().len(), 3);
    let scores = bench.store.scores();
    let [score] = scores.as_slice() else { panic!("{scores:?}") };
    assert_eq!((score.name.as_str(), score.value, score.label.as_deref()), ("relevance", Some(0.25), Some("poor")));
    assert_eq!((score.source, score.reason.as_deref()), (ScoreSource::Otlp, Some("It answers another question.")));
    assert_eq!((&score.id, score.span_id), (&bench.store.logs()[0].id, bench.store.logs()[0].span_id));
}

fn number(value: Option<Number>) -> metrics::NumberDataPoint {
    metrics::NumberDataPoint {
        start_time_unix_nano: AT - 60_000_000_000,
        time_unix_nano: AT,
        attributes: vec![text("model", "sim/small")],
        value,
        ..Default::default()
    }
}

#[tokio::test]
async fn every_kind_of_metric_arrives() {
    let bench = bench().await;
    let exemplar = metrics::Exemplar {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        value: Some(metrics::exemplar::Value::AsDouble(0.5)),
        ..Default::default()
    };
    let histogram = metrics::HistogramDataPoint {
        time_unix_nano: AT,
        count: 3,
        sum: Some(1.5),
        min: Some(0.25),
        bucket_counts: vec![2, 1],
        explicit_bounds: vec![0.5],
        exemplars: vec![exemplar],
        ..Default::default()
    };
    let buckets = metrics::exponential_histogram_data_point::Buckets { offset: -2, bucket_counts: vec![1, 2] };
    let exponential = metrics::ExponentialHistogramDataPoint {
        time_unix_nano: AT,
        count: 3,
        scale: 4,
        positive: Some(buckets),
        ..Default::default()
    };
    let quantile = metrics::summary_data_point::ValueAtQuantile { quantile: 0.5, value: 2.0 };
    let summary = metrics::SummaryDataPoint {
        time_unix_nano: AT,
        count: 4,
        sum: 8.0,
        quantile_values: vec![quantile],
        ..Default::default()
    };
    let data = [
        Data::Gauge(metrics::Gauge { data_points: vec![number(Some(Number::AsDouble(0.5)))] }),
        Data::Sum(metrics::Sum {
            data_points: vec![number(Some(Number::AsInt(7)))],
            aggregation_temporality: 2,
            is_monotonic: true,
        }),
        Data::Histogram(metrics::Histogram { data_points: vec![histogram], aggregation_temporality: 1 }),
        Data::ExponentialHistogram(metrics::ExponentialHistogram {
            data_points: vec![exponential],
            aggregation_temporality: 1,
        }),
        Data::Summary(metrics::Summary { data_points: vec![summary] }),
    ];
    let response = bench.post("/v1/metrics", &[AUTH, PROTOBUF], metrics_request(data).encode_to_vec()).await;
    assert!(response.status() == StatusCode::OK && response.body().is_empty(), "all was taken");
    let points = bench.store.metric_points();
    let kinds: Vec<MetricKind> = points.iter().map(|point| point.kind).collect();
    assert_eq!(kinds, MetricKind::ALL);
    assert_eq!((points[0].value, points[0].monotonic, points[0].unit.as_deref()), (Some(0.5), None, Some("s")));
    assert_eq!(points[0].start_time.unwrap().to_string(), "2026-11-24T07:59:00.000000Z");
    assert_eq!((points[1].value, points[1].monotonic), (Some(7.0), Some(true)));
    assert_eq!((points[1].temporality, points[1].attributes["model"].as_str()), (Temporality::Cumulative, "sim/small"));
    assert_eq!(
        (points[2].value, points[2].count, points[2].sum, points[2].min),
        (None, Some(3), Some(1.5), Some(0.25))
    );
    assert_eq!(points[2].buckets, Some(json!({"bounds": [0.5], "counts": [2, 1]})));
    assert_eq!(
        points[2].exemplars,
        Some(json!([{"value": 0.5, "trace_id": "01".repeat(16), "span_id": "02".repeat(8)}]))
    );
    assert_eq!((points[2].temporality, points[2].monotonic), (Temporality::Delta, None));
    assert_eq!(points[3].buckets.as_ref().unwrap()["positive"], json!({"offset": -2, "counts": [1, 2]}));
    assert_eq!(points[4].buckets, Some(json!({"quantiles": [{"quantile": 0.5, "value": 2.0}]})));
    assert_eq!((points[4].temporality, points[4].service_name.as_deref()), (Temporality::Unspecified, Some("shop")));
    assert!(
        bench.metrics().contains("signalbox_ingest_data_points_total{receiver=\"otlp_http\"} 5"),
        "{}",
        bench.metrics()
    );
}

#[tokio::test]
async fn a_series_keeps_its_name_and_a_point_sent_twice_its_id() {
    let bench = bench().await;
    let gauge = |points| [Data::Gauge(metrics::Gauge { data_points: points })];
    let first = number(Some(Number::AsInt(1)));
    let later = metrics::NumberDataPoint { time_unix_nano: AT + 1_000, ..first.clone() };
    let other = metrics::NumberDataPoint { attributes: vec![text("model", "sim/large")], ..first.clone() };
    for body in [gauge(vec![first.clone(), later]), gauge(vec![first, other])] {
        bench.post("/v1/metrics", &[AUTH, PROTOBUF], metrics_request(body).encode_to_vec()).await;
    }
    let points = bench.store.metric_points();
    let ids: BTreeSet<&str> = points.iter().map(|point| point.id.as_str()).collect();
    assert_eq!((points.len(), ids.len()), (3, 3), "the first point came twice");
    let series: Vec<&str> = points.iter().map(|point| point.series.as_str()).collect();
    assert!(series[0] == series[1] && series[1] != series[2], "{series:?}");
}

#[tokio::test]
async fn bad_points_do_not_cost_their_batch() {
    let bench = bench().await;
    let body = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
        {"name": "m", "sum": {"aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA", "isMonotonic": true, "dataPoints": [
            {"asInt": "7", "timeUnixNano": AT.to_string()}, {"asDouble": "NaN"}, {"asInt": 3}, {}, {"flags": 1}
        ]}},
        {"name": "h", "histogram": {"dataPoints": [{"count": "2", "sum": 1, "bucketCounts": ["2"], "explicitBounds": [1, 2]}, {"count": 1, "bucketCounts": [1, "0"], "explicitBounds": [0.5]}]}},
        {"gauge": {"dataPoints": [{"asDouble": 1}]}},
        {"name": "nothing"},
    ]}]}]});
    let partial = &post_json(&bench, "/v1/metrics", &body).await["partialSuccess"];
    assert_eq!(partial["rejectedDataPoints"], "3");
    let message = partial["errorMessage"].as_str().unwrap();
    assert!(message.starts_with("data point 3 `m`: it has neither `as_double` nor `as_int`; data point 5 `h`: `bucket_counts` must be one more"), "{message}");
    assert!(message.ends_with("data point 7 ``: its metric has no name"), "{message}");
    let points = bench.store.metric_points();
    let values: Vec<Option<f64>> = points.iter().map(|point| point.value).collect();
    assert_eq!(values, [Some(7.0), None, Some(3.0), None, None]);
    assert_eq!((points[0].temporality, points[0].monotonic), (Temporality::Delta, Some(true)));
    assert_eq!(points[4].buckets, Some(json!({"bounds": [0.5], "counts": [1, 0]})));

    let wrong = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": [{"asInt": "many"}]}}]}]}]});
    let response = bench.post("/v1/metrics", &[AUTH, JSON], wrong.to_string()).await;
    let message = json_of(response.body())["message"].as_str().unwrap().to_owned();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(message.contains("dataPoints[0].asInt`: expected a whole number"), "{message}");
}

#[tokio::test]
async fn nothing_is_claimed_to_be_kept_that_is_not() {
    let bench = bench_with(IngestConfig::default(), Some(StoreError::Full { retry_after_s: 7 })).await;
    let gauge = Data::Gauge(metrics::Gauge { data_points: vec![number(Some(Number::AsInt(1)))] });
    for (path, body) in [
        ("/v1/logs", logs_request(vec![line()]).encode_to_vec()),
        ("/v1/metrics", metrics_request([gauge]).encode_to_vec()),
    ] {
        let response = bench.post(path, &[AUTH, PROTOBUF], body).await;
        assert_eq!(
            (response.status(), &response.headers()["retry-after"]),
            (StatusCode::SERVICE_UNAVAILABLE, &"7".parse().unwrap()),
            "{path}"
        );
    }
    assert_eq!(bench.post("/v1/logs", &[AUTH, PROTOBUF], Vec::new()).await.status(), StatusCode::OK, "nothing in it");
    assert_eq!(bench.post("/v1/logs", &[PROTOBUF], Vec::new()).await.status(), StatusCode::UNAUTHORIZED);
}
