//! What is beside an incident, for whoever has to find out why: what was changed just before, in what the bad rows differ from those
//! before, and examples. It is asked of the store once an incident is open, never while monitors are evaluated.

mod differ;
mod examples;
mod firsts;
mod population;
mod significance;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use signalbox_types::seam::StoreError;
use signalbox_types::{Answer, ProjectId, Query, Timestamp};

use crate::config::{Condition, MonitorConfig};
use crate::edit::EditError;
use crate::incident::{Incident, length, one_line};
use crate::marker::{self, Marker};
use crate::notice::Event;
use crate::outbox::Message;
use crate::watch::{Inner, Watch};
use population::Population;

/// Changes beside an incident at most: those nearest to its beginning.
const MOST_CHANGES: usize = 30;
/// What is asked of wide windows is asked of their end.
const WIDEST: Duration = Duration::from_secs(6 * 3_600);
/// What was before is asked of at least so long: of a minute there is not enough to compare with.
const LEAST_BEFORE: Duration = Duration::from_secs(1_800);
/// An incident that goes on is looked into with what has come since, for so long.
const LONGEST_AFTER: Duration = Duration::from_secs(3_600);
/// A message about a new incident waits so long for what is beside it.
const PATIENCE: Duration = Duration::from_secs(5);
/// When more incidents than this have just begun, messages wait for nothing.
const MOST_AWAITED: usize = 8;
/// Incidents older than this are looked into when somebody asks.
const NEW: Duration = Duration::from_secs(900);

