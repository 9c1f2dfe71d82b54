#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod scorer;

pub use scorer::{Local, Scored, Scorer, ScorerError};
