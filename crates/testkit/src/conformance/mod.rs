//! The suites that whoever implements a seam must pass.
#![expect(clippy::expect_used, clippy::panic, reason = "a test suite: it panics where the contract is broken")]

mod event_store;
mod numbers;
mod pages;
mod tables;

pub use event_store::event_store;
