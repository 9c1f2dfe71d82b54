//! Providers against real sockets that misbehave, and the simulated provider in-process and on a socket.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which clippy.toml allows only in test functions"
)]

mod along;
mod auth;
mod client;
mod configure;
mod faults;
mod network;
mod packed;
mod probe;
mod resolve;
mod rotation;
mod rows;
mod simulated;
mod support;
mod uploads;
