//! Secrets that stood in the file itself: each comes from the environment from now on, in a variable that nothing else in the
//! file is read from, so that no account's calls go out with another's key.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Report;
use super::providers::{AWS, Provider, Providers};

/// How LiteLLM names a variable.
pub(super) const ENVIRONMENT: &str = "os.environ/";

/// Puts a variable in the place of every secret.
pub(super) fn hide(config: &Value, providers: &mut Providers, report: &mut Report) {
    let mut variables = Variables::default();
    variables.named(config);
    variables.taken.extend(providers.iter().flat_map(usual));
    for provider in providers.iter_mut() {
        hide_in(provider, &mut variables, report);
    }
}

/// Variables that a provider without keys of its own is given by.
fn usual(provider: &Provider) -> Vec<String> {
    let of_kind = provider.row().map(|row| row.key_env.clone()).unwrap_or_default();
    let key = of_kind.into_iter().filter(|_| provider.api_key.is_none());
    // Without a word on any of its keys, they are those of the environment.
    let is_amazon = provider.kind.as_deref() == Some("aws_bedrock") && provider.aws.is_empty();
    let amazon = AWS.iter().filter(|_| is_amazon).map(|(_, _, usual)| (*usual).to_owned());
    key.chain(amazon).collect()
}

fn hide_in(provider: &mut Provider, variables: &mut Variables, report: &mut Report) {
    let name = provider.name.clone();
    let upper = upper(&name);
    let mut hide = |text: &mut String, stem: &str, ending: &str, what: &str| {
        if !text.starts_with("${") {
            let variable = variables.of(text, stem, ending);
            report.note(format!("{what} of `{name}` stood in the file: put it into {variable} where Signalbox runs"));
            *text = format!("${{{variable}}}");
        }
    };
    if let Some(key) = &mut provider.api_key {
        hide(key, &upper, "API_KEY", "the key");
    }
    for (ours, value) in &mut provider.aws {
        hide(value, "AWS", &ours.to_ascii_uppercase(), &format!("`{ours}`"));
    }
    // What is Amazon's usual variable needs no word.
    provider
        .aws
        .retain(|(ours, value)| !AWS.iter().any(|(_, own, usual)| own == ours && *value == format!("${{{usual}}}")));
    for (header, value) in &mut provider.headers {
        if is_secret(header) {
            hide(value, &upper, &self::upper(header), &format!("the header `{header}`"));
        }
    }
}

fn is_secret(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    ["auth", "key", "token", "secret", "cookie", "password"].iter().any(|word| header.contains(word))
}

fn upper(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// Which variables there are, and what is in those that were given out here.
#[derive(Debug, Default)]
struct Variables {
    taken: BTreeSet<String>,
    given: BTreeMap<(String, String), String>,
}

impl Variables {
    /// Takes every variable that the file speaks of.
    fn named(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                let own = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
                self.taken.extend(text.strip_prefix(ENVIRONMENT).or(own).map(str::to_owned));
            }
            Value::Array(items) => items.iter().for_each(|item| self.named(item)),
            Value::Object(fields) => {
                let set = fields.get("environment_variables").and_then(Value::as_object);
                self.taken.extend(set.into_iter().flat_map(|set| set.keys().cloned()));
                fields.values().for_each(|field| self.named(field));
            }
            _ => {}
        }
    }

    /// The variable for a secret, `STEM_ENDING` or with a number between them; the same secret has one.
    fn of(&mut self, secret: &str, stem: &str, ending: &str) -> String {
        let place = (format!("{stem}_{ending}"), secret.to_owned());
        if let Some(known) = self.given.get(&place) {
            return known.clone();
        }
        let mut name = place.0.clone();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{stem}_{number}_{ending}");
            number += 1;
        }
        self.given.insert(place, name.clone());
        name
    }
}
