//! Providers against real sockets that misbehave, and the simulated provider in-process and on a socket.

mod client;
mod configure;
mod faults;
mod resolve;
mod simulated;
mod support;
