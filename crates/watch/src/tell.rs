//! Looks after open incidents: ends those that are over, mutes, escalates, writes messages; and delivers what was written.

use futures_util::future::join_all;
use signalbox_types::{ProjectId, Timestamp};

use crate::channels::{Again, Failure, Taken};
use crate::escalate::{Escalation, Step};
use crate::incident::{Affected, Incident, IncidentStatus, named};
use crate::keep::Kind;
use crate::notice::{Event, Notice};
use crate::outbox::{self, Message};
use crate::state::Labels;
use crate::watch::{Inner, Rules, Watch};

/// Incidents that are over are kept, so many of them.
const MOST_RESOLVED: usize = 5_000;

/// Does for every open incident what is to be done now.
pub(crate) fn look_after(inner: &mut Inner, rules: &Rules, now: Timestamp) {
    let open: Vec<(ProjectId, String)> =
        inner.incidents.iter().filter(|(_, one)| one.is_open()).map(|(key, _)| key.clone()).collect();
    for (project, id) in open {
        look_after_one(inner, rules, &project, &id, now);
    }
    crate::detour::look_after(inner, now);
    let over: Vec<(ProjectId, String)> =
        inner.silences.iter().filter(|(_, one)| one.until <= now).map(|(key, _)| key.clone()).collect();
    for (project, id) in over {
        inner.silences.remove(&(project.clone(), id.clone()));
        inner.changed(&project, Kind::Silence, &id, None::<&()>);
    }
    forget_oldest(inner);
}

fn look_after_one(inner: &mut Inner, rules: &Rules, project: &ProjectId, id: &str, now: Timestamp) {
    let key = (project.clone(), id.to_owned());
    let Some(incident) = inner.incidents.get(&key) else { return };
    let (is_external, ends_by_itself, escalation) = match &incident.external {
        Some(channel) => (true, true, rules.escalation_of_alerts(channel)),
        None => {
            let Some(monitor) = inner.settings(project, &incident.monitor) else {
                return resolve(inner, rules, project, id, None, "its monitor is gone", now);
            };
            if !monitor.enabled {
                return resolve(inner, rules, project, id, None, "its monitor is switched off", now);
            }
            (false, monitor.auto_resolve, rules.escalation(&monitor))
        }
    };
    let gone =
        |one: &&Affected| one.firing && !is_external && !inner.series_fires(project, &incident.monitor, &one.labels);
    let gone: Vec<Labels> = incident.series.iter().filter(gone).map(|one| one.labels.clone()).collect();
    let Some(incident) = inner.incidents.get_mut(&key) else { return };
    let changed = !gone.is_empty();
    for labels in gone {
        let name = if labels.is_empty() { String::new() } else { format!("{}: ", named(&labels)) };
        incident.recover(&labels, now);
        let text = format!("{name}the monitor was changed and knows nothing of it any more");
        incident.note(now, "recovered", text, None);
    }
    if ends_by_itself && !incident.fires() {
        return resolve(inner, rules, project, id, None, "nothing fires any more", now);
    }
    if changed {
        inner.save_incident(project, id);
    }
    let Some(incident) = inner.incidents.get(&key) else { return };
    let muted = muted(inner, rules, project, incident, now);
    let Some(incident) = inner.incidents.get_mut(&key) else { return };
    if incident.muted != muted {
        let text =
            muted.as_ref().map_or_else(|| "people are told again".to_owned(), |why| format!("nobody is told: {why}"));
        incident.note(now, "muted", text, None);
        incident.muted = muted;
        inner.save_incident(project, id);
    }
    let Some(incident) = inner.incidents.get_mut(&key) else { return };
    if incident.muted.is_some() {
        return;
    }
    if std::mem::take(&mut incident.worsened) && !incident.told.is_empty() {
        let turn = format!("-{}", now.as_micros());
        tell_those_told(inner, rules, project, id, Event::Worsened, &turn, now);
    }
    escalate(inner, rules, project, id, &escalation, now);
    crate::action::automatic(inner, rules, project, id, now);
}

/// Why nobody is told of it, if that is so.
fn muted(inner: &Inner, rules: &Rules, project: &ProjectId, incident: &Incident, now: Timestamp) -> Option<String> {
    let own = |owner: &ProjectId| owner == project;
    let silence = inner.silences.iter().find(|((owner, _), one)| own(owner) && one.holds(incident, now));
    if let Some((_, silence)) = silence {
        return Some(format!("silenced until {} by {}: {}", silence.until, silence.by, silence.reason));
    }
    let maintenance =
        rules.config.maintenance.iter().find(|one| one.is_on(now) && crate::mute::matches(&one.matchers, incident));
    if let Some(maintenance) = maintenance {
        return Some(format!("maintenance `{}`", maintenance.name));
    }
    let open = inner.incidents.iter().filter(|((owner, _), one)| own(owner) && one.is_open());
    let causes = open.filter(|(_, cause)| rules.config.inhibit.iter().any(|rule| rule.holds(cause, incident)));
    causes.map(|((_, id), cause)| format!("it follows from incident {id} of `{}`", cause.monitor)).next()
}

