use std::sync::Arc;

use signalbox_types::{SpanId, SpanStatus, TraceId};

use crate::Attributes;

/// OpenTelemetry's span kind: who speaks to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OtelKind {
    /// Nobody said.
    #[default]
    Unspecified,
    /// Within a process.
    Internal,
    /// Serves a request.
    Server,
    /// Makes a request.
    Client,
    /// Sends a message.
    Producer,
    /// Receives a message.
    Consumer,
}

impl OtelKind {
    /// The attribute by which a span keeps it: it has no column.
    pub const KEPT_AS: &'static str = "otel.span.kind";

    /// The kind of this word; unspecified if it is none.
    #[must_use]
    pub fn find(word: &str) -> Self {
        let all = [Self::Internal, Self::Server, Self::Client, Self::Producer, Self::Consumer];
        all.into_iter().find(|kind| kind.as_str() == Some(word)).unwrap_or_default()
    }

    /// The word for it; `None` if nobody said.
    #[must_use]
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Unspecified => None,
            Self::Internal => Some("internal"),
            Self::Server => Some("server"),
            Self::Client => Some("client"),
            Self::Producer => Some("producer"),
            Self::Consumer => Some("consumer"),
        }
    }
}

/// Something that happened within a span, as it was sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RawEvent {
    /// Nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// What.
    pub name: String,
    /// Details.
    pub attributes: Attributes,
}

/// A span as it was sent: decoded, its ids checked, nothing understood yet.
#[derive(Debug, Clone, PartialEq)]
pub struct RawSpan {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// Its parent; `None` for a root.
    pub parent_span_id: Option<SpanId>,
    /// Its name.
    pub name: String,
    /// OpenTelemetry's kind.
    pub kind: OtelKind,
    /// Nanoseconds since the Unix epoch.
    pub start_ns: u64,
    /// Nanoseconds since the Unix epoch.
    pub end_ns: u64,
    /// Its attributes.
    pub attributes: Attributes,
    /// What happened within it.
    pub events: Vec<RawEvent>,
    /// How it ended.
    pub status: SpanStatus,
    /// What went wrong.
    pub status_message: String,
    /// The sending process, shared by all of its spans.
    pub resource: Arc<Attributes>,
    /// The instrumentation.
    pub scope_name: String,
    /// Its version.
    pub scope_version: String,
    /// The schema that the sender claims.
    pub schema_url: String,
}

impl RawSpan {
    /// A span with nothing but its ids and name.
    #[must_use]
    pub fn new(trace_id: TraceId, span_id: SpanId, name: impl Into<String>) -> Self {
        Self {
            trace_id,
            span_id,
            parent_span_id: None,
            name: name.into(),
            kind: OtelKind::Unspecified,
            start_ns: 0,
            end_ns: 0,
            attributes: Attributes::default(),
            events: Vec::new(),
            status: SpanStatus::Unset,
            status_message: String::new(),
            resource: Arc::default(),
            scope_name: String::new(),
            scope_version: String::new(),
            schema_url: String::new(),
        }
    }
}
