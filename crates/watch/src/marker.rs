//! What was changed, by people and machines: deploys, prompts, models, the configuration. Incidents show what was changed just before.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use signalbox_types::seam::BoxFuture;
use signalbox_types::{ProjectId, Timestamp, TraceId};

use crate::config::Problem;
use crate::edit::EditError;
use crate::keep::Kind;
use crate::state::Labels;
use crate::watch::{Inner, Watch};

/// Older ones are forgotten.
const KEPT: Duration = Duration::from_secs(90 * 86_400);
/// So many of a project are kept.
const MOST: usize = 10_000;
const LONGEST_TITLE: usize = 300;
const LONGEST_LABEL: usize = 200;
const MOST_LABELS: usize = 32;
/// So long before an incident's window a change may have caused it.
pub(crate) const BEFORE: Duration = Duration::from_secs(3_600);

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarkerKind {
    /// A new release of a program.
    Deploy,
    /// A prompt.
    Prompt,
    /// A model.
    Model,
    /// The configuration of Signalbox.
    Config,
    /// Something else.
    #[default]
    Other,
    /// A provider.
    Provider,
    /// A guardrail policy.
    Policy,
    /// A provider's credential.
    Credential,
    /// A virtual key.
    Key,
}

impl MarkerKind {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Prompt => "prompt",
            Self::Model => "model",
            Self::Config => "config",
            Self::Other => "other",
            Self::Provider => "provider",
            Self::Policy => "policy",
            Self::Credential => "credential",
            Self::Key => "key",
        }
    }
}

/// A moment at which something was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Marker {
    /// Its id; sorts by the time at which it was made.
    pub id: String,
    /// When it was changed.
    pub at: Timestamp,
    /// What.
    pub kind: MarkerKind,
    /// In a line.
    pub title: String,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub labels: Labels,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A marker to make.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMarker {
    /// In a line.
    #[schema(max_length = 300, example = "shop 2.3.0")]
    pub title: String,
    /// What was changed: deploy, prompt, model, config, … By default `other`.
    #[serde(default)]
    pub kind: MarkerKind,
    /// When; now if absent.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// Anything else.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub labels: Labels,
    /// Where to read more.
    #[serde(default)]
    #[schema(example = "https://ci.example.com/builds/17")]
    pub url: Option<String>,
}

/// Who else knows what was changed.
pub trait Changes: Send + Sync + std::fmt::Debug {
    /// What was changed in a project from the one moment to before the other, in any order.
    ///
    /// # Errors
    /// In words.
    fn between<'a>(
        &'a self,
        project: &'a ProjectId,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Marker>, String>>;
}

impl NewMarker {
    fn problems(&self, now: Timestamp) -> Vec<Problem> {
        let mut problems = Vec::new();
        match self.title.trim().chars().count() {
            0 => problems.push(Problem::new("title", "is empty; expected what was changed, e.g. `shop 2.3.0`")),
            chars if chars > LONGEST_TITLE => {
                let problem = format!("has {chars} characters; expected at most {LONGEST_TITLE}");
                problems.push(Problem::new("title", problem));
            }
            _ => {}
        }
        let web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        if self.url.as_ref().is_some_and(|url| !web(url) || url.chars().count() > 2_000) {
            let problem = "is no URL; expected one that begins with http:// or https://, of at most 2000 characters";
            problems.push(Problem::new("url", problem));
        }
        let long = |text: &String| text.chars().count() > LONGEST_LABEL;
        if self.labels.len() > MOST_LABELS || self.labels.iter().any(|(name, value)| long(name) || long(value)) {
            let problem =
                format!("are too many or too long; expected at most {MOST_LABELS} of {LONGEST_LABEL} characters");
            problems.push(Problem::new("labels", problem));
        }
        match self.at {
            Some(at) if at > now.plus(Duration::from_secs(86_400)) => {
                problems.push(Problem::new("at", format!("is {at}, more than a day from now")));
            }
            Some(at) if now.since(at) > KEPT => {
                problems.push(Problem::new("at", format!("is {at}; markers are kept for 90 days")));
            }
            _ => {}
        }
        problems
    }
}

