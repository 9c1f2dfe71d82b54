//! What can be done about an incident from its page, or by itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Problem;

const LONGEST_NAME: usize = 80;
pub(super) const MOST_ACTIONS: usize = 20;

/// Something that can be done: exactly one of `webhook` and `disable_key`.
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
    /// `true`: done by itself, once, when the incident opens and nobody has silenced it. For webhooks only. Default `false`.
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

impl ActionConfig {
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.name.trim().is_empty() || self.name.chars().count() > LONGEST_NAME {
            problems.push(Problem::new("name", format!("expected 1 to {LONGEST_NAME} characters")));
        }
        match (&self.webhook, &self.disable_key) {
            (Some(_), None) => {}
            (None, Some(_)) if self.automatic => {
                let problem =
                    "is for webhooks only: a revoked key stays revoked, which a person has to want; leave it out";
                problems.push(Problem::new("automatic", problem));
            }
            (None, Some(disable)) if disable.key.trim().is_empty() => {
                problems.push(Problem::new("disable_key.key", "is empty; expected e.g. `{{labels.key_id}}`"));
            }
            (None, Some(_)) => {}
            _ => problems.push(Problem::new("webhook", "expected exactly one of `webhook` and `disable_key`")),
        }
        problems
    }
}
