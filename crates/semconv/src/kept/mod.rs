//! How a span keeps the attributes that were sent: as texts, and without what its columns say
//! already. What instrumentations write of a conversation is most of a span's bytes, and the columns
//! have it all.
//!
//! `signalbox.moved` says where the rest is: a JSON object from the attribute's name to
//! - a JSON pointer into the columns, `"/input_messages/0/parts/0/content"`. `/input_messages/1..`
//!   is the list from its second entry: system instructions are put in front of the messages.
//! - or a JSON value in which `{"$": pointer}` stands for what is there, and
//!   `{"$": pointer, "prefix": "data:image/png;base64,"}` for a text that ends in it.
//!
//! A text that holds JSON comes back with the same values and perhaps other spaces; every other text
//! as it was.
//!
//! `signalbox.types` says which attributes are not of the type that their text looks like: a JSON
//! object from the name to `text` or `json`. See [`types`] for how texts look.

mod fold;
mod places;
#[cfg(test)]
mod tests;
mod types;
mod weight;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use signalbox_types::Span;

use crate::Attributes;
use crate::attributes::kept_text;
use places::Places;

/// Where attributes are that were left out.
const MOVED: &str = "signalbox.moved";
/// Types that texts don't show.
const TYPES: &str = "signalbox.types";
/// Shorter ones stay: the pointer is no shorter, and they are what people filter by.
const WORTH_BYTES: usize = 64;

/// The columns of a span that pointers lead into.
pub const MOVED_TO: &[&str] = &["input_messages", "output_messages", "tools", "input", "output"];

/// Attributes that can't be had back: the span's columns are not those that they were left out for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("attribute `{name}` can't be restored: {problem}")]
pub struct Unrestorable {
    name: String,
    problem: String,
}

/// The attributes as the span keeps them. The span must have been read from them before.
pub(crate) fn keep(sent: Attributes, span: &Span) -> BTreeMap<String, String> {
    let places = Places::of(span);
    let mut kept = BTreeMap::new();
    let (mut moved, mut types) = (Map::new(), Map::new());
    // Names of ours: whoever sends them got them from us, with another span's columns.
    for (name, value) in sent.into_iter().filter(|(name, _)| name != MOVED && name != TYPES) {
        if let Some((place, ty)) = places.place(&value) {
            types.extend(ty.map(|ty| (name.clone(), Value::from(ty))));
            moved.insert(name, place);
        } else {
            types.extend(types::unlike_its_text(&value).map(|ty| (name.clone(), Value::from(ty))));
            kept.insert(name, kept_text(value));
        }
    }
    for (name, notes) in [(MOVED, moved), (TYPES, types)] {
        if !notes.is_empty() {
            kept.insert(name.to_owned(), Value::Object(notes).to_string());
        }
    }
    kept
}

/// The attributes as they were sent, of a span that kept them and has these columns: a JSON object
/// with at least [`MOVED_TO`].
///
/// # Errors
/// An attribute was moved to where nothing is.
pub fn restore(kept: &BTreeMap<String, String>, columns: &Value) -> Result<Attributes, Unrestorable> {
    let (moved, types) = (notes(kept, MOVED)?, notes(kept, TYPES)?);
    let ty = |name: &str| types.get(name).and_then(Value::as_str);
    let mut sent = Attributes::default();
    for (name, text) in kept.iter().filter(|(name, _)| *name != MOVED && *name != TYPES) {
        sent.insert(name.clone(), types::read(text, ty(name)));
    }
    for (name, place) in moved {
        let value = fold::fill(place, columns);
        let value = value.map_err(|problem| Unrestorable { name: name.clone(), problem })?;
        let value = if ty(&name) == Some(types::JSON) { value } else { Value::String(kept_text(value)) };
        sent.insert(name, value);
    }
    Ok(sent)
}

/// The value that a text looks like.
pub(crate) fn read(text: &str) -> Value {
    types::read(text, None)
}

fn notes(kept: &BTreeMap<String, String>, name: &str) -> Result<Map<String, Value>, Unrestorable> {
    let Some(text) = kept.get(name) else { return Ok(Map::new()) };
    serde_json::from_str(text)
        .map_err(|error| Unrestorable { name: name.to_owned(), problem: format!("it is no JSON object: {error}") })
}
