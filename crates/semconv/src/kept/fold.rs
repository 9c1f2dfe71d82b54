//! A value with pointers in place of what stands in the columns, and back.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::WORTH_BYTES;
use super::places::{Places, REFERENCE_BYTES};
use super::types;
use super::weight::{Weight, bytes};
use crate::attributes::packed_json;

/// Stands for what its pointer leads to.
const REFERENCE: &str = "$";
/// Beside it: what the text has in front of that.
const PREFIX: &str = "prefix";

/// What becomes of a value.
enum Fold<'p> {
    /// Nothing in it stands elsewhere.
    Stays,
    /// It stands there.
    At(&'p str),
    /// Behind so many bytes of it, the rest of it stands there.
    Behind(usize, &'p str),
    /// This becomes of its items, or of its fields in their order.
    Within(Vec<Fold<'p>>),
}

struct Folded<'p> {
    weight: Weight,
    /// By so many bytes it is shorter.
    saved: usize,
    fold: Fold<'p>,
}

impl Places<'_> {
    /// Where an attribute stands, and the note of its type; `None` if it has to be kept.
    pub(super) fn place(&self, value: &Value) -> Option<(Value, Option<&'static str>)> {
        match value {
            Value::String(text) if text.len() < WORTH_BYTES || self.are_empty() => None,
            Value::String(text) => {
                let read = packed_json(text);
                let column = read.as_ref().and_then(Value::as_array).and_then(|items| self.column(items));
                let place = match column.or_else(|| self.text(text)) {
                    Some(pointer) => pointer.into(),
                    None => self.folded(read.map_or(Cow::Borrowed(value), Cow::Owned))?,
                };
                Some((place, None))
            }
            Value::Array(_) | Value::Object(_) if bytes(value) < WORTH_BYTES || self.are_empty() => None,
            Value::Array(_) | Value::Object(_) => {
                let column = value.as_array().and_then(|items| self.column(items));
                let place = column.map(Value::from).or_else(|| self.folded(Cow::Borrowed(value)));
                Some((place?, Some(types::JSON)))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }

    fn folded(&self, value: Cow<'_, Value>) -> Option<Value> {
        if self.are_short() {
            return None;
        }
        let folded = self.fold(&value)?;
        match folded.fold {
            Fold::At(pointer) => Some(pointer.into()),
            fold => (folded.saved >= WORTH_BYTES).then(|| template(value.into_owned(), fold)),
        }
    }

    /// `None` if it has something that would be taken for a reference.
    fn fold(&self, value: &Value) -> Option<Folded<'_>> {
        let (weight, within) = match value {
            Value::Array(items) => {
                let items: Vec<Folded<'_>> = items.iter().map(|item| self.fold(item)).collect::<Option<_>>()?;
                (Weight::of_list(items.iter().map(|item| item.weight)), items)
            }
            Value::Object(fields) if fields.contains_key(REFERENCE) => return None,
            Value::Object(fields) => {
                let within: Vec<Folded<'_>> = fields.values().map(|field| self.fold(field)).collect::<Option<_>>()?;
                let weights = within.iter().map(|field| field.weight);
                (Weight::of_fields(fields.keys().map(String::as_str).zip(weights)), within)
            }
            leaf => (Weight::of_leaf(leaf), Vec::new()),
        };
        let less = |pointer: &str| weight.bytes.saturating_sub(pointer.len() + REFERENCE_BYTES);
        if let Some(pointer) = self.value(value, weight) {
            return Some(Folded { weight, saved: less(pointer), fold: Fold::At(pointer) });
        }
        if let Some((prefix, pointer)) = value.as_str().and_then(|text| self.inline(text)) {
            let saved = less(pointer).saturating_sub(prefix + PREFIX.len() + 6);
            return Some(Folded { weight, saved, fold: Fold::Behind(prefix, pointer) });
        }
        let saved = within.iter().map(|part| part.saved).sum();
        let fold = match saved {
            0 => Fold::Stays,
            _ => Fold::Within(within.into_iter().map(|part| part.fold).collect()),
        };
        Some(Folded { weight, saved, fold })
    }

    /// A picture within its address, `data:image/png;base64,…`: the column has what is behind that.
    fn inline(&self, text: &str) -> Option<(usize, &str)> {
        const MARK: &str = ";base64,";
        if !text.starts_with("data:") {
            return None;
        }
        let prefix = text.find(MARK)? + MARK.len();
        Some((prefix, self.text(text.get(prefix..)?)?))
    }
}

fn template(value: Value, fold: Fold<'_>) -> Value {
    match (value, fold) {
        (_, Fold::At(pointer)) => json!({REFERENCE: pointer}),
        (Value::String(mut text), Fold::Behind(prefix, pointer)) => {
            text.truncate(prefix);
            json!({REFERENCE: pointer, PREFIX: text})
        }
        (Value::Array(items), Fold::Within(folds)) => {
            items.into_iter().zip(folds).map(|(item, fold)| template(item, fold)).collect()
        }
        (Value::Object(fields), Fold::Within(folds)) => {
            let fields = fields.into_iter().zip(folds);
            Value::Object(fields.map(|((name, field), fold)| (name, template(field, fold))).collect())
        }
        (value, _) => value,
    }
}

/// The value of a place; the problem is a sentence.
pub(super) fn fill(place: Value, columns: &Value) -> Result<Value, String> {
    match place {
        Value::String(pointer) => at(columns, &pointer),
        template => filled(template, columns),
    }
}

fn filled(template: Value, columns: &Value) -> Result<Value, String> {
    match template {
        Value::Array(items) => items.into_iter().map(|item| filled(item, columns)).collect(),
        Value::Object(fields) => match fields.get(REFERENCE).and_then(Value::as_str) {
            Some(pointer) => {
                let found = at(columns, pointer)?;
                match (fields.get(PREFIX).and_then(Value::as_str), found) {
                    (Some(prefix), Value::String(rest)) => Ok(Value::String(prefix.to_owned() + &rest)),
                    (_, found) => Ok(found),
                }
            }
            None => {
                let fields = fields.into_iter().map(|(name, field)| Ok((name, filled(field, columns)?)));
                Ok(Value::Object(fields.collect::<Result<Map<_, _>, String>>()?))
            }
        },
        leaf => Ok(leaf),
    }
}

/// What a pointer leads to; `/list/1..` is what is in the list from there on.
fn at(columns: &Value, pointer: &str) -> Result<Value, String> {
    let rest = || {
        let (list, from) = pointer.strip_suffix("..")?.rsplit_once('/')?;
        let items = columns.pointer(list)?.as_array()?.get(from.parse::<usize>().ok()?..)?;
        Some(Value::Array(items.to_vec()))
    };
    let found = columns.pointer(pointer).cloned().or_else(rest);
    found.ok_or_else(|| format!("there is nothing at `{pointer}`"))
}
