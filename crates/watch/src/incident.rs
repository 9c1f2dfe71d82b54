//! An incident: what is wrong, since when, who knows, what was done. It is what outlives the alerts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use signalbox_types::Timestamp;

use crate::action::Action;
use crate::config::{MonitorConfig, Severity};
use crate::context::Context;
use crate::escalate::Progress;
use crate::kinds::shown;
use crate::state::{Labels, SeriesState};

/// Entries of a timeline at most: the first ones stay, the oldest after them go.
const LONGEST_TIMELINE: usize = 300;
const KEPT_BEGINNING: usize = 50;

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStatus {
    /// Nobody has taken it.
    Open,
    /// Somebody has.
    Acknowledged,
    /// It is over.
    Resolved,
}

/// What happened, or was done, at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = TimelineEntry)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What: opened, fired, worsened, recovered, told, not_told, acknowledged, note, resolved.
    pub what: String,
    /// In words.
    pub text: String,
    /// Who did it, if a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A series that belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = IncidentSeries)]
pub struct Affected {
    /// Which one.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub labels: Labels,
    /// It fires now.
    pub firing: bool,
    /// When it began.
    pub since: Timestamp,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The value at the latest evaluation while it fired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The limit then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// What was compared with what.
    pub text: String,
}

/// Something that deserves a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Incident {
    /// Its id; sorts by time.
    pub id: String,
    /// What it has in common with its repetitions: the monitor, and the series where each makes its own.
    pub fingerprint: String,
    /// The monitor.
    pub monitor: String,
    /// In a line.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The monitor's labels, and those that all its series share.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub labels: Labels,
    /// How far it has come.
    pub status: IncidentStatus,
    /// When it began.
    pub opened_at: Timestamp,
    /// When somebody took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// Who said so; absent if it ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
    /// Its series.
    pub series: Vec<Affected>,
    /// What to do, with the values filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// What happened.
    pub timeline: Vec<Entry>,
    /// Who was told, and how the channel refers to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, Option<String>>)]
    pub told: BTreeMap<String, Option<String>>,
    /// Why nobody is told, while that is so: a silence, a maintenance, another incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<String>,
    /// It has become worse, and nobody was told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub worsened: bool,
    /// Where the escalation stands; absent before it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub escalation: Option<Progress>,
    /// What is beside it: changes just before, what differs, examples. Absent before it was looked into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// What can be done about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// The channel by which it was told of, if no monitor of ours found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<String>,
}

impl Incident {
    /// One that begins with this series.
    #[must_use]
    pub fn open(
        id: String,
        fingerprint: String,
        monitor: &MonitorConfig,
        series: &SeriesState,
        now: Timestamp,
    ) -> Self {
        let mut incident = Self {
            id,
            fingerprint,
            monitor: monitor.name.clone(),
            title: String::new(),
            severity: series.severity.unwrap_or(monitor.severity),
            owner: monitor.owner.clone(),
            labels: Labels::new(),
            status: IncidentStatus::Open,
            opened_at: now,
            acknowledged_at: None,
            acknowledged_by: None,
            resolved_at: None,
            resolved_by: None,
            series: Vec::new(),
            runbook: None,
            timeline: Vec::new(),
            told: BTreeMap::new(),
            muted: None,
            worsened: false,
            escalation: None,
            context: None,
            actions: Vec::new(),
            external: None,
        };
        incident.take(monitor, series, now);
        incident.runbook = monitor.runbook.as_ref().map(|text| incident.filled(text));
        incident.actions = monitor.actions.iter().filter_map(|action| Action::of(action, &incident)).collect();
        let text = incident.title.clone();
        incident.note(now, "opened", text, None);
        incident
    }

