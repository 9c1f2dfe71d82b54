//! Reading JSON by borrowed slices: every value stays a range of the body, only what is asked for
//! is decoded. No tree of a whole body is ever built here.

mod field_at;
mod known;
mod told;
mod walk;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use signalbox_types::Role;

use crate::codec::TextSlot;
use crate::error::WireError;
use crate::fields::is_read;
pub use field_at::field_at;
pub(crate) use told::Of;
use walk::{is_key, string_end, walk};

/// The way to a value, written down only when an error needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Path<'p> {
    Root,
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl Path<'_> {
    pub(crate) fn key<'p>(&'p self, name: &'p str) -> Path<'p> {
        Path::Key(self, name)
    }

    pub(crate) fn index(&self, index: usize) -> Path<'_> {
        Path::Index(self, index)
    }

    /// The number of steps.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Root => 0,
            Self::Key(parent, _) | Self::Index(parent, _) => 1 + parent.depth(),
        }
    }

    pub(crate) fn missing(self, expected: &'static str) -> WireError {
        WireError::Missing { field: self.to_string(), expected }
    }

    pub(crate) fn invalid(self, expected: &'static str, found: impl Into<String>) -> WireError {
        WireError::Invalid { field: self.to_string(), expected, found: found.into() }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("body"),
            Self::Key(Path::Root, name) => f.write_str(name),
            Self::Key(parent, name) => write!(f, "{parent}.{name}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A body known to be one valid JSON value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body<'a> {
    bytes: &'a [u8],
    root: Node<'a>,
}

impl<'a> Body<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let (line, column) = position(bytes, error.valid_up_to());
            WireError::Json { line, column, message: "not UTF-8".into() }
        })?;
        let key = known::key(bytes);
        if key.is_some_and(known::is_json) {
            return Ok(Self { bytes, root: Node(text.trim_ascii()) });
        }
        let root: &RawValue = serde_json::from_str(text).map_err(|error| {
            let full = error.to_string();
            let message = full.rsplit_once(" at line ").map_or(full.as_str(), |(message, _)| message).to_owned();
            WireError::Json { line: error.line(), column: error.column(), message }
        })?;
        key.into_iter().for_each(known::remember);
        Ok(Self { bytes, root: Node(root.get()) })
    }

    pub(crate) fn root(&self) -> Node<'a> {
        self.root
    }

    pub(crate) fn object(&self) -> Result<Object<'a>, WireError> {
        self.root.object(Path::Root)
    }

    /// Where a value of this body stands in it.
    pub(crate) fn range(&self, node: Node<'a>) -> Range<usize> {
        let start = (node.0.as_ptr() as usize).saturating_sub(self.bytes.as_ptr() as usize);
        start..start + node.0.len()
    }

    /// What tools or schemas, or whatever holds them, tell a model.
    pub(crate) fn told(
        &self,
        of: Of,
        schemas: impl IntoIterator<Item = Node<'a>>,
    ) -> impl Iterator<Item = TextSlot<'a>> {
        schemas.into_iter().flat_map(move |schema| schema.told(of)).map(|node| self.slot(Role::System, node))
    }

    pub(crate) fn slot(&self, role: Role, node: Node<'a>) -> TextSlot<'a> {
        TextSlot { role, text: node.unescape(), range: self.range(node), signed: false, is_name: false, is_bare: false }
    }
}

fn next_byte(bytes: &[u8], from: usize, byte: u8) -> Option<usize> {
    memchr::memchr(byte, bytes.get(from..)?).map(|offset| from + offset)
}

fn position(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = bytes.get(..offset).unwrap_or_default();
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let column = offset - memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1) + 1;
    (line, column)
}

/// One valid JSON value, as its text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a>(&'a str);

