//! An Alertmanager's webhooks (prometheus.io: "Webhook receiver"; version 4 of the message). Each name of an alert is an incident, each
//! set of labels a series of it. Who repeats that an alert fires says nothing new, also when it has long been over: an alert is known by
//! its labels and the time at which it began.

use std::collections::BTreeMap;

use serde::Deserialize;
use signalbox_types::{ProjectId, Timestamp, TraceId};

use super::{Hook, HookError};
use crate::config::{MonitorConfig, Severity, Via};
use crate::edit::EditError;
use crate::escalate::Escalation;
use crate::incident::{Incident, named};
use crate::kinds::Outcome;
use crate::state::{Labels, Seen, SeriesState};
use crate::tell;
use crate::watch::{Inner, Rules, Watch};

/// Alerts of a message that are taken.
const MOST_ALERTS: usize = 500;
/// Series of an incident at most.
const MOST_SERIES: usize = 200;
const MOST_LABELS: usize = 32;
const LONGEST: usize = 500;

#[derive(Deserialize)]
pub(super) struct Message {
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: Status,
    labels: Labels,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: Timestamp,
    #[serde(default, rename = "generatorURL")]
    generator_url: String,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Status {
    Firing,
    Resolved,
}

pub(super) fn read(hook: Hook<'_>) -> Result<Vec<Received>, HookError> {
    let message: Message = serde_json::from_slice(hook.body).map_err(|error| HookError::unreadable(&error))?;
    if message.alerts.len() > MOST_ALERTS {
        let problem = format!(
            "has {} alerts; expected at most {MOST_ALERTS}: group them, or set `max_alerts` of the receiver",
            message.alerts.len()
        );
        return Err(HookError::Unreadable(format!("the body {problem}")));
    }
    Ok(message.alerts.into_iter().map(Received::of).collect())
}

/// An alert in our words.
pub(super) struct Received {
    monitor: MonitorConfig,
    labels: Labels,
    text: String,
    firing: bool,
    began: Timestamp,
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

impl Received {
    fn of(alert: Alert) -> Self {
        let Alert { status, mut labels, annotations, starts_at, generator_url } = alert;
        let name = labels.remove("alertname").unwrap_or_else(|| "unnamed".to_owned());
        let severity = match labels.get("severity").map(|text| text.to_ascii_lowercase()).as_deref() {
            Some("critical" | "page" | "emergency" | "fatal") => Severity::Critical,
            Some("error" | "major" | "high") => Severity::Error,
            Some("info" | "information" | "none" | "low") => Severity::Info,
            _ => Severity::Warning,
        };
        let labels = labels.into_iter().take(MOST_LABELS).map(|(name, value)| (cut(&name), cut(&value))).collect();
        let said = |names: &[&str]| names.iter().find_map(|name| annotations.get(*name)).map(|text| cut(text));
        let text = said(&["summary", "description", "message"]).unwrap_or_else(|| "fires".to_owned());
        let read =
            said(&["runbook_url", "runbook"]).or_else(|| (!generator_url.is_empty()).then(|| cut(&generator_url)));
        let monitor =
            MonitorConfig { severity, runbook: read, ..MonitorConfig::outside(format!("alertmanager.{}", cut(&name))) };
        Self { monitor, labels, text, firing: status == Status::Firing, began: starts_at }
    }

    fn series(&self, now: Timestamp) -> SeriesState {
        let mut series = SeriesState::new(self.labels.clone(), now);
        series.severity = Some(self.monitor.severity);
        let (outcome, text) = (Outcome::Breach, self.text.clone());
        series.seen = Some(Seen { at: now, outcome, value: None, limit: None, band: None, text });
        series
    }
}

impl Rules {
    /// Who is told of what others sent by a channel.
    pub(crate) fn escalation_of_alerts(&self, channel: &str) -> Escalation {
        let sender = self.config.channels.iter().find(|one| one.name == channel).map(|one| &one.via);
        Escalation::at_once(match sender {
            Some(Via::Alertmanager(sender)) => sender.notify.clone(),
            _ => Vec::new(),
        })
    }
}

impl Watch {
    pub(super) async fn take_alerts(&self, channel: &str, alerts: Vec<Received>) -> Result<(), EditError> {
        let rules = self.rules();
        let now = self.clock.now();
        let project = self.project.clone();
        self.edit(|inner| {
            for alert in alerts {
                take(inner, &project, channel, &alert, now);
            }
            tell::look_after(inner, &rules, now);
        })
        .await
    }
}

fn take(inner: &mut Inner, project: &ProjectId, channel: &str, alert: &Received, now: Timestamp) {
    let fingerprint = format!("{} by {channel}", alert.monitor.name);
    let own =
        |((owner, _), one): &(&(ProjectId, String), &Incident)| owner == project && one.fingerprint == fingerprint;
    let is_over = |incident: &Incident| {
        let same = incident.series.iter().find(|one| one.labels == alert.labels && one.since >= alert.began);
        same.is_some_and(|one| !one.firing || !incident.is_open())
    };
    if inner.incidents.iter().filter(own).any(|(_, one)| is_over(one)) {
        return;
    }
    let open = inner.incidents.iter().filter(own).find(|(_, one)| one.is_open()).map(|((_, id), _)| id.clone());
    let series = alert.series(now);
    let name = if alert.labels.is_empty() { String::new() } else { format!("{}: ", named(&alert.labels)) };
    let text = format!("{name}{}", alert.text);
    let id = match (open, alert.firing) {
        (None, false) => return,
        (None, true) => {
            let id = TraceId::new().to_string();
            let mut incident = Incident::open(id.clone(), fingerprint, &alert.monitor, &series, now);
            incident.external = Some(channel.to_owned());
            tracing::warn!(%channel, incident.id = %id, "incident by channel `{channel}`: {}", incident.title);
            inner.incidents.insert((project.clone(), id.clone()), incident);
            id
        }
        (Some(id), _) => id,
    };
    let Some(incident) = inner.incidents.get_mut(&(project.clone(), id.clone())) else { return };
    let known = incident.series.iter().any(|one| one.labels == alert.labels && one.firing);
    match alert.firing {
        true if !known && incident.series.len() < MOST_SERIES => {
            incident.take(&alert.monitor, &series, now);
            incident.note(now, "fired", text, None);
        }
        true if known => incident.take(&alert.monitor, &series, now),
        false if known => {
            incident.recover(&alert.labels, now);
            incident.note(now, "recovered", text, None);
        }
        _ => {}
    }
    // By when it began it is told from its repetitions.
    if let Some(one) = incident.series.iter_mut().find(|one| one.firing && one.labels == alert.labels) {
        one.since = alert.began;
    }
    inner.save_incident(project, &id);
}
