//! `logs`: one row a log record.

use serde_json::Value;

use super::ColumnType::{Int, Json, Text, TextMap, Time};
use super::{Cell, Column, Identity, Record, Retention, Table, cut};
use crate::LogRecord;

/// The table of log records.
pub static LOGS: Table = Table {
    name: "logs",
    doc: "One row for each log record or event that programs sent.",
    columns: COLUMNS,
    time_column: "time",
    sort: &["project_id", "time"],
    key: &["id"],
    identity: Identity::Replaced,
    sums: None,
    retention: Retention::Logs,
};

const COLUMNS: &[Column] = &[
    Column::hot("project_id", Text, "The tenant.").required(),
    Column::hot("id", Text, "Names it; made of what was sent.").required(),
    Column::hot("time", Time, "When it happened, or else when it was seen.").required(),
    Column::hot("observed_time", Time, "When the collecting program saw it."),
    Column::hot("severity_number", Int, "1–4 trace, 5–8 debug, 9–12 info, 13–16 warn, 17–20 error, 21–24 fatal."),
    Column::hot("severity_text", Text, "The severity in the sender's words."),
    Column::hot("event_name", Text, "What kind of event, e.g. `gen_ai.evaluation.result`; absent on plain log lines."),
    Column::hot("trace_id", Text, "The trace during which it was said."),
    Column::hot("span_id", Text, "The span during which it was said."),
    Column::hot("session_id", Text, "`session.id` or `gen_ai.conversation.id`."),
    Column::hot("service_name", Text, "`service.name`."),
    Column::hot("environment", Text, "`deployment.environment.name`."),
    Column::hot("key_id", Text, "The virtual key that sent it."),
    Column::hot("body_preview", Text, "The start of what was said."),
    Column::body("body", Json, "What was said: a text, or anything structured.").searchable(),
    Column::body("attributes", TextMap, "Attributes as sent; a key is addressed as `attributes.key`."),
    Column::body("resource_attributes", TextMap, "Attributes of the sending process."),
    Column::body("scope_name", Text, "Instrumentation scope."),
    Column::body("scope_version", Text, "Its version."),
    Column::body("schema_url", Text, "The schema that the sender claims."),
];

impl Record for LogRecord {
    fn table() -> &'static Table {
        &LOGS
    }

    fn cells<'a>(&'a self, out: &mut Vec<Cell<'a>>) {
        out.extend([
            Cell::text(Some(self.project_id.as_str())),
            Cell::text(Some(&self.id)),
            Cell::Time(self.time),
            self.observed_time.map_or(Cell::Null, Cell::Time),
            Cell::count(self.severity_number.map(u64::from)),
            Cell::text(self.severity_text.as_deref()),
            Cell::text(self.event_name.as_deref()),
            self.trace_id.map_or(Cell::Null, |id| Cell::owned(id.to_string())),
            self.span_id.map_or(Cell::Null, |id| Cell::owned(id.to_string())),
            Cell::text(self.session_id.as_deref()),
            Cell::text(self.service_name.as_deref()),
            Cell::text(self.environment.as_deref()),
            Cell::text(self.key_id.as_ref().map(|key| key.as_str())),
            self.body.as_ref().map_or(Cell::Null, preview),
            Cell::json(self.body.is_some(), &self.body),
            Cell::map(&self.attributes),
            Cell::map(&self.resource_attributes),
            Cell::text(self.scope_name.as_deref()),
            Cell::text(self.scope_version.as_deref()),
            Cell::text(self.schema_url.as_deref()),
        ]);
    }
}

fn preview(body: &Value) -> Cell<'_> {
    match body {
        Value::String(text) => cut(text.clone()),
        body => cut(body.to_string()),
    }
}
