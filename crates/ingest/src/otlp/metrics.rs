//! OTLP's messages to data points.

use serde_json::{Value, json};
use signalbox_types::{Events, MetricKind, MetricPoint, Temporality, Timestamp};

use super::proto::KeyValue;
use super::proto_metrics::{self as proto, MetricsRequest};
use super::values::{Context, Ids, attributes, digits, feed, feed_all, filled, moment, resource, text};
use super::{Sender, Stored};
use crate::pipeline::{Rejected, Taken};

impl Stored for MetricsRequest {
    fn events(self, sender: &Sender) -> Taken {
        let mut maker = Maker { sender, ids: Ids::default(), points: Vec::new(), rejected: Vec::new() };
        for of_resource in self.resource_metrics {
            let resource = resource(of_resource.resource);
            let resource_schema = text(of_resource.schema_url);
            for of_scope in of_resource.scope_metrics.into_iter().filter(|of| !of.metrics.is_empty()) {
                let context = Context::new(&resource, &resource_schema, of_scope.scope, of_scope.schema_url);
                let shared = Shared { series: context.name(), context };
                for metric in of_scope.metrics {
                    maker.metric(&shared, metric);
                }
            }
        }
        Taken { events: Events { metric_points: maker.points, ..Events::default() }, rejected: maker.rejected }
    }
}

struct Maker<'a> {
    sender: &'a Sender,
    ids: Ids,
    points: Vec<MetricPoint>,
    rejected: Vec<Rejected>,
}

struct Shared {
    context: Context,
    /// The start of the name of every series of this scope.
    series: blake3::Hasher,
}

/// What the points of a metric share.
struct Metric<'a> {
    shared: &'a Shared,
    name: String,
    unit: Option<String>,
    description: Option<String>,
    kind: MetricKind,
    temporality: Temporality,
    monotonic: Option<bool>,
}

/// What all kinds of points have.
struct Point {
    start_ns: u64,
    time_ns: u64,
    attributes: Vec<KeyValue>,
    exemplars: Vec<proto::Exemplar>,
}

/// A problem of one point: a label, and what was found and expected.
type Bad = (&'static str, &'static str);

