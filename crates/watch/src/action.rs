//! What is done about an incident: by a person who presses a button, or by itself when it opens.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use signalbox_types::seam::BoxFuture;
use signalbox_types::{KeyId, ProjectId, Timestamp};

use crate::config::{ActionConfig, Length};
use crate::detour::{self, Detour};
use crate::edit::EditError;
use crate::incident::{Incident, IncidentStatus};
use crate::notice::{Event, Notice};
use crate::tell;
use crate::watch::{Inner, Rules, Watch};

/// What an action does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = IncidentDeed)]
pub enum Does {
    /// Calls the webhook of a channel.
    Webhook {
        /// The channel.
        channel: String,
        /// What the other side has to know.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        parameters: BTreeMap<String, String>,
    },
    /// Revokes a virtual key.
    DisableKey {
        /// Its id.
        key: String,
    },
    /// Sends the calls of a route elsewhere.
    SwitchRoute {
        /// The route.
        route: String,
        /// The route whose targets answer meanwhile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// Those of its targets that alone are asked meanwhile, as `provider/model`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        targets: Vec<String>,
        /// For so many seconds; until the incident is over if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_s: Option<u64>,
    },
}

/// Something that can be done about an incident, with the incident's values filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = IncidentAction)]
pub struct Action {
    /// What it is called.
    pub name: String,
    /// What it does.
    pub does: Does,
    /// It is done by itself when the incident opens.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
    /// When it was last done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
}

/// What a message asks of the other side of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The action.
    pub name: String,
    /// What has to be known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// A person who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doer {
    /// The name of the virtual key.
    pub name: String,
    /// Its id.
    pub key: KeyId,
}

/// What the house can do about an incident.
pub trait Actions: Send + Sync + std::fmt::Debug {
    /// Revokes a virtual key of a project, and says what was done.
    ///
    /// # Errors
    /// In words.
    fn disable_key<'a>(
        &'a self,
        project: &'a ProjectId,
        key: &'a KeyId,
        by: &'a Doer,
    ) -> BoxFuture<'a, Result<String, String>>;

    /// Why the calls of a route can't go there, if they can't.
    fn detour_problem(&self, detour: &Detour) -> Option<String>;

    /// Has the calls of these routes go elsewhere, and those of all others their own way.
    fn set_detours(&self, detours: &[Detour]);

    /// Writes down, where all changes are, that an action was done by itself.
    fn done_by_itself<'a>(&'a self, project: &'a ProjectId, incident: &'a str, action: &'a str) -> BoxFuture<'a, ()>;
}

impl Action {
    pub(crate) fn of(config: &ActionConfig, incident: &Incident) -> Option<Self> {
        let filled = |(name, text): (&String, &String)| (name.clone(), incident.filled(text));
        let does = if let Some(webhook) = &config.webhook {
            let parameters = webhook.parameters.iter().map(filled).collect();
            Does::Webhook { channel: webhook.channel.clone(), parameters }
        } else if let Some(disable) = &config.disable_key {
            Does::DisableKey { key: incident.filled(&disable.key) }
        } else {
            let switch = config.switch_route.as_ref()?;
            Does::SwitchRoute {
                route: incident.filled(&switch.route),
                to: switch.to.as_ref().map(|to| incident.filled(to)),
                targets: switch.targets.iter().map(|target| incident.filled(target)).collect(),
                for_s: switch.for_.map(Length::as_secs),
            }
        };
        Some(Self { name: config.name.clone(), does, automatic: config.automatic, done_at: None })
    }
}

/// Does what is done by itself, once.
pub(crate) fn automatic(inner: &mut Inner, rules: &Rules, project: &ProjectId, id: &str, now: Timestamp) {
    let Some(incident) = inner.incidents.get(&(project.clone(), id.to_owned())) else { return };
    if incident.status != IncidentStatus::Open {
        return;
    }
    let due = incident.actions.iter().enumerate().filter(|(_, one)| one.automatic && one.done_at.is_none());
    for number in due.map(|(number, _)| number).collect::<Vec<_>>() {
        call(inner, rules, project, id, number, None, now);
    }
}

