//! A call in no particular dialect.

mod charges;
mod event;
pub(crate) mod notes;
mod request;
mod response;
pub(crate) mod signature;

pub use charges::{Charges, ServiceTier};
pub use event::StreamEvent;
pub use notes::{Citation, Notes, Place, Source, TokenLogprob};
pub(crate) use request::Hinted;
pub use request::{
    CachePlace, ChatRequest, Effort, Extras, OtherTool, PartHints, Reasoning, ResponseFormat, ToolChoice,
};
pub use response::{ChatResponse, FinishReason};

use serde_json::Value;

/// What kind of thing an object is: its `type`, or in Gemini's words its first key.
pub(crate) fn kind_of(value: &Value) -> &str {
    let named = value.get("type").and_then(Value::as_str);
    let first_key = || value.as_object().and_then(|fields| fields.keys().next()).map(String::as_str);
    named.or_else(first_key).unwrap_or("unknown")
}

/// Why an object of one dialect can't be said in another.
pub(crate) fn no_counterpart(value: &Value) -> String {
    match kind_of(value) {
        "item_reference" => "what one provider keeps is unknown to another; send the item itself in its place".into(),
        kind => format!("content of type `{kind}` has no counterpart there"),
    }
}

/// Tool arguments from the JSON text that a model wrote: an object, or the text itself where it is none.
/// An empty text stands for no arguments.
pub(crate) fn arguments_from_text(text: &str) -> Value {
    if text.trim().is_empty() {
        return Value::Object(serde_json::Map::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Value::Object(map),
        _ => Value::String(text.to_owned()),
    }
}

/// Tool arguments as JSON text.
pub(crate) fn arguments_to_text(arguments: &Value) -> String {
    match arguments {
        Value::String(text) => text.clone(),
        Value::Null => "{}".into(),
        value => value.to_string(),
    }
}