impl Watch {
    /// Who else knows what was changed.
    #[must_use]
    pub fn with_changes(mut self, changes: Arc<dyn Changes>) -> Self {
        self.changes = Some(changes);
        self
    }

    /// Notes that something was changed. Open incidents that it may have caused show it at once.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub async fn mark(&self, project: &ProjectId, new: NewMarker, by: Option<&str>) -> Result<Marker, EditError> {
        let now = self.clock.now();
        match new.problems(now) {
            problems if problems.is_empty() => {}
            problems => return Err(EditError::Invalid(problems)),
        }
        let NewMarker { title, kind, at, labels, url } = new;
        let id = TraceId::new().to_string();
        let title = title.trim().to_owned();
        let marker = Marker { id, at: at.unwrap_or(now), kind, title, labels, url, by: by.map(str::to_owned) };
        self.edit(|inner| {
            inner.markers.insert((project.clone(), marker.id.clone()), marker.clone());
            inner.changed(project, Kind::Marker, &marker.id, Some(&marker));
            show(inner, project, &marker);
            forget_oldest(inner, project, now);
        })
        .await?;
        Ok(marker)
    }

    /// Notes that another configuration is in force, and which sections of it have changed, in the configuration's project.
    pub async fn configuration_changed(&self, sections: &[String]) {
        let title = match sections {
            [] => "read again".to_owned(),
            some => format!("`{}` changed", some.join("`, `")),
        };
        let title = title.chars().take(LONGEST_TITLE).collect();
        let marker = NewMarker { title, kind: MarkerKind::Config, ..NewMarker::default() };
        match self.mark(&self.project, marker, None).await {
            // A node that looks on says nothing: the one that evaluates reads its own configuration.
            Ok(_) | Err(EditError::Elsewhere(_)) => {}
            Err(error) => tracing::warn!("a change of the configuration can't be noted: {error}"),
        }
    }

    /// What was changed from the one moment to before the other, oldest first; the latest, if there are too many.
    #[must_use]
    pub fn markers(&self, project: &ProjectId, from: Timestamp, to: Timestamp, limit: usize) -> Vec<Marker> {
        let inner = self.inner.lock();
        let own = inner.markers.iter().filter(|((owner, _), one)| owner == project && from <= one.at && one.at < to);
        let mut found: Vec<Marker> = own.map(|(_, one)| one.clone()).collect();
        found.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        found.drain(..found.len().saturating_sub(limit));
        found
    }
}

/// Puts a marker beside the open incidents that it may have caused.
fn show(inner: &mut Inner, project: &ProjectId, marker: &Marker) {
    let mut shown = Vec::new();
    for ((owner, id), incident) in &mut inner.incidents {
        let open = owner == project && incident.is_open();
        if let Some(context) = incident.context.as_mut().filter(|_| open)
            && context.may_be_caused_by(marker)
        {
            context.add_change(marker.clone(), incident.opened_at);
            shown.push(id.clone());
        }
    }
    for id in shown {
        inner.save_incident(project, &id);
    }
}

/// Markers that are old go, and the oldest of too many.
fn forget_oldest(inner: &mut Inner, project: &ProjectId, now: Timestamp) {
    let own = inner.markers.iter().filter(|((owner, _), _)| owner == project);
    let mut by_age: Vec<(Timestamp, String)> = own.map(|((_, id), one)| (one.at, id.clone())).collect();
    by_age.sort();
    let too_many = by_age.len().saturating_sub(MOST);
    let gone = by_age.into_iter().enumerate().filter(|(i, (at, _))| *i < too_many || now.since(*at) > KEPT);
    for (_, (_, id)) in gone {
        inner.markers.remove(&(project.clone(), id.clone()));
        inner.changed(project, Kind::Marker, &id, None::<&()>);
    }
}
