//! Whatever arrives, decoding answers; and our messages are OTLP's.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
use opentelemetry_proto::tonic::logs::v1 as logs;
use opentelemetry_proto::tonic::metrics::v1 as metrics;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use proptest::prelude::*;
use prost::Message;
use serde_json::json;

use super::tests::json_span;
use super::whatever::read_whatever;
use crate::otlp::proto_logs::LogsRequest;
use crate::otlp::proto_metrics::MetricsRequest;
use crate::testing::{self, attribute, chat_span, text};

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decoding_never_panics(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        cut in any::<proptest::sample::Index>(),
        flip in any::<(proptest::sample::Index, u8)>(),
    ) {
        let mut sent = testing::request(vec![chat_span(), Span { links: vec![Link::default()], ..chat_span() }]).encode_to_vec();
        let at = flip.0.index(sent.len());
        sent[at] = flip.1;
        let json = json_span(json!({"attributes": [{"key": "a", "value": {"intValue": "1"}}]})).to_string().into_bytes();
        for body in [&noise[..], &sent, &sent[..cut.index(sent.len())], &json[..cut.index(json.len())]] {
            read_whatever(body);
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

    #[test]
    fn our_log_messages_are_the_generated_ones(text in ".{0,20}", nanos in any::<u64>(), severity in 0..25_i32) {
        let record = logs::LogRecord {
            time_unix_nano: nanos, observed_time_unix_nano: nanos, severity_number: severity, severity_text: text.clone(),
            body: Some(AnyValue { value: Some(any_value::Value::StringValue(text.clone())) }),
            attributes: vec![testing::text("t", &text)], dropped_attributes_count: 1, trace_id: vec![1; 16],
            span_id: vec![2; 8], event_name: text, ..logs::LogRecord::default()
        };
        let theirs = testing::logs_request(vec![record]).encode_to_vec();
        prop_assert_eq!(LogsRequest::decode(theirs.as_slice()).unwrap().encode_to_vec(), theirs);
    }

    #[test]
    fn our_metric_messages_are_the_generated_ones(number in any::<i64>(), ratio in any::<f64>(), count in any::<u64>(), whole in any::<i32>()) {
        let exemplars = vec![metrics::Exemplar { trace_id: vec![1; 16], span_id: vec![2; 8], time_unix_nano: count, value: Some(metrics::exemplar::Value::AsInt(number)), ..Default::default() }];
        let attributes = vec![testing::text("t", "u")];
        let point = |value| metrics::NumberDataPoint { attributes: attributes.clone(), start_time_unix_nano: count, time_unix_nano: count, value: Some(value), exemplars: exemplars.clone(), flags: 1 };
        let points = vec![point(metrics::number_data_point::Value::AsInt(number)), point(metrics::number_data_point::Value::AsDouble(ratio))];
        let histogram = metrics::HistogramDataPoint { attributes: attributes.clone(), start_time_unix_nano: 1, time_unix_nano: 2, count, sum: Some(ratio), bucket_counts: vec![count, 1], explicit_bounds: vec![ratio], exemplars: exemplars.clone(), min: Some(ratio), max: None, ..Default::default() };
        let buckets = metrics::exponential_histogram_data_point::Buckets { offset: whole, bucket_counts: vec![count, 300] };
        let exponential = metrics::ExponentialHistogramDataPoint { attributes: attributes.clone(), count, scale: whole, zero_count: count, positive: Some(buckets), negative: None, zero_threshold: ratio, exemplars, max: Some(ratio), ..Default::default() };
        let quantile = metrics::summary_data_point::ValueAtQuantile { quantile: 0.5, value: ratio };
        let summary = metrics::SummaryDataPoint { attributes, count, sum: ratio, quantile_values: vec![quantile], ..Default::default() };
        let data = [
            Data::Gauge(metrics::Gauge { data_points: points.clone() }),
            Data::Sum(metrics::Sum { data_points: points, aggregation_temporality: 2, is_monotonic: true }),
            Data::Histogram(metrics::Histogram { data_points: vec![histogram], aggregation_temporality: 1 }),
            Data::ExponentialHistogram(metrics::ExponentialHistogram { data_points: vec![exponential], aggregation_temporality: 1 }),
            Data::Summary(metrics::Summary { data_points: vec![summary] }),
        ];
        let theirs = testing::metrics_request(data).encode_to_vec();
        // The order of fields may differ: there and back again it must be what it was.
        let ours = MetricsRequest::decode(theirs.as_slice()).unwrap().encode_to_vec();
        let back = ExportMetricsServiceRequest::decode(ours.as_slice()).unwrap().encode_to_vec();
        prop_assert_eq!(back, theirs);
    }
}
