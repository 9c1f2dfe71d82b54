//! The fields of a protobuf message in JSON: every name may be in camelCase or in snake_case, and whole numbers may be
//! strings.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use crate::error::WireError;
use crate::json::{Node, Object, Path};

#[derive(Debug)]
pub(super) struct Fields<'a>(Object<'a>);

impl<'a> Fields<'a> {
    pub(super) fn of(node: Node<'a>, path: Path<'_>) -> Result<Self, WireError> {
        Ok(Self(node.object(path)?))
    }

    pub(super) fn new(object: Object<'a>) -> Self {
        Self(object)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Node<'a>)> {
        self.0.iter()
    }

    /// Looks up a name given in camelCase. Both spellings at once are refused as a name that stands twice is.
    pub(super) fn get(&self, name: &str, path: Path<'_>) -> Result<Option<Node<'a>>, WireError> {
        let one = self.0.get(name);
        let snake = snake(name);
        if snake == name {
            return Ok(one);
        }
        match (one, self.0.get(&snake)) {
            (Some(_), Some(_)) => Err(WireError::Duplicate { field: path.key(name).to_string() }),
            (one, other) => Ok(one.or(other)),
        }
    }

    pub(super) fn text(&self, name: &str, path: Path<'_>) -> Result<Option<Cow<'a, str>>, WireError> {
        self.get(name, path)?.map(|node| node.text(path.key(name))).transpose()
    }

    pub(super) fn owned(&self, name: &str, path: Path<'_>) -> Result<Option<String>, WireError> {
        Ok(self.text(name, path)?.map(Cow::into_owned))
    }

    pub(super) fn required(&self, name: &str, path: Path<'_>, expected: &'static str) -> Result<String, WireError> {
        self.owned(name, path)?.ok_or_else(|| path.key(name).missing(expected))
    }

    pub(super) fn flag(&self, name: &str, path: Path<'_>) -> Result<Option<bool>, WireError> {
        self.get(name, path)?.map(|node| node.flag(path.key(name))).transpose()
    }

    pub(super) fn count(&self, name: &str, path: Path<'_>) -> Result<Option<u64>, WireError> {
        let Some(node) = self.get(name, path)? else { return Ok(None) };
        read_count(node).map(Some).ok_or_else(|| path.key(name).invalid("a whole number of at least 0", node.kind()))
    }

    pub(super) fn number(&self, name: &str, path: Path<'_>) -> Result<Option<Number>, WireError> {
        self.get(name, path)?.map(|node| node.number(path.key(name))).transpose()
    }

    pub(super) fn child(&self, name: &str, path: Path<'_>) -> Result<Option<Self>, WireError> {
        self.get(name, path)?.map(|node| Self::of(node, path.key(name))).transpose()
    }

    pub(super) fn children(&self, name: &str, path: Path<'_>) -> Result<Vec<Node<'a>>, WireError> {
        self.get(name, path)?.map_or_else(|| Ok(Vec::new()), |node| node.list(path.key(name)))
    }

    pub(super) fn map(&self, name: &str, path: Path<'_>) -> Result<Map<String, Value>, WireError> {
        let Some(node) = self.get(name, path)? else { return Ok(Map::new()) };
        match node.value(path.key(name))? {
            Value::Object(map) => Ok(map),
            _ => Err(path.key(name).invalid("an object", node.kind())),
        }
    }
}

/// A whole number; 64-bit ones are strings in protobuf's JSON, and `8.0` is one too.
pub(super) fn read_count(node: Node<'_>) -> Option<u64> {
    if node.is_text() {
        return node.unescape().parse().ok();
    }
    node.read::<u64>().or_else(|| {
        let float = node.read::<f64>().filter(|float| float.fract() == 0.0 && (0.0..9e15).contains(float))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and within the range")]
        Some(float as u64)
    })
}

pub(super) fn snake(name: &str) -> Cow<'_, str> {
    if !name.contains(|char: char| char.is_ascii_uppercase()) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 4);
    for char in name.chars() {
        if char.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(char.to_ascii_lowercase());
    }
    Cow::Owned(out)
}

pub(super) fn camel(name: &str) -> Cow<'_, str> {
    if !name.contains('_') {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for char in name.chars() {
        if char == '_' {
            upper = true;
        } else if std::mem::take(&mut upper) {
            out.push(char.to_ascii_uppercase());
        } else {
            out.push(char);
        }
    }
    Cow::Owned(out)
}
