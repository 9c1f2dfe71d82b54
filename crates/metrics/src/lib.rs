#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod about;
mod agent;
pub mod case;
#[cfg(test)]
mod conformance;
mod drift;
pub mod grounding;
pub mod lines;
pub mod options;
pub mod registry;
mod retrieval;
pub mod score;
mod structure;
mod text;
pub mod vectors;

pub use about::{About, Direction, Family, Range};
pub use case::{Case, Input, Problem, kind};
pub use drift::multiple;
pub use options::{OptionProblem, Options};
pub use score::{Evidence, Measure, Metric, Outcome, Score};
