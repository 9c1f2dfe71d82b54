//! A log record, with OpenTelemetry's data model.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{KeyId, ProjectId, SpanId, Timestamp, TraceId};

/// Something that a program said at a point in time: a log line, or an event with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRecord {
    /// The tenant.
    pub project_id: ProjectId,
    /// Names it. Made of what was sent, so that a batch that is sent twice is stored once.
    pub id: String,
    /// When it happened, or else when it was seen.
    pub time: Timestamp,
    /// When the collecting program saw it.
    pub observed_time: Option<Timestamp>,
    /// OpenTelemetry's number: 1–4 trace, 5–8 debug, 9–12 info, 13–16 warn, 17–20 error, 21–24 fatal.
    pub severity_number: Option<u8>,
    /// The severity in the sender's words.
    pub severity_text: Option<String>,
    /// What was said: a text, or anything structured.
    pub body: Option<Value>,
    /// What kind of event it is, e.g. `gen_ai.evaluation.result`; `None` for a plain log line.
    pub event_name: Option<String>,
    /// The trace during which it was said.
    pub trace_id: Option<TraceId>,
    /// The span during which it was said.
    pub span_id: Option<SpanId>,
    /// `session.id` or `gen_ai.conversation.id`.
    pub session_id: Option<String>,
    /// `service.name`.
    pub service_name: Option<String>,
    /// `deployment.environment.name`.
    pub environment: Option<String>,
    /// The virtual key that sent it.
    pub key_id: Option<KeyId>,
    /// Attributes. Values are text; other types as JSON.
    pub attributes: BTreeMap<String, String>,
    /// Attributes of the sending process.
    pub resource_attributes: BTreeMap<String, String>,
    /// Instrumentation scope.
    pub scope_name: Option<String>,
    /// Its version.
    pub scope_version: Option<String>,
    /// The schema that the sender claims.
    pub schema_url: Option<String>,
}

impl LogRecord {
    /// A record that says nothing yet.
    #[must_use]
    pub fn new(project_id: ProjectId, id: impl Into<String>, time: Timestamp) -> Self {
        Self {
            project_id,
            id: id.into(),
            time,
            observed_time: None,
            severity_number: None,
            severity_text: None,
            body: None,
            event_name: None,
            trace_id: None,
            span_id: None,
            session_id: None,
            service_name: None,
            environment: None,
            key_id: None,
            attributes: BTreeMap::new(),
            resource_attributes: BTreeMap::new(),
            scope_name: None,
            scope_version: None,
            schema_url: None,
        }
    }
}