/// A time from the first moment to before the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = IncidentWindow)]
pub struct Window {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

/// A value that is more frequent among the bad rows than it was before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = IncidentDifference)]
pub struct Difference {
    /// The column, or several with a space in between.
    pub field: String,
    /// Its value; empty where rows have none.
    pub value: String,
    /// Its share of the bad rows in the window.
    pub share: f64,
    /// Its share before.
    pub share_before: f64,
    /// How many times the share before it is; absent if that was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lift: Option<f64>,
    /// Bad rows with it.
    pub rows: u64,
    /// How probable that is by chance, corrected for the number of values that were looked at (Holm).
    pub p: f64,
    /// In words.
    pub text: String,
}

/// A trace that shows what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = IncidentExample)]
pub struct Example {
    /// Which trace.
    pub trace_id: String,
    /// The span in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// When.
    pub at: Timestamp,
    /// In a line.
    pub text: String,
}

/// What is beside an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = IncidentContext)]
pub struct Context {
    /// When it was looked into.
    pub at: Timestamp,
    /// The window that fired.
    pub window: Window,
    /// What it was compared with.
    pub before: Window,
    /// What was changed from an hour before the window on, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Marker>,
    /// In what the bad rows differ, what explains most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// Traces that show it, the worst first where that can be told, else the latest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
    /// What could not be found out, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<String>,
}

impl Context {
    fn of(windows: (Window, Window), now: Timestamp) -> Self {
        let (window, before) = windows;
        Self {
            at: now,
            window,
            before,
            changes: Vec::new(),
            differences: Vec::new(),
            examples: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Whether what was changed then may have caused it, or was done about it.
    pub(crate) fn may_be_caused_by(&self, change: &Marker) -> bool {
        change.at >= self.window.from.minus(marker::BEFORE)
    }

    /// Puts a change in its place. Of too many, those nearest to the beginning stay.
    pub(crate) fn add_change(&mut self, change: Marker, opened_at: Timestamp) {
        self.changes.push(change);
        self.changes.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        if self.changes.len() > MOST_CHANGES {
            let far = |at: Timestamp| at.since(opened_at).max(opened_at.since(at));
            let ends = [self.changes.first(), self.changes.last()].map(|end| end.map(|end| far(end.at)));
            let farthest = if ends[0] >= ends[1] { 0 } else { self.changes.len() - 1 };
            self.changes.remove(farthest);
        }
    }

    /// The change that came last before it began, in words.
    fn nearest_change(&self, opened_at: Timestamp) -> Option<String> {
        let change = self.changes.iter().rev().find(|change| change.at <= opened_at)?;
        let by = change.by.as_ref().map(|by| format!(" by {}", one_line(by))).unwrap_or_default();
        let ago = length(opened_at.since(change.at).as_secs());
        Some(format!("{ago} before: {} {}{by}", change.kind.as_str(), one_line(&change.title)))
    }

    /// What a message says of it: the greatest difference and the nearest change.
    fn hints(&self, opened_at: Timestamp) -> Vec<String> {
        let difference = self.differences.first().map(|difference| difference.text.clone());
        difference.into_iter().chain(self.nearest_change(opened_at)).collect()
    }

    /// For a post-mortem.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        let mut part = |title: &str, lines: Vec<String>| {
            if !lines.is_empty() {
                let _ = write!(text, "\n## {title}\n\n{}\n", lines.join("\n"));
            }
        };
        let change = |change: &Marker| {
            let by = change.by.as_ref().map(|by| format!(" ({})", one_line(by))).unwrap_or_default();
            format!("- {} **{}** {}{by}", change.at, change.kind.as_str(), one_line(&change.title))
        };
        part("What was changed", self.changes.iter().map(change).collect());
        part("What differs", self.differences.iter().map(|one| format!("- {}", one_line(&one.text))).collect());
        let example = |one: &Example| format!("- `{}` {}", one.trace_id, one_line(&one.text));
        part("Examples", self.examples.iter().map(example).collect());
        text
    }
}

/// The window that fired, and the one that it is compared with.
fn windows(incident: &Incident, monitor: Option<&MonitorConfig>, now: Timestamp) -> (Window, Window) {
    let (width, pending, delay) = monitor.map_or((LEAST_BEFORE, Duration::ZERO, Duration::ZERO), |monitor| {
        let width = match &monitor.condition {
            Condition::BurnRate(_) => monitor.window.0.max(Duration::from_secs(3_600)),
            _ => monitor.window.0,
        };
        (width, monitor.interval().0.saturating_mul(monitor.for_.saturating_sub(1)), monitor.delay.0)
    });
    let width = width.min(WIDEST);
    let from = incident.opened_at.minus(delay).minus(width);
    // What has come since belongs to it as well.
    let last = incident.opened_at.plus(width.min(LONGEST_AFTER));
    let to = incident.resolved_at.unwrap_or(now).min(last).max(incident.opened_at);
    let before_to = from.minus(pending.min(WIDEST));
    let before = Window { from: before_to.minus(width.max(LEAST_BEFORE)), to: before_to };
    (Window { from, to }, before)
}

/// Asks the store, for one project.
#[derive(Debug, Clone, Copy)]
struct Ask<'a> {
    watch: &'a Watch,
    project: &'a ProjectId,
}

impl Ask<'_> {
    async fn query(&self, query: &Query) -> Result<Answer, StoreError> {
        self.watch.asker.ask(self.project, query).await
    }
}

impl Watch {
    /// Looks what is beside an incident, and keeps it with the incident.
    ///
    /// # Errors
    /// There is none of that id.
    pub async fn look_into(&self, project: &ProjectId, id: &str) -> Result<Incident, EditError> {
        self.hold().await?;
        let _one = self.looking.lock().await;
        Box::pin(self.look(project, id)).await
    }

    /// Looks into incidents that have just begun, one after the other. Tells how many.
    pub async fn look_into_new(&self) -> usize {
        if !self.leads() {
            return 0;
        }
        let new = self.inner.lock().not_looked_into(self.clock.now());
        for (project, id) in &new {
            self.look_into_once(project, id).await;
        }
        new.len()
    }