impl<'a> Node<'a> {
    pub(crate) fn raw(self) -> &'a str {
        self.0
    }

    fn starts_with(self, byte: u8) -> bool {
        self.0.as_bytes().first() == Some(&byte)
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub(crate) fn is_text(self) -> bool {
        self.starts_with(b'"')
    }

    pub(crate) fn is_list(self) -> bool {
        self.starts_with(b'[')
    }

    pub(crate) fn is_object(self) -> bool {
        self.starts_with(b'{')
    }

    /// What kind of value it is, for messages: never its content.
    pub(crate) fn kind(self) -> &'static str {
        match self.0.as_bytes().first() {
            Some(b'"') => "a string",
            Some(b'[') => "a list",
            Some(b'{') => "an object",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        }
    }

    pub(crate) fn object(self, path: Path<'_>) -> Result<Object<'a>, WireError> {
        if !self.is_object() {
            return Err(path.invalid("an object", self.kind()));
        }
        let object = Object { fields: self.fields() };
        match object.duplicate() {
            Some(name) => Err(WireError::Duplicate { field: path.key(&name).to_string() }),
            None => Ok(object),
        }
    }

    /// The values of an object, those of keys that stand twice included.
    pub(crate) fn members(self) -> Vec<Node<'a>> {
        if self.is_object() { walk(self.0).skip(1).step_by(2).map(Node).collect() } else { Vec::new() }
    }

    /// Whether it is an object that has a field of this name; of those that stand twice, any.
    pub(crate) fn has(self, name: &str) -> bool {
        self.is_object() && self.fields().iter().any(|(field, node)| field == name && !node.is_null())
    }

    fn fields(self) -> Vec<(Cow<'a, str>, Node<'a>)> {
        // What most have.
        let mut fields = Vec::with_capacity(8);
        let mut walk = walk(self.0).map(Node);
        while let (Some(name), Some(value)) = (walk.next(), walk.next()) {
            fields.push((name.unescape(), value));
        }
        fields
    }

    /// Every string within a value that is not a key, in order; of keys that stand twice both. One
    /// pass over the bytes: the nesting is the caller's to choose.
    pub(crate) fn leaf_texts(self) -> Vec<Node<'a>> {
        let bytes = self.0.as_bytes();
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(start) = next_byte(bytes, at, b'"') {
            at = string_end(bytes, start);
            if !is_key(bytes, at) {
                found.extend(self.0.get(start..at).map(Node));
            }
        }
        found
    }

    pub(crate) fn list(self, path: Path<'_>) -> Result<Vec<Node<'a>>, WireError> {
        if !self.is_list() {
            return Err(path.invalid("a list", self.kind()));
        }
        Ok(walk(self.0).map(Node).collect())
    }

    pub(crate) fn text(self, path: Path<'_>) -> Result<Cow<'a, str>, WireError> {
        if self.is_text() { Ok(self.unescape()) } else { Err(path.invalid("a string", self.kind())) }
    }

    /// The string that this literal stands for. Lone surrogates (`"\ud83d"`, which JavaScript writes
    /// for a string cut in half) become U+FFFD, as they do wherever they are turned into UTF-8.
    pub(crate) fn unescape(self) -> Cow<'a, str> {
        let inner = self.0.get(1..self.0.len().saturating_sub(1)).unwrap_or_default();
        // Of short ones, as keys are, without setting up a search by vectors.
        let is_plain = match inner.len() {
            ..=16 => !inner.as_bytes().contains(&b'\\'),
            _ => memchr::memchr(b'\\', inner.as_bytes()).is_none(),
        };
        if is_plain {
            return Cow::Borrowed(inner);
        }
        Cow::Owned(serde_json::from_str(self.0).unwrap_or_else(|_| unescape_lossy(inner)))
    }

    pub(crate) fn flag(self, path: Path<'_>) -> Result<bool, WireError> {
        match self.0 {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(path.invalid("true or false", self.kind())),
        }
    }

    pub(crate) fn count(self, path: Path<'_>) -> Result<u64, WireError> {
        serde_json::from_str(self.0).map_err(|_| path.invalid("a whole number of at least 0", self.kind()))
    }

    pub(crate) fn number(self, path: Path<'_>) -> Result<serde_json::Number, WireError> {
        serde_json::from_str(self.0).map_err(|_| path.invalid("a number", self.kind()))
    }

    /// A tree of a part of the body: schemas, arguments, what we don't know.
    pub(crate) fn value(self, path: Path<'_>) -> Result<Value, WireError> {
        match serde_json::from_str(self.0) {
            Ok(value) => Ok(value),
            Err(error) if error.to_string().starts_with("recursion limit") => {
                Err(path.invalid("at most 127 levels of nesting", "more"))
            }
            // Lone surrogates: the only other thing that a valid literal can still get wrong.
            Err(_) => Err(path.invalid("strings of valid Unicode", "half of a surrogate pair")),
        }
    }

    pub(crate) fn read<T: DeserializeOwned>(self) -> Option<T> {
        serde_json::from_str(self.0).ok()
    }
}

/// The fields of one object, each that is looked up once. `null` counts as absent for every lookup: that is how all
/// the dialects read it.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    fields: Vec<(Cow<'a, str>, Node<'a>)>,
}

