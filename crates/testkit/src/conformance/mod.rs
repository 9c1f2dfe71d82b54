//! The suites that whoever implements a seam must pass.

mod event_store;
mod tables;

pub use event_store::event_store;
