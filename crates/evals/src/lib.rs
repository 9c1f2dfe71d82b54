#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod by_vectors;
pub mod calibrate;
#[cfg(test)]
mod docs_tests;
mod embedding;
pub mod judge;
pub mod online;
pub mod paired;
pub mod results;
pub mod safety;
mod scorer;
pub mod stats;
pub mod suite;

pub use by_vectors::{ByVectors, embedding_model};
pub use embedding::{EmbeddingModel, Vectors};
pub use scorer::{Local, Scored, Scorer, ScorerError};
