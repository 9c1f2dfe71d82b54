//! Conditions in CEL: `when` of a policy and of a route's target, and the scanner `expression`. Bounded: no loops but over the lists of a call, no functions
//! beside CEL's own, no I/O.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use cel::{Context, Env, Program, Value};
use serde_json::{Map, Value as Json};

use crate::context::Facts;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// What a condition may name of a call.
pub const FACTS: [&str; 11] =
    ["key", "project", "model", "route", "endpoint", "stream", "user", "session", "environment", "tags", "metadata"];
/// A longer one is a program.
const MOST_BYTES: usize = 2_000;

/// A compiled condition.
#[derive(Debug)]
pub struct Condition(Program);

impl Condition {
    /// As [`Condition::compile`], of a policy: one that a project may write is bounded.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(crate) fn of_policy(text: &str, names: &[&str]) -> Result<Self, String> {
        if text.len() > MOST_BYTES {
            return Err(format!("it is longer than {MOST_BYTES} bytes"));
        }
        Self::compile(text, names)
    }

    /// A condition over these names.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn compile(text: &str, names: &[&str]) -> Result<Self, String> {
        let program = ENVIRONMENT.compile(text).map_err(|errors| {
            let told = errors.to_string();
            format!("it is no expression: {}", told.lines().next().unwrap_or_default())
        })?;
        // `tags.exists(tag, …)` brings a name of its own.
        let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let known = |name: &&str| names.contains(name) || dense.contains(&format!("({name},"));
        let unknown = program.references().variables().into_iter().find(|name| !known(name)).map(str::to_owned);
        match unknown {
            Some(name) => Err(format!("it names `{name}`; known: {}", names.join(", "))),
            None => Ok(Self(program)),
        }
    }

    /// Whether it is true. One that fails, e.g. for want of a key in `metadata`, is not; nor is one that gives something else
    /// than true or false.
    #[must_use]
    pub fn holds(&self, variables: impl IntoIterator<Item = (&'static str, Value)>) -> bool {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        for (name, value) in variables {
            context.add_variable_from_value(name, value);
        }
        matches!(self.0.execute(&context), Ok(Value::Bool(true)))
    }
}

/// The variables of [`FACTS`].
pub(crate) fn variables(facts: &Facts) -> [(&'static str, Value); 11] {
    [
        ("key", facts.key.as_str().into()),
        ("project", facts.project.as_str().into()),
        ("model", facts.model.as_str().into()),
        ("route", facts.route.as_str().into()),
        ("endpoint", facts.endpoint.as_str().into()),
        ("stream", Value::Bool(facts.stream)),
        ("user", facts.user.as_str().into()),
        ("session", facts.session.as_str().into()),
        ("environment", facts.environment.as_str().into()),
        ("tags", facts.tags.clone().into()),
        ("metadata", fields(&facts.metadata)),
    ]
}

/// Fields as an expression sees them.
#[must_use]
pub fn fields(map: &Map<String, Json>) -> Value {
    map.iter().map(|(name, json)| (name.clone(), value(json))).collect::<HashMap<_, _>>().into()
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(*bool),
        // Numbers in expressions are signed, and signed and unsigned ones are never equal.
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or(f64::NAN)), Value::Int)
        }
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => items.iter().map(value).collect::<Vec<_>>().into(),
        Json::Object(map) => fields(map),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn says_which_calls_are_meant() {
        let facts = Facts {
            key: "ci".to_owned(),
            model: "chat".to_owned(),
            tags: vec!["batch".to_owned()],
            metadata: json!({"tier": "gold", "n": 3}).as_object().cloned().unwrap(),
            ..Facts::default()
        };
        let check = |text: &str, expected: bool| {
            assert_eq!(Condition::of_policy(text, &FACTS).unwrap().holds(variables(&facts)), expected, "{text}");
        };
        check("key == 'ci' && model.startsWith('ch')", true);
        check("tags.exists(tag, tag == 'batch') && metadata.n == 3", true);
        check("metadata.region == 'eu'", false);
        check("has(metadata.tier) && !stream", true);
        check("model", false);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |text: &str, needle: &str| {
            let problem = Condition::of_policy(text, &FACTS).unwrap_err();
            assert!(problem.contains(needle), "{problem}");
        };
        check("key ==", "no expression");
        check("tier == 'gold'", "it names `tier`; known: key");
        check(&"a".repeat(3_000), "longer than");
    }
}
