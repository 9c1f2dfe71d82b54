//! Routes that are switched because of an incident: for a while, or until it is over. What is written down is what holds; the gateway of
//! each node is told of it whenever that has changed.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use signalbox_types::{ProjectId, Timestamp};

use crate::action::Does;
use crate::edit::EditError;
use crate::incident::Incident;
use crate::keep::Kind;
use crate::watch::{Inner, Watch};

/// Where the calls of a route go for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RouteSwitch)]
pub struct Detour {
    /// The route.
    pub route: String,
    /// The route whose targets answer meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Those of its targets that alone are asked, as `provider/model`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Since when.
    pub since: Timestamp,
    /// Until when; until the incident is over if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The incident.
    pub incident: String,
    /// Its action.
    pub action: String,
    /// Who did it; nobody if it was done by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Something that was done by itself, for the history.
#[derive(Debug)]
pub(crate) struct Deed {
    project: ProjectId,
    incident: String,
    action: String,
}

impl Detour {
    /// What the `number`th action of an incident makes, if it is of that kind.
    pub(crate) fn of(incident: &Incident, number: usize, by: Option<&str>, now: Timestamp) -> Option<Self> {
        let action = incident.actions.get(number)?;
        let Does::SwitchRoute { route, to, targets, for_s } = action.does.clone() else { return None };
        Some(Self {
            route,
            to,
            targets,
            since: now,
            until: for_s.map(|seconds| now.plus(Duration::from_secs(seconds))),
            incident: incident.id.clone(),
            action: action.name.clone(),
            by: by.map(str::to_owned),
        })
    }

    fn said(&self) -> String {
        let to = match &self.to {
            Some(to) => format!("go to route `{to}`"),
            None => format!("are asked of {} alone", self.targets.join(", ")),
        };
        let until = self.until.map_or_else(|| "the incident is over".to_owned(), |until| until.to_string());
        format!("calls of route `{}` {to} until {until}", self.route)
    }
}

/// Puts a detour in its place, and writes it into the timeline of its incident.
pub(crate) fn begin(inner: &mut Inner, project: &ProjectId, number: usize, detour: Detour, now: Timestamp) {
    let id = detour.incident.clone();
    let Some(incident) = inner.incidents.get_mut(&(project.clone(), id.clone())) else { return };
    if let Some(action) = incident.actions.get_mut(number) {
        action.done_at = Some(now);
    }
    let by_itself = if detour.by.is_none() { ", by itself" } else { "" };
    incident.note(now, "action", format!("{}: {}{by_itself}", detour.action, detour.said()), detour.by.as_deref());
    inner.save_incident(project, &id);
    if detour.by.is_none() {
        inner.done(project, &detour, &detour.action);
    }
    inner.changed(project, Kind::Detour, &detour.route, Some(&detour));
    let before = inner.detours.insert((project.clone(), detour.route.clone()), detour.clone());
    if let Some(before) = before.filter(|before| before.incident != id) {
        let text = format!("route `{}` was switched for incident {id} instead", before.route);
        note(inner, project, &before.incident, text, detour.by.as_deref(), now);
    }
}

/// The calls of a route go their own way again.
fn end(inner: &mut Inner, project: &ProjectId, detour: &Detour, why: &str, by: Option<&str>, now: Timestamp) {
    inner.detours.remove(&(project.clone(), detour.route.clone()));
    inner.changed(project, Kind::Detour, &detour.route, None::<&Value>);
    let text = format!("{}: calls of route `{}` go their own way again: {why}", detour.action, detour.route);
    note(inner, project, &detour.incident, text, by, now);
    if by.is_none() {
        inner.done(project, detour, &format!("{} (ended)", detour.action));
    }
}

fn note(inner: &mut Inner, project: &ProjectId, id: &str, text: String, by: Option<&str>, now: Timestamp) {
    if let Some(incident) = inner.incidents.get_mut(&(project.clone(), id.to_owned())) {
        incident.note(now, "action", text, by);
        inner.save_incident(project, id);
    }
}

/// Ends those that are over.
pub(crate) fn look_after(inner: &mut Inner, now: Timestamp) {
    let why = |project: &ProjectId, detour: &Detour| match detour.until {
        Some(until) => (until <= now).then_some("its time is over"),
        None => {
            let incident = inner.incidents.get(&(project.clone(), detour.incident.clone()));
            (!incident.is_some_and(Incident::is_open)).then_some("the incident is over")
        }
    };
    let over = |((project, _), detour): (&(ProjectId, String), &Detour)| {
        Some((project.clone(), detour.clone(), why(project, detour)?))
    };
    let over: Vec<(ProjectId, Detour, &str)> = inner.detours.iter().filter_map(over).collect();
    for (project, detour, why) in over {
        end(inner, &project, &detour, why, None, now);
    }
}

impl Inner {
    fn done(&mut self, project: &ProjectId, detour: &Detour, action: &str) {
        let (incident, action) = (detour.incident.clone(), action.to_owned());
        self.deeds.push(Deed { project: project.clone(), incident, action });
    }
}

impl Watch {
    /// Has the gateway of this node do what holds, if that has changed.
    pub(crate) fn apply_detours(&self) {
        let Some(actions) = &self.actions else { return };
        let all: Vec<Detour> = self.inner.lock().detours.values().cloned().collect();
        let mut applied = self.detoured.lock();
        if *applied == all {
            return;
        }
        for detour in all.iter().filter(|detour| !applied.contains(detour)) {
            if let Some(problem) = actions.detour_problem(detour) {
                tracing::warn!(route = %detour.route, incident.id = %detour.incident, "a route can't be switched: {problem}");
            }
        }
        actions.set_detours(&all);
        *applied = all;
    }

