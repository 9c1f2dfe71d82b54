//! What one policy wants of a scanner, and of which calls.

use std::sync::Arc;

use signalbox_types::{Action, Role};

use crate::condition::{Condition, FACTS, variables};
use crate::context::Facts;
use crate::policy::PolicyConfig;
use crate::scanner::{About, Hit, Rule};

/// What one policy wants of a scanner.
#[derive(Clone)]
pub(crate) struct Term {
    /// What it does: in shadow it only flags.
    pub(crate) action: Action,
    /// What it would do, were it not in shadow.
    pub(crate) would: Action,
    /// What `rewrite` answers.
    pub(crate) reply: Option<Arc<str>>,
    name: Option<String>,
    /// Names of rules; all if empty.
    rules: Vec<&'static str>,
    min_confidence: f32,
    /// Whose texts; all if empty.
    roles: Vec<Role>,
    allow: Vec<String>,
    when: Option<Arc<Condition>>,
    /// Lots up to this one are drawn.
    sample: Option<u64>,
}

impl Term {
    pub(crate) fn compile(policy: &PolicyConfig, about: &'static About) -> Self {
        let when = policy.when.as_ref().and_then(|when| Condition::of_policy(when, &FACTS).ok());
        Self {
            action: if policy.shadow { Action::Flag } else { policy.action },
            would: policy.action,
            reply: policy.reply.as_deref().map(Arc::from),
            name: policy.name.clone(),
            rules: policy.rules.iter().filter_map(|name| about.rule(name)).map(|rule| rule.name).collect(),
            min_confidence: policy.min_confidence.unwrap_or(0.0),
            roles: policy.roles.clone(),
            allow: policy.allow.clone(),
            when: when.map(Arc::new),
            sample: policy.sample.map(|share| (f64::from(share.clamp(0.0, 1.0)) * u64::MAX as f64) as u64),
        }
    }

    /// Whether it is not for all calls.
    pub(crate) fn reads_context(&self) -> bool {
        self.when.is_some() || self.sample.is_some()
    }

    /// Whether it looks at what this one says to a model.
    pub(crate) fn hears(&self, role: Role) -> bool {
        self.roles.is_empty() || self.roles.contains(&role)
    }

    /// Whether it is for this call.
    pub(crate) fn is_for(&self, facts: &Facts) -> bool {
        self.sample.is_none_or(|last| facts.lot <= last)
            && self.when.as_ref().is_none_or(|when| when.holds(variables(facts)))
    }

    /// What a finding says: what it means, and which policy sees to it.
    pub(crate) fn message(&self, rule: &Rule, detail: Option<&str>, excepted: Option<&str>) -> String {
        let shadow = match self.would {
            _ if self.action == self.would => None,
            Action::Block => Some("in shadow: it would be blocked"),
            Action::Rewrite => Some("in shadow: another reply would be given"),
            Action::Tokenise => Some("in shadow: a placeholder would stand there"),
            Action::Redact | Action::Flag => Some("in shadow: it would be redacted"),
        };
        let policy = self.name.as_ref().map(|name| format!("policy `{name}`"));
        let excepted = excepted.map(|reason| format!("an exception: {}", reason.trim_end_matches('.')));
        let told: Vec<&str> =
            detail.into_iter().chain(policy.as_deref()).chain(shadow).chain(excepted.as_deref()).collect();
        match told.is_empty() {
            true => rule.message.to_owned(),
            false => format!("{} ({}).", rule.message.trim_end_matches('.'), told.join(", ")),
        }
    }

    pub(crate) fn wants(&self, hit: &Hit, found: &str) -> bool {
        (self.rules.is_empty() || self.rules.contains(&hit.rule.name))
            && hit.confidence >= self.min_confidence
            && !self.lets_pass(found)
    }

    /// Whether it is a text that is no finding.
    pub(crate) fn lets_pass(&self, found: &str) -> bool {
        self.allow.iter().any(|pattern| allows(pattern, found))
    }
}

/// Whether `text` is what `pattern` allows; `*` stands for anything. Linear: each piece is searched
/// once, after the one before it.
pub(crate) fn allows(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}
