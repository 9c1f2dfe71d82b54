//! A YAML text as JSON values that remember their lines.

use std::collections::BTreeMap;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use serde_json::{Map, Value};

use super::config::SuiteProblem;

/// A parsed file.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) value: Value,
    /// JSON pointer → line.
    lines: BTreeMap<String, usize>,
}

impl Document {
    pub(super) fn parse(text: &str) -> Result<Self, SuiteProblem> {
        let documents = MarkedYaml::load_from_str(text).map_err(|error| SuiteProblem {
            line: Some(error.marker().line()),
            field: String::new(),
            message: format!("this is not valid YAML: {}", error.info()),
        })?;
        let mut lines = BTreeMap::new();
        let value = documents.first().map_or(Value::Null, |node| read(node, "", &mut lines));
        if documents.len() > 1 {
            let message = "one document was expected, there are several (`---`)".to_owned();
            return Err(SuiteProblem { line: None, field: String::new(), message });
        }
        Ok(Self { value, lines })
    }

    /// The line of a field, or of the nearest thing around it: `gates[0].mean`.
    pub(super) fn line(&self, field: &str) -> Option<usize> {
        let mut pointer = String::new();
        for step in field.split(['.', '[']).filter(|step| !step.is_empty()) {
            pointer.push('/');
            pointer.push_str(step.trim_end_matches(']'));
        }
        loop {
            if let Some(line) = self.lines.get(&pointer) {
                return Some(*line);
            }
            pointer.truncate(pointer.rfind('/')?);
        }
    }
}

fn read(node: &MarkedYaml<'_>, pointer: &str, lines: &mut BTreeMap<String, usize>) -> Value {
    lines.entry(pointer.to_owned()).or_insert_with(|| node.span.start.line());
    match &node.data {
        YamlData::Value(Scalar::Boolean(value)) => (*value).into(),
        YamlData::Value(Scalar::Integer(value)) => (*value).into(),
        YamlData::Value(Scalar::FloatingPoint(value)) => value.into_inner().into(),
        YamlData::Value(Scalar::String(text)) => Value::String(text.to_string()),
        YamlData::Sequence(items) => {
            items.iter().enumerate().map(|(at, item)| read(item, &format!("{pointer}/{at}"), lines)).collect()
        }
        YamlData::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let name = match &key.data {
                    YamlData::Value(Scalar::String(text)) => text.to_string(),
                    YamlData::Value(Scalar::Integer(number)) => number.to_string(),
                    YamlData::Value(Scalar::Boolean(value)) => value.to_string(),
                    _ => "?".to_owned(),
                };
                let inner = format!("{pointer}/{name}");
                lines.insert(inner.clone(), key.span.start.line());
                let value = read(value, &inner, lines);
                map.insert(name, value);
            }
            Value::Object(map)
        }
        YamlData::Tagged(_, inner) => read(inner, pointer, lines),
        _ => Value::Null,
    }
}
