//! What a JSON value is, in few bytes.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

/// What a value is, in 64 bits, and about how long it is as JSON. Of structures it follows from
/// their children's, so that all of a tree costs one walk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    pub(super) digest: u64,
    pub(super) bytes: usize,
}

impl Weight {
    pub(super) fn of_text(text: &str) -> Self {
        Self { digest: digest(text), bytes: text.len() }
    }

    /// Of what is no structure.
    pub(super) fn of_leaf(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::of_text(text),
            other => Self { digest: digest(other), bytes: bytes(other) },
        }
    }

    pub(super) fn of_list(items: impl Iterator<Item = Self>) -> Self {
        let mut hasher = DefaultHasher::new();
        let bytes = items.map(|item| {
            item.digest.hash(&mut hasher);
            item.bytes + 1
        });
        Self { bytes: bytes.sum::<usize>() + 2, digest: hasher.finish() }
    }

    /// Whatever their order.
    pub(super) fn of_fields<'a>(fields: impl Iterator<Item = (&'a str, Self)>) -> Self {
        let mut all = Self { digest: 0, bytes: 2 };
        for (name, field) in fields {
            all.digest = all.digest.wrapping_add(digest(&(name, field.digest)));
            all.bytes += name.len() + field.bytes + 4;
        }
        all
    }
}

/// About how long a value is as JSON.
pub(super) fn bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| bytes(item) + 1).sum::<usize>() + 2,
        Value::Object(fields) => fields.iter().map(|(name, field)| name.len() + bytes(field) + 4).sum::<usize>() + 2,
        Value::Null | Value::Bool(_) | Value::Number(_) => 4,
    }
}

fn digest(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
