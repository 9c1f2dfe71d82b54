#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

#[cfg(test)]
mod docs_tests;
pub mod safety;
mod scorer;

pub use scorer::{Local, Scored, Scorer, ScorerError};
