#![doc = include_str!("../README.md")]

mod backend;
mod backup;
mod config;
mod error;
mod files;
mod flush;
mod keys;
mod limit;
mod manifest;
mod memtable;
mod minutes;
mod query;
mod queue;
mod rows;
mod said;
mod schema;
mod text;
mod transfer;
mod values;
mod writer;

pub use backend::embedded::Store;
pub use backup::{Damage, Progress, RestoreError, Restored, Verification, restore, verify};
pub use config::{ProjectRetention, RetentionConfig, StoreConfig};
pub use error::OpenError;
pub use queue::SpanQueue;
