//! Groups of models, retries and fallbacks as routes.

use serde_json::Value;

use super::models::{Group, Target};
use super::{Report, models};

/// A route to be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Route {
    pub(super) name: String,
    pub(super) strategy: &'static str,
    pub(super) targets: Vec<Target>,
    pub(super) retries: Option<u64>,
    pub(super) try_s: Option<f64>,
    pub(super) failures: Option<u64>,
    pub(super) cooldown_s: Option<f64>,
    /// Calls that are too long for a model go on, too.
    pub(super) on_length: bool,
    /// What a provider can't express is left out.
    pub(super) lenient: bool,
}

/// A setting of the router, or else of the whole proxy.
fn setting<'a>(config: &'a Value, names: &[&str]) -> Option<&'a Value> {
    let sections = ["router_settings", "litellm_settings"];
    sections.iter().find_map(|section| names.iter().find_map(|name| config.get(section)?.get(name)))
}

pub(super) fn routes(config: &Value, groups: &[Group], report: &mut Report) -> Vec<Route> {
    let strategy = strategy(setting(config, &["routing_strategy"]).and_then(Value::as_str), report);
    let number = |names: &[&str]| setting(config, names).and_then(Value::as_f64);
    let count = |names: &[&str]| setting(config, names).and_then(Value::as_u64);
    let mut routes = Vec::new();
    for group in groups {
        let mut targets = group.targets.clone();
        let mut further = Vec::new();
        let by_name = fallbacks(config, "fallbacks", &group.name);
        let on_length = fallbacks(config, "context_window_fallbacks", &group.name);
        let default = || names(setting(config, &["default_fallbacks"])).into_iter().filter(|name| *name != group.name);
        let wanted = if by_name.is_empty() { default().collect() } else { by_name };
        for name in wanted.iter().chain(&on_length) {
            match groups.iter().find(|other| other.name == *name) {
                Some(other) => further.extend(other.targets.iter().cloned()),
                None => {
                    report.left_out(&format!("fallback of `{}`", group.name), &format!("there is no model `{name}`"))
                }
            }
        }
        further.retain(|target| !targets.iter().any(|known| is_same(known, target)));
        further.dedup_by(|one, other| is_same(one, other));
        let alone = targets.len() == 1;
        // Behind several that share the calls, the others are asked only when none of those can be.
        let shares = !alone && !further.is_empty();
        targets.extend(
            further.into_iter().map(|target| if shares { Target { weight: Some(0.0), ..target } } else { target }),
        );
        let strategy = if alone {
            "priority"
        } else if shares {
            "weighted"
        } else {
            strategy
        };
        if shares && strategy != "weighted" {
            report.note(format!("route `{}` is `weighted`, so that its fallbacks come last", group.name));
        }
        routes.push(Route {
            name: group.name.clone(),
            strategy,
            targets,
            retries: group.retries.or_else(|| count(&["num_retries"])),
            try_s: number(&["timeout", "request_timeout"]),
            failures: count(&["allowed_fails"]),
            cooldown_s: number(&["cooldown_time"]),
            on_length: !on_length.is_empty(),
            lenient: setting(config, &["drop_params"]).and_then(Value::as_bool).unwrap_or(false),
        });
    }
    aliases(config, &mut routes, report);
    routes
}

fn is_same(one: &models::Target, other: &models::Target) -> bool {
    (&one.provider, &one.model) == (&other.provider, &other.model)
}

fn strategy(theirs: Option<&str>, report: &mut Report) -> &'static str {
    match theirs {
        None | Some("simple-shuffle" | "usage-based-routing" | "usage-based-routing-v2") => {
            if theirs.is_some_and(|name| name.starts_with("usage")) {
                report.note(
                    "`usage-based-routing` became `weighted`: targets at their limit say so, and the next one is asked",
                );
            }
            "weighted"
        }
        Some("least-busy") => "least_busy",
        Some("latency-based-routing") => "least_latency",
        Some("cost-based-routing") => "cheapest",
        Some(other) => {
            report.left_out(
                "router_settings.routing_strategy",
                &format!("`{other}` has no counterpart; `weighted` was written"),
            );
            "weighted"
        }
    }
}

/// `[{"a": ["b", "c"]}]`: those of `name`.
fn fallbacks(config: &Value, list: &str, name: &str) -> Vec<String> {
    let entries = setting(config, &[list]).and_then(Value::as_array);
    names(entries.into_iter().flatten().find_map(|entry| entry.get(name)))
}

fn names(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Other names of a group.
fn aliases(config: &Value, routes: &mut Vec<Route>, report: &mut Report) {
    let aliases = setting(config, &["model_group_alias"]).and_then(Value::as_object);
    for (alias, of) in aliases.into_iter().flatten() {
        let name = of.as_str().or_else(|| of.get("model").and_then(Value::as_str)).unwrap_or_default();
        match routes.iter().find(|route| route.name == name).cloned() {
            Some(route) => routes.push(Route { name: alias.clone(), ..route }),
            None => report.left_out(
                &format!("router_settings.model_group_alias.{alias}"),
                &format!("there is no model `{name}`"),
            ),
        }
    }
}