/// Switches the route, or writes the message that asks a webhook for it. Tells what it is called; nothing if it is neither.
fn call(
    inner: &mut Inner,
    rules: &Rules,
    project: &ProjectId,
    id: &str,
    number: usize,
    by: Option<&str>,
    now: Timestamp,
) -> Option<String> {
    let incident = inner.incidents.get_mut(&(project.clone(), id.to_owned()))?;
    if let Some(detour) = Detour::of(incident, number, by, now) {
        let name = detour.action.clone();
        detour::begin(inner, project, number, detour, now);
        return Some(name);
    }
    let action = incident.actions.get_mut(number)?;
    let Does::Webhook { channel, parameters } = action.does.clone() else { return None };
    let name = action.name.clone();
    action.done_at = Some(now);
    let who = by.map_or_else(|| ", by itself".to_owned(), |_| String::new());
    incident.note(now, "action", format!("{name}: channel `{channel}` is asked for it{who}"), by);
    // Done by itself, it is one message however often it is written.
    let turn = by.map_or_else(|| format!("-{number}"), |_| format!("-{number}-{}", now.as_micros()));
    let mut notice = Notice::of(incident, Event::Action, &turn, now, rules.config.public_url.as_deref());
    notice.by = by.map(str::to_owned);
    notice.action = Some(Asked { name: name.clone(), parameters });
    tell::write(inner, project, channel, notice, now);
    inner.save_incident(project, id);
    Some(name)
}

impl Watch {
    /// What can be done about incidents.
    #[must_use]
    pub fn with_actions(mut self, actions: Arc<dyn Actions>) -> Self {
        self.actions = Some(actions);
        // What was switched before a restart is so from the first call on.
        self.apply_detours();
        self
    }

    /// Does one of an incident's actions.
    ///
    /// # Errors
    /// There is no such incident or action, it is over, or it can't be done.
    pub async fn act(&self, project: &ProjectId, id: &str, number: usize, by: &Doer) -> Result<Incident, EditError> {
        // Before anything is done that can't be written down here.
        self.hold().await?;
        let incident = self.incident(project, id)?;
        if !incident.is_open() {
            return Err(EditError::Resolved(id.to_owned()));
        }
        let unknown = || EditError::Unknown("action", number.to_string());
        let action = incident.actions.get(number).ok_or_else(unknown)?;
        let now = self.clock.now();
        if let Some(detour) = Detour::of(&incident, number, Some(&by.name), now) {
            return self.begin_detour(project, number, detour).await;
        }
        let Does::DisableKey { key } = &action.does else {
            let rules = self.rules();
            return self
                .edit(|inner| {
                    call(inner, &rules, project, id, number, Some(&by.name), now).ok_or_else(unknown)?;
                    inner.incidents.get(&(project.clone(), id.to_owned())).cloned().ok_or_else(unknown)
                })
                .await?;
        };
        let done = match &self.actions {
            Some(actions) => actions.disable_key(project, &KeyId::new(key), by).await,
            None => Err("this Signalbox can't do that".to_owned()),
        };
        let name = action.name.clone();
        self.edit(|inner| {
            let kept = inner.incidents.get_mut(&(project.clone(), id.to_owned())).ok_or_else(unknown)?;
            if let Some(action) = kept.actions.get_mut(number).filter(|_| done.is_ok()) {
                action.done_at = Some(now);
            }
            let text = match &done {
                Ok(text) => format!("{name}: {text}"),
                Err(problem) => format!("{name} failed: {problem}"),
            };
            kept.note(now, "action", text, Some(&by.name));
            let kept = kept.clone();
            inner.save_incident(project, id);
            done.map(|_| kept).map_err(|problem| EditError::Action(name, problem))
        })
        .await?
    }
}
