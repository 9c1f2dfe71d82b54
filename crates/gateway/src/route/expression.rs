//! `when` of a target: an expression in CEL over what is known about a call.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use cel::{Context, Env, Program, Value};
use serde_json::{Map, Value as Json};

/// What an expression may name, and nothing else.
const NAMES: [&str; 10] =
    ["model", "tokens", "max_tokens", "stream", "user", "session", "key", "environment", "tags", "metadata"];

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Expression(Program);

/// What an expression sees of a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables {
    pub(crate) model: String,
    /// Of the input, estimated.
    pub(crate) tokens: u64,
    /// The wanted limit of the output; 0 if there is none.
    pub(crate) max_tokens: u64,
    pub(crate) stream: bool,
    /// Empty where the caller says nothing; the next one, and `environment`, too.
    pub(crate) user: String,
    pub(crate) session: String,
    /// The name of the virtual key.
    pub(crate) key: String,
    pub(crate) environment: String,
    pub(crate) tags: Vec<String>,
    pub(crate) metadata: Map<String, Json>,
}

impl Expression {
    /// # Errors
    /// What is wrong with the text.
    pub(crate) fn compile(text: &str) -> Result<Self, String> {
        let program = ENVIRONMENT.compile(text).map_err(|errors| {
            let told = errors.to_string();
            format!("it is no expression: {}", told.lines().next().unwrap_or_default())
        })?;
        // `tags.exists(tag, …)` brings a name of its own.
        let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let known = |name: &&str| NAMES.contains(name) || dense.contains(&format!("({name},"));
        let unknown = program.references().variables().into_iter().find(|name| !known(name)).map(str::to_owned);
        match unknown {
            Some(name) => Err(format!("it names `{name}`; known: {}", NAMES.join(", "))),
            None => Ok(Self(program)),
        }
    }

    /// Whether it is true of a call. One that fails, e.g. for want of a key in `metadata`, is not; nor is one that gives
    /// something else than true or false.
    pub(crate) fn holds(&self, call: &Variables) -> bool {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        context.add_variable_from_value("model", call.model.as_str());
        context.add_variable_from_value("tokens", number(call.tokens));
        context.add_variable_from_value("max_tokens", number(call.max_tokens));
        context.add_variable_from_value("stream", Value::Bool(call.stream));
        context.add_variable_from_value("user", call.user.as_str());
        context.add_variable_from_value("session", call.session.as_str());
        context.add_variable_from_value("key", call.key.as_str());
        context.add_variable_from_value("environment", call.environment.as_str());
        context.add_variable_from_value("tags", call.tags.clone());
        context.add_variable_from_value("metadata", fields(&call.metadata));
        matches!(self.0.execute(&context), Ok(Value::Bool(true)))
    }
}

/// Numbers in expressions are signed, and signed and unsigned ones are never equal.
fn number(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn fields(map: &Map<String, Json>) -> Value {
    map.iter().map(|(name, json)| (name.clone(), value(json))).collect::<HashMap<_, _>>().into()
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(*bool),
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
    fn says_which_calls_a_target_takes() {
        let metadata = json!({"tier": "gold", "n": 3, "eu": true, "list": ["a"]});
        let call = Variables {
            model: "chat".to_owned(),
            tokens: 5_000,
            user: "ann".to_owned(),
            key: "gold customers".to_owned(),
            environment: "staging".to_owned(),
            tags: vec!["batch".to_owned()],
            metadata: metadata.as_object().cloned().unwrap(),
            ..Variables::default()
        };
        let check = |text: &str, expected: bool| {
            assert_eq!(Expression::compile(text).unwrap().holds(&call), expected, "{text}");
        };
        check("metadata.tier == 'gold' && tokens < 8000", true);
        check("metadata.tier == \"silver\"", false);
        check("metadata.n == 3 && metadata.eu", true);
        check("has(metadata.region) && metadata.region == 'x'", false);
        check("metadata.region == 'x'", false);
        check("!has(metadata.region)", true);
        check("tags.exists(tag, tag == 'batch')", true);
        check("'a' in metadata.list", true);
        check("user.startsWith('a') && !stream", true);
        check("key.startsWith('gold') && environment != 'production'", true);
        check("tokens", false);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |text: &str, needle: &str| {
            let problem = Expression::compile(text).unwrap_err();
            assert!(problem.contains(needle), "{problem}");
        };
        check("tokens <", "no expression");
        check("tier == 'gold'", "it names `tier`; known: model");
        check("", "no expression");
    }
}
