//! Who is told of an incident, and when: step after step until somebody has taken it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_types::Timestamp;

use crate::config::{Length, Problem};

/// An escalation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// Its name.
    pub name: String,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// How often all steps are gone through again if nobody has taken it. Default 0.
    #[serde(default)]
    pub repeat: u32,
}

/// A step of an escalation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// How long after the step before (or the beginning, or the last step of the round before). Default `0s`.
    #[serde(default)]
    pub after: Length,
    /// Channels that are told.
    #[serde(default)]
    pub notify: Vec<String>,
    /// Schedules: whoever is on call is told, by that person's channels.
    #[serde(default)]
    pub on_call: Vec<String>,
}

/// Where the escalation of an incident stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The next step.
    pub step: usize,
    /// How often all of them have been gone through.
    pub round: u32,
    /// When it is due; absent when there is nothing left to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

impl Escalation {
    /// Everybody at once.
    #[must_use]
    pub fn at_once(notify: Vec<String>) -> Self {
        let step = Step { after: Length::default(), notify, on_call: Vec::new() };
        Self { name: String::new(), steps: vec![step], repeat: 0 }
    }

    /// Where it begins.
    #[must_use]
    pub fn begin(&self, now: Timestamp) -> Progress {
        Progress { step: 0, round: 0, due: self.steps.first().map(|first| now.plus(first.after.0)) }
    }

    /// The step that is due, and where it stands after that.
    #[must_use]
    pub fn next(&self, progress: &Progress, now: Timestamp) -> Option<(&Step, Progress)> {
        let step = self.steps.get(progress.step)?;
        if progress.due.is_none_or(|due| now < due) {
            return None;
        }
        let (next, round) = match progress.step + 1 {
            next if next < self.steps.len() => (next, progress.round),
            _ => (0, progress.round + 1),
        };
        let due = self.steps.get(next).filter(|_| round <= self.repeat).map(|step| {
            // A round that began at once would never let anybody sleep.
            let least = if next == 0 { Length::minutes(1) } else { Length::default() };
            now.plus(step.after.max(least).0)
        });
        Some((step, Progress { step: next, round, due }))
    }

    pub(crate) fn problems(&self, channels: &[&str], schedules: &[&str]) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.steps.is_empty() {
            problems.push(Problem::new("steps", "is empty; expected at least one, e.g. {notify: [ops]}"));
        }
        if self.repeat > 100 {
            problems.push(Problem::new("repeat", format!("is {}; expected at most 100", self.repeat)));
        }
        for (i, step) in self.steps.iter().enumerate() {
            if step.notify.is_empty() && step.on_call.is_empty() {
                problems.push(Problem::new(format!("steps[{i}]"), "tells nobody; expected `notify` or `on_call`"));
            }
            for (field, names, known, what) in
                [("notify", &step.notify, channels, "channel"), ("on_call", &step.on_call, schedules, "schedule")]
            {
                for (j, name) in names.iter().enumerate().filter(|(_, name)| !known.contains(&name.as_str())) {
                    let problem = format!("there is no {what} `{name}`; {}", listed(known));
                    problems.push(Problem::new(format!("steps[{i}].{field}[{j}]"), problem));
                }
            }
        }
        problems
    }
}

pub(crate) fn listed(known: &[&str]) -> String {
    match known {
        [] => "there are none yet".to_owned(),
        known => format!("expected one of {}", known.join(", ")),
    }
}
