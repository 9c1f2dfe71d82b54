//! What outlives the process: the rules, how far each has come, and what it has used up.

use std::fmt;

use serde::{Deserialize, Serialize};
use signalbox_types::seam::BoxFuture;
use signalbox_types::{Money, ProjectId, Timestamp};

use super::rule::Rule;

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptRule {
    /// Whose it is.
    pub project: ProjectId,
    /// From 1; each change makes the next.
    pub version: u32,
    /// What it says.
    pub rule: Rule,
    /// How far it has come.
    pub progress: Progress,
}

/// How far a rule has come.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// No span that started before this waits for its scores, but for what arrives late. `None` while the rule is off.
    pub watermark: Option<Timestamp>,
    /// The day of the next three, in days since the Unix epoch.
    pub day: i64,
    /// Picodollars that judges took on that day.
    pub spent_picos: i64,
    /// Scores of that day.
    pub scored: u64,
    /// Over a stretch of history.
    pub backfill: Option<Backfill>,
}

impl Progress {
    /// What judges took on its day.
    #[must_use]
    pub fn spent(&self) -> Money {
        Money::from_picos(i128::from(self.spent_picos))
    }
}

/// How a run over history is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BackfillState)]
pub enum BackfillState {
    /// Under way, also over a restart.
    Running,
    /// All of it is scored.
    Done,
    /// Somebody stopped it.
    Cancelled,
}

/// A run over history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = OnlineBackfill)]
pub struct Backfill {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// What started before this is scored.
    pub at: Timestamp,
    /// Spans that were looked at.
    pub seen: u64,
    /// Scores that were made.
    pub scored: u64,
    /// How it is doing.
    pub state: BackfillState,
}

/// Why the ledger can't be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LedgerError(pub String);

/// Where rules and their progress are kept. Real code has the catalog; tests have a list.
pub trait Ledger: Send + Sync + fmt::Debug {
    /// Every rule of every project, but for those that this Signalbox can't read.
    fn rules(&self) -> BoxFuture<'_, Result<Vec<KeptRule>, LedgerError>>;

    /// Writes down how far rules have come: all of it, or nothing. A rule that is gone is passed over.
    fn keep(&self, progress: Vec<(ProjectId, String, Progress)>) -> BoxFuture<'_, Result<(), LedgerError>>;
}
