//! A YAML text as JSON values that remember where they stand.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use serde_json::{Map, Value};

use super::problem::{Place, Problem};

/// A parsed file.
#[derive(Debug)]
pub(super) struct Document {
    /// What it says, with `${ENV_VAR}` expanded.
    pub(super) value: Value,
    /// What could not be read or expanded. Other problems in these places are their consequence.
    pub(super) problems: Vec<Problem>,
    /// JSON pointer → where the value (or its key, for mappings) begins.
    places: BTreeMap<String, Place>,
    /// JSON pointer → how a number or a truth value was written, where a text may have been meant.
    written: BTreeMap<String, String>,
}

impl Document {
    /// Reads a number as the text that it was written as, or a text as the number or truth value that it spells, where
    /// the schema expects one of these kinds: `api_key: 123` and `max_connections: ${MAX}` are meant so.
    pub(super) fn reread(&mut self, pointer: &str, expected: &[&str]) {
        let Some(value) = self.value.pointer_mut(pointer) else { return };
        let read = match value {
            Value::String(text) => {
                let text = text.trim();
                let number = text.parse::<serde_json::Number>().ok().filter(|number| !number.is_f64());
                let float = || text.parse().ok().and_then(serde_json::Number::from_f64);
                match text {
                    "true" | "false" if expected.contains(&"boolean") => Some(Value::Bool(text == "true")),
                    _ if expected.contains(&"integer") && number.is_some() => number.map(Value::Number),
                    _ if expected.contains(&"number") => number.or_else(float).map(Value::Number),
                    _ => None,
                }
            }
            _ if expected.contains(&"string") => self.written.get(pointer).cloned().map(Value::String),
            _ => None,
        };
        if let Some(read) = read {
            *value = read;
        }
    }

    /// Where the value at a JSON pointer stands, or the nearest thing around it.
    pub(super) fn place(&self, pointer: &str) -> Place {
        let mut pointer = pointer;
        loop {
            match (self.places.get(pointer), pointer.rfind('/')) {
                (Some(place), _) => return *place,
                (None, Some(slash)) => pointer = pointer.get(..slash).unwrap_or_default(),
                (None, None) => return Place { line: 1, column: 1 },
            }
        }
    }
}

/// Parses a text and expands `${ENV_VAR}` in its strings.
///
/// # Errors
/// It is no YAML.
pub(super) fn parse(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Document, Vec<Problem>> {
    let documents = MarkedYaml::load_from_str(text).map_err(|error| {
        let place = Place { line: error.marker().line(), column: error.marker().col() + 1 };
        vec![Problem::new(place, format!("this is not valid YAML: {}", error.info()))]
    })?;
    let mut reader = Reader { text, env, places: BTreeMap::new(), written: BTreeMap::new(), problems: Vec::new() };
    let value = match documents.first() {
        Some(node) => reader.read(node, ""),
        None => Value::Object(Map::new()),
    };
    // A file of nothing but comments is an empty mapping, a section of nothing but comments is none.
    let mut value = if value.is_null() { Value::Object(Map::new()) } else { value };
    if let Some(sections) = value.as_object_mut() {
        sections.retain(|_, section| !section.is_null());
    }
    if documents.len() > 1 {
        let place = Place { line: 1, column: 1 };
        reader.problems.push(Problem::new(place, "one document was expected, there are several (`---`)"));
    }
    let Reader { places, written, problems, .. } = reader;
    Ok(Document { value, problems, places, written })
}

struct Reader<'a> {
    text: &'a str,
    env: &'a dyn Fn(&str) -> Option<String>,
    places: BTreeMap<String, Place>,
    written: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn read(&mut self, node: &MarkedYaml<'_>, pointer: &str) -> Value {
        let place = place_of(node);
        self.places.entry(pointer.to_owned()).or_insert(place);
        match &node.data {
            YamlData::Value(scalar) => {
                if let Some(written) = self.written(node, scalar) {
                    self.written.insert(pointer.to_owned(), written);
                }
                self.scalar(scalar, self.places.get(pointer).copied().unwrap_or(place))
            }
            YamlData::Sequence(items) => {
                let items = items.iter().enumerate().map(|(i, item)| self.read(item, &format!("{pointer}/{i}")));
                Value::Array(items.collect())
            }
            YamlData::Mapping(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    let name = key_text(&key.data);
                    let inner = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                    self.places.insert(inner.clone(), place_of(key));
                    let value = self.read(value, &inner);
                    map.insert(name.into_owned(), value);
                }
                Value::Object(map)
            }
            YamlData::Tagged(_, inner) => self.read(inner, pointer),
            _ => {
                self.problems.push(Problem::new(place, "this YAML feature is not supported here; write the value out"));
                Value::Null
            }
        }
    }

    /// The text of a number or truth value as it stands in the file: `007` and `1.10` are not what they count.
    fn written(&self, node: &MarkedYaml<'_>, scalar: &Scalar<'_>) -> Option<String> {
        if matches!(scalar, Scalar::String(_) | Scalar::Null) {
            return None;
        }
        let (start, end) = (node.span.start.index(), node.span.end.index());
        let slice: String = self.text.chars().skip(start).take(end.saturating_sub(start)).collect();
        let slice = slice.trim();
        (Scalar::parse_from_cow(Cow::Borrowed(slice)) == *scalar).then(|| slice.to_owned())
    }

    fn scalar(&mut self, scalar: &Scalar<'_>, place: Place) -> Value {
        match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(value) => (*value).into(),
            Scalar::Integer(value) => (*value).into(),
            Scalar::FloatingPoint(value) => value.into_inner().into(),
            Scalar::String(text) => self.expand(text, place).into(),
        }
    }

    /// Replaces `${NAME}` and `${NAME:-default}`; `$$` stands for one `$`.
    fn expand(&mut self, text: &str, place: Place) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                out.push('$');
                rest = after;
                continue;
            }
            let Some(inner) = after.strip_prefix('{') else {
                out.push('$');
                rest = after;
                continue;
            };
            let Some((inner, after)) = inner.split_once('}') else {
                let problem = Problem::new(place, "`${` has no `}` after it");
                self.problems.push(problem.hint("write `${NAME}` for an environment variable, or `$$` for one `$`"));
                return out;
            };
            let (name, default) = inner.split_once(":-").map_or((inner, None), |(name, default)| (name, Some(default)));
            match (self.env)(name).filter(|value| !value.is_empty()).or_else(|| default.map(str::to_owned)) {
                Some(value) => out.push_str(&value),
                None => self.problems.push(
                    Problem::new(place, format!("the environment variable `{name}` is not set"))
                        .hint(format!("set it, or give a default: `${{{name}:-value}}`")),
                ),
            }
            rest = after;
        }
        out + rest
    }
}

fn place_of(node: &MarkedYaml<'_>) -> Place {
    Place { line: node.span.start.line(), column: node.span.start.col() + 1 }
}

fn key_text<'a, 'input>(data: &'a YamlData<'input, MarkedYaml<'input>>) -> Cow<'a, str> {
    match data {
        YamlData::Value(Scalar::String(text)) => Cow::Borrowed(text.as_ref()),
        YamlData::Value(Scalar::Integer(value)) => Cow::Owned(value.to_string()),
        YamlData::Value(Scalar::Boolean(value)) => Cow::Owned(value.to_string()),
        YamlData::Value(Scalar::Null) => Cow::Borrowed("null"),
        _ => Cow::Borrowed("?"),
    }
}
