#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod action;
mod backtest;
mod channels;
mod config;
mod context;
mod detour;
mod drift;
mod edit;
mod escalate;
mod evaluate;
mod inbound;
mod incident;
mod keep;
mod kinds;
mod lead;
mod marker;
mod mute;
mod notice;
mod objective;
mod on_call;
mod outbox;
mod own;
mod read;
mod starter;
mod state;
mod tell;
#[cfg(test)]
mod tests;
mod tick;
mod watch;

pub use action::{Action, Actions, Asked, Doer, Does};
pub use backtest::{Backtest, Firing, TestedPoint, TestedSeries};
pub use channels::{Again, Channel, Failure, Http, HttpAnswer, HttpRequest, Taken};
pub use config::*;
pub use context::{Context, Difference, Example, Window};
pub use detour::Detour;
pub use drift::{
    Concept, Direction, DriftBar, DriftCell, DriftConcept, DriftConfig, DriftExample, DriftFound, DriftGroup,
    DriftPoint, DriftResult, DriftTrend, DriftView, DriftWindow, MinEffect, Reference, Season, Signal, Values,
};
pub use edit::{EditError, NewSilence};
pub use escalate::{Escalation, Progress, Step};
pub use inbound::{Hook, HookError, HookKind};
pub use incident::{Affected, Entry, Incident, IncidentStatus};
pub use keep::{Keep, Key, Kind, Lease, Term};
pub use kinds::{Band, Beside, Evidence, Judgement, Model, Need, Observation, Outcome, Point, judge, needs};
pub use lead::Leadership;
pub use marker::{Changes, Marker, MarkerKind, NewMarker};
pub use mute::{Day, Inhibition, Maintenance, Matcher, Silence};
pub use notice::{Event, Notice};
pub use objective::{
    BudgetNumbers, BudgetPoint, BurnSeen, FreezeReason, ManualFreeze, NewFreeze, ObjectiveView, ReleaseFreeze,
    Standing, TriedObjective, UnknownBudget,
};
pub use on_call::{Override, Person, Rotation, Schedule};
pub use outbox::Message;
pub use state::{Labels, Phase, Seen, SeriesState, Turn};
pub use watch::{MonitorView, Numbers, SeriesView, Source, Watch, WatchParts};
