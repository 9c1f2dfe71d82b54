//! Rubrics as files: YAML, or JSON, which is YAML too.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

use super::rubric::{Rubric, RubricProblem};

/// Why a file isn't a rubric.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FileProblem {
    /// It can't be parsed.
    #[error("line {line}: this is not valid YAML: {problem}")]
    Syntax {
        /// The line.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A field is missing, unknown, or has another type.
    #[error("{0}")]
    Shape(String),
    /// A field has a value that it can't have.
    #[error(transparent)]
    Rubric(#[from] RubricProblem),
}

/// Reads a rubric and checks it.
///
/// # Errors
/// It can't be read, or can't be judged by.
pub fn read_rubric(text: &str) -> Result<Rubric, FileProblem> {
    let documents = Yaml::load_from_str(text)
        .map_err(|error| FileProblem::Syntax { line: error.marker().line(), problem: error.info().to_owned() })?;
    let value = match documents.as_slice() {
        [one] => json(one).map_err(FileProblem::Shape)?,
        several => {
            let found = several.len();
            return Err(FileProblem::Shape(format!("expected one rubric in a file, found {found} documents")));
        }
    };
    let rubric: Rubric = serde_json::from_value(value).map_err(|error| FileProblem::Shape(error.to_string()))?;
    rubric.check()?;
    Ok(rubric)
}

fn json(node: &Yaml<'_>) -> Result<Value, String> {
    Ok(match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => (*value).into(),
        Yaml::Value(Scalar::Integer(value)) => (*value).into(),
        Yaml::Value(Scalar::FloatingPoint(value)) => value.into_inner().into(),
        Yaml::Value(Scalar::String(text)) => text.as_ref().into(),
        Yaml::Sequence(items) => Value::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let Yaml::Value(Scalar::String(name)) = key else {
                    return Err("the name of a field must be a text".to_owned());
                };
                map.insert(name.as_ref().to_owned(), json(value)?);
            }
            Value::Object(map)
        }
        Yaml::Tagged(_, inner) => json(inner)?,
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => {
            return Err("a YAML feature that is not supported here; write the value out".to_owned());
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "name: polite\ninputs: [output]\ncriteria: Is it polite?\nscale: {kind: binary, yes: It is., no: It isn't.}\n";

    #[test]
    fn a_rubric_is_read_and_what_is_wrong_is_told() {
        assert_eq!(read_rubric(GOOD).unwrap().threshold(), 1.0);
        let check = |text: &str, problem: &str| {
            let told = read_rubric(text).unwrap_err().to_string();
            assert!(told.contains(problem), "{told}");
        };
        check("a: [", "not valid YAML");
        check("name: x\ninputs: [output]\ncriteria: y\n", "missing field `scale`");
        check(&GOOD.replace("criteria", "criterion"), "unknown field `criterion`");
        check(&GOOD.replace("[output]", "[answer]"), "unknown variant `answer`");
        check(&GOOD.replace("[output]", "[]"), "`inputs`: expected at least one");
        check(&GOOD.replace("binary", "binaire"), "unknown variant `binaire`");
        let levels = "scale:\n  kind: ordinal\n  levels:\n    - {value: 2, meaning: a}\n    - {value: 1, meaning: b}\n";
        let start = "name: x\ninputs: [output]\ncriteria: y\n";
        check(&format!("{start}{levels}"), "`scale.levels[1].value`: expected more than 2, found 1");
        let labels = "scale: {kind: categorical, labels: [{label: a, meaning: b}, {label: A, meaning: c}]}\n";
        check(&format!("{start}{labels}"), "`scale.labels[1].label`: `A` is there already");
    }
}
