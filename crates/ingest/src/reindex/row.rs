//! A row of the store, as the span that was sent. Numbers, truth values and lists are of the type
//! again that they were sent with; of spans that an early version stored, of the type that their
//! texts look like.

use std::collections::BTreeMap;

use serde_json::Value;
use signalbox_prices::PriceBook;
use signalbox_semconv::{OtelKind, RawEvent, RawSpan, normalise, restore};
use signalbox_types::span::SpanEvent;
use signalbox_types::table::{Cell, Column, ColumnType, Record, SPANS};
use signalbox_types::{KeyId, ProjectId, Span, SpanKind, SpanStatus, Timestamp};

use crate::pipeline::priced;

/// Columns of which another value doesn't mean that the span is told otherwise.
const ASIDE: &[&str] = &["project_id", "attributes", "counted", "normaliser_version"];

/// A span as the store answers it: a JSON object.
pub(super) struct Row(Value);

impl Row {
    pub(super) fn new(columns: serde_json::Map<String, Value>) -> Self {
        Self(Value::Object(columns))
    }

    /// What is asked for.
    pub(super) fn columns() -> Vec<String> {
        SPANS.columns.iter().map(|column| column.name.to_owned()).collect()
    }

    /// Its id, for the log.
    pub(super) fn id(&self) -> &str {
        self.text("span_id")
    }

    /// The span as today's normaliser reads it, with what it could not know.
    pub(super) fn read_again(&self, project: &ProjectId, prices: &PriceBook) -> Result<Span, String> {
        let key_id = self.0["key_id"].as_str().map(KeyId::new);
        let mut span = priced(normalise(self.sent()?, project, key_id.as_ref()), prices);
        span.verdict = self.read("verdict")?;
        span.findings = self.read::<Option<_>>("findings")?.unwrap_or_default();
        span.http_status = self.read("http_status")?;
        // What was no call could not count; whether it does now is for the store to say.
        let was_call = matches!(self.read("kind")?, SpanKind::Llm | SpanKind::Embedding | SpanKind::Reranker);
        span.counted_before = self.0["counted"].as_bool().filter(|_| was_call);
        Ok(span)
    }

    /// The span is told otherwise than the row tells it.
    pub(super) fn differs(&self, span: &Span) -> bool {
        let mut cells = Vec::with_capacity(SPANS.columns.len());
        span.cells(&mut cells);
        let mut told = SPANS.columns.iter().zip(cells).filter(|(column, _)| !ASIDE.contains(&column.name));
        told.any(|(column, cell)| !is_same(&self.0[column.name], column, &cell))
    }

    fn sent(&self) -> Result<RawSpan, String> {
        let mut sent = RawSpan::new(self.read("trace_id")?, self.read("span_id")?, self.text("name"));
        sent.parent_span_id = self.read("parent_span_id")?;
        (sent.start_ns, sent.end_ns) = (nanos(self.read("start_time")?), nanos(self.read("end_time")?));
        let kept = self.read::<Option<BTreeMap<String, String>>>("attributes")?.unwrap_or_default();
        sent.attributes = restore(&kept, &self.0).map_err(|error| error.to_string())?;
        sent.kind = kept.get(OtelKind::KEPT_AS).map(|kind| OtelKind::find(kind)).unwrap_or_default();
        let events = self.read::<Option<Vec<SpanEvent>>>("events")?.unwrap_or_default();
        sent.events = events.into_iter().map(event).collect();
        sent.status = self.read::<Option<SpanStatus>>("status")?.unwrap_or_default();
        sent.status_message = self.text("status_message").to_owned();
        let resource = self.read::<Option<BTreeMap<String, String>>>("resource_attributes")?.unwrap_or_default();
        sent.resource = restore(&resource, &Value::Null).map_err(|error| error.to_string())?.into();
        sent.scope_name = self.text("scope_name").to_owned();
        sent.scope_version = self.text("scope_version").to_owned();
        sent.schema_url = self.text("schema_url").to_owned();
        Ok(sent)
    }

    fn text(&self, column: &str) -> &str {
        self.0[column].as_str().unwrap_or_default()
    }

    fn read<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T, String> {
        T::deserialize(&self.0[column]).map_err(|error| format!("`{column}` can't be read: {error}"))
    }
}

fn event(event: SpanEvent) -> RawEvent {
    RawEvent { time_ns: nanos(event.time), name: event.name, attributes: event.attributes.into_iter().collect() }
}

fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(0).saturating_mul(1_000)
}

fn is_same(found: &Value, column: &Column, cell: &Cell<'_>) -> bool {
    let near = |number: f64| found.as_f64().is_some_and(|found| (found - number).abs() <= number.abs() * 1e-12);
    match cell {
        Cell::Null => found.is_null(),
        Cell::Text(text) if column.ty == ColumnType::Json => {
            serde_json::from_str::<Value>(text).is_ok_and(|value| value == *found)
        }
        Cell::Text(text) => found == text.as_ref(),
        Cell::TextList(texts) => found.as_array().is_some_and(|found| found == texts.as_ref()),
        Cell::TextMap(texts) => found.as_object().is_some_and(|found| {
            found.len() == texts.len()
                && texts.iter().all(|(key, text)| found.get(key).is_some_and(|found| found == text))
        }),
        Cell::Int(number) => found.as_i64() == Some(*number),
        Cell::Float(number) => near(*number),
        Cell::Money(money) => near(money.as_dollars()),
        Cell::Bool(yes) => found.as_bool() == Some(*yes),
        Cell::Time(time) => found.as_str().and_then(|text| text.parse().ok()) == Some(*time),
    }
}
