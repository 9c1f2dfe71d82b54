//! Whether what comes in and goes out is still what it was: scheduled comparisons of two windows, by signal and segment.
//!
//! `sample.rs` draws rows from both windows, `signal.rs` reads values from them, `space.rs` makes inputs points, `compare.rs` and
//! `concept.rs` say what has changed, `assemble.rs` puts that together, and `worker.rs` does it when it is time. The tests themselves are the crate `metrics`'.

mod assemble;
mod compare;
mod concept;
mod config;
mod edit;
mod place;
mod result;
mod sample;
mod signal;
#[cfg(test)]
mod simulation;
mod space;
#[cfg(test)]
mod tests;
mod words;
mod worker;

pub(crate) use config::PREFIX;
pub use config::{Concept, DriftConfig, MinEffect, Reference, Season};
pub use edit::DriftView;
pub(crate) use result::Kept;
pub use result::{
    Direction, DriftBar, DriftCell, DriftConcept, DriftExample, DriftFound, DriftGroup, DriftPoint, DriftResult,
    DriftTrend, DriftWindow,
};
pub use signal::{Signal, Values};
pub(crate) use worker::Check;
