#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod online;
mod scorer;

pub use scorer::{Local, Scored, Scorer, ScorerError};