    async fn look_into_once(&self, project: &ProjectId, id: &str) {
        let _one = self.looking.lock().await;
        // Somebody else may have done it meanwhile; and an incident that is gone needs no context.
        if self.incident(project, id).is_ok_and(|incident| incident.context.is_none()) {
            let _ = Box::pin(self.look(project, id)).await;
        }
    }

    async fn look(&self, project: &ProjectId, id: &str) -> Result<Incident, EditError> {
        let now = self.clock.now();
        let incident = self.incident(project, id)?;
        let monitor = {
            let inner = self.inner.lock();
            let monitor = inner.monitors.get(&(project.clone(), incident.monitor.clone()));
            monitor.map(|monitor| Arc::clone(&monitor.config))
        };
        let mut context = Context::of(windows(&incident, monitor.as_deref(), now), now);
        let ask = Ask { watch: self, project };
        self.find_changes(ask, &incident, &mut context).await;
        if let Some(population) = monitor.and_then(|monitor| Population::of(&monitor, &incident)) {
            match differ::differences(ask, &population, context.window, context.before).await {
                Ok(found) => context.differences = found,
                Err(gap) => context.gaps.push(gap),
            }
            match examples::examples(ask, &population, context.window).await {
                Ok(found) => context.examples = found,
                Err(error) => context.gaps.push(format!("examples: {error}")),
            }
        }
        self.edit(|inner| {
            let key = (project.clone(), id.to_owned());
            let unknown = || EditError::Unknown("incident", id.to_owned());
            let kept = inner.incidents.get_mut(&key).ok_or_else(unknown)?;
            // Now, and not before: nothing that is marked meanwhile is missed.
            let until = kept.resolved_at.unwrap_or(now);
            for ((_, _), change) in inner.markers.iter().filter(|((owner, _), _)| owner == project) {
                if change.at <= until && context.may_be_caused_by(change) {
                    context.add_change(change.clone(), kept.opened_at);
                }
            }
            kept.context = Some(context);
            let found = kept.clone();
            inner.save_incident(project, id);
            Ok(found)
        })
        .await?
    }

    async fn find_changes(&self, ask: Ask<'_>, incident: &Incident, context: &mut Context) {
        let from = context.window.from.minus(marker::BEFORE);
        let to = incident.resolved_at.unwrap_or(context.at).plus(Duration::from_micros(1));
        let mut changes = Vec::new();
        if let Some(others) = &self.changes {
            match others.between(ask.project, from, to).await {
                Ok(found) => changes.extend(found),
                Err(error) => context.gaps.push(format!("what was changed: {error}")),
            }
        }
        match firsts::seen(ask, Window { from, to: context.window.to }).await {
            Ok(found) => changes.extend(found),
            Err(error) => context.gaps.push(format!("what was seen for the first time: {error}")),
        }
        for change in changes {
            context.add_change(change, incident.opened_at);
        }
    }

    /// What a message says of what is beside its incident. One about an incident that has just begun waits for it, but not for long.
    pub(crate) async fn hints(&self, message: &Message) -> Vec<String> {
        if !matches!(message.notice.event, Event::Opened | Event::Escalated | Event::Worsened) {
            return Vec::new();
        }
        let (project, id) = (&message.project, &message.notice.incident);
        let new = self.inner.lock().not_looked_into(self.clock.now());
        if new.len() <= MOST_AWAITED && new.iter().any(|(owner, one)| owner == project && one == id) {
            let _ = tokio::time::timeout(PATIENCE, self.look_into_once(project, id)).await;
        }
        let incident = self.incident(project, id).ok();
        let hints = incident.and_then(|incident| Some(incident.context.as_ref()?.hints(incident.opened_at)));
        hints.unwrap_or_default()
    }
}

impl Inner {
    fn not_looked_into(&self, now: Timestamp) -> Vec<(ProjectId, String)> {
        let new = self
            .incidents
            .iter()
            .filter(|(_, one)| one.is_open() && one.context.is_none() && now.since(one.opened_at) < NEW);
        new.map(|(key, _)| key.clone()).collect()
    }
}
