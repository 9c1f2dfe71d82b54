//! Whom policies may ask over the network: configured by who runs Signalbox, named by policies. Nothing here asks anybody.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use signalbox_types::Secret;

use crate::policy::{GuardError, PolicyProblem};

/// Somebody who can be asked about texts, for the scanner `remote`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// What policies call it: `options: {service: NAME}`.
    pub name: String,
    /// Where it is asked, with `http://` or `https://`. It gets what callers and models say.
    pub url: Secret,
    /// Headers that it wants, e.g. `authorization: Bearer ${CHECK_KEY}`. Nobody is shown them.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
}

/// A name stands in findings, spans and metrics.
const MAX_NAME_BYTES: usize = 60;

impl ServiceConfig {
    /// Everything that is wrong with it; `index` is its position in the list, and `before` are those before it.
    pub(crate) fn problems(&self, index: usize, before: &[Self]) -> Vec<GuardError> {
        let mut problems = Vec::new();
        let mut wrong = |field: &str, told: String| {
            problems
                .push(GuardError { path: format!("services[{index}].{field}"), problem: PolicyProblem::Option(told) });
        };
        let is_of_name = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
        if self.name.is_empty() || self.name.len() > MAX_NAME_BYTES || !self.name.chars().all(is_of_name) {
            wrong("name", format!("expected 1 to {MAX_NAME_BYTES} letters, digits, `-`, `_` and `.`"));
        }
        if let Some(other) = before.iter().position(|other| other.name == self.name) {
            wrong("name", format!("`{}` is already the name of services[{other}]; give each its own", self.name));
        }
        if !is_url(self.url.expose()) {
            let hint = "a user and password belong into a header";
            wrong("url", format!("expected a URL as in `https://checks.example/v1/check`; {hint}"));
        }
        let is_token = |text: &str| !text.is_empty() && text.chars().all(is_of_name);
        let is_value = |text: &str| !text.is_empty() && text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        for (name, value) in &self.headers {
            if !is_token(name) {
                wrong("headers", format!("`{name}` is not a header's name; write one like `x-api-key`"));
            } else if !is_value(value.expose()) {
                wrong(&format!("headers.{name}"), "it is empty, or holds what no header may carry".to_owned());
            }
        }
        problems
    }
}

/// With a scheme and a host, and nobody's name.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let authority = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let is_plain = !text.contains(|char: char| char.is_whitespace() || char.is_control());
    is_plain && authority.is_some_and(|authority| !authority.is_empty() && !authority.contains('@'))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::policy::GuardConfig;
    use crate::{Guard, Hint};

    fn problem(service: Value) -> String {
        let config = json!({"policies": [], "services": [{"name": "a", "url": "http://a"}, service]});
        let config: GuardConfig = serde_json::from_value(config).unwrap();
        Guard::problems(&config).first().map(ToString::to_string).unwrap_or_default()
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        let check = |service: Value, expected: &str| {
            let told = problem(service);
            assert!(told.starts_with(expected) && !told.contains("hunter2"), "{told}");
        };
        check(json!({"name": "b", "url": "https://x.example:8443/v1?a=b", "headers": {"x-key": "hunter2"}}), "");
        check(json!({"name": "a", "url": "http://b"}), "services[1].name: `a` is already the name of services[0]");
        check(json!({"name": "a b", "url": "http://b"}), "services[1].name: expected 1 to 60 letters");
        for url in ["b", "ftp://b/hunter2", "http://hunter2@b/", "http:///hunter2", "http://b/hunter2 x"] {
            check(json!({"name": "b", "url": url}), "services[1].url: expected a URL");
        }
        check(json!({"name": "b", "url": "http://b", "headers": {"x y": "hunter2"}}), "services[1].headers: `x y`");
        let broken = json!({"name": "b", "url": "http://b", "headers": {"x": "hunter2\n"}});
        check(broken, "services[1].headers.x: it is empty, or");
    }

    #[test]
    fn a_policy_names_one_that_is_there() {
        let of = |service: &str| {
            let policy = json!({"scanner": "remote", "options": {"service": service}});
            let config = json!({"policies": [policy], "services": [{"name": "checks", "url": "http://b"}]});
            Guard::problems(&serde_json::from_value::<GuardConfig>(config).unwrap()).pop()
        };
        assert_eq!(of("checks"), None);
        let told = of("cheks").unwrap();
        assert_eq!(told.path, "policies[0].options.service");
        let hint = Hint::nearest("cheks", ["checks"].into_iter());
        assert_eq!(told.problem.to_string(), format!("no service `cheks` is configured (`guard.services`){hint}"));
    }

    #[test]
    fn nobody_is_shown_where_and_with_what() {
        let config =
            json!({"policies": [], "services": [{"name": "b", "url": "http://hunter2/", "headers": {"x": "hunter2"}}]});
        let config: GuardConfig = serde_json::from_value(config).unwrap();
        assert!(!format!("{config:?}{}", serde_json::to_string(&config).unwrap()).contains("hunter2"));
    }
}
