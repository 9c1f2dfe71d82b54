//! What people do: make monitors, take incidents, silence, try channels out.

use serde_json::Value;
use signalbox_types::{ProjectId, Timestamp, TraceId};

use crate::channels::Failure;
use crate::config::{self, Length, MonitorConfig, Problem};
use crate::incident::{Incident, IncidentStatus};
use crate::keep::Kind;
use crate::mute::{Matcher, Silence};
use crate::notice::{Event, Notice};
use crate::outbox::Message;
use crate::tell;
use crate::watch::{Inner, Source, Watch};

const MOST_MONITORS: usize = 1_000;
const MOST_SILENCES: usize = 1_000;
const LONGEST_NOTE: usize = 5_000;

/// Why it can't be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is no such thing.
    #[error("there is no {0} `{1}`")]
    Unknown(&'static str, String),
    /// It is wrong as it was written: all that is wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Problem>),
    /// It stands in the configuration.
    #[error("`{0}` stands in the configuration file; change it there")]
    Configured(String),
    /// Likewise.
    #[error("objective `{0}` stands in the configuration file; change it there")]
    ConfiguredObjective(String),
    /// It comes with an objective.
    #[error("monitor `{0}` comes with an objective; change that one")]
    OfObjective(String),
    /// It is over already.
    #[error("incident `{0}` is resolved already")]
    Resolved(String),
    /// A channel would not take a message.
    #[error("channel `{0}`: {1}")]
    Channel(String, Failure),
    /// An action failed.
    #[error("`{0}` failed: {1}")]
    Action(String, String),
    /// Another node may do it, this one may not.
    #[error("{0}")]
    Elsewhere(String),
}

impl EditError {
    pub(crate) fn invalid(field: &str, problem: impl Into<String>) -> Self {
        Self::Invalid(vec![Problem::new(field, problem)])
    }
}

/// A silence to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSilence {
    /// What it matches.
    pub matchers: Vec<Matcher>,
    /// When it begins; now if absent.
    pub from: Option<Timestamp>,
    /// When it ends.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// What somebody said of an incident.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    /// Who.
    pub(crate) by: &'a str,
    /// In words.
    pub(crate) note: &'a str,
    /// By which channel, if it knows already.
    pub(crate) channel: Option<&'a str>,
}

impl Said<'_> {
    fn not_back(&self, inner: &mut Inner, project: &ProjectId, id: &str, event: Event) {
        if let Some(channel) = self.channel {
            tell::not_back(inner, project, id, event, channel);
        }
    }
}

