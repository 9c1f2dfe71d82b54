//! What can be done about an incident from its page, or by itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Length, Problem, WatchConfig};

const LONGEST_NAME: usize = 80;
pub(super) const MOST_ACTIONS: usize = 20;

/// Something that can be done: exactly one of `webhook`, `disable_key` and `switch_route`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionConfig {
    /// What people read on its button. Example: `Send everything to the second provider`.
    pub name: String,
    /// Calls a webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookAction>,
    /// Revokes a virtual key, for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_key: Option<DisableKey>,
    /// Sends the calls of a route elsewhere for a while. In the configuration's monitors only: routes are everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch_route: Option<SwitchRoute>,
    /// `true`: done by itself, once, when the incident opens and nobody has silenced it. For webhooks and routes. Default `false`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
}

/// A webhook to call: what is sent is `incident.action`, with the incident, the action's name and its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookAction {
    /// A channel `via: webhook`: its address and signature are used.
    pub channel: String,
    /// What the other side has to know. `{{value}}`, `{{labels.model}}` and so on are filled in as in a runbook.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// A virtual key to revoke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisableKey {
    /// Its id. Example: `{{labels.key_id}}`, in a monitor that groups by `key_id`.
    pub key: String,
}

/// A route whose calls go elsewhere: to another route, or to some of its own targets alone. Exactly one of `to` and `targets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchRoute {
    /// The route. Example: `chat`.
    pub route: String,
    /// The route that answers its calls meanwhile, by its own settings. Example: `backup`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Those of its targets that alone are asked meanwhile. Example: `[anthropic/claude-haiku-4-5]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// For how long, whatever becomes of the incident; until it is over if absent. Example: `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "for")]
    pub for_: Option<Length>,
}

impl SwitchRoute {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut report = |field: &str, problem: &str| {
            problems.push(Problem::new(format!("switch_route.{field}"), problem));
        };
        if self.route.trim().is_empty() {
            report("route", "is empty; expected the name of a route");
        }
        if self.to.is_some() != self.targets.is_empty() {
            report("to", "expected exactly one of `to`, another route, and `targets`, some of its own");
        }
        if self.for_.is_some_and(|time| time < Length::seconds(1)) {
            report("for", "is less than 1s");
        }
        problems
    }

    /// What it names that isn't among these routes with their targets. What is filled in only when an incident opens isn't known yet.
    fn unknown(&self, routes: &BTreeMap<String, Vec<String>>) -> Vec<Problem> {
        let known = |text: &String| !text.contains("{{");
        let mut problems = Vec::new();
        for (field, name) in [("route", Some(&self.route)), ("to", self.to.as_ref())] {
            let strange = name.filter(|name| known(name) && !routes.contains_key(*name));
            problems.extend(strange.map(|name| {
                let names = routes.keys().cloned().collect::<Vec<_>>().join(", ");
                Problem::new(field, format!("there is no route `{name}`; expected one of {names}"))
            }));
        }
        if self.to.as_ref() == Some(&self.route) {
            problems.push(Problem::new("to", "is the route itself"));
        }
        let Some(own) = routes.get(&self.route) else { return problems };
        for (i, target) in self.targets.iter().enumerate().filter(|(_, target)| known(target)) {
            if !own.contains(target) {
                let problem =
                    format!("route `{}` has no target `{target}`; expected some of {}", self.route, own.join(", "));
                problems.push(Problem::new(format!("targets[{i}]"), problem));
            }
        }
        problems
    }
}

impl WatchConfig {
    /// What its actions name that isn't among these routes, each with its targets as `provider/model`.
    #[must_use]
    pub fn unknown_routes(&self, routes: &BTreeMap<String, Vec<String>>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (i, monitor) in self.monitors.iter().enumerate() {
            for (j, action) in monitor.actions.iter().enumerate() {
                let found = action.switch_route.iter().flat_map(|switch| switch.unknown(routes));
                problems.extend(found.map(|one| one.under(&format!("monitors[{i}].actions[{j}].switch_route"))));
            }
        }
        problems
    }
}

impl ActionConfig {
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.name.trim().is_empty() || self.name.chars().count() > LONGEST_NAME {
            problems.push(Problem::new("name", format!("expected 1 to {LONGEST_NAME} characters")));
        }
        match (&self.webhook, &self.disable_key, &self.switch_route) {
            (Some(_), None, None) => {}
            (None, Some(_), None) if self.automatic => {
                let problem = "is for webhooks and routes only: a revoked key stays revoked, which a person has to want; leave it out";
                problems.push(Problem::new("automatic", problem));
            }
            (None, Some(disable), None) if disable.key.trim().is_empty() => {
                problems.push(Problem::new("disable_key.key", "is empty; expected e.g. `{{labels.key_id}}`"));
            }
            (None, Some(_), None) => {}
            (None, None, Some(switch)) => problems.extend(switch.problems()),
            _ => {
                let problem = "expected exactly one of `webhook`, `disable_key` and `switch_route`";
                problems.push(Problem::new("webhook", problem));
            }
        }
        problems
    }
}
