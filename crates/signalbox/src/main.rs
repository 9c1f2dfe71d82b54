//! The binary: command line, configuration, wiring. No logic of its own that a crate below could hold.

// Built anew when the profile of calls is counted or left out (`.cargo/rustc`).
const _: Option<&str> = option_env!("SIGNALBOX_PROFILE");

mod commands;
mod config;
mod demo;
mod lanes;
mod litellm;
mod models;
mod reload;
mod remote;
mod server;
mod watching;
mod web;
mod wire_up;

use std::process::ExitCode;

use clap::Parser;

// Spans are made on one thread and freed on another: of glibc's allocator, mimalloc and this one, this one takes
// the least CPU for that, and memory goes back soon.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let command = commands::CommandLine::parse();
    match command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            commands::say_error(&error);
            commands::status_of(&error)
        }
    }
}
