//! The state of one series: what turns evaluations, each of which may be a fluke, into the few moments that count.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use signalbox_types::Timestamp;

use crate::config::{MonitorConfig, NoData, Severity};
use crate::kinds::{Band, Evidence, Judgement, Outcome};

/// The labels of a series: a value for each column that the query groups by.
pub type Labels = BTreeMap<String, String>;

/// Where a series stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SeriesPhase)]
pub enum Phase {
    /// All is well.
    #[default]
    Ok,
    /// Wrong, but not for long enough.
    Pending,
    /// Wrong.
    Firing,
    /// Right again, but not for long enough.
    Recovering,
}

impl Phase {
    /// Somebody has been told, and it isn't over.
    #[must_use]
    pub fn is_firing(self) -> bool {
        matches!(self, Self::Firing | Self::Recovering)
    }
}

/// What the last evaluation found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SeriesSeen)]
pub struct Seen {
    /// The end of its window.
    pub at: Timestamp,
    /// In a word.
    pub outcome: Outcome,
    /// The value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// What was usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
    /// What was compared with what.
    pub text: String,
}

/// A series, as it outlives the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesState {
    /// Which one.
    pub labels: Labels,
    /// Where it stands …
    pub phase: Phase,
    /// … since when.
    pub since: Timestamp,
    /// So many evaluations in a row say that it should go on to the next phase.
    pub streak: u32,
    /// When it began to fire, lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fires: Vec<Timestamp>,
    /// When it was last wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong_at: Option<Timestamp>,
    /// When it was last over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered_at: Option<Timestamp>,
    /// When it last had data.
    pub data_at: Timestamp,
    /// How bad it is, where the condition knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What a sequential test has gathered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// What the last evaluation found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// What an evaluation changed, for others than the series itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It began to fire.
    Fired,
    /// It fires, and is worse than it was.
    Worsened,
    /// It goes on.
    Goes,
    /// It is over.
    Recovered,
}

impl SeriesState {
    /// A series that nothing is known of.
    #[must_use]
    pub fn new(labels: Labels, now: Timestamp) -> Self {
        Self {
            labels,
            phase: Phase::Ok,
            since: now,
            streak: 0,
            fires: Vec::new(),
            wrong_at: None,
            recovered_at: None,
            data_at: now,
            severity: None,
            evidence: None,
            seen: None,
        }
    }

    /// Takes what an evaluation found.
    pub fn step(&mut self, monitor: &MonitorConfig, judgement: &Judgement, now: Timestamp) -> Option<Turn> {
        self.seen = Some(Seen {
            at: now,
            outcome: judgement.outcome,
            value: judgement.value,
            limit: judgement.limit,
            band: judgement.band,
            text: judgement.text.clone(),
        });
        let outcome = match (judgement.outcome, monitor.no_data) {
            (Outcome::NoData, NoData::Ok) => Outcome::Clear,
            (Outcome::NoData, NoData::Alert) => Outcome::Breach,
            (Outcome::NoData, NoData::Keep) => Outcome::Hold,
            (outcome, _) => outcome,
        };
        if outcome == Outcome::Breach {
            self.wrong_at = Some(now);
        }
        match (self.phase, outcome) {
            (_, Outcome::Hold) => None,
            (Phase::Ok | Phase::Pending, Outcome::Breach) => self.wrong(monitor, judgement, now),
            (Phase::Ok | Phase::Pending, _) => {
                self.go(Phase::Ok, now);
                None
            }
            (Phase::Firing | Phase::Recovering, Outcome::Breach) => {
                self.go(Phase::Firing, now);
                let worse = judgement.severity > self.severity;
                self.severity = self.severity.max(judgement.severity);
                worse.then_some(Turn::Worsened)
            }
            (Phase::Firing | Phase::Recovering, Outcome::Clear) => self.right(monitor, now),
            // At the edge: it neither goes on to be over nor begins anew.
            (Phase::Firing | Phase::Recovering, _) => {
                self.streak = 0;
                None
            }
        }
    }

    fn wrong(&mut self, monitor: &MonitorConfig, judgement: &Judgement, now: Timestamp) -> Option<Turn> {
        if self.phase == Phase::Ok {
            self.go(Phase::Pending, now);
        }
        self.streak += 1;
        if self.streak < monitor.for_ {
            return None;
        }
        self.go(Phase::Firing, now);
        self.severity = judgement.severity;
        let lately = now.minus(monitor.flapping.within.0);
        self.fires.retain(|fired| *fired > lately);
        self.fires.push(now);
        Some(Turn::Fired)
    }

    fn right(&mut self, monitor: &MonitorConfig, now: Timestamp) -> Option<Turn> {
        if self.phase == Phase::Firing {
            self.go(Phase::Recovering, now);
        }
        self.streak += 1;
        let quiet = now.since(self.wrong_at.unwrap_or(self.since));
        if self.streak < monitor.recover_for || quiet < self.held(monitor, now) {
            return None;
        }
        self.go(Phase::Ok, now);
        self.recovered_at = Some(now);
        self.severity = None;
        Some(Turn::Recovered)
    }

    /// How long it must have been right, beyond the evaluations in a row.
    fn held(&self, monitor: &MonitorConfig, now: Timestamp) -> Duration {
        let flapping = &monitor.flapping;
        let lately = now.minus(flapping.within.0.saturating_add(flapping.hold.0));
        let fires = self.fires.iter().filter(|fired| **fired > lately).count();
        let flaps = flapping.fires > 0 && fires >= usize::try_from(flapping.fires).unwrap_or(usize::MAX);
        if flaps { flapping.hold.0 } else { Duration::ZERO }
    }

    fn go(&mut self, phase: Phase, now: Timestamp) {
        if self.phase != phase {
            (self.phase, self.since, self.streak) = (phase, now, 0);
        }
    }

    /// Whether a restart would lose something that counts, if only the other one were kept.
    #[must_use]
    pub fn differs(&self, kept: &Self) -> bool {
        let old = self.data_at.since(kept.data_at) >= Duration::from_secs(3_600);
        (self.phase, self.since, self.streak, self.severity) != (kept.phase, kept.since, kept.streak, kept.severity)
            || self.fires != kept.fires
            || self.evidence != kept.evidence
            || (self.phase.is_firing() && self.wrong_at != kept.wrong_at)
            || old
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
