//! What outlives the process: documents by project, kind and id, and a seam to who keeps them.

use std::time::Duration;

use serde_json::Value;
use signalbox_types::seam::BoxFuture;
use signalbox_types::{ProjectId, Timestamp};

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A monitor that was made through the API.
    Monitor,
    /// The state of a series.
    State,
    /// An incident.
    Incident,
    /// A silence.
    Silence,
    /// A message that has not been delivered.
    Message,
    /// An objective that was made through the API.
    Objective,
    /// That somebody has frozen releases.
    Freeze,
    /// Something that somebody changed.
    Marker,
    /// A drift check that was made through the API.
    Drift,
    /// What a drift check has found.
    DriftResult,
    /// A route that is switched.
    Detour,
}

impl Kind {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::State => "state",
            Self::Incident => "incident",
            Self::Silence => "silence",
            Self::Message => "message",
            Self::Objective => "objective",
            Self::Freeze => "freeze",
            Self::Marker => "marker",
            Self::Drift => "drift",
            Self::DriftResult => "drift_result",
            Self::Detour => "detour",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        let all = [
            Self::Monitor,
            Self::State,
            Self::Incident,
            Self::Silence,
            Self::Message,
            Self::Objective,
            Self::Freeze,
            Self::Marker,
            Self::Drift,
            Self::DriftResult,
            Self::Detour,
        ];
        all.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Which document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Whose.
    pub project: ProjectId,
    /// What it is.
    pub kind: Kind,
    /// Which one.
    pub id: String,
}

/// Where documents outlive the process.
pub trait Keep: Send + Sync + std::fmt::Debug {
    /// All of them.
    ///
    /// # Errors
    /// In words.
    fn load(&self) -> BoxFuture<'_, Result<Vec<(Key, Value)>, String>>;

    /// Puts documents in the place of earlier ones, or removes them (`None`): all of it or nothing, on disk when it returns. Tells
    /// whether it was done: nothing is changed if another process has taken the lease since.
    ///
    /// # Errors
    /// In words; nothing was changed.
    fn write(&self, changes: Vec<(Key, Option<Value>)>, under: &Term) -> BoxFuture<'_, Result<bool, String>>;

    /// Gives the lease to who asks, if it is nobody's, has expired or is the asker's own: of that `term`, or, without one, of before it
    /// was started anew. Documents that no other process can reach need no more than this: it is always given, for ever.
    ///
    /// # Errors
    /// In words; it may be anybody's.
    fn ask(&self, node: &str, _term: Option<u32>, _lasts: Duration) -> BoxFuture<'_, Result<Lease, String>> {
        let lease = Lease { node: node.to_owned(), term: 1, until: Timestamp::from_micros(i64::MAX), granted: true };
        Box::pin(async { Ok(lease) })
    }

    /// Lets others have the lease at once.
    ///
    /// # Errors
    /// In words; others wait until it expires.
    fn give_up(&self, _term: &Term) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

/// From when a process got the lease until another one does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The node that has it.
    pub node: String,
    /// The how manieth term it is, of all nodes.
    pub number: u32,
}

/// Whose the lease is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The node that has it.
    pub node: String,
    /// The how manieth term it is, of all nodes.
    pub term: u32,
    /// When another node may take it.
    pub until: Timestamp,
    /// It is the asker's.
    pub granted: bool,
}