/// Tells those whose turn it is.
fn escalate(inner: &mut Inner, rules: &Rules, project: &ProjectId, id: &str, escalation: &Escalation, now: Timestamp) {
    let key = (project.clone(), id.to_owned());
    loop {
        let Some(incident) = inner.incidents.get_mut(&key) else { return };
        if incident.status != IncidentStatus::Open {
            return;
        }
        let began = incident.escalation.is_some();
        let progress = incident.escalation.get_or_insert_with(|| escalation.begin(now)).clone();
        let Some((step, after)) = escalation.next(&progress, now) else {
            if !began {
                inner.save_incident(project, id);
            }
            return;
        };
        incident.escalation = Some(after);
        let (channels, gaps) = recipients(rules, step, now);
        for gap in gaps {
            incident.note(now, "not_told", gap, None);
        }
        let turn = format!("-{}.{}", progress.round, progress.step);
        for channel in channels {
            let Some(incident) = inner.incidents.get_mut(&key) else { return };
            let event = if incident.told.contains_key(&channel) { Event::Escalated } else { Event::Opened };
            incident.told.entry(channel.clone()).or_default();
            let notice = Notice::of(incident, event, &turn, now, rules.config.public_url.as_deref());
            write(inner, project, channel, notice, now);
        }
        inner.save_incident(project, id);
    }
}

