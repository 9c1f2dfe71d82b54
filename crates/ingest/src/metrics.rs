//! The receivers' numbers for `/metrics`. Every name stands in [`Name`], and nowhere else.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry};

/// Every metric of the receivers. Prometheus adds `_total` to the name of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Requests, by how they ended.
    Requests,
    /// Spans that were stored.
    Spans,
    /// What was not stored.
    Rejected,
    /// Requests under way.
    InFlight,
}

impl Name {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::Requests, Self::Spans, Self::Rejected, Self::InFlight];

    /// The name as it is registered.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "signalbox_ingest_requests",
            Self::Spans => "signalbox_ingest_spans",
            Self::Rejected => "signalbox_ingest_rejected_items",
            Self::InFlight => "signalbox_ingest_in_flight_requests",
        }
    }

    /// The help text.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Requests => "Requests to the receivers, by receiver and outcome",
            Self::Spans => "Spans that were stored, by receiver",
            Self::Rejected => "Spans, log records and data points of accepted requests that were not stored, by reason",
            Self::InFlight => "Requests to the receivers under way",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    receiver: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct By {
    receiver: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    receiver: &'static str,
    reason: &'static str,
}

/// What the receivers took and refused.
#[derive(Debug, Clone, Default)]
pub struct IngestMetrics {
    requests: Family<Outcome, Counter>,
    spans: Family<By, Counter>,
    rejected: Family<Why, Counter>,
    pub(crate) in_flight: Gauge,
}

impl IngestMetrics {
    /// Shows them in a registry.
    pub fn register(&self, registry: &mut Registry) {
        fn show(registry: &mut Registry, name: Name, metric: impl Metric) {
            registry.register(name.as_str(), name.help(), metric);
        }
        show(registry, Name::Requests, self.requests.clone());
        show(registry, Name::Spans, self.spans.clone());
        show(registry, Name::Rejected, self.rejected.clone());
        show(registry, Name::InFlight, self.in_flight.clone());
    }

    pub(crate) fn request(&self, receiver: &'static str, outcome: &'static str) {
        self.requests.get_or_create(&Outcome { receiver, outcome }).inc();
    }

    pub(crate) fn stored(&self, receiver: &'static str, spans: u64) {
        self.spans.get_or_create(&By { receiver }).inc_by(spans);
    }

    pub(crate) fn rejected(&self, receiver: &'static str, reason: &'static str, items: u64) {
        self.rejected.get_or_create(&Why { receiver, reason }).inc_by(items);
    }
}