impl Maker<'_> {
    fn metric(&mut self, shared: &Shared, sent: proto::Metric) {
        let mut metric = Metric {
            shared,
            name: text(sent.name),
            unit: filled(text(sent.unit)),
            description: filled(text(sent.description)),
            kind: MetricKind::Gauge,
            temporality: Temporality::Unspecified,
            monotonic: None,
        };
        for sent in sent.gauge.map(|gauge| gauge.data_points).unwrap_or_default() {
            self.number(&metric, sent);
        }
        if let Some(sum) = sent.sum {
            metric.kind = MetricKind::Sum;
            metric.temporality = temporality(sum.aggregation_temporality);
            metric.monotonic = Some(sum.is_monotonic);
            sum.data_points.into_iter().for_each(|sent| self.number(&metric, sent));
            metric.monotonic = None;
        }
        if let Some(histogram) = sent.histogram {
            metric.kind = MetricKind::Histogram;
            metric.temporality = temporality(histogram.aggregation_temporality);
            histogram.data_points.into_iter().for_each(|sent| self.histogram(&metric, sent));
        }
        if let Some(histogram) = sent.exponential_histogram {
            metric.kind = MetricKind::ExponentialHistogram;
            metric.temporality = temporality(histogram.aggregation_temporality);
            histogram.data_points.into_iter().for_each(|sent| self.exponential(&metric, sent));
        }
        for sent in sent.summary.map(|summary| summary.data_points).unwrap_or_default() {
            (metric.kind, metric.temporality) = (MetricKind::Summary, Temporality::Unspecified);
            self.summary(&metric, sent);
        }
    }

    fn number(&mut self, metric: &Metric<'_>, sent: proto::NumberPoint) {
        const NO_RECORDED_VALUE: u32 = 1;
        // Above 2^53 the last digit goes; of a metric it says nothing.
        let value = sent.as_double.or_else(|| sent.as_int.map(|int| int as f64));
        let bad = (value.is_none() && sent.flags & NO_RECORDED_VALUE == 0)
            .then_some(("no_value", "it has neither `as_double` nor `as_int`"));
        let point = Point {
            start_ns: sent.start_time_unix_nano,
            time_ns: sent.time_unix_nano,
            attributes: sent.attributes,
            exemplars: sent.exemplars,
        };
        self.push(metric, point, bad, |point| point.value = finite(value));
    }

    fn histogram(&mut self, metric: &Metric<'_>, sent: proto::HistogramPoint) {
        let (bounds, counts) = (sent.explicit_bounds, sent.bucket_counts);
        let bad = (!counts.is_empty() && counts.len() != bounds.len() + 1)
            .then_some(("bad_buckets", "`bucket_counts` must be one more than `explicit_bounds`"));
        let point = Point {
            start_ns: sent.start_time_unix_nano,
            time_ns: sent.time_unix_nano,
            attributes: sent.attributes,
            exemplars: sent.exemplars,
        };
        self.push(metric, point, bad, |point| {
            point.count = Some(sent.count);
            (point.sum, point.min, point.max) = (finite(sent.sum), finite(sent.min), finite(sent.max));
            point.buckets = (!counts.is_empty()).then(|| json!({"bounds": bounds, "counts": counts}));
        });
    }

    fn exponential(&mut self, metric: &Metric<'_>, sent: proto::ExponentialPoint) {
        let point = Point {
            start_ns: sent.start_time_unix_nano,
            time_ns: sent.time_unix_nano,
            attributes: sent.attributes,
            exemplars: sent.exemplars,
        };
        let side = |buckets: Option<proto::Buckets>| {
            let buckets = buckets.unwrap_or_default();
            json!({"offset": buckets.offset, "counts": buckets.bucket_counts})
        };
        let buckets = json!({
            "scale": sent.scale, "zero_count": sent.zero_count, "zero_threshold": sent.zero_threshold,
            "positive": side(sent.positive), "negative": side(sent.negative),
        });
        self.push(metric, point, None, |point| {
            point.count = Some(sent.count);
            (point.sum, point.min, point.max) = (finite(sent.sum), finite(sent.min), finite(sent.max));
            point.buckets = Some(buckets);
        });
    }

    fn summary(&mut self, metric: &Metric<'_>, sent: proto::SummaryPoint) {
        let point = Point {
            start_ns: sent.start_time_unix_nano,
            time_ns: sent.time_unix_nano,
            attributes: sent.attributes,
            exemplars: Vec::new(),
        };
        let quantiles = sent.quantile_values.iter().map(|one| json!({"quantile": one.quantile, "value": one.value}));
        let buckets = json!({"quantiles": quantiles.collect::<Vec<_>>()});
        self.push(metric, point, None, |point| {
            (point.count, point.sum) = (Some(sent.count), finite(Some(sent.sum)));
            point.buckets = Some(buckets);
        });
    }

    /// Takes a point, or says what is wrong with it.
    fn push(&mut self, metric: &Metric<'_>, sent: Point, bad: Option<Bad>, fill: impl FnOnce(&mut MetricPoint)) {
        let bad = if metric.name.is_empty() { Some(("no_metric_name", "its metric has no name")) } else { bad };
        if let Some((reason, problem)) = bad {
            let number = self.points.len() + self.rejected.len();
            let name: String = metric.name.chars().take(60).collect();
            self.rejected.push(Rejected { reason, problem: format!("data point {number} `{name}`: {problem}") });
            return;
        }
        let context = &metric.shared.context;
        let mut kept = attributes(sent.attributes);
        let mut series = metric.shared.series.clone();
        for part in [metric.name.as_str(), metric.unit.as_deref().unwrap_or_default(), metric.kind.as_str()] {
            feed(&mut series, part.as_bytes());
        }
        feed_all(&mut series, &kept);
        context.leftovers(&mut kept);
        let time = moment(sent.time_ns).unwrap_or(self.sender.now);
        let mut id = series.clone();
        let time_ns = if sent.time_ns == 0 { self.sender.now.as_micros() as u64 } else { sent.time_ns };
        id.update(&sent.start_ns.to_le_bytes()).update(&time_ns.to_le_bytes());

        let mut point = MetricPoint::new(self.sender.project.clone(), self.ids.next(id), metric.name.as_str(), time);
        point.series = digits(&series);
        point.kind = metric.kind;
        point.unit.clone_from(&metric.unit);
        point.description.clone_from(&metric.description);
        point.start_time = moment(sent.start_ns);
        (point.temporality, point.monotonic) = (metric.temporality, metric.monotonic);
        point.exemplars = (!sent.exemplars.is_empty()).then(|| sent.exemplars.into_iter().map(exemplar).collect());
        point.service_name = context.resource.text(&["service.name"]);
        point.environment = context.resource.text(&["deployment.environment.name", "deployment.environment"]);
        point.key_id = Some(self.sender.key_id.clone());
        point.attributes = kept.to_texts();
        point.resource_attributes = context.resource.to_texts();
        point.scope_name = filled(context.scope_name.clone());
        point.scope_version = filled(context.scope_version.clone());
        fill(&mut point);
        self.points.push(point);
    }
}

fn temporality(number: i32) -> Temporality {
    match number {
        1 => Temporality::Delta,
        2 => Temporality::Cumulative,
        _ => Temporality::Unspecified,
    }
}

/// One NaN would make every sum and mean over it NaN: what is no number is absent.
fn finite(number: Option<f64>) -> Option<f64> {
    number.filter(|number| number.is_finite())
}

fn exemplar(sent: proto::Exemplar) -> Value {
    let mut exemplar = serde_json::Map::new();
    let time = moment(sent.time_unix_nano).as_ref().map(Timestamp::to_string);
    exemplar.extend(time.map(|time| ("time".to_owned(), Value::String(time))));
    let value = sent.as_double.map(Value::from).or_else(|| sent.as_int.map(Value::from));
    exemplar.extend(value.map(|value| ("value".to_owned(), value)));
    for (name, id) in [("trace_id", sent.trace_id), ("span_id", sent.span_id)] {
        if !id.is_empty() {
            exemplar.insert(name.to_owned(), Value::String(hex::encode(id)));
        }
    }
    let attributes = attributes(sent.filtered_attributes);
    if !attributes.is_empty() {
        let attributes = attributes.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
        exemplar.insert("attributes".to_owned(), Value::Object(attributes));
    }
    Value::Object(exemplar)
}
