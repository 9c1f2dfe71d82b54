//! The receivers' numbers for `/metrics`. Every name stands in [`Name`], and nowhere else.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry};
use signalbox_types::Events;

/// Every metric of the receivers. Prometheus adds `_total` to the name of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Requests, by how they ended.
    Requests,
    /// Spans that were stored.
    Spans,
    /// Log records that were stored.
    LogRecords,
    /// Data points of metrics that were stored.
    DataPoints,
    /// What was not stored.
    Rejected,
    /// Requests under way.
    InFlight,
}

impl Name {
    /// Every one.
    pub const ALL: &'static [Self] =
        &[Self::Requests, Self::Spans, Self::LogRecords, Self::DataPoints, Self::Rejected, Self::InFlight];

    /// The name as it is registered.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "signalbox_ingest_requests",
            Self::Spans => "signalbox_ingest_spans",
            Self::LogRecords => "signalbox_ingest_log_records",
            Self::DataPoints => "signalbox_ingest_data_points",
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
            Self::LogRecords => "Log records that were stored, by receiver",
            Self::DataPoints => "Data points of metrics that were stored, by receiver",
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

/// How many of each were stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    spans: u64,
    log_records: u64,
    data_points: u64,
}

impl Counts {
    pub(crate) fn of(events: &Events) -> Self {
        Self {
            spans: events.spans.len() as u64,
            log_records: events.logs.len() as u64,
            data_points: events.metric_points.len() as u64,
        }
    }
}

/// What the receivers took and refused.
#[derive(Debug, Clone, Default)]
pub struct IngestMetrics {
    requests: Family<Outcome, Counter>,
    spans: Family<By, Counter>,
    log_records: Family<By, Counter>,
    data_points: Family<By, Counter>,
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
        show(registry, Name::LogRecords, self.log_records.clone());
        show(registry, Name::DataPoints, self.data_points.clone());
        show(registry, Name::Rejected, self.rejected.clone());
        show(registry, Name::InFlight, self.in_flight.clone());
    }

    pub(crate) fn request(&self, receiver: &'static str, outcome: &'static str) {
        self.requests.get_or_create(&Outcome { receiver, outcome }).inc();
    }

    pub(crate) fn stored(&self, receiver: &'static str, stored: &Counts) {
        let families = [&self.spans, &self.log_records, &self.data_points];
        for (family, count) in families.into_iter().zip([stored.spans, stored.log_records, stored.data_points]) {
            family.get_or_create(&By { receiver }).inc_by(count);
        }
    }

    pub(crate) fn rejected(&self, receiver: &'static str, reason: &'static str, items: u64) {
        self.rejected.get_or_create(&Why { receiver, reason }).inc_by(items);
    }
}
