#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod online;
pub mod paired;
pub mod results;
mod scorer;
pub mod stats;
pub mod suite;

pub use scorer::{Local, Scored, Scorer, ScorerError};
