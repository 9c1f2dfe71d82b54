//! `when` of a target: an expression in CEL over what is known about a call.

use cel::Value;
use serde_json::{Map, Value as Json};
use signalbox_guard::condition::{Condition, fields};

/// What an expression may name, and nothing else.
const NAMES: [&str; 10] =
    ["model", "tokens", "max_tokens", "stream", "user", "session", "key", "environment", "tags", "metadata"];

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Expression(Condition);

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
        Condition::compile(text, &NAMES).map(Self)
    }

    /// Whether it is true of a call.
    pub(crate) fn holds(&self, call: &Variables) -> bool {
        self.0.holds([
            ("model", call.model.as_str().into()),
            ("tokens", number(call.tokens)),
            ("max_tokens", number(call.max_tokens)),
            ("stream", Value::Bool(call.stream)),
            ("user", call.user.as_str().into()),
            ("session", call.session.as_str().into()),
            ("key", call.key.as_str().into()),
            ("environment", call.environment.as_str().into()),
            ("tags", call.tags.clone().into()),
            ("metadata", fields(&call.metadata)),
        ])
    }
}

/// Numbers in expressions are signed, and signed and unsigned ones are never equal.
fn number(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
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
