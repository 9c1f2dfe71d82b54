//! What a user may say about watching. The doc comments are the manual.

mod action;
mod channel;
mod check;
mod check_objective;
mod condition;
mod length;
mod monitor;
mod objective;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

pub use action::{ActionConfig, DisableKey, SwitchRoute, WebhookAction};
pub use channel::{
    AlertmanagerConfig, ChannelConfig, EmailConfig, OpsgenieConfig, PagerdutyConfig, Security, SlackConfig, Via,
    WebhookConfig,
};
pub use check::Problem;
pub(crate) use check::name_problem;
pub use condition::{
    Absence, Against, Baseline, BurnRate, BurnWindow, Change, Composite, Condition, Sequential, Side, Threshold,
};
pub use length::Length;
pub use monitor::{Flapping, Grouping, MonitorConfig, NoData, Severity, ValueOf};

pub use objective::{Availability, CheapEnough, Good, HighEnough, ObjectiveConfig, Ratio, Soon};

pub(crate) use objective::OF_OBJECTIVES;

use crate::drift::DriftConfig;
use crate::escalate::Escalation;
use crate::mute::{Inhibition, Maintenance};
use crate::on_call::{Person, Schedule};

/// What is watched, and who is told.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WatchConfig {
    /// `false`: nothing is evaluated and nobody is told. Default `true`.
    pub enabled: bool,
    /// Where people reach this Signalbox, for links in messages. Example: `https://signalbox.example.com`.
    pub public_url: Option<String>,
    /// Whether there are the monitors of the starter set: outages, error rate, latency, first token, cost, tokens, guardrails,
    /// quality, runaways, lost spans. One of your own with the name of one of them takes its place. Default `true`.
    pub starter: bool,
    /// Channels that are told of the starter set's incidents. Default: nobody; they are shown all the same.
    pub starter_notify: Vec<String>,
    /// Monitors. Those made through the API are kept in the catalog; these stand here only.
    pub monitors: Vec<MonitorConfig>,
    /// Ways to tell somebody.
    pub channels: Vec<ChannelConfig>,
    /// Who is told when.
    pub escalations: Vec<Escalation>,
    /// Who is on call.
    pub schedules: Vec<Schedule>,
    /// People who can be on call.
    pub people: Vec<Person>,
    /// Times that recur, in which nobody is told.
    pub maintenance: Vec<Maintenance>,
    /// Incidents that follow from others, of which people know already.
    pub inhibit: Vec<Inhibition>,
    /// What most calls, answers or scores have to be, and what releases wait for when they aren't. Those made through the API are kept
    /// in the catalog; these stand here only.
    pub objectives: Vec<ObjectiveConfig>,
    /// Comparisons of what is now with what was: inputs, answers, tools, scores. Those made through the API are kept in the catalog.
    pub drift: Vec<DriftConfig>,
}

impl Default for WatchConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            public_url: None,
            starter: true,
            starter_notify: Vec::new(),
            monitors: Vec::new(),
            channels: Vec::new(),
            escalations: Vec::new(),
            schedules: Vec::new(),
            people: Vec::new(),
            maintenance: Vec::new(),
            inhibit: Vec::new(),
            objectives: Vec::new(),
            drift: Vec::new(),
        }
    }
}

