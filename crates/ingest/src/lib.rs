#![doc = include_str!("../README.md")]

mod auth;
mod body;
mod config;
mod error;
mod ingest;
mod metrics;
mod otlp;
mod pipeline;
mod receiver;
mod receivers;
mod registry;
mod reindex;
#[cfg(test)]
mod testing;

pub use config::IngestConfig;
pub use ingest::{BodyError, BoxError, Ingest, IngestParts, RequestBody};
pub use metrics::{IngestMetrics, Name};
pub use receiver::{Receiver, Shared};
#[doc(hidden)]
pub use receivers::otlp_http::whatever::read_whatever;
pub use registry::ALL;
pub use reindex::Reindex;
