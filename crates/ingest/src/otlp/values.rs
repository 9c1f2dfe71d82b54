//! OTLP's values, and the ids that are made of them.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value};
use signalbox_semconv::Attributes;
use signalbox_types::Timestamp;

use super::proto::{Any, AnyValue, KeyValue, Resource, Scope};

pub(super) fn attributes(sent: Vec<KeyValue>) -> Attributes {
    sent.into_iter().map(entry).collect()
}

pub(super) fn entry(sent: KeyValue) -> (String, Value) {
    (text(sent.key), sent.value.map(value).unwrap_or_default())
}

pub(super) fn value(sent: AnyValue) -> Value {
    match sent.value {
        None => Value::Null,
        Some(Any::Text(bytes)) => Value::String(text(bytes)),
        Some(Any::Bool(yes)) => Value::Bool(yes),
        Some(Any::Int(number)) => Value::from(number),
        Some(Any::Double(number)) => {
            Number::from_f64(number).map_or_else(|| Value::String(number.to_string()), Value::Number)
        }
        Some(Any::Array(values)) => values.values.into_iter().map(value).collect(),
        Some(Any::Map(entries)) => Value::Object(entries.values.into_iter().map(entry).collect()),
        Some(Any::Bytes(bytes)) => Value::String(STANDARD.encode(bytes)),
    }
}

/// Text that may have been cut in the middle of a character.
pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// An id in an error.
pub(super) fn shown(id: &[u8]) -> String {
    match id {
        [] => "empty".to_owned(),
        id if id.len() > 24 => format!("{} bytes long", id.len()),
        // JSON ids that are neither hexadecimal nor base64 are kept as they came.
        id if id.iter().all(u8::is_ascii_graphic) => format!("`{}`", String::from_utf8_lossy(id)),
        id => format!("`{}`", hex::encode(id)),
    }
}

pub(super) fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// OTLP's 0 is no point in time.
pub(super) fn moment(nanos: u64) -> Option<Timestamp> {
    (nanos > 0).then(|| Timestamp::from_nanos(nanos))
}

/// What the records of a scope share.
pub(super) struct Context {
    pub(super) resource: Arc<Attributes>,
    pub(super) scope_name: String,
    pub(super) scope_version: String,
    pub(super) scope_attributes: Attributes,
    pub(super) schema_url: String,
}

impl Context {
    pub(super) fn new(
        resource: &Arc<Attributes>,
        resource_schema: &str,
        scope: Option<Scope>,
        schema: Vec<u8>,
    ) -> Self {
        let scope = scope.unwrap_or_default();
        let schema_url = filled(text(schema)).unwrap_or_else(|| resource_schema.to_owned());
        Self {
            resource: Arc::clone(resource),
            scope_name: text(scope.name),
            scope_version: text(scope.version),
            scope_attributes: attributes(scope.attributes),
            schema_url,
        }
    }

    /// Attributes of the scope have no column: they stay with the record's own.
    pub(super) fn leftovers(&self, kept: &mut Attributes) {
        for (name, value) in self.scope_attributes.iter() {
            kept.insert(format!("otel.scope.{name}"), value.clone());
        }
    }

    /// The start of every id within it.
    pub(super) fn name(&self) -> blake3::Hasher {
        let mut name = blake3::Hasher::new();
        feed_all(&mut name, &self.resource);
        feed(&mut name, self.scope_name.as_bytes());
        feed(&mut name, self.scope_version.as_bytes());
        name
    }
}

pub(super) fn resource(sent: Option<Resource>) -> Arc<Attributes> {
    Arc::new(attributes(sent.map(|resource| resource.attributes).unwrap_or_default()))
}

/// With its length, so that two texts can't pass for two others.
pub(super) fn feed(name: &mut blake3::Hasher, bytes: &[u8]) {
    name.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
}

pub(super) fn feed_all(name: &mut blake3::Hasher, attributes: &Attributes) {
    for (key, value) in attributes.iter() {
        feed(name, key.as_bytes());
        feed(name, value.to_string().as_bytes());
    }
    // An end, so that what follows is not taken for another attribute.
    name.update(&u64::MAX.to_le_bytes());
}

/// 32 hexadecimal digits: half of the hash, which is plenty.
pub(super) fn digits(name: &blake3::Hasher) -> String {
    name.finalize().to_hex().chars().take(32).collect()
}

/// Ids of the records of one request. The same request sent again gives the same ids, so that it is
/// stored once; records that are alike within a request stay several.
#[derive(Default)]
pub(super) struct Ids(HashMap<blake3::Hash, u64>);

impl Ids {
    pub(super) fn next(&mut self, mut name: blake3::Hasher) -> String {
        let before = self.0.entry(name.finalize()).or_default();
        if *before > 0 {
            name.update(&before.to_le_bytes());
        }
        *before += 1;
        digits(&name)
    }
}