impl Watch {
    /// Reads a monitor and looks whether it could be one of this project.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn check_monitor(&self, definition: &Value) -> Result<MonitorConfig, EditError> {
        let monitor = MonitorConfig::read(definition).map_err(EditError::Invalid)?;
        match self.rules().config.unknown_names(&monitor) {
            unknown if unknown.is_empty() => Ok(monitor),
            unknown => Err(EditError::Invalid(unknown)),
        }
    }

    /// Makes a monitor, or puts it in the place of one that has its name. It is evaluated from the next moment on.
    ///
    /// # Errors
    /// It can't be used, or the configuration has one of that name.
    pub async fn save_monitor(&self, project: &ProjectId, definition: &Value) -> Result<MonitorConfig, EditError> {
        let monitor = self.check_monitor(definition)?;
        if let Some(problem) = config::reserved(&monitor.name) {
            return Err(EditError::Invalid(vec![problem]));
        }
        if let Some(number) = monitor.actions.iter().position(|action| action.switch_route.is_some()) {
            let problem = "has its place in the configuration's monitors only: routes are those of all projects";
            return Err(EditError::invalid(&format!("actions[{number}].switch_route"), problem));
        }
        {
            let inner = self.inner.lock();
            let own = inner.monitors.get(&(project.clone(), monitor.name.clone()));
            if own.is_some_and(|own| own.source == Source::Config) {
                return Err(EditError::Configured(monitor.name));
            }
            if own.is_none() && inner.monitors.keys().filter(|(owner, _)| owner == project).count() >= MOST_MONITORS {
                return Err(EditError::invalid(
                    "name",
                    format!("there are {MOST_MONITORS} monitors already; delete some"),
                ));
            }
        }
        self.put(project, monitor.clone()).await?;
        Ok(monitor)
    }

    /// Deletes a monitor. Its incidents end.
    ///
    /// # Errors
    /// There is none, or it stands in the configuration.
    pub async fn delete_monitor(&self, project: &ProjectId, name: &str) -> Result<(), EditError> {
        let rules = self.rules();
        let now = self.clock.now();
        self.edit(|inner| {
            match inner.monitors.get(&(project.clone(), name.to_owned())).map(|monitor| monitor.source) {
                None => return Err(EditError::Unknown("monitor", name.to_owned())),
                Some(Source::Config) => return Err(EditError::Configured(name.to_owned())),
                Some(Source::Objective) => return Err(EditError::OfObjective(name.to_owned())),
                Some(Source::Api) => {}
            }
            inner.remove_monitor(project, name);
            inner.changed(project, Kind::Monitor, name, None::<&Value>);
            tell::look_after(inner, &rules, now);
            Ok(())
        })
        .await?
    }

    /// Incidents of a project, the latest first.
    #[must_use]
    pub fn incidents(&self, project: &ProjectId, wanted: impl Fn(&Incident) -> bool, limit: usize) -> Vec<Incident> {
        let inner = self.inner.lock();
        let own = inner.incidents.iter().filter(|((owner, _), one)| owner == project && wanted(one));
        let mut found: Vec<&Incident> = own.map(|(_, one)| one).collect();
        found.sort_by(|one, other| (other.opened_at, &other.id).cmp(&(one.opened_at, &one.id)));
        found.into_iter().take(limit).cloned().collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn incident(&self, project: &ProjectId, id: &str) -> Result<Incident, EditError> {
        let inner = self.inner.lock();
        let found = inner.incidents.get(&(project.clone(), id.to_owned())).cloned();
        found.ok_or_else(|| EditError::Unknown("incident", id.to_owned()))
    }

    /// Somebody takes it: the escalation ends.
    ///
    /// # Errors
    /// There is none, or it is over.
    pub async fn acknowledge(
        &self,
        project: &ProjectId,
        id: &str,
        by: &str,
        note: &str,
    ) -> Result<Incident, EditError> {
        self.acknowledge_by(project, id, Said { by, note, channel: None }).await
    }

    pub(crate) async fn acknowledge_by(
        &self,
        project: &ProjectId,
        id: &str,
        said: Said<'_>,
    ) -> Result<Incident, EditError> {
        checked(said.note)?;
        let rules = self.rules();
        let now = self.clock.now();
        self.edit(|inner| {
            let key = (project.clone(), id.to_owned());
            let incident =
                inner.incidents.get_mut(&key).ok_or_else(|| EditError::Unknown("incident", id.to_owned()))?;
            match incident.status {
                IncidentStatus::Resolved => return Err(EditError::Resolved(id.to_owned())),
                // Twice is no fault, and nobody is told twice.
                IncidentStatus::Acknowledged => return Ok(incident.clone()),
                IncidentStatus::Open => {}
            }
            incident.status = IncidentStatus::Acknowledged;
            incident.acknowledged_at = Some(now);
            incident.acknowledged_by = Some(said.by.to_owned());
            incident.note(now, "acknowledged", said.note, Some(said.by));
            tell::tell_those_told(inner, &rules, project, id, Event::Acknowledged, "", now);
            said.not_back(inner, project, id, Event::Acknowledged);
            found(inner.incidents.get(&key), id)
        })
        .await?
    }

    /// Somebody says that it is over. What still fires then is told of when it fires anew.
    ///
    /// # Errors
    /// There is none, or it is over already.
    pub async fn resolve(&self, project: &ProjectId, id: &str, by: &str, note: &str) -> Result<Incident, EditError> {
        self.resolve_by(project, id, Said { by, note, channel: None }).await
    }

    pub(crate) async fn resolve_by(
        &self,
        project: &ProjectId,
        id: &str,
        said: Said<'_>,
    ) -> Result<Incident, EditError> {
        checked(said.note)?;
        let rules = self.rules();
        let now = self.clock.now();
        self.edit(|inner| {
            let key = (project.clone(), id.to_owned());
            if !found(inner.incidents.get(&key), id)?.is_open() {
                return Err(EditError::Resolved(id.to_owned()));
            }
            tell::resolve(inner, &rules, project, id, Some(said.by), said.note, now);
            said.not_back(inner, project, id, Event::Resolved);
            found(inner.incidents.get(&key), id)
        })
        .await?
    }

    /// Somebody writes something down.
    ///
    /// # Errors
    /// There is none, or the note is empty.
    pub async fn note(&self, project: &ProjectId, id: &str, by: &str, note: &str) -> Result<Incident, EditError> {
        checked(note)?;
        if note.trim().is_empty() {
            return Err(EditError::invalid("note", "is empty; expected what is to be written down"));
        }
        let now = self.clock.now();
        self.edit(|inner| {
            let key = (project.clone(), id.to_owned());
            let incident =
                inner.incidents.get_mut(&key).ok_or_else(|| EditError::Unknown("incident", id.to_owned()))?;
            incident.note(now, "note", note, Some(by));
            let incident = incident.clone();
            inner.save_incident(project, id);
            Ok(incident)
        })
        .await?
    }

    /// The silences of a project that hold or will.
    #[must_use]
    pub fn silences(&self, project: &ProjectId) -> Vec<Silence> {
        let now = self.clock.now();
        let inner = self.inner.lock();
        let own = inner.silences.iter().filter(|((owner, _), one)| owner == project && one.until > now);
        own.map(|(_, one)| one.clone()).collect()
    }

    /// Makes a silence.
    ///
    /// # Errors
    /// It ends before it begins, or nobody says why.
    pub async fn silence(&self, project: &ProjectId, new: NewSilence, by: &str) -> Result<Silence, EditError> {
        let now = self.clock.now();
        let from = new.from.unwrap_or(now);
        if new.until <= from || new.until <= now {
            return Err(EditError::invalid(
                "until",
                format!("is {}, which is over already or before it begins", new.until),
            ));
        }
        if new.until.since(now) > Length::days(366).0 {
            return Err(EditError::invalid("until", "is more than a year from now; switch the monitor off instead"));
        }
        if new.reason.trim().is_empty() {
            return Err(EditError::invalid("reason", "is empty; expected why nobody is to be told"));
        }
        checked(&new.reason)?;
        if self.silences(project).len() >= MOST_SILENCES {
            return Err(EditError::invalid(
                "matchers",
                format!("there are {MOST_SILENCES} silences already; end some"),
            ));
        }
        let id = TraceId::new().to_string();
        let silence =
            Silence { id, matchers: new.matchers, from, until: new.until, reason: new.reason, by: by.to_owned() };
        let rules = self.rules();
        self.edit(|inner| {
            inner.silences.insert((project.clone(), silence.id.clone()), silence.clone());
            inner.changed(project, Kind::Silence, &silence.id, Some(&silence));
            tell::look_after(inner, &rules, now);
        })
        .await?;
        Ok(silence)
    }

    /// Ends a silence.
    ///
    /// # Errors
    /// There is none of that id.
    pub async fn end_silence(&self, project: &ProjectId, id: &str) -> Result<(), EditError> {
        self.edit(|inner| {
            let removed = inner.silences.remove(&(project.clone(), id.to_owned()));
            removed.ok_or_else(|| EditError::Unknown("silence", id.to_owned()))?;
            inner.changed(project, Kind::Silence, id, None::<&Value>);
            Ok(())
        })
        .await?
    }

    /// Messages of a project that wait or were given up, oldest first.
    #[must_use]
    pub fn messages(&self, project: &ProjectId) -> Vec<Message> {
        let inner = self.inner.lock();
        let mut own: Vec<Message> = inner.outbox.values().filter(|one| one.project == *project).cloned().collect();
        own.sort_by_key(|one| one.order);
        own
    }

    /// Tries a message again that was given up or waits.
    ///
    /// # Errors
    /// There is none of that id.
    pub async fn try_again(&self, project: &ProjectId, id: &str) -> Result<(), EditError> {
        let now = self.clock.now();
        self.edit(|inner| {
            let message = inner.outbox.get_mut(id).filter(|one| one.project == *project);
            let message = message.ok_or_else(|| EditError::Unknown("message", id.to_owned()))?;
            (message.dead, message.tries, message.due) = (false, 0, now);
            inner.save_message(project, id);
            Ok(())
        })
        .await?
    }

    /// Channels by name, with their kind.
    #[must_use]
    pub fn channels(&self) -> Vec<(String, &'static str)> {
        self.rules().config.channels.iter().map(|one| (one.name.clone(), one.via.kind())).collect()
    }

    /// Sends a test by a channel, at once and once. What the other side keeps open is closed there, too.
    ///
    /// # Errors
    /// There is no such channel, or it didn't take it, or not its end.
    pub async fn test_channel(&self, name: &str) -> Result<(), EditError> {
        let channel = self.rules().channels.get(name).cloned();
        let channel = channel.ok_or_else(|| EditError::Unknown("channel", name.to_owned()))?;
        let notice = Notice::test(&TraceId::new().to_string(), self.clock.now());
        let sent = channel.send(&notice, None, &*self.http).await;
        let taken = sent.map_err(|failure| EditError::Channel(name.to_owned(), failure))?;
        if !channel.keeps_open() {
            return Ok(());
        }
        let over = Notice { key: format!("{}-over", notice.key), event: Event::Resolved, ..notice };
        let closed = channel.send(&over, taken.reference.as_deref(), &*self.http).await;
        closed.map(drop).map_err(|failure| {
            let message = format!("it took the test, which stays open there: {}", failure.message);
            EditError::Channel(name.to_owned(), Failure { message, ..failure })
        })
    }

    /// Each schedule, and who is on call at a time.
    #[must_use]
    pub fn on_call(&self, at: Timestamp) -> Vec<(String, Option<String>)> {
        let rules = self.rules();
        rules.config.schedules.iter().map(|one| (one.name.clone(), one.who(at).map(str::to_owned))).collect()
    }
}

fn found(incident: Option<&Incident>, id: &str) -> Result<Incident, EditError> {
    incident.cloned().ok_or_else(|| EditError::Unknown("incident", id.to_owned()))
}

fn checked(note: &str) -> Result<(), EditError> {
    match note.chars().count() {
        chars if chars > LONGEST_NOTE => {
            Err(EditError::invalid("note", format!("has {chars} characters; expected at most {LONGEST_NOTE}")))
        }
        _ => Ok(()),
    }
}
