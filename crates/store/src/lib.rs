#![doc = include_str!("../README.md")]

mod backend;
mod config;
mod error;
mod files;
mod flush;
mod keys;
mod manifest;
mod memtable;
mod query;
mod queue;
mod rows;
mod schema;
mod text;
mod writer;

pub use backend::embedded::Store;
pub use config::{ProjectRetention, RetentionConfig, StoreConfig};
pub use error::OpenError;
pub use queue::SpanQueue;