impl WatchConfig {
    /// All that can't be used, each with its field.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.public_url.as_ref().is_some_and(|url| !(url.starts_with("http://") || url.starts_with("https://"))) {
            problems.push(Problem::new("public_url", "expected a URL that begins with http:// or https://"));
        }
        let names = |names: Vec<&str>, list: &str, problems: &mut Vec<Problem>| {
            let mut taken = BTreeSet::new();
            for (i, name) in names.into_iter().enumerate() {
                if !taken.insert(name.to_owned()) {
                    problems.push(Problem::new(format!("{list}[{i}].name"), format!("`{name}` stands there twice")));
                }
            }
        };
        let channels: Vec<&str> = self.channels.iter().map(|one| one.name.as_str()).collect();
        let people: Vec<&str> = self.people.iter().map(|one| one.name.as_str()).collect();
        let schedules: Vec<&str> = self.schedules.iter().map(|one| one.name.as_str()).collect();
        names(self.monitors.iter().map(|one| one.name.as_str()).collect(), "monitors", &mut problems);
        names(self.objectives.iter().map(|one| one.name.as_str()).collect(), "objectives", &mut problems);
        names(self.drift.iter().map(|one| one.name.as_str()).collect(), "drift", &mut problems);
        names(channels.clone(), "channels", &mut problems);
        names(people.clone(), "people", &mut problems);
        names(schedules.clone(), "schedules", &mut problems);
        names(self.escalations.iter().map(|one| one.name.as_str()).collect(), "escalations", &mut problems);
        let mut under = |list: &str, i: usize, found: Vec<Problem>| {
            problems.extend(found.into_iter().map(|problem| problem.under(&format!("{list}[{i}]"))));
        };
        for (i, monitor) in self.monitors.iter().enumerate() {
            let mut found = monitor.problems();
            found.extend(self.unknown_names(monitor));
            found.extend(reserved(&monitor.name));
            under("monitors", i, found);
        }
        for (i, objective) in self.objectives.iter().enumerate() {
            let mut found = objective.problems();
            found.extend(self.unknown_names(&objective.monitor()));
            under("objectives", i, found);
        }
        for (i, check) in self.drift.iter().enumerate() {
            let mut found = check.problems();
            found.extend(self.unknown_names(&check.monitor()));
            under("drift", i, found);
        }
        self.channels.iter().enumerate().for_each(|(i, one)| under("channels", i, one.problems()));
        self.escalations
            .iter()
            .enumerate()
            .for_each(|(i, one)| under("escalations", i, one.problems(&channels, &schedules)));
        self.schedules.iter().enumerate().for_each(|(i, one)| under("schedules", i, one.problems(&people)));
        self.maintenance.iter().enumerate().for_each(|(i, one)| under("maintenance", i, one.problems()));
        for (i, one) in self.channels.iter().enumerate() {
            if let Via::Alertmanager(one) = &one.via {
                let found = unknown(&one.notify, &channels).into_iter();
                under("channels", i, found.map(|problem| problem.under("via.alertmanager")).collect());
            }
        }
        for (i, person) in self.people.iter().enumerate() {
            under("people", i, unknown(&person.notify, &channels));
        }
        problems.extend(
            unknown(&self.starter_notify, &channels)
                .into_iter()
                .map(|problem| Problem { field: format!("starter_{}", problem.field), ..problem }),
        );
        problems
    }

    /// Channels and escalations that a monitor names and nobody has made.
    #[must_use]
    pub fn unknown_names(&self, monitor: &MonitorConfig) -> Vec<Problem> {
        let channels: Vec<&str> = self.channels.iter().map(|one| one.name.as_str()).collect();
        let mut problems = unknown(&monitor.notify, &channels);
        let escalations: Vec<&str> = self.escalations.iter().map(|one| one.name.as_str()).collect();
        if let Some(name) = monitor.escalation.as_deref().filter(|name| !escalations.contains(name)) {
            let problem = format!("there is no escalation `{name}`; {}", crate::escalate::listed(&escalations));
            problems.push(Problem::new("escalation", problem));
        }
        for (i, action) in monitor.actions.iter().enumerate() {
            let Some(webhook) = &action.webhook else { continue };
            let known = self.channels.iter().find(|one| one.name == webhook.channel);
            if !known.is_some_and(|one| matches!(one.via, Via::Webhook(_))) {
                let problem = format!("there is no channel `{}` via a webhook", webhook.channel);
                problems.push(Problem::new(format!("actions[{i}].webhook.channel"), problem));
            }
        }
        problems
    }
}

/// Why a monitor can't have this name, if an objective's has.
pub(crate) fn reserved(name: &str) -> Option<Problem> {
    let problem = format!("`{OF_OBJECTIVES}…` is what the monitors of objectives are called; expected another name");
    name.starts_with(OF_OBJECTIVES).then(|| Problem::new("name", problem))
}

fn unknown(names: &[String], channels: &[&str]) -> Vec<Problem> {
    let unknown = names.iter().enumerate().filter(|(_, name)| !channels.contains(&name.as_str()));
    unknown
        .map(|(i, name)| {
            let problem = format!("there is no channel `{name}`; {}", crate::escalate::listed(channels));
            Problem::new(format!("notify[{i}]"), problem)
        })
        .collect()
}
