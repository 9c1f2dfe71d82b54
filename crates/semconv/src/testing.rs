//! Fixtures: a raw span as JSON, and a span as text without what is empty.

use serde_json::{Value, json};
use signalbox_types::{KeyId, ProjectId, Span, SpanStatus};

use crate::attributes::unpacked;
use crate::{Attributes, OtelKind, RawEvent, RawSpan, kept, normalise};

/// `{name, kind?, attributes, resource?, events?: [{name, after_ms?, attributes}], status?, scope?}`
pub(crate) fn raw(fixture: &Value) -> RawSpan {
    let attributes = |value: &Value| -> Attributes {
        value.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let start_ns = 1_763_971_200_000_000_000;
    let mut span = RawSpan::new(
        "0af7651916cd43dd8448eb211c80319c".parse().unwrap(),
        "b7ad6b7169203331".parse().unwrap(),
        text(&fixture["name"]),
    );
    span.kind = match fixture["kind"].as_str() {
        Some("client") => OtelKind::Client,
        Some("internal") => OtelKind::Internal,
        _ => OtelKind::Unspecified,
    };
    span.start_ns = start_ns;
    span.end_ns = start_ns + 1_500_000_000;
    span.attributes = attributes(&fixture["attributes"]);
    span.resource = attributes(&fixture["resource"]).into();
    span.events = fixture["events"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|event| RawEvent {
            time_ns: start_ns + event["after_ms"].as_u64().unwrap_or(0) * 1_000_000,
            name: text(&event["name"]),
            attributes: attributes(&event["attributes"]),
        })
        .collect();
    span.status = fixture["status"]["code"].as_str().and_then(SpanStatus::find).unwrap_or_default();
    span.status_message = text(&fixture["status"]["message"]);
    span.scope_name = text(&fixture["scope"]["name"]);
    span.scope_version = text(&fixture["scope"]["version"]);
    span
}

pub(crate) fn normalised(fixture: &Value) -> Span {
    let span = normalise(raw(fixture), &ProjectId::new("p"), Some(&KeyId::new("k")));
    again(raw(fixture), &span);
    span
}

/// What pointers lead into, as the store answers it.
pub(crate) fn columns(span: &Span) -> Value {
    let columns = json!({
        "input_messages": span.input_messages, "output_messages": span.output_messages, "tools": span.tools,
        "input": span.input, "output": span.output
    });
    serde_json::from_str(&columns.to_string()).unwrap()
}

/// Normalises a span once more from what was kept of it: that must change nothing, and nothing of
/// what was sent may be missing.
pub(crate) fn again(mut sent: RawSpan, span: &Span) {
    let restored = kept::restore(&span.attributes, &columns(span)).unwrap();
    for (name, value) in sent.attributes.iter().filter(|(name, _)| !name.starts_with("signalbox.")) {
        let found = restored.iter().find(|(other, _)| *other == name).map(|(_, value)| value);
        let same = |found: &Value| found == value || unpacked(found) == unpacked(value);
        assert!(found.is_some_and(same), "`{name}` was {value}, became {found:?}");
    }
    sent.attributes = restored;
    assert_eq!(normalise(sent, &span.project_id, span.key_id.as_ref()), *span);
}

/// The span without its empty fields, and without what was only kept as it was sent.
pub(crate) fn shown(mut span: Span) -> String {
    span.attributes.retain(|key, _| ["metadata.", "otel.", "signalbox."].iter().any(|ours| key.starts_with(ours)));
    span.events.clear();
    span.resource_attributes.clear();
    let text = format!("{span:#?}");
    let empty = [": None,", ": [],", ": {},", ": Null,", ": false,"];
    text.lines().filter(|line| !empty.iter().any(|end| line.ends_with(end))).collect::<Vec<_>>().join("\n")
}
