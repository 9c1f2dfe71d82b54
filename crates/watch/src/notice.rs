//! What is said to people: one message, whatever the channel.

use serde::{Deserialize, Serialize};
use signalbox_types::Timestamp;

use crate::action::Asked;
use crate::config::Severity;
use crate::incident::{Affected, Incident};
use crate::state::Labels;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = IncidentEvent)]
pub enum Event {
    /// Something is wrong.
    Opened,
    /// It still is, and nobody has taken it.
    Escalated,
    /// It has become worse.
    Worsened,
    /// Somebody has taken it.
    Acknowledged,
    /// It is over.
    Resolved,
    /// Somebody tries the channel out.
    Test,
    /// Something is to be done about it, by the other side of a webhook.
    Action,
}

impl Event {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Escalated => "escalated",
            Self::Worsened => "worsened",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Test => "test",
            Self::Action => "action",
        }
    }

    /// For the beginning of a message.
    #[must_use]
    pub fn said(self) -> &'static str {
        match self {
            Self::Opened => "Firing",
            Self::Escalated => "Still firing, nobody has taken it",
            Self::Worsened => "Worse",
            Self::Acknowledged => "Acknowledged",
            Self::Resolved => "Resolved",
            Self::Test => "Test",
            Self::Action => "To be done",
        }
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Tells repetitions of one message: a message that is sent twice has the same.
    pub key: String,
    /// What it is about.
    pub event: Event,
    /// The incident.
    pub incident: String,
    /// When it happened.
    pub at: Timestamp,
    /// The monitor.
    pub monitor: String,
    /// In a line.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Labels of the incident.
    pub labels: Labels,
    /// Its series.
    pub series: Vec<Affected>,
    /// When it began.
    pub opened_at: Timestamp,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// Who did it, where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What may have caused it: what differs most, and what was changed last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// What is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Asked>,
    /// When it goes out this time: receivers refuse signatures that are old.
    #[serde(skip)]
    pub sent_at: Timestamp,
}

/// Series that a message names.
const MOST_SERIES: usize = 20;

impl Notice {
    /// What an incident has to say. `turn` tells several messages of one sort apart.
    #[must_use]
    pub fn of(incident: &Incident, event: Event, turn: &str, at: Timestamp, public_url: Option<&str>) -> Self {
        let by = match event {
            Event::Acknowledged => incident.acknowledged_by.clone(),
            Event::Resolved => incident.resolved_by.clone(),
            _ => None,
        };
        Self {
            key: format!("{}-{}{turn}", incident.id, event.as_str()),
            event,
            incident: incident.id.clone(),
            at,
            monitor: incident.monitor.clone(),
            title: incident.title.clone(),
            severity: incident.severity,
            owner: incident.owner.clone(),
            labels: incident.labels.clone(),
            series: incident.series.iter().take(MOST_SERIES).cloned().collect(),
            opened_at: incident.opened_at,
            runbook: incident.runbook.clone(),
            by,
            url: public_url.map(|url| format!("{}/incidents?id={}", url.trim_end_matches('/'), incident.id)),
            hints: Vec::new(),
            action: None,
            sent_at: at,
        }
    }

    /// Somebody tries a channel out.
    #[must_use]
    pub fn test(key: &str, at: Timestamp) -> Self {
        Self {
            key: key.to_owned(),
            event: Event::Test,
            incident: key.to_owned(),
            at,
            monitor: "test".to_owned(),
            title: "This is a test of Signalbox: nothing is wrong".to_owned(),
            severity: Severity::Info,
            owner: None,
            labels: Labels::new(),
            series: Vec::new(),
            opened_at: at,
            runbook: None,
            by: None,
            url: None,
            hints: Vec::new(),
            action: None,
            sent_at: at,
        }
    }

    /// What happened, in a line.
    #[must_use]
    pub fn headline(&self) -> String {
        let by = self.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        format!("{}{by}: [{}] {}", self.event.said(), self.severity.as_str(), self.title)
    }

    /// Everything, as plain text.
    #[must_use]
    pub fn plain(&self) -> String {
        let mut lines = vec![self.headline(), String::new()];
        for one in &self.series {
            let name = if one.labels.is_empty() {
                String::new()
            } else {
                format!("{}: ", crate::incident::named(&one.labels))
            };
            let over = if one.firing { "" } else { " (over)" };
            lines.push(format!("- {name}{}{over}", one.text));
        }
        lines.extend(self.hints.iter().map(|hint| format!("> {hint}")));
        lines.push(format!("Since {}", self.opened_at));
        lines.extend(self.owner.as_ref().map(|owner| format!("Owner: {owner}")));
        lines.extend(self.url.clone());
        lines.extend(self.runbook.as_ref().map(|runbook| format!("\n{runbook}")));
        lines.join("\n")
    }
}
