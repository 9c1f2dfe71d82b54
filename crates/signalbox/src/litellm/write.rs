//! The translation as YAML that people go on editing.

use std::fmt::Write as _;

use signalbox_prices::{ModelPrice, Rates};

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

pub(super) fn yaml(providers: &Providers, routes: &[Route], prices: &[ModelPrice]) -> String {
    let mut out = String::from("# Translated from a configuration of LiteLLM's proxy.\n");
    let mut head = "\nproviders:\n";
    for provider in providers.written() {
        out.push_str(std::mem::take(&mut head));
        let _ = writeln!(out, "  - name: {}", quoted(&provider.name));
        let kind = provider.kind.as_ref().filter(|kind| **kind != provider.name);
        let fields = [("kind", kind), ("base_url", provider.base_url.as_ref()), ("api_key", provider.api_key.as_ref())];
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
        if !provider.headers.is_empty() {
            out.push_str("    headers:\n");
            for (name, value) in &provider.headers {
                let _ = writeln!(out, "      {}: {}", quoted(name), quoted(value));
            }
        }
    }
    let mut head = "\nroutes:\n";
    for route in routes {
        out.push_str(std::mem::take(&mut head));
        self::route(&mut out, route);
    }
    let mut head = "\n# In dollars per million tokens.\nprices:\n";
    for price in prices {
        out.push_str(std::mem::take(&mut head));
        let _ = writeln!(
            out,
            "  - provider: {}\n    model: {}",
            quoted(price.provider.as_deref().unwrap_or_default()),
            quoted(&price.model)
        );
        for (class, dollars) in classes(&price.rates) {
            let _ = writeln!(out, "    {class}: {dollars}");
        }
        let mut head = "    tiers:\n";
        for tier in &price.tiers {
            out.push_str(std::mem::take(&mut head));
            let _ = write!(out, "      - {{above_input_tokens: {}", tier.above_input_tokens);
            for (class, dollars) in classes(&tier.rates) {
                let _ = write!(out, ", {class}: {dollars}");
            }
            out.push_str("}\n");
        }
    }
    out
}

/// The classes of tokens that have a price.
fn classes(rates: &Rates) -> impl Iterator<Item = (&'static str, String)> {
    let all = [
        ("input", Some(rates.input)),
        ("cache_read", rates.cache_read),
        ("cache_write", rates.cache_write),
        ("cache_write_1h", rates.cache_write_1h),
        ("output", Some(rates.output)),
        ("audio_input", rates.audio_input),
        ("audio_output", rates.audio_output),
        ("image_input", rates.image_input),
        ("image_output", rates.image_output),
    ];
    all.into_iter().filter_map(|(class, dollars)| Some((class, dollars?.0.to_string())))
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
        if let Some(most) = target.context_tokens {
            let _ = write!(fields, ", context_tokens: {most}");
        }
        if !target.lacks.is_empty() {
            let _ = write!(fields, ", lacks: [{}]", target.lacks.join(", "));
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
