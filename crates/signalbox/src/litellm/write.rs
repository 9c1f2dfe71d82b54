//! The translation as YAML that people go on editing.

use std::fmt::Write as _;

use super::providers::Providers;
use super::routes::Route;

/// A text as YAML: JSON's strings are YAML's, too.
fn quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

pub(super) fn yaml(providers: &Providers, routes: &[Route]) -> String {
    let mut out = String::from("# Translated from a configuration of LiteLLM's proxy.\n");
    let mut head = "\nproviders:\n";
    for provider in providers.written() {
        out.push_str(std::mem::take(&mut head));
        let _ = writeln!(out, "  - name: {}", quoted(&provider.name));
        let kind = provider.kind.as_ref().filter(|kind| **kind != provider.name);
        let credential = provider.credential();
        let fields = [("kind", kind), ("base_url", provider.base_url.as_ref()), ("api_key", credential.as_ref())];
        for (field, value) in fields {
            if let Some(value) = value {
                let _ = writeln!(out, "    {field}: {}", quoted(value));
            }
        }
        let pairs = |pairs: &[(&str, String)]| {
            let pairs = pairs.iter().map(|(name, value)| format!("{name}: {}", quoted(value)));
            pairs.collect::<Vec<_>>().join(", ")
        };
        if !provider.variables.is_empty() {
            let _ = writeln!(out, "    variables: {{{}}}", pairs(&provider.variables));
        }
        if !provider.aws.is_empty() {
            let _ = writeln!(out, "    auth: {{aws: {{{}}}}}", pairs(&provider.aws));
        }
    }
    let mut head = "\nroutes:\n";
    for route in routes {
        out.push_str(std::mem::take(&mut head));
        self::route(&mut out, route);
    }
    out
}

fn route(out: &mut String, route: &Route) {
    let _ = writeln!(out, "  - name: {}\n    strategy: {}\n    targets:", quoted(&route.name), route.strategy);
    for target in &route.targets {
        let mut fields = format!("provider: {}, model: {}", quoted(&target.provider), quoted(&target.model));
        if let Some(weight) = target.weight {
            let _ = write!(fields, ", weight: {weight}");
        }
        if let Some(most) = target.max_concurrency {
            let _ = write!(fields, ", max_concurrency: {most}");
        }
        let _ = writeln!(out, "      - {{{fields}}}");
    }
    let seconds = |seconds: f64| format!("{}ms", (seconds * 1_000.0).round().max(1.0));
    if let Some(retries) = route.retries {
        let _ = writeln!(out, "    retry: {{attempts: {retries}}}");
    }
    if let Some(one_try) = route.try_s {
        let _ = writeln!(out, "    timeouts: {{try: {}}}", seconds(one_try));
    }
    let breaker = [
        route.failures.map(|failures| format!("failures: {}", failures.max(1))),
        route.cooldown_s.map(|cooldown| format!("cooldown: {}", seconds(cooldown))),
    ];
    let breaker: Vec<String> = breaker.into_iter().flatten().collect();
    if !breaker.is_empty() {
        let _ = writeln!(out, "    breaker: {{{}}}", breaker.join(", "));
    }
    if route.lenient {
        out.push_str("    lenient: true\n");
    }
    if route.on_length {
        let all = "rate_limited, upstream_timeout, upstream_unreachable, upstream_error, upstream_overloaded, upstream_auth, context_length";
        let _ = writeln!(out, "    fallback_on: [{all}]");
    }
}
