//! The binary: command line, configuration, wiring. No logic of its own that a crate below could hold.

mod commands;
mod config;
mod demo;
mod litellm;
mod reload;
mod remote;
mod server;
mod web;
mod wire_up;

use std::process::ExitCode;

use clap::Parser;

// glibc's allocator keeps freed memory per thread; a gateway's buffers come and go on all of them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = commands::CommandLine::parse();
    match command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            commands::say_error(&error);
            ExitCode::FAILURE
        }
    }
}