impl<'a> Object<'a> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Node<'a>)> {
        self.fields.iter().map(|(name, node)| (name.as_ref(), *node))
    }

    pub(crate) fn get(&self, name: &str) -> Option<Node<'a>> {
        if cfg!(any(test, debug_assertions)) {
            assert!(is_read(name), "`{name}` is not in the list of what is read");
        }
        self.fields.iter().find(|(field, _)| field == name).map(|(_, node)| *node).filter(|node| !node.is_null())
    }

    /// The text of a field, if it is there and is one.
    pub(crate) fn str(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).filter(|node| node.is_text()).map(Node::unescape)
    }

    pub(crate) fn text(&self, name: &str, path: Path<'_>) -> Result<Option<Cow<'a, str>>, WireError> {
        self.get(name).map(|node| node.text(path.key(name))).transpose()
    }

    pub(crate) fn required_text(
        &self,
        name: &str,
        path: Path<'_>,
        expected: &'static str,
    ) -> Result<String, WireError> {
        let node = self.get(name).ok_or_else(|| path.key(name).missing(expected))?;
        if node.is_text() {
            Ok(node.unescape().into_owned())
        } else {
            Err(path.key(name).invalid(expected, node.kind()))
        }
    }

    pub(crate) fn flag(&self, name: &str, path: Path<'_>) -> Result<Option<bool>, WireError> {
        self.get(name).map(|node| node.flag(path.key(name))).transpose()
    }

    pub(crate) fn count(&self, name: &str, path: Path<'_>) -> Result<Option<u64>, WireError> {
        self.get(name).map(|node| node.count(path.key(name))).transpose()
    }

    pub(crate) fn number(&self, name: &str, path: Path<'_>) -> Result<Option<serde_json::Number>, WireError> {
        self.get(name).map(|node| node.number(path.key(name))).transpose()
    }

    pub(crate) fn child(&self, name: &str, path: Path<'_>) -> Result<Option<Object<'a>>, WireError> {
        self.get(name).map(|node| node.object(path.key(name))).transpose()
    }

    pub(crate) fn children(&self, name: &str, path: Path<'_>) -> Result<Vec<Node<'a>>, WireError> {
        self.get(name).map_or_else(|| Ok(Vec::new()), |node| node.list(path.key(name)))
    }

    pub(crate) fn map(&self, name: &str, path: Path<'_>) -> Result<Map<String, Value>, WireError> {
        let Some(node) = self.get(name) else { return Ok(Map::new()) };
        match node.value(path.key(name))? {
            Value::Object(map) => Ok(map),
            _ => Err(path.key(name).invalid("an object", node.kind())),
        }
    }

    /// Every string within a field, whatever its nesting.
    pub(crate) fn leaf_slots(&self, name: &str, role: Role, body: &Body<'a>) -> Vec<TextSlot<'a>> {
        let leaves = self.get(name).map(Node::leaf_texts).unwrap_or_default();
        leaves.into_iter().map(|leaf| body.slot(role, leaf)).collect()
    }

    /// The model's name and where its literal stands.
    pub(crate) fn model(&self, body: &Body<'a>) -> Result<(String, Range<usize>), WireError> {
        const EXPECTED: &str = "the name of a model";
        let model = self.required_text("model", Path::Root, EXPECTED)?;
        if model.is_empty() {
            return Err(Path::Root.key("model").invalid(EXPECTED, "an empty string"));
        }
        let range = self.get("model").map_or(0..0, |node| body.range(node));
        Ok((model, range))
    }

    /// The messages, which must be there and be a list.
    pub(crate) fn messages(&self) -> Result<Node<'a>, WireError> {
        const EXPECTED: &str = "a list of messages";
        let node = self.get("messages").ok_or_else(|| Path::Root.key("messages").missing(EXPECTED))?;
        if node.is_list() { Ok(node) } else { Err(Path::Root.key("messages").invalid(EXPECTED, node.kind())) }
    }

    fn duplicate(&self) -> Option<String> {
        if self.fields.len() <= 16 {
            let stands_before = |(place, (name, _)): (usize, &(Cow<'a, str>, Node<'a>))| {
                let twice = self.fields.iter().take(place).any(|(other, _)| other == name);
                (twice && is_read(name)).then(|| name.to_string())
            };
            return self.fields.iter().enumerate().find_map(stands_before);
        }
        let mut seen = HashSet::with_capacity(self.fields.len());
        let twice = self.fields.iter().find(|(name, _)| !seen.insert(name.as_ref()) && is_read(name));
        twice.map(|(name, _)| name.to_string())
    }
}

fn unescape_lossy(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    let mut high: Option<u32> = None;
    while let Some(char) = chars.next() {
        let unit = match char {
            '\\' => match chars.next() {
                Some('u') => {
                    Err(chars.by_ref().take(4).filter_map(|digit| digit.to_digit(16)).fold(0, |n, d| n << 4 | d))
                }
                Some('n') => Ok('\n'),
                Some('t') => Ok('\t'),
                Some('r') => Ok('\r'),
                Some('b') => Ok('\u{8}'),
                Some('f') => Ok('\u{c}'),
                Some(other) => Ok(other),
                None => break,
            },
            plain => Ok(plain),
        };
        match (high.take(), unit) {
            (Some(first), Err(second @ 0xDC00..=0xDFFF)) => {
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                continue;
            }
            (Some(_), _) => out.push(char::REPLACEMENT_CHARACTER),
            (None, _) => {}
        }
        match unit {
            Ok(char) => out.push(char),
            Err(first @ 0xD800..=0xDBFF) => high = Some(first),
            Err(code) => out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)),
        }
    }
    if high.is_some() {
        out.push(char::REPLACEMENT_CHARACTER);
    }
    out
}

