//! The seam for scanners that a policy tells what to look for.

use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::policy::Hint;
use crate::scanner::{About, Scanner};

/// The options of a policy, as they were typed.
pub type Options = Map<String, Value>;

/// Makes a scanner out of a policy's options. What it makes keeps the contract of [`Scanner`].
pub trait Maker: Send + Sync {
    /// What it makes.
    fn about(&self) -> &'static About;

    /// The JSON schema of its options.
    fn schema(&self) -> Schema;

    /// The scanner that these options mean.
    ///
    /// # Errors
    /// What is wrong with them.
    fn make(&self, options: &Options) -> Result<Arc<dyn Scanner>, OptionProblem>;
}

/// An option that can't be meant as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionProblem {
    /// Where in the options: `words[2]`; empty if all of them are meant.
    pub path: String,
    /// What is wrong there and what was expected.
    pub message: String,
}

impl OptionProblem {
    pub(crate) fn new(path: impl Into<String>, message: impl fmt::Display) -> Self {
        Self { path: path.into(), message: message.to_string() }
    }
}

/// Reads options as what a scanner calls its own.
pub(crate) fn read<T: DeserializeOwned + JsonSchema>(options: &Options) -> Result<T, OptionProblem> {
    let schema = schemars::schema_for!(T);
    let known = || {
        let fields = schema.get("properties").and_then(Value::as_object);
        fields.into_iter().flat_map(Map::keys).map(String::as_str)
    };
    if let Some(name) = options.keys().find(|name| !known().any(|known| known == name.as_str())) {
        return Err(OptionProblem::new(
            name.as_str(),
            format_args!("unknown option `{name}`{}", Hint::nearest(name, known())),
        ));
    }
    serde_path_to_error::deserialize(Value::Object(options.clone())).map_err(|error| {
        let path = error.path().to_string();
        OptionProblem::new(if path == "." { String::new() } else { path }, error.into_inner())
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only what is wrong is looked at")]
    struct Example {
        words: Vec<String>,
        most: Option<usize>,
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place_and_the_nearest_name() {
        let check = |options: Value, path: &str, needle: &str| {
            let problem = read::<Example>(options.as_object().unwrap()).unwrap_err();
            assert_eq!(problem.path, path);
            assert!(problem.message.contains(needle), "{problem:?}");
        };
        check(json!({"wrods": []}), "wrods", "unknown option `wrods`; did you mean `words`? (known: words, most)");
        check(json!({"words": ["a", 7]}), "words[1]", "expected a string");
        check(json!({"words": [], "most": "x"}), "most", "expected usize");
        check(json!({}), "", "missing field `words`");
    }
}
