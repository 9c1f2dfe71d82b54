#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod calibrate;
pub mod judge;
mod scorer;

pub use scorer::{Local, Scored, Scorer, ScorerError};
