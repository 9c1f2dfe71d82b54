#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod calibrate;
#[cfg(test)]
mod docs_tests;
pub mod judge;
pub mod online;
pub mod paired;
pub mod results;
pub mod safety;
mod scorer;
pub mod stats;
pub mod suite;

pub use scorer::{Local, Scored, Scorer, ScorerError};
