//! What those do who look after rules: have changes in force, look how they are doing, run over history.

use std::sync::Arc;

use signalbox_types::{ProjectId, Timestamp};

use super::ledger::{Backfill, BackfillState, LedgerError};
use super::make::{Made, Workshop};
use super::rule::{Rule, RuleProblem};
use super::tracker::Shown;
use super::worker::Online;

/// How a rule is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleState {
    /// Its numbers.
    pub shown: Shown,
    /// Why it scores nothing, though it is on.
    pub problem: Option<String>,
}

/// Why a run over history can't begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BackfillError {
    /// There is no such rule.
    #[error("there is no such rule")]
    Unknown,
    /// It scores nothing.
    #[error("the rule is off or can't be used; switch it on first")]
    Off,
    /// One is under way.
    #[error("a run over history is under way; wait for its end, or cancel it")]
    Running,
    /// There is no time in the range.
    #[error("`from` must be before `to`, and `to` not after now")]
    Range,
}

impl Online {
    /// Has the rules in force that are kept now.
    ///
    /// # Errors
    /// They can't be read.
    pub async fn reload(&self) -> Result<(), LedgerError> {
        let generation = self.shared.reload().await?;
        let mut seen = self.shared.seen.subscribe();
        // Who is told that a rule is on finds whatever it sends next scored. While the process ends nobody sees it.
        let seen = seen.wait_for(|seen| *seen >= generation);
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), seen).await;
        Ok(())
    }

    /// The scorers of a rule, if it can be used.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self, project: &ProjectId, rule: &Rule) -> Result<Vec<Made>, RuleProblem> {
        rule.scorers(self.workshop(), project)
    }

    /// Where scorers are made.
    #[must_use]
    pub fn workshop(&self) -> &Workshop {
        &self.shared.parts.workshop
    }

    /// How a rule is doing.
    #[must_use]
    pub fn state(&self, project: &ProjectId, rule: &str) -> Option<RuleState> {
        let rules = Arc::clone(&self.shared.rules.borrow());
        let live = rules.find(project, rule)?;
        Some(RuleState { shown: live.tracker.shown(self.shared.now()), problem: live.problem.clone() })
    }

    /// Begins to score what started in a stretch of history and has no scores of this rule. It goes on after a restart.
    ///
    /// # Errors
    /// It can't begin.
    pub async fn backfill(
        &self,
        project: &ProjectId,
        rule: &str,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Backfill, BackfillError> {
        let rules = Arc::clone(&self.shared.rules.borrow());
        let live = rules.find(project, rule).ok_or(BackfillError::Unknown)?;
        if !live.is_on() {
            return Err(BackfillError::Off);
        }
        if from >= to || from >= self.shared.now() {
            return Err(BackfillError::Range);
        }
        let fill = Backfill { from, to, at: from, seen: 0, scored: 0, state: BackfillState::Running };
        let mut began = false;
        live.tracker.set_backfill(|before| {
            began = before.is_none_or(|before| before.state != BackfillState::Running);
            if began { Some(fill) } else { before }
        });
        if !began {
            return Err(BackfillError::Running);
        }
        // Whoever is told that it has begun finds it after a crash.
        self.shared.keep().await;
        Ok(fill)
    }

    /// Stops a run over history. What it has scored stays.
    ///
    /// # Errors
    /// There is no such rule.
    pub async fn cancel_backfill(&self, project: &ProjectId, rule: &str) -> Result<Option<Backfill>, BackfillError> {
        let rules = Arc::clone(&self.shared.rules.borrow());
        let live = rules.find(project, rule).ok_or(BackfillError::Unknown)?;
        live.tracker.set_backfill(|before| {
            before.map(|fill| match fill.state {
                BackfillState::Running => Backfill { state: BackfillState::Cancelled, ..fill },
                _ => fill,
            })
        });
        self.shared.keep().await;
        Ok(live.tracker.backfill())
    }
}
