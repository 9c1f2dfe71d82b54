//! How much memory a request asks for, told before it is spent: two bytes can be a whole span, and
//! what a resource says once is kept with every record of it. A sender whose batch is too heavy is
//! told to send less at once.

use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::proto::{Resource, Scope, TraceRequest};
use super::proto_logs::LogsRequest;
use super::proto_metrics::{Metric, MetricsRequest};

/// What a record takes, however little it says.
const RECORD_BYTES: usize = 512;
/// What an attribute takes, likewise, and other small things.
const ITEM_BYTES: usize = 64;
/// JSON's brackets around a record: of the request, its resource, its scope, itself, and their lists.
const RECORD_DEPTH: usize = 7;

/// A field of a message that holds messages: its number, and what each takes at least.
pub(crate) struct Field {
    number: u32,
    bytes: usize,
    within: &'static [Field],
}

impl Field {
    const fn new(number: u32, bytes: usize, within: &'static [Self]) -> Self {
        Self { number, bytes, within }
    }
}

macro_rules! records {
    ($within:expr) => {
        &[Field::new(1, ITEM_BYTES, &[Field::new(2, ITEM_BYTES, &[Field::new(2, RECORD_BYTES, $within)])])]
    };
}

/// Attributes, events and links of spans.
pub(super) const SPANS: &[Field] = records!(&[
    Field::new(9, ITEM_BYTES, &[]),
    Field::new(11, 2 * ITEM_BYTES, &[]),
    Field::new(13, 2 * ITEM_BYTES, &[])
]);
/// Attributes of log records.
pub(super) const LOGS: &[Field] = records!(&[Field::new(6, ITEM_BYTES, &[])]);
/// Data points of metrics of every kind.
pub(super) const METRICS: &[Field] = records!(&[
    Field::new(5, 0, POINTS),
    Field::new(7, 0, POINTS),
    Field::new(9, 0, POINTS),
    Field::new(10, 0, POINTS),
    Field::new(11, 0, POINTS),
]);
const POINTS: &[Field] = &[Field::new(1, RECORD_BYTES, &[])];

/// What the items of a protobuf message take at least. One that is broken is weighed up to there:
/// decoding says what is wrong.
pub(super) fn of_protobuf(mut body: &[u8], fields: &[Field]) -> usize {
    let mut weight = 0_usize;
    while let Ok((number, wire_type)) = decode_key(&mut body) {
        let field = fields.iter().find(|field| field.number == number);
        let (Some(field), WireType::LengthDelimited) = (field, wire_type) else {
            if skip_field(wire_type, number, &mut body, DecodeContext::default()).is_err() {
                break;
            }
            continue;
        };
        let length = decode_varint(&mut body).ok().and_then(|length| usize::try_from(length).ok());
        let Some((inner, rest)) = length.and_then(|length| body.split_at_checked(length)) else { break };
        weight = weight.saturating_add(field.bytes).saturating_add(of_protobuf(inner, field.within));
        body = rest;
    }
    weight
}

/// What the objects of a JSON text take at least.
pub(super) fn of_json(body: &[u8]) -> usize {
    let (mut weight, mut depth) = (0_usize, 0_usize);
    let mut rest = body.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if *byte == b'{' {
                    weight += if depth == RECORD_DEPTH { RECORD_BYTES } else { ITEM_BYTES };
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => while rest.next().is_some_and(|byte| *byte != b'"' && (*byte != b'\\' || rest.next().is_some())) {},
            _ => {}
        }
    }
    weight
}

/// A request whose records repeat what it says once.
pub(crate) trait Repeats {
    /// The bytes of all that is repeated, as often as it is.
    fn repeated(&self) -> usize;
}

impl Repeats for TraceRequest {
    fn repeated(&self) -> usize {
        let resources = self.resource_spans.iter().map(|of| {
            let shared = resource(of.resource.as_ref(), &of.schema_url);
            of.scope_spans
                .iter()
                .map(|of| (shared + scope(of.scope.as_ref(), &of.schema_url), of.spans.len()))
                .collect()
        });
        resources.map(times).fold(0, usize::saturating_add)
    }
}

impl Repeats for LogsRequest {
    fn repeated(&self) -> usize {
        let resources = self.resource_logs.iter().map(|of| {
            let shared = resource(of.resource.as_ref(), &of.schema_url);
            let scopes = of.scope_logs.iter();
            scopes.map(|of| (shared + scope(of.scope.as_ref(), &of.schema_url), of.log_records.len())).collect()
        });
        resources.map(times).fold(0, usize::saturating_add)
    }
}

impl Repeats for MetricsRequest {
    fn repeated(&self) -> usize {
        let resources = self.resource_metrics.iter().map(|of| {
            let shared = resource(of.resource.as_ref(), &of.schema_url);
            let scopes = of.scope_metrics.iter().flat_map(|of| {
                let shared = shared + scope(of.scope.as_ref(), &of.schema_url);
                of.metrics.iter().map(move |metric| (shared + metric.head(), metric.points().max(1)))
            });
            scopes.collect()
        });
        resources.map(times).fold(0, usize::saturating_add)
    }
}

impl Metric {
    fn head(&self) -> usize {
        self.name.len() + self.description.len() + self.unit.len()
    }

    fn points(&self) -> usize {
        let gauge = self.gauge.as_ref().map_or(0, |of| of.data_points.len());
        let sum = self.sum.as_ref().map_or(0, |of| of.data_points.len());
        let histogram = self.histogram.as_ref().map_or(0, |of| of.data_points.len());
        let exponential = self.exponential_histogram.as_ref().map_or(0, |of| of.data_points.len());
        gauge + sum + histogram + exponential + self.summary.as_ref().map_or(0, |of| of.data_points.len())
    }
}

fn times(shared: Vec<(usize, usize)>) -> usize {
    shared.into_iter().map(|(bytes, times)| bytes.saturating_mul(times)).fold(0, usize::saturating_add)
}

fn resource(resource: Option<&Resource>, schema_url: &[u8]) -> usize {
    resource.map_or(0, |of| of.encoded_len() + of.attributes.len() * ITEM_BYTES) + schema_url.len()
}

fn scope(scope: Option<&Scope>, schema_url: &[u8]) -> usize {
    scope.map_or(0, |of| of.encoded_len() + of.attributes.len() * ITEM_BYTES) + schema_url.len()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn small_things_weigh_what_they_become() {
        // A request of one resource with one scope of `n` empty spans, two bytes each.
        let spans = [0x12, 0].repeat(100);
        let scope = [&[0x12, 200, 1][..], &spans].concat();
        let body = [&[0x0a, 203, 1][..], &scope].concat();
        assert_eq!(of_protobuf(&body, SPANS), 100 * RECORD_BYTES + 2 * ITEM_BYTES);
        assert!(of_protobuf(&body[..50], SPANS) <= ITEM_BYTES, "cut: nothing within can be read");

        let spans = vec![json!({}); 100];
        let body = json!({"resourceSpans": [{"scopeSpans": [{"scope": {"name": "\\\"{{{"}, "spans": spans}]}]});
        assert_eq!(of_json(body.to_string().as_bytes()), 100 * RECORD_BYTES + 4 * ITEM_BYTES);
    }
}