    /// Whether it goes on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.status != IncidentStatus::Resolved
    }

    /// Whether one of its series fires.
    #[must_use]
    pub fn fires(&self) -> bool {
        self.series.iter().any(|one| one.firing)
    }

    /// Takes a series that fires: a new one, or what is new of one that it has.
    pub fn take(&mut self, monitor: &MonitorConfig, series: &SeriesState, now: Timestamp) {
        let place = self.series.iter().position(|one| one.labels == series.labels);
        let seen = series.seen.as_ref();
        let fresh = Affected {
            labels: series.labels.clone(),
            firing: true,
            since: now,
            until: None,
            value: seen.and_then(|seen| seen.value),
            limit: seen.and_then(|seen| seen.limit),
            text: seen.map(|seen| seen.text.clone()).unwrap_or_default(),
        };
        match place.and_then(|place| self.series.get_mut(place)) {
            Some(known) if known.firing => *known = Affected { since: known.since, ..fresh },
            Some(known) => *known = fresh,
            None => self.series.push(fresh),
        }
        self.severity = self.severity.max(series.severity.unwrap_or(monitor.severity));
        self.labels = shared(&self.series);
        self.labels.extend(monitor.labels.clone());
        self.title = title(monitor, &self.series, &self.labels);
    }

    /// A series of it is over.
    pub fn recover(&mut self, labels: &Labels, now: Timestamp) {
        if let Some(one) = self.series.iter_mut().find(|one| one.labels == *labels) {
            (one.firing, one.until) = (false, Some(now));
        }
    }

    /// Writes it down.
    pub fn note(&mut self, at: Timestamp, what: &str, text: impl Into<String>, by: Option<&str>) {
        if self.timeline.len() >= LONGEST_TIMELINE {
            self.timeline.remove(KEPT_BEGINNING);
        }
        self.timeline.push(Entry { at, what: what.to_owned(), text: text.into(), by: by.map(str::to_owned) });
    }

    /// A text with the incident's values in place of `{{…}}`; what isn't known stays as it stands.
    #[must_use]
    pub fn filled(&self, template: &str) -> String {
        let worst = self.series.iter().find(|one| one.firing).or_else(|| self.series.first());
        let number = |value: Option<f64>| value.map(shown);
        fill(template, &|name| match name {
            "value" => number(worst?.value),
            "limit" | "threshold" => number(worst?.limit),
            "text" => Some(worst?.text.clone()),
            "monitor" => Some(self.monitor.clone()),
            "title" => Some(self.title.clone()),
            "severity" => Some(self.severity.as_str().to_owned()),
            "owner" => self.owner.clone(),
            "since" => Some(self.opened_at.to_string()),
            "incident" => Some(self.id.clone()),
            _ => {
                let label = name.strip_prefix("labels.")?;
                self.labels.get(label).or_else(|| worst?.labels.get(label)).cloned()
            }
        })
    }

    /// All of it as Markdown, for those who come together afterwards.
    #[must_use]
    pub fn post_mortem(&self) -> String {
        let mut text = format!("# {}\n\n", one_line(&self.title));
        let until = self.resolved_at.map_or_else(|| "still open".to_owned(), |at| at.to_string());
        let lasted = self.resolved_at.map(|at| length(at.since(self.opened_at).as_secs()));
        let mut row = |name: &str, value: &str| {
            let _ = writeln!(text, "| {name} | {} |", value.replace('|', "\\|"));
        };
        row("Incident", &self.id);
        row("---", "---");
        row("Monitor", &self.monitor);
        row("Severity", self.severity.as_str());
        row("Owner", self.owner.as_deref().unwrap_or("nobody"));
        row("Began", &self.opened_at.to_string());
        row(
            "Taken",
            &self.acknowledged_at.map_or_else(
                || "by nobody".to_owned(),
                |at| {
                    format!(
                        "{at} by {} (after {})",
                        self.acknowledged_by.as_deref().unwrap_or("somebody"),
                        length(at.since(self.opened_at).as_secs())
                    )
                },
            ),
        );
        row("Over", &lasted.map_or_else(|| until.clone(), |lasted| format!("{until} (after {lasted})")));
        let _ = write!(text, "\n## What was wrong\n\n");
        for one in &self.series {
            let name = if one.labels.is_empty() { "all".to_owned() } else { named(&one.labels) };
            let end = one.until.map_or_else(|| "the end".to_owned(), |at| at.to_string());
            let _ = writeln!(text, "- **{}**: {}, from {} to {end}", one_line(&name), one_line(&one.text), one.since);
        }
        if let Some(context) = &self.context {
            text.push_str(&context.markdown());
        }
        let _ = write!(text, "\n## Timeline\n\n");
        for entry in &self.timeline {
            let by = entry.by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
            let _ = writeln!(text, "- {} **{}** {}{by}", entry.at, entry.what, one_line(&entry.text));
        }
        if let Some(runbook) = &self.runbook {
            let _ = write!(text, "\n## Runbook\n\n{runbook}\n");
        }
        text.push_str("\n## Why it happened\n\n\n## What was done\n\n\n## What will be done\n\n- [ ] \n");
        text
    }
}

/// Labels as people read them.
#[must_use]
pub(crate) fn named(labels: &Labels) -> String {
    labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
}

/// The labels that all series have alike.
fn shared(series: &[Affected]) -> Labels {
    let Some((first, others)) = series.split_first() else { return Labels::new() };
    let same = |name: &String, value: &String| others.iter().all(|one| one.labels.get(name) == Some(value));
    first
        .labels
        .iter()
        .filter(|(name, value)| same(name, value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn title(monitor: &MonitorConfig, series: &[Affected], labels: &Labels) -> String {
    let firing: Vec<&Affected> = series.iter().filter(|one| one.firing).collect();
    match firing.as_slice() {
        [one] if one.labels.is_empty() => format!("{}: {}", monitor.name, one.text),
        [one] => format!("{} ({}): {}", monitor.name, named(&one.labels), one.text),
        many => {
            let own: Labels = labels
                .iter()
                .filter(|(name, _)| !monitor.labels.contains_key(*name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            let where_ = if own.is_empty() { String::new() } else { format!(" ({})", named(&own)) };
            format!("{}{where_}: {} series fire", monitor.name, many.len())
        }
    }
}

fn fill(template: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            text.push_str("{{");
            rest = after;
            continue;
        };
        match value(name.trim()) {
            Some(found) => text.push_str(&found),
            None => {
                let _ = write!(text, "{{{{{name}}}}}");
            }
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Seconds as people read them.
pub(crate) fn length(seconds: u64) -> String {
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
