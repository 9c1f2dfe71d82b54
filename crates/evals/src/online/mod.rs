//! Scores for what arrives: rules choose spans of the traffic, metrics score them at once, judges when they are asked, and a
//! sweep over the store closes gaps.
//!
//! A span is scored by a rule once. The id of a score is made of rule, version, scorer and span, so that who scores one again
//! replaces it; and before the sweep scores, it looks what is there. Nothing is lost: each span holds a ticket until its
//! scores are stored, and one that is dropped, for want of room or because the process ends, is a gap that the sweep looks
//! through.

mod asking;
mod config;
mod control;
mod dispatch;
mod ledger;
mod live;
mod make;
mod mapping;
mod metrics;
mod preview;
mod read;
mod rule;
mod sample;
mod score;
mod summary;
mod sweep;
#[cfg(test)]
mod tests;
mod tracker;
pub mod weigh;
mod worker;

pub use asking::asking;
pub use config::{EvalsConfig, OnlineConfig};
pub use control::{BackfillError, RuleState};
pub use ledger::{Backfill, BackfillState, KeptRule, Ledger, LedgerError, Progress};
pub use live::OWN_CALL;
pub use make::{Made, MakeScorer, Workshop};
pub use metrics::OnlineMetrics;
pub use preview::{Example, ExampleScore, Preview, preview};
pub use rule::{Budget, Rule, RuleProblem, ScorerConfig};
pub use sample::{lot, takes};
pub use summary::{Figure, ScorerSummary, SummaryPoint, bucket_for, summary};
pub use tracker::{Counts, Shown, Skip};
pub use worker::{Online, OnlineParts};