/// The JSON string literal of a text.
pub(crate) fn literal(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescapes_whatever_json_allows() {
        let check = |literal: &str, expect: &str| {
            let body = Body::parse(literal.as_bytes()).unwrap();
            assert_eq!(body.root.unescape(), expect, "{literal}");
        };
        check(r#""plain é""#, "plain é");
        check(r#""a\"\\\/\b\f\n\r\té""#, "a\"\\/\u{8}\u{c}\n\r\té");
        check(r#""\ud83d\ude00""#, "😀");
        check(r#""x\ud83dy\n""#, "x\u{FFFD}y\n");
        check(r#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}");
        check(r#""\ud83d\ud83d\ude00!""#, "\u{FFFD}😀!");
    }

    #[test]
    fn finds_every_string_but_keys() {
        let check = |body: &str, expect: &[&str]| {
            let leaves = Body::parse(body.as_bytes()).unwrap().root.leaf_texts();
            assert_eq!(leaves.iter().map(|leaf| leaf.unescape()).collect::<Vec<_>>(), expect, "{body}");
        };
        check(r#"{"a" : "b:", "c":["d\"", {"e\\":"f\\"}], "g":1, "a":"\":"}"#, &["b:", "d\"", "f\\", "\":"]);
        check("7", &[]);
        check(r#""x""#, &["x"]);
        check(&format!("{}\"x\"{}", "[".repeat(100_000), "]".repeat(100_000)), &["x"]);
    }

    #[test]
    fn says_where_json_breaks() {
        let check = |body: &[u8], expect: &str| assert_eq!(Body::parse(body).unwrap_err().to_string(), expect);
        check(b"{\n  \"a\": tru }", "the body is not valid JSON: line 2, column 11: expected ident");
        check(b"", "the body is not valid JSON: line 1, column 0: EOF while parsing a value");
        check(b"{}x", "the body is not valid JSON: line 1, column 3: trailing characters");
        check(b"{\n\"\xff\"}", "the body is not valid JSON: line 2, column 2: not UTF-8");
    }

    #[test]
    fn refuses_a_key_that_stands_twice_however_it_is_escaped() {
        let body = Body::parse(br#"{"user":1,"b":2,"\u0075ser":3}"#).unwrap();
        assert_eq!(body.object().unwrap_err(), WireError::Duplicate { field: "user".into() });
        let many: String = (0..20).map(|n| format!("\"f{n}\":{n},")).collect();
        let body = format!("{{{many}\"user\":1,\"f1\":0,\"user\":2}}");
        let error = Body::parse(body.as_bytes()).unwrap().object().unwrap_err();
        assert_eq!(error, WireError::Duplicate { field: "user".into() });
    }

    #[test]
    fn what_nobody_reads_may_stand_twice() {
        let many: String = (0..20).map(|n| format!("\"f{n}\":{n},")).collect();
        for body in [r#"{"a":1,"a":2}"#.to_owned(), format!("{{{many}\"f1\":1}}")] {
            assert!(Body::parse(body.as_bytes()).unwrap().object().is_ok(), "{body}");
        }
    }
}