/// The channels of a step, each once, and who could not be found.
fn recipients(rules: &Rules, step: &Step, now: Timestamp) -> (Vec<String>, Vec<String>) {
    let mut channels = step.notify.clone();
    let mut gaps = Vec::new();
    for name in &step.on_call {
        let schedule = rules.config.schedules.iter().find(|one| one.name == *name);
        let person = schedule.and_then(|schedule| schedule.who(now));
        let person = person.and_then(|name| rules.config.people.iter().find(|one| one.name == name));
        match person {
            Some(person) => channels.extend(person.notify.iter().cloned()),
            None => gaps.push(format!("nobody is on call in `{name}`")),
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    channels.retain(|channel| seen.insert(channel.clone()));
    (channels, gaps)
}

/// Tells all who know of it.
pub(crate) fn tell_those_told(
    inner: &mut Inner,
    rules: &Rules,
    project: &ProjectId,
    id: &str,
    event: Event,
    turn: &str,
    now: Timestamp,
) {
    let Some(incident) = inner.incidents.get(&(project.clone(), id.to_owned())) else { return };
    let notice = Notice::of(incident, event, turn, now, rules.config.public_url.as_deref());
    let channels: Vec<String> = incident.told.keys().cloned().collect();
    for channel in channels {
        write(inner, project, channel, notice.clone(), now);
    }
    inner.save_incident(project, id);
}

/// Ends an incident, and tells all who know of it.
pub(crate) fn resolve(
    inner: &mut Inner,
    rules: &Rules,
    project: &ProjectId,
    id: &str,
    by: Option<&str>,
    why: &str,
    now: Timestamp,
) {
    let Some(incident) = inner.incidents.get_mut(&(project.clone(), id.to_owned())) else { return };
    incident.status = IncidentStatus::Resolved;
    incident.resolved_at = Some(now);
    incident.resolved_by = by.map(str::to_owned);
    incident.note(now, "resolved", why, by);
    tracing::info!(monitor = %incident.monitor, incident.id = %id, "incident over: {}", incident.title);
    tell_those_told(inner, rules, project, id, Event::Resolved, "", now);
}

/// Who told us need not be told.
pub(crate) fn not_back(inner: &mut Inner, project: &ProjectId, id: &str, event: Event, channel: &str) {
    let key = format!("{id}-{}-{channel}", event.as_str());
    if inner.outbox.remove(&key).is_some() {
        inner.save_message(project, &key);
    }
}

/// Puts a message into the outbox.
pub(crate) fn write(inner: &mut Inner, project: &ProjectId, channel: String, notice: Notice, now: Timestamp) {
    let order = inner.outbox.values().map(|one| one.order).max().unwrap_or_default() + 1;
    let id = format!("{}-{channel}", notice.key);
    let message = Message {
        id: id.clone(),
        project: project.clone(),
        channel,
        notice,
        order,
        made_at: now,
        tries: 0,
        due: now,
        error: None,
        dead: false,
    };
    inner.outbox.insert(id.clone(), message);
    inner.save_message(project, &id);
}

/// Incidents that have long been over go, and messages that were given up long ago.
fn forget_oldest(inner: &mut Inner) {
    let resolved: Vec<(ProjectId, String)> =
        inner.incidents.iter().filter(|(_, one)| !one.is_open()).map(|(key, _)| key.clone()).collect();
    if resolved.len() > MOST_RESOLVED {
        let mut by_age = resolved;
        by_age.sort_by(|(_, one), (_, other)| one.cmp(other));
        for (project, id) in by_age.drain(..by_age.len() - MOST_RESOLVED) {
            inner.incidents.remove(&(project.clone(), id.clone()));
            inner.changed(&project, Kind::Incident, &id, None::<&()>);
        }
    }
    let mut dead: Vec<(u64, ProjectId, String)> = inner
        .outbox
        .values()
        .filter(|one| one.dead)
        .map(|one| (one.order, one.project.clone(), one.id.clone()))
        .collect();
    if dead.len() > outbox::MOST_DEAD {
        dead.sort();
        for (_, project, id) in dead.drain(..dead.len() - outbox::MOST_DEAD) {
            inner.outbox.remove(&id);
            inner.save_message(&project, &id);
        }
    }
}

impl Watch {
    /// Sends the messages that are due, all at once, and waits for their answers; none on a node that hasn't the lease. Calls may
    /// overlap: no message is sent by two. Tells how many were tried.
    pub async fn deliver(&self) -> usize {
        let rules = self.rules();
        let now = self.clock.now();
        let waits = {
            let inner = self.inner.lock();
            !outbox::due(&inner.outbox, &inner.sending, now).is_empty()
        };
        if !waits || self.hold().await.is_err() {
            return 0;
        }
        let due: Vec<(Message, Option<String>)> = {
            // What is sent is written down: nobody forgets that it was to be said, and it is of this node's term.
            let _in_order = self.writing.lock().await;
            if !self.leads() {
                return 0;
            }
            let mut inner = self.inner.lock();
            let due: Vec<Message> = outbox::due(&inner.outbox, &inner.sending, now).into_iter().cloned().collect();
            inner.sending.extend(due.iter().map(|message| message.id.clone()));
            let reference = |message: &Message| {
                let incident = inner.incidents.get(&(message.project.clone(), message.notice.incident.clone()))?;
                incident.told.get(&message.channel).cloned().flatten()
            };
            let sent = |mut message: Message| {
                message.notice.sent_at = now;
                let reference = reference(&message);
                (message, reference)
            };
            due.into_iter().map(sent).collect()
        };
        let tried = due.len();
        let sends = due.into_iter().map(|(mut message, reference)| {
            let channel = rules.channels.get(&message.channel).cloned();
            async move {
                message.notice.hints = self.hints(&message).await;
                // That may have taken long: another node may say it by now.
                if !self.leads() {
                    self.inner.lock().sending.remove(&message.id);
                    return;
                }
                let sent = match channel {
                    Some(channel) => channel.send(&message.notice, reference.as_deref(), &*self.http).await,
                    None => Err(Failure {
                        message: format!("there is no channel `{}` any more", message.channel),
                        again: Again::Never,
                    }),
                };
                // One by one as they come: a slow channel holds no other's answer up.
                let delivered = sent.is_ok();
                self.change(|inner| settle(inner, &message, sent, self.clock.now())).await;
                if let (true, Some(asked), Some(actions)) = (delivered, &message.notice.action, &self.actions)
                    && message.notice.by.is_none()
                {
                    actions.done_by_itself(&message.project, &message.notice.incident, &asked.name).await;
                }
            }
        });
        join_all(sends).await;
        tried
    }
}

/// Takes note of what became of a message.
fn settle(inner: &mut Inner, message: &Message, sent: Result<Taken, Failure>, now: Timestamp) {
    inner.sending.remove(&message.id);
    let (project, channel) = (&message.project, &message.channel);
    let key = (project.clone(), message.notice.incident.clone());
    let incident = inner.incidents.get_mut(&key);
    match sent {
        Ok(taken) => {
            inner.outbox.remove(&message.id);
            if let Some(incident) = incident {
                if let Some(reference) = taken.reference {
                    incident.told.insert(channel.clone(), Some(reference));
                }
                incident.note(now, "told", format!("{} by `{channel}`", message.notice.event.as_str()), None);
            }
        }
        Err(failure) => {
            let Some(kept) = inner.outbox.get_mut(&message.id) else { return };
            kept.failed(&failure, now);
            let (dead, tries) = (kept.dead, kept.tries);
            if dead {
                tracing::error!(%channel, incident.id = %message.notice.incident, "a message was given up: channel `{channel}`: {failure}");
            } else {
                tracing::warn!(%channel, tries, "a message is tried again: channel `{channel}`: {failure}");
            }
            if let Some(incident) = incident.filter(|_| dead) {
                let text = format!(
                    "{} by `{channel}`, given up after {tries} {}: {failure}",
                    message.notice.event.as_str(),
                    if tries == 1 { "try" } else { "tries" }
                );
                incident.note(now, "not_told", text, None);
            }
        }
    }
    inner.save_message(project, &message.id);
    inner.save_incident(project, &message.notice.incident);
}