    /// Writes into the history what was done by itself.
    pub(crate) async fn note_deeds(&self) {
        let deeds = std::mem::take(&mut self.inner.lock().deeds);
        let Some(actions) = &self.actions else { return };
        for Deed { project, incident, action } in deeds {
            actions.done_by_itself(&project, &incident, &action).await;
        }
    }

    /// Switches a route because a person wants it.
    pub(crate) async fn begin_detour(
        &self,
        project: &ProjectId,
        number: usize,
        detour: Detour,
    ) -> Result<Incident, EditError> {
        let problem = match &self.actions {
            Some(actions) => actions.detour_problem(&detour),
            None => Some("this Signalbox can't do that".to_owned()),
        };
        let (id, now) = (detour.incident.clone(), self.clock.now());
        let unknown = || EditError::Unknown("incident", id.clone());
        if let Some(problem) = problem {
            let action = detour.action.clone();
            self.edit(|inner| {
                let text = format!("{action} failed: {problem}");
                note(inner, project, &id, text, detour.by.as_deref(), now);
            })
            .await?;
            return Err(EditError::Action(action, problem));
        }
        let incident = self
            .edit(|inner| {
                begin(inner, project, number, detour, now);
                inner.incidents.get(&(project.clone(), id.clone())).cloned().ok_or_else(unknown)
            })
            .await?;
        self.apply_detours();
        incident
    }

    /// Has the calls of a route go their own way again.
    ///
    /// # Errors
    /// It is switched by no incident of this project, or another node takes changes.
    pub async fn end_detour(&self, project: &ProjectId, route: &str, by: &str) -> Result<Detour, EditError> {
        let now = self.clock.now();
        let ended = self
            .edit(|inner| {
                let found = inner.detours.get(&(project.clone(), route.to_owned())).cloned();
                let detour = found.ok_or_else(|| EditError::Unknown("switched route", route.to_owned()))?;
                end(inner, project, &detour, "somebody wants it so", Some(by), now);
                Ok(detour)
            })
            .await?;
        self.apply_detours();
        ended
    }
}
